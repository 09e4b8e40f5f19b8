//! The command line: arguments, progress, diagnostics. The only place that prints or exits.

use std::process::ExitCode;

/// Runs the program on the process's arguments.
pub fn run() -> ExitCode {
    ExitCode::SUCCESS
}
