//! `fit`: bundle → model folder.

use std::path::Path;

use crate::artifact::{EnsembleConfig, ModelArtifact, fit_flow_model, fit_mixture_model};
use crate::baseline::GmmConfig;
use crate::error::IoError;
use crate::features::Bundle;
use crate::output::OutputError;
use crate::random::Seed;
use crate::train::{self, FlowKind, Preset, Progress};

use super::Error;

/// Model family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelChoice {
    /// A flow with this linear layer.
    Flow(FlowKind),
    /// A Gaussian mixture.
    Gmm,
}

/// What to fit.
#[derive(Debug, Clone, Copy)]
pub struct FitRequest<'a> {
    /// Bundle folder.
    pub bundle: &'a Path,
    /// Model folder to write.
    pub output: &'a Path,
    /// Whether to replace an existing model.
    pub force: bool,
    /// Family.
    pub model: ModelChoice,
    /// Size and regularisation of a flow.
    pub preset: Preset,
    /// Seed of everything random.
    pub seed: Seed,
    /// Flows of an ensemble; by default the preset decides.
    pub ensemble: Option<u32>,
    /// Upper bound on epochs.
    pub epochs: Option<u32>,
    /// Wall-clock budget in seconds.
    pub time_budget: Option<f64>,
    /// Continue from the checkpoint beside `output`.
    pub resume: bool,
    /// Overrides, as `--set` gives them.
    pub settings: &'a [(String, String)],
}

/// Fits and writes the model; the checkpoint beside it is removed once the model is in place.
///
/// # Errors
/// Whatever training reports; an interrupted run leaves its checkpoint and no model.
pub fn fit(request: &FitRequest<'_>, progress: &dyn Progress) -> Result<ModelArtifact, Error> {
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    let bundle = Bundle::open(request.bundle)?;
    let artifact = match request.model {
        ModelChoice::Gmm => fit_mixture(&bundle, request)?,
        ModelChoice::Flow(kind) => {
            let checkpoint = train::checkpoint_dir(request.output);
            if let Some(parent) = checkpoint.parent().filter(|p| !p.as_os_str().is_empty()) {
                std::fs::create_dir_all(parent).map_err(IoError::on("create", parent))?;
            }
            let (mut flow, mut config) = train::preset(
                kind,
                request.preset,
                bundle.manifest.splits.train,
                bundle.manifest.encoder.n_coordinates(),
            );
            config.seed = request.seed;
            config.time_budget_seconds = request.time_budget;
            if let Some(epochs) = request.epochs {
                config.max_epochs = epochs;
            }
            train::apply_overrides(&mut flow, &mut config, request.settings)?;
            let ensemble = request.ensemble.map_or_else(
                || {
                    let d = bundle.manifest.encoder.n_coordinates();
                    EnsembleConfig::of(request.preset, bundle.manifest.splits.train, d)
                },
                |flows| EnsembleConfig { flows, mixture: flows > 1 },
            );
            let artifact = fit_flow_model(
                &bundle,
                kind,
                &flow,
                &config,
                ensemble,
                Some(&checkpoint),
                request.resume,
                progress,
            )?;
            artifact.save(request.output, request.force)?;
            train::remove_checkpoint(&checkpoint).map_err(train::TrainError::from)?;
            return Ok(artifact);
        }
    };
    artifact.save(request.output, request.force)?;
    Ok(artifact)
}

fn fit_mixture(bundle: &Bundle, request: &FitRequest<'_>) -> Result<ModelArtifact, Error> {
    let flow_only = [
        ("--resume", request.resume),
        ("--ensemble", request.ensemble.is_some()),
        ("--epochs", request.epochs.is_some()),
        ("--time-budget", request.time_budget.is_some()),
        ("--set", !request.settings.is_empty()),
    ];
    if let Some((option, _)) = flow_only.iter().find(|(_, given)| *given) {
        return Err(Error::Usage {
            message: format!("{option} does not apply to `--model gmm`"),
            hint: "leave it out; a mixture chooses k and its regularisation on the validation split".into(),
        });
    }
    let config = GmmConfig { seed: request.seed, ..GmmConfig::default() };
    Ok(fit_mixture_model(bundle, &config)?)
}
