//! Training of the networks: their start, their batches and their gradient, for the loop that trains every
//! flow.
//!
//! Much of a picture is flat, and costs as much time as the rest while it teaches little. A pixel that equals
//! its four nearest neighbours before it is looked at in one epoch of several, with as much more weight, so
//! that the gradient stays what it is on average.

use std::time::Instant;

use rand::RngExt;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::levels;
use super::model::{Eye, GridFlow, look};
use super::network::GridShape;
use super::sight::{Canvas, Sight};
use crate::baseline::MixtureError;
use crate::features::PixelScale;
use crate::flow::views;
use crate::random::Seed;
use crate::train::{
    self, Averaging, Group, Keep, NotFinite, Progress, Recipe, Schedule, Step, TrainError, Trainable,
    Trained, Warmup,
};

/// How the networks are trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GridConfig {
    /// Rows above, and pixels on either side, that are seen one by one; 0 chooses by the channels.
    pub reach: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// Logistic components.
    pub components: usize,
    /// Largest step.
    pub learning_rate: f64,
    /// Decay of the weight matrices.
    pub weight_decay: f32,
    /// Numbers per step, rounded up to whole pictures.
    pub batch_numbers: usize,
    /// Share of the flat pixels that an epoch looks at.
    pub flat_share: f64,
    /// Upper bound on passes over the training pictures.
    pub max_epochs: u32,
    /// Epochs without improvement after which training ends.
    pub patience: u32,
    /// Seconds the schedule is fitted to.
    pub time_budget_seconds: Option<f64>,
    /// Seed of initialisation, order and choice of pixels.
    pub seed: Seed,
}

impl Default for GridConfig {
    fn default() -> Self {
        Self {
            reach: 0,
            hidden: 128,
            layers: 2,
            components: 10,
            learning_rate: 4e-3,
            weight_decay: 1e-2,
            batch_numbers: 16_384,
            flat_share: 0.25,
            max_epochs: 30,
            patience: 8,
            time_budget_seconds: None,
            seed: Seed(0),
        }
    }
}

/// Largest norm of a gradient, per number.
const CLIP: f64 = 1.0;
/// Memory of the averaged weights, in steps.
const AVERAGE: f64 = 0.998;
/// Seconds between checkpoints.
const CHECKPOINT_SECONDS: f64 = 15.0;
/// Steps of rising learning rate.
const WARM_UP: u64 = 100;
/// Share of the largest step that the last steps keep.
const FLOOR: f64 = 0.01;
/// Reach for grey and for coloured pictures.
const REACH: (usize, usize) = (5, 3);
/// Most validation numbers that every epoch is judged by.
const JUDGED: usize = 4_000_000;
/// Pictures whose gradients one thread adds up.
const BLOCK: usize = 4;
/// Numbers whose gradient is computed together.
const TOGETHER: usize = 512;

/// Failure of a fit.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GridError {
    /// Of the data or a setting.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// Of a checkpoint, or an interruption.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// Trains on pictures, whose levels lie one behind the other, and returns the flow with the weights that did
/// best on the validation pictures.
///
/// An interrupted run ends with its state kept, if anywhere; continued, it gives the weights of an
/// undisturbed one.
///
/// # Errors
/// [`MixtureError::Setting`] for a setting outside its range, [`MixtureError::TooFewRows`] without pictures;
/// [`TrainError`] for divergence, for an interruption, and for a checkpoint that cannot be used.
pub fn fit_grid(
    canvas: Canvas,
    pictures: &[u8],
    validation: &[u8],
    config: &GridConfig,
    keep: Option<Keep<'_>>,
    progress: &dyn Progress,
) -> Result<Trained<GridFlow>, GridError> {
    config.check()?;
    let started = Instant::now();
    let d = canvas.n_numbers();
    let (n, n_validation) = (pictures.len() / d, validation.len() / d);
    if n == 0 || n_validation == 0 {
        return Err(MixtureError::TooFewRows { rows: n.min(n_validation), needed: 1 }.into());
    }
    let each = (n_validation * d).div_ceil(JUDGED).max(1);
    let model = Records {
        flow: start(canvas, pictures, config)?,
        pictures,
        held_out: validation.chunks_exact(d).step_by(each).collect(),
        per_batch: config.batch_numbers.div_ceil(d).clamp(1, n),
        config,
        epoch: 0,
        order: (0..n).collect(),
        gradient: Vec::new(),
    };
    let trained = train::train(model, &config.recipe(), keep, started, progress)?;
    Ok(trained.map(|model| model.flow))
}

