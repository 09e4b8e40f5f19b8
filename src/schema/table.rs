//! The tables of a schema: which files they are, and what their rows and columns mean.

use serde::{Deserialize, Serialize};

use super::DType;

/// One logical table, possibly spread over several files.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Table {
    /// Name used by sources and rules, such as `CHARTEVENTS`.
    pub name: String,
    /// File stems without extension, `*` allowed (`set_*`); `.parquet`, `.csv` and `.csv.gz` are looked for
    /// in any letter case. One with a folder (`hosp/labevents`) is also found as `hosp.labevents`, or without
    /// its folder.
    pub files: Vec<String>,
    /// Columns that are read, with their types. Matched to headers without regard to case. Others are
    /// ignored.
    pub columns: Vec<(String, DType)>,
    /// What its rows are.
    pub kind: TableKind,
    /// What separates the cells of its text files; otherwise each file tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// Names that a declared column has in other files.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<(String, Vec<String>)>,
    /// Whether an extract without this table is complete.
    #[serde(default, skip_serializing_if = "is_false")]
    pub optional: bool,
    /// A column that files without it hold in their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id_in_name: Option<IdInName>,
    /// Rows that belong to the table: every rule has to hold. Others of the same files are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keep: Vec<KeepRule>,
    /// Records that lie between two rows, in the place of a row for each.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub between: Option<Between>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A column whose value stands in the name of the file: `p*` finds 100001 in `p100001.psv`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IdInName {
    /// Column name.
    pub column: String,
    /// File stem with `*` in the place of the value.
    pub pattern: String,
}

/// Keeps the rows whose column holds one of the values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeepRule {
    /// Column name.
    pub column: String,
    /// Values as text; `*` at the end stands for any ending. Numeric columns compare by value.
    pub equals: Vec<String>,
}

/// Records made of events: each begins at a row that says so, and ends at the subject's next row that says
/// that.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Between {
    /// Column that says what a row is.
    pub code: String,
    /// Codes that begin a record; `*` at the end stands for any ending.
    pub begins: Vec<String>,
    /// Codes that end one.
    pub ends: Vec<String>,
}

impl Between {
    /// Column of the ids that are made: `SUBJECT-1` for the subject's first record, in order of time.
    pub const ID: &'static str = "record";
    /// Column of the ends that are found.
    pub const END: &'static str = "end";
}

/// What the rows of a table are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(clippy::large_enum_variant, reason = "there is one for each table of a schema")]
pub enum TableKind {
    /// One row per record.
    Records,
    /// Facts joined to the records by this column (`HADM_ID`, `SUBJECT_ID`).
    Static {
        /// Column present here and in the records table.
        key: String,
    },
    /// Any number of rows per record (diagnoses), for cohort rules alone.
    Lists {
        /// Column present here and in the records table.
        key: String,
    },
    /// One row per measurement.
    Events(EventColumns),
}

/// A table of the extract that relates other items to those that sources name: the code of a vocabulary to
/// its number, an ancestor to its descendants.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Related {
    /// File stems, as those of tables.
    pub files: Vec<String>,
    /// Column of the item that a source names; of two, their texts with `//` between them are the item.
    pub from: Vec<String>,
    /// Column of the item that counts like it.
    pub to: String,
}

impl Related {
    /// What the relation is called: its first file.
    pub fn name(&self) -> String {
        self.files.first().cloned().unwrap_or_default()
    }
}

/// Which columns of an event table mean what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventColumns {
    /// Record id; rows where it is absent or null are assigned by subject and time.
    pub record: Option<String>,
    /// Subject id.
    pub subject: Option<String>,
    /// When, or the beginning of what lasts.
    pub time: String,
    /// End of what lasts (an infusion at one rate): the row then counts in every window it overlaps.
    #[serde(default)]
    pub end: Option<String>,
    /// What was measured; none: every column of numbers is an item, called like the column.
    pub item: Option<String>,
    /// A second column that, behind `//`, is part of the item (a label and a label within it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_within: Option<String>,
    /// How the item's text is made, with `{item}` and perhaps `{unit}` in it: `LAB//{item}//{unit}`. Rows of
    /// another form are of other items.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item_form: Option<String>,
    /// Relations by which further items count as those that sources name, applied one after the other.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub related: Vec<Related>,
    /// Numeric value; none where every column is an item.
    pub value: Option<String>,
    /// Value as text, for value maps and censored results.
    pub text: Option<String>,
    /// Unit as written.
    pub unit: Option<String>,
    /// Unit of the rows for which `unit` says none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_else: Option<String>,
    /// Names of units that are written as codes (`8876` for mmHg); an empty name is no unit.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unit_names: Vec<(String, String)>,
    /// Column that says of a result that it is only a limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator: Option<Operator>,
    /// Column that grows when a result is corrected: of the rows of one record, item and time, those with the
    /// largest value count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<String>,
    /// Whether the value is an amount given over the whole time of the row: a window takes its part of it in
    /// proportion to the time.
    #[serde(default, skip_serializing_if = "is_false")]
    pub amount: bool,
    /// Rows to drop, null-safe: a null never equals.
    pub drop: Vec<DropRule>,
}

/// A column that says whether a result is a limit of measurement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operator {
    /// Column name.
    pub column: String,
    /// Its values for results below the number.
    pub below: Vec<String>,
    /// Its values for results above the number.
    pub above: Vec<String>,
}

/// Drops the rows whose column holds one of the values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DropRule {
    /// Column name.
    pub column: String,
    /// Values as text; numeric columns compare by value.
    pub equals: Vec<String>,
    /// Name in the audit.
    pub reason: String,
}
