//! How a run ends: 0 done, 1 findings, 2 error, 130 interrupted. A broken pipe downstream is success.

use std::process::ExitCode;

use crate::pipeline::Error;

/// What a command has to say when it did not fail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// Everything asked for was done.
    Done,
    /// Done, and problems were found (`schema check`).
    Findings,
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Done => Self::SUCCESS,
            Outcome::Findings => Self::from(1),
        }
    }
}

/// What a command gives back.
pub(super) type Result = std::result::Result<Outcome, Error>;

/// Exit code of errors.
pub(super) const ERROR: u8 = 2;
/// Exit code after Ctrl-C, as shells have it: 128 + SIGINT.
pub(super) const INTERRUPTED: u8 = 130;
