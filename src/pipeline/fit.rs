//! `fit`: bundle → model folder.

use std::num::{ParseFloatError, ParseIntError};
use std::path::Path;

use crate::artifact::{
    EnsembleConfig, ModelArtifact, fit_causal_model, fit_flow_model, fit_mixture_model, fit_patch_model,
    fit_var_model,
};
use crate::baseline::{GmmConfig, VarConfig};
use crate::error::IoError;
use crate::features::Bundle;
use crate::output::OutputError;
use crate::random::Seed;
use crate::schema::Split;
use crate::train::{self, FlowKind, Preset, Progress};
use crate::window::WindowConfig;

use super::names::positions;
use super::{Error, cross};

/// Model family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelChoice {
    /// A flow with this linear layer.
    Flow(FlowKind),
    /// A Gaussian mixture.
    Gmm,
    /// A vector autoregression of waveform windows.
    Var,
    /// A causal flow of waveform windows, on top of that.
    Causal,
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
    /// Share of the training records, the most unusual under a first fit, that the model is fitted without.
    pub trim: Option<f64>,
    /// Text column whose levels are calibrated each by themselves.
    pub calibrate_by: Option<&'a str>,
    /// Features the density of the others is conditioned on.
    pub condition_on: &'a [String],
    /// Folds of a cross-conformal calibration; by default the calibration split is set aside.
    pub folds: Option<u32>,
    /// Overrides, as `--set` gives them.
    pub settings: &'a [(String, String)],
}

/// The family that serves a bundle best: the causal flow for waveform windows, which networks over all their coordinates
/// at once cannot learn from as few, butterflies for everything else.
///
/// # Errors
/// Where the bundle cannot be read.
pub fn default_model(bundle: &Path) -> Result<ModelChoice, Error> {
    let bundle = Bundle::open(bundle)?;
    let windows = bundle.manifest.pipeline.waveform.is_some();
    Ok(if windows { ModelChoice::Causal } else { ModelChoice::Flow(FlowKind::Butterfly) })
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
    let context = context_columns(&bundle, request.condition_on)?;
    // Windows bring their context with them.
    let bundle = if context.is_empty() { bundle } else { bundle.conditioned_on(&context) };
    let column = request.calibrate_by.map(|name| group_column(&bundle, name)).transpose()?;
    let checkpoint = match request.model {
        ModelChoice::Flow(_) | ModelChoice::Causal => Some(checkpoint_beside(request.output)?),
        _ => None,
    };
    let (mut artifact, calibrated) = if let Some(folds) = request.folds {
        cross::fit(&bundle, request, folds as usize, checkpoint.as_deref(), progress)?
    } else {
        let artifact = fit_trimmed(&bundle, request, checkpoint.as_deref(), progress)?;
        (artifact, bundle.rows(Split::Calibration))
    };
    if let Some(column) = column {
        artifact.calibrate_by(&bundle, column, &calibrated);
    }
    if let Some(noise) = artifact.metrics.score_noise.filter(|noise| noise.median_sd > 0.1) {
        progress.note(&format!(
            "the log-likelihood of a record has a noise of its own of {:.2} nats (median) with {} draws; score --draws N \
             takes more",
            noise.median_sd, noise.draws
        ));
    }
    artifact.save(request.output, request.force)?;
    if let Some(checkpoint) = checkpoint {
        train::remove_checkpoint(&checkpoint).map_err(train::TrainError::from)?;
    }
    Ok(artifact)
}

/// Fits on the training records of `bundle`, or on what trimming leaves of them.
pub(super) fn fit_trimmed(
    bundle: &Bundle,
    request: &FitRequest<'_>,
    checkpoint: Option<&Path>,
    progress: &dyn Progress,
) -> Result<ModelArtifact, Error> {
    let Some(share) = request.trim else { return fit_family(bundle, request, checkpoint, progress) };
    progress.note("fitting once to find the most unusual training records");
    let first = fit_family(bundle, &FitRequest { resume: false, ..*request }, None, progress)?;
    let rows = most_unusual(&first, bundle, share);
    progress.note(&format!(
        "fitting again without the {} most unusual of {} training records",
        rows.len(),
        bundle.manifest.splits.train
    ));
    let mut artifact = fit_family(&bundle.without(&rows), request, checkpoint, progress)?;
    artifact.metrics.trimmed = Some(rows.len());
    Ok(artifact)
}

