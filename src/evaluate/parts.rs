//! What a record can be unusual by, in nats or in units of distance, before anything is compared.
//!
//! ```text
//! vector      −log p(v) − H·(observed coordinates)         H = ½ ln(2πe), of a standard normal coordinate
//! marginal    Σ_j (−ln(2·min(F_j, 1 − F_j)) − 1) − Σ log P(absent)      F_j: training distribution of value j
//! extreme     max_j −ln(2·min(F_j, 1 − F_j))               or what is missing against expectation
//! dependence  −log p(v) + Σ_j log m_j(v_j)                 m_j: density of coordinate j alone
//! ```
//!
//! Each term of the marginal measure is exponential with mean 1 for ordinary numbers, so that a record with
//! more measurements is not more unusual for it; a level of text counts by its rarity among the levels, and
//! what is hardly ever missing by its probability. In normal scores m_j is the standard normal density;
//! without a transform it is that of a normal with the training mean and deviation. A record that is unusual
//! in each value by itself is not by its dependence, and the other way round: both beside each other say
//! which.
//!
//! # References
//! Li et al. (2022), ECOD, arXiv:2201.00382 (sums of empirical tails).

mod onnx;

pub(super) use onnx::{extreme_in, limited, marginal_in, unmet_in, vector_in};

use ndarray::ArrayView1;

use crate::features::{Encoder, FittedColumn, Transform};
use crate::num::special::normal_log_pdf;

/// ½ ln(2πe): minus the expected log-density of one standard normal coordinate.
const NORMAL_ENTROPY: f64 = 1.418_938_533_204_672_7;
/// Stands for the surprise of a value so far out that the arithmetic overflows.
pub(super) const MOST: f64 = 1e12;

/// Minus the log-density of the vector, less its expectation for as many standard normal coordinates as are
/// observed.
pub(super) fn vector(log_prob_tensor: f64, row: ArrayView1<'_, f64>) -> f64 {
    let observed = row.iter().filter(|x| !x.is_nan()).count();
    -log_prob_tensor - NORMAL_ENTROPY * observed as f64
}

/// Sum of the tails of the observed values, each less its expectation, and of what is missing against
/// expectation.
pub(super) fn marginal(encoder: &Encoder, row: ArrayView1<'_, f64>) -> f64 {
    let observed = encoder.columns.iter().zip(row).filter(|(_, x)| !x.is_nan());
    let values: f64 = observed.map(|(c, &x)| c.surprise(x).min(MOST) - 1.0).sum();
    values - encoder.absences.iter().map(|a| a.log_prob(|c| row[c])).sum::<f64>()
}

/// The largest of the tails of the observed values, or the surprise of the absence of a value that is hardly
/// ever missing; 0 without any.
pub(super) fn extreme(encoder: &Encoder, row: ArrayView1<'_, f64>) -> f64 {
    let observed = encoder.columns.iter().zip(row).filter(|(_, x)| !x.is_nan());
    let absent = encoder.absences.iter().map(|a| -a.log_prob(|c| row[c]));
    observed.map(|(c, &x)| c.surprise(x).min(MOST)).chain(absent).fold(0.0, f64::max)
}

/// The surprise of a value that training never met, in nats: of several the largest, 0 without any.
pub(super) fn unmet(encoder: &Encoder, row: ArrayView1<'_, f64>) -> f64 {
    let met_in_none = encoder.columns.iter().zip(row).filter_map(|(column, x)| match &column.transform {
        Transform::Levels(levels) if !x.is_nan() => levels.apart(*x).filter(|apart| apart.share == 0.0),
        _ => None,
    });
    met_in_none.map(|apart| -apart.at_most.min(1.0).ln()).fold(0.0, f64::max)
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_observed_values_does_not_count_against_a_record() {
        let of =
            |x: &[f64]| vector(-NORMAL_ENTROPY * x.iter().filter(|x| !x.is_nan()).count() as f64, x.into());
        assert!(of(&[1.0, 2.0]).abs() < 1e-12 && of(&[1.0, f64::NAN]).abs() < 1e-12);
    }

    #[test]
    fn a_level_never_met_counts_by_how_often_such_are_met() {
        use crate::features::{Levels, Rare};
        let levels =
            |counts: &[u64]| Levels::fit((0..counts.len()).map(|i| i as f64).collect(), counts, Rare::Apart);
        let unmet = |counts: &[u64]| levels(counts).apart(99.0).unwrap().at_most;
        assert!(unmet(&[300, 253]) < 0.001, "all levels are met again and again");
        assert!(unmet(&[300, 200, 1, 1, 1, 1, 1, 1, 1, 1]) > 0.01, "new ones are met all the time");
        assert!(levels(&[300, 253]).apart(1.0).is_none());
    }
}
