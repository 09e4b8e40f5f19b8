//! Types of source columns.

use schemars::JsonSchema;

use super::enums::words;

words! {
    /// Type of a source column.
    #[derive(JsonSchema)]
    pub enum DType {
        /// Whole number, also ids.
        Integer = "integer",
        /// Decimal number.
        Float = "float",
        /// Text.
        Text = "text",
        /// `YYYY-MM-DD HH:MM:SS` (seconds optional, date alone allowed).
        Datetime = "datetime",
        /// `HH:MM` since the record's start; hours may exceed 24.
        Elapsed = "elapsed",
        /// Minutes since the record's start as a number, negative before it (eICU).
        Minutes = "minutes",
        /// Number of an hour of the record, counted from 1: hour 1 begins at its start (PhysioNet 2019).
        Hour = "hour",
        /// A number with or without its unit behind it: `12`, `12 ml/hr`, `40%`.
        Quantity = "quantity",
    }
}

impl DType {
    /// Whether cells are times since the record's start.
    pub const fn is_since_start(self) -> bool {
        matches!(self, Self::Elapsed | Self::Minutes | Self::Hour)
    }
}
