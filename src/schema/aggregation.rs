//! How the measurements of a window become one number.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Kind;

/// How the measurements of a window become one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Aggregation {
    /// Earliest usable value (ties: mean of the tied values).
    First,
    /// Latest usable value (ties: mean of the tied values).
    Last,
    /// Smallest.
    Min,
    /// Largest.
    Max,
    /// Arithmetic mean.
    Mean,
    /// Median.
    Median,
    /// Sample standard deviation; null below two measurements.
    Std,
    /// Sum of the usable values; null, never 0, where there are entries and none can be used.
    Sum,
    /// Number of usable measurements; 0, never null, for records of the cohort.
    Count,
    /// Least-squares slope over time, per hour; null below two distinct times.
    Slope,
    /// Hours from the latest usable measurement to the end of the window, or of the record if that is
    /// earlier.
    TimeSinceLast,
}

impl Aggregation {
    /// All aggregations, in the order they are listed to people.
    pub const ALL: [Self; 11] = [
        Self::First,
        Self::Last,
        Self::Min,
        Self::Max,
        Self::Mean,
        Self::Median,
        Self::Std,
        Self::Sum,
        Self::Count,
        Self::Slope,
        Self::TimeSinceLast,
    ];

    /// Name in files, messages and feature names.
    pub const fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Last => "last",
            Self::Min => "min",
            Self::Max => "max",
            Self::Mean => "mean",
            Self::Median => "median",
            Self::Std => "std",
            Self::Sum => "sum",
            Self::Count => "count",
            Self::Slope => "slope",
            Self::TimeSinceLast => "time-since-last",
        }
    }

    /// Name as part of a column's name.
    pub fn column_suffix(self) -> String {
        self.name().replace('-', "_")
    }

    /// Unit of the result for measurements in a unit.
    pub fn unit_of(self, unit: &str) -> String {
        match self {
            Self::Count => String::new(),
            Self::TimeSinceLast => "h".into(),
            Self::Slope if unit.is_empty() => "1/h".into(),
            Self::Slope => format!("{unit}/h"),
            _ => unit.to_owned(),
        }
    }

    /// Kind of the result for measurements of a kind; `None` where it has no meaning (the mean of a
    /// categorical).
    pub const fn kind_of(self, kind: Kind) -> Option<Kind> {
        match (self, kind) {
            (Self::Count, _) | (Self::Sum, Kind::Binary | Kind::Count) => Some(Kind::Count),
            (Self::First | Self::Last, kind) => Some(kind),
            (Self::TimeSinceLast, _) => Some(Kind::Continuous),
            (_, Kind::Categorical)
            | (Self::Sum, Kind::Ordinal)
            | (Self::Median | Self::Std | Self::Slope, Kind::Binary) => None,
            (Self::Min | Self::Max, kind) => Some(kind),
            (Self::Mean | Self::Median | Self::Std | Self::Sum | Self::Slope, _) => Some(Kind::Continuous),
        }
    }

    /// Resolution of the result for measurements recorded at one; averages lose it.
    pub const fn resolution_of(self, resolution: Option<f64>) -> Option<f64> {
        match self {
            Self::First | Self::Last | Self::Min | Self::Max | Self::Sum => resolution,
            Self::Mean | Self::Median | Self::Std | Self::Slope => None,
            // Times of day are charted to the minute.
            Self::TimeSinceLast => Some(1.0 / 60.0),
            Self::Count => Some(1.0),
        }
    }
}
