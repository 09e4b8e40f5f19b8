//! The resolved description of a data source: tables, the record they are about, and variables with their
//! sources, units and plausible ranges. `parse` reads it from TOML, `check` finds what is wrong with it.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Aggregation, Expression, ExpressionProblem, Kind, Table};

/// A checked description of a data source.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schema {
    /// Name it is referred to by, such as `mimic3`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// What one row of the result stands for.
    pub record: Record,
    /// Files and their columns.
    pub tables: Vec<Table>,
    /// Everything that can become a feature.
    pub variables: Vec<Variable>,
}

impl Schema {
    /// The table called `name`.
    pub fn table(&self, name: &str) -> Option<&Table> {
        self.tables.iter().find(|t| t.name == name)
    }

    /// The variable called `name`.
    pub fn variable(&self, name: &str) -> Option<&Variable> {
        self.variables.iter().find(|v| v.name == name)
    }
}

/// What a record is and when it begins and ends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Table with one row per record; `None` when records are the distinct ids of the event table (long
    /// format).
    pub table: Option<String>,
    /// Column identifying the record.
    pub id: String,
    /// Column identifying the patient; splits never divide one.
    pub subject: String,
    /// Column with the record's start; event times are relative to it. `None`: times are elapsed already.
    pub start: Option<String>,
    /// Column with the record's end.
    pub end: Option<String>,
    /// Column whose smallest number is that of the patient's first record, where no start tells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
    /// Which stays make one episode, for pipelines that ask for episodes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episodes: Option<Episodes>,
}

/// Which stays of a patient are one episode: those of one group of which the next begins soon after the end
/// of the ones before.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Episodes {
    /// Column that the stays share, such as that of the stay in hospital.
    pub within: String,
    /// Hours from the end of the stays before to the start of the next one, at most.
    pub gap_hours: f64,
    /// Column with a moment that all of them share, in the time of each stay, where records have no start.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moment: Option<String>,
    /// Columns of which the last stay has the fact of the episode; of all others the first has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub last: Vec<String>,
    /// Columns of numbers that add up over the stays.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub total: Vec<String>,
}

/// An item's identifier: a number in MIMIC-III, a name in long tables.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a whole number or a text")]
pub enum Item {
    /// `ITEMID`.
    Id(i64),
    /// Parameter name; in a column of texts `*` stands for any text.
    Name(String),
}

/// Something measured about a record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Variable {
    /// Identifier, such as `heart_rate`.
    pub name: String,
    /// For people.
    pub label: String,
    /// Heading it is listed under: vitals, labs, demographics, …
    pub group: String,
    /// Unit of the result.
    pub unit: String,
    /// Statistical kind.
    pub kind: Kind,
    /// Plausible values in `unit`, inclusive; others become null and are counted.
    pub range: Option<(f64, f64)>,
    /// Values beyond these, though plausible, become these, and are counted; inclusive, within `range`.
    #[serde(default)]
    pub clip: Option<(f64, f64)>,
    /// Resolution δ the value is recorded at, in `unit`.
    pub resolution: Option<f64>,
    /// Raw values that mean "missing" (−1 in PhysioNet 2012).
    pub missing_codes: Vec<f64>,
    /// Text values and the numbers they stand for (GCS); matched trimmed, without regard to case. When not
    /// empty, the text decides and unmapped text is counted and dropped, unless it is itself a number of the
    /// map.
    pub value_map: Vec<(String, f64)>,
    /// Texts of a categorical variable and the level each becomes, matched like `value_map`; a number is
    /// matched as its shortest text (`1` for 1.0), `*` at the end stands for any ending, the first match
    /// wins. When not empty, unmapped text is counted and dropped; empty: every text is its own level.
    #[serde(default)]
    pub levels: Vec<(String, String)>,
    /// Value of a record without any entry, where absence is itself a finding (no ventilation charted: 0). A
    /// record whose entries cannot be used is missing instead.
    #[serde(default)]
    pub absent: Option<f64>,
    /// `"<0.01"` in the text column counts as half the limit, and is counted.
    pub censored: bool,
    /// Accepted units besides those of a source, with their conversion to `unit`.
    pub conversions: Vec<Conversion>,
    /// Where it is found.
    pub sources: Vec<Source>,
    /// Computed from other variables instead of found in `sources`.
    #[serde(default)]
    pub derived: Option<Derived>,
    /// Aggregation when the pipeline names none.
    pub aggregate: Aggregation,
}

impl Variable {
    /// Whether it is one fact of the record, such as age, instead of measurements in time.
    pub fn is_static(&self) -> bool {
        self.derived.is_none() && !self.sources.iter().any(|source| matches!(source, Source::Events { .. }))
    }

