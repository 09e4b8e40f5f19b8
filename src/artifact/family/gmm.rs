//! Gaussian mixtures, and the search that they share with other mixtures.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2, Array3};
use serde::{Deserialize, Serialize};

use super::units::fit_in_any_unit;
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::straight::Straight;
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{Kernel, Mixture, MixtureConfig, MixtureError, MixtureTrial};
use crate::evaluate::stacked_draws;
use crate::features::{Bundle, GraphCoordinates};
use crate::onnx::{Graph, Inexpressible, Value};
use crate::random::Seed;
use crate::schema::Split;

/// Name of the tensor of a t mixture that a Gaussian mixture does not have.
pub(super) const DEGREES_OF_FREEDOM: &str = "degrees_of_freedom";
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
    options: &[],
    estimator: |_, _| Ok(Box::new(MixtureEstimator::default())),
    read: |reading| {
        let gmm = read(reading, reading.n_coordinates(), Kernel::Gaussian)?;
        Ok(Arc::new(given(reading, gmm)?))
    },
};

/// The density given the coordinates that the model is conditioned on.
pub(super) fn given(reading: &Reading<'_>, gmm: Mixture) -> Result<Mixture, ArtifactError> {
    let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
    gmm.conditioned_on(reading.context()).map_err(impossible)
}

/// A mixture on the training records, its settings chosen on the validation records.
#[derive(Debug, Clone, Default)]
pub struct MixtureEstimator {
    /// What is tried. Its seed and its context are those of the run and of the bundle.
    pub config: MixtureConfig,
}

/// What the header says about a mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureDetails {
    /// What was tried.
    pub search: MixtureConfig,
    /// What became of it.
    pub trials: Vec<MixtureTrial>,
    /// Whether its coordinates are straight instead of the encoder's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub straight: bool,
}

impl MixtureDetails {
    /// The value by which the mixture was chosen among the trials.
    pub(super) fn criterion(&self) -> f64 {
        let chosen = self.trials.iter().find(|trial| trial.chosen);
        chosen.and_then(|trial| trial.criterion).unwrap_or(f64::NEG_INFINITY)
    }
}

impl Estimator for MixtureEstimator {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let (gmm, details) = self.search(bundle, run.seed)?;
        Ok(Fitted::of_mixture(gmm, &details, started.elapsed().as_secs_f64()))
    }
}

impl MixtureEstimator {
    /// A shorter search, for a mixture that flows start from or that stands beside flows.
    pub(super) fn quick() -> Self {
        Self { config: MixtureConfig::quick() }
    }

    /// The mixture, and what was tried.
    pub(super) fn search(
        &self,
        bundle: &Bundle,
        seed: Seed,
    ) -> Result<(Mixture, MixtureDetails), MixtureError> {
        self.search_in(None, bundle, seed)
    }

    /// The same in straight coordinates, if a map to them is given. What is told about the trials are
    /// log-densities in the coordinates of the encoder all the same.
    pub(super) fn search_in(
        &self,
        map: Option<&Straight>,
        bundle: &Bundle,
        seed: Seed,
    ) -> Result<(Mixture, MixtureDetails), MixtureError> {
        let context = bundle.manifest.encoder.context_coordinates();
        let search = MixtureConfig { seed, context, ..self.config.clone() };
        let rows = Coordinates::of(map, bundle, seed);
        let (train, validation) = (rows.train.view(), rows.validation.view());
        let (gmm, mut trials) = fit_in_any_unit(train, validation, rows.copies, &search)?;
        for trial in &mut trials {
            trial.train_log_prob = trial.train_log_prob.map(|l| l + rows.train_log_det);
            trial.criterion = trial.criterion.map(|l| l + rows.validation_log_det);
        }
        Ok((gmm, MixtureDetails { search, trials, straight: map.is_some() }))
    }
}

/// The records of a bundle as a mixture is fitted to them.
pub(super) struct Coordinates {
    /// Training records, several times with other noise where they are few and have noise.
    pub(super) train: Array2<f64>,
    /// Validation records, [`VALIDATION_DRAWS`] times if they have noise.
    pub(super) validation: Array2<f64>,
    /// Copies of each training record.
    pub(super) copies: usize,
    /// Mean of log|∂u/∂v| over the training rows; 0 where the coordinates are those of the encoder.
    pub(super) train_log_det: f64,
    /// The same over the validation rows, or over the training rows where there are no others.
    pub(super) validation_log_det: f64,
}

impl Coordinates {
    /// The coordinates of the encoder, or straight ones if a map to them is given.
    pub(super) fn of(map: Option<&Straight>, bundle: &Bundle, seed: Seed) -> Self {
        let encoder = &bundle.manifest.encoder;
        let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
        let draws = (ROWS / train.nrows().max(1)).clamp(1, DRAWS);
        let rows = stacked_draws(encoder, train.view(), draws, seed.child("train-noise", 0));
        let held_out =
            stacked_draws(encoder, validation.view(), VALIDATION_DRAWS, seed.child("validation-noise", 0));
        // Data without noise give one copy of each record, whatever was asked for.
        let copies = rows.nrows() / train.nrows().max(1);
        let Some(map) = map else {
            return Self {
                train: rows,
                validation: held_out,
                copies,
                train_log_det: 0.0,
                validation_log_det: 0.0,
            };
        };
        let ((train, log_det), (validation, held_out_log_det)) =
            (map.straighten(rows.view()), map.straighten(held_out.view()));
        let train_log_det = log_det.mean().unwrap_or(0.0);
        let validation_log_det = held_out_log_det.mean().unwrap_or(train_log_det);
        Self { train, validation, copies, train_log_det, validation_log_det }
    }
}

impl Fitted {
    /// A Gaussian mixture that a search found in `seconds`.
    pub fn of_mixture(gmm: Mixture, details: &MixtureDetails, seconds: f64) -> Self {
        Self::new(GMM.name, Arc::new(gmm), details, details.search.seed, seconds)
    }
}

impl Model for Mixture {
    fn tensors(&self) -> Vec<Tensor> {
        tensors(self)
    }

    fn mixture(&self) -> Option<&Mixture> {
        Some(self)
    }

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        self.log_prob_in(graph, &at.values, &at.order)
    }
}

/// The numbers of a mixture, which is a model or the innovation of an autoregression.
pub(super) fn tensors(gmm: &Mixture) -> Vec<Tensor> {
    let mut tensors = vec![
        Tensor::doubles("weights", &gmm.weights()),
        Tensor::doubles("means", &gmm.means()),
        Tensor::doubles("covariances", &gmm.covariances()),
    ];
    if let Kernel::T(degrees) = gmm.kernel() {
        tensors.push(Tensor::doubles(DEGREES_OF_FREEDOM, &ndarray::array![degrees]));
    }
    tensors
}

/// A mixture on `d` coordinates, as [`tensors`] gives it.
pub(super) fn read(reading: &Reading<'_>, d: usize, kernel: Kernel) -> Result<Mixture, ArtifactError> {
    let k = reading.shape("weights")?.first().copied().unwrap_or(0);
    let checked = "invariant: shapes were checked";
    let weights = Array1::from_vec(reading.doubles("weights", &[k])?);
    let means = Array2::from_shape_vec((k, d), reading.doubles("means", &[k, d])?).expect(checked);
    let covariances = reading.doubles("covariances", &[k, d, d])?;
    let covariances = Array3::from_shape_vec((k, d, d), covariances).expect(checked);
    let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
    Mixture::with_kernel(kernel, weights, means, covariances).map_err(impossible)
}
