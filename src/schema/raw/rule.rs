//! The cohort rules of a pipeline: each tests one thing of a record and has a name for the audit.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Field, List, Text};

/// One test of a record. The key that tells the forms apart names the variant here.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(untagged)]
pub(in crate::schema) enum CohortRule {
    /// Bounds of a number.
    #[serde(rename = "min or max")]
    Between(Between),
    /// Accepted values.
    OneOf(OneOf),
    /// Refused values.
    NoneOf(NoneOf),
    /// Two columns that hold the same.
    SameAs(SameAs),
    /// A column whose value no other record shares.
    OnlyPer(OnlyPer),
    /// The earliest record of the patient.
    FirstPerSubject(FirstPerSubject),
    /// A least number of features.
    MinFeatures(MinFeatures),
}

/// A number within bounds, inclusive.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["min"] }, { "required": ["max"] }]))]
pub(in crate::schema) struct Between {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// A fact, a column of the records, or of a table joined to them (`TABLE.COLUMN`).
    pub(in crate::schema) column: Field<Text>,
    /// The lower bound.
    pub(in crate::schema) min: Option<Field<f64>>,
    /// The upper bound.
    pub(in crate::schema) max: Option<Field<f64>>,
}

/// A text that is one of the values; of a table with many rows per record, any row is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct OneOf {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// A fact, a column of the records, or of a table joined to them (`TABLE.COLUMN`).
    pub(in crate::schema) column: Field<Text>,
    /// Accepted values; `*` at the end stands for any ending.
    pub(in crate::schema) one_of: Field<List<String, 1>>,
}

/// A text that is none of the values; of a table with many rows per record, no row is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct NoneOf {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// A fact, a column of the records, or of a table joined to them (`TABLE.COLUMN`).
    pub(in crate::schema) column: Field<Text>,
    /// Refused values; `*` at the end stands for any ending.
    pub(in crate::schema) none_of: Field<List<String, 1>>,
}

/// A column that holds the same as another.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct SameAs {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// A fact, a column of the records, or of a table joined to them (`TABLE.COLUMN`).
    pub(in crate::schema) column: Field<Text>,
    /// The other column.
    pub(in crate::schema) same_as: Field<Text>,
}

/// A column whose value no other record shares.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct OnlyPer {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// The column.
    pub(in crate::schema) only_per: Field<Text>,
}

/// The earliest record of the patient.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct FirstPerSubject {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// True, or the rule is left out.
    #[schemars(extend("const" = true))]
    pub(in crate::schema) first_per_subject: Field<bool>,
}

/// At least this many features with a value.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct MinFeatures {
    /// What the audit calls it.
    pub(in crate::schema) name: Field<Text>,
    /// The least number.
    pub(in crate::schema) min_features: Field<u64>,
}
