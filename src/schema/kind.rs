//! The statistical kind of a variable.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Statistical kind of a variable; decides its coordinates and its noise.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Real number.
    Continuous,
    /// Whole number, δ = 1.
    Count,
    /// Ordered levels held as whole numbers, δ = 1.
    Ordinal,
    /// Two levels.
    Binary,
    /// Unordered levels held as text.
    Categorical,
}

impl Kind {
    /// All kinds, in the order they are listed to people.
    pub const ALL: [Self; 5] =
        [Self::Continuous, Self::Count, Self::Ordinal, Self::Binary, Self::Categorical];

    /// Name in files and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Continuous => "continuous",
            Self::Count => "count",
            Self::Ordinal => "ordinal",
            Self::Binary => "binary",
            Self::Categorical => "categorical",
        }
    }
}
