//! Log-likelihood of some features of each record.

use ndarray::ArrayView2;
use rayon::prelude::*;

use crate::evaluate::LOG_PROB_FLOOR;
use crate::features::RecordKey;
use crate::num::resample::effective_samples;
use crate::num::stable::log_mean_exp;
use crate::random::Seed;

use super::known::Known;
use super::proposal::stream;
use super::{PartialError, Proposal};

/// Marginal log-likelihoods; one value per record each.
#[derive(Debug, Clone, PartialEq)]
pub struct Marginals {
    /// log p of the features that are wanted and of which of them are missing, original units, nats.
    pub log_prob: Vec<f64>,
    /// Standard error of that by the spread of the weights; too small where few samples carry all of it.
    pub standard_error: Vec<f64>,
    /// Effective number of importance samples.
    pub effective_samples: Vec<f64>,
}

/// Judges the features marked in `wanted`, the same for any number of threads.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`](crate::features::Encoder::raw); `wanted`: p values.
///
/// # Errors
/// [`PartialError::Mixture`] where the mixture has no factor in the order of some record.
pub fn marginals(
    proposal: &Proposal<'_>,
    raw: ArrayView2<'_, f64>,
    wanted: &[bool],
    samples: usize,
    seed: Seed,
) -> Result<Marginals, PartialError> {
    // By content alone: a record's figures are its own, wherever it stands.
    let keys = RecordKey::by_content(raw);
    let judged: Vec<(f64, f64, f64)> = (0..raw.nrows())
        .into_par_iter()
        .map(|i| {
            let known = Known::subset(&proposal.artifact.encoder, &raw.row(i).to_vec(), wanted);
            let weights = proposal.complete(&known, samples, &mut stream(seed, keys[i]))?.log_weight;
            let ess = effective_samples(&weights);
            let log_prob = log_mean_exp(&weights);
            let log_prob = if log_prob.is_finite() { log_prob.max(LOG_PROB_FLOOR) } else { LOG_PROB_FLOOR };
            // Relative variance of the mean weight is 1/ESS − 1/S; unknown where no sample has weight.
            let error = if ess > 0.0 { (1.0 / ess - 1.0 / samples as f64).max(0.0).sqrt() } else { f64::NAN };
            Ok((log_prob, error, ess))
        })
        .collect::<Result<_, PartialError>>()?;
    Ok(Marginals {
        log_prob: judged.iter().map(|j| j.0).collect(),
        standard_error: judged.iter().map(|j| j.1).collect(),
        effective_samples: judged.iter().map(|j| j.2).collect(),
    })
}
