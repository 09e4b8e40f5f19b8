//! Labels of a bundle: columns that no model sees, such as the death of a patient. They lie in a file of
//! their own, `labels.parquet`, so that nobody who reads `features.parquet` or the tensors takes an outcome
//! for a feature.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::label_meta::LabelMeta;
use super::manifest::{read, read_manifest};
use super::{FeatureError, Manifest};
use crate::ingest::{self, Cells, Column, RecordTable};
use crate::num::hex::sha256;
use crate::schema::{Kind, Split};

const LABELS: &str = "labels.parquet";
/// Column that says whom a record is about.
const SUBJECT: &str = "subject_id";

/// Writes the labels of a table, and returns the SHA-256 of the file; without labels there is none.
pub(super) fn write(
    dir: &Path,
    table: &RecordTable,
    splits: &[Split],
) -> Result<Option<String>, FeatureError> {
    if table.labels.is_empty() {
        return Ok(None);
    }
    let path = dir.join(LABELS);
    let failed = |source| FeatureError::Labels { path: path.clone(), source: Box::new(source) };
    ingest::write_labels(&path, table, splits).map_err(failed)?;
    Ok(Some(sha256(&read(dir, LABELS)?)))
}

/// The labels of a bundle.
#[derive(Debug, Clone)]
pub struct LabelTable {
    /// What they are, in the order of the columns.
    pub metas: Vec<LabelMeta>,
    columns: Vec<Column>,
    rows: HashMap<String, usize>,
    subjects: Vec<Option<String>>,
    /// File they come from.
    pub path: PathBuf,
}

impl LabelTable {
    /// Reads the labels of a bundle; one without labels has a table without columns.
    ///
    /// # Errors
    /// A folder that is no bundle; a file that is not the one which the manifest speaks of.
    pub fn open(dir: &Path) -> Result<Self, FeatureError> {
        Self::of(dir, &read_manifest(dir)?.0)
    }

    /// The same of a bundle whose manifest has been read.
    ///
    /// # Errors
    /// As for [`open`](Self::open).
    pub fn of(dir: &Path, manifest: &Manifest) -> Result<Self, FeatureError> {
        let path = dir.join(LABELS);
        let mut table = Self {
            metas: manifest.labels.clone(),
            columns: Vec::new(),
            rows: HashMap::new(),
            subjects: Vec::new(),
            path: path.clone(),
        };
        let Some(expected) = &manifest.labels_sha256 else { return Ok(table) };
        if sha256(&read(dir, LABELS)?) != *expected {
            let what = "its SHA-256 is not the one in the manifest".into();
            return Err(FeatureError::Damaged { path, what });
        }
        // Kinds of numbers do not matter here: the cells have been held to them when they were written.
        let kind = |kind| if kind == Kind::Categorical { kind } else { Kind::Continuous };
        let mut wanted: Vec<(&str, Kind)> =
            manifest.labels.iter().map(|label| (label.name.as_str(), kind(label.kind))).collect();
        wanted.push((SUBJECT, Kind::Categorical));
        let failed = |source| FeatureError::Labels { path: path.clone(), source: Box::new(source) };
        let mut read = ingest::read_columns(&path, &wanted).map_err(failed)?;
        if let Some(Cells::Text(subjects)) = read.columns.pop().map(|column| column.cells) {
            table.subjects = subjects.iter().map(|subject| subject.map(str::to_owned)).collect();
        }
        table.rows = read.record_ids.iter().enumerate().map(|(row, id)| (id.to_owned(), row)).collect();
        table.columns = read.columns;
        Ok(table)
    }

    /// The row of a record.
    pub fn row(&self, record_id: &str) -> Option<usize> {
        self.rows.get(record_id).copied()
    }

    /// The ids of the records with their rows, in no order.
    pub fn rows(&self) -> impl Iterator<Item = (&str, usize)> {
        self.rows.iter().map(|(id, row)| (id.as_str(), *row))
    }

    /// Whom a row is about.
    pub fn subject(&self, row: usize) -> Option<&str> {
        self.subjects.get(row)?.as_deref()
    }

    /// A label as numbers, NaN where there is none; none for one of texts.
    pub fn number(&self, label: usize, row: usize) -> Option<f64> {
        match &self.columns.get(label)?.cells {
            Cells::Number(x) => Some(x.get(row)),
            Cells::Text(_) => None,
        }
    }

    /// A label as text.
    pub fn text(&self, label: usize, row: usize) -> Option<&str> {
        match &self.columns.get(label)?.cells {
            Cells::Number(_) => None,
            Cells::Text(texts) => texts.get(row),
        }
    }
}
