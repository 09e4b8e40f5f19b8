//! The `cohort-flow` program; everything it does lives in [`cohort_flow::cli`].

use std::process::ExitCode;

fn main() -> ExitCode {
    cohort_flow::cli::run()
}
