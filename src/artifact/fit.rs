//! From a bundle to a model: what `cohort-flow fit` does once its options are resolved.

use std::path::Path;
use std::time::Instant;

use super::ModelArtifact;
use crate::baseline::{Gmm, GmmConfig, GmmError, GmmTrial, fit_gmm};
use crate::error::Hint;
use crate::evaluate::{Standardised, axes, stacked_draws, standardise};
use crate::features::Bundle;
use crate::flow::{BaseKind, FlowConfig};
use crate::random::Seed;
use crate::schema::Split;
use crate::train::{
    BundleSource, FlowKind, Mixture, Progress, TrainConfig, TrainError, start_flow, train_source,
};

/// Rows a mixture is fitted on, at least, as far as more noise draws of the same records can provide them.
const MIXTURE_ROWS: usize = 8_000;
/// Added to each variance of standardised numbers, so that in few rows of many columns distances stay what counts.
const STANDARDISED_RIDGE: f64 = 0.1;
/// Most rows that mixture is fitted on.
const STANDARDISED_ROWS: usize = 10_000;
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
}

impl Hint for FitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Train(e) => e.hint(),
            Self::Gmm(e) => e.hint(),
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

/// The mixture over standardised numbers behind a combined score; none where the table holds no numbers or EM fails on
/// them.
pub(super) fn standardised_mixture(bundle: &Bundle, seed: Seed) -> Option<Standardised> {
    let axes = axes(&bundle.manifest.encoder);
    if axes.is_empty() {
        return None;
    }
    let rows = |split| {
        let at = bundle.rows(split);
        let step = at.len().div_ceil(STANDARDISED_ROWS).max(1);
        let chosen: Vec<usize> = at.into_iter().step_by(step).collect();
        standardise(&axes, bundle.raw.select(ndarray::Axis(0), &chosen).view())
    };
    let config = GmmConfig {
        components: vec![1, 2, 4, 8],
        regularisation: vec![STANDARDISED_RIDGE],
        starts: 1,
        seed: seed.child("standardised", 0),
        ..GmmConfig::default()
    };
    let (train, validation) = (rows(Split::Train), rows(Split::Validation));
    match fit_gmm(train.view(), validation.view(), 1, &config) {
        Ok((gmm, _)) => {
            let weights = gmm.weights().to_vec();
            Standardised::new(axes, &weights, gmm.means().view(), gmm.covariances().outer_iter())
        }
        Err(e) => {
            tracing::warn!("outliers are ranked without their distances: {e}");
            None
        }
    }
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
