//! How windows are cut from recordings.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Field, List, Text};
use crate::schema::{Normalise, SplitBy};

/// How windows are cut from waveform records.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "if" = { "properties": { "split_by": { "const": "record" } }, "required": ["split_by"] },
    "then" = { "properties": { "normalise": { "enum": ["channel", "none"] } }, "required": ["normalise"] },
))]
pub(in crate::schema) struct Waveform {
    /// The names of the signals, in the order of the coordinates.
    #[schemars(with = "List<Text, 1>")]
    pub(in crate::schema) channels: Field<List<String, 1>>,
    /// Samples per channel in a window.
    #[schemars(range(min = 2))]
    pub(in crate::schema) window: Field<u64>,
    /// Samples before each window that its density is conditioned on; none when left out.
    pub(in crate::schema) past: Option<Field<u64>>,
    /// Samples from the start of one window to that of the next; the window when left out.
    #[schemars(range(min = 1))]
    pub(in crate::schema) stride: Option<Field<u64>>,
    /// Windows with a larger share of missing samples in any channel are dropped.
    #[schemars(range(min = 0), extend("exclusiveMaximum" = 1))]
    pub(in crate::schema) max_missing: Option<Field<f64>>,
    /// Windows of a coarser step of the converter than this many times the usual one are dropped.
    #[schemars(range(min = 1))]
    pub(in crate::schema) max_step: Option<Field<f64>>,
    /// How amplitudes of different records are made comparable.
    pub(in crate::schema) normalise: Option<Field<Normalise>>,
    /// What decides the split of a window.
    pub(in crate::schema) split_by: Option<Field<SplitBy>>,
    /// Samples per second of tables and arrays. WFDB records say theirs.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) frequency: Option<Field<f64>>,
}