/// A flow with the pictures that it is trained on.
struct Records<'a> {
    flow: GridFlow,
    pictures: &'a [u8],
    held_out: Vec<&'a [u8]>,
    config: &'a GridConfig,
    per_batch: usize,
    epoch: u32,
    order: Vec<usize>,
    gradient: Vec<f32>,
}

impl Trainable for Records<'_> {
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
        let shape = self.flow.shape();
        let each = shape.n_parameters();
        let channels = 0..self.flow.canvas().channels;
        let parameters: Vec<_> =
            channels.flat_map(|c| views(c * each, shape.network().specs()).collect::<Vec<_>>()).collect();
        train::groups(&parameters, self.config.weight_decay, |_| 1.0)
    }

    fn parameters(&self) -> &[f32] {
        self.flow.parameters()
    }

    fn set_parameters(&mut self, parameters: &[f32]) {
        self.flow.set_parameters(parameters);
    }

    fn begin(&mut self, epoch: u32) -> Result<(), NotFinite> {
        self.epoch = epoch;
        let mut rng = self.config.seed.stream("grid-order", u64::from(epoch));
        self.order = train::shuffled(self.order.len(), &mut rng);
        Ok(())
    }

    fn step(&mut self, batch: usize) -> Step<'_> {
        let rows =
            self.order.chunks(self.per_batch).nth(batch).expect("invariant: as many batches as chunks");
        let d = self.flow.canvas().n_numbers();
        let parts: Vec<(f64, Vec<f32>)> = rows
            .par_chunks(BLOCK)
            .map_init(
                || self.flow.eye(),
                |eye, rows| {
                    let mut gradient = vec![0.0; self.flow.parameters().len()];
                    let each = rows.iter().map(|row| self.add_gradient(*row, eye, &mut gradient));
                    (each.sum(), gradient)
                },
            )
            .collect();
        let mut sum = 0.0;
        self.gradient.clear();
        self.gradient.resize(self.flow.parameters().len(), 0.0);
        for (of_part, gradient) in parts {
            sum += of_part;
            self.gradient.iter_mut().zip(gradient).for_each(|(a, g)| *a += g);
        }
        let constant = PixelScale { levels: self.flow.canvas().levels }.log_density(d);
        Step {
            log_prob: sum + rows.len() as f64 * constant,
            records: rows.len(),
            gradient: &self.gradient,
            // The loss is counted per number, so that a rate serves pictures of any size.
            scale: -1.0 / (rows.len() * d) as f32,
        }
    }

    fn validation_log_prob(&mut self) -> f64 {
        let each = self.flow.log_probs(&self.held_out);
        let canvas = self.flow.canvas();
        each.iter().sum::<f64>() / each.len() as f64
            + PixelScale { levels: canvas.levels }.log_density(canvas.n_numbers())
    }
}

impl Records<'_> {
    /// Adds the gradient of a picture's log-probability, and returns an estimate of that.
    fn add_gradient(&self, row: usize, eye: &mut Eye, gradient: &mut [f32]) -> f64 {
        let (flow, canvas) = (&self.flow, self.flow.canvas());
        let d = canvas.n_numbers();
        let picture = &self.pictures[row * d..(row + 1) * d];
        let (pixels, weights) = self.chosen(row, picture);
        eye.seen.look(picture);
        let each = flow.shape().n_parameters();
        let mut log_prob = vec![0.0; TOGETHER];
        let mut sum = 0.0;
        for (channel, gradient) in gradient.chunks_exact_mut(each).enumerate() {
            for (pixels, weights) in pixels.chunks(TOGETHER).zip(weights.chunks(TOGETHER)) {
                let log_prob = &mut log_prob[..pixels.len()];
                let (seeing, tape) = look(flow, eye, picture, pixels, channel, canvas.levels);
                flow.shape().gradient(flow.of_channel(channel), &seeing, weights, log_prob, gradient, tape);
                sum += log_prob.iter().zip(weights).map(|(l, w)| f64::from(l * w)).sum::<f64>();
            }
        }
        sum
    }

    /// The pixels of a picture that this epoch looks at, with the weight of each.
    fn chosen(&self, row: usize, picture: &[u8]) -> (Vec<u32>, Vec<f32>) {
        let canvas = self.flow.canvas();
        let share = self.config.flat_share;
        let index = u64::from(self.epoch) << 32 | row as u64;
        let mut rng = self.config.seed.stream("grid-pixels", index);
        let (mut pixels, mut weights) = (Vec::new(), Vec::new());
        for pixel in 0..canvas.n_pixels() {
            let flat = is_flat(&canvas, picture, pixel);
            if !flat || rng.random::<f64>() < share {
                pixels.push(pixel as u32);
                weights.push(if flat { (1.0 / share) as f32 } else { 1.0 });
            }
        }
        (pixels, weights)
    }
}

