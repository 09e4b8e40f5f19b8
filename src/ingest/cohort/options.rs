//! How cohort tables are read, apart from what schema and pipeline say.

use std::path::PathBuf;

use crate::ingest::Part;

/// What to do about malformed rows of CSV tables: too few or too many fields, cells of another type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum BadRows {
    /// Stop at the first, naming file and row.
    #[default]
    Fail,
    /// Leave them out and count them in the audit.
    Skip,
}

/// How to read, apart from what schema and pipeline say.
#[derive(Debug, Clone, Default)]
pub struct IngestOptions {
    /// What to do about malformed rows.
    pub bad_rows: BadRows,
    /// Folder of event stores: rows of the schema's items, typed, that a later ingestion reads in place of
    /// the CSV.
    pub cache: Option<PathBuf>,
    /// Whose rows are taken.
    pub part: Part,
}
