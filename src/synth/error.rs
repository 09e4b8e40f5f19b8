//! What can go wrong while a synthetic extract is written.

use super::database::Database;
use crate::error::{Hint, IoError};
use crate::output::OutputError;

/// Reasons why no extract was written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SynthError {
    /// The number of patients is zero.
    #[error("`patients` must be at least 1, got 0")]
    NoPatients,
    /// The share of anomalies lies outside [0, 1].
    #[error("`anomaly_fraction` must lie between 0 and 1, got {0}")]
    AnomalyFraction(f64),
    /// The charted time is too short for a first day, or too long for an extract of bounded size.
    #[error("`chart_hours` must lie between 24 and 720, got {0}")]
    ChartHours(f64),
    /// The database has no table of a chart that could be filled.
    #[error("`chart_rows` fills a table of mimic3, mimic4 or eicu; {} has none of that kind", .0.name())]
    NoChart(Database),
    /// The files of this database are not compressed.
    #[error("an extract of {} is not compressed", .0.name())]
    NoGzip(Database),
    /// The record is too short for a window, or longer than a day.
    #[error("`minutes` must lie between 0.5 and 1440, got {0}")]
    Minutes(f64),
    /// No pictures, or more than a file of them can count.
    #[error("`pictures` must lie between 1 and 4294967295, got {0}")]
    Pictures(u64),
    /// Pictures too small for their texture, or larger than it is worth.
    #[error("`side` must lie between 8 and 64 pixels, got {0}")]
    Side(usize),
    /// The output folder could not be started or finished.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A table could not be written.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Hint for SynthError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::NoPatients => Some("eighteen hundred are enough to fit a model in a minute".into()),
            Self::AnomalyFraction(_) => Some("0.02 spoils one eligible stay in fifty, 0 none".into()),
            Self::ChartHours(_) => Some("30 covers a first day and some hours after it".into()),
            Self::NoChart(_) => Some("ask for more patients instead".into()),
            Self::NoGzip(_) => {
                Some("Parquet is compressed as it is, and a file of one patient is small".into())
            }
            Self::Minutes(_) => Some("30 give some two hundred windows of 1,024 samples".into()),
            Self::Pictures(_) => Some("two thousand are enough to fit a model in a minute".into()),
            Self::Side(_) => Some("a side of 16 pixels is fitted quickest".into()),
            Self::Output(e) => e.hint(),
            Self::Io(e) => e.hint(),
        }
    }
}
