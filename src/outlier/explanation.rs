//! What an explanation says, as data.

use serde::{Deserialize, Serialize};

use super::conditional::Expected;
use super::pattern::Pattern;

/// What one feature has to do with a record being unusual.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct FeatureExplanation {
    /// Position of the feature.
    pub column: usize,
    /// Its name.
    pub feature: String,
    /// Recorded value in original units (the code of a categorical level).
    pub observed: f64,
    /// Value that makes the record most likely: on the grid, or the partner's value in an exchange.
    pub suggested: f64,
    /// 90 % interval given the rest of the record.
    pub expected: Expected,
    /// Log-likelihood gained by the suggested value, in nats; for an exchange, by the exchange.
    pub gain: f64,
    /// p-value the record would have with the suggested value (of an exchange: with both).
    pub p_after: f64,
    /// What may have happened to the value.
    pub pattern: Option<Pattern>,
    /// The value had that happened.
    pub corrected: Option<f64>,
    /// Other features of the same variable that have to change with it, in the same way.
    pub together: Vec<String>,
    /// The values as text.
    pub written: Written,
}

/// Values of an explanation as a person would write them: at the resolution of the feature, levels by name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written {
    /// Label of the feature, or its name.
    pub label: String,
    /// Unit; empty for levels and where none is known.
    pub unit: String,
    /// Recorded value.
    pub observed: String,
    /// Suggested value.
    pub suggested: String,
    /// 90 % interval ("36.1 to 38.4") or likely levels ("a or b").
    pub expected: String,
    /// Corrected value; empty without a pattern.
    pub corrected: String,
}

/// Two features that are unusual together.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PairExplanation {
    /// Names.
    pub features: [String; 2],
    /// Positions.
    pub columns: [usize; 2],
    /// Recorded values.
    pub observed: [f64; 2],
    /// Values that make the record most likely.
    pub suggested: [f64; 2],
    /// Recorded values with label and unit: "Heart rate 88 /min".
    pub observed_text: [String; 2],
    /// Suggested values without.
    pub suggested_text: [String; 2],
    /// Log-likelihood gained, in nats.
    pub gain: f64,
    /// p-value the record would have.
    pub p_after: f64,
    /// Changing either suffices (an impossible combination of possible values); otherwise both have to
    /// change.
    pub either: bool,
}
