//! Exit codes: 0 done, 1 findings, 2 error, 130 interrupted. A broken pipe downstream counts as success.

use std::process::ExitCode;

use crate::pipeline::Error;

/// How a command ended that did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything that was requested is done.
    Done,
    /// The command did its work and found problems (`schema check`).
    Findings,
    /// The command did its work and found that another would fail (`ingest --check`).
    WouldFail,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Findings => Self::from(1),
            Outcome::WouldFail => Self::from(ERROR),
        }
    }
}

/// The result of every command.
pub(super) type Result = std::result::Result<Outcome, Error>;

/// Exit code of an error.
pub(super) const ERROR: u8 = 2;
/// Exit code after Ctrl-C. Shells use the same number, 128 + SIGINT.
pub(super) const INTERRUPTED: u8 = 130;
