//! From a bundle of waveform windows to a model.

use std::path::Path;
use std::time::Instant;

use ndarray::Array2;
use serde_json::json;

use super::{FitError, ModelArtifact};
use crate::baseline::{VarConfig, fit_var};
use crate::evaluate::stacked_draws;
use crate::features::{Bundle, Noise, RecordKey};
use crate::flow::{BaseKind, FlowConfig};
use crate::schema::Split;
use crate::train::{
    BundleSource, FlowKind, Mixture, Progress, TrainConfig, TrainError, remove_checkpoint, start_flow,
    train_source,
};
use crate::window::{Keep, Lattice, WindowConfig, fit_window};

/// Numbers an autoregression is fitted on, at least, as far as more noise draws of the same windows can provide them.
const NUMBERS: usize = 1_000_000;
/// Most noise draws per window.
const DRAWS: usize = 8;

/// Channels of a bundle of complete waveform windows, and the samples before each that its density is given.
fn window_channels(bundle: &Bundle) -> Result<(usize, usize), FitError> {
    let manifest = &bundle.manifest;
    let Some(waveform) = &manifest.pipeline.waveform else {
        return Err(FitError::NotWindows("the bundle was made from a table".into()));
    };
    let (channels, expected) = (waveform.channels.len(), waveform.extent() * waveform.channels.len());
    let found = manifest.encoder.n_coordinates();
    if found != expected {
        return Err(FitError::NotWindows(format!(
            "{} samples of {channels} channels are {expected} coordinates, the bundle has {found}",
            waveform.extent()
        )));
    }
    Ok((channels, waveform.past))
}

/// The lattices of a bundle's channels, where noise of one width per channel was added to values that keep to one.
fn lattice(bundle: &Bundle, channels: usize) -> Option<Lattice> {
    let encoder = &bundle.manifest.encoder;
    let mut steps = Vec::with_capacity(channels);
    for (i, column) in encoder.columns.iter().enumerate() {
        let Noise::Uniform { delta } = column.noise else { return None };
        let step = column.encode(delta, 0.5).0 - column.encode(0.0, 0.5).0;
        match steps.get(i % channels) {
            None => steps.push(step),
            Some(first) if (step - first).abs() <= 1e-9 * first.abs() => {}
            Some(_) => return None,
        }
    }
    let mut windows = bundle.raw_of(Split::Train);
    let validation = bundle.raw_of(Split::Validation);
    windows.append(ndarray::Axis(0), validation.view()).ok()?;
    let centres =
        Array2::from_shape_fn(windows.dim(), |(i, j)| encoder.columns[j].encode(windows[[i, j]], 0.5).0);
    Lattice::through(centres.view(), &steps)
}

/// Fits a vector autoregression to the training windows of `bundle`, its order chosen on the validation windows.
///
/// # Errors
/// [`FitError::NotWindows`] for a bundle that holds none, and those of [`fit_var`].
pub fn fit_var_model(bundle: &Bundle, config: &VarConfig) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    let (channels, past) = window_channels(bundle)?;
    let config = &VarConfig { past, ..config.clone() };
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let draws = (NUMBERS / train.len().max(1)).clamp(1, DRAWS);
    let rows = stacked_draws(encoder, train.view(), draws, config.seed.child("train-noise", 0));
    let held_out = stacked_draws(encoder, validation.view(), 1, config.seed.child("validation-noise", 0));
    let (var, orders) = fit_var(rows.view(), held_out.view(), channels, config)?;
    Ok(ModelArtifact::from_var(bundle, config, var, orders, started.elapsed().as_secs_f64()))
}

