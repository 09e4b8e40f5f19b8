//! Arguments of the commands that fit and use a model: `fit`, `score`, `sample`, `inspect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::PossibleValue;
use clap::{Args, ValueEnum};

use crate::artifact::Family;
use crate::features::DrawsBy;
use crate::train::Preset;

use super::shared::{Output, draws_by, duration, key_value, trimmed};

impl ValueEnum for Family {
    fn value_variants<'a>() -> &'a [Self] {
        Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.definition().help))
    }
}

impl ValueEnum for Preset {
    fn value_variants<'a>() -> &'a [Self] {
        &Self::ALL
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(PossibleValue::new(self.name()).help(self.help()))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Calibration {
    /// Use the calibration split, which is set aside for this purpose
    Split,
    /// Cross-conformal: score every training and calibration record once, by a model fitted without its fold
    Cross,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Fit {
    /// Bundle written by `ingest`
    #[arg(value_name = "BUNDLE")]
    pub(in crate::cli) bundle: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Model family [default: butterfly; for waveform windows and pictures: causal]
    #[arg(long, value_enum)]
    pub(in crate::cli) model: Option<Family>,

    /// Size and regularisation of the model
    #[arg(long, value_enum, default_value_t = Preset::Auto)]
    pub(in crate::cli) preset: Preset,

    /// Seed of initialisation, shuffling and noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,

    /// Number of flows with different seeds in one mixture density; two or more are joined by mixtures of
    /// Gaussians and of t distributions and by autoregressive mixtures [default: chosen by the preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(in crate::cli) ensemble: Option<u32>,

    /// Largest number of epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) epochs: Option<u32>,

    /// Wall-clock time for the whole fit, scoring included, such as 90s, 10m or 1h; the learning-rate
    /// schedule is fitted into it, and a time that is too short for a flow gives a mixture
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) time_budget: Option<Duration>,

    /// Continue an interrupted run from its checkpoint
    #[arg(long)]
    pub(in crate::cli) resume: bool,

    /// Share of the training records to leave out, such as 0.02, when the training data hold errors; a first
    /// fit finds the most unusual records, and a second fit is made without them; calibration records are
    /// never left out
    #[arg(long, value_name = "SHARE", value_parser = trimmed)]
    pub(in crate::cli) trim: Option<f64>,

    /// Fit the density of the other columns given these, as in p(vitals | age, sex); samples need their
    /// values, and flags do not judge them
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(in crate::cli) condition_on: Vec<String>,

    /// Text column whose levels are calibrated separately, so that the rate of false flags is the same in
    /// every group
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) calibrate_by: Option<String>,

    /// Where the calibration scores come from; choose cross when there are few records
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Calibration::Split)]
    pub(in crate::cli) calibration: Calibration,

    /// Number of folds of --calibration cross; each fold needs a fit of its own with the same settings
    #[arg(long, value_name = "N", default_value_t = 5,
        value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(in crate::cli) folds: u32,

    /// Override a setting of the model: n_blocks=6, hidden=128, learning_rate=1e-3, dropout=0.1 for flows,
    /// order=dependence, most_experts=4 for armix; a wrong key lists them all
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// Print the metrics as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// The records to work on: those of a bundle, or new ones from a table.
#[derive(Debug, Args)]
#[group(id = "records", required = true, multiple = false)]
pub(in crate::cli) struct Records {
    /// Bundle written by `ingest`
    #[arg(value_name = "BUNDLE", group = "records")]
    pub(in crate::cli) bundle: Option<PathBuf>,

    /// Table with the model's features as columns and one row per record (.csv, .csv.gz, .parquet,
    /// .arrow); - reads it from standard input
    #[arg(short, long, value_name = "TABLE", group = "records")]
    pub(in crate::cli) input: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Noise {
    /// Noise draws per record [default: those of the model, chosen so that a score's own noise is below 0.1
    /// nats]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) draws: Option<u32>,

    /// Seed of the noise draws [default: that of the model, with which `flag` scores as well]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,

    /// What the noise draws hang on: the record, or nothing, so that they are fixed, as those of a graph of
    /// `export --format onnx` are
    #[arg(long, value_name = "WHAT", default_value = "record", value_parser = draws_by())]
    pub(in crate::cli) draws_by: DrawsBy,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Score {
    /// Model folder written by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) records: Records,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    #[command(flatten)]
    pub(in crate::cli) draws: Noise,

    /// Judge these features alone: the marginal log-likelihood, with the other features integrated out, and
    /// the effective number of samples behind it
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', conflicts_with = "draws")]
    pub(in crate::cli) columns: Vec<String>,

    /// Number of importance samples per record where features are integrated out, by --columns or because the
    /// bundle lacks them; each draws its own noise and, unless the model is a Gaussian mixture, its own
    /// values of these features [default: 256 with --columns, else 64]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(in crate::cli) importance_samples: Option<u32>,
}

/// Four whole numbers.
fn rectangle(text: &str) -> Result<[usize; 4], String> {
    let numbers: Result<Vec<usize>, _> = text.split(',').map(|part| part.trim().parse()).collect();
    let four = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    four.ok_or_else(|| "expected top, left, height and width in pixels, such as 8,8,4,6".into())
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Sample {
    /// Model folder written by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    /// Number of records; with --given, the number of completions of each record
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(in crate::cli) n: u64,

    /// Complete the records of this table: empty cells are drawn given the values that are present, which
    /// stay unchanged; - reads it from standard input
    #[arg(long, value_name = "TABLE")]
    pub(in crate::cli) given: Option<PathBuf>,

    /// Complete this rectangle of every picture of the table as well, in pixels from 0. A causal flow of
    /// pictures draws pixels given those before them; those after choose among the candidates
    #[arg(long, value_name = "TOP,LEFT,HEIGHT,WIDTH", requires = "given", value_parser = rectangle)]
    pub(in crate::cli) mask: Option<[usize; 4]>,

    /// Number of candidates per record from which the completions are chosen; at least the number of
    /// completions
    #[arg(long, value_name = "N", default_value_t = 256, requires = "given",
        value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(in crate::cli) importance_samples: u32,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Seed of the random numbers
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// Model folder written by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    /// Print everything, including the matrices, as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
