//! The resolved description of what is done with a source: cohort rules, time window, features, transforms,
//! splits.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::enums::words;
use super::{Aggregation, Grid, Kind, Waveform};

/// A checked pipeline.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pipeline {
    /// Name, such as `mimic3-first-24h`.
    pub name: String,
    /// One line for people.
    pub title: String,
    /// Schema it applies to; empty for wide tables, which bring their own columns.
    pub schema: String,
    /// Whether stays that the schema declares to be one episode are one record.
    #[serde(default, skip_serializing_if = "is_false")]
    pub episodes: bool,
    /// Applied in this order, each with its n in the audit.
    pub rules: Vec<CohortRule>,
    /// Which events count.
    pub window: Window,
    /// One column each, in this order; empty for wide tables.
    pub features: Vec<Feature>,
    /// Columns that are kept beside the features and are no part of any density, such as outcomes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<Feature>,
    /// Concepts and rules that the pipeline names and the database has not, for pipelines over concepts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub left_out: Vec<String>,
    /// Present for wide tables.
    pub wide: Option<WideTable>,
    /// Present for waveforms.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waveform: Option<Waveform>,
    /// Present for pictures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grid: Option<Grid>,
    /// Default transform g of continuous columns.
    pub transform: TransformKind,
    /// Whether discrete and rounded values get noise of their resolution.
    pub dequantize: bool,
    /// Features with fewer observed training values than this share are left out, and listed in the audit.
    pub min_observed: f64,
    /// Training patients that a level of a text column needs to be known by its name; bundles that do not say
    /// name all levels.
    #[serde(default = "one")]
    pub min_level_patients: u32,
    /// What the absence of a part of a score means.
    #[serde(default, skip_serializing_if = "MissingParts::is_normal")]
    pub missing_parts: MissingParts,
    /// Shares of the subjects.
    pub split: SplitFractions,
    /// Seed of the split hash and of the stored noise draw.
    pub seed: u64,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
fn is_false(flag: &bool) -> bool {
    !*flag
}

/// What a pipeline makes records of. A match on it cannot forget a kind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum PipelineKind<'a> {
    /// Stays or patients, by the schema that the pipeline names.
    Cohort,
    /// Rows of one table, which brings its own columns.
    Table(&'a WideTable),
    /// Windows of signals.
    Windows(&'a Waveform),
    /// Pictures.
    Grid(&'a Grid),
}

const fn one() -> u32 {
    1
}

impl Pipeline {
    /// What this pipeline makes records of.
    pub fn kind(&self) -> PipelineKind<'_> {
        match (&self.wide, &self.waveform, &self.grid) {
            (Some(wide), ..) => PipelineKind::Table(wide),
            (None, Some(waveform), _) => PipelineKind::Windows(waveform),
            (None, None, Some(grid)) => PipelineKind::Grid(grid),
            (None, None, None) => PipelineKind::Cohort,
        }
    }
}

/// One step of the cohort selection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CohortRule {
    /// Name in the audit: "adults", "first ICU stay".
    pub name: String,
    /// Test a record has to pass.
    pub predicate: Predicate,
}

/// A test of one record. A null fails every comparison, and is counted as such.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Predicate {
    /// A static variable or a column of the records table lies within bounds, inclusive.
    Between {
        /// Variable or column name.
        column: String,
        /// Lower bound.
        min: Option<f64>,
        /// Upper bound.
        max: Option<f64>,
    },
    /// A text column holds one of the values; of a table with many rows per record, any row does.
    OneOf {
        /// Variable or column name.
        column: String,
        /// Accepted values; `*` at the end stands for any ending.
        values: Vec<String>,
    },
    /// A text column holds none of the values; of a table with many rows per record, no row does.
    NoneOf {
        /// Variable or column name.
        column: String,
        /// Refused values; `*` at the end stands for any ending.
        values: Vec<String>,
    },
    /// Two columns hold the same (first and last care unit: no transfer).
    SameAs {
        /// Column name.
        column: String,
        /// The other column.
        other: String,
    },
    /// No other record, of those still there, has the same value of a column (`HADM_ID`: one stay per
    /// admission).
    OnlyPer {
        /// Column name.
        column: String,
    },
    /// The subject's earliest record by start (ties: smallest id), among the records still there.
    FirstPerSubject,
    /// At least this many features have a value.
    MinFeatures {
        /// Count.
        count: usize,
    },
}

/// Hours relative to the record's start, or to another moment; an event at `start` counts, one at `end` does
/// not.
///
/// With a step, there is one record per window `[start + k·step, start + k·step + width)`, for all k whose
/// window begins before `end` and, with `until_end`, before the record's own end.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// First hour.
    pub start_hours: f64,
    /// Hour after the last.
    pub end_hours: f64,
    /// Whether events after the record's own end are dropped even inside the window.
    pub until_end: bool,
    /// Hours from one window to the next; none: one window from start to end.
    #[serde(default)]
    pub step_hours: Option<f64>,
    /// Length of each window; none: the step.
    #[serde(default)]
    pub width_hours: Option<f64>,
    /// What hours count from; none: the record's start.
    #[serde(default)]
    pub relative_to: Option<Anchor>,
}

