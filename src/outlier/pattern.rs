//! The ways clinical numbers go wrong in transcription: another unit, a shifted decimal point, a lost sign, a
//! value entered in its neighbour's field. Each proposes what the value would have been; whether a proposal
//! explains a record is the density's verdict, not this module's.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A named way to get from the true value to the recorded one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Pattern {
    /// Recorded in this unit instead of the column's.
    Unit(String),
    /// The recorded value is this many times the true one.
    Times(f64),
    /// The recorded value is the true one divided by this.
    DividedBy(f64),
    /// The sign is lost or added.
    Sign,
    /// Exchanged with the value of this feature.
    Swapped(String),
}

impl Pattern {
    /// Log prior weight relative to a unit error, in nats. A wrong unit is proposed only where the column's
    /// unit has a familiar rival; powers of ten are proposed everywhere and fit by accident the more often
    /// the more there are of them, three decades more rarely than one.
    pub(super) fn log_weight(&self) -> f64 {
        match self {
            Self::Unit(_) | Self::Swapped(_) => 0.0,
            Self::Times(f) | Self::DividedBy(f) => -0.5 * f.log10(),
            Self::Sign => -1.0,
        }
    }
}

/// What a slip without a familiar form is called.
const NO_PATTERN: &str = "no pattern";

impl Pattern {
    /// What kind of slip the short name of a pattern stands for, as [`Display`](fmt::Display) writes it.
    pub fn kind_of(short: &str) -> &'static str {
        match Self::of_short_name(short) {
            None => NO_PATTERN,
            Some(Self::Unit(_)) => "another unit",
            Some(Self::Times(_) | Self::DividedBy(_)) => "decimal point",
            Some(Self::Sign) => "wrong sign",
            Some(Self::Swapped(_)) => "exchanged values",
        }
    }

    /// The pattern of a short name; none of an empty one.
    pub fn of_short_name(short: &str) -> Option<Self> {
        let factor = |sign: char| short.strip_prefix(sign).and_then(|factor| factor.parse::<f64>().ok());
        if short.is_empty() {
            return None;
        }
        Some(if short == "sign" {
            Self::Sign
        } else if let Some(other) = short.strip_prefix("swapped with ") {
            Self::Swapped(other.to_owned())
        } else if let Some(times) = factor('×') {
            Self::Times(times)
        } else if let Some(divided) = factor('÷') {
            Self::DividedBy(divided)
        } else {
            Self::Unit(short.to_owned())
        })
    }
}

/// The short name used in the `pattern_k` columns.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unit(unit) => f.write_str(unit),
            Self::Times(factor) => write!(f, "×{factor}"),
            Self::DividedBy(factor) => write!(f, "÷{factor}"),
            Self::Sign => f.write_str("sign"),
            Self::Swapped(other) => write!(f, "swapped with {other}"),
        }
    }
}

/// `column unit = rival unit · scale + offset`, for the columns whose name holds one of `analytes` (all when
/// empty).
struct Rival {
    units: &'static [&'static str],
    other: &'static str,
    analytes: &'static [&'static str],
    scale: f64,
    offset: f64,
}

const fn rival(units: &'static [&'static str], other: &'static str, scale: f64, offset: f64) -> Rival {
    Rival { units, other, analytes: &[], scale, offset }
}

const fn analyte(
    names: &'static [&'static str],
    units: &'static [&'static str],
    other: &'static str,
    scale: f64,
) -> Rival {
    Rival { units, other, analytes: names, scale, offset: 0.0 }
}

const CELSIUS: &[&str] = &["°c", "degc", "c", "celsius", "deg.c"];
const FAHRENHEIT: &[&str] = &["°f", "degf", "f", "fahrenheit", "deg.f"];
const POUND: &[&str] = &["lb", "lbs", "pound", "pounds"];
const MG_DL: &[&str] = &["mg/dl"];
const MMOL_L: &[&str] = &["mmol/l", "meq/l"];
const UMOL_L: &[&str] = &["umol/l", "µmol/l", "μmol/l", "micromol/l"];
const MMHG: &[&str] = &["mmhg", "torr"];
const UREA: &[&str] = &["bun", "urea"];

