//! The tables of a schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cell, Entries, Field, List, Text};
use crate::schema::DType;

/// One logical table: the records, facts joined to them by `key`, or `events`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "dependentRequired" = { "many": ["key"], "drop": ["events"] },
    "not" = { "required": ["key", "events"] },
))]
pub(in crate::schema) struct Table {
    /// File stems without an extension, with `*` for any ending. When left out, it is the name of the table.
    #[schemars(with = "Option<List<Stem, 1>>")]
    pub(in crate::schema) files: Option<Field<List<String, 1>>>,
    /// The columns that are read, with their types.
    #[schemars(extend("minProperties" = 1))]
    pub(in crate::schema) columns: Field<Entries<DType>>,
    /// The column that joins facts to the records.
    pub(in crate::schema) key: Option<Field<Text>>,
    /// Whether there is any number of rows per record, such as diagnoses, for cohort rules alone.
    pub(in crate::schema) many: Option<Field<bool>>,
    /// Which columns of measurements mean what.
    pub(in crate::schema) events: Option<Field<Events>>,
    /// Rows of measurements to drop.
    pub(in crate::schema) drop: Option<Field<List<Drop>>>,
}

/// The name of a file without its folder and ending.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "pattern" = r"^[^/\\]*$",
    "not" = { "pattern": r"\.([Cc][Ss][Vv](\.[Gg][Zz])?|[Pp][Aa][Rr][Qq][Uu][Ee][Tt])$" },
))]
#[expect(dead_code, reason = "stands for a text in the JSON Schema")]
struct Stem(String);

/// Which columns of an event table mean what.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend("anyOf" = [{ "required": ["record"] }, { "required": ["subject"] }]))]
pub(in crate::schema) struct Events {
    /// The id of the record. Rows without one are assigned by subject and time.
    pub(in crate::schema) record: Option<Field<Text>>,
    /// The id of the subject.
    pub(in crate::schema) subject: Option<Field<Text>>,
    /// When it was measured, or the beginning of what lasts.
    pub(in crate::schema) time: Field<Text>,
    /// The end of what lasts, such as an infusion.
    pub(in crate::schema) end: Option<Field<Text>>,
    /// What was measured.
    pub(in crate::schema) item: Field<Text>,
    /// The value as a number.
    pub(in crate::schema) value: Field<Text>,
    /// The value as a text.
    pub(in crate::schema) text: Option<Field<Text>>,
    /// The unit as written.
    pub(in crate::schema) unit: Option<Field<Text>>,
}

/// Drops the rows whose column holds one of the values; a null never equals.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Drop {
    /// The column.
    pub(in crate::schema) column: Field<Text>,
    /// The values.
    pub(in crate::schema) equals: Field<List<Cell, 1>>,
    /// What the audit calls it.
    pub(in crate::schema) reason: Option<Field<Text>>,
}
