//! Arguments of `check`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::shared::{duration, key_value};

#[derive(Debug, Args)]
pub(in crate::cli) struct Check {
    /// Table, folder of an extract, folder of signals, or pictures; what it is is recognised
    #[arg(value_name = "PATH")]
    pub(in crate::cli) input: PathBuf,

    /// New records of the same kind, which are flagged in place of the data themselves
    #[arg(long, value_name = "PATH")]
    pub(in crate::cli) new: Option<PathBuf>,

    /// Override a setting of `ingest`, such as missing.COLUMN=9, role.COLUMN=categorical or, of signals,
    /// channels=II+V
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_value)]
    pub(in crate::cli) settings: Vec<(String, String)>,

    /// Folder that receives everything; it appears complete or not at all
    #[arg(short, long, value_name = "DIR", default_value = "out/check")]
    pub(in crate::cli) output: PathBuf,

    /// Replace an existing output
    #[arg(long)]
    pub(in crate::cli) force: bool,

    /// Wall-clock time to end within, such as 90s, 10m or 1h: the flow is fitted in what reading, the
    /// mixture, the flags and the report leave of it, and in a quarter of it at least
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "5m")]
    pub(in crate::cli) time_budget: Duration,

    /// Seed of everything random
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(in crate::cli) seed: u64,

    /// Print the result as JSON in place of the ten lines
    #[arg(long)]
    pub(in crate::cli) json: bool,
}