/// Positions of the features to condition on.
fn context_columns(bundle: &Bundle, names: &[String]) -> Result<Vec<usize>, Error> {
    let usage = |message: &str, hint: &str| Err(Error::Usage { message: message.into(), hint: hint.into() });
    if !names.is_empty() && bundle.manifest.pipeline.waveform.is_some() {
        return usage(
            "--condition-on does not apply to windows of signals",
            "ingest with --set past=N for windows given the N samples before them",
        );
    }
    let columns = &bundle.manifest.encoder.columns;
    let mut context = positions("--condition-on", "bundle", columns, names)?;
    if context.len() == columns.len() {
        return usage(
            "--condition-on: no column is left that a density could be of",
            "leave out at least one column of the bundle",
        );
    }
    context.sort_unstable();
    Ok(context)
}

/// Position of a text column by name.
fn group_column(bundle: &Bundle, name: &str) -> Result<usize, Error> {
    let columns = &bundle.manifest.encoder.columns;
    let text: Vec<&str> =
        columns.iter().filter(|c| !c.levels.is_empty()).map(|c| c.meta.name.as_str()).collect();
    let usage = |message: String| {
        let hint = if text.is_empty() {
            "the bundle has no text columns".into()
        } else {
            format!("text columns are {}", text.join(", "))
        };
        Error::Usage { message, hint }
    };
    match columns.iter().position(|c| c.meta.name == name) {
        None => Err(usage(format!("--calibrate-by: the bundle has no column `{name}`"))),
        Some(i) if columns[i].levels.is_empty() => {
            Err(usage(format!("--calibrate-by: `{name}` holds numbers, and groups are levels of text")))
        }
        Some(i) => Ok(i),
    }
}

/// Rows of the training records with the largest scores, the given share of them, at least one.
fn most_unusual(first: &ModelArtifact, bundle: &Bundle, share: f64) -> Vec<usize> {
    let rows = bundle.rows(Split::Train);
    let raw = bundle.raw_of(Split::Train);
    let scores = first.unusualness(raw.view(), &first.score(raw.view()));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let n = ((share * rows.len() as f64).round() as usize).max(1);
    order.into_iter().take(n).map(|i| rows[i]).collect()
}

/// Fits the family asked for.
fn fit_family(
    bundle: &Bundle,
    request: &FitRequest<'_>,
    checkpoint: Option<&Path>,
    progress: &dyn Progress,
) -> Result<ModelArtifact, Error> {
    match request.model {
        ModelChoice::Gmm | ModelChoice::Var => fit_baseline(bundle, request),
        ModelChoice::Causal => fit_causal(bundle, request, checkpoint, progress),
        ModelChoice::Flow(kind) if bundle.manifest.pipeline.waveform.is_some() => {
            fit_patches(bundle, kind, request, checkpoint, progress)
        }
        ModelChoice::Flow(kind) => {
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
            let chosen = request.settings.iter().any(|(key, _)| key == "conditioning");
            let ensemble = request.ensemble.map_or_else(
                || {
                    let d = bundle.manifest.encoder.n_coordinates();
                    let found = EnsembleConfig::of(request.preset, bundle.manifest.splits.train, d);
                    EnsembleConfig { alternating: found.alternating && !chosen, ..found }
                },
                |flows| EnsembleConfig { flows, mixture: flows > 1, alternating: flows > 1 && !chosen },
            );
            Ok(fit_flow_model(bundle, kind, &flow, &config, ensemble, checkpoint, request.resume, progress)?)
        }
    }
}

