//! The answer in words. Every sentence is backed by a number of the page, and says so when the data cannot
//! tell.

use super::context::{Context, Scored};
use super::flags::Flagged;
use super::models::{Paired, duel};
use crate::num::special::normal_quantile;
use crate::outlier::Warning;
use crate::report::data::{Calibration, Comparison, FeatureSummary, Marginals, NamedCount, Outcome, Verdict};
use crate::report::format::{count, fixed, signed, significant};
use crate::schema::Split;
use crate::train::Stop;

/// What the verdict rests on.
pub(super) struct Evidence<'a> {
    pub(super) context: &'a Context<'a>,
    pub(super) comparison: Option<&'a Comparison>,
    pub(super) calibration: Option<&'a Calibration>,
    pub(super) marginals: Option<&'a Marginals>,
    pub(super) features: &'a [FeatureSummary],
    pub(super) flagged: Option<&'a Flagged>,
}

pub(super) fn verdict(evidence: &Evidence<'_>) -> Verdict {
    let context = evidence.context;
    let duel = duel(context);
    let (outcome, headline) = match &duel {
        Some((flow, mixture, paired)) => decide(&flow.name, (noun(mixture), &mixture.name), *paired),
        None if context.test.is_none() => (Outcome::NoTest, no_test(context)),
        None => (Outcome::OneFamily, one_family(context)),
    };
    let mut records = vec![NamedCount { name: "all".into(), n: total(context) }];
    records.extend(context.splits());
    Verdict {
        outcome,
        headline,
        reasons: reasons(evidence, duel.as_ref()),
        cautions: cautions(evidence),
        opponent: duel.as_ref().map_or("mixture", |d| noun(d.1)),
        difference: duel.as_ref().map(|d| d.2.difference),
        standard_error: duel.as_ref().map(|d| d.2.error).filter(|e| e.is_finite()),
        records,
        n_features: context.bundle.manifest.encoder.n_features(),
        leading: context.leading().name.clone(),
    }
}

