//! Completions of pictures by the causal flow, which needs no proposal: it draws number after number.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use super::impute::Imputations;
use super::proposal::stream;
use crate::features::RecordKey;
use crate::grid::GridFlow;
use crate::random::Seed;

/// Draws `k` completions of each picture, chosen from `samples` candidates (at least k), the same for any
/// number of threads.
///
/// # Shapes
/// `raw: (n, p)`, levels of the flow, NaN where a number is to be drawn.
pub fn complete_pictures(
    flow: &GridFlow,
    raw: ArrayView2<'_, f64>,
    k: usize,
    samples: usize,
    seed: Seed,
) -> Imputations {
    // Copies of a picture get completions of their own.
    let keys = RecordKey::by_copy(raw);
    let rows = raw.axis_iter(Axis(0)).into_par_iter().zip(keys);
    let completed: Vec<_> = rows
        .map(|(row, key)| {
            let known: Vec<Option<u8>> = row.iter().map(|x| (!x.is_nan()).then_some(*x as u8)).collect();
            flow.complete(&known, k, samples, &mut stream(seed, key))
        })
        .collect();
    let effective_samples = completed.iter().map(|c| c.effective).collect();
    let levels = completed.into_iter().flat_map(|c| c.levels).flatten().map(f64::from).collect();
    let raw = Array2::from_shape_vec((raw.nrows() * k, raw.ncols()), levels)
        .expect("invariant: k pictures of p numbers per record");
    Imputations { raw, effective_samples }
}
