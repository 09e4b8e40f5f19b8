//! Who is in the data and what they look like.

use serde::Serialize;

use crate::report::Cell;

/// From the files to the records.
#[derive(Debug, Clone, Serialize)]
pub struct Cohort {
    /// Boxes of the flow diagram, from the first.
    pub steps: Vec<Step>,
    /// Rows by table.
    pub tables: Vec<TableRows>,
    /// Whether rules that exclude few records were merged.
    pub merged: bool,
}

/// A rule and who passed it.
#[derive(Debug, Clone, Serialize)]
pub struct Step {
    /// Rule name; the first is "all records".
    pub rule: String,
    /// Records that passed.
    pub kept: Cell,
    /// Records that did not.
    pub excluded: Cell,
    /// Of those, excluded for a missing value.
    pub excluded_null: Cell,
}

/// Rows of one source table; read = kept + dropped.
#[derive(Debug, Clone, Serialize)]
pub struct TableRows {
    /// Table name.
    pub table: String,
    /// Rows in its files.
    pub read: Cell,
    /// Rows that reached a feature.
    pub kept: Cell,
    /// Rows dropped, by reason.
    pub dropped: Vec<super::NamedCount>,
}

/// One line of Table 1.
#[derive(Debug, Clone, Serialize)]
pub struct FeatureSummary {
    /// Column name.
    pub name: String,
    /// For people.
    pub label: String,
    /// Heading.
    pub group: String,
    /// Unit, empty when none.
    pub unit: String,
    /// Statistical kind, as a word.
    pub kind: String,
    /// "all" first, then each split that has records.
    pub splits: Vec<SplitStats>,
    /// Shares of the levels, for features with levels.
    pub levels: Vec<LevelShare>,
    /// Standardised mean difference between training and test records.
    pub smd: Option<f64>,
    /// Its standard error.
    pub smd_error: Option<f64>,
}

/// A feature within one split; `None` where too few records support a statistic, or it has no meaning.
#[derive(Debug, Clone, Serialize)]
pub struct SplitStats {
    /// Split, or "all".
    pub split: String,
    /// Records with a value.
    pub observed: Cell,
    /// Per cent without.
    pub missing_percent: Cell,
    /// Arithmetic mean.
    pub mean: Option<f64>,
    /// Standard deviation.
    pub sd: Option<f64>,
    /// Median.
    pub median: Option<f64>,
    /// First quartile.
    pub q1: Option<f64>,
    /// Third quartile.
    pub q3: Option<f64>,
    /// Lowest printable value.
    pub low: Option<f64>,
    /// Highest printable value.
    pub high: Option<f64>,
}

/// A level of a feature with few of them.
#[derive(Debug, Clone, Serialize)]
pub struct LevelShare {
    /// Level, or several merged.
    pub level: String,
    /// Records with it.
    pub n: Cell,
    /// Per cent of the records with a value; hidden where it would tell how few have none.
    pub percent: Cell,
    /// Per cent of all records, those without a value included.
    pub percent_of_all: Cell,
}

/// How much of a feature is missing.
#[derive(Debug, Clone, Serialize)]
pub struct Missing {
    /// Feature label.
    pub label: String,
    /// Per cent of all records.
    pub percent: Cell,
    /// For drawing: the same, bounded where it is not exact.
    pub bar: f64,
}

/// Something about a variable's values that a reader should know.
#[derive(Debug, Clone, Serialize)]
pub struct Alert {
    /// Variable name.
    pub variable: String,
    /// What happened.
    pub what: String,
    /// How many measurements.
    pub n: Cell,
    /// Per cent of its measurements.
    pub percent: Option<f64>,
    /// Whether values were lost by it.
    pub dropped: bool,
}
