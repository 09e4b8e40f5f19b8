//! What is said of a column of any table file, and of the errors of those who decode it.

use polars_core::prelude::*;

use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// The type in which the cells of a column arrive, whatever file they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::ingest) enum StoredType {
    /// Texts as written, neither trimmed nor interpreted; of a text file every column. Whole numbers that may
    /// lie beyond 63 bits come as their digits.
    Text,
    /// Booleans.
    Boolean,
    /// Whole numbers that fit 64 bits with a sign.
    Integer,
    /// Floating-point numbers, and decimals with decimal places.
    Number,
    /// Dates, times of day, time stamps and durations; the name of the type is for messages. A time stamp
    /// with a zone arrives as the moment in UTC.
    Temporal(String),
    /// A column whose cells cannot be a feature, such as a list; it is never read, and the name is for
    /// messages.
    Unreadable(String),
}

/// A column of a table file.
#[derive(Debug, Clone)]
pub(in crate::ingest) struct StoredColumn {
    /// Header as written, trimmed; a column without a name is called by its place.
    pub(in crate::ingest) name: String,
    pub(in crate::ingest) stored: StoredType,
}

/// Name of the i-th column that was asked for.
pub(super) fn wanted_name(i: usize) -> PlSmallStr {
    format!("wanted{i}").into()
}

/// A reader's error in our words. Polars' own texts may quote cells, so they are kept as the cause only.
pub(in crate::ingest) fn engine(file: &SourceFile, error: PolarsError) -> IngestError {
    if let PolarsError::IO { error, .. } = &error {
        return file.io_error(std::io::Error::from(error.kind()));
    }
    IngestError::Engine { file: file.name.clone(), reason: Box::new(error) }
}
