//! What a user should know about a column once its training values have been looked at.

use std::fmt;

use super::RARE_LEVEL;
use crate::message::{Message, Weight, counted, plural};

/// Something about a column a user should know; its text goes to the audit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum FeatureWarning {
    /// Left out: no training row has a value.
    Empty {
        /// Column.
        column: String,
    },
    /// Left out: fewer training values than the pipeline's `min_observed`.
    Rare {
        /// Column.
        column: String,
        /// Training rows with a value.
        observed: usize,
        /// Training rows.
        rows: usize,
    },
    /// Kept, but says nothing: all training values are equal.
    Constant {
        /// Column.
        column: String,
    },
    /// Equal values without noise: the likelihood has no bound.
    Unbounded {
        /// Column.
        column: String,
    },
    /// Moved towards zero, since single precision would not hold its spread.
    Shifted {
        /// Column.
        column: String,
    },
    /// Mapped otherwise than asked for, since single precision would not hold its coordinates.
    Rescaled {
        /// Column.
        column: String,
    },
    /// Left out: its values lie further apart than the largest double.
    Overflow {
        /// Column.
        column: String,
    },
    /// Declared binary, and holds other numbers than 0 and 1.
    NotBinary {
        /// Column.
        column: String,
        /// Training records with another number.
        others: usize,
    },
    /// Training levels without a name, since too few patients have them.
    RareLevels {
        /// Column.
        column: String,
        /// Such levels.
        levels: usize,
        /// Training records with one of them.
        records: usize,
        /// Patients that a level needs to be named.
        least: usize,
        /// Whether no level is left, and the column is left out.
        none: bool,
    },
    /// More levels than a category usually has.
    ManyLevels {
        /// Column.
        column: String,
        /// Levels met in training.
        levels: usize,
    },
}

impl fmt::Display for FeatureWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty { column } => write!(f, "`{column}` is left out: no training record has a value"),
            Self::Rare { column, observed, rows } => write!(
                f,
                "`{column}` is left out: {observed} of {rows} training records have a value, fewer than \
                 `min_observed` asks for"
            ),
            Self::Constant { column } => {
                write!(f, "`{column}` has one and the same value in all training records that have it")
            }
            Self::Unbounded { column } => write!(
                f,
                "`{column}` repeats values and gets no noise: its likelihood has no upper bound (`dequantize \
                 = none`)"
            ),
            Self::Shifted { column } => write!(
                f,
                "`{column}` lies so far from zero for its spread that single precision would lose its \
                 digits: the training mean is subtracted from it in double precision, which changes no \
                 likelihood"
            ),
            Self::Rescaled { column } => write!(
                f,
                "`{column}` has training values that single precision cannot hold under the transform asked \
                 for: it is mapped to normal scores; likelihoods in original units stay comparable, those of \
                 the tensor do not"
            ),
            Self::Overflow { column } => write!(
                f,
                "`{column}` is left out: its values lie further apart than a number of double precision can \
                 say"
            ),
            Self::NotBinary { column, others } => write!(
                f,
                "`{column}` is binary, and {} another number than 0 and 1, which is kept as it is",
                plural(*others, "1 training record has", &format!("{others} training records have"))
            ),
            Self::RareLevels { column, least, none: true, .. } => write!(
                f,
                "`{column}` is left out: each of its levels belongs to fewer than {least} training patients, \
                 whom its name would tell of (--set min_level_patients=1 keeps such levels)"
            ),
            Self::RareLevels { column, levels, records, least, none: false } => write!(
                f,
                "`{column}`: {} of fewer than {least} training patients {} one level, `{RARE_LEVEL}`, in \
                 {} (--set min_level_patients=1 keeps the names, also in models)",
                counted(*levels, "level", "levels"),
                plural(*levels, "is", "are"),
                counted(*records, "training record", "training records"),
            ),
            Self::ManyLevels { column, levels } => write!(
                f,
                "`{column}` has {levels} levels in the training records: is it an id, a date or free text?"
            ),
        }
    }
}

impl FeatureWarning {
    /// The warning for a reader, with its weight and count.
    pub fn message(&self) -> Message {
        let (weight, column, count) = match self {
            Self::Empty { column } | Self::Overflow { column } => (Weight::LeftOut, column, None),
            Self::NotBinary { column, others } => (Weight::Wrong, column, Some(*others)),
            Self::Rare { column, observed, .. } => (Weight::LeftOut, column, Some(*observed)),
            Self::RareLevels { column, records, none: true, .. } => (Weight::LeftOut, column, Some(*records)),
            Self::RareLevels { column, records, .. } => (Weight::Choice, column, Some(*records)),
            Self::ManyLevels { column, levels } => (Weight::Wrong, column, Some(*levels)),
            Self::Unbounded { column } => (Weight::Wrong, column, None),
            Self::Constant { column } | Self::Shifted { column } | Self::Rescaled { column } => {
                (Weight::Choice, column, None)
            }
        };
        let message = Message::column(weight, column, self.to_string());
        match count {
            Some(n) => message.counting(n),
            None => message,
        }
    }
}
