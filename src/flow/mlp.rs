//! The conditioner: a residual network that computes the parameters of a coupling from the conditioning
//! coordinates.
//!
//! ```text
//! h₀ = W₀ x + b₀        h_l = h_{l−1} + W_l a_{l−1} + b_l        a_l = drop(σ(h_l))
//! y = W_out a_L + b_out
//! ```
//!
//! The nonlinearity σ is SiLU or ReLU. W_out and b_out start at zero, so y starts at zero for every x.
//!
//! # References
//! He et al. (2016), Identity mappings in deep residual networks, arXiv:1603.05027 (pre-activation);
//! Elfwing et al. (2018), arXiv:1702.03118 (SiLU).

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

/// The shape of a conditioner.
#[derive(Debug, Clone)]
pub(crate) struct Mlp {
    pub(crate) inputs: usize,
    pub(crate) hidden: usize,
    pub(crate) outputs: usize,
    /// Number of hidden layers, at least one. The first reads the inputs; the others are residual.
    pub(crate) n_hidden_layers: usize,
    pub(crate) activation: Activation,
    /// Probability with which a hidden unit is dropped in training.
    pub(crate) dropout: f64,
}

/// What a forward pass leaves for the backward pass. `activations` and `slopes` have the shape
/// `(n_hidden_layers · hidden, n)`; `state` and `scratch` have the shape `(hidden, n)`.
pub(crate) struct MlpTape<'a, T> {
    /// The activations a_l, after dropout.
    pub(crate) activations: &'a mut [T],
    /// The slopes ∂a_l/∂h_l.
    pub(crate) slopes: &'a mut [T],
    /// h_l in the forward pass; ∂L/∂h_l in the backward pass.
    pub(crate) state: &'a mut [T],
    /// The gradients ∂L/∂a_l.
    pub(crate) scratch: &'a mut [T],
}

/// Sizes of one layer, and offsets of its weights and biases in the parameter slice.
struct Layer {
    inputs: usize,
    outputs: usize,
    weights: usize,
    biases: usize,
}