/// mg/dL per mmol/L is a tenth of the molar mass: glucose 180.156, urea nitrogen 28.01, calcium 40.08,
/// magnesium 24.305, phosphorus 30.974, cholesterol 386.65, triglycerides 885.7, lactate 90.08; µmol/L per
/// mg/dL is 10⁴ over it: creatinine 113.12, bilirubin 584.66, uric acid 168.11.
const RIVALS: &[Rival] = &[
    rival(CELSIUS, "°F", 5.0 / 9.0, -160.0 / 9.0),
    rival(FAHRENHEIT, "°C", 1.8, 32.0),
    rival(&["kg"], "lb", 0.453_592_37, 0.0),
    rival(POUND, "kg", 1.0 / 0.453_592_37, 0.0),
    rival(&["cm"], "inch", 2.54, 0.0),
    rival(&["cm"], "m", 100.0, 0.0),
    rival(&["in", "inch", "inches"], "cm", 1.0 / 2.54, 0.0),
    rival(MMHG, "kPa", 7.500_62, 0.0),
    rival(&["kpa"], "mmHg", 1.0 / 7.500_62, 0.0),
    rival(&["%", "percent"], "fraction", 100.0, 0.0),
    rival(&["fraction", "1"], "%", 0.01, 0.0),
    rival(&["g/dl"], "g/L", 0.1, 0.0),
    rival(&["g/l"], "g/dL", 10.0, 0.0),
    analyte(&["glucose"], MG_DL, "mmol/L", 18.0156),
    analyte(&["glucose"], MMOL_L, "mg/dL", 1.0 / 18.0156),
    analyte(&["creatinine"], MG_DL, "µmol/L", 1.0 / 88.402),
    analyte(&["creatinine"], UMOL_L, "mg/dL", 88.402),
    analyte(&["bilirubin"], MG_DL, "µmol/L", 1.0 / 17.104),
    analyte(&["bilirubin"], UMOL_L, "mg/dL", 17.104),
    analyte(UREA, MG_DL, "mmol/L", 2.8014),
    analyte(UREA, MMOL_L, "mg/dL", 1.0 / 2.8014),
    analyte(&["uric", "urate"], MG_DL, "µmol/L", 1.0 / 59.485),
    analyte(&["calcium"], MG_DL, "mmol/L", 4.0078),
    analyte(&["calcium"], MMOL_L, "mg/dL", 1.0 / 4.0078),
    analyte(&["magnesium"], MG_DL, "mmol/L", 2.4305),
    analyte(&["magnesium"], MMOL_L, "mg/dL", 1.0 / 2.4305),
    analyte(&["phosph"], MG_DL, "mmol/L", 3.0974),
    analyte(&["cholesterol", "hdl", "ldl"], MG_DL, "mmol/L", 38.665),
    analyte(&["cholesterol", "hdl", "ldl"], MMOL_L, "mg/dL", 1.0 / 38.665),
    analyte(&["triglyceride"], MG_DL, "mmol/L", 88.57),
    analyte(&["lactate"], MMOL_L, "mg/dL", 1.0 / 9.008),
    analyte(&["lactate"], MG_DL, "mmol/L", 9.008),
    analyte(&["hemoglobin", "haemoglobin", "hgb"], &["g/dl"], "mmol/L", 1.6114),
];

const DECADES: [f64; 3] = [10.0, 100.0, 1000.0];

/// One pattern with what undoes it: `true = recorded · scale + offset`.
#[derive(Debug, Clone, PartialEq)]
pub struct Correction {
    /// What happened.
    pub pattern: Pattern,
    /// Factor.
    pub scale: f64,
    /// Added after scaling; applies to levels such as a mean or a minimum, not to spreads or sums.
    pub offset: f64,
}

impl Correction {
    /// The value had the pattern happened to it.
    pub fn apply(&self, recorded: f64) -> f64 {
        recorded * self.scale + self.offset
    }
}

