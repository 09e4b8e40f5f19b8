//! What a column of a table is, for people.

use serde::{Deserialize, Serialize};

use crate::ingest::Spelling;
use crate::schema::Kind;

/// What a column is, for people.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ColumnMeta {
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
    /// Plausible values.
    pub range: Option<(f64, f64)>,
    /// How the cells of new tables are read; models of before this was kept read them as undeclared ones.
    #[serde(default = "Spelling::undeclared")]
    pub spelling: Spelling,
}
