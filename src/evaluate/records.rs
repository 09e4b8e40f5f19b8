//! Scores of records by averaging over draws of their noise.

mod onnx;

pub use onnx::record_scores_in;

use ndarray::{Array2, ArrayView2, Axis, Slice, concatenate};
use serde::{Deserialize, Serialize};

use crate::density::Density;
use crate::features::{DrawsBy, Encoder, RecordKey};
use crate::num::stable::log_mean_exp;
use crate::random::Seed;

/// Noise draws per record where nothing else is asked for.
pub const DRAWS: usize = 16;

/// Records × coordinates that are still scored with all [`DRAWS`]. A report on 70,000 × 200 took eleven
/// minutes with them.
const DRAWS_WORK: usize = 1_000_000;
/// Fewest noise draws per record: with more records each matters less.
const FEWEST_DRAWS: usize = 2;
/// Numbers that are encoded at a time: memory does not grow with the number of records or draws.
const NUMBERS: usize = 1 << 21;

/// Noise draws per record for means over `n` records of `d` coordinates.
pub fn draws_for(n: usize, d: usize) -> usize {
    (DRAWS * DRAWS_WORK / (n * d).max(1)).clamp(FEWEST_DRAWS, DRAWS)
}

/// Stands for the log-density of a vector so far out that the model's arithmetic gives −∞ or NaN, so that
/// scores stay numbers that can be ranked, averaged and stored.
pub const LOG_PROB_FLOOR: f64 = -1e12;

/// Scores of records under one model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordScores {
    /// The bound in original units: mean over the draws of log p(v) + log|∂v/∂x| − log N(ε).
    pub log_prob: Vec<f64>,
    /// The bound in tensor space: the same without the Jacobian.
    pub log_prob_tensor: Vec<f64>,
    /// Importance-weighted bound in original units: log-mean-exp over the draws.
    pub log_prob_iw: Vec<f64>,
}

/// Scores the rows of `raw` with `draws` stratified noise draws of `seed`. The scores of a record hang on its
/// content, the seed and the number of draws alone: whatever the other rows, and for any number of threads.
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
    score_records_by(DrawsBy::Record, density, encoder, raw, draws, seed)
}

/// The same with draws that hang on what `by` says.
///
/// # Shapes
/// As [`score_records`]
pub fn score_records_by(
    by: DrawsBy,
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    draws: usize,
    seed: Seed,
) -> RecordScores {
    let n = raw.nrows();
    let mut scores = RecordScores {
        log_prob: Vec::with_capacity(n),
        log_prob_tensor: Vec::with_capacity(n),
        log_prob_iw: Vec::with_capacity(n),
    };
    let some = (NUMBERS / (draws.max(1) * encoder.n_coordinates()).max(1)).max(1);
    let mut original = Vec::with_capacity(draws);
    for from in (0..n).step_by(some) {
        let rows = raw.slice_axis(Axis(0), Slice::from(from..(from + some).min(n)));
        let drawn = encoder.encode_draws_by(by, rows, draws, seed);
        let encoded = &drawn.encoded;
        let log_prob = density.log_prob(encoded.values.view());
        for ends in drawn.begins.windows(2) {
            let used = (ends[1] - ends[0]) as f64;
            let mut tensor_sum = 0.0;
            original.clear();
            for at in ends[0]..ends[1] {
                let tensor = floored(log_prob[at] - encoded.log_noise[at]);
                tensor_sum += tensor;
                original.push(floored(tensor + encoded.log_det[at]));
            }
            scores.log_prob_tensor.push(tensor_sum / used);
            scores.log_prob.push(original.iter().sum::<f64>() / used);
            scores.log_prob_iw.push(log_mean_exp(&original));
        }
    }
    scores
}

fn floored(x: f64) -> f64 {
    if x.is_finite() { x.max(LOG_PROB_FLOOR) } else { LOG_PROB_FLOOR }
}

/// `draws` noise draws of the same records, one below the other: what a density without a noise model of its
/// own is fitted on, so that it does not take one draw's noise for structure. Copies of a record have noise
/// of their own.
///
/// # Shapes
/// → `(draws · n, d)`
pub fn stacked_draws(encoder: &Encoder, raw: ArrayView2<'_, f64>, draws: usize, seed: Seed) -> Array2<f64> {
    let keys = RecordKey::by_copy(raw);
    let mut all = vec![encoder.encode_keyed(raw, &keys, seed, 0).values];
    for draw in 1..draws.max(1) {
        let values = encoder.encode_keyed(raw, &keys, seed, draw as u64).values;
        if draw == 1 && values == all[0] {
            break;
        }
        all.push(values);
    }
    let views: Vec<_> = all.iter().map(Array2::view).collect();
    concatenate(Axis(0), &views).expect("invariant: every draw has the same shape")
}
