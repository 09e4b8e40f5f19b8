//! Where a variable is found.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Field, List, Text};
use crate::schema::{Item, Rule};

/// One place a variable is found: `items` of an event table, a `column` of facts, or what tells an age: a
/// date of `birth`, a `birth_year`, an `age`, or an `anchor_age` in a year of the shifted calendar.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(untagged)]
pub(in crate::schema) enum Source {
    /// Measurements.
    Items(EventsSource),
    /// A fact.
    Column(ColumnSource),
    /// An age.
    Birth(AgeSource),
    /// An age that the data state in another way.
    #[serde(rename = "age or anchor_age or birth_year")]
    Years(YearsSource),
}

/// Rows of an event table.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("dependentSchemas" = { "rule": { "properties": { "scale": false, "offset": false } } }))]
pub(in crate::schema) struct EventsSource {
    /// The event table.
    pub(in crate::schema) table: Field<Text>,
    /// The items of the table, all numbers or all texts.
    pub(in crate::schema) items: Field<List<Item, 1>>,
    /// Units that scale and offset apply to. They apply to an absent unit as well.
    pub(in crate::schema) units: Option<Field<List<String>>>,
    /// The factor to the unit of the variable; 1 when left out.
    #[schemars(extend("not" = { "const": 0 }))]
    pub(in crate::schema) scale: Option<Field<f64>>,
    /// What is added after scaling; 0 when left out.
    pub(in crate::schema) offset: Option<Field<f64>>,
    /// A conversion that depends on the value, in place of scale and offset.
    pub(in crate::schema) rule: Option<Field<Rule>>,
    /// The lower one wins: a window with any value of 0 ignores those of 1.
    pub(in crate::schema) precedence: Option<Field<u64>>,
}

/// A column of the records or of facts joined to them.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "dependentSchemas" = {
        "hours": { "properties": { "any_of": false, "next": false } },
        "next": { "properties": { "any_of": false } },
    },
))]
pub(in crate::schema) struct ColumnSource {
    /// The table.
    pub(in crate::schema) table: Field<Text>,
    /// The column.
    pub(in crate::schema) column: Field<Text>,
    /// Whether the fact is the hours from the start of the record to the time in the column.
    pub(in crate::schema) hours: Option<Field<bool>>,
    /// Whether the fact is the hours from the end of the record to this time of the patient's next one.
    pub(in crate::schema) next: Option<Field<bool>>,
    /// Of a table with many rows per record: whether any of them holds one of these values; `*` at the end
    /// stands for any ending.
    pub(in crate::schema) any_of: Option<Field<List<String, 1>>>,
}

/// The age at the start of the record.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct AgeSource {
    /// The table.
    pub(in crate::schema) table: Field<Text>,
    /// The column with the date of birth.
    pub(in crate::schema) birth: Field<Text>,
    /// The age given to those above 89.
    pub(in crate::schema) cap: Option<Field<f64>>,
}

/// An age that is stated in years, or by the year of birth.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "oneOf" = [
        { "required": ["age"] },
        { "required": ["anchor_age", "anchor_year"] },
        { "required": ["birth_year"] },
    ],
    "dependentRequired" = {
        "anchor_year": ["anchor_age"], "month": ["birth_year", "day"], "day": ["birth_year", "month"],
    },
))]
pub(in crate::schema) struct YearsSource {
    /// The table.
    pub(in crate::schema) table: Field<Text>,
    /// The column with the age in years, where `> 89` is above 89.
    pub(in crate::schema) age: Option<Field<Text>>,
    /// The column with the age in `anchor_year`.
    pub(in crate::schema) anchor_age: Option<Field<Text>>,
    /// The column with the year in which the patient has `anchor_age`.
    pub(in crate::schema) anchor_year: Option<Field<Text>>,
    /// The column with the year of birth.
    pub(in crate::schema) birth_year: Option<Field<Text>>,
    /// The column with the month of birth.
    pub(in crate::schema) month: Option<Field<Text>>,
    /// The column with the day of birth.
    pub(in crate::schema) day: Option<Field<Text>>,
    /// The age given to those above 89.
    pub(in crate::schema) cap: Option<Field<f64>>,
}

/// A cell to compare with.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a text or a number")]
pub(in crate::schema) enum Cell {
    /// A whole number.
    Integer(i64),
    /// A number.
    Number(f64),
    /// A text.
    Text(String),
}
