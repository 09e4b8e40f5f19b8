//! Arguments of the commands that make, read or hand on data: `synth`, `schema`, `ingest` and `export`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{Args, Subcommand, ValueEnum};

use crate::synth::{Database, Texture};

use super::shared::{Output, key_value, scores, share_or_none};
use crate::evaluate::ScoreKind;
use crate::ingest::Part;

fn database() -> impl TypedValueParser<Value = Database> {
    PossibleValuesParser::new(Database::ALL.map(Database::name))
        .try_map(|name| Database::ALL.into_iter().find(|d| d.name() == name).ok_or("unknown database"))
}

fn texture() -> impl TypedValueParser<Value = Texture> {
    PossibleValuesParser::new(Texture::ALL.map(Texture::name))
        .try_map(|name| Texture::ALL.into_iter().find(|t| t.name() == name).ok_or("unknown texture"))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Synth {
    /// Number of patients to simulate; with --grid, of pictures
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) patients: u64,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Seed of the random numbers; the first patients are the same for any number of patients
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,

    /// Share of the eligible stays that carry a planted anomaly
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share_or_none)]
    pub(in crate::cli) anomalies: f64,

    /// Database in whose shape the extract is written
    #[arg(long, value_name = "DATABASE", default_value = "mimic3", value_parser = database(),
        conflicts_with = "waveform")]
    pub(in crate::cli) database: Database,

    /// Fill CHARTEVENTS of MIMIC or vitalPeriodic of eICU to this number of rows with items that no built-in
    /// pipeline reads, to test large extracts
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(in crate::cli) chart_rows: u64,

    /// Write bedside signals (PLETH and ABP as WFDB records) instead of tables; --anomalies is then the share
    /// of windows with a planted artefact
    #[arg(long, conflicts_with = "gzip")]
    pub(in crate::cli) waveform: bool,

    /// Length of each waveform record in minutes
    #[arg(long, value_name = "N", default_value_t = 30.0, requires = "waveform")]
    pub(in crate::cli) minutes: f64,

    /// Write pictures whose entropy is known instead of tables: a repeated tile, a bright spot, or a random
    /// field; --anomalies is then the share of pictures with a planted fault. Ingest them with --set
    /// levels=64
    #[arg(long, value_name = "TEXTURE", value_parser = texture(),
        conflicts_with_all = ["waveform", "database", "gzip", "chart_rows"])]
    pub(in crate::cli) grid: Option<Texture>,

    /// Rows and columns of a picture
    #[arg(long, value_name = "PIXELS", default_value_t = 16, requires = "grid")]
    pub(in crate::cli) side: usize,

    /// Compress the tables (.csv.gz)
    #[arg(long)]
    pub(in crate::cli) gzip: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Schema {
    /// Report every problem of schema and pipeline files at once; exit with status 1 when there are any
    Check {
        /// Files, or names of built-in schemas and pipelines
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Print the problems as JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print the variables of a schema, or a pipeline with all its settings resolved
    Show {
        /// File, or name of a built-in schema or pipeline
        #[arg(value_name = "NAME")]
        name: String,
        /// Print the resolved form as JSON
        #[arg(long)]
        json: bool,
    },
    /// Say which concepts two databases have, from which items, and in which unit
    Compare {
        /// File, or name of a built-in schema
        #[arg(value_name = "NAME")]
        one: String,
        /// The other one
        #[arg(value_name = "OTHER")]
        other: String,
        /// Print the comparison as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the built-in schemas and pipelines
    List,
    /// Draft a pipeline for a table with one row per record: the roles, levels and ranges found, for you to
    /// edit; or, with --folder, a schema of the tables of a database
    #[command(after_help = "\
Examples:
  cohort-flow schema infer table.csv > table.toml
  cohort-flow schema infer --folder extract/ > hospital.toml")]
    Infer {
        /// CSV or Parquet table
        #[arg(value_name = "TABLE", required_unless_present = "folder")]
        table: Option<PathBuf>,
        /// Folder of tables: draft their keys, times, items and likely concepts, by names, synonyms and
        /// plausible ranges
        #[arg(long, value_name = "DIR", conflicts_with = "table")]
        folder: Option<PathBuf>,
    },
    /// Print the JSON Schema of schema or pipeline files, or of the dictionary of concepts, which editors use
    /// for completion
    #[command(name = "json-schema")]
    Json {
        /// Kind of file
        #[arg(value_name = "KIND", default_value = "schema", value_parser = ["schema", "pipeline", "concepts"])]
        kind: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum OnBadRow {
    /// Stop at the first bad row and name its file and row
    Fail,
    /// Leave bad rows out and count them in the audit
    Skip,
}

#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "switches of the command line, each by itself")]
pub(in crate::cli) struct Ingest {
    /// Built-in pipeline (`schema list` names them), or a TOML file of your own
    #[arg(value_name = "PIPELINE", required_unless_present = "merge")]
    pub(in crate::cli) pipeline: Option<String>,

    /// Database of the extract, for pipelines over concepts such as icu-first-24h: a built-in schema, or a
    /// TOML file of your own. Left out, it is recognised from the files
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) schema: Option<String>,

    /// Folder of the extract, or a single table; - reads a table from standard input
    #[arg(short, long, value_name = "PATH", required_unless_present = "merge")]
    pub(in crate::cli) input: Option<PathBuf>,

    /// Folder to write the bundle to; it appears complete or not at all
    #[arg(short, long, value_name = "PATH", required_unless_present_any = ["explain", "check"])]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Replace an existing output
    #[arg(long)]
    pub(in crate::cli) force: bool,

    /// Explain a variable of one stay: print the rows behind it, what became of each row, and its value;
    /// nothing is written
    #[arg(long, value_name = "VARIABLE", requires = "stay", conflicts_with_all = ["output", "force"])]
    pub(in crate::cli) explain: Option<String>,

    /// Only read headers, the first 1,000 rows of each file and the dictionaries of items, and say everything
    /// that is wrong: missing tables and columns with the nearest name, cells of another type, items that the
    /// release does not have, units without a conversion. Nothing is written; the exit status is 2 if
    /// `ingest` would stop
    #[arg(long, conflicts_with_all = ["output", "force", "explain", "cache"])]
    pub(in crate::cli) check: bool,

    /// Record to explain
    #[arg(long, value_name = "ID", requires = "explain")]
    pub(in crate::cli) stay: Option<String>,

    /// Override a setting: transform=none, dequantize=none, seed=7, role.COLUMN=categorical, split.test=0.2
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// Keep the rows of the items that the schema names in this folder; a later run with the same folder
    /// reads them instead of the CSV files
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) cache: Option<PathBuf>,

    /// What to do with rows of cohort tables that have too few or too many fields, or a cell of the wrong
    /// type
    #[arg(long, value_enum, default_value_t = OnBadRow::Fail)]
    pub(in crate::cli) on_bad_row: OnBadRow,

    /// Read part K of N of the patients alone, and write a part of a bundle, in which nothing is fitted;
    /// --merge puts all parts together. A patient is of part crc32(id) % N + 1
    #[arg(long, value_name = "K/N", conflicts_with_all = ["explain", "check", "merge"])]
    pub(in crate::cli) part: Option<Part>,

    /// The event tables of the input were divided before and hold the rows of this part alone; a row of
    /// another part is an error. Tables of records and facts are whole
    #[arg(long, requires = "part")]
    pub(in crate::cli) divided: bool,

    /// Put all parts of a bundle together and fit what one run fits: the bundle is the same to the bit
    #[arg(long, value_name = "PART", num_args = 1.., conflicts_with_all = [
        "pipeline", "schema", "input", "explain", "check", "settings", "cache", "on_bad_row",
    ])]
    pub(in crate::cli) merge: Vec<PathBuf>,

    /// Rows of items not in use that were left behind before event tables were divided; they are counted as
    /// rows of other items
    #[arg(long, value_name = "TABLE=N", requires = "merge", value_parser = table_rows)]
    pub(in crate::cli) left_behind: Vec<(String, u64)>,

    /// Print the audit as JSON on stdout, or of a part how many rows it accounts for
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// A table with a number of rows.
fn table_rows(text: &str) -> Result<(String, u64), String> {
    let (table, rows) = key_value(text)?;
    let rows = rows.parse().map_err(|_| format!("`{rows}` is no number of rows, as in CHARTEVENTS=1200"))?;
    Ok((table, rows))
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Export {
    /// Bundle that `ingest` made, or model that `fit` made
    #[arg(value_name = "BUNDLE|MODEL")]
    pub(in crate::cli) source: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Write the records of one split only
    #[arg(long, value_name = "SPLIT", value_parser = ["train", "validation", "calibration", "test"])]
    pub(in crate::cli) split: Option<String>,

    /// Form of a model: mlflow, a folder that `mlflow models serve` runs; onnx, a graph in one file that ONNX
    /// Runtime runs; card, a page about it in Markdown
    #[arg(long, value_name = "FORMAT", value_parser = ["mlflow", "onnx", "card"], conflicts_with = "split")]
    pub(in crate::cli) format: Option<String>,

    /// Bundle that the model was fitted on. A graph has noise draws of its own, the same for every record,
    /// and its p-values compare with the calibration records of this bundle, scored with the same draws
    #[arg(long, value_name = "BUNDLE", requires = "format")]
    pub(in crate::cli) input: Option<PathBuf>,

    /// Number of noise draws per record of a graph: its time grows with them [default: that of the model]
    #[arg(long, value_name = "N", requires = "format",
        value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) draws: Option<u32>,

    /// Score of a graph [default: combined, as that of `flag`]
    #[arg(long, value_name = "SCORE", requires = "format", value_parser = scores())]
    pub(in crate::cli) score: Option<ScoreKind>,
}
