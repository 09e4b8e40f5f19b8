//! What ingestion hands on: columns of records in original units, free of any data-frame library.

use crate::schema::{Kind, Split};

use super::{Audit, Spelling};

/// One row per record, original units, ids and declared splits beside. Rows are sorted by `record_ids` for cohorts
/// (numerically when all are numbers), and keep the file's order for wide tables.
#[derive(Debug, Clone)]
pub struct RecordTable {
    /// Unique.
    pub record_ids: Vec<String>,
    /// Whom the record is about; equal values stay in one split. Equals `record_ids` when the data name no subject.
    pub subject_ids: Vec<String>,
    /// Splits the data declare (wide tables); otherwise the subjects are split by hash.
    pub splits: Option<Vec<Split>>,
    /// Features in pipeline order.
    pub columns: Vec<Column>,
    /// What was read, dropped, converted and why.
    pub audit: Audit,
}

impl RecordTable {
    /// Number of records.
    pub fn n_records(&self) -> usize {
        self.record_ids.len()
    }
}

/// One feature in original units.
#[derive(Debug, Clone)]
pub struct Column {
    /// Feature name.
    pub name: String,
    /// For people.
    pub label: String,
    /// Heading.
    pub group: String,
    /// Unit, empty when unknown.
    pub unit: String,
    /// Statistical kind.
    pub kind: Kind,
    /// Declared resolution.
    pub resolution: Option<f64>,
    /// Plausible values.
    pub range: Option<(f64, f64)>,
    /// How the cells of new tables are read; learnt on the training rows of a wide table.
    pub spelling: Spelling,
    /// The values.
    pub cells: Cells,
}

/// Values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// NaN is missing; no infinities.
    Number(Vec<f64>),
    /// Categorical levels as text.
    Text(Vec<Option<String>>),
}
