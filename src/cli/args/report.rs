//! Arguments of `report`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared::{Output, share};

/// What `--format` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// One self-contained page
    Html,
    /// The numbers of the page, for machines
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// Bundle the models were fitted to
    #[arg(value_name = "BUNDLE")]
    pub(in crate::cli) bundle: PathBuf,

    /// Model folder; repeat for several
    #[arg(short, long, value_name = "MODEL", required = true)]
    pub(in crate::cli) model: Vec<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// What to write
    #[arg(long, value_enum, default_value_t = ReportFormat::Html, value_name = "FORMAT")]
    pub(in crate::cli) format: ReportFormat,

    /// Older bundle to show the drift from; give its model with --model as well for the drift of the likelihood
    #[arg(long, value_name = "OLD_BUNDLE")]
    pub(in crate::cli) compare: Option<PathBuf>,

    /// Show record identifiers, values of odd records and small counts; the page is marked
    #[arg(long)]
    pub(in crate::cli) identifiable: bool,

    /// False discovery rate of the flags shown
    #[arg(long, value_name = "LEVEL", default_value_t = 0.1, value_parser = share)]
    pub(in crate::cli) fdr: f64,

    /// Flag the records of this table instead of the bundle's test split
    #[arg(short, long, value_name = "TABLE")]
    pub(in crate::cli) input: Option<PathBuf>,

    /// CSV of planted or known anomalies (`record_id`, `kind`) to hold the flags against
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) labels: Option<PathBuf>,

    /// Seed of samples and noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}
