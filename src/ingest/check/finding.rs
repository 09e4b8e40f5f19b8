//! What a check finds.

use serde::Serialize;

use super::super::IngestError;
use crate::error::Hint;

/// One thing that is wrong with an extract, or worth knowing before it is read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckFinding {
    /// Whether `ingest` would stop at it.
    pub stops: bool,
    /// The table of the schema.
    pub table: String,
    /// The file, where there is one.
    pub file: Option<String>,
    /// What is wrong, with line and column where they are known.
    pub text: String,
    /// What to do.
    pub hint: Option<String>,
}

/// What was read, and what was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// The schema that the extract was held against.
    pub schema: String,
    /// Tables of which there are files.
    pub tables: usize,
    /// Their files.
    pub files: usize,
    /// Rows that were read.
    pub rows: u64,
    /// What would stop `ingest` first.
    pub findings: Vec<CheckFinding>,
}

impl Checked {
    pub(super) fn new(schema: &str) -> Self {
        Self { schema: schema.to_owned(), tables: 0, files: 0, rows: 0, findings: Vec::new() }
    }

    /// Whether `ingest` would stop.
    pub fn stops(&self) -> bool {
        self.findings.iter().any(|finding| finding.stops)
    }

    pub(super) fn stop(&mut self, table: &str, file: Option<&str>, text: String, hint: Option<String>) {
        let (table, file) = (table.to_owned(), file.map(str::to_owned));
        self.findings.push(CheckFinding { stops: true, table, file, text, hint });
    }

    pub(super) fn note(&mut self, table: &str, file: Option<&str>, text: String) {
        let (table, file) = (table.to_owned(), file.map(str::to_owned));
        self.findings.push(CheckFinding { stops: false, table, file, text, hint: None });
    }

    pub(super) fn error(&mut self, table: &str, file: Option<&str>, error: &IngestError) {
        self.stop(table, file, error.to_string(), error.hint());
    }

    /// Columns that a file lacks; `other` says of which database it seems to be.
    pub(super) fn columns(&mut self, table: &str, file: &str, error: &IngestError, other: Option<&str>) {
        let text = match other {
            Some(other) => format!("{error}; {other}"),
            None => error.to_string(),
        };
        let hint = match other {
            Some(_) => Some("name the schema of the release that you have by --schema".to_owned()),
            None => error.hint(),
        };
        self.stop(table, Some(file), text, hint);
    }
}
