//! What the loop is told about a run, and what it tells afterwards.

use std::path::Path;

use serde_json::Value;

use super::HistoryRow;
use super::adam::Averaging;
use super::schedule::Schedule;

/// How a run proceeds, whatever is trained.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Recipe {
    /// The learning rate.
    pub(crate) schedule: Schedule,
    /// How parameters are averaged.
    pub(crate) averaging: Averaging,
    /// Largest gradient norm; longer gradients are clipped.
    pub(crate) clip_norm: f64,
    /// Largest number of epochs, at which the schedule ends.
    pub(crate) max_epochs: u32,
    /// Number of epochs without a better validation value after which the run stops.
    pub(crate) patience: u32,
    /// Wall-clock seconds into which the schedule is fitted.
    pub(crate) time_budget_seconds: Option<f64>,
    /// Number of epochs between checkpoints.
    pub(crate) checkpoint_epochs: u32,
    /// Seconds after which a checkpoint is written earlier, at the end of the epoch.
    pub(crate) checkpoint_seconds: f64,
}

/// Where a run keeps its state between epochs.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// Folder of the checkpoint. The caller removes it once the model is saved.
    pub dir: &'a Path,
    /// Settings and data of the run; the state of another run is refused.
    pub run: &'a Value,
    /// Whether to continue a state that is found there. The run then ends in the same bytes as if it had
    /// never been interrupted.
    pub resume: bool,
}

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Stop {
    /// Validation did not improve for `patience` epochs.
    EarlyStopping,
    /// The run reached `max_epochs`.
    MaxEpochs,
    /// The time budget is spent.
    TimeBudget,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub struct Trained<M> {
    /// The model with the weights that had the best validation value.
    pub model: M,
    /// One row per epoch.
    pub history: Vec<HistoryRow>,
    /// Number of epochs run.
    pub epochs: u32,
    /// Epoch that the weights are from.
    pub best_epoch: u32,
    /// Why the run ended.
    pub stop: Stop,
    /// Wall-clock seconds, including the seconds before a resume.
    pub seconds: f64,
    /// Training records per second.
    pub rows_per_second: f64,
}

impl<M> Trained<M> {
    /// The same result with what `f` makes of the model.
    pub(crate) fn map<N>(self, f: impl FnOnce(M) -> N) -> Trained<N> {
        let Self { model, history, epochs, best_epoch, stop, seconds, rows_per_second } = self;
        Trained { model: f(model), history, epochs, best_epoch, stop, seconds, rows_per_second }
    }

    /// Mean bound of the validation records with the weights of the model, in nats and in tensor space.
    pub fn validation_log_prob(&self) -> Option<f64> {
        let best = self.history.iter().find(|row| row.epoch == self.best_epoch);
        best.map(|row| row.validation_log_prob)
    }
}
