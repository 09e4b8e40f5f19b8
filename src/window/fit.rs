//! Training of the network: its start, its batches and its gradient, for the loop that trains every flow.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::conditional::Shape;
use super::context::Context;
use super::lattice::Lattice;
use super::model::{Prepared, WindowFlow};
use crate::baseline::{MixtureError, Var};
use crate::flow::{Tape, views};
use crate::random::Seed;
use crate::train::{
    self, Averaging, Group, Keep, NotFinite, Progress, Recipe, Schedule, Step, TrainError, Trainable,
    Trained, Warmup,
};

/// How the network is trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WindowConfig {
    /// Width of both hidden layers.
    pub hidden: usize,
    /// Components of the conditional mixture.
    pub components: usize,
    /// Largest step.
    pub learning_rate: f64,
    /// Decay of the weight matrices.
    pub weight_decay: f32,
    /// Samples per step, rounded up to whole windows.
    pub batch_samples: usize,
    /// Upper bound on passes over the training windows.
    pub max_epochs: u32,
    /// Epochs without improvement after which training ends.
    pub patience: u32,
    /// Seconds the schedule is fitted to.
    pub time_budget_seconds: Option<f64>,
    /// Seed of initialisation and order.
    pub seed: Seed,
}

impl Default for WindowConfig {
    fn default() -> Self {
        Self {
            hidden: 128,
            components: 16,
            learning_rate: 3e-3,
            weight_decay: 1e-2,
            batch_samples: 8192,
            max_epochs: 60,
            patience: 12,
            time_budget_seconds: None,
            seed: Seed(0),
        }
    }
}

/// Largest norm of a gradient, per sample.
const CLIP: f64 = 1.0;
/// Memory of the averaged weights, in steps.
const AVERAGE: f64 = 0.99;
/// Seconds between checkpoints.
const CHECKPOINT_SECONDS: f64 = 15.0;
/// Steps of rising learning rate.
const WARM_UP: u64 = 50;
/// Share of the largest step that the last steps keep.
const FLOOR: f64 = 0.01;

/// Training windows under the noise of an epoch.
pub trait WindowSource {
    /// `(n, T·C)`, the same windows in each epoch.
    fn epoch(&self, epoch: u32) -> Array2<f64>;
}

impl<F: Fn(u32) -> Array2<f64>> WindowSource for F {
    fn epoch(&self, epoch: u32) -> Array2<f64> {
        self(epoch)
    }
}

/// Failure of a fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// Of the data or a setting.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// Of a checkpoint, or an interruption.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Trains the network on top of `var`, for digitised signals with their `lattice`, and returns the flow with
/// the weights that did best on `validation`, which may be those of the start.
///
/// An interrupted run ends with its state kept, if anywhere; continued, it gives the weights of an
/// undisturbed one.
///
/// # Shapes
/// `validation: (m, T·C)`
///
/// # Errors
/// [`MixtureError::Setting`] for a setting outside its range, [`MixtureError::TooFewRows`] without windows;
/// [`TrainError`] for divergence, for an interruption, and for a checkpoint that cannot be used.
pub fn fit_window(
    var: Var,
    lattice: Option<Lattice>,
    source: &dyn WindowSource,
    validation: ArrayView2<'_, f64>,
    config: &WindowConfig,
    keep: Option<Keep<'_>>,
    progress: &dyn Progress,
) -> Result<Trained<WindowFlow>, WindowError> {
    config.check()?;
    let started = Instant::now();
    let n = source.epoch(0).nrows();
    if n == 0 || validation.nrows() == 0 {
        return Err(MixtureError::TooFewRows { rows: n.min(validation.nrows()), needed: 1 }.into());
    }
    let flow = start(var, lattice, config)?;
    let model = WindowRecords {
        per_batch: config.batch_samples.div_ceil(flow.n_own()).clamp(1, n),
        held_out: flow.prepare(validation),
        flow,
        source,
        config,
        windows: Array2::zeros((0, 0)),
        order: (0..n).collect(),
        gradient: Vec::new(),
    };
    let trained = train::train(model, &config.recipe(), keep, started, progress)?;
    Ok(trained.map(|model| model.flow))
}

/// A flow with the windows that it is trained on.
struct WindowRecords<'a> {
    flow: WindowFlow,
    source: &'a dyn WindowSource,
    config: &'a WindowConfig,
    held_out: Vec<Prepared>,
    per_batch: usize,
    /// The noise draw and the order of the current epoch.
    windows: Array2<f64>,
    order: Vec<usize>,
    gradient: Vec<f32>,
}

