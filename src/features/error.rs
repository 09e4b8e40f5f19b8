//! What can go wrong between a table of records and a bundle. No message holds a patient's value.

use std::path::PathBuf;

use crate::error::{Hint, IoError};
use crate::message::{counted, plural};
use crate::schema::Split;

/// Columns that an error names at most.
const MOST_COLUMNS: usize = 12;

/// Why a table could not be encoded, or a bundle not be read or written.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The table has no rows.
    #[error("no record is left")]
    NoRecords,
    /// Nothing to fit on, or to stop on.
    #[error(
        "the {} split is empty: {} of {}",
        split.name(),
        counted(*n_records, "record", "records"),
        counted(*n_subjects, "subject", "subjects")
    )]
    EmptySplit {
        /// The split without records.
        split: Split,
        /// Records in all splits.
        n_records: usize,
        /// Distinct subjects.
        n_subjects: usize,
        /// Whether the data declare their splits.
        declared: bool,
    },
    /// More folds than subjects.
    #[error("{folds} folds need as many subjects, and the training and calibration splits hold {n_subjects}")]
    FewSubjects {
        /// Subjects there are.
        n_subjects: usize,
        /// Folds asked for.
        folds: usize,
    },
    /// Every column was left out.
    #[error("no column can be used as a feature; all {} are left out", .left_out.len())]
    NoFeatures {
        /// The columns, each with what it was taken for and why.
        left_out: Vec<String>,
    },
    /// Columns the encoder was fitted on are not in the table.
    #[error("the table lacks {} of the columns this was fitted on: {}", .0.len(), .0.join(", "))]
    MissingColumns(Vec<String>),
    /// Text where a number is expected.
    #[error("column `{column}` holds text that is not a number in row {row}")]
    NotANumber {
        /// Column.
        column: String,
        /// First such row, counted from 1.
        row: usize,
    },
    /// A column of another length than the record ids.
    #[error("column `{column}` has {found} values for {expected} records")]
    ColumnLength {
        /// Column.
        column: String,
        /// Its values.
        found: usize,
        /// Record ids.
        expected: usize,
    },
    /// A number that is infinite.
    #[error("column `{column}` holds an infinite number in row {row}")]
    Infinite {
        /// Column.
        column: String,
        /// First such row, counted from 1.
        row: usize,
    },
    /// The labels of a bundle could not be written or read.
    #[error("the labels in {}: {source}", path.display())]
    Labels {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        source: Box<crate::ingest::IngestError>,
    },
    /// The folder is no bundle.
    #[error("{} is not a bundle: it has no {file}", path.display())]
    NotABundle {
        /// Folder.
        path: PathBuf,
        /// First file missing.
        file: &'static str,
    },
    /// Written in a format this version does not read.
    #[error("the bundle {} has format version {found}; this program reads version {supported}", path.display())]
    FormatVersion {
        /// Folder.
        path: PathBuf,
        /// Version found.
        found: u64,
        /// Version read and written here.
        supported: u32,
    },
    /// A JSON file that does not parse.
    #[error("{} cannot be read: {source}", path.display())]
    Json {
        /// File.
        path: PathBuf,
        /// The parser's answer.
        source: serde_json::Error,
    },
    /// The file of tensors does not parse.
    #[error("{} is damaged: {source}", path.display())]
    Tensors {
        /// File.
        path: PathBuf,
        /// The parser's answer.
        source: safetensors::SafeTensorError,
    },
    /// The file of tensors does not agree with the manifest or with itself.
    #[error("{} is damaged: {what}", path.display())]
    Damaged {
        /// File.
        path: PathBuf,
        /// What does not agree.
        what: String,
    },
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Hint for FeatureError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NoRecords => "loosen the cohort rules of the pipeline, or check the input".into(),
            Self::EmptySplit { split, declared: true, .. } => format!(
                "mark some rows as `{}`, or leave out the column of splits (--set role.COLUMN=ignore) to \
                 have all four splits drawn by subject",
                split.name()
            ),
            Self::EmptySplit { split, n_subjects, .. } => format!(
                "whole subjects go to a split, and {} too few: add subjects, raise `split.{}`, or try \
                 another seed",
                plural(*n_subjects, "one is", &format!("{n_subjects} are")),
                split.name()
            ),
            Self::NoFeatures { left_out } => {
                let mut lines: Vec<String> = left_out.iter().take(MOST_COLUMNS).cloned().collect();
                if left_out.len() > MOST_COLUMNS {
                    lines.push(format!("and {} more", left_out.len() - MOST_COLUMNS));
                }
                lines.push(
                    "declare what a column is with --set role.COLUMN=continuous, count or categorical".into(),
                );
                lines.join("\n")
            }
            Self::Labels { source, .. } => return source.hint(),
            Self::MissingColumns(_) => {
                "give the table the columns of the bundle the model was fitted on; empty cells are allowed"
                    .into()
            }
            Self::NotANumber { .. } => {
                "the column held numbers when the model was fitted; leave cells without a value empty".into()
            }
            Self::ColumnLength { .. } => return None,
            Self::Infinite { .. } => "leave cells without a value empty".into(),
            Self::NotABundle { .. } => "give the folder that `cohort-flow ingest … --output` wrote".into(),
            Self::FormatVersion { found, supported, .. } => {
                if *found > u64::from(*supported) {
                    "it was written by a newer cohort-flow: upgrade this one".into()
                } else {
                    "it was written by an older cohort-flow: run `cohort-flow ingest` again".into()
                }
            }
            Self::Json { .. } | Self::Tensors { .. } | Self::Damaged { .. } => {
                "the bundle was changed after it was written: run `cohort-flow ingest` again".into()
            }
            Self::FewSubjects { .. } => "use fewer folds, or calibrate on the calibration split".into(),
            Self::Io(e) => return e.hint(),
        })
    }
}
