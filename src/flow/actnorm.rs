//! An affine map of each feature, set from the first batch so that its output has mean 0 and variance 1.
//!
//! ```text
//! z = (x − m) eˢ        ladj = Σᵢ sᵢ
//! ```
//!
//! # References
//! Kingma & Dhariwal (2018), Glow, arXiv:1807.03039, §3.1.

use super::affine::write_affine;
use super::bijector::{Bijector, ParameterSpec, Tape, split, split_mut};
use super::error::FlowError;
use super::lanes::{dot, sum};
use super::pen::Pen;
use crate::num::moments::Moments;
use crate::num::real::Real;
use crate::num::simd::vectorized;
use crate::onnx::Inexpressible;
use crate::random::StreamRng;

/// The map z = (x − m) eˢ with one m and one s per feature. It starts as the identity.
#[derive(Debug, Clone)]
pub struct ActNorm {
    n_features: usize,
}

impl ActNorm {
    /// A layer for `n_features` coordinates.
    pub fn new(n_features: usize) -> Self {
        Self { n_features }
    }
}

impl<T: Real> Bijector<T> for ActNorm {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        ["location", "log_scale"].map(|name| ParameterSpec::new(name, &[self.n_features])).into()
    }

    fn reset(&self, parameters: &mut [T], _rng: &mut StreamRng) {
        parameters.fill(T::zero());
    }

    fn initialize(&self, parameters: &mut [T], x: &[T]) {
        let d = self.n_features;
        let n = x.len() / d;
        for i in 0..d {
            let moments: Moments = x[i * n..(i + 1) * n].iter().map(|v| v.into_f64()).collect();
            let (mean, deviation) = (moments.mean(), moments.variance().sqrt());
            // A constant feature, or a batch of one record, gives no scale.
            let usable = mean.is_finite() && deviation.is_finite() && deviation > 1e-6 * (1.0 + mean.abs());
            parameters[i] = T::from_f64(if mean.is_finite() { mean } else { 0.0 });
            parameters[d + i] = T::from_f64(if usable { -deviation.ln() } else { 0.0 });
        }
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        _dropout: Option<&mut StreamRng>,
    ) {
        let d = self.n_features;
        let [location, log_scale] = split(parameters, [d, d]);
        let n = ladj.len();
        let [z] = tape.slots([d * n]);
        for i in 0..d {
            let (m, scale) = (location[i], log_scale[i].exp());
            let range = i * n..(i + 1) * n;
            let (x, z) = (&mut x[range.clone()], &mut z[range]);
            vectorized!(_F => for (x, z) in x.iter_mut().zip(&mut *z) {
                *x = (*x - m) * scale;
                *z = *x;
            });
        }
        let total: T = log_scale.iter().copied().sum();
        for l in ladj.iter_mut() {
            *l += total;
        }
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        write_affine(self, parameters, pen);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], _tape: &mut Tape<T>) -> Result<(), FlowError> {
        let d = self.n_features;
        let [location, log_scale] = split(parameters, [d, d]);
        let n = z.len() / d;
        for i in 0..d {
            let (m, scale) = (location[i], (-log_scale[i]).exp());
            z[i * n..(i + 1) * n].iter_mut().for_each(|v| *v = *v * scale + m);
        }
        Ok(())
    }

    // ∂L/∂m = −eˢ Σ ∂L/∂z    ∂L/∂s = Σ z ∂L/∂z + Σ ∂L/∂ladj    ∂L/∂x = eˢ ∂L/∂z
    fn backward(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    ) {
        let d = self.n_features;
        let [_, log_scale] = split(parameters, [d, d]);
        let n = ladj_gradient.len();
        let [z] = tape.slots([d * n]);
        let [d_location, d_log_scale] = split_mut(parameter_gradient, [d, d]);
        let d_ladj = sum(ladj_gradient);
        for i in 0..d {
            let scale = log_scale[i].exp();
            let row = &mut gradient[i * n..(i + 1) * n];
            d_location[i] -= scale * sum(row);
            d_log_scale[i] += dot(row, &z[i * n..(i + 1) * n]) + d_ladj;
            vectorized!(_F => for g in row.iter_mut() {
                *g *= scale;
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;

    #[test]
    fn is_a_bijector() {
        for d in [1, 3, 8] {
            check_bijector(&ActNorm::new(d), 11);
        }
    }

    #[test]
    fn first_batch_comes_out_standardised_and_constants_survive() {
        let layer = ActNorm::new(2);
        let mut parameters = [0.0f64; 4];
        let x = [1.0, 3.0, 5.0, 7.0, 2.0, 2.0, 2.0, 2.0];
        layer.initialize(&mut parameters, &x);
        let mut z = x;
        layer.forward(&parameters, &mut z, &mut [0.0; 4], &mut Tape::default(), None);
        let first: Moments = z[..4].iter().copied().collect();
        assert!(first.mean().abs() < 1e-15 && (first.variance() - 1.0).abs() < 1e-14);
        assert_eq!(z[4..], [0.0; 4]);
        assert_eq!(parameters[3], 0.0);
    }
}
