//! The network that reads the distribution of an innovation off the past, with its hand-written gradient.
//!
//! ```text
//! h₁ = silu(W₁x + b₁)    h₂ = h₁ + silu(W₂h₁ + b₂)    o = W₃h₂ + b₃ = (logits, means, log scales)
//! ∂log p/∂logit_k = r_k − w_k    ∂/∂m_kc = r_k z/s    ∂/∂log s_kc = r_k (z² − 1)       r: responsibilities, z = (e − m)/s
//! ```

use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::num::gemm::{Matrix, multiply, multiply_transposed_left, multiply_transposed_right};
use crate::num::real::Real;

/// Bounds of log scales: noise of a thousandth and outliers of fifty standard deviations lie within.
const LOG_SCALE: (f64, f64) = (-7.0, 4.0);

/// Sizes of the network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shape {
    /// Numbers per sample that go in.
    pub inputs: usize,
    /// Width of both hidden layers.
    pub hidden: usize,
    /// Components of the mixture K.
    pub components: usize,
    /// Channels C.
    pub channels: usize,
}

impl Shape {
    fn outputs(&self) -> usize {
        self.components * (1 + 2 * self.channels)
    }

    /// Stretches of the parameter buffer: W₁, b₁, W₂, b₂, W₃, b₃.
    pub(super) fn ranges(&self) -> [Range<usize>; 6] {
        let sizes = [
            self.hidden * self.inputs,
            self.hidden,
            self.hidden * self.hidden,
            self.hidden,
            self.outputs() * self.hidden,
            self.outputs(),
        ];
        let mut at = 0;
        sizes.map(|n| {
            at += n;
            at - n..at
        })
    }

    /// Number of parameters.
    pub fn n_parameters(&self) -> usize {
        self.ranges()[5].end
    }

    /// Activations of `n` samples.
    fn forward<T: Real>(&self, parameters: &[T], x: &[T], n: usize) -> Activations<T> {
        let [w1, b1, w2, b2, w3, b3] = self.ranges().map(|r| &parameters[r]);
        let (h, o) = (self.hidden, self.outputs());
        let pre1 = affine(w1, b1, x, (h, self.inputs, n));
        let h1: Vec<T> = pre1.iter().map(|&a| a * a.sigmoid()).collect();
        let pre2 = affine(w2, b2, &h1, (h, h, n));
        let h2: Vec<T> = pre2.iter().zip(&h1).map(|(&a, &r)| r + a * a.sigmoid()).collect();
        let out = affine(w3, b3, &h2, (o, h, n));
        Activations { pre1, h1, pre2, h2, out }
    }

    /// Log-density of each innovation.
    ///
    /// # Shapes
    /// `x: (inputs, n)`, `e: (C, n)` → n values
    pub(super) fn log_prob<T: Real>(&self, parameters: &[T], x: &[T], e: &[T], n: usize) -> Vec<T> {
        let out = self.forward(parameters, x, n).out;
        let mut mixture = Mixture::new(self);
        (0..n).map(|i| mixture.log_prob(&out, e, n, i)).collect()
    }

