//! Vector autoregressions of windows of signals, with mixture innovations.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use super::gmm;
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{Kernel, Var, VarConfig, VarTrial, fit_var};
use crate::evaluate::stacked_draws;
use crate::features::{Bundle, Shape};
use crate::schema::Split;

/// Numbers an autoregression is fitted on, at least, as far as more noise draws of the same windows can
/// provide them.
const NUMBERS: usize = 1_000_000;
/// Most noise draws per window.
const DRAWS: usize = 8;

pub(super) static VAR: Definition = Definition {
    name: "var",
    help: "Vector autoregression with mixture innovations, for waveform windows",
    role: Role::Mixture,
    noun: "autoregression",
    trained: false,
    options: &[],
    estimator: |shape, _| {
        Windows::of_shape(shape)?;
        Ok(Box::new(Autoregression::default()))
    },
    read: |reading| Ok(Arc::new(read(reading)?)),
};

/// A vector autoregression of the training windows, its order chosen on the validation windows.
#[derive(Debug, Clone, Default)]
pub struct Autoregression {
    /// What is tried. Its seed and the samples before each window are those of the run and of the bundle.
    pub config: VarConfig,
}

/// What the header says about the search for an autoregression.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct VarDetails {
    /// What was tried.
    pub(super) search: VarConfig,
    /// What became of it.
    pub(super) orders: Vec<VarTrial>,
}

impl Estimator for Autoregression {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let windows = Windows::of(bundle)?;
        let search = VarConfig { past: windows.past, seed: run.seed, ..self.config.clone() };
        let encoder = &bundle.manifest.encoder;
        let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
        let draws = (NUMBERS / train.len().max(1)).clamp(1, DRAWS);
        let rows = stacked_draws(encoder, train.view(), draws, run.seed.child("train-noise", 0));
        let held_out = stacked_draws(encoder, validation.view(), 1, run.seed.child("validation-noise", 0));
        let (var, orders) = fit_var(rows.view(), held_out.view(), windows.channels, &search)?;
        let seconds = started.elapsed().as_secs_f64();
        Ok(Fitted::new(VAR.name, Arc::new(var), &VarDetails { search, orders }, run.seed, seconds))
    }
}

/// Sizes of the windows of a bundle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Windows {
    pub(super) channels: usize,
    /// Samples of each channel that the density is of.
    pub(super) samples: usize,
    /// Samples before those, which it is given.
    pub(super) past: usize,
}

impl Windows {
    /// Those of a shape.
    ///
    /// # Errors
    /// [`FitError::Usage`] for records that are no windows.
    pub(super) fn of_shape(shape: &Shape) -> Result<Self, FitError> {
        match shape {
            Shape::Windows { channels, samples, past } => {
                Ok(Self { channels: channels.len(), samples: *samples, past: *past })
            }
            Shape::Table => Err(not_windows("the bundle was made from a table")),
            Shape::Grid { .. } => Err(not_windows("the bundle was made from pictures")),
        }
    }

    /// Those of a bundle, none of whose coordinates is missing.
    ///
    /// # Errors
    /// [`FitError::Usage`] for records that are no complete windows.
    pub(super) fn of(bundle: &Bundle) -> Result<Self, FitError> {
        let windows = Self::of_shape(&bundle.manifest.shape)?;
        let samples = windows.past + windows.samples;
        let (expected, found) = (samples * windows.channels, bundle.manifest.encoder.n_coordinates());
        if found != expected {
            return Err(not_windows(&format!(
                "{samples} samples of {} channels are {expected} coordinates, the bundle has {found}",
                windows.channels
            )));
        }
        Ok(windows)
    }
}

fn not_windows(why: &str) -> FitError {
    FitError::usage(
        format!("this model is for waveform windows: {why}"),
        "ingest WFDB records with the pipeline waveform-1024 and max_missing=0",
    )
}

impl Model for Var {
    fn tensors(&self) -> Vec<Tensor> {
        let mut tensors = gmm::tensors(self.innovation());
        tensors.push(Tensor::doubles("mean", &self.mean()));
        tensors.push(Tensor::doubles("covariance", &self.covariance()));
        tensors
    }

    fn judges_parts(&self) -> bool {
        false
    }
}

/// An autoregression, as its tensors give it.
pub(super) fn read(reading: &Reading<'_>) -> Result<Var, ArtifactError> {
    let (d, context) = (reading.n_coordinates(), reading.context());
    // Innovations have one coordinate per channel.
    let c = reading.shape("means")?.last().copied().unwrap_or(0);
    if c == 0 || !d.is_multiple_of(c) {
        return Err(
            reading.damaged(format!("{d} coordinates are no whole number of samples of {c} channels"))
        );
    }
    let n = reading.shape("mean")?.first().copied().unwrap_or(0);
    let mean = Array1::from_vec(reading.doubles("mean", &[n])?);
    let covariance = Array2::from_shape_vec((n, n), reading.doubles("covariance", &[n, n])?);
    let covariance = covariance.expect("invariant: shapes were checked");
    if !context.iter().copied().eq(0..context.len()) || !context.len().is_multiple_of(c) {
        return Err(reading.damaged("the context is no past of the windows".into()));
    }
    Var::new(d / c, c, mean, covariance, gmm::read(reading, c, Kernel::Gaussian)?)
        .and_then(|var| var.given(context.len() / c))
        .map_err(|source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source })
}
