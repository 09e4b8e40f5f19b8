//! Explanations as sentences a ward can read.

use super::explain::ORDINARY;
use super::explanation::{FeatureExplanation, PairExplanation, Written};
use super::feature::significant;
use super::pattern::Pattern;
use crate::message::counted;

/// Why the record is unusual, in one sentence without a full stop. Empty for records that were not explained.
///
/// `observed` is the number of observed values of the record, `absent` names features whose absence alone is
/// rarer than anything a change of values would mend; `p_value` is that of the record.
pub(super) fn sentence(
    features: &[FeatureExplanation],
    pair: Option<&PairExplanation>,
    observed: usize,
    absent: &[&str],
    p_value: f64,
) -> String {
    let verdict = |p_after| verdict(p_after, p_value);
    if observed == 0 {
        return "no value is recorded; which values are missing is unusual in itself".to_owned();
    }
    if let Some((first, others)) = absent.split_first() {
        let more = if others.is_empty() {
            String::new()
        } else {
            format!(" and {}", counted(others.len(), "more feature", "more features"))
        };
        let verb = if others.is_empty() { "is" } else { "are" };
        return format!("{first}{more} {verb} missing, which hardly any training record has");
    }
    if let Some(pair) = pair {
        return pair_sentence(pair, &verdict);
    }
    let Some(first) = features.first() else { return String::new() };
    if first.gain <= 0.0 {
        let whole =
            "no single value stands out; the record is unusual as a whole, or in which values are missing";
        return whole.to_owned();
    }
    if let (Some(Pattern::Swapped(_)), Some(second)) = (&first.pattern, features.get(1)) {
        return format!(
            "{} and {} look exchanged; the other way round the record would be {}",
            value(&first.written),
            value(&second.written),
            verdict(first.p_after)
        );
    }
    let suggestion =
        format!("with {} the record would be {}", first.written.suggested, verdict(first.p_after));
    let alike = if first.together.is_empty() {
        String::new()
    } else {
        format!(" ({} alike)", first.together.join(", "))
    };
    match &first.pattern {
        Some(pattern) => {
            format!(
                "{}{alike}; {suggestion} ({}: {})",
                value(&first.written),
                looks(pattern),
                corrected(&first.written)
            )
        }
        None => format!("{}{alike}; {suggestion}", value(&first.written)),
    }
}

fn pair_sentence(pair: &PairExplanation, verdict: &impl Fn(f64) -> String) -> String {
    let ([first, second], [x, y]) = (&pair.observed_text, &pair.suggested_text);
    if pair.either {
        format!(
            "{first} does not occur together with {second}; with {x} for the first or {y} for the second the \
             record would be {}",
            verdict(pair.p_after)
        )
    } else {
        format!("{first} and {second}; with {x} and {y} the record would be {}", verdict(pair.p_after))
    }
}

/// What a record would be after a change. A record far beyond all calibration records may become much
/// likelier and still lie beyond them, so that its p-value stays what it was.
fn verdict(p_after: f64, p_value: f64) -> String {
    let after = significant(p_after, 2);
    if p_after > ORDINARY {
        "ordinary".to_owned()
    } else if p_after > p_value && after != significant(p_value, 2) {
        format!("less unusual (p {after})")
    } else {
        format!("likelier, but still among the most unusual (p {after})")
    }
}

fn looks(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Unit(unit) => format!("looks like {unit}"),
        Pattern::Times(factor) => format!("looks {factor} times too large"),
        Pattern::DividedBy(factor) => format!("looks {factor} times too small"),
        Pattern::Sign => "looks like a wrong sign".to_owned(),
        Pattern::Swapped(other) => format!("looks exchanged with {other}"),
    }
}

fn value(written: &Written) -> String {
    format!("{} {}{}", written.label, written.observed, spaced(&written.unit))
}

fn corrected(written: &Written) -> String {
    format!("{}{}", written.corrected, spaced(&written.unit))
}

