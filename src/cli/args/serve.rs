//! Arguments of the commands for other programs: `serve`, `completions`, `man`.

use std::path::PathBuf;

use clap::Args;
use clap_complete::Shell;

use super::shared::Output;

#[derive(Debug, Args)]
pub(in crate::cli) struct Serve {
    /// Model folder written by `fit`
    #[arg(value_name = "MODEL")]
    pub(in crate::cli) model: PathBuf,

    /// Read requests on standard input and write answers to standard output; there is no other way yet
    #[arg(long, required = true)]
    pub(in crate::cli) stdio: bool,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Completions {
    /// The shell
    #[arg(value_enum, value_name = "SHELL")]
    pub(in crate::cli) shell: Shell,
}

#[derive(Debug, Args)]
pub(in crate::cli) struct Man {
    #[command(flatten)]
    pub(in crate::cli) output: Output,
}
