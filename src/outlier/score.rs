//! Scores to rank new records against.

use ndarray::ArrayView2;

use crate::density::Density;
use crate::evaluate::{Score, score_records};
use crate::features::Encoder;
use crate::random::Seed;

/// Scores of the calibration records, to be kept with the model: what new scores are ranked against. New
/// records are scored with the same seed, so that a calibration record among them has its own score again.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`] → n scores
pub fn calibration_scores(
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    score: &Score,
    draws: usize,
    seed: Seed,
) -> Vec<f64> {
    let scores = score_records(density, encoder, raw, draws, seed);
    score.of_all(encoder, raw, &scores)
}
