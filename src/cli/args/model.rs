//! Arguments of the commands that fit and use a model: `fit`, `score`, `sample`, `inspect`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::{Output, duration, key_value};

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ModelKind {
    /// ButterflyFlow: learned butterfly layers and spline couplings
    Butterfly,
    /// The same flow with dense PLU layers
    GlowLu,
    /// The same flow with fixed permutations
    Realnvp,
    /// Gaussian mixture by linfa
    Gmm,
    /// Vector autoregression with mixture innovations, for waveform windows
    Var,
    /// Causal flow on top of that autoregression, for waveform windows
    Causal,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Preset {
    /// Sized by the number of records and features
    Auto,
    /// Seconds
    Small,
    /// Minutes
    Base,
    /// Large data
    Large,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Calibration {
    /// The calibration split, set aside
    Split,
    /// Cross-conformal: every training and calibration record once
    Cross,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Fit {
    /// Bundle made by `ingest`
    #[arg(value_name = "BUNDLE")]
    pub(in crate::cli) bundle: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Model family [default: butterfly; causal for waveform windows]
    #[arg(long, value_enum)]
    pub(in crate::cli) model: Option<ModelKind>,

    /// Size and regularisation
    #[arg(long, value_enum, default_value_t = Preset::Auto)]
    pub(in crate::cli) preset: Preset,

    /// Seed of initialisation, shuffling and noise
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,

    /// Flows of different seeds in one mixture density, with a Gaussian mixture where there are two or more [default: by
    /// the preset]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100))]
    pub(in crate::cli) ensemble: Option<u32>,

    /// Upper bound on epochs
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) epochs: Option<u32>,

    /// Wall-clock budget the schedule is fitted to: 90s, 10m, 1h
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(in crate::cli) time_budget: Option<Duration>,

    /// Continue an interrupted run from its checkpoint
    #[arg(long)]
    pub(in crate::cli) resume: bool,

    /// Fit again without this share of the training records, the most unusual of a first fit, for training data that hold
    /// errors: 0.02; calibration records are never left out
    #[arg(long, value_name = "SHARE", value_parser = super::trimmed)]
    pub(in crate::cli) trim: Option<f64>,

    /// Fit the density of the other columns given these: p(vitals | age, sex); samples need them, flags do not judge them
    #[arg(long, value_name = "COLUMN,...", value_delimiter = ',')]
    pub(in crate::cli) condition_on: Vec<String>,

    /// Text column whose levels are calibrated each by themselves, so that `flag` errs as often in every group
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) calibrate_by: Option<String>,

    /// Where calibration scores come from: split, the calibration split; cross, all training and calibration records, each
    /// scored by a model fitted without its fold, for few records
    #[arg(long, value_enum, value_name = "HOW", default_value_t = Calibration::Split)]
    pub(in crate::cli) calibration: Calibration,

    /// Folds of --calibration cross, each fitted as the whole is
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(2..=100))]
    pub(in crate::cli) folds: u32,

    /// Override a setting of the preset: n_blocks=6, hidden=128, learning_rate=1e-3, dropout=0.1
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// The metrics as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// Records to work on: those of a bundle, or new ones from a table.
#[derive(Debug, Args)]
#[group(id = "records", required = true, multiple = false)]
pub(in crate::cli) struct Records {
    /// Bundle made by `ingest`
    #[arg(value_name = "BUNDLE", group = "records")]
    pub(in crate::cli) bundle: Option<PathBuf>,

    /// Table with the model's features as columns, one row per record (.csv, .csv.gz, .parquet)
    #[arg(short, long, value_name = "TABLE", group = "records")]
    pub(in crate::cli) input: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Draws {
    /// Noise draws per record [default: those of the model, chosen so that a score's own noise is below 0.1 nats]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) draws: Option<u32>,

    /// Seed of the noise draws [default: that of the model, with which `flag` scores as well]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Score {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) records: Records,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    #[command(flatten)]
    pub(in crate::cli) draws: Draws,

    /// Judge these features alone, the others integrated out: marginal log-likelihood, with the effective number of
    /// samples behind it
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', conflicts_with = "draws")]
    pub(in crate::cli) columns: Vec<String>,

    /// Importance samples per record; each brings its own noise and, unless the model is a Gaussian mixture, its own values
    /// of the other features
    #[arg(long, value_name = "N", default_value_t = 256, requires = "columns", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(in crate::cli) importance_samples: u32,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Sample {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    /// Number of records; with --given, completions of each record
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=100_000_000))]
    pub(in crate::cli) n: u64,

    /// Complete the records of this table: empty cells are drawn given the values that are there, which stay as they are
    #[arg(long, value_name = "TABLE")]
    pub(in crate::cli) given: Option<PathBuf>,

    /// Candidates per record that completions are chosen from, at least N
    #[arg(long, value_name = "N", default_value_t = 256, requires = "given", value_parser = clap::value_parser!(u32).range(2..=1_000_000))]
    pub(in crate::cli) importance_samples: u32,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Seed
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Inspect {
    /// Model folder made by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    /// Everything, the matrices included, as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
