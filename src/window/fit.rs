//! Training of the network: AdamW, warm-up and cosine decay, averaged weights, early stopping on validation windows.

use std::time::Instant;

use ndarray::{Array2, ArrayView2, Axis};
use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::conditional::Shape;
use super::context::Context;
use super::lattice::Lattice;
use super::model::{Prepared, WindowFlow};
use crate::baseline::{GmmError, Var};
use crate::random::{Seed, StreamRng};
use crate::train::{AdamW, EpochReport, Group, HistoryRow, Progress, StartReport};

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
            hidden: 64,
            components: 8,
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

/// Trains the network on top of `var`, for digitised signals with their `lattice`, and returns the weights that did best on `validation`, which may be those of the start.
///
/// # Shapes
/// `validation: (m, T·C)`
///
/// # Errors
/// [`GmmError::Setting`] for a setting outside its range, [`GmmError::TooFewRows`] without windows.
pub fn fit_window(
    var: Var,
    lattice: Option<Lattice>,
    train: &dyn WindowSource,
    validation: ArrayView2<'_, f64>,
    config: &WindowConfig,
    progress: &dyn Progress,
) -> Result<(WindowFlow, Vec<HistoryRow>), GmmError> {
    config.check()?;
    let started = Instant::now();
    let first = train.epoch(0);
    let n = first.nrows();
    if n == 0 || validation.nrows() == 0 {
        return Err(GmmError::TooFewRows { rows: n.min(validation.nrows()), needed: 1 });
    }
    let mut flow = start(var, lattice, config)?;
    let length = flow.n_own();
    let held_out = flow.prepare(validation);
    let mean = |x: Vec<f64>| x.iter().sum::<f64>() / x.len() as f64;
    let mut best = (mean(flow.log_prob_prepared(&held_out)), 0, flow.parameters().to_vec());
    let mut history = vec![row(0, 0, 0.0, None, best.0, true)];
    let per_batch = config.batch_samples.div_ceil(length).clamp(1, n);
    let batches = n.div_ceil(per_batch);
    progress.start(&StartReport {
        n_parameters: flow.parameters().len(),
        n_train: n,
        n_validation: validation.nrows(),
        max_epochs: config.max_epochs,
        batches,
        resumed_epochs: 0,
    });
    let groups = groups(flow.shape(), config.weight_decay);
    let mut adam = AdamW::new(flow.parameters().len());
    let mut parameters = flow.parameters().to_vec();
    let mut average = parameters.clone();
    for epoch in 1..=config.max_epochs {
        let windows = train.epoch(epoch);
        let order = shuffled(n, &mut config.seed.stream("window-order", u64::from(epoch)));
        let mut total = 0.0;
        let mut rate = 0.0;
        for (batch, rows) in order.chunks(per_batch).enumerate() {
            progress.batch(epoch, batch, batches);
            let done = (f64::from(epoch - 1) + batch as f64 / batches as f64) / f64::from(config.max_epochs);
            let spent = config.time_budget_seconds.map_or(0.0, |b| started.elapsed().as_secs_f64() / b);
            rate = learning_rate(config, adam.steps, done.max(spent));
            let prepared = flow.prepare(windows.select(Axis(0), rows).view());
            let (sum, gradient) = gradient(&flow, &parameters, &prepared, length);
            total += sum;
            let per_sample = -1.0 / (rows.len() * length) as f32;
            let norm = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt()
                * f64::from(per_sample.abs());
            // A step that is no number is left out: the next batch has other noise.
            if norm.is_finite() {
                let clip = if norm > CLIP { (CLIP / norm) as f32 } else { 1.0 };
                adam.step(&mut parameters, &gradient, per_sample * clip, rate, &groups);
            }
            for (a, p) in average.iter_mut().zip(&parameters) {
                *a = AVERAGE * *a + (1.0 - AVERAGE) * p;
            }
        }
        flow.set_parameters(&average);
        let value = mean(flow.log_prob_prepared(&held_out));
        let better = value > best.0;
        if better {
            best = (value, epoch, average.clone());
        }
        let train_log_prob = Some(total / n as f64 - flow.var().log_scale());
        history.push(row(epoch, adam.steps, rate, train_log_prob, value, better));
        let seconds = started.elapsed().as_secs_f64();
        progress.epoch(&EpochReport {
            epoch,
            max_epochs: config.max_epochs,
            train_log_prob,
            validation_log_prob: value,
            best_log_prob: Some(best.0),
            best_epoch: best.1,
            seconds,
            rows_per_second: f64::from(epoch) * n as f64 / seconds,
        });
        let spent = config.time_budget_seconds.is_some_and(|b| seconds >= b);
        if spent || progress.interrupted() || epoch - best.1 >= config.patience {
            break;
        }
    }
    flow.set_parameters(&best.2);
    Ok((flow, history))
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

/// The flow before training: the last layer's bias is the mixture of the autoregression, its weights are zero.
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
        // More components than the mixture has are copies that share its weight, told apart by a trace of noise.
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

/// Sum of log-densities (without the linear layer's constant) and its gradient, added up in the order of the windows.
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
