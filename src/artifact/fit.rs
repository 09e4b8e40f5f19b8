//! From a bundle to a model: what `cohort-flow fit` does once its options are resolved.

use std::path::Path;
use std::time::Instant;

use super::ModelArtifact;
use crate::baseline::{Gmm, GmmConfig, GmmError, GmmTrial, VarConfig, fit_gmm, fit_var};
use crate::error::Hint;
use crate::evaluate::stacked_draws;
use crate::features::Bundle;
use crate::flow::{BaseKind, FlowConfig};
use crate::schema::Split;
use crate::train::{
    BundleSource, FlowKind, Mixture, Progress, TrainConfig, TrainError, start_flow, train_source,
};
use crate::window::{WindowConfig, fit_window};

/// Rows a mixture is fitted on, at least, as far as more noise draws of the same records can provide them.
const MIXTURE_ROWS: usize = 8_000;
/// Numbers an autoregression is fitted on, at least, in the same sense.
const WINDOW_SAMPLES: usize = 1_000_000;
/// Most noise draws per record.
const MIXTURE_DRAWS: usize = 8;

/// Failure of a fit.
#[derive(Debug, thiserror::Error)]
pub enum FitError {
    /// Of the trainer.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// Of the mixture.
    #[error(transparent)]
    Gmm(#[from] GmmError),
    /// The model is one of waveform windows, the bundle holds other records.
    #[error("this model is for waveform windows: {0}")]
    NotWindows(String),
}

impl Hint for FitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Train(e) => e.hint(),
            Self::Gmm(e) => e.hint(),
            Self::NotWindows(_) => {
                Some("ingest WFDB records with the pipeline waveform-1024 and max_missing=0".into())
            }
        }
    }
}

/// Fits a Gaussian mixture to the training records of `bundle`, its settings chosen on the validation records.
///
/// # Errors
/// Those of [`fit_gmm`].
pub fn fit_mixture_model(bundle: &Bundle, config: &GmmConfig) -> Result<ModelArtifact, GmmError> {
    let started = Instant::now();
    let (gmm, trials) = search(bundle, config)?;
    Ok(ModelArtifact::from_gmm(bundle, config, gmm, trials, started.elapsed().as_secs_f64()))
}

/// Channels of a bundle of complete waveform windows.
fn window_channels(bundle: &Bundle) -> Result<usize, FitError> {
    let manifest = &bundle.manifest;
    let Some(waveform) = &manifest.pipeline.waveform else {
        return Err(FitError::NotWindows("the bundle was made from a table".into()));
    };
    let (channels, expected) = (waveform.channels.len(), waveform.window * waveform.channels.len());
    let found = manifest.encoder.n_coordinates();
    if found != expected {
        return Err(FitError::NotWindows(format!(
            "{} samples of {channels} channels are {expected} coordinates, the bundle has {found}",
            waveform.window
        )));
    }
    Ok(channels)
}

/// Fits a vector autoregression to the training windows of `bundle`, its order chosen on the validation windows.
///
/// # Errors
/// [`FitError::NotWindows`] for a bundle that holds none, and those of [`fit_var`].
pub fn fit_var_model(bundle: &Bundle, config: &VarConfig) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    let channels = window_channels(bundle)?;
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let draws = (WINDOW_SAMPLES / train.len().max(1)).clamp(1, MIXTURE_DRAWS);
    let rows = stacked_draws(encoder, train.view(), draws, config.seed.child("train-noise", 0));
    let held_out = stacked_draws(encoder, validation.view(), 1, config.seed.child("validation-noise", 0));
    let (var, orders) = fit_var(rows.view(), held_out.view(), channels, config)?;
    Ok(ModelArtifact::from_var(bundle, config, var, orders, started.elapsed().as_secs_f64()))
}

/// Trains a causal flow on the training windows of `bundle`, starting from the autoregression [`fit_var_model`] finds.
///
/// # Errors
/// [`FitError::NotWindows`] for a bundle that holds none, and those of [`fit_var`] and [`fit_window`].
pub fn fit_causal_model(
    bundle: &Bundle,
    config: &WindowConfig,
    progress: &dyn Progress,
) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    let channels = window_channels(bundle)?;
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let var_config = VarConfig { seed: config.seed, ..VarConfig::default() };
    let noise = config.seed.child("train-noise", 0);
    let draw = |draw: u32| encoder.encode(train.view(), noise, u64::from(draw)).values;
    let held_out = stacked_draws(encoder, validation.view(), 1, config.seed.child("validation-noise", 0));
    let first = draw(0);
    progress.note("fitting the autoregression the flow starts from");
    let (var, orders) = fit_var(first.view(), held_out.view(), channels, &var_config)?;
    // The budget is for all of the fit.
    let left = |budget: f64| (budget - started.elapsed().as_secs_f64()).max(0.0);
    let resolved =
        WindowConfig { time_budget_seconds: config.time_budget_seconds.map(left), ..config.clone() };
    let (flow, history) = fit_window(var, &draw, held_out.view(), &resolved, progress)?;
    let seconds = started.elapsed().as_secs_f64();
    Ok(ModelArtifact::from_causal(bundle, &var_config, config, flow, orders, history, seconds))
}

/// Trains a flow on the training records of `bundle`. A mixture base starts from the mixture [`fit_mixture_model`] finds;
/// a resumed run searches it again, so that its model tells of the same search.
///
/// # Errors
/// Those of [`train_source`] and of the mixture.
pub fn fit_flow_model(
    bundle: &Bundle,
    kind: FlowKind,
    flow: &FlowConfig,
    config: &TrainConfig,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    let mut trials = Vec::new();
    let start = match flow.base {
        BaseKind::Normal => start_flow(flow, config.seed, None)?,
        BaseKind::Mixture { .. } => {
            progress.note("fitting the Gaussian mixture the flow's base starts from");
            let (gmm, tried) = search(bundle, &GmmConfig { seed: config.seed, ..GmmConfig::default() })?;
            trials = tried;
            let mixture =
                Mixture { weights: gmm.weights(), means: gmm.means(), covariances: gmm.covariances() };
            start_flow(flow, config.seed, Some(mixture))?
        }
    };
    let before = started.elapsed().as_secs_f64();
    let mut trained = train_source(&BundleSource::new(bundle), start, config, checkpoint, resume, progress)?;
    trained.seconds += before;
    let mut artifact = ModelArtifact::from_flow(bundle, kind, config, trained);
    artifact.header.trials = trials;
    Ok(artifact)
}

fn search(bundle: &Bundle, config: &GmmConfig) -> Result<(Gmm, Vec<GmmTrial>), GmmError> {
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let draws = (MIXTURE_ROWS / train.nrows().max(1)).clamp(1, MIXTURE_DRAWS);
    let rows = stacked_draws(encoder, train.view(), draws, config.seed.child("train-noise", 0));
    let held_out = stacked_draws(encoder, validation.view(), 4, config.seed.child("validation-noise", 0));
    // Data without noise give one copy of each record, whatever was asked for.
    let copies = rows.nrows() / train.nrows().max(1);
    fit_gmm(rows.view(), held_out.view(), copies, config)
}
