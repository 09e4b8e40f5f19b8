//! What can be typed: the arguments of every command as clap sees them, without side effects.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

const EXAMPLES: &str = "\
Examples:
  cohort-flow demo --output out/demo
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --output out/cohort
  cohort-flow fit out/cohort --output out/flow
  cohort-flow fit out/cohort --output out/gmm --model gmm
  cohort-flow report out/cohort --model out/flow --model out/gmm --output out/report.html
  cohort-flow flag out/flow out/cohort --output out/flags.csv

Exit status: 0 done, 1 findings (`schema check` found problems), 2 error, 130 interrupted.
stdout carries data only; everything else goes to stderr.";

/// Density estimation on medical tables: cohorts in, calibrated likelihoods, outliers and a report out
#[derive(Debug, Parser)]
#[command(name = "cohort-flow", version, after_help = EXAMPLES, max_term_width = 110, propagate_version = true)]
pub(super) struct Cli {
    #[command(subcommand)]
    pub(super) command: Command,

    #[command(flatten)]
    pub(super) global: Global,
}

#[derive(Debug, Clone, Args)]
pub(super) struct Global {
    /// Print nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(super) quiet: bool,

    /// Say more: -v for details, -vv for debugging
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(super) verbose: u8,

    /// Threads for the numerical work; results are the same bytes for any number [default: all cores]
    #[arg(long, global = true, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(super) threads: Option<u16>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Run the whole chain on synthetic data: synth, ingest, fit, flag, report
    #[command(after_help = "Example:\n  cohort-flow demo --output out/demo")]
    Demo(Demo),
    /// Write a MIMIC-III-shaped synthetic extract with planted, labelled anomalies
    #[command(after_help = "Example:\n  cohort-flow synth --patients 5000 --output out/extract")]
    Synth(Synth),
    /// Check, show or list schemas and pipelines
    #[command(subcommand)]
    Schema(Schema),
    /// Turn an extract or a table into a bundle: normalised tensor, splits, audit
    #[command(after_help = "\
Examples:
  cohort-flow ingest mimic3-first-24h --input mimic-iii/ --output out/cohort
  cohort-flow ingest physionet2012-48h --input challenge-2012/ --output out/icu
  cohort-flow ingest wide-table --input table.csv --output out/table --set role.sex=binary
  cohort-flow ingest my-pipeline.toml --input extract/ --output out/mine")]
    Ingest(Ingest),
    /// Fit a model to a bundle
    #[command(after_help = "\
Examples:
  cohort-flow fit out/cohort --output out/flow
  cohort-flow fit out/cohort --output out/gmm --model gmm
  cohort-flow fit out/cohort --output out/quick --preset small --time-budget 60s
  cohort-flow fit out/cohort --output out/flow --resume")]
    Fit(Fit),
    /// Record log-likelihoods under a model
    #[command(after_help = "Example:\n  cohort-flow score out/flow out/cohort --output scores.csv")]
    Score(Score),
    /// Draw synthetic records, in original units, with missing values
    #[command(after_help = "Example:\n  cohort-flow sample out/flow --n 1000 --output synthetic.csv")]
    Sample(Sample),
    /// Flag records that do not fit, with calibrated p-values and explanations
    #[command(after_help = "\
Examples:
  cohort-flow flag out/flow out/cohort --output flags.csv
  cohort-flow flag out/flow --input new-patients.csv --output flags.csv --fdr 0.1")]
    Flag(Flag),
    /// Write one self-contained HTML file that compares models on a bundle
    #[command(
        after_help = "Example:\n  cohort-flow report out/cohort --model out/flow --model out/gmm --output report.html"
    )]
    Report(Report),
}

#[derive(Debug, Args)]
pub(super) struct Output {
    /// Where to write; appears whole or not at all
    #[arg(short, long, value_name = "PATH")]
    pub(super) output: PathBuf,

