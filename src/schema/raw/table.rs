//! The tables of a schema.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Cell, Entries, Field, List, Pairs, Text};
use crate::schema::DType;

/// One logical table: the records, facts joined to them by `key`, or `events`.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "dependentRequired" = { "many": ["key"], "drop": ["events"] },
    "not" = { "required": ["key", "events"] },
))]
pub(in crate::schema) struct Table {
    /// File stems without an extension, with `*` for any text and perhaps a folder (`hosp/labevents`). When
    /// left out, it is the name of the table.
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
    /// The separator of the cells: a character, or comma, semicolon, tab, pipe or space. Otherwise each file
    /// tells it.
    #[schemars(extend("pattern" = r"^(comma|semicolon|tab|\\t|pipe|space|[!#-/:-@\[-`{-~])$"))]
    pub(in crate::schema) separator: Option<Field<Text>>,
    /// Names that a column has in other files of the same kind: `{ numeric_value = "value" }`.
    pub(in crate::schema) other_names: Option<Field<Entries<List<String, 1>>>>,
    /// Whether an extract without this table is complete.
    pub(in crate::schema) optional: Option<Field<bool>>,
    /// A column that files without it hold in their name.
    pub(in crate::schema) id_in_name: Option<Field<IdInName>>,
    /// Rows that belong to the table: every rule has to hold.
    pub(in crate::schema) keep: Option<Field<List<Keep>>>,
    /// Records that lie between two rows, in the place of a row for each.
    pub(in crate::schema) between: Option<Field<Between>>,
}

/// A column whose value stands in the name of the file.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct IdInName {
    /// The column.
    pub(in crate::schema) column: Field<Text>,
    /// The file stem with `*` in the place of the value: `p*` for `p100001.psv`.
    #[schemars(extend("pattern" = r"^[^*/\\]*\*[^*/\\]*$"))]
    pub(in crate::schema) pattern: Field<Text>,
}

/// Keeps the rows whose column holds one of the values.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Keep {
    /// The column.
    pub(in crate::schema) column: Field<Text>,
    /// The values; `*` at the end of a text stands for any ending.
    pub(in crate::schema) equals: Field<List<Cell, 1>>,
}

/// Records that begin at a row of one kind and end at the patient's next row of another.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Between {
    /// The column that says what a row is.
    pub(in crate::schema) code: Field<Text>,
    /// The codes that begin a record; `*` at the end stands for any ending.
    pub(in crate::schema) begins: Field<List<String, 1>>,
    /// The codes that end one.
    pub(in crate::schema) ends: Field<List<String, 1>>,
}

/// The name of a file without its ending, within the folder of the extract.
#[derive(JsonSchema)]
#[schemars(inline, extend(
    "not" = { "pattern":
        r"\.([Cc][Ss][Vv](\.[Gg][Zz])?|[Pp][Ss][Vv]|[Pp][Aa][Rr][Qq][Uu][Ee][Tt])$|^/|\\|(^|/)\.\.(/|$)"
    },
))]
#[expect(dead_code, reason = "stands for a text in the JSON Schema")]
struct Stem(String);

/// Which columns of an event table mean what.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(extend(
    "anyOf" = [{ "required": ["record"] }, { "required": ["subject"] }],
    "if" = { "properties": { "wide": { "const": true } }, "required": ["wide"] },
    "then" = { "properties": {
        "item": false, "item_form": false, "related": false, "value": false, "text": false, "unit": false, "unit_names": false,
        "unit_else": false,
        "operator": false, "revision": false, "end": false, "amount": false,
    } },
    "else" = { "required": ["item"], "anyOf": [{ "required": ["value"] }, { "required": ["text"] }] },
    "dependentRequired" = { "unit_else": ["unit"], "amount": ["end"] },
))]
pub(in crate::schema) struct Events {
    /// The id of the record. Rows without one are assigned by subject and time.
    pub(in crate::schema) record: Option<Field<Text>>,
    /// The id of the subject.
    pub(in crate::schema) subject: Option<Field<Text>>,
    /// When it was measured, or the beginning of what lasts.
    pub(in crate::schema) time: Field<Text>,
    /// The end of what lasts, such as an infusion.
    pub(in crate::schema) end: Option<Field<Text>>,
    /// What was measured: a column, or two whose texts make the item with `//` between them.
    #[schemars(extend("maxItems" = 2))]
    pub(in crate::schema) item: Option<Field<List<Text, 1>>>,
    /// How the item's text is made: `LAB//{item}//{unit}`, `{item} ({unit})`. Rows of another form are of
    /// other items.
    #[schemars(extend("pattern" = r"^[^{}]*\{item\}([^{}]+\{unit\})?[^{}]*$"))]
    pub(in crate::schema) item_form: Option<Field<Text>>,
    /// Tables of the extract by which further items count as those that sources name, such as the descendants
    /// of a concept. They are applied one after the other.
    pub(in crate::schema) related: Option<Field<List<Related, 1>>>,
    /// Whether every column of numbers is an item, called like the column.
    pub(in crate::schema) wide: Option<Field<bool>>,
    /// The value as a number.
    pub(in crate::schema) value: Option<Field<Text>>,
    /// The value as a text.
    pub(in crate::schema) text: Option<Field<Text>>,
    /// The unit as written.
    pub(in crate::schema) unit: Option<Field<Text>>,
    /// The column of the unit of rows where `unit` says none.
    pub(in crate::schema) unit_else: Option<Field<Text>>,
    /// Names of units that are written as codes: `{ 8876 = "mmHg", 0 = "" }`. An empty name is no unit.
    pub(in crate::schema) unit_names: Option<Field<Pairs<String>>>,
    /// A column that says of a result that it is only a limit.
    pub(in crate::schema) operator: Option<Field<Operator>>,
    /// A column that grows when a result is corrected: of one record, item and time the largest counts.
    pub(in crate::schema) revision: Option<Field<Text>>,
    /// Whether the value is what was given from the beginning to the end in all, and not a rate: a window
    /// takes its part of it in proportion to the time.
    pub(in crate::schema) amount: Option<Field<bool>>,
}

/// A table of the extract that relates further items to those that sources name.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Related {
    /// File stems, as those of tables.
    #[schemars(with = "List<Stem, 1>")]
    pub(in crate::schema) files: Field<List<String, 1>>,
    /// The column of the item that a source names, or two whose texts make it with `//` between them.
    #[schemars(extend("maxItems" = 2))]
    pub(in crate::schema) from: Field<List<Text, 1>>,
    /// The column of the item that counts like it.
    pub(in crate::schema) to: Field<Text>,
}

/// A column that says whether a result is a limit of measurement.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Operator {
    /// The column.
    pub(in crate::schema) column: Field<Text>,
    /// Its values for results below the number.
    pub(in crate::schema) below: Field<List<Cell, 1>>,
    /// Its values for results above the number.
    pub(in crate::schema) above: Field<List<Cell, 1>>,
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
