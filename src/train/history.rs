//! The training history, one row per epoch, written as `history.csv`. It contains no clock times, so equal
//! runs give equal bytes.

use serde::{Deserialize, Serialize};

/// What happened in one epoch.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow {
    /// Number of the ensemble member, from 1. It is 1 for a single flow.
    #[serde(default = "first")]
    pub member: u32,
    /// Number of the epoch. Epoch 0 is the model before training.
    pub epoch: u32,
    /// Optimiser steps so far.
    pub step: u64,
    /// Learning rate of the last step.
    pub learning_rate: f64,
    /// Mean bound per training record in nats, in tensor space, with dropout. It is averaged over the epoch,
    /// while the weights change.
    pub train_log_prob: Option<f64>,
    /// Mean bound per validation record in nats, in tensor space, for the averaged weights. The noise is
    /// fixed for the run.
    pub validation_log_prob: f64,
    /// Mean gradient norm before clipping.
    pub gradient_norm: Option<f64>,
    /// Share of the steps whose gradient was clipped.
    pub clipped: Option<f64>,
    /// Roll-backs so far.
    pub rollbacks: u32,
    /// Whether this epoch's validation value is the best so far.
    pub best: bool,
}

impl HistoryRow {
    /// The row of a model before training.
    pub(crate) const fn untrained() -> Self {
        Self {
            member: first(),
            epoch: 0,
            step: 0,
            learning_rate: 0.0,
            train_log_prob: None,
            validation_log_prob: 0.0,
            gradient_norm: None,
            clipped: None,
            rollbacks: 0,
            best: false,
        }
    }
}

const fn first() -> u32 {
    1
}