/// Trains a causal flow on the training windows of `bundle`, starting from the autoregression [`fit_var_model`] finds. The state
/// between epochs is kept in the folder `checkpoint`.
///
/// # Errors
/// [`FitError::NotWindows`] for a bundle that holds none, and those of [`fit_var`] and [`fit_window`].
pub fn fit_causal_model(
    bundle: &Bundle,
    config: &WindowConfig,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    let (channels, past) = window_channels(bundle)?;
    let encoder = &bundle.manifest.encoder;
    let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
    let var_config = VarConfig { past, seed: config.seed, ..VarConfig::default() };
    let noise = config.seed.child("train-noise", 0);
    let keys = RecordKey::by_copy(train.view());
    let draw = |draw: u32| encoder.encode_keyed(train.view(), &keys, noise, u64::from(draw)).values;
    let held_out = stacked_draws(encoder, validation.view(), 1, config.seed.child("validation-noise", 0));
    let first = draw(0);
    progress.note("fitting the autoregression the flow starts from");
    let (var, orders) = fit_var(first.view(), held_out.view(), channels, &var_config)?;
    let lattice = lattice(bundle, channels);
    if lattice.is_none() {
        progress.note("the signals keep to no steps: their values are taken as continuous");
    }
    if let Some(dir) = checkpoint.filter(|_| !resume) {
        remove_checkpoint(dir).map_err(TrainError::from)?;
    }
    let run = json!({
        "bundle_sha256": bundle.fingerprint(),
        "config": WindowConfig { time_budget_seconds: None, ..config.clone() },
        "lattice": &lattice,
        "order": var.order(),
    });
    let keep = checkpoint.map(|dir| Keep { dir, run: &run, resume });
    // The budget is for all of the fit.
    let before = started.elapsed().as_secs_f64();
    let left = |budget: f64| (budget - before).max(0.0);
    let resolved =
        WindowConfig { time_budget_seconds: config.time_budget_seconds.map(left), ..config.clone() };
    let (flow, history, seconds) =
        fit_window(var, lattice, &draw, held_out.view(), &resolved, keep, progress)?;
    let seconds = before + seconds;
    Ok(ModelArtifact::from_causal(bundle, &var_config, config, flow, orders, history, seconds))
}

