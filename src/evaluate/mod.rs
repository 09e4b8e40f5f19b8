//! Record log-likelihood of any density, as a bound over the noise that fills in discrete and missing values.
//!
//! ```text
//! log p(x_obs, m) ≥ E_{u,ε}[ log p_model(v) + Σ_observed log|∂v/∂x| − Σ_missing log N(ε; 0,1) ]
//! ```
//!
//! With S draws two estimates come of it: the mean of the S values, and the logarithm of the mean of their exponentials,
//! which lies nearer to the truth (Burda et al. 2016, arXiv:1509.00519). The bound itself: Theis et al. 2016,
//! arXiv:1511.01844; Ho et al. 2019, arXiv:1902.00275.

mod choice;
mod standardised;
mod unusual;

pub use choice::ScoreKind;
pub use standardised::{Axis as StandardisedAxis, Standardised, axes, standardise};
pub use unusual::{Combination, Depth, Distance, Scale, Score};

use ndarray::{Array2, ArrayView2, Axis, concatenate};
use serde::{Deserialize, Serialize};

use crate::density::Density;
use crate::features::Encoder;
use crate::num::moments::{mean, mean_and_standard_error};
use crate::num::quantile::median;
use crate::num::stable::log_mean_exp;
use crate::random::Seed;

/// Noise draws per record where nothing else is asked for.
pub const DRAWS: usize = 16;

/// Records × coordinates that are still scored with all [`DRAWS`]. A report on 70,000 × 200 took eleven minutes with them.
const DRAWS_WORK: usize = 1_000_000;
/// Fewest noise draws per record: with more records each matters less.
const FEWEST_DRAWS: usize = 4;

/// Noise draws per record for a bundle of `n` records of `d` coordinates.
pub fn draws_for(n: usize, d: usize) -> usize {
    (DRAWS * DRAWS_WORK / (n * d).max(1)).clamp(FEWEST_DRAWS, DRAWS)
}

/// Stands for the log-density of a vector so far out that the model's arithmetic gives −∞ or NaN, so that scores stay
/// numbers that can be ranked, averaged and stored.
pub const LOG_PROB_FLOOR: f64 = -1e12;

/// Scores of records under one model.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordScores {
    /// The bound in original units: mean over the draws of log p(v) + log|∂v/∂x| − log N(ε).
    pub log_prob: Vec<f64>,
    /// The bound in tensor space: the same without the Jacobian.
    pub log_prob_tensor: Vec<f64>,
    /// Importance-weighted bound in original units: log-mean-exp over the draws.
    pub log_prob_iw: Vec<f64>,
}

/// Scores the rows of `raw` with `draws` noise draws of `seed`, the same for any number of threads.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`]; each result has n values.
pub fn score_records(
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    draws: usize,
    seed: Seed,
) -> RecordScores {
    let n = raw.nrows();
    // values[i * draws + s]: the draws of one record side by side, for log_mean_exp.
    let mut original = Vec::new();
    let mut tensor_sum = vec![0.0; n];
    let mut used = 0;
    let mut first: Option<Array2<f64>> = None;
    let mut columns: Vec<Vec<f64>> = Vec::new();
    for draw in 0..draws.max(1) {
        let encoded = encoder.encode(raw, seed, draw as u64);
        // Without discrete or missing values there is no noise: further draws would repeat the first.
        if draw == 1 && first.as_ref() == Some(&encoded.values) {
            break;
        }
        let log_prob = density.log_prob(encoded.values.view());
        let mut column = Vec::with_capacity(n);
        for i in 0..n {
            let tensor = floored(log_prob[i] - encoded.log_noise[i]);
            tensor_sum[i] += tensor;
            column.push(floored(tensor + encoded.log_det[i]));
        }
        columns.push(column);
        used += 1;
        if draw == 0 {
            first = Some(encoded.values);
        }
    }
    let mut scores = RecordScores {
        log_prob: Vec::with_capacity(n),
        log_prob_tensor: tensor_sum.into_iter().map(|t| t / f64::from(used)).collect(),
        log_prob_iw: Vec::with_capacity(n),
    };
    for i in 0..n {
        original.clear();
        original.extend(columns.iter().map(|c| c[i]));
        scores.log_prob.push(original.iter().sum::<f64>() / f64::from(used));
        scores.log_prob_iw.push(log_mean_exp(&original));
    }
    scores
}

