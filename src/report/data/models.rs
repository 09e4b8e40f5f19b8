//! How the models were trained and what they are worth on held-out records.

use serde::Serialize;

use crate::artifact::Role;
use crate::report::Cell;

/// A model with its price.
#[derive(Debug, Clone, Serialize)]
pub struct ModelSummary {
    /// Unique within the report: "butterfly", "gmm", "butterfly 2".
    pub name: String,
    /// Kind, as in `model.json`.
    pub kind: String,
    /// Flow or mixture.
    pub family: Role,
    /// Seed of the fit.
    pub seed: u64,
    /// Trainable or free parameters.
    pub n_parameters: usize,
    /// Epochs run (EM iterations for mixtures, when known).
    pub epochs: Option<usize>,
    /// Time to fit.
    pub train_seconds: Option<f64>,
    /// Training throughput.
    pub rows_per_second: Option<f64>,
    /// Peak resident memory of the fit.
    pub peak_memory_bytes: Option<u64>,
    /// Scores by split.
    pub splits: Vec<SplitScore>,
}

/// Mean record log-likelihood of a split, in nats.
#[derive(Debug, Clone, Serialize)]
pub struct SplitScore {
    /// Split.
    pub split: String,
    /// Records.
    pub n: Cell,
    /// Of the normalised vector.
    pub mean: Option<f64>,
    /// Standard error of the mean.
    pub standard_error: Option<f64>,
    /// Median of the normalised vector's.
    pub median: Option<f64>,
    /// In original units.
    pub original_units: Option<f64>,
    /// Standard error of that mean.
    pub original_units_error: Option<f64>,
    /// In original units, with the tighter importance-weighted bound.
    pub importance_weighted: Option<f64>,
}

/// Training and validation by epoch.
#[derive(Debug, Clone, Serialize)]
pub struct LearningCurve {
    /// Model name.
    pub model: String,
    /// In order.
    pub epochs: Vec<Epoch>,
    /// Epoch whose weights were kept.
    pub best_epoch: Option<usize>,
    /// Standard error of the validation mean of the weights kept.
    pub validation_error: Option<f64>,
}

/// One epoch; mean log-likelihoods in nats per record.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Epoch {
    /// Number; 0 is before training.
    pub epoch: usize,
    /// On training records, with dropout and noise as trained.
    pub train: Option<f64>,
    /// On validation records.
    pub validation: Option<f64>,
}

/// Models ranked on one split, with differences over the same records.
#[derive(Debug, Clone, Serialize)]
pub struct Comparison {
    /// Split used.
    pub split: String,
    /// Its records.
    pub n: Cell,
    /// Best first.
    pub rows: Vec<ComparisonRow>,
}

/// A model's standing, in nats per record in original units.
#[derive(Debug, Clone, Serialize)]
pub struct ComparisonRow {
    /// Model name.
    pub model: String,
    /// Mean log-likelihood.
    pub mean: f64,
    /// Standard error.
    pub standard_error: f64,
    /// Mean of this − best, record by record; 0 for the best.
    pub difference: f64,
    /// Standard error of the difference.
    pub difference_error: f64,
    /// 95 % interval of the difference.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Per cent of records this model explains better than the best does.
    pub wins_percent: f64,
}

/// Spread of the log-likelihood within a split.
#[derive(Debug, Clone, Serialize)]
pub struct SplitLikelihood {
    /// Model name.
    pub model: String,
    /// Split.
    pub split: String,
    /// Records.
    pub n: Cell,
    /// In nats.
    pub quantiles: Quantiles,
}

/// The numbers of a box.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Quantiles {
    /// 5 %.
    pub p5: f64,
    /// 25 %.
    pub p25: f64,
    /// 50 %.
    pub p50: f64,
    /// 75 %.
    pub p75: f64,
    /// 95 %.
    pub p95: f64,
}
