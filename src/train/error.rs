//! Why a run did not end in a model.

use std::path::PathBuf;

use super::checkpoint::CheckpointError;
use crate::error::Hint;
use crate::flow::FlowError;

/// Failure of a training run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrainError {
    /// A split has too few records.
    #[error("{split} split has {rows} records, training a flow needs at least {needed}")]
    TooFewRows {
        /// Split.
        split: &'static str,
        /// Its records.
        rows: usize,
        /// Records needed.
        needed: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("{split} record {row} (from 0), coordinate {coordinate} (from 0): not a finite number")]
    NotFinite {
        /// Split.
        split: &'static str,
        /// Position within the split.
        row: usize,
        /// Coordinate.
        coordinate: usize,
    },
    /// Settings outside their ranges, all of them.
    #[error("unusable settings:\n  {}", problems.join("\n  "))]
    Settings {
        /// One sentence each.
        problems: Vec<String>,
    },
    /// Unknown or unusable `--set` settings, all of them.
    #[error("unusable settings:\n  {}", problems.join("\n  "))]
    Overrides {
        /// One sentence each.
        problems: Vec<String>,
        /// Every setting with what it may be.
        allowed: Vec<String>,
    },
    /// Steps kept becoming non-finite.
    #[error(
        "training diverged in epoch {epoch}: still not finite after {rollbacks} roll-backs, learning rate {learning_rate:.1e}"
    )]
    Diverged {
        /// Epoch.
        epoch: u32,
        /// Roll-backs made.
        rollbacks: u32,
        /// Peak learning rate of the last attempt.
        learning_rate: f64,
    },
    /// Ended by the user.
    #[error("training was interrupted after epoch {epoch}")]
    Interrupted {
        /// Last finished epoch.
        epoch: u32,
        /// Where the state is kept, if a place was given.
        checkpoint: Option<PathBuf>,
    },
    /// A checkpoint could not be written or continued.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The flow could not be built.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl Hint for TrainError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::TooFewRows { .. } => {
                Some("give the pipeline larger split fractions or more records, or fit `--model gmm`".into())
            }
            Self::NotFinite { .. } => Some(
                "coordinates come from the bundle; rebuild it with the default transform `normal-score`"
                    .into(),
            ),
            Self::Overrides { allowed, .. } => Some(format!("settings are\n  {}", allowed.join("\n  "))),
            Self::Diverged { .. } => Some(
                "try `--set learning_rate=1e-4`, or the default transform if the bundle was made without one"
                    .into(),
            ),
            Self::Interrupted { checkpoint: Some(path), .. } => {
                Some(format!("run the same command with --resume to continue from {}", path.display()))
            }
            Self::Interrupted { checkpoint: None, .. } | Self::Settings { .. } => None,
            Self::Checkpoint(e) => e.hint(),
            Self::Flow(e) => e.hint(),
        }
    }
}
