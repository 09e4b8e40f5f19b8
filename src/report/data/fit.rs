//! Whether the model's records look like the data, whether its p-values hold, and which records are odd.

use serde::Serialize;

use crate::report::Cell;

/// Each feature of the data against samples.
#[derive(Debug, Clone, Serialize)]
pub struct Marginals {
    /// Model drawn.
    pub model: String,
    /// Split the samples are compared with.
    pub split: String,
    /// Samples drawn, equal to the number of real records used as yardstick.
    pub n_samples: usize,
    /// Worst-fitted first.
    pub features: Vec<Marginal>,
    /// Features for which a histogram is given.
    pub n_drawn: usize,
    /// All models, in the order given.
    pub models: Vec<ModelFit>,
}

/// How well a model's samples match, over all features.
#[derive(Debug, Clone, Serialize)]
pub struct ModelFit {
    /// Model name, or "training records" for the yardstick.
    pub model: String,
    /// Mean Kolmogorov–Smirnov distance to the split.
    pub mean_ks: f64,
    /// Largest.
    pub max_ks: f64,
    /// Features whose distance exceeds what chance alone gives at 5 %.
    pub n_beyond_chance: usize,
    /// Mean absolute difference of rank correlations.
    pub mean_correlation_error: Option<f64>,
}

/// One feature.
#[derive(Debug, Clone, Serialize)]
pub struct Marginal {
    /// Feature label.
    pub label: String,
    /// Unit, empty when none.
    pub unit: String,
    /// Kolmogorov–Smirnov distance of samples to the split.
    pub ks: f64,
    /// Of training records to the split: what a perfect model would get.
    pub ks_real: Option<f64>,
    /// Distance that chance alone exceeds in 5 % of cases, at these sizes.
    pub ks_chance: f64,
    /// Per cent missing in the split.
    pub missing_data: Cell,
    /// Per cent missing in the samples.
    pub missing_samples: f64,
    /// Drawn for the worst-fitted features.
    pub histogram: Option<Histogram>,
}

/// Shares by bin; every bin holds enough records to be printed.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Histogram {
    /// Bin edges, ascending, one more than bins; the outer bins include everything beyond. Empty for levels.
    pub edges: Vec<f64>,
    /// Level names, for features with levels.
    pub levels: Vec<String>,
    /// Per cent of the split's values in each bin.
    pub data: Vec<f64>,
    /// Half the width of its 95 % interval, in per cent: what another draw of records would move.
    pub error: Vec<f64>,
    /// Per cent of the samples' values.
    pub samples: Vec<f64>,
}

/// Spearman correlations over pairwise complete records.
#[derive(Debug, Clone, Serialize)]
pub struct Correlations {
    /// Model drawn.
    pub model: String,
    /// Split compared with.
    pub split: String,
    /// Features that were correlated: the first thousand of the table at most, without categories of several
    /// levels.
    pub n_correlated: usize,
    /// Labels of the features shown.
    pub labels: Vec<String>,
    /// Whether features were left out of the maps.
    pub truncated: bool,
    /// Data; `None` where too few records have both.
    pub data: Vec<Vec<Option<f64>>>,
    /// Samples.
    pub samples: Vec<Vec<Option<f64>>>,
    /// Samples − data.
    pub difference: Vec<Vec<Option<f64>>>,
    /// Pairs with the largest difference.
    pub worst: Vec<CorrelationPair>,
    /// Mean absolute difference of samples from the split, over all pairs.
    pub mean_error: f64,
    /// Of training records from the split: the yardstick.
    pub mean_error_real: Option<f64>,
}

/// Two features.
#[derive(Debug, Clone, Serialize)]
pub struct CorrelationPair {
    /// First label.
    pub first: String,
    /// Second label.
    pub second: String,
    /// In the data.
    pub data: f64,
    /// In the samples.
    pub samples: f64,
    /// In the training records.
    pub real: Option<f64>,
    /// Standard error of the data's correlation, from the records that have both.
    pub error: Option<f64>,
}

/// Conformal p-values of held-out records, which should be uniform.
#[derive(Debug, Clone, Serialize)]
pub struct Calibration {
    /// Model drawn.
    pub model: String,
    /// Split judged.
    pub split: String,
    /// Records judged.
    pub n: Cell,
    /// Records the p-values were calibrated on.
    pub n_calibration: Cell,
    /// Shares of p-values by bin, unless bins would be too small.
    pub histogram: Option<PValueHistogram>,
    /// Nominal and observed rates by model.
    pub alphas: Vec<AlphaRow>,
    /// Latent coordinates against the normal, for flows onto one.
    pub qq: Option<QqCurve>,
    /// Whether held-out records lie where the model puts its mass.
    pub regions: Option<Regions>,
}

/// p-values in equal bins over [0, 1]; ties among scores are broken at random, without which equal scores
/// would all have the largest p-value of theirs and no p-values were uniform.
#[derive(Debug, Clone, Serialize)]
pub struct PValueHistogram {
    /// Per cent of records by bin.
    pub percent: Vec<f64>,
    /// Lower end of the band that uniform p-values stay within for 95 % of bins.
    pub low: f64,
    /// Upper end.
    pub high: f64,
}

