//! What can be wrong with the parts of a bundle.

use std::path::PathBuf;

use crate::error::{Hint, IoError};

/// Why parts cannot be read or put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A folder without the manifest of a part.
    #[error("{} is no part of a bundle: it holds no {file}", .path.display())]
    NotAPart {
        /// The folder.
        path: PathBuf,
        /// What is missing.
        file: &'static str,
    },
    /// A manifest that cannot be understood.
    #[error("{} is damaged: {source}", .path.display())]
    Json {
        /// The manifest.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A file that is not what the manifest says.
    #[error("{} is damaged: {what}", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A part that another version of the program made.
    #[error("{} was made by version {found} of the program, and this is version {this}", .path.display())]
    OtherVersion {
        /// The part.
        path: PathBuf,
        /// Who made it.
        found: String,
        /// Who reads it.
        this: &'static str,
    },
    /// Parts of different things.
    #[error("{} and {} are parts of different {what}", .one.display(), .other.display())]
    Differ {
        /// A part.
        one: PathBuf,
        /// Another.
        other: PathBuf,
        /// What differs.
        what: &'static str,
    },
    /// A part that is there twice.
    #[error("part {part} is there more than once: {} and {}", .one.display(), .other.display())]
    Twice {
        /// Its name.
        part: String,
        /// Where it is.
        one: PathBuf,
        /// Where it is too.
        other: PathBuf,
    },
    /// Parts that are not there.
    #[error("{} of {of} parts {} missing: {}", .missing.len(), if .missing.len() == 1 { "is" } else { "are" }, listed(.missing))]
    Missing {
        /// Their numbers.
        missing: Vec<u32>,
        /// How many there should be.
        of: u32,
    },
    /// Rows that no part accounts for, or more than one.
    #[error("{table} has {rows} rows, and its parts account for {accounted}")]
    Rows {
        /// Table.
        table: String,
        /// Rows that every part has read.
        rows: u64,
        /// Rows that the parts account for together.
        accounted: u64,
    },
}

/// Numbers in a row, the first of them where they are many.
fn listed(numbers: &[u32]) -> String {
    const MOST: usize = 12;
    let named: Vec<String> = numbers.iter().take(MOST).map(ToString::to_string).collect();
    let more = numbers.len().saturating_sub(MOST);
    if more > 0 { format!("{} and {more} more", named.join(", ")) } else { named.join(", ") }
}

impl Hint for PartError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Io(e) => return e.hint(),
            Self::NotAPart { .. } => "name folders that `ingest --part K/N` wrote".into(),
            Self::Json { .. } | Self::Damaged { .. } => "make the part again".into(),
            Self::OtherVersion { .. } => "make all parts with the program that merges them".into(),
            Self::Differ { .. } => {
                "parts belong together when pipeline, schema, settings, input and the number of parts are the \
                 same"
                    .into()
            }
            Self::Twice { .. } => "leave one of them out, or its patients would count twice".into(),
            Self::Missing { .. } => "make them with `ingest --part K/N`, and name all parts".into(),
            Self::Rows { .. } => "make the parts again, all from the same input".into(),
        })
    }
}
