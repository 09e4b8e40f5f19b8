//! How pictures become records.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Field, Text};

/// How pictures become grids of whole numbers.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Grid {
    /// The side of the pictures in pixels, or rows x columns as "24x32"; left out, that of most pictures.
    #[schemars(extend("pattern" = "^[0-9]+( *[x×] *[0-9]+)?$"))]
    pub(in crate::schema) size: Option<Field<Text>>,
    /// Levels of a number: a power of two up to 256.
    #[schemars(extend("enum" = [2, 4, 8, 16, 32, 64, 128, 256]))]
    pub(in crate::schema) levels: Option<Field<u64>>,
    /// Whether the middle of a picture of other proportions is cut out.
    pub(in crate::schema) crop: Option<Field<bool>>,
    /// Whether colours become shades of grey.
    pub(in crate::schema) grey: Option<Field<bool>>,
    /// The size of the pictures that lie side by side in a file.
    #[schemars(extend("pattern" = "^[0-9]+( *[x×] *[0-9]+)?$"))]
    pub(in crate::schema) tile: Option<Field<Text>>,
    /// The size of the pictures that are a row of a file each.
    #[schemars(extend("pattern" = "^[0-9]+( *[x×] *[0-9]+)?$"))]
    pub(in crate::schema) row: Option<Field<Text>>,
    /// The numbers of black and of white, as "0,4095".
    #[schemars(extend("pattern" = "^[^,]+,[^,]+$"))]
    pub(in crate::schema) range: Option<Field<Text>>,
    /// The label of the pictures that a model may be fitted and calibrated on.
    pub(in crate::schema) normal: Option<Field<Text>>,
}
