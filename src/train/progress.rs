//! What a run reports to its observer. The command line draws bars from these reports; a library user may
//! ignore them.

/// What is known before the first step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct StartReport {
    /// Number of trainable parameters.
    pub n_parameters: usize,
    /// Number of training records.
    pub n_train: usize,
    /// Number of validation records.
    pub n_validation: usize,
    /// Largest number of epochs.
    pub max_epochs: u32,
    /// Optimiser steps per epoch.
    pub batches: usize,
    /// Epochs taken from a checkpoint; 0 when the run starts from the beginning.
    pub resumed_epochs: u32,
}

/// What is known after each epoch.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EpochReport {
    /// Number of the epoch, from 1. Epoch 0 is the model before training.
    pub epoch: u32,
    /// Largest number of epochs.
    pub max_epochs: u32,
    /// Mean bound per training record over the epoch; `None` for epoch 0.
    pub train_log_prob: Option<f64>,
    /// Mean bound per validation record.
    pub validation_log_prob: f64,
    /// Best validation value so far.
    pub best_log_prob: Option<f64>,
    /// Epoch of the best validation value.
    pub best_epoch: u32,
    /// Wall-clock seconds so far, including the seconds before a resume.
    pub seconds: f64,
    /// Training records per second so far.
    pub rows_per_second: f64,
}

/// Observes a run, and may stop it.
pub trait Progress: Sync {
    /// Called once, before the first step.
    fn start(&self, _report: &StartReport) {}
    /// Called after each optimiser step.
    fn batch(&self, _epoch: u32, _batch: usize, _batches: usize) {}
    /// Called after each epoch.
    fn epoch(&self, _report: &EpochReport) {}
    /// Called with a message for the user, such as a roll-back or a missing checkpoint.
    fn note(&self, _text: &str) {}
    /// Called once, after the last step. Nothing asks [`Progress::interrupted`] during what follows, such as
    /// the scores of the calibration, but once right after this call, lest an answer between the two be lost.
    fn end(&self) {}
    /// Asked before each step. The answer true ends the run after a checkpoint is written.
    fn interrupted(&self) -> bool {
        false
    }
}

/// An observer that ignores every report.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Progress for Silent {}
