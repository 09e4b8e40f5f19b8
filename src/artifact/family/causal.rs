//! Causal flows of windows of signals, on top of a vector autoregression; those of pictures have a file of
//! their own.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::EVERY_OPTION;
use super::pictures;
use super::var::{self, VarDetails, Windows};
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::tensors::Tensor;
use crate::baseline::{VarConfig, fit_var};
use crate::evaluate::stacked_draws;
use crate::features::{Bundle, Noise, RecordKey};
use crate::schema::Split;
use crate::train::{Keep, Key, Range, apply_settings, key};
use crate::window::{Context, Lattice, Shape, WindowConfig, WindowFlow, fit_window};

/// Name of the tensor with all parameters of the network.
const NETWORK: &str = "network";

pub(super) static CAUSAL: Definition = Definition {
    name: pictures::FAMILY,
    help: "Causal flow: each sample or pixel given those before it, for waveform windows and pictures",
    role: Role::Flow,
    noun: "flow",
    trained: true,
    options: EVERY_OPTION,
    estimator: |shape, options| {
        if options.ensemble.is_some() {
            return Err(FitError::usage("--ensemble does not apply to `--model causal`", "leave it out"));
        }
        if let Some(pictures) = pictures::estimator(shape, options)? {
            return Ok(pictures);
        }
        Windows::of_shape(shape)?;
        let mut config = WindowConfig::default();
        if let Some(epochs) = options.epochs {
            config.max_epochs = epochs;
        }
        apply_settings(&mut config, &keys(), &options.settings)?;
        Ok(Box::new(CausalFlow { config }))
    },
    read: |reading| {
        if let Some(pictures) = pictures::read(reading)? {
            return Ok(pictures);
        }
        let details: Details = reading.details()?;
        let network = reading.singles(NETWORK, &[details.shape.n_parameters()])?;
        let flow =
            WindowFlow::new(var::read(reading)?, details.context, details.shape, network, details.lattice);
        let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
        Ok(Arc::new(flow.map_err(impossible)?))
    },
};

/// The keys of `--set`.
fn keys() -> Vec<Key<WindowConfig>> {
    vec![
        key!(WindowConfig, hidden: usize, Range::whole(1, 4096), "width of both hidden layers"),
        key!(WindowConfig, components: usize, Range::whole(1, 256), "components of the conditional mixture"),
        key!(WindowConfig, batch_samples: usize, Range::whole(1, 1 << 30),
            "samples per step, rounded up to windows"),
        key!(WindowConfig, patience: u32, Range::whole(1, 1_000_000),
            "epochs without improvement that end the run"),
        key!(WindowConfig, learning_rate: f64, Range::above(0.0, 1.0), "largest step"),
        key!(WindowConfig, weight_decay: f32, Range::real(0.0, 10.0), "decay of weight matrices"),
    ]
}

/// A causal flow on the training windows, starting from the autoregression that fits them.
#[derive(Debug, Clone, Default)]
pub struct CausalFlow {
    /// Network and training. Its seed and its budget are those of the run.
    pub config: WindowConfig,
}

/// What the header says about a causal flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Details {
    /// Trainer settings.
    train: WindowConfig,
    /// What its network sees.
    context: Context,
    /// Sizes of its network.
    shape: Shape,
    /// Values its signals can take, where they are digitised.
    lattice: Option<Lattice>,
    /// The search for the autoregression.
    autoregression: VarDetails,
}

impl Estimator for CausalFlow {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let windows = Windows::of(bundle)?;
        let encoder = &bundle.manifest.encoder;
        let (train, validation) = (bundle.raw_of(Split::Train), bundle.raw_of(Split::Validation));
        let search = VarConfig { past: windows.past, seed: run.seed, ..VarConfig::default() };
        let noise = run.seed.child("train-noise", 0);
        let keys = RecordKey::by_copy(train.view());
        let draw = |draw: u32| encoder.encode_keyed(train.view(), &keys, noise, u64::from(draw)).values;
        let held_out = stacked_draws(encoder, validation.view(), 1, run.seed.child("validation-noise", 0));
        let first = draw(0);
        run.progress.note("fitting the autoregression the flow starts from");
        let (var, orders) = fit_var(first.view(), held_out.view(), windows.channels, &search)?;
        let lattice = lattice(bundle, windows.channels);
        if lattice.is_none() {
            run.progress.note("the signals keep to no steps: their values are taken as continuous");
        }
        let config =
            WindowConfig { seed: run.seed, time_budget_seconds: run.time_budget, ..self.config.clone() };
        let identity = json!({
            "bundle_sha256": bundle.fingerprint(),
            "config": WindowConfig { time_budget_seconds: None, ..config.clone() },
            "lattice": &lattice,
            "order": var.order(),
        });
        let keep = run.checkpoint.map(|dir| Keep { dir, run: &identity, resume: run.resume });
        // The budget is for all of the fit.
        let before = started.elapsed().as_secs_f64();
        let left = WindowConfig {
            time_budget_seconds: run.time_budget.map(|budget| (budget - before).max(0.0)),
            ..config.clone()
        };
        let trained = fit_window(var, lattice, &draw, held_out.view(), &left, keep, run.progress)?;
        let flow = &trained.model;
        let details = Details {
            train: config,
            context: flow.sight(),
            shape: flow.shape(),
            lattice: flow.lattice().cloned(),
            autoregression: VarDetails { search, orders },
        };
        Ok(Fitted::trained(CAUSAL.name, &details, run.seed, trained, before))
    }
}

impl Model for WindowFlow {
    fn tensors(&self) -> Vec<Tensor> {
        let mut tensors = self.var().tensors();
        let network = self.parameters();
        tensors.push(Tensor::singles(NETWORK, &[network.len()], network));
        tensors
    }

    fn judges_parts(&self) -> bool {
        false
    }
}

/// The lattices of a bundle's channels, where noise of one width per channel was added to values that keep to
/// one.
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
    windows.append(Axis(0), validation.view()).ok()?;
    let centres =
        Array2::from_shape_fn(windows.dim(), |(i, j)| encoder.columns[j].encode(windows[[i, j]], 0.5).0);
    Lattice::through(centres.view(), &steps)
}