/// Trains a flow of windows: layers over patches, on the innovations of an autoregression unless `whiten` is false. Its base
/// then starts as the mixture of those innovations, so that training starts at the likelihood of [`fit_var_model`].
///
/// # Errors
/// [`FitError::NotWindows`] for a bundle that holds none, and those of [`fit_var`] and [`train_source`].
#[expect(clippy::too_many_arguments, reason = "what to fit on, what to fit, and where to keep it meanwhile")]
pub fn fit_patch_model(
    bundle: &Bundle,
    kind: FlowKind,
    flow: &FlowConfig,
    config: &TrainConfig,
    whiten: bool,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<ModelArtifact, FitError> {
    let started = Instant::now();
    if let Some(dir) = checkpoint.filter(|_| !resume) {
        remove_checkpoint(dir).map_err(TrainError::from)?;
    }
    let (channels, past) = window_channels(bundle)?;
    let encoder = &bundle.manifest.encoder;
    let context = encoder.context_coordinates();
    let mut flow = FlowConfig { n_features: flow.n_features + context.len(), context, ..flow.clone() };
    let start = if whiten {
        progress.note("fitting the autoregression the flow starts from");
        let var_config = VarConfig { past, seed: config.seed, ..VarConfig::default() };
        let draw = |split, name: &str| {
            stacked_draws(encoder, bundle.raw_of(split).view(), 1, config.seed.child(name, 0))
        };
        let (first, held_out) =
            (draw(Split::Train, "train-noise"), draw(Split::Validation, "validation-noise"));
        let (var, _) = fit_var(first.view(), held_out.view(), channels, &var_config)?;
        if let Some(window) = &mut flow.window {
            window.order = var.order();
        }
        let gmm = var.innovation();
        let mixture = Mixture { weights: gmm.weights(), means: gmm.means(), covariances: gmm.covariances() };
        let mut start = start_flow(&flow, config.seed, Some(mixture))?;
        start.set_causal(var.mean(), var.whitening()).map_err(TrainError::from)?;
        start
    } else {
        if past > 0 {
            progress.note("without the autoregression no layer reads the samples before a window");
        }
        // Nothing to start from but the scale of the data, which ActNorm takes.
        if flow.base != BaseKind::Normal {
            flow.base = BaseKind::Normal;
        }
        start_flow(&flow, config.seed, None)?
    };
    let before = started.elapsed().as_secs_f64();
    let config = TrainConfig {
        time_budget_seconds: config.time_budget_seconds.map(|b| (b - before).max(0.05)),
        ..config.clone()
    };
    let source = BundleSource::new(bundle);
    let mut trained = train_source(&source, start, &config, checkpoint, resume, progress)?;
    trained.seconds += before;
    Ok(ModelArtifact::from_flow(bundle, kind, &config, trained))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Audit, Cells, Column, RecordTable, Subjects};
    use crate::random::Seed;
    use crate::schema::{Kind, Pipeline, apply_settings, load_pipeline};
    use crate::train::Silent;
    use rand::RngExt;

    /// Windows of two channels of 12 samples: a random walk and its echo.
    fn bundle(settings: &[(&str, &str)]) -> Bundle {
        let mut pipeline: Pipeline = load_pipeline("waveform-1024").unwrap().0;
        let all = [&[("channels", "A,B"), ("window", "12")], settings].concat();
        let all: Vec<_> = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        apply_settings(&mut pipeline, &all).unwrap();
        let n = 120;
        let mut rng = Seed(5).stream("windows", 0);
        let mut cells = vec![Vec::new(); 24];
        for _ in 0..n {
            let mut walk = 0.0f64;
            for t in 0..12 {
                let echo = 0.5 * walk;
                walk = 0.9 * walk + rng.random::<f64>() - 0.5;
                for (c, x) in [walk, echo].into_iter().enumerate() {
                    cells[2 * t + c].push((50.0 * x).round() / 50.0);
                }
            }
        }
        let column = |(i, cells): (usize, Vec<f64>)| Column {
            name: format!("{}[{:04}]", ["A", "B"][i % 2], i / 2),
            label: String::new(),
            group: String::new(),
            unit: "SD".into(),
            kind: Kind::Continuous,
            resolution: Some(0.02),
            range: None,
            spelling: crate::ingest::Spelling::undeclared(),
            cells: Cells::Number(cells.into()),
        };
        let splits = (0..n).map(|i| Split::ALL[[0, 0, 0, 1, 2, 3][i % 6]]).collect();
        let ids: Vec<String> = (0..n).map(|i| format!("w@{i}")).collect();
        let table = RecordTable {
            record_ids: ids.into(),
            subjects: Subjects::Records,
            splits: Some(splits),
            columns: cells.into_iter().enumerate().map(column).collect(),
            audit: Audit::default(),
        };
        Bundle::build(&table, None, &pipeline).unwrap()
    }

    #[test]
    fn models_of_windows_read_back_as_they_were_written() {
        let bundle = bundle(&[]);
        let var = fit_var_model(&bundle, &VarConfig::default()).unwrap();
        let config = WindowConfig { hidden: 8, components: 3, max_epochs: 3, ..WindowConfig::default() };
        let causal = fit_causal_model(&bundle, &config, None, false, &Silent).unwrap();
        assert_eq!(causal.history.len(), 4);
        let dir = tempfile::tempdir().unwrap();
        let raw = bundle.raw_of(Split::Test);
        for (name, model) in [("var", &var), ("causal", &causal)] {
            let path = dir.path().join(name);
            model.save(&path, false).unwrap();
            let read = ModelArtifact::load(&path).unwrap();
            assert_eq!(read.header, model.header);
            assert_eq!(read.score(raw.view()).log_prob, model.score(raw.view()).log_prob, "{name}");
            assert_eq!(read.calibration, model.calibration);
            assert!(read.metrics.splits[&Split::Test].mean_log_prob.is_finite());
        }
    }

    /// To the bit, whatever the order of the windows and however few are scored together.
    #[test]
    fn a_window_has_the_same_score_in_any_company() {
        let bundle = bundle(&[]);
        let config = WindowConfig { hidden: 8, components: 3, max_epochs: 2, ..WindowConfig::default() };
        let models = [
            fit_var_model(&bundle, &VarConfig::default()).unwrap(),
            fit_causal_model(&bundle, &config, None, false, &Silent).unwrap(),
        ];
        let n = bundle.raw.nrows();
        for model in &models {
            let whole = model.score(bundle.raw.view()).log_prob;
            let orders = [(0..n).rev().collect::<Vec<_>>(), vec![7], vec![3, 90, 3], (20..57).collect()];
            for rows in orders {
                let some = model.score(bundle.raw.select(ndarray::Axis(0), &rows).view()).log_prob;
                let expected: Vec<f64> = rows.iter().map(|&i| whole[i]).collect();
                assert_eq!(some, expected, "{} {}", model.header.kind, rows.len());
            }
        }
    }

    #[test]
    fn other_bundles_are_refused() {
        let mut table = bundle(&[]);
        table.manifest.pipeline.waveform = None;
        let error = fit_var_model(&table, &VarConfig::default()).unwrap_err().to_string();
        assert!(error.contains("made from a table"), "{error}");
        let wrong = bundle(&[("window", "13")]);
        let error =
            fit_causal_model(&wrong, &WindowConfig::default(), None, false, &Silent).unwrap_err().to_string();
        assert!(error.contains("26 coordinates, the bundle has 24"), "{error}");
    }
}
