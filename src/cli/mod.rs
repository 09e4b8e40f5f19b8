//! The command line: arguments, progress, diagnostics. The only place that prints or exits.

mod args;
mod commands;
mod console;
mod diagnostics;
mod exit;
mod progress;

use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;

use crate::output;
use crate::pipeline::Error;
use args::{Cli, Global};
use console::Console;

/// Set by the first Ctrl-C of a run that can stop in good order.
static INTERRUPTED: AtomicBool = AtomicBool::new(false);
/// Whether the running command looks at [`INTERRUPTED`]; otherwise Ctrl-C cleans up and ends the process itself.
static GRACEFUL: AtomicBool = AtomicBool::new(false);

/// Runs the program on the process's arguments.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let console = Console::new(cli.global.quiet);
    log_to_stderr(&cli.global);
    on_interrupt();
    if let Some(threads) = cli.global.threads {
        // Fails only when a pool exists already, which a fresh process has not.
        let _ = rayon::ThreadPoolBuilder::new().num_threads(usize::from(threads)).build_global();
    }
    match commands::run(cli.command, &console) {
        Ok(outcome) => outcome.into(),
        Err(error) => {
            output::remove_unfinished();
            diagnostics::print(&error);
            ExitCode::from(if error.is_interrupt() { exit::INTERRUPTED } else { exit::ERROR })
        }
    }
}

/// Tracing events on stderr; `COHORT_FLOW_LOG` overrides the level given by `-v`.
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

/// Ctrl-C and SIGTERM: training is asked to write its checkpoint first; anything else is cleaned up and ended at once,
/// and so is training at the second signal.
fn on_interrupt() {
    let handled = ctrlc::set_handler(|| {
        if GRACEFUL.load(Ordering::SeqCst) && !INTERRUPTED.swap(true, Ordering::SeqCst) {
            return;
        }
        output::remove_unfinished();
        end_now();
    });
    if handled.is_err() {
        tracing::warn!("no handler for Ctrl-C: an interrupted run may leave a .partial file behind");
    }
}

#[expect(clippy::exit, reason = "the signal handler runs on its own thread and has no one to return to")]
fn end_now() {
    std::process::exit(i32::from(exit::INTERRUPTED));
}

/// Makes Ctrl-C set a flag instead of ending the process, while it lives.
#[derive(Debug)]
struct Graceful;

impl Graceful {
    fn begin() -> Self {
        GRACEFUL.store(true, Ordering::SeqCst);
        Self
    }

    fn requested() -> bool {
        INTERRUPTED.load(Ordering::SeqCst)
    }
}

impl Drop for Graceful {
    fn drop(&mut self) {
        GRACEFUL.store(false, Ordering::SeqCst);
    }
}

/// What a command gives back.
type Result = std::result::Result<exit::Outcome, Error>;
