//! Where free coordinates are drawn from, and the weights of the draws.

use ndarray::{Array2, ArrayView2};

use crate::artifact::{Family, ModelArtifact};
use crate::baseline::{ConditionalMixture, Mixture, MixtureConfig, MixtureError, fit_mixture};
use crate::density::Density;
use crate::error::Hint;
use crate::features::RecordKey;
use crate::num::special::normal_quantile;
use crate::random::{Seed, StreamRng};

use super::known::Known;

/// Draws of the model a mixture is fitted to, at most.
const ROWS: usize = 4_000;
/// Rows × coordinates² beyond which fewer are taken.
const WORK: usize = 30_000_000;
/// Coordinates beyond which no mixture can be fitted in reasonable time.
const MOST_COORDINATES: usize = 512;

/// Why a part of a record cannot be judged or completed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PartialError {
    /// No mixture to propose from.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// A model of windows, or of too many coordinates.
    #[error("a {kind} model of {coordinates} coordinates has no likelihood of a part of a record")]
    NotSupported {
        /// Family of the model.
        kind: Family,
        /// Its coordinates.
        coordinates: usize,
    },
}

impl Hint for PartialError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Mixture(e) => e.hint(),
            Self::NotSupported { .. } => Some(format!(
                "fit a model with --model gmm, which answers exactly, or a flow of at most \
                 {MOST_COORDINATES} coordinates"
            )),
        }
    }
}

/// The mixture that proposes, beside the model that judges.
#[derive(Debug)]
pub struct Proposal<'a> {
    pub(super) artifact: &'a ModelArtifact,
    gmm: std::borrow::Cow<'a, Mixture>,
    /// Whether the model is the mixture, so that its marginal is known.
    exact: bool,
    /// The mixture's own density of the context, where the model has one and is the mixture.
    context: Option<ConditionalMixture>,
}

/// Weighted completions of one record's coordinates.
pub(super) struct Weighted {
    /// `(samples, d)`.
    pub(super) v: Array2<f64>,
    /// log w.
    pub(super) log_weight: Vec<f64>,
}

impl<'a> Proposal<'a> {
    /// The model itself where it is a mixture; the mixture among the members of an ensemble; else one fitted
    /// to draws of the model, always the same for the same model.
    ///
    /// # Errors
    /// [`PartialError`] for models of windows and where no mixture can be fitted.
    pub fn of(artifact: &'a ModelArtifact) -> Result<Self, PartialError> {
        use std::borrow::Cow::{Borrowed, Owned};
        if let Some(gmm) = artifact.model.mixture() {
            let given = gmm.context();
            let context = (!given.is_empty()).then(|| gmm.divided(given)).transpose()?;
            return Ok(Self { artifact, gmm: Borrowed(gmm), exact: true, context });
        }
        let held = artifact.model.members().iter().find_map(|m| m.model.mixture());
        if let Some(gmm) = held {
            return Ok(Self { artifact, gmm: Borrowed(gmm), exact: false, context: None });
        }
        let d = artifact.density().n_features();
        if !artifact.model.judges_parts() || d > MOST_COORDINATES {
            return Err(PartialError::NotSupported { kind: artifact.header.family.kind, coordinates: d });
        }
        let seed = artifact.header.seed.child("proposal", 0);
        let n = (WORK / (d * d).max(1)).clamp(500, ROWS);
        let drawn = draws(artifact, n + n / 4, seed);
        // A draw far out may overflow; it teaches a mixture nothing.
        let finite: Vec<usize> =
            (0..drawn.nrows()).filter(|&i| drawn.row(i).iter().all(|x| x.is_finite())).collect();
        let (train, held_out) = finite.split_at(n.min(finite.len()));
        let rows = |at: &[usize]| drawn.select(ndarray::Axis(0), at);
        // A few sizes will do: how well it proposes shows in the effective samples, and the search is most of
        // the time.
        let config = MixtureConfig {
            components: vec![1, 4, 12],
            regularisation: vec![1e-3, 1e-2],
            seed,
            ..MixtureConfig::quick()
        };
        let (gmm, _) = fit_mixture(rows(train).view(), rows(held_out).view(), 1, &config)?;
        Ok(Self { artifact, gmm: Owned(gmm), exact: false, context: None })
    }

    /// `samples` completions of what is known of a record.
    pub(super) fn complete(
        &self,
        known: &Known<'_>,
        samples: usize,
        rng: &mut StreamRng,
    ) -> Result<Weighted, MixtureError> {
        let d = self.artifact.density().n_features();
        let at = known.coordinates();
        let mut is_known = vec![false; d];
        for &j in &at {
            is_known[j] = true;
        }
        let free: Vec<usize> = (0..d).filter(|&j| !is_known[j]).collect();
        let conditional = self.gmm.divided(&at)?;
        let mut v = Array2::zeros((samples, d));
        let mut log_weight = Vec::with_capacity(samples);
        for mut row in v.rows_mut() {
            let (coordinates, log_det) = known.draw(rng);
            let given = conditional.given(&coordinates);
            let z = if self.exact { given.draw(rng) } else { given.draw_defensive(rng) };
            at.iter().zip(&coordinates).for_each(|(&j, &x)| row[j] = x);
            free.iter().zip(&z).for_each(|(&j, &x)| row[j] = x);
            log_weight.push(if self.exact {
                log_det + given.log_prob_known() - self.log_prob_context(&at, &coordinates)
            } else {
                log_det - given.log_defensive(&z)
            });
        }
        if !self.exact {
            let log_prob = self.log_prob(v.view());
            log_weight.iter_mut().zip(log_prob).for_each(|(w, l)| *w += l);
        }
        // A vector so far out that the model's arithmetic fails has no weight.
        log_weight.iter_mut().filter(|w| !w.is_finite()).for_each(|w| *w = f64::NEG_INFINITY);
        Ok(Weighted { v, log_weight })
    }

    /// Log-density of the context among the known coordinates `at`; 0 where there is none.
    fn log_prob_context(&self, at: &[usize], coordinates: &[f64]) -> f64 {
        let Some(context) = &self.context else { return 0.0 };
        let of = |wanted: &usize| at.iter().position(|j| j == wanted).map(|i| coordinates[i]);
        let known: Vec<f64> = self.artifact.density().context().iter().filter_map(of).collect();
        context.given(&known).log_prob_known()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Vec<f64> {
        self.artifact.density().log_prob(v).to_vec()
    }
}

/// Vectors the model draws; their context, of which it knows nothing, is drawn as standard normal, which is
/// what coordinates are made to look like. Weights make up for what a mixture learns from that.
fn draws(artifact: &ModelArtifact, n: usize, seed: Seed) -> Array2<f64> {
    let density = artifact.density();
    let mut rng = seed.stream("context", 0);
    let context = Array2::from_shape_simple_fn((n, density.context().len()), || {
        normal_quantile(super::known::uniform(&mut rng))
    });
    density.sample_given(context.view(), seed)
}

/// The stream behind everything that is drawn for a record.
pub(super) fn stream(seed: Seed, key: RecordKey) -> StreamRng {
    seed.keyed("partial", 0).stream(key.bytes())
}
