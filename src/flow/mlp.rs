//! The conditioner: a residual network that computes the parameters of a distribution or of a map from what
//! is known. Couplings, autoregressive layers and the causal flow of windows use it.
//!
//! ```text
//! h₀ = W₀ x + b₀        y = W_out a_L + b_out
//! h_l = h_{l−1} + W_l a_{l−1} + b_l        a_l = drop(σ(h_l))                residual path before σ
//! h_l = W_l a_{l−1} + b_l                  a_l = a_{l−1} + drop(σ(h_l))      residual path after σ
//! ```
//!
//! The nonlinearity σ is SiLU or ReLU. W_out and b_out start at zero, so y starts at zero for every x. Masks
//! hold some of the weights at zero, so that an output depends on some of the inputs only.
//!
//! # References
//! He et al. (2016), Identity mappings in deep residual networks, arXiv:1603.05027 (pre-activation);
//! Elfwing et al. (2018), arXiv:1702.03118 (SiLU).

mod onnx;

use std::ops::Range;

use rand::Rng;
use serde::{Deserialize, Serialize};

use super::bijector::ParameterSpec;
use super::draw::uniform;
use super::lanes::sum;
use crate::num::gemm::{Matrix, multiply, multiply_transposed_left, multiply_transposed_right};
use crate::num::real::Real;
use crate::num::simd::vectorized;
use crate::random::StreamRng;

/// Nonlinearity of the conditioner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Activation {
    /// x·sigmoid(x), which is smooth.
    #[default]
    Silu,
    /// max(x, 0), which is cheaper.
    Relu,
}

/// The settings of a network of a layer, except its numbers of inputs and outputs, which follow from the
/// layer.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NetworkShape {
    /// Width of the hidden layers.
    pub hidden: usize,
    /// Number of hidden layers, at least 1.
    pub n_hidden_layers: usize,
    /// Nonlinearity.
    pub activation: Activation,
    /// Probability with which a hidden unit is dropped in training.
    pub dropout: f64,
}

/// Where the residual path joins a hidden layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Residual {
    /// What enters the nonlinearity is added to what entered the one before.
    BeforeActivation,
    /// What leaves the nonlinearity is added to what the layer read.
    AfterActivation,
}

/// A conditioner without its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Mlp {
    pub(crate) inputs: usize,
    pub(crate) outputs: usize,
    /// Its hidden layers. The first reads the inputs; the others are residual.
    pub(crate) shape: NetworkShape,
    pub(crate) residual: Residual,
    /// Ranges of the parameters that the masks hold at zero.
    pub(crate) zeros: Vec<Range<usize>>,
}

/// What a forward pass leaves for the backward pass. `activations` and `slopes` have the shape
/// `(n_hidden_layers · hidden, n)`; `state` and `scratch` have the shape `(hidden, n)`.
pub(crate) struct MlpTape<'a, T> {
    /// The activations a_l, after dropout.
    activations: &'a mut [T],
    /// The slopes ∂σ(h_l)/∂h_l, after dropout.
    slopes: &'a mut [T],
    /// h_l in the forward pass; ∂L/∂h_l in the backward pass.
    state: &'a mut [T],
    /// The gradients ∂L/∂a_l.
    scratch: &'a mut [T],
    /// The parameters with the masks applied, and their gradient. Both are empty without masks.
    masked: &'a mut [T],
    masked_gradient: &'a mut [T],
}

impl<'a, T> MlpTape<'a, T> {
    /// A tape of the buffers whose lengths [`Mlp::tape_lengths`] gives.
    pub(crate) fn new(buffers: [&'a mut [T]; 6]) -> Self {
        let [activations, slopes, state, scratch, masked, masked_gradient] = buffers;
        Self { activations, slopes, state, scratch, masked, masked_gradient }
    }
}

/// Sizes of one layer, and offsets of its weights and biases in the parameter slice.
struct Layer {
    inputs: usize,
    outputs: usize,
    weights: usize,
    biases: usize,
}

impl Mlp {
    /// A network for a layer of a flow, without masks.
    pub(crate) fn new(inputs: usize, outputs: usize, shape: NetworkShape) -> Self {
        Self { inputs, outputs, shape, residual: Residual::BeforeActivation, zeros: Vec::new() }
    }

    fn layers(&self) -> Vec<Layer> {
        let (mut at, hidden) = (0, self.shape.hidden);
        let sizes = std::iter::once((self.inputs, hidden))
            .chain(std::iter::repeat_n((hidden, hidden), self.shape.n_hidden_layers - 1))
            .chain(std::iter::once((hidden, self.outputs)));
        sizes
            .map(|(inputs, outputs)| {
                let layer = Layer { inputs, outputs, weights: at, biases: at + inputs * outputs };
                at = layer.biases + outputs;
                layer
            })
            .collect()
    }

