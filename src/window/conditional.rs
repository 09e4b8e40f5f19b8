//! The distribution of an innovation that a network reads off the past, with its hand-written gradient.
//!
//! ```text
//! network(past) = (logits, means, log scales)          two hidden layers, the residual path after the SiLU
//! ∂log p/∂logit_k = r_k − w_k    ∂/∂m_kc = r_k z/s    ∂/∂log s_kc = r_k (z² − 1)       r: responsibilities, z = (e − m)/s
//! ```
//!
//! Of a digitised signal the network knows the recorded value but for the noise that was added to it. There
//! the components are logistic, and each gives the probability of the step e ± h the innovation lies on,
//! spread evenly over that step:
//!
//! ```text
//! P = σ(b) − σ(a) = σ(b) σ(−a) (1 − e^{−κ})       a, b = (e ∓ h − m)/s       κ = b − a = 2h/s
//! ∂log P/∂m = (σ(a) − σ(−b))/s    ∂log P/∂log s = a σ(a) − b σ(−b) − κ/(e^κ − 1)
//! ```
//!
//! # References
//! Salimans et al. (2017), PixelCNN++, arXiv:1701.05517 (mixture of discretised logistics).

use serde::{Deserialize, Serialize};

use crate::flow::{Activation, Mlp, MlpTape, NetworkShape, Residual, Tape};
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
    /// Numbers per sample that come out.
    pub(super) fn outputs(&self) -> usize {
        self.components * (1 + 2 * self.channels)
    }

    /// The network. Its parameters are the arrays w0, b0, w1, b1, w2 and b2, one after the other.
    pub(super) fn network(&self) -> Mlp {
        let shape = NetworkShape {
            hidden: self.hidden,
            n_hidden_layers: 2,
            activation: Activation::Silu,
            dropout: 0.0,
        };
        Mlp { residual: Residual::AfterActivation, ..Mlp::new(self.inputs, self.outputs(), shape) }
    }

    /// Number of parameters.
    pub fn n_parameters(&self) -> usize {
        self.network().n_parameters()
    }

    /// Working memory for `n` samples: the tape of the network, its output and the gradient of that.
    fn memory<'a, T: Real>(&self, tape: &'a mut Tape<T>, n: usize) -> (MlpTape<'a, T>, [&'a mut [T]; 2]) {
        let ([a, b, c, d, e, f], out) = (self.network().tape_lengths(n), self.outputs() * n);
        let [a, b, c, d, e, f, out, d_out] = tape.slots([a, b, c, d, e, f, out, out]);
        (MlpTape::new([a, b, c, d, e, f]), [out, d_out])
    }

    /// Log-density of each innovation. Where `half` is not empty, it is half of the step each innovation lies
    /// on.
    ///
    /// # Shapes
    /// `x: (inputs, n)`, `e: (C, n)`, `half: (C, n)` or empty → n values
    pub(super) fn log_prob<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        e: &[T],
        half: &[T],
        n: usize,
        tape: &mut Tape<T>,
    ) -> Vec<T> {
        let (mut network, [out, _]) = self.memory(tape, n);
        self.network().forward(parameters, x, out, n, &mut network, None);
        let mut mixture = Mixture::new(self);
        (0..n).map(|i| mixture.log_prob(out, e, half, n, i)).collect()
    }

    /// Adds the gradient of the summed log-density to `gradient` and returns the sum.
    #[expect(clippy::too_many_arguments, reason = "the data of a window, and buffers of the caller")]
    pub(super) fn log_prob_grad<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        e: &[T],
        half: &[T],
        n: usize,
        gradient: &mut [T],
        tape: &mut Tape<T>,
    ) -> T {
        let (mut memory, [out, d_out]) = self.memory(tape, n);
        let network = self.network();
        network.forward(parameters, x, out, n, &mut memory, None);
        let mut mixture = Mixture::new(self);
        d_out.fill(T::zero());
        let mut total = T::zero();
        for i in 0..n {
            total += mixture.log_prob(out, e, half, n, i);
            mixture.gradient(d_out, n, i);
        }
        network.backward(parameters, x, d_out, None, n, &mut memory, gradient);
        total
    }

    /// Weights, means and scales of the mixture of one sample: `(K,)`, `(K·C,)`, `(K·C,)`.
    pub(super) fn mixture<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        tape: &mut Tape<T>,
    ) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
        let (mut network, [out, _]) = self.memory(tape, 1);
        self.network().forward(parameters, x, out, 1, &mut network, None);
        let out: Vec<f64> = out.iter().map(|x| x.into_f64()).collect();
        let (k, kc) = (self.components, self.components * self.channels);
        let top = out[..k].iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = out[..k].iter().map(|l| (l - top).exp()).collect();
        let sum: f64 = weights.iter().sum();
        let scales = out[k + kc..].iter().map(|s| s.clamp(LOG_SCALE.0, LOG_SCALE.1).exp()).collect();
        (weights.into_iter().map(|w| w / sum).collect(), out[k..k + kc].to_vec(), scales)
    }
}

