//! What a run tells whoever watches it. The command line draws bars from it; libraries may ignore it.

/// Known before the first step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartReport {
    /// Trainable parameters.
    pub n_parameters: usize,
    /// Training records.
    pub n_train: usize,
    /// Validation records.
    pub n_validation: usize,
    /// Most epochs.
    pub max_epochs: u32,
    /// Optimiser steps of an epoch.
    pub batches: usize,
    /// Epochs taken from a checkpoint; 0 when the run begins anew.
    pub resumed_epochs: u32,
}

/// Known after each epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// From 1; 0 is the model before training.
    pub epoch: u32,
    /// Most epochs.
    pub max_epochs: u32,
    /// Mean over the epoch's batches.
    pub train_log_prob: Option<f64>,
    /// Mean over the validation records.
    pub validation_log_prob: f64,
    /// Best so far.
    pub best_log_prob: Option<f64>,
    /// Its epoch.
    pub best_epoch: u32,
    /// Wall-clock seconds so far, those before a resume included.
    pub seconds: f64,
    /// Training rows per second so far.
    pub rows_per_second: f64,
}

/// Follows a run, and may end it.
pub trait Progress: Sync {
    /// Called once.
    fn start(&self, _report: &StartReport) {}
    /// Called after each optimiser step.
    fn batch(&self, _epoch: u32, _batch: usize, _batches: usize) {}
    /// Called after each epoch.
    fn epoch(&self, _report: &EpochReport) {}
    /// Called for what a user should know: a roll-back, a checkpoint that is not there.
    fn note(&self, _text: &str) {}
    /// Asked before each step; true ends the run after writing a checkpoint.
    fn interrupted(&self) -> bool {
        false
    }
}

/// Watches nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