impl Trainable for WindowRecords<'_> {
    fn n_train(&self) -> usize {
        self.order.len()
    }

    fn n_validation(&self) -> usize {
        self.held_out.len()
    }

    fn batches(&self) -> usize {
        self.order.len().div_ceil(self.per_batch)
    }

    fn groups(&self) -> Vec<Group> {
        let parameters: Vec<_> = views(0, self.flow.shape().network().specs()).collect();
        train::groups(&parameters, self.config.weight_decay, |_| 1.0)
    }

    fn parameters(&self) -> &[f32] {
        self.flow.parameters()
    }

    fn set_parameters(&mut self, parameters: &[f32]) {
        self.flow.set_parameters(parameters);
    }

    fn begin(&mut self, epoch: u32) -> Result<(), NotFinite> {
        // The last draw is given back before the next is made, which may be large.
        self.windows = Array2::zeros((0, 0));
        self.windows = self.source.epoch(epoch);
        let mut rng = self.config.seed.stream("window-order", u64::from(epoch));
        self.order = train::shuffled(self.order.len(), &mut rng);
        Ok(())
    }

    fn step(&mut self, batch: usize) -> Step<'_> {
        let rows =
            self.order.chunks(self.per_batch).nth(batch).expect("invariant: as many batches as chunks");
        let prepared = self.flow.prepare(self.windows.select(Axis(0), rows).view());
        let sum;
        (sum, self.gradient) = gradient(&self.flow, &prepared);
        Step {
            log_prob: sum - rows.len() as f64 * self.flow.var().log_scale(),
            records: rows.len(),
            gradient: &self.gradient,
            // The loss is counted per sample, so that a rate serves windows of any length.
            scale: -1.0 / (rows.len() * self.flow.n_own()) as f32,
        }
    }

    fn validation_log_prob(&mut self) -> f64 {
        let each = self.flow.log_prob_prepared(&self.held_out);
        each.iter().sum::<f64>() / each.len() as f64
    }
}

impl WindowConfig {
    fn recipe(&self) -> Recipe {
        Recipe {
            schedule: Schedule { peak: self.learning_rate, warmup: Warmup::Steps(WARM_UP), floor: FLOOR },
            averaging: Averaging { decay: AVERAGE, short_at_first: false },
            clip_norm: CLIP,
            max_epochs: self.max_epochs,
            patience: self.patience,
            time_budget_seconds: self.time_budget_seconds,
            checkpoint_epochs: u32::MAX,
            checkpoint_seconds: CHECKPOINT_SECONDS,
        }
    }

    fn check(&self) -> Result<(), MixtureError> {
        let bad = |name, allowed, value: String| Err(MixtureError::Setting { name, allowed, value });
        if self.hidden == 0 || self.hidden > 4096 {
            return bad("hidden", "from 1 to 4096", self.hidden.to_string());
        }
        if self.components == 0 || self.components > 256 {
            return bad("components", "from 1 to 256", self.components.to_string());
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return bad("learning_rate", "finite and > 0", self.learning_rate.to_string());
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return bad("weight_decay", "finite and ≥ 0", self.weight_decay.to_string());
        }
        if self.batch_samples == 0 {
            return bad("batch_samples", "≥ 1", self.batch_samples.to_string());
        }
        Ok(())
    }
}

/// The flow before training: the last layer's bias is the mixture of the autoregression, its weights are
/// zero.
fn start(var: Var, lattice: Option<Lattice>, config: &WindowConfig) -> Result<WindowFlow, MixtureError> {
    let context = Context::of(var.length(), var.channels());
    let (k, c) = (config.components, var.channels());
    let shape = Shape { inputs: context.n_inputs(), hidden: config.hidden, components: k, channels: c };
    let mut rng = config.seed.stream("window-init", 0);
    let mut parameters = vec![0.0; shape.n_parameters()];
    shape.network().reset(&mut parameters, &mut rng);
    let gmm = var.innovation();
    // A logistic of the same standard deviation.
    let narrower = if lattice.is_some() { 3.0f64.sqrt() / std::f64::consts::PI } else { 1.0 };
    // The last array is the bias of the last layer.
    let last = parameters.len() - shape.outputs();
    let bias = &mut parameters[last..];
    for j in 0..k {
        // More components than the mixture has are copies that share its weight, told apart by a trace of
        // noise.
        let of = j % gmm.n_components();
        let copies = (of..k).step_by(gmm.n_components()).count() as f64;
        bias[j] = (gmm.weights()[of] / copies).max(1e-12).ln() as f32;
        for channel in 0..c {
            let sd = gmm.covariances()[[of, channel, channel]].sqrt();
            let jitter = if copies > 1.0 { 0.01 * (2.0 * rng.random::<f64>() - 1.0) } else { 0.0 };
            bias[k + j * c + channel] = (gmm.means()[[of, channel]] + jitter * sd) as f32;
            bias[k + k * c + j * c + channel] = (narrower * sd).ln() as f32;
        }
    }
    WindowFlow::new(var, context, shape, parameters, lattice)
}

/// Sum of log-densities (without the linear layer's constant) and its gradient, added up in the order of the
/// windows.
fn gradient(flow: &WindowFlow, windows: &[Prepared]) -> (f64, Vec<f32>) {
    let (shape, half, n, parameters) = (flow.shape(), flow.half(), flow.n_own(), flow.parameters());
    let each: Vec<(f32, Vec<f32>)> = windows
        .par_iter()
        .map_init(Tape::default, |tape, w| {
            let mut gradient = vec![0.0; parameters.len()];
            let sum =
                shape.log_prob_grad(parameters, &w.inputs, &w.innovations, half, n, &mut gradient, tape);
            (sum, gradient)
        })
        .collect();
    let mut total = (0.0, vec![0.0f32; parameters.len()]);
    for (sum, gradient) in each {
        total.0 += f64::from(sum);
        total.1.iter_mut().zip(gradient).for_each(|(a, g)| *a += g);
    }
    total
}

#[cfg(test)]
mod tests;
