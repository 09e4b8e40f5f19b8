//! The likelihood of groups of records, such as hospitals.

use serde::Serialize;

use crate::report::Cell;

/// Groups of records by a column.
#[derive(Debug, Clone, Serialize)]
pub struct Groups {
    /// The column.
    pub column: String,
    /// The model.
    pub model: String,
    /// Splits whose records are judged: those that no model was fitted on.
    pub splits: String,
    /// Groups, the least likely first; of few records only together.
    pub rows: Vec<GroupRow>,
    /// Groups that are shown together, since each has few records.
    pub pooled: usize,
}

/// One group.
#[derive(Debug, Clone, Serialize)]
pub struct GroupRow {
    /// Its name.
    pub name: String,
    /// Held-out records.
    pub n: Cell,
    /// Mean log-likelihood in nats of the normalised vector.
    pub mean: f64,
    /// Its standard error; none for a single record.
    pub error: Option<f64>,
    /// Mean of the group less that of all others; none where there are no others.
    pub difference: Option<f64>,
    /// Its standard error.
    pub difference_error: Option<f64>,
    /// Records of the test split that are flagged; none where nothing was flagged.
    pub n_flagged: Option<Cell>,
    /// Records of the test split.
    pub n_test: Cell,
}