/// The familiar ways a column can have gone wrong, by its name and unit, for the recorded value; `signed`
/// says that the column's training values have both signs or are negative.
pub fn corrections(name: &str, unit: &str, signed: bool, recorded: f64) -> Vec<Correction> {
    let unit: String = unit.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
    let name = name.to_lowercase();
    let mut out: Vec<Correction> = RIVALS
        .iter()
        .filter(|r| r.units.contains(&unit.as_str()))
        .filter(|r| r.analytes.is_empty() || r.analytes.iter().any(|a| name.contains(a)))
        .map(|r| Correction { pattern: Pattern::Unit(r.other.to_owned()), scale: r.scale, offset: r.offset })
        .collect();
    if recorded != 0.0 {
        let scaled = |pattern, scale| Correction { pattern, scale, offset: 0.0 };
        for factor in DECADES {
            out.push(scaled(Pattern::Times(factor), 1.0 / factor));
            out.push(scaled(Pattern::DividedBy(factor), factor));
        }
        // A negative number where none belongs, or either sign where both do.
        if signed || recorded < 0.0 {
            out.push(scaled(Pattern::Sign, -1.0));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn corrected(name: &str, unit: &str, pattern: &str, observed: f64) -> f64 {
        let all = corrections(name, unit, false, observed);
        all.iter()
            .find(|c| c.pattern.to_string() == pattern)
            .unwrap_or_else(|| panic!("{pattern} not in {all:?}"))
            .apply(observed)
    }

    #[test]
    fn unit_errors_are_undone() {
        // Everyday equivalences, to the precision they are quoted at.
        for (name, unit, pattern, observed, truth) in [
            ("temperature", "°C", "°F", 98.6, 37.0),
            ("temperature_max", "deg F", "°C", 37.0, 98.6),
            ("weight", "kg", "lb", 220.462, 100.0),
            ("height", "cm", "inch", 70.0, 177.8),
            ("height", "cm", "m", 1.78, 178.0),
            ("glucose_mean", "mg/dL", "mmol/L", 5.5, 99.09),
            ("glucose", "mmol/L", "mg/dL", 99.09, 5.5),
            ("creatinine", "mg/dL", "µmol/L", 88.4, 1.0),
            ("creatinine", "µmol/L", "mg/dL", 1.0, 88.4),
            ("pco2", "mm Hg", "kPa", 5.33, 40.0),
            ("fio2", "%", "fraction", 0.21, 21.0),
            ("albumin", "g/dL", "g/L", 40.0, 4.0),
            ("bun", "mg/dL", "mmol/L", 7.14, 20.0),
        ] {
            let got = corrected(name, unit, pattern, observed);
            assert!((got / truth - 1.0).abs() < 2e-3, "{name} {unit}: {got}");
        }
    }

    #[test]
    fn rivals_are_proposed_only_where_unit_and_analyte_fit() {
        let names = |name, unit| -> Vec<String> {
            corrections(name, unit, false, 5.0).iter().map(|c| c.pattern.to_string()).collect()
        };
        assert!(!names("sodium", "mg/dL").contains(&"mmol/L".to_owned()));
        assert_eq!(names("x", ""), ["×10", "÷10", "×100", "÷100", "×1000", "÷1000"]);
    }

    #[test]
    fn short_names_lead_back_to_their_patterns() {
        for (pattern, kind) in [
            (Pattern::Unit("°F".into()), "another unit"),
            (Pattern::Times(100.0), "decimal point"),
            (Pattern::DividedBy(10.0), "decimal point"),
            (Pattern::Sign, "wrong sign"),
            (Pattern::Swapped("heart_rate".into()), "exchanged values"),
        ] {
            let short = pattern.to_string();
            assert_eq!(Pattern::of_short_name(&short), Some(pattern), "{short}");
            assert_eq!(Pattern::kind_of(&short), kind);
        }
        assert_eq!((Pattern::of_short_name(""), Pattern::kind_of("")), (None, NO_PATTERN));
    }

    #[test]
    fn powers_of_ten_and_sign_are_undone() {
        assert!((corrected("ph", "", "×10", 74.0) - 7.4).abs() < 1e-12);
        assert!((corrected("ph", "", "÷100", 0.074) - 7.4).abs() < 1e-12);
        assert_eq!(corrected("x", "", "sign", -3.0), 3.0);
        assert!(corrections("x", "", false, 3.0).iter().all(|c| c.pattern != Pattern::Sign));
        assert!(
            corrections("base_excess", "mEq/L", true, 3.0)
                .iter()
                .any(|c| c.pattern == Pattern::Sign && c.apply(3.0) == -3.0)
        );
        assert!(corrections("x", "", true, 0.0).is_empty());
    }
}
