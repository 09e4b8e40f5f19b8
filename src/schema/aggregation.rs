//! How the measurements of a window become one number.

use schemars::JsonSchema;

use super::Kind;
use super::enums::words;

words! {
    /// How the measurements of a window become one number.
    #[derive(JsonSchema)]
    pub enum Aggregation {
        /// Earliest usable value (ties: mean of the tied values).
        First = "first",
        /// Latest usable value (ties: mean of the tied values).
        Last = "last",
        /// Smallest.
        Min = "min",
        /// Largest.
        Max = "max",
        /// Arithmetic mean.
        Mean = "mean",
        /// Median.
        Median = "median",
        /// Sample standard deviation; null below two measurements.
        Std = "std",
        /// Sum of the usable values; null, never 0, where there are entries and none can be used.
        Sum = "sum",
        /// Number of usable measurements; 0, never null, for records of the cohort.
        Count = "count",
        /// Least-squares slope over time, per hour; null below two distinct times.
        Slope = "slope",
        /// Hours from the latest usable measurement to the end of the window, or of the record if that is
        /// earlier.
        TimeSinceLast = "time-since-last",
        /// Mean over time: every value counts for as long as it holds, which is until the next one, and at
        /// most four hours; of what lasts, such as an infusion, for as long as that does.
        TimeMean = "time-mean",
        /// Sum over time, in hours: rates become amounts, and indicators the hours for which they hold.
        Integral = "integral",
    }
}

impl Aggregation {
    /// Name as part of a column's name.
    pub fn column_suffix(self) -> String {
        self.name().replace('-', "_")
    }

    /// Unit of the result for measurements in a unit.
    pub fn unit_of(self, unit: &str) -> String {
        match self {
            Self::Count => String::new(),
            Self::TimeSinceLast => "h".into(),
            Self::Integral if unit.is_empty() => "h".into(),
            Self::Integral => unit.strip_suffix("/h").map_or_else(|| format!("{unit}·h"), str::to_owned),
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
            (
                Self::Mean
                | Self::Median
                | Self::Std
                | Self::Sum
                | Self::Slope
                | Self::TimeMean
                | Self::Integral,
                _,
            ) => Some(Kind::Continuous),
        }
    }

    /// Resolution of the result for measurements recorded at one; averages lose it.
    pub const fn resolution_of(self, resolution: Option<f64>) -> Option<f64> {
        match self {
            Self::First | Self::Last | Self::Min | Self::Max | Self::Sum => resolution,
            Self::Mean | Self::Median | Self::Std | Self::Slope | Self::TimeMean | Self::Integral => None,
            // Times of day are charted to the minute.
            Self::TimeSinceLast => Some(1.0 / 60.0),
            Self::Count => Some(1.0),
        }
    }
}
