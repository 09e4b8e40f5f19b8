//! How a wide table is read.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Entries, Field, List, Text};
use crate::schema::{DecimalMark, Kind};

/// How a table with one row per record is read.
#[derive(Debug, Clone, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::schema) struct Wide {
    /// The column with the ids of the records.
    pub(in crate::schema) id: Option<Field<Text>>,
    /// The column whose equal values stay in one split.
    pub(in crate::schema) group: Option<Field<Text>>,
    /// The column that names the split.
    pub(in crate::schema) split: Option<Field<Text>>,
    /// Columns to leave out.
    pub(in crate::schema) ignore: Option<Field<List<String>>>,
    /// Columns that are kept beside the features and never enter a model, such as outcomes.
    pub(in crate::schema) labels: Option<Field<List<String>>>,
    /// Texts that are read as missing.
    pub(in crate::schema) missing: Option<Field<List<String>>>,
    /// The separator of the cells: a character, or comma, semicolon, tab, pipe or space. Otherwise the file
    /// tells it.
    #[schemars(extend("pattern" = r"^(comma|semicolon|tab|\\t|pipe|space|[!#-/:-@\[-`{-~])$"))]
    pub(in crate::schema) separator: Option<Field<Text>>,
    /// The decimal mark of all columns. Otherwise the cells tell it.
    pub(in crate::schema) decimal: Option<Field<DecimalMark>>,
    /// More texts that are read as missing in single columns.
    pub(in crate::schema) missing_in: Option<Field<Entries<List<String>>>>,
    /// Decimal marks of single columns.
    pub(in crate::schema) decimal_in: Option<Field<Entries<DecimalMark>>>,
    /// Kinds by the name of the column. Others are inferred.
    pub(in crate::schema) kinds: Option<Field<Entries<Kind>>>,
}
