//! Flags that a reader goes through one by one and marks.

use serde::Serialize;

use super::Cell;

/// The flags of a table, the most unusual first.
#[derive(Debug, Clone, Serialize)]
pub struct Review {
    /// Name of the table without its folder.
    pub file: String,
    /// Beginning of its SHA-256, which marks name so that they are joined to no other table.
    pub fingerprint: String,
    /// Rows of the table.
    pub n_rows: Cell,
    /// Flagged ones.
    pub n_flagged: Cell,
    /// Whether there are more than are listed.
    pub truncated: bool,
    /// What the groups are groups of; none where flags have no group.
    pub group: Option<String>,
    /// The flags that are listed.
    pub rows: Vec<ReviewRow>,
}

/// A flag to mark.
#[derive(Debug, Clone, Serialize)]
pub struct ReviewRow {
    /// Row of the table of flags, from 1.
    pub row: usize,
    /// Id, in a page that is identifiable.
    pub record_id: Option<String>,
    /// Conformal p-value.
    pub p_value: f64,
    /// Group, where it may be told.
    pub group: String,
    /// Feature that explains most, by label; empty where none does.
    pub feature: String,
    /// What kind of slip fits.
    pub pattern: &'static str,
    /// What is odd and what would be ordinary.
    pub explanation: String,
}
