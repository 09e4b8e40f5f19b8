//! How much of a score is chance: what the noise draws behind it leave of their own spread, and how many of
//! them it takes.
//!
//! The score of a record is a mean over draws of its noise. Scored again with other draws it would come out a
//! little different; the standard deviation of that, over repetitions with seeds of their own, is the score's
//! own noise. A model is given as many draws as bring its median over held-out records below [`WANTED`].

use ndarray::{ArrayView2, Axis};
use serde::{Deserialize, Serialize};

use super::score_records;
use crate::density::Density;
use crate::features::Encoder;
use crate::num::moments::variance;
use crate::num::quantile::quantile_sorted;
use crate::random::Seed;

#[cfg(test)]
mod tests;

/// The median standard deviation that is to be undercut, in nats; a tenth is promised, and the measurement
/// has an error.
const WANTED: f64 = 0.085;
/// The share of the spread of scores that the noise of a picture's score may have instead. Pictures of some
/// hundred pixels differ by a hundred nats, and a tenth of a nat took more time than the training did. Noise
/// of a fiftieth of the spread adds 1/2500 to the variance of what is ranked.
pub const PICTURE_SHARE: f64 = 0.02;
/// Spread of scores that differ by rounding only.
const NOTHING: f64 = 1e-6;
/// Most draws behind a score.
const MOST_DRAWS: usize = 512;
/// Numbers that all records of a bundle may take to score: with more records, or longer ones, fewer draws
/// than would be wanted have to do. Hours of windows of a thousand samples otherwise.
const ALL_RECORDS: usize = 25_000_000;
/// Draws behind a score of the largest bundles. Two leave a noise of a tenth of what records differ by
/// (378,417 hours of intensive care: 0.6 of 6.7 nats), which adds a hundredth to the variance of what is
/// ranked.
const FEWEST_OF_MANY: usize = 2;
/// Distance of the quartiles of a normal distribution, in standard deviations.
const QUARTILES_APART: f64 = 1.349;
/// Records it is measured on, at most.
const RECORDS: usize = 128;
/// Repetitions of each record's score.
const REPETITIONS: u64 = 6;
/// Numbers that are scored for one measurement at most, unless time is short: seconds of a flow's time.
pub const MEASURED_NUMBERS: usize = 40_000_000;

/// The score's own noise, in nats, over held-out records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ScoreNoise {
    /// Draws behind a score.
    pub draws: usize,
    /// Median over records of the standard deviation of a record's score.
    pub median_sd: f64,
    /// The same standard deviation at its 95 % quantile over records.
    pub p95_sd: f64,
    /// Records it was measured on.
    pub records: usize,
    /// Standard deviation of the scores between these records, by their quartiles.
    #[serde(default)]
    pub spread: f64,
}

/// Most noise draws per record of a bundle of `n` records of `d` coordinates.
pub fn most_draws(n: usize, d: usize) -> usize {
    (ALL_RECORDS / (n * d).max(1)).clamp(FEWEST_OF_MANY, MOST_DRAWS)
}

/// The fewest draws (a power of two between `fewest` and `most`) with which the score's own noise is small,
/// as measured on some of the rows of `raw`; one where there is no noise at all. Small is below a tenth of a
/// nat, or below `share` of the spread of scores, whichever is more. Each measurement scores about so many
/// `numbers`, and at least a handful of records.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`]
pub fn choose_draws(
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    (fewest, most): (usize, usize),
    numbers: usize,
    share: f64,
    seed: Seed,
) -> ScoreNoise {
    let most = 1 << most.max(1).ilog2();
    let mut draws = 1;
    loop {
        let noise = measure(density, encoder, raw, draws, numbers, seed);
        // Rounding is all that a model which removes the noise again leaves of it.
        let none = noise.p95_sd <= NOTHING;
        let wanted = WANTED.max(share * noise.spread);
        if none || (noise.median_sd <= wanted && draws >= fewest) || draws >= most {
            return noise;
        }
        if noise.median_sd <= wanted {
            draws = fewest.next_power_of_two().min(most);
            continue;
        }
        // At worst the spread falls with the root of the draws; stratified ones do better, so half of that is
        // tried first.
        let needed = (noise.median_sd / wanted).powi(2) * draws as f64;
        let next = if draws == 1 { 8.0_f64.max(needed / 16.0) } else { (2 * draws) as f64 };
        draws = (next.min(most as f64) as usize).next_power_of_two().min(most);
    }
}

/// Measures the noise of scores of `draws` draws.
fn measure(
    density: &dyn Density,
    encoder: &Encoder,
    raw: ArrayView2<'_, f64>,
    draws: usize,
    numbers: usize,
    seed: Seed,
) -> ScoreNoise {
    let per_record = draws * REPETITIONS as usize * encoder.n_coordinates().max(1);
    let most = (numbers / per_record).clamp(8, RECORDS);
    let step = raw.nrows().div_ceil(most).max(1);
    let rows: Vec<usize> = (0..raw.nrows()).step_by(step).collect();
    let some = raw.select(Axis(0), &rows);
    let repeated: Vec<Vec<f64>> = (0..REPETITIONS)
        .map(|r| score_records(density, encoder, some.view(), draws, seed.child("score noise", r)).log_prob)
        .collect();
    let mut spreads: Vec<f64> = (0..rows.len())
        .map(|i| variance(&repeated.iter().map(|scores| scores[i]).collect::<Vec<_>>()).max(0.0).sqrt())
        .collect();
    spreads.sort_by(f64::total_cmp);
    let mut scores = repeated.into_iter().next().unwrap_or_default();
    scores.sort_by(f64::total_cmp);
    let at = |sorted: &[f64], p: f64| if sorted.is_empty() { 0.0 } else { quantile_sorted(sorted, p) };
    ScoreNoise {
        draws,
        median_sd: at(&spreads, 0.5),
        p95_sd: at(&spreads, 0.95),
        records: rows.len(),
        spread: (at(&scores, 0.75) - at(&scores, 0.25)) / QUARTILES_APART,
    }
}