    /// Replace an output that exists
    #[arg(long)]
    pub(super) force: bool,
}

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Folder for everything the demo writes
    #[arg(short, long, value_name = "DIR", default_value = "out/demo")]
    pub(super) output: PathBuf,

    /// Keep a former demo and fail instead of replacing it
    #[arg(long)]
    pub(super) keep: bool,

    /// Synthetic patients
    #[arg(long, value_name = "N", default_value_t = 8000, value_parser = clap::value_parser!(u64).range(50..))]
    pub(super) patients: u64,

    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct Synth {
    /// Number of patients
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) patients: u64,

    #[command(flatten)]
    pub(super) output: Output,

    /// Seed; the first patients are the same for any number of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,

    /// Share of eligible stays that carry a planted anomaly
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub(super) anomalies: f64,

    /// Compress the tables (.csv.gz)
    #[arg(long)]
    pub(super) gzip: bool,
}

#[derive(Debug, Subcommand)]
pub(super) enum Schema {
    /// Report every problem of schema and pipeline files at once; exits with 1 when there are any
    Check {
        /// Files, or names of built-in ones
        #[arg(required = true, value_name = "FILE")]
        files: Vec<String>,
        /// Problems as JSON on stdout
        #[arg(long)]
        json: bool,
    },
    /// Print the variables of a schema, or the resolved form of a pipeline
    Show {
        /// File, or name of a built-in one
        #[arg(value_name = "NAME")]
        name: String,
        /// The resolved form as JSON
        #[arg(long)]
        json: bool,
    },
    /// List the built-in schemas and pipelines
    List,
}

#[derive(Debug, Args)]
pub(super) struct Ingest {
    /// Built-in pipeline (`schema list` names them) or a TOML file of your own
    #[arg(value_name = "PIPELINE")]
    pub(super) pipeline: String,

    /// Folder of the extract, or one table
    #[arg(short, long, value_name = "PATH")]
    pub(super) input: PathBuf,

    #[command(flatten)]
    pub(super) output: Output,

    /// Override a setting: transform=none, dequantize=none, seed=7, role.COLUMN=categorical, split.test=0.2
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) settings: Vec<(String, String)>,

    /// The audit as JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum ModelKind {
    /// ButterflyFlow: learned butterfly layers and spline couplings
    Butterfly,
    /// The same flow with dense PLU layers
    GlowLu,
    /// The same flow with fixed permutations
    Realnvp,
    /// Gaussian mixture by linfa
    Gmm,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Preset {
    /// Sized by the number of records and features
    Auto,
    /// Seconds
    Small,
    /// Minutes
    Base,
    /// Large data
    Large,
}

#[derive(Debug, Args)]
pub(super) struct Fit {
    /// Bundle made by `ingest`
    #[arg(value_name = "BUNDLE")]
    pub(super) bundle: PathBuf,

    #[command(flatten)]
    pub(super) output: Output,

    /// Model family
    #[arg(long, value_enum, default_value_t = ModelKind::Butterfly)]
    pub(super) model: ModelKind,

    /// Size and regularisation
    #[arg(long, value_enum, default_value_t = Preset::Auto)]
    pub(super) preset: Preset,

    /// Seed of initialisation, shuffling and noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,

    /// Upper bound on epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) epochs: Option<u32>,

    /// Wall-clock budget the schedule is fitted to: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(super) time_budget: Option<Duration>,

    /// Continue an interrupted run from its checkpoint
    #[arg(long)]
    pub(super) resume: bool,

    /// Override a setting of the preset: n_blocks=6, hidden=128, learning_rate=1e-3, dropout=0.1
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(super) settings: Vec<(String, String)>,

    /// The metrics as JSON on stdout
    #[arg(long)]
    pub(super) json: bool,
}

/// Records to work on: those of a bundle, or new ones from a table.
#[derive(Debug, Args)]
#[group(id = "records", required = true, multiple = false)]
pub(super) struct Records {
    /// Bundle made by `ingest`
    #[arg(value_name = "BUNDLE", group = "records")]
    pub(super) bundle: Option<PathBuf>,

    /// Table with the model's features as columns, one row per record (.csv, .csv.gz, .parquet)
    #[arg(short, long, value_name = "TABLE", group = "records")]
    pub(super) input: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(super) struct Draws {
    /// Noise draws per record; more tighten the bound
    #[arg(long, value_name = "N", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(super) draws: u32,

    /// Seed of the noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct Score {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,

    #[command(flatten)]
    pub(super) records: Records,

    #[command(flatten)]
    pub(super) output: Output,

    #[command(flatten)]
    pub(super) draws: Draws,
}

#[derive(Debug, Args)]
pub(super) struct Sample {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,