/// How many held-out records fall below a level.
#[derive(Debug, Clone, Serialize)]
pub struct AlphaRow {
    /// Model name.
    pub model: String,
    /// Nominal level.
    pub alpha: f64,
    /// Share expected of records like those of the calibration: the largest multiple of 1/(n + 1) up to the
    /// level.
    pub expected: f64,
    /// Whether more records than chance explains fall below the level, with the uncertainty of the
    /// calibration set.
    pub exceeded: bool,
    /// Observed share; hidden with few records.
    pub observed: Option<f64>,
    /// 95 % Wilson interval.
    pub low: Option<f64>,
    /// Its upper end.
    pub high: Option<f64>,
}

/// Shares of held-out records inside the densest regions of the model, which should be the regions' own
/// probability.
///
/// # References
/// Talts et al. (2018), arXiv:1804.06788, of ranks; Hyndman (1996), Computing and graphing highest density
/// regions.
#[derive(Debug, Clone, Serialize)]
pub struct Regions {
    /// Samples of the model that measure the regions.
    pub n_samples: usize,
    /// Probability of the region in per cent, and per cent of the records inside.
    pub points: Vec<[f64; 2]>,
    /// Largest distance, in per cent, that chance alone exceeds in 5 % of cases anywhere along the curve.
    pub chance: f64,
}

/// Sorted latent values against normal quantiles.
#[derive(Debug, Clone, Serialize)]
pub struct QqCurve {
    /// Normal quantile, quantile of all latent coordinates, and the lowest and highest coordinate's.
    pub points: Vec<[f64; 4]>,
    /// Band that 95 % of the quantiles of one perfectly normal coordinate keep to, at each point.
    pub chance: Vec<[f64; 2]>,
}

/// The oddest records of the bundle.
#[derive(Debug, Clone, Serialize)]
pub struct Outliers {
    /// Model that scored them.
    pub model: String,
    /// Rule in words: "false discovery rate 5 %".
    pub rule: String,
    /// Whose records: "test records", "new records".
    pub of: String,
    /// Features that the records lack and that are integrated out.
    pub integrated_out: Vec<String>,
    /// Records scored.
    pub n_scored: Cell,
    /// Records flagged.
    pub n_flagged: Cell,
    /// Oddest first.
    pub rows: Vec<OutlierRow>,
    /// Against planted anomalies, when their labels are known.
    pub planted: Option<Planted>,
    /// Labels of the bundle among flagged records and the others.
    pub outcomes: Vec<OutcomeRow>,
}

/// A label among flagged records and the others.
#[derive(Debug, Clone, Serialize)]
pub struct OutcomeRow {
    /// Label for people.
    pub label: String,
    /// Unit of the numbers.
    pub unit: String,
    /// Whether they are shares of records, and means otherwise.
    pub is_share: bool,
    /// Flagged records of which the label is known.
    pub n_flagged: Cell,
    /// Their share or mean; hidden where it would tell of few.
    pub flagged: Option<Interval>,
    /// The other records.
    pub n_rest: Cell,
    /// Their share or mean.
    pub rest: Option<Interval>,
}

/// A figure with its 95 % interval.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Interval {
    /// The figure.
    pub value: f64,
    /// Lower end.
    pub low: Option<f64>,
    /// Upper end.
    pub high: Option<f64>,
}

/// An odd record.
#[derive(Debug, Clone, Serialize)]
pub struct OutlierRow {
    /// Id, or "record 1" unless the report is identifiable.
    pub record: String,
    /// Log-likelihood in nats.
    pub log_prob: f64,
    /// Conformal p-value.
    pub p_value: f64,
    /// Benjamini–Hochberg q-value.
    pub q_value: f64,
    /// Whether the rule flags it.
    pub flagged: bool,
    /// Feature that explains most, by label.
    pub feature: String,
    /// What is odd and what would be ordinary.
    pub explanation: String,
    /// Nats gained by the suggested value.
    pub gain: Option<f64>,
}

/// Flags against the truth.
#[derive(Debug, Clone, Serialize)]
pub struct Planted {
    /// By kind of anomaly.
    pub kinds: Vec<PlantedKind>,
    /// Flagged records that are none.
    pub false_discovery: Option<f64>,
    /// Level asked for.
    pub fdr_level: f64,
}

/// Recall of one kind of anomaly.
#[derive(Debug, Clone, Serialize)]
pub struct PlantedKind {
    /// Kind, as in the labels.
    pub kind: String,
    /// Records with it.
    pub n: Cell,
    /// Share found by the rule.
    pub recall: Option<f64>,
    /// Share of those explained whose first explanation names a feature that was changed.
    pub named_first: Option<f64>,
    /// Area under the ROC curve of the score against ordinary records.
    pub auc: Option<f64>,
}
