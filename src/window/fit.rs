//! Training of the network: AdamW, warm-up and cosine decay, averaged weights, early stopping on validation
//! windows.

use std::path::Path;
use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::conditional::Shape;
use super::context::Context;
use super::lattice::Lattice;
use super::model::{Prepared, WindowFlow};
use crate::baseline::{GmmError, Var};
use crate::random::{Seed, StreamRng};
use crate::train::{
    AdamW, Average, EarlyStopping, EpochReport, Group, HistoryRow, Progress, StartReport, State, TrainError,
    read_checkpoint, write_checkpoint,
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
const AVERAGE: f32 = 0.99;
/// Seconds between checkpoints.
const CHECKPOINT_SECONDS: f64 = 15.0;
/// Steps of rising learning rate.
const WARM_UP: u64 = 50;

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

/// Where a run keeps its state between epochs.
#[derive(Debug, Clone, Copy)]
pub struct Keep<'a> {
    /// Folder of the checkpoint.
    pub dir: &'a Path,
    /// Settings and data of the run: a state of another one is refused.
    pub run: &'a Value,
    /// Whether to go on from a state that is there.
    pub resume: bool,
}

/// Failure of a fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WindowError {
    /// Of the data or a setting.
    #[error(transparent)]
    Gmm(#[from] GmmError),
    /// Of a checkpoint, or an interruption.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Trains the network on top of `var`, for digitised signals with their `lattice`, and returns the weights
/// that did best on `validation`, which may be those of the start, with the seconds spent in this run and
/// those it continues.
///
/// An interrupted run ends with its state kept, if anywhere; continued, it gives the weights of an
/// undisturbed one.
///
/// # Shapes
/// `validation: (m, T·C)`
///
/// # Errors
/// [`GmmError::Setting`] for a setting outside its range, [`GmmError::TooFewRows`] without windows;
/// [`TrainError::Interrupted`], [`TrainError::Checkpoint`].
pub fn fit_window(
    var: Var,
    lattice: Option<Lattice>,
    train: &dyn WindowSource,
    validation: ArrayView2<'_, f64>,
    config: &WindowConfig,
    keep: Option<Keep<'_>>,
    progress: &dyn Progress,
) -> Result<(WindowFlow, Vec<HistoryRow>, f64), WindowError> {
    config.check()?;
    let started = Instant::now();
    let n = train.epoch(0).nrows();
    if n == 0 || validation.nrows() == 0 {
        return Err(GmmError::TooFewRows { rows: n.min(validation.nrows()), needed: 1 }.into());
    }
    let mut flow = start(var, lattice, config)?;
    let length = flow.n_own();
    let held_out = flow.prepare(validation);
    let mean = |x: Vec<f64>| x.iter().sum::<f64>() / x.len() as f64;
    let earlier = match keep {
        Some(keep) if keep.resume => read_checkpoint(keep.dir, keep.run, flow.parameters().len())
            .map_err(TrainError::from)?
            .or_else(|| {
                progress.note("no checkpoint found, training starts from the beginning");
                None
            }),
        _ => None,
    };
    let mut state = earlier.unwrap_or_else(|| untrained(&flow, mean(flow.log_prob_prepared(&held_out))));
    let before = state.seconds;
    let per_batch = config.batch_samples.div_ceil(length).clamp(1, n);
    let batches = n.div_ceil(per_batch);
    progress.start(&StartReport {
        n_parameters: flow.parameters().len(),
        n_train: n,
        n_validation: validation.nrows(),
        max_epochs: config.max_epochs,
        batches,
        resumed_epochs: state.epoch,
    });
    let groups = groups(flow.shape(), config.weight_decay);
    let save = |state: &State| match keep {
        Some(keep) => write_checkpoint(keep.dir, keep.run, state).map_err(TrainError::from),
        None => Ok(()),
    };
    let mut saved = Instant::now();
    loop {
        let spent = config.time_budget_seconds.is_some_and(|b| state.seconds >= b);
        let waited = state.epoch - state.stopping.best_epoch;
        if spent || state.epoch >= config.max_epochs || waited >= config.patience {
            break;
        }
        let epoch = state.epoch + 1;
        let last = state.clone();
        let windows = train.epoch(epoch);
        let order = shuffled(n, &mut config.seed.stream("window-order", u64::from(epoch)));
        let mut total = 0.0;
        let mut rate = 0.0;
        for (batch, rows) in order.chunks(per_batch).enumerate() {
            if progress.interrupted() {
                save(&last)?;
                let checkpoint = keep.map(|k| k.dir.to_path_buf());
                return Err(TrainError::Interrupted { epoch: last.epoch, checkpoint }.into());
            }
            progress.batch(epoch, batch, batches);
            let done = (f64::from(epoch - 1) + batch as f64 / batches as f64) / f64::from(config.max_epochs);
            let seconds = before + started.elapsed().as_secs_f64();
            let spent = config.time_budget_seconds.map_or(0.0, |b| seconds / b);
            rate = learning_rate(config, state.adam.steps, done.max(spent));
            let prepared = flow.prepare(windows.select(Axis(0), rows).view());
            let (sum, gradient) = gradient(&flow, &state.parameters, &prepared, length);
            total += sum;
            let per_sample = -1.0 / (rows.len() * length) as f32;
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt()
                * f64::from(per_sample.abs());
            // A step that is no number is left out: the next batch has other noise.
            if norm.is_finite() {
                let clip = if norm > CLIP { (CLIP / norm) as f32 } else { 1.0 };
                state.adam.step(&mut state.parameters, &gradient, per_sample * clip, rate, &groups);
            }
            for (a, p) in state.average.values.iter_mut().zip(&state.parameters) {
                *a = AVERAGE * *a + (1.0 - AVERAGE) * p;
            }
        }
        flow.set_parameters(&state.average.values);
        let value = mean(flow.log_prob_prepared(&held_out));
        let better = state.stopping.observe(epoch, value);
        if better {
            state.best.clone_from(&state.average.values);
        }
        let train_log_prob = Some(total / n as f64 - flow.var().log_scale());
        state.epoch = epoch;
        state.rows += n as u64;
        state.history.push(row(epoch, state.adam.steps, rate, train_log_prob, value, better));
        state.seconds = before + started.elapsed().as_secs_f64();
        progress.epoch(&EpochReport {
            epoch,
            max_epochs: config.max_epochs,
            train_log_prob,
            validation_log_prob: value,
            best_log_prob: state.stopping.best,
            best_epoch: state.stopping.best_epoch,
            seconds: state.seconds,
            rows_per_second: state.rows as f64 / state.seconds,
        });
        if saved.elapsed().as_secs_f64() >= CHECKPOINT_SECONDS {
            save(&state)?;
            saved = Instant::now();
        }
    }
    flow.set_parameters(&state.best);
    Ok((flow, state.history, state.seconds))
}

/// The state before training, whose validation value is that of the autoregression.
fn untrained(flow: &WindowFlow, value: f64) -> State {
    let parameters = flow.parameters().to_vec();
    let mut stopping = EarlyStopping::new();
    let best = stopping.observe(0, value);
    State {
        epoch: 0,
        average: Average::new(&parameters),
        adam: AdamW::new(parameters.len()),
        stopping,
        best: parameters.clone(),
        parameters,
        rate_factor: 1.0,
        rollbacks: 0,
        history: vec![row(0, 0, 0.0, None, value, best)],
        seconds: 0.0,
        rows: 0,
    }
}

impl WindowConfig {
    fn check(&self) -> Result<(), GmmError> {
        let bad = |name, allowed, value: String| Err(GmmError::Setting { name, allowed, value });
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
fn start(var: Var, lattice: Option<Lattice>, config: &WindowConfig) -> Result<WindowFlow, GmmError> {
    let context = Context::of(var.length(), var.channels());
    let (k, c) = (config.components, var.channels());
    let shape = Shape { inputs: context.n_inputs(), hidden: config.hidden, components: k, channels: c };
    let mut rng = config.seed.stream("window-init", 0);
    let mut parameters = vec![0.0; shape.n_parameters()];
    let [w1, _, w2, _, _, b3] = shape.ranges();
    for (range, inputs) in [(w1, shape.inputs), (w2, shape.hidden)] {
        let bound = (3.0 / inputs as f64).sqrt();
        parameters[range].fill_with(|| (bound * (2.0 * rng.random::<f64>() - 1.0)) as f32);
    }
    let gmm = var.innovation();
    // A logistic of the same standard deviation.
    let narrower = if lattice.is_some() { 3.0f64.sqrt() / std::f64::consts::PI } else { 1.0 };
    let bias = &mut parameters[b3];
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

fn groups(shape: Shape, weight_decay: f32) -> Vec<Group> {
    let decayed = |i: usize| if i.is_multiple_of(2) { weight_decay } else { 0.0 };
    let ranges = shape.ranges().into_iter().enumerate();
    ranges.map(|(i, range)| Group { range, weight_decay: decayed(i), rate: 1.0 }).collect()
}

fn learning_rate(config: &WindowConfig, step: u64, done: f64) -> f64 {
    let warm = ((step + 1) as f64 / WARM_UP as f64).min(1.0);
    let cosine = 0.5 * (1.0 + (std::f64::consts::PI * done.min(1.0)).cos());
    config.learning_rate * warm * cosine.max(0.01)
}

/// Sum of log-densities (without the linear layer's constant) and its gradient, added up in the order of the
/// windows.
fn gradient(flow: &WindowFlow, parameters: &[f32], windows: &[Prepared], n: usize) -> (f64, Vec<f32>) {
    let (shape, half) = (flow.shape(), flow.half());
    let each: Vec<(f32, Vec<f32>)> = windows
        .par_iter()
        .map(|w| {
            let mut gradient = vec![0.0; parameters.len()];
            let sum = shape.log_prob_grad(parameters, &w.inputs, &w.innovations, half, n, &mut gradient);
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

fn shuffled(n: usize, rng: &mut StreamRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        order.swap(i, rng.random_range(0..=i));
    }
    order
}

fn row(epoch: u32, step: u64, rate: f64, train: Option<f64>, validation: f64, best: bool) -> HistoryRow {
    HistoryRow {
        member: 1,
        epoch,
        step,
        learning_rate: rate,
        train_log_prob: train,
        validation_log_prob: validation,
        gradient_norm: None,
        clipped: None,
        rollbacks: 0,
        best,
    }
}

#[cfg(test)]
mod tests;
