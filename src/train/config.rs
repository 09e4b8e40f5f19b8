//! Settings of the training run. The flow itself is described by [`FlowConfig`](crate::flow::FlowConfig).

use serde::{Deserialize, Serialize};

use crate::random::Seed;

/// Most training records that an epoch sees by default. A larger table is gone through in several epochs, so
/// that validation and the budget of time are looked at equally often whatever its size.
pub(super) const EPOCH_RECORDS: usize = 65_536;
/// Validation records that are looked at after each epoch, at most, by default. The error of their mean is
/// that of 10,000 records, and much smaller between two epochs, since they are the same records; with more of
/// them, looking would take longer than learning where time is short.
const VALIDATION_RECORDS: usize = 10_000;

fn epoch_records() -> usize {
    EPOCH_RECORDS
}

fn validation_records() -> usize {
    VALIDATION_RECORDS
}

/// Settings of the trainer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TrainConfig {
    /// Peak learning rate.
    pub learning_rate: f64,
    /// Factor on the learning rate of the mixing layers (parameters called `*.linear.*`).
    pub linear_rate: f64,
    /// Factor on the learning rate of a mixture base (parameters called `base.*`).
    pub base_rate: f64,
    /// Share of the peak learning rate at which the cosine ends.
    pub final_rate: f64,
    /// Share of the run that is spent on warm-up.
    pub warmup: f64,
    /// Decoupled weight decay of weight matrices.
    pub weight_decay: f64,
    /// Records per step. The batches of an epoch differ by at most one record.
    pub batch_size: usize,
    /// Largest number of epochs, at which the cosine ends. An epoch sees every training record once, or an
    /// equal share of them of at most `epoch_records`.
    pub max_epochs: u32,
    /// Largest number of training records of an epoch.
    #[serde(default = "epoch_records")]
    pub epoch_records: usize,
    /// Largest number of validation records that an epoch is judged by.
    #[serde(default = "validation_records")]
    pub validation_records: usize,
    /// Number of epochs without a better validation value after which the run stops.
    pub patience: u32,
    /// Decay factor of the averaged weights, per step.
    pub ema_decay: f64,
    /// Largest gradient norm; longer gradients are clipped.
    pub clip_norm: f64,
    /// Number of noise draws of the validation records. Early stopping goes by their mean.
    pub validation_draws: u32,
    /// Seed of the initial weights, shuffling, noise and dropout.
    pub seed: Seed,
    /// Wall-clock seconds into which the schedule is fitted. The result of a run with a budget depends on the
    /// machine's speed.
    pub time_budget_seconds: Option<f64>,
    /// Number of epochs between checkpoints.
    pub checkpoint_epochs: u32,
    /// Seconds after which a checkpoint is written earlier, at the end of the epoch.
    pub checkpoint_seconds: f64,
}

impl Default for TrainConfig {
    fn default() -> Self {
        Self {
            learning_rate: 2e-3,
            linear_rate: 1.0,
            base_rate: 1.0,
            final_rate: 0.01,
            warmup: 0.02,
            weight_decay: 1e-2,
            batch_size: 256,
            max_epochs: 200,
            epoch_records: EPOCH_RECORDS,
            validation_records: VALIDATION_RECORDS,
            patience: 40,
            ema_decay: 0.995,
            clip_norm: 5.0,
            validation_draws: 4,
            seed: Seed(0),
            time_budget_seconds: None,
            checkpoint_epochs: 25,
            checkpoint_seconds: 30.0,
        }
    }
}

/// Settings that change neither the numbers nor the meaning of a run. A run may be resumed with other values
/// of them.
const OPERATIONAL: [&str; 3] = ["time_budget_seconds", "checkpoint_epochs", "checkpoint_seconds"];

impl TrainConfig {
    /// Returns the settings that two runs must share to count as the same run.
    pub(crate) fn identity(&self) -> serde_json::Value {
        let mut value = serde_json::to_value(self).expect("invariant: settings are plain numbers");
        if let Some(map) = value.as_object_mut() {
            for key in OPERATIONAL {
                map.shift_remove(key);
            }
        }
        value
    }
}
