//! Record log-likelihood of any density, as a bound over the noise that fills in discrete and missing values.
//!
//! ```text
//! log p(x_obs, m) ≥ E_{u,ε}[ log p_model(v) + Σ_observed log|∂v/∂x| − Σ_missing log N(ε; 0,1) ]
//! ```
//!
//! With S draws two estimates come of it: the mean of the S values, and the logarithm of the mean of their
//! exponentials, which lies nearer to the truth (Burda et al. 2016, arXiv:1509.00519). The bound itself:
//! Theis et al. 2016, arXiv:1511.01844; Ho et al. 2019, arXiv:1902.00275.

mod choice;
mod complexity;
mod domain;
mod evidence;
mod landmarks;
mod parts;
mod precision;
mod records;
mod standardised;
mod surprise;
mod tail;
mod unusual;

pub use choice::ScoreKind;
pub use domain::{Area, DomainColumn, DomainTest, FOLDS as DOMAIN_FOLDS, domain_test};
pub use landmarks::Landmarks;
pub use standardised::{Axis as StandardisedAxis, Standardised, axes, standardise};
pub use tail::Tail;
pub use unusual::{Judged, Reason, Score};

use serde::{Deserialize, Serialize};

pub use precision::{MEASURED_NUMBERS, PICTURE_SHARE, ScoreNoise, choose_draws, most_draws};
pub use records::{
    DRAWS, LOG_PROB_FLOOR, RecordScores, draws_for, record_scores_in, score_records, score_records_by,
    stacked_draws,
};

use crate::num::moments::{mean, mean_and_standard_error};
use crate::num::quantile::median;

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
    /// Of pictures, bits that a number takes on average, and their standard error over records.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bits_per_dimension: Option<Bits>,
}

/// Bits per number of a picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Bits {
    /// Mean over records.
    pub mean: f64,
    /// Its standard error over records; absent for a single record.
    pub standard_error: Option<f64>,
    /// Mean of the importance-weighted bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub importance_weighted: Option<f64>,
}

impl SplitMetrics {
    /// The same with bits per number, of pictures of so many numbers.
    #[must_use]
    pub fn of_pictures(mut self, numbers: usize) -> Self {
        let bits = |nats: f64| nats / (numbers as f64 * std::f64::consts::LN_2);
        self.bits_per_dimension = Some(Bits {
            mean: bits(-self.mean_log_prob_original_units),
            standard_error: self.standard_error_original_units.map(bits),
            importance_weighted: Some(bits(-self.mean_log_prob_iw_original_units)),
        });
        self
    }
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
        bits_per_dimension: None,
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
