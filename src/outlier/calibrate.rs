//! From scores to calibrated decisions: split-conformal p-values and Benjamini–Hochberg q-values.
//!
//! ```text
//! p(s) = (1 + #{calibration scores ≥ s}) / (n_cal + 1)
//! q₍ᵢ₎ = min over k ≥ i of p₍ₖ₎ · n / k          p₍₁₎ ≤ … ≤ p₍ₙ₎
//! ```
//!
//! p is valid whatever the model is, as long as the calibration records were neither trained nor chosen on
//! and are exchangeable with the ordinary new ones. P-values that share a calibration set are positively
//! dependent, under which Benjamini–Hochberg keeps its false discovery rate (Bates et al. 2023,
//! arXiv:2104.08279). Nothing here knows where a score comes from.

use serde::{Deserialize, Serialize};

use super::OutlierError;

/// Sorted scores of ordinary records, against which new scores are ranked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Calibration {
    sorted: Vec<f64>,
}

impl Calibration {
    /// Takes the scores of the calibration records, in any order. A score that is not a number counts as +∞:
    /// a record no model can score is as unusual as a record can be, here as among the new ones.
    ///
    /// # Errors
    /// [`OutlierError::NoCalibration`] when there are none.
    pub fn new(scores: &[f64]) -> Result<Self, OutlierError> {
        if scores.is_empty() {
            return Err(OutlierError::NoCalibration);
        }
        let mut sorted: Vec<f64> = scores.iter().map(|&s| unusual_if_nan(s)).collect();
        sorted.sort_by(f64::total_cmp);
        Ok(Self { sorted })
    }

    /// Number of calibration records.
    pub fn n(&self) -> usize {
        self.sorted.len()
    }

    /// The scores in increasing order.
    pub fn sorted(&self) -> &[f64] {
        &self.sorted
    }

    /// Split-conformal p-value of one score; ties count against the record.
    pub fn p_value(&self, score: f64) -> f64 {
        let score = unusual_if_nan(score);
        let below = self.sorted.partition_point(|&c| c < score);
        (1 + self.n() - below) as f64 / (self.n() + 1) as f64
    }

    /// Split-conformal p-values, in the order of `scores`.
    pub fn p_values(&self, scores: &[f64]) -> Vec<f64> {
        scores.iter().map(|&s| self.p_value(s)).collect()
    }

    /// 1 / (n_cal + 1): no record can be more significant than this.
    pub fn smallest_p(&self) -> f64 {
        1.0 / (self.n() + 1) as f64
    }

    /// The score above which p ≤ `alpha`, or nothing where no score reaches it.
    pub fn threshold(&self, alpha: f64) -> Option<f64> {
        // p ≤ α  ⇔  #{cal ≥ s} ≤ α(n+1) − 1 = r  ⇔  s exceeds the (r+1)-th largest calibration score.
        let r = (alpha * (1.0 + ROUNDING) * (self.n() + 1) as f64).floor() - 1.0;
        if r < 0.0 {
            return None;
        }
        let rank = (r as usize).min(self.n());
        Some(if rank == self.n() { f64::NEG_INFINITY } else { self.sorted[self.n() - 1 - rank] })
    }
}

/// Relative slack of comparisons with a level: 3/60 must pass at 0.05 although its product rounds up.
pub(super) const ROUNDING: f64 = 1e-12;

fn unusual_if_nan(score: f64) -> f64 {
    if score.is_nan() { f64::INFINITY } else { score }
}

