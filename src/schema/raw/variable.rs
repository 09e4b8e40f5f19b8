//! The variables of a schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Field, List, Pairs, Source, Text};
use crate::schema::{Aggregation, Kind};

/// Something known about a record: it is found in `sources`, or computed by `expression`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [{ "required": ["sources"] }, { "required": ["expression"] }],
    "dependentRequired" = { "within": ["expression"], "at": ["expression"] },
    "dependentSchemas" = { "expression": { "properties": {
        "sources": false, "conversions": false, "missing_codes": false, "value_map": false, "censored": false,
    } } },
    "if" = { "properties": { "kind": { "const": "categorical" } }, "required": ["kind"] },
    "then" = { "properties": {
        "range": false, "resolution": false, "missing_codes": false, "value_map": false, "absent": false,
        "conversions": false, "censored": false, "clip": false, "expression": false,
    } },
    "else" = { "properties": { "levels": false } },
))]
pub(in crate::schema) struct Variable {
    /// The name for people.
    pub(in crate::schema) label: Option<Field<Text>>,
    /// The heading it is listed under.
    pub(in crate::schema) group: Option<Field<Text>>,
    /// The unit of the result.
    pub(in crate::schema) unit: Option<Field<Text>>,
    /// The statistical kind; continuous when left out.
    pub(in crate::schema) kind: Option<Field<Kind>>,
    /// The lowest and the highest plausible value. Others become missing and are counted.
    #[schemars(with = "Option<[f64; 2]>")]
    pub(in crate::schema) range: Option<Field<List<f64>>>,
    /// Values beyond these become these, within `range`.
    #[schemars(with = "Option<[f64; 2]>")]
    pub(in crate::schema) clip: Option<Field<List<f64>>>,
    /// The step that the value is recorded in.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) resolution: Option<Field<f64>>,
    /// Raw values that mean missing.
    pub(in crate::schema) missing_codes: Option<Field<List<f64>>>,
    /// Texts and the numbers that they stand for: `{ text = number }` or `[[text, number], …]`.
    pub(in crate::schema) value_map: Option<Field<Pairs<f64>>>,
    /// Levels and the texts that become them; `*` at the end stands for any ending.
    pub(in crate::schema) levels: Option<Field<Pairs<List<String, 1>>>>,
    /// The value of a record without any measurement.
    pub(in crate::schema) absent: Option<Field<f64>>,
    /// Whether `<0.01` counts as half the limit.
    pub(in crate::schema) censored: Option<Field<bool>>,
    /// Units besides those of the sources.
    pub(in crate::schema) conversions: Option<Field<List<Conversion>>>,
    /// The aggregation when the pipeline names none.
    pub(in crate::schema) aggregate: Option<Field<Aggregation>>,
    /// Where it is found.
    pub(in crate::schema) sources: Option<Field<List<Source, 1>>>,
    /// Arithmetic over other variables: `heart_rate / sbp`, `weight:first / (height:last / 100) ^ 2`.
    pub(in crate::schema) expression: Option<Field<Text>>,
    /// The hours that a measurement may be older than the moment it is combined at; 0 when left out.
    #[schemars(range(min = 0))]
    pub(in crate::schema) within: Option<Field<f64>>,
    /// It is combined only when this variable is measured.
    pub(in crate::schema) at: Option<Field<Text>>,
}

/// `value · scale + offset` for rows of a unit.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Conversion {
    /// The unit as written.
    pub(in crate::schema) unit: Field<Text>,
    /// The factor; 1 when left out.
    #[schemars(extend("not" = { "const": 0 }))]
    pub(in crate::schema) scale: Option<Field<f64>>,
    /// What is added after scaling; 0 when left out.
    pub(in crate::schema) offset: Option<Field<f64>>,
}