fn floored(x: f64) -> f64 {
    if x.is_finite() { x.max(LOG_PROB_FLOOR) } else { LOG_PROB_FLOOR }
}

/// `draws` noise draws of the same records, one below the other: what a density without a noise model of its own is
/// fitted on, so that it does not take one draw's noise for structure.
///
/// # Shapes
/// → `(draws · n, d)`
pub fn stacked_draws(encoder: &Encoder, raw: ArrayView2<'_, f64>, draws: usize, seed: Seed) -> Array2<f64> {
    let first = encoder.encode(raw, seed, 0).values;
    let mut all = vec![first];
    for draw in 1..draws.max(1) {
        let values = encoder.encode(raw, seed, draw as u64).values;
        if draw == 1 && values == all[0] {
            break;
        }
        all.push(values);
    }
    let views: Vec<_> = all.iter().map(Array2::view).collect();
    concatenate(Axis(0), &views).expect("invariant: every draw has the same shape")
}

/// What `metrics.json` says about one split; in nats per record.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct SplitMetrics {
    /// Records.
    pub n: usize,
    /// Mean bound, tensor space.
    pub mean_log_prob: f64,
    /// Its standard error over records; absent for a single record.
    pub standard_error: Option<f64>,
    /// Median bound, tensor space.
    pub median_log_prob: f64,
    /// Smallest bound, tensor space.
    pub min_log_prob: f64,
    /// Mean bound, original units.
    pub mean_log_prob_original_units: f64,
    /// Its standard error over records; absent for a single record.
    pub standard_error_original_units: Option<f64>,
    /// Mean importance-weighted bound, tensor space: the figure in original units less the mean Jacobian.
    pub mean_log_prob_iw: f64,
    /// Mean importance-weighted bound, original units.
    pub mean_log_prob_iw_original_units: f64,
}

/// Summarises the scores of a split; nothing for one without records.
pub fn split_metrics(scores: &RecordScores) -> Option<SplitMetrics> {
    let n = scores.log_prob.len();
    if n == 0 {
        return None;
    }
    let error = |e: f64| e.is_finite().then_some(e);
    let (tensor, tensor_error) = mean_and_standard_error(&scores.log_prob_tensor);
    let (original, original_error) = mean_and_standard_error(&scores.log_prob);
    let iw = mean(&scores.log_prob_iw);
    Some(SplitMetrics {
        n,
        mean_log_prob: tensor,
        standard_error: error(tensor_error),
        median_log_prob: median(&scores.log_prob_tensor),
        min_log_prob: scores.log_prob_tensor.iter().copied().fold(f64::INFINITY, f64::min),
        mean_log_prob_original_units: original,
        standard_error_original_units: error(original_error),
        mean_log_prob_iw: iw - (original - tensor),
        mean_log_prob_iw_original_units: iw,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metrics_are_those_of_the_records() {
        let scores = RecordScores {
            log_prob: vec![-1.0, -2.0, -6.0],
            log_prob_tensor: vec![-2.0, -3.0, -7.0],
            log_prob_iw: vec![-0.5, -2.0, -5.0],
        };
        let m = split_metrics(&scores).unwrap();
        assert_eq!((m.n, m.mean_log_prob, m.median_log_prob, m.min_log_prob), (3, -4.0, -3.0, -7.0));
        assert_eq!((m.mean_log_prob_original_units, m.mean_log_prob_iw_original_units), (-3.0, -2.5));
        // s² = ((2)² + 1² + 3²)/2 = 7.
        assert!((m.standard_error.unwrap() - (7.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        assert!((m.mean_log_prob_iw + 3.5).abs() < 1e-12);
    }

    #[test]
    fn one_record_has_no_standard_error_and_none_no_metrics() {
        let one = RecordScores { log_prob: vec![1.0], log_prob_tensor: vec![1.0], log_prob_iw: vec![1.0] };
        assert_eq!(split_metrics(&one).unwrap().standard_error, None);
        let none = RecordScores { log_prob: vec![], log_prob_tensor: vec![], log_prob_iw: vec![] };
        assert_eq!(split_metrics(&none), None);
    }
}