    /// Adds the gradient of the summed log-density to `gradient` and returns the sum.
    pub(super) fn log_prob_grad<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        e: &[T],
        n: usize,
        gradient: &mut [T],
    ) -> T {
        let a = self.forward(parameters, x, n);
        let mut mixture = Mixture::new(self);
        let mut d_out = vec![T::zero(); a.out.len()];
        let mut total = T::zero();
        for i in 0..n {
            total += mixture.log_prob(&a.out, e, n, i);
            mixture.gradient(&mut d_out, n, i);
        }
        let [w1, b1, w2, b2, w3, b3] = self.ranges();
        let (h, o) = (self.hidden, self.outputs());
        let one = T::one();
        multiply_transposed_right(
            Matrix::new(&d_out, o, n),
            Matrix::new(&a.h2, h, n),
            one,
            &mut gradient[w3.clone()],
        );
        add_rows(&d_out, n, &mut gradient[b3]);
        let mut d_h2 = vec![T::zero(); h * n];
        multiply_transposed_left(
            Matrix::new(&parameters[w3], o, h),
            Matrix::new(&d_out, o, n),
            T::zero(),
            &mut d_h2,
        );
        let d_pre2: Vec<T> = d_h2.iter().zip(&a.pre2).map(|(&d, &x)| d * silu_slope(x)).collect();
        multiply_transposed_right(
            Matrix::new(&d_pre2, h, n),
            Matrix::new(&a.h1, h, n),
            one,
            &mut gradient[w2.clone()],
        );
        add_rows(&d_pre2, n, &mut gradient[b2]);
        // The residual path carries d_h2 on; the layer adds its part.
        let mut d_h1 = d_h2;
        multiply_transposed_left(
            Matrix::new(&parameters[w2], h, h),
            Matrix::new(&d_pre2, h, n),
            one,
            &mut d_h1,
        );
        let d_pre1: Vec<T> = d_h1.iter().zip(&a.pre1).map(|(&d, &x)| d * silu_slope(x)).collect();
        multiply_transposed_right(
            Matrix::new(&d_pre1, h, n),
            Matrix::new(x, self.inputs, n),
            one,
            &mut gradient[w1],
        );
        add_rows(&d_pre1, n, &mut gradient[b1]);
        total
    }

    /// Weights, means and scales of the mixture of one sample: `(K,)`, `(K·C,)`, `(K·C,)`.
    pub(super) fn mixture<T: Real>(&self, parameters: &[T], x: &[T]) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let out: Vec<f64> = self.forward(parameters, x, 1).out.into_iter().map(Real::into_f64).collect();
        let (k, kc) = (self.components, self.components * self.channels);
        let top = out[..k].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = out[..k].iter().map(|l| (l - top).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let scales = out[k + kc..].iter().map(|s| s.clamp(LOG_SCALE.0, LOG_SCALE.1).exp()).collect();
        (weights.into_iter().map(|w| w / sum).collect(), out[k..k + kc].to_vec(), scales)
    }
}

struct Activations<T> {
    pre1: Vec<T>,
    h1: Vec<T>,
    pre2: Vec<T>,
    h2: Vec<T>,
    out: Vec<T>,
}

/// W·x + b for `(rows, inner, columns)`.
fn affine<T: Real>(w: &[T], b: &[T], x: &[T], (rows, inner, n): (usize, usize, usize)) -> Vec<T> {
    let mut out: Vec<T> = b.iter().flat_map(|&b| std::iter::repeat_n(b, n)).collect();
    multiply(Matrix::new(w, rows, inner), Matrix::new(x, inner, n), T::one(), &mut out);
    out
}

fn add_rows<T: Real>(x: &[T], n: usize, out: &mut [T]) {
    for (o, row) in out.iter_mut().zip(x.chunks_exact(n.max(1))) {
        *o += row.iter().copied().sum();
    }
}

/// d/dx of x·σ(x).
fn silu_slope<T: Real>(x: T) -> T {
    let s = x.sigmoid();
    s * (T::one() + x * (T::one() - s))
}

/// Working memory of one sample's mixture.
struct Mixture<'a, T> {
    shape: &'a Shape,
    weight: Vec<T>,
    responsibility: Vec<T>,
    z: Vec<T>,
    inverse_scale: Vec<T>,
    inside: Vec<bool>,
}

impl<'a, T: Real> Mixture<'a, T> {
    fn new(shape: &'a Shape) -> Self {
        let (k, kc) = (shape.components, shape.components * shape.channels);
        Self {
            shape,
            weight: vec![T::zero(); k],
            responsibility: vec![T::zero(); k],
            z: vec![T::zero(); kc],
            inverse_scale: vec![T::zero(); kc],
            inside: vec![true; kc],
        }
    }

