//! Completions of records: draws of the missing features given those that are there.

use ndarray::{Array2, ArrayView2, Axis};
use rayon::prelude::*;

use crate::artifact::ModelArtifact;
use crate::features::RecordKey;
use crate::num::resample::{effective_samples, systematic};
use crate::random::Seed;

use super::known::{Known, uniform};
use super::proposal::stream;
use super::{PartialError, Proposal};

/// Completed records.
#[derive(Debug, Clone, PartialEq)]
pub struct Imputations {
    /// `(n · k, p)`: the k completions of the first record, then those of the next; values that were given
    /// are unchanged.
    pub raw: Array2<f64>,
    /// Effective number of samples the completions of each record were chosen from, `(n,)`.
    pub effective_samples: Vec<f64>,
}

/// Draws `k` completions of each row, chosen from `samples` candidates (at least k), the same for any number
/// of threads.
///
/// A missing feature is completed as if it had been measured: never by "missing".
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`](crate::features::Encoder::raw), NaN where missing.
///
/// # Errors
/// [`PartialError::Mixture`] where the mixture has no factor in the order of some record.
pub fn impute(
    proposal: &Proposal<'_>,
    raw: ArrayView2<'_, f64>,
    k: usize,
    samples: usize,
    seed: Seed,
) -> Result<Imputations, PartialError> {
    let encoder = &proposal.artifact.encoder;
    let (n, p) = raw.dim();
    let samples = samples.max(k);
    // Copies of a record get completions of their own.
    let keys = RecordKey::by_copy(raw);
    let completed: Vec<(Vec<f64>, f64)> = (0..n)
        .into_par_iter()
        .map(|i| {
            let row = raw.row(i).to_vec();
            let missing: Vec<usize> = (0..p).filter(|&j| row[j].is_nan()).collect();
            if missing.is_empty() {
                return Ok((row.repeat(k), samples as f64));
            }
            let mut rng = stream(seed, keys[i]);
            let mut weighted = proposal.complete(&Known::to_complete(encoder, &row), samples, &mut rng)?;
            for (v, weight) in weighted.v.rows().into_iter().zip(&mut weighted.log_weight) {
                let impossible = |&j: &usize| {
                    let column = &encoder.columns[j];
                    !column.support.admits(column.decode(v[j]))
                };
                if missing.iter().any(impossible) {
                    *weight = f64::NEG_INFINITY;
                }
            }
            let mut out = Vec::with_capacity(k * p);
            for s in systematic(&weighted.log_weight, k, uniform(&mut rng)) {
                let mut whole = row.clone();
                for &j in &missing {
                    let column = &encoder.columns[j];
                    let drawn = column.support.nearest(column.decode(weighted.v[(s, j)]));
                    whole[j] = column.rare_level(uniform(&mut rng)).unwrap_or(drawn);
                }
                out.extend(whole);
            }
            Ok((out, effective_samples(&weighted.log_weight)))
        })
        .collect::<Result<_, PartialError>>()?;
    let effective_samples = completed.iter().map(|c| c.1).collect();
    let values: Vec<f64> = completed.into_iter().flat_map(|c| c.0).collect();
    let raw = Array2::from_shape_vec((n * k, p), values).expect("invariant: k rows of p values per record");
    Ok(Imputations { raw, effective_samples })
}

/// `k` draws for each row of a model of numbers given a context, where the context is all there is: straight
/// from the model, without candidates. None where that is not so.
///
/// # Shapes
/// As [`impute`].
pub fn draw_given(
    artifact: &ModelArtifact,
    raw: ArrayView2<'_, f64>,
    k: usize,
    samples: usize,
    seed: Seed,
) -> Option<Imputations> {
    let encoder = &artifact.encoder;
    let context = encoder.context();
    let numbers = encoder.indicators.is_empty() && encoder.columns.iter().all(|c| c.levels.is_empty());
    let free = (0..raw.ncols()).filter(|j| !context.contains(j));
    let nothing_else = free.clone().all(|j| raw.column(j).iter().all(|x| x.is_nan()));
    if context.is_empty() || !numbers || !nothing_else || raw.nrows() == 0 {
        return None;
    }
    let rows: Vec<usize> = (0..raw.nrows() * k).map(|i| i / k).collect();
    let given = raw.select(Axis(0), &rows);
    let mut drawn = artifact.sample_records(given.view(), rows.len(), seed.child("completions", 0));
    for &j in &context {
        drawn.column_mut(j).assign(&given.column(j));
    }
    Some(Imputations { raw: drawn, effective_samples: vec![samples.max(k) as f64; raw.nrows()] })
}
