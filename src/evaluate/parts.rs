//! The two scores that look at the values one by one and at their dependence.
//!
//! ```text
//! marginal    Σ_j (−ln(2·min(F_j, 1 − F_j)) − 1)                     F_j: training distribution of value j, j observed
//! dependence  −log p(v) + Σ_j log m_j(v_j)                           m_j: density of coordinate j alone
//! ```
//!
//! Each term of the marginal score is exponential with mean 1 for ordinary values, so that a record with more
//! measurements is not more unusual for it. In normal scores m_j is the standard normal density; without a
//! transform it is that of a normal with the training mean and deviation. A record that is unusual in each
//! value by itself is not by its dependence, and the other way round: both beside each other say which.
//!
//! # References
//! Li et al. (2022), ECOD, arXiv:2201.00382 (sums of empirical tails).

use ndarray::ArrayView1;

use crate::features::{Encoder, FittedColumn, Transform};
use crate::num::special::normal_log_pdf;

/// Sum of the tails of the observed numbers, each less its expectation.
pub(super) fn marginal(encoder: &Encoder, row: ArrayView1<'_, f64>) -> f64 {
    let numbers = encoder.columns.iter().zip(row).filter(|(c, x)| c.levels.is_empty() && !x.is_nan());
    numbers.map(|(c, &x)| c.surprise(x) - 1.0).sum()
}

/// What the values are less likely together than one by one.
pub(super) fn dependence(encoder: &Encoder, row: ArrayView1<'_, f64>, log_prob_tensor: f64) -> f64 {
    let observed = encoder.columns.iter().zip(row).filter(|(_, x)| !x.is_nan());
    observed.map(|(c, &x)| c.marginal_log_density(x)).sum::<f64>() - log_prob_tensor
}

impl FittedColumn {
    /// Log-density of the coordinate of an observed value by itself, in the middle of its noise; of a level
    /// that stands apart its log-probability.
    fn marginal_log_density(&self, x: f64) -> f64 {
        if let Some(log_prob) = self.log_apart(x) {
            return log_prob;
        }
        match &self.transform {
            // Passed through, up to a shift.
            Transform::Affine { scale, .. } if *scale == 1.0 && self.sd > 0.0 => {
                normal_log_pdf((x - self.mean) / self.sd) - self.sd.ln()
            }
            _ => normal_log_pdf(self.encode(x, 0.5).0),
        }
    }
}