/// A moment in the course of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Anchor {
    /// A time column of the records table or of a static table (`ADMITTIME`); records without are left out.
    Column {
        /// Table.
        table: String,
        /// Column.
        column: String,
    },
    /// The first accepted measurement of a variable during the record; records without are left out.
    FirstEvent {
        /// Variable.
        variable: String,
    },
}

/// A column of the result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Column name; `variable` or `variable_aggregation`.
    pub name: String,
    /// Variable of the schema.
    pub variable: String,
    /// Aggregation; ignored for static variables.
    pub aggregation: Aggregation,
    /// Hours before the window's start that count too (laboratory results known when it begins).
    #[serde(default)]
    pub lookback_hours: f64,
    /// Fewer measurements than this give no value.
    #[serde(default)]
    pub min_count: u32,
}

/// How a wide table is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WideTable {
    /// Column with record ids; row numbers otherwise.
    pub id: Option<String>,
    /// Column whose equal values stay in one split.
    pub group: Option<String>,
    /// Column with `train`, `validation`, `calibration`, `test`.
    pub split: Option<String>,
    /// Declared kinds by column name; others are inferred on the training rows.
    pub kinds: Vec<(String, Kind)>,
    /// Columns to leave out.
    pub ignore: Vec<String>,
    /// Columns that are kept beside the features, and are none of them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
    /// Texts read as missing besides the empty cell.
    pub missing: Vec<String>,
    /// More such texts for single columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_in: Vec<(String, Vec<String>)>,
    /// Separator of the cells of a text file; otherwise it is told from the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub separator: Option<char>,
    /// Decimal mark of all columns; otherwise it is told from the cells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<DecimalMark>,
    /// Decimal marks of single columns.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub decimal_in: Vec<(String, DecimalMark)>,
}

impl WideTable {
    /// A table of which nothing is declared, with the texts read as missing that the shipped pipeline lists.
    pub fn undeclared() -> Self {
        Self {
            id: None,
            group: None,
            split: None,
            kinds: Vec::new(),
            ignore: Vec::new(),
            labels: Vec::new(),
            missing: MISSING.map(str::to_owned).to_vec(),
            missing_in: Vec::new(),
            separator: None,
            decimal: None,
            decimal_in: Vec::new(),
        }
    }
}

/// The separator that a text names: itself, or one of the words `comma`, `semicolon`, `tab`, `pipe` and
/// `space`.
pub(super) fn separator(text: &str) -> Option<char> {
    match text {
        "comma" => Some(','),
        "semicolon" => Some(';'),
        "tab" | "\\t" => Some('\t'),
        "pipe" => Some('|'),
        "space" => Some(' '),
        _ => {
            let mut chars = text.chars();
            chars
                .next()
                .filter(|c| chars.next().is_none() && c.is_ascii() && !c.is_alphanumeric() && *c != '"')
        }
    }
}

/// Texts read as missing unless a pipeline lists others.
const MISSING: [&str; 10] = ["NA", "N/A", "NaN", "nan", "NULL", "null", "?", ".", "<NA>", "#N/A"];

words! {
    /// The mark between whole number and fraction.
    #[derive(JsonSchema)]
    pub enum DecimalMark {
        /// `36.8`.
        Point = "point",
        /// `36,8`.
        Comma = "comma",
    }
}

words! {
    /// The monotone map g from (dequantised) original units to a coordinate (DESIGN.md §4).
    #[derive(JsonSchema)]
    pub enum TransformKind {
        /// Smooth monotone spline through training quantiles to N(0,1), linear tails.
        NormalScore = "normal-score",
        /// Mean 0, standard deviation 1.
        Standardize = "standardize",
        /// Median 0, interquartile range scaled to that of N(0,1).
        Robust = "robust",
        /// `standardize` of log(x + shift).
        LogStandardize = "log-standardize",
        /// The number itself.
        None = "none",
    }
}

words! {
    /// What it means for a score that nothing is recorded of one of its parts.
    #[derive(Default, JsonSchema)]
    pub enum MissingParts {
        /// The part is normal, as the authors of most scores have it.
        #[default]
        Normal = "normal",
        /// The score is missing.
        Missing = "missing",
    }
}

impl MissingParts {
    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references")]
    fn is_normal(&self) -> bool {
        *self == Self::Normal
    }
}

words! {
    /// Part of the data a record belongs to. Its position among all of them is its code in
    /// `tensor.safetensors`.
    #[derive(PartialOrd, Ord)]
    pub enum Split {
        /// Everything fitted is fitted here.
        Train = "train",
        /// Chooses: early stopping, k, presets.
        Validation = "validation",
        /// Calibrates p-values; never used to fit or choose.
        Calibration = "calibration",
        /// Judges; used for nothing else.
        Test = "test",
    }
}

/// Shares of subjects per split; they sum to 1.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct SplitFractions {
    /// Share of `train`.
    pub train: f64,
    /// Share of `validation`.
    pub validation: f64,
    /// Share of `calibration`.
    pub calibration: f64,
    /// Share of `test`.
    pub test: f64,
}

impl Default for SplitFractions {
    fn default() -> Self {
        Self { train: 0.6, validation: 0.1, calibration: 0.15, test: 0.15 }
    }
}
