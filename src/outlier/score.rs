//! How unusual a record is, as one number: larger is more unusual.

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use crate::density::Density;
use crate::evaluate::score_records;
use crate::features::Encoder;
use crate::num::quantile::quantile_sorted;
use crate::random::Seed;

use super::feature::Feature;

/// What is calibrated. Calibration and new records must be scored by the same one, with as many noise draws.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Minus the record's log-likelihood bound, averaged over noise draws.
    #[default]
    LogLikelihood,
    /// The larger of that and the most extreme single value, each on the scale of reference records.
    Combined(Combination),
}

/// Scales that make the two parts of [`Score::Combined`] commensurable.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Combination {
    /// Of minus the log-likelihood.
    pub log_likelihood: Scale,
    /// Of the marginal tail score.
    pub marginal: Scale,
}

/// Location and scale of a score among reference records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Scale {
    /// Median.
    pub center: f64,
    /// 95 % quantile minus median, so that 1 is where one reference record in twenty lies above. Upper quantiles
    /// rather than a deviation: these scores are skewed, and what matters is that their upper tails meet.
    pub spread: f64,
}

impl Scale {
    fn fit(scores: &[f64]) -> Self {
        let mut sorted = scores.to_vec();
        sorted.sort_by(f64::total_cmp);
        if sorted.is_empty() {
            return Self { center: 0.0, spread: 1.0 };
        }
        let center = quantile_sorted(&sorted, 0.5);
        let spread = quantile_sorted(&sorted, 0.95) - center;
        Self { center, spread: if spread > 0.0 && spread.is_finite() { spread } else { 1.0 } }
    }

    fn apply(self, score: f64) -> f64 {
        (score - self.center) / self.spread
    }
}

impl Score {
    /// Fits [`Score::Combined`] on reference records. On validation records the calibration stays exactly valid; on
    /// the calibration records themselves p-values are off by O(1/n), since four quantiles are read from them.
    pub fn combined(
        density: &dyn Density,
        encoder: &Encoder,
        reference: ArrayView2<'_, f64>,
        draws: usize,
        seed: Seed,
    ) -> Self {
        let log_prob =
            score_records(density, encoder, reference, draws, seed.child("score scale", 0)).log_prob;
        let negative: Vec<f64> = log_prob.iter().map(|l| -l).collect();
        let marginal = marginal_scores(&Feature::all(encoder), reference);
        Self::Combined(Combination { log_likelihood: Scale::fit(&negative), marginal: Scale::fit(&marginal) })
    }

    /// The score from its parts.
    pub(super) fn of(self, log_prob: f64, marginal: impl FnOnce() -> f64) -> f64 {
        match self {
            Self::LogLikelihood => -log_prob,
            Self::Combined(c) => c.log_likelihood.apply(-log_prob).max(c.marginal.apply(marginal())),
        }
    }
}

/// Log-likelihoods and scores of records: `(log_prob, score)`.
pub(super) fn scores(
    density: &dyn Density,
    encoder: &Encoder,
    features: &[Feature],
    raw: ArrayView2<'_, f64>,
    score: Score,
    draws: usize,
    seed: Seed,
) -> (Vec<f64>, Vec<f64>) {
    let log_prob = score_records(density, encoder, raw, draws, seed).log_prob;
    let scores = log_prob
        .iter()
        .zip(raw.rows())
        .map(|(&log_prob, row)| score.of(log_prob, || marginal_score(features, row)))
        .collect();
    (log_prob, scores)
}

/// Scores of the calibration records, to be kept with the model: what new scores are ranked against.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`] → n scores
pub fn calibration_scores(
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    score: Score,
    draws: usize,
    seed: Seed,
) -> Vec<f64> {
    scores(density, encoder, &Feature::all(encoder), raw, score, draws, seed.child("calibration", 0)).1
}

fn marginal_scores(features: &[Feature], raw: ArrayView2<'_, f64>) -> Vec<f64> {
    (0..raw.nrows()).into_par_iter().map(|i| marginal_score(features, raw.row(i))).collect()
}

/// The most extreme observed value of a record: max over numeric features of −ln(2·min(F, 1 − F)), F the training
/// distribution function; 0 without any.
pub(super) fn marginal_score(features: &[Feature], row: ArrayView1<'_, f64>) -> f64 {
    let numeric = features.iter().zip(row).filter(|(f, x)| !f.is_categorical() && !x.is_nan());
    numeric.map(|(f, &x)| f.surprise(x)).fold(0.0, f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::testing::{TEMPERATURE, features};
    use ndarray::array;

    #[test]
    fn the_most_extreme_value_decides_the_marginal_score() {
        let features = features();
        let mut row = array![37.0, 85.0, 120.0, 65.0, 80.0, 170.0, 130.0];
        assert!(marginal_score(&features, row.view()) < 1e-12);
        row[TEMPERATURE] = 37.0 + 0.6 * 1.6449;
        assert!((marginal_score(&features, row.view()) - 10_f64.ln()).abs() < 1e-9);
        row.fill(f64::NAN);
        assert_eq!(marginal_score(&features, row.view()), 0.0);
    }

    #[test]
    fn the_combination_takes_the_more_unusual_part() {
        let combined = Score::Combined(Combination {
            log_likelihood: Scale { center: 10.0, spread: 2.0 },
            marginal: Scale { center: 3.0, spread: 1.0 },
        });
        assert_eq!(combined.of(-14.0, || 4.0), 2.0);
        assert_eq!(combined.of(-10.0, || 6.0), 3.0);
        assert_eq!(Score::LogLikelihood.of(-14.0, || unreachable!()), 14.0);
    }

    #[test]
    fn scales_read_the_upper_half() {
        let s = Scale::fit(&(0..=100).map(f64::from).collect::<Vec<_>>());
        assert_eq!((s.center, s.spread), (50.0, 45.0));
        assert_eq!(Scale::fit(&[2.0; 5]), Scale { center: 2.0, spread: 1.0 });
    }
}