/// Working memory of one sample's mixture.
struct Mixture<'a, T> {
    shape: &'a Shape,
    weight: Vec<T>,
    responsibility: Vec<T>,
    /// ∂/∂m and ∂/∂log s of each component's log-density.
    by_mean: Vec<T>,
    by_scale: Vec<T>,
    inside: Vec<bool>,
}

impl<'a, T: Real> Mixture<'a, T> {
    fn new(shape: &'a Shape) -> Self {
        let (k, kc) = (shape.components, shape.components * shape.channels);
        Self {
            shape,
            weight: vec![T::zero(); k],
            responsibility: vec![T::zero(); k],
            by_mean: vec![T::zero(); kc],
            by_scale: vec![T::zero(); kc],
            inside: vec![true; kc],
        }
    }

    fn log_prob(&mut self, out: &[T], e: &[T], half: &[T], n: usize, i: usize) -> T {
        let (k, c) = (self.shape.components, self.shape.channels);
        let (low, high) = (T::from_f64(LOG_SCALE.0), T::from_f64(LOG_SCALE.1));
        let at = |row: usize| out[row * n + i];
        for j in 0..k {
            self.weight[j] = at(j);
        }
        let norm = log_sum_exp(&self.weight);
        for j in 0..k {
            let mut a = self.weight[j] - norm;
            self.weight[j] = (self.weight[j] - norm).fast_exp();
            for channel in 0..c {
                let q = j * c + channel;
                let raw = at(k + k * c + q);
                self.inside[q] = raw > low && raw < high;
                let log_scale = if raw < low { low } else { raw };
                let log_scale = if log_scale > high { high } else { log_scale };
                let distance = e[channel * n + i] - at(k + q);
                let part = match half.get(channel * n + i) {
                    Some(&half) => step(distance, half, log_scale),
                    None => normal(distance, log_scale),
                };
                (self.by_mean[q], self.by_scale[q]) = (part[1], part[2]);
                a += part[0];
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
                d_out[(k + q) * n + i] = r * self.by_mean[q];
                if self.inside[q] {
                    d_out[(k + k * c + q) * n + i] = r * self.by_scale[q];
                }
            }
        }
    }
}

/// log N(x; 0, s) and its derivatives by the mean and by log s.
fn normal<T: Real>(x: T, log_scale: T) -> [T; 3] {
    let inverse = (-log_scale).fast_exp();
    let z = x * inverse;
    let constant = T::from_f64(0.5 * std::f64::consts::TAU.ln());
    [T::from_f64(-0.5) * z * z - log_scale - constant, z * inverse, z * z - T::one()]
}

