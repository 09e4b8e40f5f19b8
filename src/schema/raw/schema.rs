//! A schema file as a whole, and its record.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entries, Field, Found, List, Table, Text, Variable};

/// A cohort-flow schema: what the source data are.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["variables"] }, { "required": ["concepts"] }]))]
pub(in crate::schema) struct SchemaFile {
    /// The name it is referred to by.
    pub(in crate::schema) name: Field<Text>,
    /// One line for people.
    pub(in crate::schema) title: Option<Field<Text>>,
    /// What one row of the result stands for.
    pub(in crate::schema) record: Field<Record>,
    /// The files and their columns, by name.
    pub(in crate::schema) tables: Field<Entries<Table>>,
    /// Where the concepts of the dictionary are found, by name. What they are, the dictionary says.
    #[schemars(extend("minProperties" = 1))]
    pub(in crate::schema) concepts: Option<Field<Entries<Found>>>,
    /// Everything else that can become a feature, by name.
    #[schemars(extend("minProperties" = 1, "propertyNames" = { "pattern": "^[A-Za-z][A-Za-z0-9_]*$" }))]
    pub(in crate::schema) variables: Option<Field<Entries<Variable>>>,
}

/// What a record is and when it begins and ends.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependentRequired" = { "start": ["table"], "end": ["table"], "order": ["table"], "episodes": ["table", "end"] }))]
pub(in crate::schema) struct Record {
    /// The table with one row per record. Without it, records are the distinct ids of the event tables.
    pub(in crate::schema) table: Option<Field<Text>>,
    /// The column that identifies the record.
    pub(in crate::schema) id: Field<Text>,
    /// The column that identifies the patient; splits never divide one.
    pub(in crate::schema) subject: Option<Field<Text>>,
    /// The column with the start of the record.
    pub(in crate::schema) start: Option<Field<Text>>,
    /// The column with the end of the record.
    pub(in crate::schema) end: Option<Field<Text>>,
    /// The column whose smallest number is that of the patient's first record, where no start tells it.
    pub(in crate::schema) order: Option<Field<Text>>,
    /// Which stays make one episode, for pipelines with `episodes = true`.
    pub(in crate::schema) episodes: Option<Field<Episodes>>,
}

/// Stays that follow each other closely are one episode.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Episodes {
    /// The column that the stays of an episode share, such as that of the stay in hospital.
    pub(in crate::schema) within: Field<Text>,
    /// The hours from the end of the stays before to the start of the next one, at most.
    #[schemars(range(min = 0))]
    pub(in crate::schema) gap: Field<f64>,
    /// A column with a moment that all of them share, in the time of each stay, where records have no
    /// `start`.
    pub(in crate::schema) moment: Option<Field<Text>>,
    /// Columns that are taken from the last stay; all others are those of the first.
    pub(in crate::schema) last: Option<Field<List<Text>>>,
    /// Columns of numbers that add up over the stays.
    pub(in crate::schema) total: Option<Field<List<Text>>>,
}
