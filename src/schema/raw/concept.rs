//! The dictionary of concepts, and what a schema says of a concept.

use schemars::JsonSchema;
use serde::Deserialize;

use super::variable::Conversion;
use super::{Entries, Field, List, Pairs, Source, Text};
use crate::schema::{Aggregation, Kind};

/// The cohort-flow dictionary of concepts: what clinical quantities are, wherever they are found.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct ConceptsFile {
    /// The name it is referred to by.
    pub(in crate::schema) name: Field<Text>,
    /// One line for people.
    pub(in crate::schema) title: Option<Field<Text>>,
    /// The concepts, by name.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "pattern": "^[A-Za-z][A-Za-z0-9_]*$" }))]
    pub(in crate::schema) concepts: Field<Entries<Concept>>,
}

/// What a clinical quantity is.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependentRequired" = { "within": ["expression"], "at": ["expression"] }))]
pub(in crate::schema) struct Concept {
    /// The name for people.
    pub(in crate::schema) label: Field<Text>,
    /// The heading it is listed under.
    pub(in crate::schema) group: Field<Text>,
    /// The unit of the values.
    pub(in crate::schema) unit: Option<Field<Text>>,
    /// The statistical kind; continuous when left out.
    pub(in crate::schema) kind: Option<Field<Kind>>,
    /// The lowest and the highest plausible value. Others become missing and are counted.
    #[schemars(with = "Option<[f64; 2]>")]
    pub(in crate::schema) range: Option<Field<List<f64>>>,
    /// The step that the value is usually recorded in.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) resolution: Option<Field<f64>>,
    /// The names of the levels of a categorical concept, where they are fixed.
    pub(in crate::schema) levels: Option<Field<List<String, 1>>>,
    /// The value of a record without any measurement.
    pub(in crate::schema) absent: Option<Field<f64>>,
    /// Whether `<0.01` counts as half the limit.
    pub(in crate::schema) censored: Option<Field<bool>>,
    /// Units that convert to that of the concept, wherever it is found.
    pub(in crate::schema) conversions: Option<Field<List<Conversion>>>,
    /// The aggregation when a pipeline names none.
    pub(in crate::schema) aggregate: Option<Field<Aggregation>>,
    /// Arithmetic over other concepts.
    pub(in crate::schema) expression: Option<Field<Text>>,
    /// The hours that a measurement may be older than the moment it is combined at; 0 when left out.
    #[schemars(range(min = 0))]
    pub(in crate::schema) within: Option<Field<f64>>,
    /// It is combined only when this concept is measured.
    pub(in crate::schema) at: Option<Field<Text>>,
    /// Whether it is one fact of a record, even where a table states it as a measurement.
    pub(in crate::schema) fact: Option<Field<bool>>,
    /// Codes of LOINC.
    #[schemars(with = "Option<List<Text, 1>>")]
    pub(in crate::schema) loinc: Option<Field<List<String>>>,
    /// Numbers of OMOP's standard concepts.
    pub(in crate::schema) omop: Option<Field<List<u64>>>,
    /// Where its definition comes from.
    pub(in crate::schema) source: Option<Field<Text>>,
}

/// Where a concept is found in a database, and what its values look like there. A concept with an expression
/// takes nothing: it is there as soon as its parts are.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Found {
    /// Where it is found.
    pub(in crate::schema) sources: Option<Field<List<Source, 1>>>,
    /// The lowest and the highest plausible value here, if others.
    #[schemars(with = "Option<[f64; 2]>")]
    pub(in crate::schema) range: Option<Field<List<f64>>>,
    /// The step that the value is recorded in here, if another.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub(in crate::schema) resolution: Option<Field<f64>>,
    /// Raw values that mean missing.
    pub(in crate::schema) missing_codes: Option<Field<List<f64>>>,
    /// Texts and the numbers that they stand for: `{ text = number }` or `[[text, number], …]`.
    pub(in crate::schema) value_map: Option<Field<Pairs<f64>>>,
    /// Levels and the texts that become them; `*` at the end stands for any ending.
    pub(in crate::schema) levels: Option<Field<Pairs<List<String, 1>>>>,
    /// Whether `<0.01` counts as half the limit, if otherwise than usual.
    pub(in crate::schema) censored: Option<Field<bool>>,
    /// The value of a record without any measurement, where absence is a finding here.
    pub(in crate::schema) absent: Option<Field<f64>>,
    /// Units besides those of the sources and of the concept.
    pub(in crate::schema) conversions: Option<Field<List<Conversion>>>,
}
