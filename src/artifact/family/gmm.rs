//! Mixtures of Gaussians and of t distributions.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use super::units::fit_in_any_unit;
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{Gmm, GmmConfig, GmmError, GmmTrial, Kernel};
use crate::evaluate::stacked_draws;
use crate::features::Bundle;
use crate::random::Seed;
use crate::schema::Split;

/// Rows a mixture is fitted on, at least, as far as more noise draws of the same records can provide them.
const ROWS: usize = 8_000;
/// Most noise draws per record.
const DRAWS: usize = 8;
/// Noise draws of the validation records that mixtures and weights are chosen on.
pub(super) const VALIDATION_DRAWS: usize = 4;

pub(super) static GMM: Definition = Definition {
    name: "gmm",
    help: "Gaussian mixture",
    role: Role::Mixture,
    noun: "mixture",
    trained: false,
    estimator: |_, _| Ok(Box::new(Mixture::default())),
    read: |reading| given(reading, read(reading, reading.n_coordinates(), Kernel::Gaussian)?),
};

pub(super) static TMIX: Definition = Definition {
    name: "tmix",
    help: "mixture of t distributions, whose tails are heavier",
    role: Role::Mixture,
    noun: "t mixture",
    trained: false,
    estimator: |_, _| Ok(Box::new(Mixture::of_t())),
    read: |reading| {
        let degrees = reading.doubles(DEGREES, &[1])?[0];
        given(reading, read(reading, reading.n_coordinates(), Kernel::T(degrees))?)
    },
};

/// Name of the tensor of a t mixture that a Gaussian mixture does not have.
const DEGREES: &str = "degrees_of_freedom";

/// The density given the coordinates that the model is conditioned on.
fn given(reading: &Reading<'_>, gmm: Gmm) -> Result<Arc<dyn Model>, ArtifactError> {
    let impossible = |source| ArtifactError::Gmm { path: reading.folder().to_path_buf(), source };
    Ok(Arc::new(gmm.conditioned_on(reading.context()).map_err(impossible)?))
}

/// A mixture on the training records, its settings chosen on the validation records.
#[derive(Debug, Clone, Default)]
pub struct Mixture {
    /// What is tried. Its seed and its context are those of the run and of the bundle.
    pub config: GmmConfig,
}

/// What the header says about a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureDetails {
    /// What was tried.
    pub search: GmmConfig,
    /// What became of it.
    pub trials: Vec<GmmTrial>,
}

impl Estimator for Mixture {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let (gmm, details) = self.search(bundle, run.seed)?;
        Ok(Fitted::of_mixture(gmm, &details, started.elapsed().as_secs_f64()))
    }
}

impl Mixture {
    /// Mixtures of t distributions.
    pub fn of_t() -> Self {
        Self { config: GmmConfig::of_t() }
    }

    /// A shorter search, for a mixture that flows start from or that stands beside flows.
    pub(super) fn quick() -> Self {
        Self { config: GmmConfig::quick() }
    }

    /// The mixture, and what was tried.
    pub(super) fn search(&self, bundle: &Bundle, seed: Seed) -> Result<(Gmm, MixtureDetails), GmmError> {
        let encoder = &bundle.manifest.encoder;
        let search = GmmConfig { seed, context: encoder.context_coordinates(), ..self.config.clone() };
        let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
        let draws = (ROWS / train.nrows().max(1)).clamp(1, DRAWS);
        let rows = stacked_draws(encoder, train.view(), draws, seed.child("train-noise", 0));
        let held_out =
            stacked_draws(encoder, validation.view(), VALIDATION_DRAWS, seed.child("validation-noise", 0));
        // Data without noise give one copy of each record, whatever was asked for.
        let copies = rows.nrows() / train.nrows().max(1);
        let (gmm, trials) = fit_in_any_unit(rows.view(), held_out.view(), copies, &search)?;
        Ok((gmm, MixtureDetails { search, trials }))
    }
}

impl Fitted {
    /// A mixture that a search found in `seconds`.
    pub fn of_mixture(gmm: Gmm, details: &MixtureDetails, seconds: f64) -> Self {
        let family = match gmm.kernel() {
            Kernel::Gaussian => GMM.name,
            Kernel::T(_) => TMIX.name,
        };
        Self::new(family, Arc::new(gmm), details, details.search.seed, seconds)
    }
}

impl Model for Gmm {
    fn tensors(&self) -> Vec<Tensor> {
        tensors(self)
    }

    fn mixture(&self) -> Option<&Gmm> {
        Some(self)
    }
}

/// The numbers of a mixture, which is a model or the innovation of an autoregression.
pub(super) fn tensors(gmm: &Gmm) -> Vec<Tensor> {
    let mut tensors = vec![
        Tensor::doubles("weights", &gmm.weights()),
        Tensor::doubles("means", &gmm.means()),
        Tensor::doubles("covariances", &gmm.covariances()),
    ];
    if let Kernel::T(degrees) = gmm.kernel() {
        tensors.push(Tensor::doubles(DEGREES, &ndarray::array![degrees]));
    }
    tensors
}

/// A mixture on `d` coordinates, as [`tensors`] gives it.
pub(super) fn read(reading: &Reading<'_>, d: usize, kernel: Kernel) -> Result<Gmm, ArtifactError> {
    let k = reading.shape("weights")?.first().copied().unwrap_or(0);
    let checked = "invariant: shapes were checked";
    let weights = Array1::from_vec(reading.doubles("weights", &[k])?);
    let means = Array2::from_shape_vec((k, d), reading.doubles("means", &[k, d])?).expect(checked);
    let covariances = reading.doubles("covariances", &[k, d, d])?;
    let covariances = Array3::from_shape_vec((k, d, d), covariances).expect(checked);
    let impossible = |source| ArtifactError::Gmm { path: reading.folder().to_path_buf(), source };
    Gmm::with_kernel(kernel, weights, means, covariances).map_err(impossible)
}
