//! Arguments of the commands that prepare an ingestion on other machines: `plan` and `spark`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::shared::key_value;

#[derive(Debug, Args)]
pub(in crate::cli) struct Plan {
    /// Built-in pipeline (`schema list` names them), or a TOML file of your own
    #[arg(value_name = "PIPELINE")]
    pub(in crate::cli) pipeline: String,

    /// Database, for pipelines over concepts such as icu-first-24h: a built-in schema, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) schema: Option<String>,

    /// Override a setting, as for `ingest`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// Print the plan as JSON
    #[arg(long)]
    pub(in crate::cli) json: bool,
}

/// How the tables of a lake are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum TableFormat {
    /// Tables of a database in Spark's catalog
    Catalog,
    /// Parquet files, or folders of them
    Parquet,
    /// Delta tables
    Delta,
    /// CSV files with a header, also compressed
    Csv,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Spark {
    /// Built-in pipeline (`schema list` names them), or a TOML file of your own that all workers see
    #[arg(value_name = "PIPELINE")]
    pub(in crate::cli) pipeline: String,

    /// Database, for pipelines over concepts such as icu-first-24h: a built-in schema, or a TOML file
    #[arg(long, value_name = "NAME")]
    pub(in crate::cli) schema: Option<String>,

    /// Database of the catalog, or folder of the tables; the job lists the place of each table, to be changed
    #[arg(long, value_name = "PLACE")]
    pub(in crate::cli) tables: String,

    /// How the tables are stored
    #[arg(long, value_enum, default_value_t = TableFormat::Catalog)]
    pub(in crate::cli) format: TableFormat,

    /// Override a setting, as for `ingest`
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// File to write; left out, the job is printed
    #[arg(short, long, value_name = "PATH")]
    pub(in crate::cli) output: Option<PathBuf>,

    /// Replace an existing output
    #[arg(long)]
    pub(in crate::cli) force: bool,
}