    /// Number of records
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(super) n: u64,

    #[command(flatten)]
    pub(super) output: Output,

    /// Seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct Flag {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(super) model: PathBuf,

    #[command(flatten)]
    pub(super) records: Records,

    #[command(flatten)]
    pub(super) output: Output,

    /// Flag so that the expected share of false flags stays below this (Benjamini–Hochberg)
    #[arg(long, value_name = "LEVEL", value_parser = share, conflicts_with = "alpha")]
    pub(super) fdr: Option<f64>,

    /// Flag every record with p-value at or below this [default, without --fdr: 0.01]
    #[arg(long, value_name = "LEVEL", value_parser = share)]
    pub(super) alpha: Option<f64>,

    /// Features named per flagged record
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u8).range(0..=20))]
    pub(super) explain: u8,

    /// Seed of the noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

#[derive(Debug, Args)]
pub(super) struct Report {
    /// Bundle the models were fitted to
    #[arg(value_name = "BUNDLE")]
    pub(super) bundle: PathBuf,

    /// Model folder; repeat for several
    #[arg(short, long, value_name = "MODEL", required = true)]
    pub(super) model: Vec<PathBuf>,

    #[command(flatten)]
    pub(super) output: Output,

    /// Show record identifiers and small counts; the page is marked
    #[arg(long)]
    pub(super) identifiable: bool,

    /// False discovery rate of the flags shown
    #[arg(long, value_name = "LEVEL", default_value_t = 0.1, value_parser = share)]
    pub(super) fdr: f64,

    /// Flag the records of this table instead of the bundle's test split
    #[arg(short, long, value_name = "TABLE")]
    pub(super) input: Option<PathBuf>,

    /// CSV of planted or known anomalies (`record_id`, `kind`) to hold the flags against
    #[arg(long, value_name = "FILE")]
    pub(super) labels: Option<PathBuf>,

    /// Seed of samples and noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(super) seed: u64,
}

fn key_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => Ok((key.trim().to_owned(), value.trim().to_owned())),
        _ => Err("expected KEY=VALUE, such as transform=none".into()),
    }
}

fn share(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(x) if x > 0.0 && x < 1.0 => Ok(x),
        _ => Err("expected a number between 0 and 1, such as 0.1".into()),
    }
}

fn duration(text: &str) -> Result<Duration, String> {
    let text = text.trim();
    let (number, factor) = match text.as_bytes().last() {
        Some(b's') => (&text[..text.len() - 1], 1.0),
        Some(b'm') => (&text[..text.len() - 1], 60.0),
        Some(b'h') => (&text[..text.len() - 1], 3600.0),
        _ => (text, 1.0),
    };
    match number.trim().parse::<f64>() {
        Ok(x) if x > 0.0 && x * factor < 1e9 => Ok(Duration::from_secs_f64(x * factor)),
        _ => Err("expected a time such as 90s, 10m or 1h".into()),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn arguments_are_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn durations_have_units() {
        assert_eq!(duration("90s").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("1.5m").unwrap(), Duration::from_secs(90));
        assert_eq!(duration("1h").unwrap(), Duration::from_hours(1));
        assert!(duration("soon").is_err() && duration("-1s").is_err() && duration("0").is_err());
    }

    #[test]
    fn records_come_from_a_bundle_or_a_table_but_not_both() {
        let parse = |args: &[&str]| Cli::try_parse_from(args.iter().copied());
        assert!(parse(&["cohort-flow", "score", "m", "b", "-o", "x.csv"]).is_ok());
        assert!(parse(&["cohort-flow", "score", "m", "--input", "t.csv", "-o", "x.csv"]).is_ok());
        assert!(parse(&["cohort-flow", "score", "m", "b", "--input", "t.csv", "-o", "x.csv"]).is_err());
        assert!(parse(&["cohort-flow", "score", "m", "-o", "x.csv"]).is_err());
    }
}
