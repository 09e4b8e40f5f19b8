//! Reasons why a training run ended without a model.

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
        /// Name of the split.
        split: &'static str,
        /// Number of records in the split.
        rows: usize,
        /// Number of records needed.
        needed: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("{split} record {row} (from 0), coordinate {coordinate} (from 0): not a finite number")]
    NotFinite {
        /// Name of the split.
        split: &'static str,
        /// Position of the record within the split.
        row: usize,
        /// Position of the coordinate.
        coordinate: usize,
    },
    /// Settings outside their ranges; all of them are listed.
    #[error("unusable settings:\n  {}", problems.join("\n  "))]
    Settings {
        /// One sentence for each setting.
        problems: Vec<String>,
    },
    /// Steps kept giving values that are not finite.
    #[error(
        "training diverged in epoch {epoch}: still not finite after {rollbacks} roll-backs, \
         learning rate {learning_rate:.1e}"
    )]
    Diverged {
        /// Epoch that failed.
        epoch: u32,
        /// Number of roll-backs made.
        rollbacks: u32,
        /// Peak learning rate of the last attempt.
        learning_rate: f64,
    },
    /// The user interrupted the run.
    #[error("training was interrupted after epoch {epoch}")]
    Interrupted {
        /// Last epoch that was finished.
        epoch: u32,
        /// Folder of the checkpoint, if one was given.
        checkpoint: Option<PathBuf>,
    },
    /// A checkpoint could not be written, or could not be continued.
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
