//! Source files → one row per record in original units, with everything that happened on the way accounted for.
//! Polars lives here and nowhere else.

mod audit;
mod table;

pub use audit::{Audit, CohortStep, InputFile, TableAudit, VariableAudit};
pub use table::{Cells, Column, RecordTable};
