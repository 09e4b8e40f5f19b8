//! What can be wrong with the parts of a bundle.

use std::path::PathBuf;

use crate::error::{Hint, IoError};
use crate::ingest::Part;

/// Why parts cannot be read or put together.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartError {
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Parts of the patients cannot be ingested each by itself.
    #[error("the patients cannot be divided into parts: {0}")]
    NotDivisible(String),
    /// Rows of other parts in tables that were to be divided.
    #[error("table {table} has {rows} rows of other parts than {part}")]
    OtherParts {
        /// Table.
        table: String,
        /// How many.
        rows: u64,
        /// The part that was to be ingested.
        part: Part,
    },
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
    #[error("{} of {of} parts {} missing: {}", .missing.len(), are(.missing), listed(.missing))]
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

fn are(numbers: &[u32]) -> &'static str {
    if numbers.len() == 1 { "is" } else { "are" }
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
            Self::NotDivisible(_) => "ingest all patients in one run, without --part".into(),
            Self::OtherParts { .. } => {
                "a row is of the part crc32(id) % N + 1, by the patient of the record that it names; leave \
                 --divided out where the input holds the rows of all parts"
                    .into()
            }
            Self::NotAPart { .. } => "name folders that `ingest --part K/N` wrote".into(),
            Self::Json { .. } | Self::Damaged { .. } => "make the part again".into(),
            Self::OtherVersion { .. } => "make all parts with the program that merges them".into(),
            Self::Differ { .. } => {
                "parts belong together when pipeline, schema, settings, input and number of parts are the same"
                    .into()
            }
            Self::Twice { .. } => "leave one of them out, or its patients would count twice".into(),
            Self::Missing { .. } => "make them with `ingest --part K/N`, and name all parts".into(),
            Self::Rows { .. } => "make the parts again, all from the same input".into(),
        })
    }
}