impl Mlp {
    fn layers(&self) -> Vec<Layer> {
        let mut at = 0;
        let sizes = std::iter::once((self.inputs, self.hidden))
            .chain(std::iter::repeat_n((self.hidden, self.hidden), self.n_hidden_layers - 1))
            .chain(std::iter::once((self.hidden, self.outputs)));
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
    /// The range is half as wide for residual layers. Biases and the last layer start at zero.
    pub(crate) fn reset<T: Real>(&self, parameters: &mut [T], rng: &mut StreamRng) {
        parameters.fill(T::zero());
        for (i, layer) in self.layers().iter().enumerate().take(self.n_hidden_layers) {
            let limit = (3.0 / layer.inputs.max(1) as f64).sqrt() * if i == 0 { 1.0 } else { 0.5 };
            for w in &mut parameters[layer.weights..layer.biases] {
                *w = T::from_f64(limit * (2.0 * uniform(rng) - 1.0));
            }
        }
    }

    /// Lengths of the four buffers of the tape for a batch of `n` columns.
    pub(crate) fn tape_lengths(&self, n: usize) -> [usize; 4] {
        let hidden = self.hidden * n;
        [self.n_hidden_layers * hidden, self.n_hidden_layers * hidden, hidden, hidden]
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
        let layers = self.layers();
        let size = self.hidden * n;
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
        for l in 0..self.n_hidden_layers {
            let range = l * size..(l + 1) * size;
            let (a, slope) = (&mut tape.activations[range.clone()], &mut tape.slopes[range]);
            activate(self.activation, tape.state, a, slope);
            if let Some(rng) = dropout.as_deref_mut().filter(|_| self.dropout > 0.0) {
                drop_units(self.dropout, rng, a, slope);
            }
            if l + 1 < self.n_hidden_layers {
                linear(&layers[l + 1], a, true, tape.state);
            } else {
                linear(&layers[l + 1], a, false, output);
            }
        }
    }

    /// Takes `d_output` = ∂L/∂y, **overwrites** `d_input` with ∂L/∂x and **adds** ∂L/∂θ to
    /// `parameter_gradient`.
    #[expect(
        clippy::too_many_arguments,
        reason = "buffers of the caller's tape, each with a role of its own"
    )]
    pub(crate) fn backward<T: Real>(
        &self,
        parameters: &[T],
        input: &[T],
        d_output: &[T],
        d_input: &mut [T],
        n: usize,
        tape: &mut MlpTape<'_, T>,
        parameter_gradient: &mut [T],
    ) {
        if n == 0 {
            return;
        }
        let layers = self.layers();
        let size = self.hidden * n;
        // ∂L/∂W += δ aᵀ    ∂L/∂b += Σ δ    ∂L/∂a = Wᵀ δ
        let mut linear = |layer: &Layer, x: &[T], delta: &[T], d_x: &mut [T]| {
            let delta_matrix = Matrix::new(delta, layer.outputs, n);
            let x = Matrix::new(x, layer.inputs, n);
            multiply_transposed_right(
                delta_matrix,
                x,
                T::one(),
                &mut parameter_gradient[layer.weights..layer.biases],
            );
            for (g, row) in parameter_gradient[layer.biases..].iter_mut().zip(delta.chunks_exact(n)) {
                *g += sum(row);
            }
            let weights = Matrix::new(&parameters[layer.weights..], layer.outputs, layer.inputs);
            multiply_transposed_left(weights, delta_matrix, T::zero(), d_x);
        };
        for l in (0..self.n_hidden_layers).rev() {
            let range = l * size..(l + 1) * size;
            let (a, slope) = (&tape.activations[range.clone()], &tape.slopes[range]);
            if l + 1 == self.n_hidden_layers {
                linear(&layers[l + 1], a, d_output, tape.scratch);
                vectorized!(_F => for ((d, &g), &s) in tape.state.iter_mut().zip(&*tape.scratch).zip(slope) {
                    *d = g * s;
                });
            } else {
                linear(&layers[l + 1], a, tape.state, tape.scratch);
                vectorized!(_F => for ((d, &g), &s) in tape.state.iter_mut().zip(&*tape.scratch).zip(slope) {
                    *d += g * s;
                });
            }
        }
        linear(&layers[0], input, tape.state, d_input);
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
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn output_starts_at_zero_and_dropout_keeps_the_mean() {
        let mlp = Mlp {
            inputs: 3,
            hidden: 8,
            outputs: 5,
            n_hidden_layers: 2,
            activation: Activation::Silu,
            dropout: 0.25,
        };
        let mut rng = Seed(1).stream("test", 0);
        let mut parameters = vec![1.0f64; mlp.specs().iter().map(ParameterSpec::len).sum()];
        mlp.reset(&mut parameters, &mut rng);
        let n = 4000;
        let lengths = mlp.tape_lengths(n);
        let (mut activations, mut slopes) = (vec![0.0; lengths[0]], vec![0.0; lengths[1]]);
        let (mut state, mut scratch) = (vec![0.0; lengths[2]], vec![0.0; lengths[3]]);
        let mut tape = MlpTape {
            activations: &mut activations,
            slopes: &mut slopes,
            state: &mut state,
            scratch: &mut scratch,
        };
        let mut output = vec![1.0; 5 * n];
        mlp.forward(&parameters, &vec![0.7; 3 * n], &mut output, n, &mut tape, Some(&mut rng));
        assert!(output.iter().all(|&y| y == 0.0));
        // Before dropout, a unit of the first layer has the same value in every column.
        for row in tape.activations[..8 * n].chunks_exact(n) {
            let dropped = row.iter().filter(|&&a| a == 0.0).count() as f64 / n as f64;
            // The tolerance is five standard errors of a share of 0.25 among 4000.
            assert!((dropped - 0.25).abs() < 0.035, "{dropped}");
            let kept = row.iter().find(|&&a| a != 0.0).unwrap();
            assert!(row.iter().all(|a| *a == 0.0 || a == kept));
        }
    }
}