/// What a baseline is called.
fn noun(scored: &Scored<'_>) -> &'static str {
    scored.model.header.family.kind.definition().noun
}

fn total(context: &Context<'_>) -> crate::report::Cell {
    context.privacy.count(context.bundle.manifest.n_records as u64)
}

/// Decided where the 95 % interval of the paired difference excludes 0.
fn decide(flow: &str, (noun, mixture): (&str, &str), paired: Paired) -> (Outcome, String) {
    let (low, high) = paired.interval();
    let by = format!(
        "{}\u{a0}±\u{a0}{} nats per record",
        fixed(paired.difference.abs(), 3),
        fixed(paired.error, 3)
    );
    if low > 0.0 {
        (
            Outcome::Flow,
            format!(
                "The flow ({flow}) explains held-out records better than the {noun} ({mixture}), by {by}."
            ),
        )
    } else if high < 0.0 {
        (
            Outcome::Mixture,
            format!(
                "The {noun} ({mixture}) explains held-out records better than the flow ({flow}), by {by}."
            ),
        )
    } else {
        let difference = format!("{}\u{a0}±\u{a0}{}", signed(paired.difference, 3), fixed(paired.error, 3));
        let text = format!(
            "These records cannot tell the flow ({flow}) and the {noun} ({mixture}) apart: the difference is \
             {difference} nats per record."
        );
        (Outcome::Undecided, text)
    }
}

fn no_test(context: &Context<'_>) -> String {
    let why = if context.n(Split::Test) == 0 {
        "There are no test records"
    } else {
        "There are too few test records"
    };
    format!("{why}: nothing here judges the models on records they have not seen.")
}

fn one_family(context: &Context<'_>) -> String {
    let leading = context.leading();
    let split = context.test.unwrap_or(Split::Validation);
    let figure = leading
        .mean(split)
        .and_then(|(mean, error)| Some((mean, error?)))
        .map_or_else(String::new, |(m, e)| {
            format!(", at {} ± {} nats per {} record", fixed(m, 3), fixed(e, 3), split.name())
        });
    if context.models.len() == 1 {
        format!("One model, {}{figure}; there is no other to compare it with.", leading.name)
    } else {
        format!("The best of {} models by validation is {}{figure}.", context.models.len(), leading.name)
    }
}

fn reasons(evidence: &Evidence<'_>, duel: Option<&(&Scored<'_>, &Scored<'_>, Paired)>) -> Vec<String> {
    let context = evidence.context;
    let mut out = Vec::new();
    if let Some((flow, baseline, paired)) = duel {
        let (low, high) = paired.interval();
        if low.is_finite() {
            let n = flow.scores.get(&Split::Test).map_or(0, |scores| scores.log_prob.len());
            out.push(format!(
                "Over the same {} test records the 95 % interval of the difference, flow − {}, is {} to {}; \
                 {} explains {} % of them better.",
                context.privacy.count(n as u64).text(count),
                noun(baseline),
                signed(low, 3),
                signed(high, 3),
                flow.name,
                fixed(100.0 * paired.wins, 0)
            ));
        }
    }
    if let Some(c) = evidence.comparison.filter(|c| c.rows.len() > 2) {
        out.push(ranking(c));
    }
    if let Some(c) = evidence.calibration {
        let five = c.alphas.iter().find(|a| a.model == c.model && a.alpha == 0.05);
        if let Some((observed, low, high)) = five.and_then(|a| Some((a.observed?, a.low?, a.high?))) {
            // Ties among scores and a small calibration set make p-values larger than uniform, which keeps
            // their level.
            let holds = match five {
                Some(a) if a.exceeded => "do not hold",
                Some(a) if high < a.expected => "hold and are cautious",
                _ => "hold",
            };
            out.push(format!(
                "p-values of {} {holds}: {} % of test records ({} to {} %) have one of at most 5 %.",
                c.model,
                fixed(100.0 * observed, 1),
                fixed(100.0 * low, 1),
                fixed(100.0 * high, 1)
            ));
        }
    }
    if let Some(m) = evidence.marginals {
        let beyond = |name: &str| m.models.iter().find(|f| f.model == name).map(|f| f.n_beyond_chance);
        if let Some(n) = beyond(&m.model) {
            let real = m.models.first().filter(|f| !context.models.iter().any(|s| s.name == f.model));
            let yardstick = real
                .map_or_else(String::new, |r| format!("; of real training records, {}", r.n_beyond_chance));
            out.push(format!(
                "Samples of {}: {n} of {} features differ from the test records by more than \
                 chance{yardstick}.",
                m.model,
                m.features.len()
            ));
        }
    }
    out
}

/// Which of several models are best, by what the pairs can tell.
fn ranking(c: &Comparison) -> String {
    let best = &c.rows[0];
    let tied: Vec<&str> =
        c.rows[1..].iter().filter(|r| r.high.is_nan() || r.high >= 0.0).map(|r| r.model.as_str()).collect();
    if tied.is_empty() {
        format!("Of all {} models, {} is best and all others are clearly below it.", c.rows.len(), best.model)
    } else {
        format!(
            "Of all {} models, {} has the highest mean; {} cannot be told from it.",
            c.rows.len(),
            best.model,
            tied.join(", ")
        )
    }
}

fn cautions(evidence: &Evidence<'_>) -> Vec<String> {
    let context = evidence.context;
    let mut out = Vec::new();
    let n_test = context.n(Split::Test);
    if (1..200).contains(&n_test) {
        out.push(format!(
            "There are only {} test records: all intervals are wide.",
            context.privacy.count(n_test).text(count)
        ));
    }
    if context.leading().model.calibration.is_empty() {
        out.push("There is no calibration split: p-values cannot be given.".into());
    }
    for m in &context.models {
        if m.model.header.calibration_folds.is_some() && context.n(Split::Calibration) > 0 {
            out.push(format!(
                "{} is calibrated across folds and was fitted on the calibration split as well: its \
                 likelihood there is that of training records.",
                m.name
            ));
        }
        if let Some(text) = memorised(m) {
            out.push(text);
        }
        let Some(training) = m.model.header.training else { continue };
        match training.stop {
            Some(Stop::TimeBudget) => {
                out.push(format!(
                    "Training of {} ended with its time budget; longer training may improve it.",
                    m.name
                ));
            }
            Some(Stop::MaxEpochs) if training.best_epoch >= Some(training.epochs) => {
                out.push(format!("{} was still improving when its epochs were over.", m.name));
            }
            _ => {}
        }
    }
    let mostly_missing = (0..context.bundle.raw.ncols())
        .filter(|&j| 2 * Context::sorted(&context.bundle.raw, j).len() < context.bundle.raw.nrows())
        .count();
    if mostly_missing > 0 {
        out.push(plural(
            mostly_missing,
            "feature is",
            "features are",
            "missing in more than half of the records.",
        ));
    }
    // A feature counts beyond the chance of all features together, which few test records make large.
    let z = normal_quantile(1.0 - 0.025 / evidence.features.len().max(1) as f64);
    let moved = |f: &&FeatureSummary| {
        f.smd.zip(f.smd_error).is_some_and(|(d, error)| d.abs() > f64::max(0.2, z * error))
    };
    let shifted = evidence.features.iter().filter(moved).count();
    if shifted > 0 {
        out.push(plural(
            shifted,
            "feature differs",
            "features differ",
            "between training and test records by more than 0.2 standard deviations.",
        ));
    }
    if let Some(flagged) = evidence.flagged {
        // Numbers of these are levels and thresholds, not records, but for rows that no model can score.
        let harmless: Vec<String> = flagged
            .flags
            .warnings
            .iter()
            .filter(|w| !matches!(w, Warning::NotFinite { .. }))
            .map(ToString::to_string)
            .collect();
        out.extend(flagged.messages.iter().map(|m| {
            let told =
                if harmless.contains(&m.text) { m.text.clone() } else { context.privacy.sentence(&m.text) };
            format!("Flagging: {told}.")
        }));
    }
    out
}

/// Training records scored higher than test records by more than their errors explain.
fn memorised(m: &Scored<'_>) -> Option<String> {
    let of = |s| m.model.metrics.splits.get(&s).and_then(|x| Some((x.mean_log_prob, x.standard_error?)));
    let ((train, a), (test, b)) = (of(Split::Train)?, of(Split::Test)?);
    let gap = train - test;
    // One nat aside, a gap of four errors is there but may not matter.
    (gap > 4.0 * a.hypot(b) && gap > 1.0).then(|| {
        format!(
            "{} scores training records {} nats higher than test records: it knows them too well.",
            m.name,
            significant(gap, 2)
        )
    })
}

fn plural(n: usize, one: &str, many: &str, rest: &str) -> String {
    format!("{n} {} {rest}", if n == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_verdict_follows_the_interval_whoever_wins() {
        let paired = |difference, error| Paired { difference, error, wins: 0.5 };
        assert_eq!(decide("f", ("mixture", "m"), paired(0.3, 0.1)).0, Outcome::Flow);
        let (outcome, text) = decide("f", ("mixture", "m"), paired(-0.3, 0.1));
        assert_eq!(outcome, Outcome::Mixture);
        assert!(text.starts_with("The mixture (m)") && text.contains("0.300\u{a0}±\u{a0}0.100"), "{text}");
        let (outcome, text) = decide("f", ("mixture", "m"), paired(0.1, 0.1));
        assert_eq!(outcome, Outcome::Undecided);
        assert!(text.contains("cannot tell") && text.contains("+0.100\u{a0}±\u{a0}0.100"), "{text}");
        assert_eq!(
            decide("f", ("mixture", "m"), paired(0.5, f64::NAN)).0,
            Outcome::Undecided,
            "one record decides nothing"
        );
    }
}