/// A flow over the patches of waveform windows.
fn fit_patches(
    bundle: &Bundle,
    kind: FlowKind,
    request: &FitRequest<'_>,
    checkpoint: Option<&Path>,
    progress: &dyn Progress,
) -> Result<ModelArtifact, Error> {
    let usage = |message: String, hint: &str| Error::Usage { message, hint: hint.into() };
    if request.ensemble.is_some_and(|n| n > 1) {
        let message = "--ensemble does not apply to flows of waveform windows".to_owned();
        return Err(usage(message, "leave it out"));
    }
    let (whiten, settings): (Vec<_>, Vec<_>) =
        request.settings.iter().cloned().partition(|(key, _)| key == "whiten");
    let whiten = match whiten.last().map(|(_, value)| value.as_str()) {
        None | Some("true") => true,
        Some("false") => false,
        Some(other) => {
            let message = format!("`--set whiten` must be true or false, got `{other}`");
            return Err(usage(message, "false leaves out the autoregression the flow starts from"));
        }
    };
    let waveform = bundle.manifest.pipeline.waveform.as_ref();
    let (length, channels) = waveform.map_or((1, 1), |w| (w.window, w.channels.len()));
    let (mut flow, mut config) =
        train::window_preset(kind, bundle.manifest.splits.train, length, channels, whiten);
    config.seed = request.seed;
    config.time_budget_seconds = request.time_budget;
    if let Some(epochs) = request.epochs {
        config.max_epochs = epochs;
    }
    train::apply_overrides(&mut flow, &mut config, &settings)?;
    Ok(fit_patch_model(bundle, kind, &flow, &config, whiten, checkpoint, request.resume, progress)?)
}

/// Where the state of a run is kept, its parent made.
fn checkpoint_beside(output: &Path) -> Result<std::path::PathBuf, Error> {
    let checkpoint = train::checkpoint_dir(output);
    if let Some(parent) = checkpoint.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(IoError::on("create", parent))?;
    }
    Ok(checkpoint)
}

fn fit_causal(
    bundle: &Bundle,
    request: &FitRequest<'_>,
    checkpoint: Option<&Path>,
    progress: &dyn Progress,
) -> Result<ModelArtifact, Error> {
    let usage = |message: String, hint: &str| Error::Usage { message, hint: hint.into() };
    if request.ensemble.is_some() {
        let message = "--ensemble does not apply to `--model causal`".to_owned();
        return Err(usage(message, "leave it out"));
    }
    let mut config = WindowConfig {
        seed: request.seed,
        time_budget_seconds: request.time_budget,
        ..WindowConfig::default()
    };
    if let Some(epochs) = request.epochs {
        config.max_epochs = epochs;
    }
    for (key, value) in request.settings {
        let wrong = |_| usage(format!("`--set {key}`: not a number: `{value}`"), "give a number");
        match key.as_str() {
            "hidden" => config.hidden = value.parse().map_err(|e: ParseIntError| wrong(e.to_string()))?,
            "components" => {
                config.components = value.parse().map_err(|e: ParseIntError| wrong(e.to_string()))?;
            }
            "batch_samples" => {
                config.batch_samples = value.parse().map_err(|e: ParseIntError| wrong(e.to_string()))?;
            }
            "patience" => config.patience = value.parse().map_err(|e: ParseIntError| wrong(e.to_string()))?,
            "learning_rate" => {
                config.learning_rate = value.parse().map_err(|e: ParseFloatError| wrong(e.to_string()))?;
            }
            "weight_decay" => {
                config.weight_decay = value.parse().map_err(|e: ParseFloatError| wrong(e.to_string()))?;
            }
            _ => {
                let hint =
                    "allowed are hidden, components, batch_samples, patience, learning_rate, weight_decay";
                return Err(usage(format!("`--set {key}`: unknown key for `--model causal`"), hint));
            }
        }
    }
    Ok(fit_causal_model(bundle, &config, checkpoint, request.resume, progress)?)
}

fn fit_baseline(bundle: &Bundle, request: &FitRequest<'_>) -> Result<ModelArtifact, Error> {
    let flow_only = [
        ("--resume", request.resume),
        ("--ensemble", request.ensemble.is_some()),
        ("--epochs", request.epochs.is_some()),
        ("--time-budget", request.time_budget.is_some()),
        ("--set", !request.settings.is_empty()),
    ];
    if let Some((option, _)) = flow_only.iter().find(|(_, given)| *given) {
        return Err(Error::Usage {
            message: format!("{option} does not apply to `--model gmm` or `--model var`"),
            hint: "leave it out; they choose their settings on the validation split".into(),
        });
    }
    if request.model == ModelChoice::Var {
        return Ok(fit_var_model(bundle, &VarConfig { seed: request.seed, ..VarConfig::default() })?);
    }
    let config = GmmConfig { seed: request.seed, ..GmmConfig::default() };
    Ok(fit_mixture_model(bundle, &config)?)
}