fn spaced(unit: &str) -> String {
    if unit.is_empty() || unit.starts_with('%') { unit.to_owned() } else { format!(" {unit}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fahrenheit() -> FeatureExplanation {
        FeatureExplanation {
            gain: 40.0,
            p_after: 0.6,
            pattern: Some(Pattern::Unit("°F".into())),
            written: Written {
                label: "temperature".into(),
                unit: "°C".into(),
                observed: "98.6".into(),
                suggested: "37.1".into(),
                expected: "36.2 to 38.0".into(),
                corrected: "37.0".into(),
            },
            ..FeatureExplanation::default()
        }
    }

    #[test]
    fn a_single_value_is_described_with_its_pattern() {
        assert_eq!(
            sentence(&[fahrenheit()], None, 5, &[], 0.01),
            "temperature 98.6 °C; with 37.1 the record would be ordinary (looks like °F: 37.0 °C)"
        );
        let unnamed = FeatureExplanation { pattern: None, p_after: 0.0123, ..fahrenheit() };
        assert_eq!(
            sentence(std::slice::from_ref(&unnamed), None, 5, &[], 0.01),
            "temperature 98.6 °C; with 37.1 the record would be less unusual (p 0.012)"
        );
        // The p-value that it has already is no improvement.
        for p_value in [0.0123, 0.0122] {
            assert_eq!(
                sentence(std::slice::from_ref(&unnamed), None, 5, &[], p_value),
                "temperature 98.6 °C; with 37.1 the record would be likelier, but still among the most \
                 unusual (p 0.012)"
            );
        }
        let several = FeatureExplanation { together: vec!["temperature_max".into()], ..fahrenheit() };
        assert!(
            sentence(&[several], None, 5, &[], 0.01)
                .starts_with("temperature 98.6 °C (temperature_max alike); with 37.1")
        );
    }

    #[test]
    fn exchanges_and_pairs_name_both() {
        let one = |label: &str, observed: &str, other: &str| FeatureExplanation {
            gain: 9.0,
            p_after: 0.5,
            pattern: Some(Pattern::Swapped(other.into())),
            written: Written { label: label.into(), observed: observed.into(), ..Written::default() },
            ..FeatureExplanation::default()
        };
        assert_eq!(
            sentence(
                &[one("systolic", "68", "diastolic"), one("diastolic", "124", "systolic")],
                None,
                7,
                &[],
                0.01
            ),
            "systolic 68 and diastolic 124 look exchanged; the other way round the record would be ordinary"
        );
        let mut pair = PairExplanation {
            features: ["a".into(), "b".into()],
            columns: [0, 1],
            observed: [1.0, 2.0],
            suggested: [3.0, 4.0],
            observed_text: ["a 1 kg".into(), "b 2%".into()],
            suggested_text: ["3".into(), "4".into()],
            gain: 9.0,
            p_after: 0.3,
            either: true,
        };
        assert_eq!(
            sentence(&[], Some(&pair), 2, &[], 0.01),
            "a 1 kg does not occur together with b 2%; with 3 for the first or 4 for the second the record \
             would be ordinary"
        );
        pair.either = false;
        assert_eq!(
            sentence(&[], Some(&pair), 2, &[], 0.01),
            "a 1 kg and b 2%; with 3 and 4 the record would be ordinary"
        );
    }

    #[test]
    fn records_without_a_culprit_are_not_blamed_on_one() {
        assert!(sentence(&[], None, 0, &[], 0.01).starts_with("no value is recorded"));
        assert_eq!(
            sentence(&[], None, 3, &["ward"], 0.01),
            "ward is missing, which hardly any training record has"
        );
        assert_eq!(
            sentence(&[], None, 3, &["ward", "age", "sex"], 0.01),
            "ward and 2 more features are missing, which hardly any training record has"
        );
        assert!(
            sentence(&[FeatureExplanation::default()], None, 3, &[], 0.01)
                .starts_with("no single value stands out")
        );
        assert_eq!(sentence(&[], None, 3, &[], 0.01), "");
    }
}
