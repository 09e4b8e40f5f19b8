//! Arguments of the commands that make or read data: `synth`, `schema`, `ingest`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Output, key_value, share};

#[derive(Debug, Args)]
pub(in crate::cli) struct Synth {
    /// Number of patients
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) patients: u64,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Seed; the first patients are the same for any number of them
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,

    /// Share of eligible stays that carry a planted anomaly
    #[arg(long, value_name = "SHARE", default_value_t = 0.02, value_parser = share)]
    pub(in crate::cli) anomalies: f64,

    /// Bedside signals (PLETH and ABP, WFDB records) instead of tables; `--anomalies` is then the share of windows
    #[arg(long, conflicts_with = "gzip")]
    pub(in crate::cli) waveform: bool,

    /// Length of each waveform record
    #[arg(long, value_name = "N", default_value_t = 30.0, requires = "waveform")]
    pub(in crate::cli) minutes: f64,

    /// Compress the tables (.csv.gz)
    #[arg(long)]
    pub(in crate::cli) gzip: bool,
}

#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Schema {
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
pub(in crate::cli) struct Ingest {
    /// Built-in pipeline (`schema list` names them) or a TOML file of your own
    #[arg(value_name = "PIPELINE")]
    pub(in crate::cli) pipeline: String,

    /// Folder of the extract, or one table
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) input: PathBuf,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Override a setting: transform=none, dequantize=none, seed=7, role.COLUMN=categorical, split.test=0.2
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// The audit as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
