//! How a flow is trained. The flow itself is described by [`FlowConfig`](crate::flow::FlowConfig).

use serde::{Deserialize, Serialize};

use crate::random::Seed;

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
    /// Share of the peak the cosine ends at.
    pub final_rate: f64,
    /// Share of the run spent warming up.
    pub warmup: f64,
    /// Decoupled decay of weight matrices.
    pub weight_decay: f64,
    /// Records per step; batches of an epoch differ by at most one record.
    pub batch_size: usize,
    /// Most passes over the training records; the cosine ends there.
    pub max_epochs: u32,
    /// Epochs without a better validation value before stopping.
    pub patience: u32,
    /// Memory of the averaged weights, per step.
    pub ema_decay: f64,
    /// Largest gradient norm.
    pub clip_norm: f64,
    /// Noise draws of the validation records; their mean is the early-stopping criterion.
    pub validation_draws: u32,
    /// Seed of initial weights, shuffling, noise and dropout.
    pub seed: Seed,
    /// Wall-clock seconds the schedule is fitted into. Runs with a budget depend on the machine's speed.
    pub time_budget_seconds: Option<f64>,
    /// Epochs between checkpoints.
    pub checkpoint_epochs: u32,
    /// Seconds after which a checkpoint is due earlier, at the end of the epoch.
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

/// Settings that change neither a run's numbers nor its meaning: a run may be resumed with others.
const OPERATIONAL: [&str; 3] = ["time_budget_seconds", "checkpoint_epochs", "checkpoint_seconds"];

impl TrainConfig {
    /// The settings two runs must share to be the same run.
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
