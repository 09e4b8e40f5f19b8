//! A pipeline file as a whole, its features, its time window and its splits.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CohortRule, Field, Grid, List, Text, TextOr, Waveform, Wide};
use crate::schema::{Aggregation, MissingParts, TransformKind};

/// A cohort-flow pipeline: what is done with the source data.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "oneOf" = [{ "required": ["schema"] }, { "required": ["wide"] }, { "required": ["waveform"] }, { "required": ["grid"] }],
    "dependentRequired" = { "schema": ["features", "window"], "features": ["schema"], "labels": ["schema"], "window": ["schema"] },
))]
pub(in crate::schema) struct PipelineFile {
    /// The name it is referred to by.
    pub(in crate::schema) name: Field<Text>,
    /// One line for people.
    pub(in crate::schema) title: Option<Field<Text>>,
    /// A built-in schema or the path of one; left out for wide tables.
    pub(in crate::schema) schema: Option<Field<Text>>,
    /// The seed of the splits and of the stored noise draw.
    pub(in crate::schema) seed: Option<Field<u64>>,
    /// Features with fewer observed training values than this share are left out.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::schema) min_observed: Option<Field<f64>>,
    /// Levels of a text column that fewer training patients have than this are one level without a name.
    #[schemars(range(min = 1))]
    pub(in crate::schema) min_level_patients: Option<Field<u32>>,
    /// The map to a normalised coordinate.
    pub(in crate::schema) transform: Option<Field<TransformKind>>,
    /// What the absence of a part of a score means: that the part is normal, or that the score is missing.
    pub(in crate::schema) missing_parts: Option<Field<MissingParts>>,
    /// Whether rounded and discrete values get noise of their resolution.
    pub(in crate::schema) dequantize: Option<Field<bool>>,
    /// The columns of the result: `"variable"`, `"variable:aggregation"` or a table.
    pub(in crate::schema) features: Option<Field<List<TextOr<Feature>, 1>>>,
    /// Columns that are kept beside the features and never enter a model, such as outcomes: named as features
    /// are.
    pub(in crate::schema) labels: Option<Field<List<TextOr<Feature>>>>,
    /// Whether stays that follow each other closely are one record, as the schema says.
    pub(in crate::schema) episodes: Option<Field<bool>>,
    /// The cohort rules, in order.
    pub(in crate::schema) rules: Option<Field<List<CohortRule>>>,
    /// Which events count.
    pub(in crate::schema) window: Option<Field<Window>>,
    /// The shares of the patients.
    pub(in crate::schema) split: Option<Field<Split>>,
    /// For one table with a row per record.
    pub(in crate::schema) wide: Option<Field<Wide>>,
    /// For windows of bedside waveforms.
    pub(in crate::schema) waveform: Option<Field<Waveform>>,
    /// For pictures.
    pub(in crate::schema) grid: Option<Field<Grid>>,
}

/// A feature that needs more than the names of a variable and an aggregation.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Feature {
    /// A variable of the schema.
    pub(in crate::schema) variable: Field<Text>,
    /// How its measurements become one number.
    pub(in crate::schema) aggregation: Option<Field<Aggregation>>,
    /// The name of the column.
    pub(in crate::schema) name: Option<Field<Text>>,
    /// Hours before the start of the window that count too.
    #[schemars(range(min = 0))]
    pub(in crate::schema) lookback: Option<Field<f64>>,
    /// Fewer measurements than this give no value.
    pub(in crate::schema) min_count: Option<Field<u64>>,
}

/// Hours from the start of the record.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependentRequired" = { "width": ["step"] }))]
pub(in crate::schema) struct Window {
    /// The first hour; 0 when left out.
    pub(in crate::schema) start: Option<Field<f64>>,
    /// The hour after the last.
    pub(in crate::schema) end: Field<f64>,
    /// Hours from one window to the next: there is one record per window.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) step: Option<Field<f64>>,
    /// The length of each window; the step when left out.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) width: Option<Field<f64>>,
    /// Whether events after the end of the record are dropped.
    pub(in crate::schema) until_end: Option<Field<bool>>,
    /// A time column (`ADMITTIME`) or `first VARIABLE` that hours count from.
    pub(in crate::schema) relative_to: Option<Field<Text>>,
}

/// Shares that sum to 1.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Split {
    /// The share that models are fitted on.
    #[schemars(required, range(max = 1), extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) train: Option<Field<f64>>,
    /// The share by which models are chosen; 0 when left out.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::schema) validation: Option<Field<f64>>,
    /// The share that p-values are calibrated on; 0 when left out.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::schema) calibration: Option<Field<f64>>,
    /// The share that judges; 0 when left out.
    #[schemars(range(min = 0, max = 1))]
    pub(in crate::schema) test: Option<Field<f64>>,
}
