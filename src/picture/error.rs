//! Why pictures could not be read.

use std::path::PathBuf;

use crate::error::{Hint, IoError};
use crate::ingest::IngestError;

/// Failure of the reading of pictures.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PictureError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// The CSV of a folder that cannot be read.
    #[error(transparent)]
    Table(#[from] IngestError),
    /// A file of many pictures that is not what it says.
    #[error("{}: {message}", file.display())]
    File {
        /// The file.
        file: PathBuf,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// No pictures of a kind that is read.
    #[error("{}: {message}", input.display())]
    Input {
        /// File or folder.
        input: PathBuf,
        /// What was found.
        message: String,
        /// What to do.
        hint: String,
    },
    /// No picture is left.
    #[error("no picture is left: {why}")]
    Nothing {
        /// Counts by reason.
        why: String,
        /// What to do.
        hint: String,
    },
    /// Settings that do not fit the pictures.
    #[error("{message}")]
    Setting {
        /// What does not fit.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl Hint for PictureError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(e) => e.hint(),
            Self::Table(e) => e.hint(),
            Self::File { hint, .. }
            | Self::Input { hint, .. }
            | Self::Nothing { hint, .. }
            | Self::Setting { hint, .. } => Some(hint.clone()),
        }
    }
}
