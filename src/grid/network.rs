//! The network of a channel: sizes, log-probabilities of many numbers, and the gradient of their sum.

use serde::{Deserialize, Serialize};

use super::levels::{self, Targets};
use super::sight::Canvas;
use crate::flow::{Activation, Mlp, MlpTape, NetworkShape, Residual, Tape};
use crate::num::real::Real;

/// Sizes of the network of a channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridShape {
    /// Numbers that go in.
    pub inputs: usize,
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Hidden layers.
    pub layers: usize,
    /// Logistic components of the mixture.
    pub components: usize,
}

/// Numbers of one channel with what is seen of them.
pub(super) struct Seeing<'a, T> {
    /// `(inputs, n)`.
    pub(super) x: &'a [T],
    /// On the scale from −1 to 1.
    pub(super) y: &'a [T],
    pub(super) guess: &'a [T],
    pub(super) levels: u32,
}

impl GridShape {
    /// The network. Its parameters are the arrays w0, b0, w1, b1, …, one after the other.
    pub(super) fn network(&self) -> Mlp {
        let shape = NetworkShape {
            hidden: self.hidden,
            n_hidden_layers: self.layers,
            activation: Activation::Silu,
            dropout: 0.0,
        };
        Mlp { residual: Residual::AfterActivation, ..Mlp::new(self.inputs, self.outputs(), shape) }
    }

    /// Numbers that come out.
    pub(super) fn outputs(&self) -> usize {
        levels::n_outputs(self.components)
    }

    /// Number of parameters of one channel.
    pub fn n_parameters(&self) -> usize {
        self.network().n_parameters()
    }

    fn targets<'a, T>(&self, seeing: &Seeing<'a, T>) -> Targets<'a, T> {
        Targets { y: seeing.y, guess: seeing.guess, levels: seeing.levels, components: self.components }
    }

    /// Working memory for `n` numbers: the tape of the network, its output, the gradient of that, and that of
    /// the distributions.
    fn memory<'a, T: Real>(&self, tape: &'a mut Tape<T>, n: usize) -> (MlpTape<'a, T>, [&'a mut [T]; 3]) {
        let ([a, b, c, d, e, f], out) = (self.network().tape_lengths(n), self.outputs() * n);
        let scratch = levels::n_scratch(self.components) * n;
        let [a, b, c, d, e, f, out, d_out, scratch] = tape.slots([a, b, c, d, e, f, out, out, scratch]);
        (MlpTape::new([a, b, c, d, e, f]), [out, d_out, scratch])
    }

    /// Writes log P of each number to `log_prob`.
    pub(super) fn log_prob<T: Real>(
        &self,
        parameters: &[T],
        seeing: &Seeing<'_, T>,
        log_prob: &mut [T],
        tape: &mut Tape<T>,
    ) {
        let n = seeing.y.len();
        let (mut memory, [out, _, scratch]) = self.memory(tape, n);
        self.network().forward(parameters, seeing.x, out, n, &mut memory, None);
        levels::log_prob(&self.targets(seeing), out, scratch, log_prob);
    }

    /// Adds the gradient of Σ weight_i log P_i to `gradient`, and writes each log P_i to `log_prob`.
    pub(super) fn gradient<T: Real>(
        &self,
        parameters: &[T],
        seeing: &Seeing<'_, T>,
        weight: &[T],
        log_prob: &mut [T],
        gradient: &mut [T],
        tape: &mut Tape<T>,
    ) {
        let n = seeing.y.len();
        let (mut memory, [out, d_out, scratch]) = self.memory(tape, n);
        let network = self.network();
        network.forward(parameters, seeing.x, out, n, &mut memory, None);
        let targets = self.targets(seeing);
        levels::log_prob(&targets, out, scratch, log_prob);
        levels::gradient(&targets, out, scratch, weight, d_out);
        network.backward(parameters, seeing.x, d_out, None, n, &mut memory, gradient);
    }

    /// For each number, minus its log-probability less the entropy of its distribution.
    pub(super) fn surplus(
        &self,
        parameters: &[f32],
        seeing: &Seeing<'_, f32>,
        canvas: &Canvas,
        tape: &mut Tape<f32>,
    ) -> Vec<f64> {
        let n = seeing.y.len();
        let (mut memory, [out, _, scratch]) = self.memory(tape, n);
        self.network().forward(parameters, seeing.x, out, n, &mut memory, None);
        let mut log_prob = vec![0.0; n];
        levels::log_prob(&self.targets(seeing), out, scratch, &mut log_prob);
        let mut surplus: Vec<f64> = log_prob.iter().map(|l| -f64::from(*l)).collect();
        for level in 0..canvas.levels {
            let y = vec![canvas.scaled(level as u8); n];
            let targets = Targets { y: &y, ..self.targets(seeing) };
            levels::log_prob(&targets, out, scratch, &mut log_prob);
            for (surplus, l) in surplus.iter_mut().zip(&log_prob) {
                *surplus += f64::from(l.exp() * l);
            }
        }
        surplus
    }

    /// The network's output for `n` columns of inputs.
    pub(super) fn outputs_of(
        &self,
        parameters: &[f32],
        x: &[f32],
        n: usize,
        tape: &mut Tape<f32>,
    ) -> Vec<f32> {
        let (mut memory, [out, ..]) = self.memory(tape, n);
        self.network().forward(parameters, x, out, n, &mut memory, None);
        out.to_vec()
    }
}

/// The logistic component of a number, or one of the others, that a uniform number `u` chooses, and the level
/// that another, `v`, draws from it.
pub(super) fn draw(
    out: impl Fn(usize) -> f32,
    guess: f32,
    components: usize,
    n_levels: u32,
    [u, v]: [f64; 2],
) -> u8 {
    let k = components;
    let logits: Vec<f64> = (0..k + levels::FIXED).map(|j| f64::from(out(j))).collect();
    let top = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logits.iter().map(|logit| (logit - top).exp()).collect();
    let mut left = u * weights.iter().sum::<f64>();
    let mut chosen = weights.len() - 1;
    for (j, w) in weights.iter().enumerate() {
        if left < *w {
            chosen = j;
            break;
        }
        left -= w;
    }
    let last = f64::from(n_levels) - 1.0;
    let level = match chosen.checked_sub(k) {
        None => {
            let (low, high) = levels::log_scale_bounds(n_levels);
            let j = k + levels::FIXED + chosen;
            let scale = f64::from(out(j + k)).clamp(low, high).exp();
            let v = v.clamp(1e-12, 1.0 - 1e-12);
            let y = f64::from(guess + out(j)) + scale * (v / (1.0 - v)).ln();
            (0.5 * (y + 1.0) * last).round()
        }
        Some(0) => 0.0,
        Some(1) => last,
        Some(_) => (v * (last + 1.0)).floor(),
    };
    level.clamp(0.0, last) as u8
}