    pub(crate) fn specs(&self) -> Vec<ParameterSpec> {
        self.layers()
            .iter()
            .enumerate()
            .flat_map(|(i, l)| {
                [
                    ParameterSpec::weight(format!("w{i}"), &[l.outputs, l.inputs]),
                    ParameterSpec::new(format!("b{i}"), &[l.outputs]),
                ]
            })
            .collect()
    }

    pub(crate) fn n_parameters(&self) -> usize {
        self.specs().iter().map(ParameterSpec::len).sum()
    }

    /// Draws the weights of the first layer uniformly from ±√(3/inputs), which gives the variance 1/inputs.
    /// The range is half as wide for layers with a residual path before the nonlinearity, because their
    /// outputs add up in it. Biases, the last layer and masked weights start at zero.
    pub(crate) fn reset<T: Real>(&self, parameters: &mut [T], rng: &mut StreamRng) {
        parameters.fill(T::zero());
        for (i, layer) in self.layers().iter().enumerate().take(self.shape.n_hidden_layers) {
            let width = if i > 0 && self.residual == Residual::BeforeActivation { 0.5 } else { 1.0 };
            let limit = (3.0 / layer.inputs.max(1) as f64).sqrt() * width;
            for w in &mut parameters[layer.weights..layer.biases] {
                *w = T::from_f64(limit * (2.0 * uniform(rng) - 1.0));
            }
        }
        self.mask(parameters);
    }

    /// Sets those to zero that the masks forbid.
    fn mask<T: Real>(&self, parameters: &mut [T]) {
        for range in &self.zeros {
            parameters[range.clone()].fill(T::zero());
        }
    }

    /// Lengths of the buffers of the tape for a batch of `n` columns.
    pub(crate) fn tape_lengths(&self, n: usize) -> [usize; 6] {
        let hidden = self.shape.hidden * n;
        let all = self.shape.n_hidden_layers * hidden;
        let masked = if self.zeros.is_empty() { 0 } else { self.n_parameters() };
        [all, all, hidden, hidden, masked, masked]
    }

    /// Computes y and writes it to `output`.
    ///
    /// # Shapes
    /// `input: (inputs, n)`, `output: (outputs, n)`
    pub(crate) fn forward<T: Real>(
        &self,
        parameters: &[T],
        input: &[T],
        output: &mut [T],
        n: usize,
        tape: &mut MlpTape<'_, T>,
        mut dropout: Option<&mut StreamRng>,
    ) {
        if n == 0 {
            return;
        }
        let parameters = if self.zeros.is_empty() {
            parameters
        } else {
            tape.masked.copy_from_slice(parameters);
            self.mask(tape.masked);
            &*tape.masked
        };
        let layers = self.layers();
        let size = self.shape.hidden * n;
        let after = self.residual == Residual::AfterActivation;
        let linear = |layer: &Layer, x: &[T], add: bool, y: &mut [T]| {
            for (row, &b) in
                y.chunks_exact_mut(n).zip(&parameters[layer.biases..layer.biases + layer.outputs])
            {
                if add {
                    vectorized!(_F => for v in row.iter_mut() {
                        *v += b;
                    });
                } else {
                    row.fill(b);
                }
            }
            let weights = Matrix::new(&parameters[layer.weights..], layer.outputs, layer.inputs);
            multiply(weights, Matrix::new(x, layer.inputs, n), T::one(), y);
        };
        linear(&layers[0], input, false, tape.state);
        for l in 0..self.shape.n_hidden_layers {
            let (earlier, current) = tape.activations.split_at_mut(l * size);
            let (a, slope) = (&mut current[..size], &mut tape.slopes[l * size..(l + 1) * size]);
            activate(self.shape.activation, tape.state, a, slope);
            if let Some(rng) = dropout.as_deref_mut().filter(|_| self.shape.dropout > 0.0) {
                drop_units(self.shape.dropout, rng, a, slope);
            }
            if after && l > 0 {
                let read = &earlier[(l - 1) * size..];
                vectorized!(_F => for (a, &r) in a.iter_mut().zip(read) {
                    *a += r;
                });
            }
            if l + 1 < self.shape.n_hidden_layers {
                linear(&layers[l + 1], a, !after, tape.state);
            } else {
                linear(&layers[l + 1], a, false, output);
            }
        }
    }

