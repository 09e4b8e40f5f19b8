//! What a bundle says of each of its labels.

use serde::{Deserialize, Serialize};

use crate::ingest::Column;
use crate::schema::Kind;

/// What a label is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LabelMeta {
    /// Column of `labels.parquet`.
    pub name: String,
    /// For people.
    pub label: String,
    /// Unit, empty when there is none.
    pub unit: String,
    /// Statistical kind.
    pub kind: Kind,
}

impl LabelMeta {
    pub(super) fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            label: column.label.clone(),
            unit: column.unit.clone(),
            kind: column.kind,
        }
    }
}