/// Logistic probability of the step x ± h over its width, as a logarithm, and its derivatives by the mean and
/// by log s.
fn step<T: Real>(x: T, half: T, log_scale: T) -> [T; 3] {
    let inverse = (-log_scale).fast_exp();
    let (a, b) = ((x - half) * inverse, (x + half) * inverse);
    let kappa = (half + half) * inverse;
    // A narrow step: the difference below would lose its digits.
    let (log_gap, slope) = if kappa < T::from_f64(0.05) {
        let square = kappa * kappa;
        let log_gap = kappa.ln() - T::from_f64(0.5) * kappa + square * T::from_f64(1.0 / 24.0);
        (log_gap, T::one() - T::from_f64(0.5) * kappa + square * T::from_f64(1.0 / 12.0))
    } else {
        let shrunk = (-kappa).exp();
        ((T::one() - shrunk).ln(), kappa * shrunk / (T::one() - shrunk))
    };
    let (below, above) = (a.sigmoid(), (-b).sigmoid());
    let log_prob = log_gap - (-b).softplus() - a.softplus() - (half + half).ln();
    [log_prob, (below - above) * inverse, a * below - b * above - slope]
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
        // Without steps, with wide ones and with steps narrow enough for the series.
        for half in [None, Some(0.4), Some(1e-3)] {
            check_gradient(half);
        }
    }

    fn check_gradient(half: Option<f64>) {
        let shape = Shape { inputs: 5, hidden: 4, components: 3, channels: 2 };
        let mut rng = Seed(1).stream("gradient", 0);
        let mut draw = |n: usize, scale: f64| -> Vec<f64> {
            (0..n).map(|_| scale * (2.0 * rng.random::<f64>() - 1.0)).collect()
        };
        let n = 7;
        let (mut parameters, x, e) = (draw(shape.n_parameters(), 0.7), draw(5 * n, 1.0), draw(2 * n, 2.0));
        let half: Vec<f64> = half.map_or(Vec::new(), |h| vec![h; 2 * n]);
        // One log scale out of bounds: its gradient is 0, not that of the bound.
        let last = parameters.len() - 1;
        parameters[last] = -9.0;
        let mut gradient = vec![0.0; parameters.len()];
        let mut tape = Tape::default();
        let total = shape.log_prob_grad(&parameters, &x, &e, &half, n, &mut gradient, &mut tape);
        let mut value = |p: &[f64]| shape.log_prob(p, &x, &e, &half, n, &mut tape).iter().sum::<f64>();
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
    fn steps_are_a_distribution_and_their_limit_a_density() {
        let at = |x: f64, half: f64| step(x, half, 0.3)[0];
        // Steps of 0.5 tile the line.
        let total: f64 = (-200..=200).map(|i| at(0.5 * f64::from(i) + 0.1, 0.25).exp() * 0.5).sum();
        assert!((total - 1.0).abs() < 1e-9, "{total}");
        // Both branches agree where they meet, and far out nothing is lost.
        let scale = 0.3f64.exp();
        let half = 0.025 * scale;
        assert!((at(0.7, half * 0.9999) - at(0.7, half * 1.0001)).abs() < 1e-6);
        assert!((at(60.0, 0.5) - at(61.0, 0.5) - 1.0 / scale).abs() < 1e-9);
        assert!(step(80.0f32, 1e-4, -7.0)[0].is_finite());
    }

    #[test]
    fn the_mixture_is_the_one_the_density_uses() {
        let shape = Shape { inputs: 2, hidden: 3, components: 2, channels: 1 };
        let parameters: Vec<f64> = (0..shape.n_parameters()).map(|i| (i as f64 * 0.7).sin()).collect();
        let x = [0.3, -0.8];
        let mut tape = Tape::default();
        let (w, m, s) = shape.mixture(&parameters, &x, &mut tape);
        let normal = |z: f64| (-0.5 * z * z).exp() / (2.0 * std::f64::consts::PI).sqrt();
        let density: f64 = (0..2).map(|k| w[k] * normal((0.4 - m[k]) / s[k]) / s[k]).sum();
        let lp = shape.log_prob(&parameters, &x, &[0.4], &[], 1, &mut tape)[0];
        assert!((density.ln() - lp).abs() < 1e-12);
    }
}