/// Benjamini–Hochberg q-values in the order of `p`: the smallest false discovery rate at which each row is
/// among the discoveries. Equal p-values get equal q-values, and a smaller p never has a larger q.
///
/// # References
/// Benjamini and Hochberg (1995), J. R. Stat. Soc. B 57, 289–300.
pub fn q_values(p: &[f64]) -> Vec<f64> {
    let n = p.len() as f64;
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut q = vec![0.0; p.len()];
    let mut running = 1.0_f64;
    for (rank, &row) in order.iter().enumerate().rev() {
        running = running.min(p[row] * n / (rank + 1) as f64);
        q[row] = running;
    }
    q
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    fn uniform(n: usize, seed: u64) -> Vec<f64> {
        let mut rng = Seed(seed).stream("scores", 0);
        (0..n).map(|_| rng.random::<f64>()).collect()
    }

    #[test]
    fn p_values_count_ties_against_the_record() {
        let c = Calibration::new(&[1.0, 2.0, 2.0, 3.0]).unwrap();
        assert_eq!(c.p_values(&[0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]), [1.0, 1.0, 0.8, 0.8, 0.4, 0.4, 0.2]);
        assert_eq!(c.smallest_p(), 0.2);
    }

    #[test]
    fn scores_that_are_not_numbers_are_the_most_unusual() {
        let c = Calibration::new(&[0.0, f64::NAN, 1.0]).unwrap();
        assert_eq!(c.p_value(f64::NAN), 0.5);
        assert_eq!(c.p_value(f64::INFINITY), 0.5);
        assert_eq!(c.p_value(f64::NEG_INFINITY), 1.0);
    }

    #[test]
    fn no_calibration_scores_is_an_error() {
        assert!(matches!(Calibration::new(&[]), Err(OutlierError::NoCalibration)));
    }

    #[test]
    fn threshold_separates_exactly_the_significant() {
        let c = Calibration::new(&uniform(199, 3)).unwrap();
        for alpha in [0.004, 0.005, 0.01, 0.05, 0.3, 0.999, 1.0] {
            let significant = |s: f64| c.p_value(s) <= alpha * (1.0 + ROUNDING);
            match c.threshold(alpha) {
                None => assert!(!significant(2.0)),
                Some(t) => {
                    assert!(
                        uniform(500, 4).iter().chain(c.sorted()).all(|&s| significant(s) == (s > t)),
                        "{alpha}"
                    );
                }
            }
        }
    }

    /// Over many independent calibration sets the p-value of an exchangeable record is uniform on {1/(n+1),
    /// …, 1}: Kolmogorov–Smirnov distance below the 0.1 % critical value 1.95/√m plus the lattice step.
    #[test]
    fn p_values_of_exchangeable_records_are_uniform() {
        let (m, n_cal) = (4000_u64, 99);
        let mut p: Vec<f64> = (0..m)
            .map(|seed| {
                let scores = uniform(n_cal + 1, 1000 + seed);
                Calibration::new(&scores[..n_cal]).unwrap().p_value(scores[n_cal])
            })
            .collect();
        p.sort_by(f64::total_cmp);
        let distance = p
            .iter()
            .enumerate()
            .map(|(i, &v)| ((i + 1) as f64 / m as f64 - v).abs().max((i as f64 / m as f64 - v).abs()))
            .fold(0.0, f64::max);
        assert!(distance < 1.95 / (m as f64).sqrt() + 0.01, "{distance}");
        let mean = p.iter().sum::<f64>() / m as f64;
        assert!((mean - 0.505).abs() < 4.0 * 0.289 / (m as f64).sqrt(), "{mean}");
    }

    /// Worked by hand: n = 6; p·n/rank = .006·6/1, .018·6/2, .02·6/3, .04·6/4, .1·6/5, .9 → running minimum
    /// from below.
    #[test]
    fn q_values_match_a_hand_computed_example() {
        let q = q_values(&[0.9, 0.006, 0.04, 0.018, 0.1, 0.02]);
        let expected = [0.9, 0.036, 0.06, 0.04, 0.12, 0.04];
        for (a, b) in q.iter().zip(expected) {
            assert!((a - b).abs() < 1e-12, "{q:?}");
        }
    }

    #[test]
    fn q_values_are_monotone_and_equal_for_ties() {
        let p: Vec<f64> = uniform(300, 9).iter().map(|u| (u * 40.0).ceil() / 40.0).collect();
        let q = q_values(&p);
        for i in 0..p.len() {
            assert!(q[i] >= p[i] && q[i] <= 1.0);
            for j in 0..p.len() {
                assert!(
                    p[i] < p[j] && q[i] <= q[j]
                        || p[i] > p[j] && q[i] >= q[j]
                        || p[i] == p[j] && q[i] == q[j]
                );
            }
        }
        assert!(q_values(&[]).is_empty());
        assert_eq!(q_values(&[0.03]), [0.03]);
    }
}