    fn log_prob(&mut self, out: &[T], e: &[T], n: usize, i: usize) -> T {
        let (k, c) = (self.shape.components, self.shape.channels);
        let half = T::from_f64(0.5);
        let constant = T::from_f64(-0.5 * c as f64 * (2.0 * std::f64::consts::PI).ln());
        let (low, high) = (T::from_f64(LOG_SCALE.0), T::from_f64(LOG_SCALE.1));
        let at = |row: usize| out[row * n + i];
        for j in 0..k {
            self.weight[j] = at(j);
        }
        let norm = log_sum_exp(&self.weight);
        for j in 0..k {
            let mut a = self.weight[j] - norm + constant;
            self.weight[j] = (self.weight[j] - norm).fast_exp();
            for channel in 0..c {
                let q = j * c + channel;
                let raw = at(k + k * c + q);
                self.inside[q] = raw > low && raw < high;
                let log_scale = if raw < low { low } else { raw };
                let log_scale = if log_scale > high { high } else { log_scale };
                self.inverse_scale[q] = (-log_scale).fast_exp();
                let z = (e[channel * n + i] - at(k + q)) * self.inverse_scale[q];
                self.z[q] = z;
                a = a - half * z * z - log_scale;
            }
            self.responsibility[j] = a;
        }
        let total = log_sum_exp(&self.responsibility);
        for r in &mut self.responsibility {
            *r = (*r - total).fast_exp();
        }
        total
    }

    /// Gradient at the sample [`Self::log_prob`] was last called for.
    fn gradient(&self, d_out: &mut [T], n: usize, i: usize) {
        let (k, c) = (self.shape.components, self.shape.channels);
        for j in 0..k {
            let r = self.responsibility[j];
            d_out[j * n + i] = r - self.weight[j];
            for q in j * c..(j + 1) * c {
                let z = self.z[q];
                d_out[(k + q) * n + i] = r * z * self.inverse_scale[q];
                if self.inside[q] {
                    d_out[(k + k * c + q) * n + i] = r * (z * z - T::one());
                }
            }
        }
    }
}

fn log_sum_exp<T: Real>(x: &[T]) -> T {
    let top = x.iter().copied().fold(x[0], |a, b| if b > a { b } else { a });
    let sum: T = x.iter().map(|&v| (v - top).fast_exp()).sum();
    top + sum.fast_ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;
    use rand::RngExt;

    #[test]
    fn the_gradient_is_that_of_the_log_density() {
        let shape = Shape { inputs: 5, hidden: 4, components: 3, channels: 2 };
        let mut rng = Seed(1).stream("gradient", 0);
        let mut draw = |n: usize, scale: f64| -> Vec<f64> {
            (0..n).map(|_| scale * (2.0 * rng.random::<f64>() - 1.0)).collect()
        };
        let n = 7;
        let (mut parameters, x, e) = (draw(shape.n_parameters(), 0.7), draw(5 * n, 1.0), draw(2 * n, 2.0));
        // One log scale out of bounds: its gradient is 0, not that of the bound.
        let last = parameters.len() - 1;
        parameters[last] = -9.0;
        let mut gradient = vec![0.0; parameters.len()];
        let total = shape.log_prob_grad(&parameters, &x, &e, n, &mut gradient);
        let value = |p: &[f64]| shape.log_prob(p, &x, &e, n).iter().sum::<f64>();
        assert!((total - value(&parameters)).abs() < 1e-12);
        for i in 0..parameters.len() {
            let h = 1e-5;
            let mut moved = parameters.clone();
            moved[i] += h;
            let up = value(&moved);
            moved[i] -= 2.0 * h;
            let numeric = (up - value(&moved)) / (2.0 * h);
            let scale = gradient[i].abs().max(1.0);
            assert!((gradient[i] - numeric).abs() < 1e-6 * scale, "{i}: {} {numeric}", gradient[i]);
        }
        // The component with the bounded scale is so narrow that it explains nothing.
        assert!(gradient.iter().filter(|g| **g != 0.0).count() > parameters.len() * 3 / 4);
    }

    #[test]
    fn the_mixture_is_the_one_the_density_uses() {
        let shape = Shape { inputs: 2, hidden: 3, components: 2, channels: 1 };
        let parameters: Vec<f64> = (0..shape.n_parameters()).map(|i| (i as f64 * 0.7).sin()).collect();
        let x = [0.3, -0.8];
        let (w, m, s) = shape.mixture(&parameters, &x);
        let normal = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let density: f64 = (0..2).map(|k| w[k] * normal((0.4 - m[k]) / s[k]) / s[k]).sum();
        let lp = shape.log_prob(&parameters, &x, &[0.4], 1)[0];
        assert!((density.ln() - lp).abs() < 1e-12);
    }
}
