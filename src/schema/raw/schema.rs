//! A schema file as a whole, and its record.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entries, Field, Found, Table, Text, Variable};

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
#[schemars(extend("dependentRequired" = { "start": ["table"], "end": ["table"], "order": ["table"] }))]
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
}