    /// Takes `d_output` = ∂L/∂y, **overwrites** `d_input` with ∂L/∂x where it is wanted, and **adds** ∂L/∂θ
    /// to `parameter_gradient`. Masked parameters have no gradient.
    #[expect(
        clippy::too_many_arguments,
        reason = "buffers of the caller's tape, each with a role of its own"
    )]
    pub(crate) fn backward<T: Real>(
        &self,
        parameters: &[T],
        input: &[T],
        d_output: &[T],
        d_input: Option<&mut [T]>,
        n: usize,
        tape: &mut MlpTape<'_, T>,
        parameter_gradient: &mut [T],
    ) {
        if n == 0 {
            return;
        }
        let MlpTape { activations, slopes, state, scratch, masked, masked_gradient } = tape;
        masked_gradient.fill(T::zero());
        let (parameters, gradient) = if self.zeros.is_empty() {
            (parameters, &mut *parameter_gradient)
        } else {
            (&**masked, &mut **masked_gradient)
        };
        let layers = self.layers();
        let size = self.shape.hidden * n;
        // ∂L/∂W += δ aᵀ    ∂L/∂b += Σ δ    ∂L/∂a = Wᵀ δ, to which `kept` times the old content is added
        let mut linear = |layer: &Layer, x: &[T], delta: &[T], d_x: Option<&mut [T]>, kept: T| {
            let delta_matrix = Matrix::new(delta, layer.outputs, n);
            let x = Matrix::new(x, layer.inputs, n);
            multiply_transposed_right(delta_matrix, x, T::one(), &mut gradient[layer.weights..layer.biases]);
            for (g, row) in gradient[layer.biases..].iter_mut().zip(delta.chunks_exact(n)) {
                *g += sum(row);
            }
            if let Some(d_x) = d_x {
                let weights = Matrix::new(&parameters[layer.weights..], layer.outputs, layer.inputs);
                multiply_transposed_left(weights, delta_matrix, kept, d_x);
            }
        };
        let last = self.shape.n_hidden_layers - 1;
        let after = self.residual == Residual::AfterActivation;
        for l in (0..=last).rev() {
            let range = l * size..(l + 1) * size;
            let (a, slope) = (&activations[range.clone()], &slopes[range]);
            // `scratch` becomes ∂L/∂a_l. A residual path after σ carries what it was for the next layer on.
            if l == last {
                linear(&layers[l + 1], a, d_output, Some(&mut **scratch), T::zero());
            } else {
                let kept = if after { T::one() } else { T::zero() };
                linear(&layers[l + 1], a, state, Some(&mut **scratch), kept);
            }
            // `state` becomes ∂L/∂h_l. A residual path before σ carries it on.
            if l == last || after {
                vectorized!(_F => for ((d, &g), &s) in state.iter_mut().zip(&**scratch).zip(slope) {
                    *d = g * s;
                });
            } else {
                vectorized!(_F => for ((d, &g), &s) in state.iter_mut().zip(&**scratch).zip(slope) {
                    *d += g * s;
                });
            }
        }
        linear(&layers[0], input, state, d_input, T::zero());
        if !self.zeros.is_empty() {
            self.mask(masked_gradient);
            for (to, &from) in parameter_gradient.iter_mut().zip(&**masked_gradient) {
                *to += from;
            }
        }
    }
}

/// Computes a = σ(h) and slope = σ′(h).
fn activate<T: Real>(activation: Activation, h: &[T], a: &mut [T], slope: &mut [T]) {
    vectorized!(_F => activate_kernel(activation, h, a, slope));
}

#[expect(clippy::inline_always, reason = "must become part of each copy for an instruction set")]
#[inline(always)]
fn activate_kernel<T: Real>(activation: Activation, h: &[T], a: &mut [T], slope: &mut [T]) {
    match activation {
        Activation::Silu => {
            for ((a, slope), &h) in a.iter_mut().zip(slope).zip(h) {
                let s = h.sigmoid();
                *a = h * s;
                *slope = s + *a * (T::one() - s);
            }
        }
        Activation::Relu => {
            for ((a, slope), &h) in a.iter_mut().zip(slope).zip(h) {
                // For NaN the comparison is false, so the slope is one, and the product passes NaN on.
                *slope = if h <= T::zero() { T::zero() } else { T::one() };
                *a = h * *slope;
            }
        }
    }
}

/// Inverted dropout: a unit is set to zero with probability p, and divided by 1 − p otherwise. Sixteen random
/// bits decide about each unit, so p is rounded to a multiple of 2⁻¹⁶.
fn drop_units<T: Real>(p: f64, rng: &mut StreamRng, a: &mut [T], slope: &mut [T]) {
    let threshold = (p * 65536.0).round() as u64;
    let kept = T::from_f64(1.0 / (1.0 - threshold as f64 / 65536.0));
    for (a, slope) in a.chunks_mut(4).zip(slope.chunks_mut(4)) {
        let mut bits = rng.next_u64();
        for (a, slope) in a.iter_mut().zip(slope) {
            let factor = if bits & 0xffff < threshold { T::zero() } else { kept };
            *a *= factor;
            *slope *= factor;
            bits >>= 16;
        }
    }
}

#[cfg(test)]
mod tests;
