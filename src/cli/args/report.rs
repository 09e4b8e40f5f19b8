//! Arguments of the commands that compare: `report` and `compare`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared::{Output, share};

/// Formats that `--format` accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum ReportFormat {
    /// One self-contained page
    Html,
    /// The numbers of the page as JSON, for programs
    Json,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Report {
    /// Bundle on which the models were fitted
    #[arg(value_name = "BUNDLE")]
    pub(in crate::cli) bundle: PathBuf,

    /// Model folder; repeat the option for several models
    #[arg(short, long, value_name = "MODEL", required = true)]
    pub(in crate::cli) model: Vec<PathBuf>,

    #[command(flatten)]
    pub(in crate::cli) output: Output,

    /// Format of the output
    #[arg(long, value_enum, default_value_t = ReportFormat::Html, value_name = "FORMAT")]
    pub(in crate::cli) format: ReportFormat,

    /// Older bundle to measure drift from; to see the drift of the likelihood too, give that bundle's model
    /// with --model; features that the newer bundle lacks are integrated out
    #[arg(long, value_name = "OLD_BUNDLE")]
    pub(in crate::cli) compare: Option<PathBuf>,

    /// Show the likelihood and the flags of each group of this column: a feature of the bundle, or a column
    /// of --by-table. Groups of few records are shown together
    #[arg(long, value_name = "COLUMN")]
    pub(in crate::cli) by: Option<String>,

    /// Table with the column of --by and the record ids, such as the table of stays of the extract
    #[arg(long, value_name = "TABLE", requires = "by")]
    pub(in crate::cli) by_table: Option<PathBuf>,

    /// Show record identifiers, values of unusual records and small counts; the page is marked as
    /// identifiable
    #[arg(long)]
    pub(in crate::cli) identifiable: bool,

    /// False discovery rate of the flags in the report
    #[arg(long, value_name = "LEVEL", default_value_t = 0.1, value_parser = share)]
    pub(in crate::cli) fdr: f64,

    /// Flag the records of this table, or of this other bundle, instead of the bundle's test split; features
    /// that the other bundle lacks are integrated out
    #[arg(short, long, value_name = "TABLE|BUNDLE")]
    pub(in crate::cli) input: Option<PathBuf>,

    /// Table that `flag` wrote: its flags are listed in the page for a reader to mark, by keyboard, as error,
    /// true but unusual, or not sure, and to download as CSV for `evaluate --marks`
    #[arg(long, value_name = "FLAGS")]
    pub(in crate::cli) review: Option<PathBuf>,

    /// CSV of planted or known anomalies (`record_id`, `kind`) to compare the flags with
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) labels: Option<PathBuf>,

    /// Seed of the samples and noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Compare {
    /// Bundle that the other one is held against
    #[arg(value_name = "A")]
    pub(in crate::cli) a: PathBuf,

    /// The other bundle, of the same database or of another one
    #[arg(value_name = "B")]
    pub(in crate::cli) b: PathBuf,

    /// Model fitted on A; features that B lacks are integrated out. Repeat the option for several models
    #[arg(short, long, value_name = "MODEL")]
    pub(in crate::cli) model: Vec<PathBuf>,

    /// Features to show
    #[arg(long, value_name = "N", default_value_t = 12)]
    pub(in crate::cli) top: usize,

    /// Print the comparison of all features as JSON on stdout
    #[arg(long)]
    pub(in crate::cli) json: bool,

    /// Seed of the noise draws
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,
}
