//! The statistical kind of a variable.

use schemars::JsonSchema;

use super::enums::words;

words! {
    /// Statistical kind of a variable; decides its coordinates and its noise.
    #[derive(JsonSchema)]
    pub enum Kind {
        /// Real number.
        Continuous = "continuous",
        /// Whole number, δ = 1.
        Count = "count",
        /// Ordered levels held as whole numbers, δ = 1.
        Ordinal = "ordinal",
        /// Two levels.
        Binary = "binary",
        /// Unordered levels held as text.
        Categorical = "categorical",
    }
}
