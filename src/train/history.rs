//! One row per epoch, written as `history.csv`. No clock in it: equal runs give equal bytes.

use serde::{Deserialize, Serialize};

/// What one epoch did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Member of an ensemble, from 1; 1 for a single flow.
    #[serde(default = "first")]
    pub member: u32,
    /// 0 is the model before training.
    pub epoch: u32,
    /// Optimiser steps so far.
    pub step: u64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean bound per training record in nats, tensor space, with dropout, averaged over the epoch while the weights moved.
    pub train_log_prob: Option<f64>,
    /// Mean bound per validation record in nats, tensor space, of the averaged weights on noise fixed for the run.
    pub validation_log_prob: f64,
    /// Mean gradient norm before clipping.
    pub gradient_norm: Option<f64>,
    /// Share of steps that were clipped.
    pub clipped: Option<f64>,
    /// Roll-backs so far.
    pub rollbacks: u32,
    /// Whether this epoch's validation value is the best so far.
    pub best: bool,
}

const fn first() -> u32 {
    1
}
