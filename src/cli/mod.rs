//! The command line: arguments, progress and diagnostics. No other module prints or exits.

mod args;
mod commands;
mod console;
mod diagnostics;
mod exit;
mod interrupt;
mod progress;
mod streams;

use std::process::ExitCode;

use clap::Parser;

use crate::output;
use crate::pipeline::Error;
use crate::plain_file;
use args::{Cli, Global, Messages};
use console::Console;

/// Runs the program with the arguments of the process.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let as_json = cli.global.messages == Messages::Json;
    let console = Console::new(cli.global.quiet, as_json);
    log_to_stderr(&cli.global);
    interrupt::handle(&console);
    plain_file::allow_links_out(!cli.global.no_follow_links);
    let threads = cli.global.threads.map_or(0, usize::from);
    let ended = start_threads(threads).and_then(|()| commands::run(cli.command, &console));
    if let Some(message) = plain_file::links_followed() {
        console.warn(&message);
    }
    match ended {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            output::remove_unfinished();
            if as_json {
                console.error(&error);
            } else {
                diagnostics::print(&error);
            }
            ExitCode::from(if error.is_interrupt() { exit::INTERRUPTED } else { exit::ERROR })
        }
    }
}

/// Starts the threads for the numerical work; 0 stands for as many as there are cores. They would be started
/// at their first use anyway, and would panic there if the system has no memory or no process left for them.
fn start_threads(number: usize) -> Result<(), Error> {
    rayon::ThreadPoolBuilder::new().num_threads(number).build_global().map_err(|e| Error::Usage {
        message: format!("the threads for the numerical work cannot be started: {e}"),
        hint: "pass --threads 1, or raise the limits of memory and of processes (`ulimit -v`, `ulimit -u`)"
            .into(),
    })
}

/// Writes tracing events to stderr. The variable `COHORT_FLOW_LOG` overrides the level given by `-v`.
fn log_to_stderr(global: &Global) {
    let level = match (global.quiet, global.verbose) {
        (true, _) => "error",
        (false, 0) => "warn",
        (false, 1) => "cohort_flow=info,warn",
        (false, _) => "cohort_flow=debug,info",
    };
    let filter = tracing_subscriber::EnvFilter::try_from_env("COHORT_FLOW_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new(level));
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}
