//! `completions` and `man`: what shells and manuals know of the program, made from the definitions of its
//! arguments.

use clap::CommandFactory;

use crate::error::IoError;
use crate::output::Staged;

use crate::cli::args;
use crate::cli::console::{Console, print};
use crate::cli::exit::{Outcome, Result};

pub(super) fn completions(args: &args::Completions) -> Result {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut args::Cli::command(), "cohort-flow", &mut script);
    print(&String::from_utf8_lossy(&script))?;
    Ok(Outcome::Done)
}

/// Writes one page for the program and one for each command.
pub(super) fn man(args: &args::Man, console: &Console) -> Result {
    let staged = Staged::dir(&args.output.output, args.output.force)?;
    let command = args::Cli::command().disable_help_subcommand(true);
    clap_mangen::generate_to(command, staged.path()).map_err(IoError::on("write", staged.path()))?;
    let pages = std::fs::read_dir(staged.path()).map_err(IoError::on("read", staged.path()))?.count();
    staged.commit()?;
    console.note(&format!("wrote {pages} pages to {}", args.output.output.display()));
    Ok(Outcome::Done)
}
