//! How a cohort differs from an older one.

use serde::Serialize;

use super::Histogram;
use crate::report::Cell;

/// This cohort against an older one.
#[derive(Debug, Clone, Serialize)]
pub struct Drift {
    /// What the older cohort is called: the name of its folder.
    pub old: String,
    /// Its records.
    pub n_old: Cell,
    /// Records of this cohort.
    pub n_new: Cell,
    /// Whether both are the same records, to the byte.
    pub same: bool,
    /// Most changed first.
    pub features: Vec<FeatureDrift>,
    /// Whether patients have several records: tests then count each patient's records as one.
    pub repeated: bool,
    /// Features beyond chance, of those compared: any false alarm among all of them has a probability of 5 %
    /// at most.
    pub n_beyond_chance: usize,
    /// Features of which enough values are there to compare.
    pub n_compared: usize,
    /// Labels of features only the older cohort has.
    pub only_old: Vec<String>,
    /// Labels of features only this cohort has.
    pub only_new: Vec<String>,
    /// All features at once, by each model of the older cohort that was given.
    pub joint: Vec<JointDrift>,
}

/// One feature in both cohorts; new − old.
#[derive(Debug, Clone, Serialize)]
pub struct FeatureDrift {
    /// Feature label.
    pub label: String,
    /// Unit, empty when none.
    pub unit: String,
    /// What makes the comparison doubtful, such as another unit, and levels that only one cohort has; empty
    /// otherwise.
    pub note: String,
    /// Records with a value in the older cohort.
    pub n_old: Cell,
    /// In this one.
    pub n_new: Cell,
    /// Mean in the older cohort; none for categories.
    pub mean_old: Option<f64>,
    /// In this one.
    pub mean_new: Option<f64>,
    /// Difference of means in pooled standard deviations.
    pub smd: Option<f64>,
    /// Its standard error.
    pub smd_error: Option<f64>,
    /// Kolmogorov–Smirnov distance; none for categories.
    pub ks: Option<f64>,
    /// Cells of the index: values or levels where they are few, else atoms and tenths of both cohorts.
    pub cells: usize,
    /// Population stability index over the cells, with half a record added to each.
    pub psi: Option<f64>,
    /// What the index of this feature alone stays below in 95 % of cases without any change.
    pub psi_chance: Option<f64>,
    /// Probability of values at least as different without any change: Fisher's test of two cells; Pearson's
    /// of more; of numbers with more than two values, twice the smaller of Pearson's and of the rank-sum
    /// test.
    pub p_value: Option<f64>,
    /// The same among all features, by Holm's procedure.
    pub p_adjusted: Option<f64>,
    /// Whether the values changed by more than chance does.
    pub values_beyond_chance: bool,
    /// Per cent missing in the older cohort.
    pub missing_old: Cell,
    /// In this one.
    pub missing_new: Cell,
    /// Difference in percentage points; none where either share is hidden.
    pub missing_difference: Option<f64>,
    /// Its standard error.
    pub missing_error: Option<f64>,
    /// Probability of shares at least as different without any change; none where either share is hidden.
    pub missing_p_value: Option<f64>,
    /// The same among all features.
    pub missing_p_adjusted: Option<f64>,
    /// Whether missingness changed by more than chance does.
    pub missing_beyond_chance: bool,
    /// Whether values or missingness did.
    pub beyond_chance: bool,
}

/// What a model of the older cohort says about the records of this one.
#[derive(Debug, Clone, Serialize)]
pub struct JointDrift {
    /// Model name.
    pub model: String,
    /// Records of the older cohort it was not fitted on.
    pub n_old: Cell,
    /// Records of this cohort.
    pub n_new: Cell,
    /// Mean log-likelihood of the older records, in nats of the normalised vector.
    pub mean_old: f64,
    /// Of the new ones.
    pub mean_new: f64,
    /// New − old.
    pub difference: f64,
    /// Its standard error.
    pub error: f64,
    /// 95 % interval.
    pub low: f64,
    /// Its upper end.
    pub high: f64,
    /// Kolmogorov–Smirnov distance of the two sets of log-likelihoods.
    pub ks: f64,
    /// What chance alone exceeds in 5 % of cases.
    pub ks_chance: f64,
    /// Per cent of new records with a p-value of at most 5 % under the older calibration.
    pub odd_percent: Option<f64>,
    /// 95 % interval of that share.
    pub odd_low: Option<f64>,
    /// Its upper end.
    pub odd_high: Option<f64>,
    /// One sentence.
    pub verdict: String,
    /// Features that this cohort lacks and that are integrated out; the likelihoods are then in original
    /// units.
    pub integrated_out: Vec<String>,
    /// Features that are judged, where some are integrated out.
    pub n_shared: Option<usize>,
    /// New records of which the likelihood rests on few importance samples, where there are any.
    pub few_samples: Option<Cell>,
    /// Log-likelihoods: older records as data, new ones as samples.
    pub histogram: Option<Histogram>,
}