/// Whether a pixel equals the one to its left and the three nearest above.
fn is_flat(canvas: &Canvas, picture: &[u8], pixel: usize) -> bool {
    let (width, c) = (canvas.width, canvas.channels);
    let (row, column) = (pixel / width, pixel % width);
    if row == 0 || column == 0 || column + 1 == width {
        return false;
    }
    let at = |pixel: usize| &picture[pixel * c..(pixel + 1) * c];
    [pixel - 1, pixel - width - 1, pixel - width, pixel - width + 1].iter().all(|&p| at(p) == at(pixel))
}

impl GridConfig {
    fn recipe(&self) -> Recipe {
        Recipe {
            schedule: Schedule { peak: self.learning_rate, warmup: Warmup::Steps(WARM_UP), floor: FLOOR },
            averaging: Averaging { decay: AVERAGE, short_at_first: true },
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
        let whole = [
            ("reach", self.reach, 0..=64, "from 0 to 64"),
            ("hidden", self.hidden, 1..=4096, "from 1 to 4096"),
            ("layers", self.layers, 1..=16, "from 1 to 16"),
            ("components", self.components, 1..=256, "from 1 to 256"),
            ("batch_numbers", self.batch_numbers, 1..=usize::MAX, "≥ 1"),
        ];
        if let Some((name, value, _, allowed)) =
            whole.into_iter().find(|(_, value, of, _)| !of.contains(value))
        {
            return bad(name, allowed, value.to_string());
        }
        if !(self.learning_rate.is_finite() && self.learning_rate > 0.0) {
            return bad("learning_rate", "finite and > 0", self.learning_rate.to_string());
        }
        if !(self.weight_decay.is_finite() && self.weight_decay >= 0.0) {
            return bad("weight_decay", "finite and ≥ 0", self.weight_decay.to_string());
        }
        if !(self.flat_share > 0.0 && self.flat_share <= 1.0) {
            return bad("flat_share", "above 0 and up to 1", self.flat_share.to_string());
        }
        Ok(())
    }
}

/// The flow before training: every number has logistics around the guess, of scales from half a step to a
/// quarter of the whole, and the first and last level as often as the training pictures have them.
fn start(canvas: Canvas, pictures: &[u8], config: &GridConfig) -> Result<GridFlow, MixtureError> {
    let mut counts = vec![0_u64; canvas.levels as usize];
    pictures.iter().for_each(|level| counts[usize::from(*level)] += 1);
    let n = pictures.len() as f64;
    let mean = pictures.iter().map(|level| f64::from(*level)).sum::<f64>() / n;
    let last = f64::from(canvas.levels) - 1.0;
    let reach = match (config.reach, canvas.channels) {
        (0, 1) => REACH.0,
        (0, _) => REACH.1,
        (reach, _) => reach,
    };
    let sight = Sight { reach, outside: (2.0 * mean / last - 1.0) as f32 };
    let shape = GridShape {
        inputs: sight.n_inputs(&canvas),
        hidden: config.hidden,
        layers: config.layers,
        components: config.components,
    };
    let each = shape.n_parameters();
    let mut parameters = vec![0.0; canvas.channels * each];
    let k = config.components;
    let share = |count: u64| (count as f64 / n).clamp(1e-3, 0.9).ln();
    for (channel, parameters) in parameters.chunks_exact_mut(each).enumerate() {
        let mut rng = config.seed.stream("grid-init", channel as u64);
        shape.network().reset(parameters, &mut rng);
        // The last array is the bias of the last layer.
        let bias = &mut parameters[each - shape.outputs()..];
        bias[..k].fill((1.0 / k as f64).ln() as f32);
        bias[k] = share(counts[0]) as f32;
        bias[k + 1] = share(counts[counts.len() - 1]) as f32;
        bias[k + 2] = 1e-3_f64.ln() as f32;
        let (low, _) = levels::log_scale_bounds(canvas.levels);
        let (narrow, wide) = ((0.5 * (1.0 / last)).ln().max(low), 0.5_f64.ln());
        for j in 0..k {
            let at = (j as f64 + 0.5) / k as f64;
            let log_scale = narrow + at * (wide - narrow);
            // Neighbouring scales on either side of the guess, so that no two components are the same.
            let side = if j % 2 == 0 { 0.5 } else { -0.5 };
            bias[k + levels::FIXED + j] = (side * log_scale.exp()) as f32;
            bias[2 * k + levels::FIXED + j] = log_scale as f32;
        }
    }
    GridFlow::new(canvas, sight, shape, parameters)
}