    /// Whether it is one number per window whatever the aggregation: static, or computed from aggregates
    /// alone.
    pub fn is_single(&self) -> bool {
        match &self.derived {
            None => self.is_static(),
            Some(derived) if derived.per_window => true,
            Some(derived) => derived.at.is_none() && derived.expression().is_ok_and(|e| e.is_single()),
        }
    }
}

/// A variable computed from others; see [`super::Expression`] for the language.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Derived {
    /// The expression as written.
    pub expression: String,
    /// Hours a measurement may be older than the moment it is combined at; 0: charted at the same time.
    pub within_hours: f64,
    /// Combined only when this variable is measured; none: whenever any of them is.
    pub at: Option<String>,
    /// Whether it is one number per window because facts and variables that are such are all that it is made
    /// of, which the expression alone does not tell.
    #[serde(default, skip_serializing_if = "is_false")]
    pub per_window: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

impl Derived {
    /// The expression, parsed.
    ///
    /// # Errors
    /// What is wrong with it; a checked schema holds none that is.
    pub fn expression(&self) -> Result<Expression, Vec<ExpressionProblem>> {
        Expression::parse(&self.expression)
    }
}

/// `canonical = raw · scale + offset` for rows whose unit column says `unit`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conversion {
    /// Unit as written; compared without regard to case and spaces.
    pub unit: String,
    /// Factor.
    pub scale: f64,
    /// Added after scaling.
    pub offset: f64,
}

/// One place a variable is found.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// Rows of an event table.
    Events {
        /// Event table.
        table: String,
        /// Items.
        items: Vec<Item>,
        /// Units that mean scale and offset below apply, as does an absent one; empty: the unit column says
        /// nothing for these items.
        units: Vec<String>,
        /// Factor to the variable's unit.
        scale: f64,
        /// Added after scaling.
        offset: f64,
        /// A rule in place of scale and offset.
        rule: Option<Rule>,
        /// Lower wins: a record with any value of precedence 0 ignores those of precedence 1.
        precedence: u32,
    },
    /// A column of the records table or of a static table.
    Column {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// Hours from the record's start to a time in a column of facts; negative before it.
    Hours {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// Hours from the end of the record to the start of the subject's next one; absent where there is none.
    Next {
        /// Table of the records.
        table: String,
        /// Column of their starts.
        column: String,
    },
    /// Whether any row of a record in a table of many rows holds one of the values: 1, else 0 where there are
    /// rows at all.
    Listed {
        /// Table with many rows per record.
        table: String,
        /// Column.
        column: String,
        /// Values; `*` at the end stands for any ending.
        values: Vec<String>,
    },
    /// Years by the calendar from a birth column to the record's start; ages of 90 years and more (shifted to
    /// about 300 in MIMIC) become `cap`.
    Age {
        /// Table with the birth column.
        table: String,
        /// Date of birth.
        birth: String,
        /// Value given to ages above 89.
        cap: f64,
    },
    /// Years that the data state in another way than by a date of birth.
    Years {
        /// Table of facts.
        table: String,
        /// What the columns say.
        from: Years,
        /// Value given to ages above 89.
        cap: f64,
    },
}

/// Columns that tell an age.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Years {
    /// An age in years; `> 89` is above 89 (eICU).
    Age {
        /// The age.
        column: String,
    },
    /// The age in a year of the shifted calendar (MIMIC-IV): age + year of the start − year of the age.
    Anchor {
        /// The age.
        age: String,
        /// The year in which the patient has this age.
        year: String,
    },
    /// The year of birth (OMOP), by the calendar where month and day are known too, otherwise the difference
    /// of the years, which may be one year too many.
    BirthYear {
        /// The year.
        year: String,
        /// The month.
        month: Option<String>,
        /// The day of the month.
        day: Option<String>,
    },
}

impl Years {
    /// The columns that are read.
    pub fn columns(&self) -> Vec<&str> {
        match self {
            Self::Age { column } => vec![column],
            Self::Anchor { age, year } => vec![age, year],
            Self::BirthYear { year, month, day } => {
                [Some(year), month.as_ref(), day.as_ref()].into_iter().flatten().map(String::as_str).collect()
            }
        }
    }
}

/// Conversions that depend on the value itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// FiO2: x ≤ 1 is a fraction, 21 ≤ x ≤ 100 percent, anything else missing.
    MixedFraction,
    /// Amounts in a unit that does not convert, such as a rate without the weight: that something was given
    /// is known, how much is not, so that a record with such rows alone is missing and does not take the
    /// default `absent`.
    NotConvertible,
    /// A row says that something was there, whatever its number: 1.
    Present,
    /// Two numbers in one text, as the pressures in "120/80": the one before the slash.
    BeforeSlash,
    /// The one behind it.
    AfterSlash,
}
