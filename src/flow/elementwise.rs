//! A spline for each coordinate, without conditioning. With it, the flow can correct what its input
//! transforms have left in the marginal distributions.

use ndarray::Array2;

use super::bijector::{Bijector, ParameterSpec, Tape};
use super::error::FlowError;
use super::lanes::sum;
use super::pen::Pen;
use super::spline::Spline;
use crate::num::real::Real;
use crate::onnx::{Inexpressible, Linear};
use crate::random::StreamRng;

/// The map zᵢ = splineᵢ(xᵢ). It starts as the identity.
#[derive(Debug, Clone)]
pub struct ElementwiseSpline {
    n_features: usize,
    spline: Spline,
}

impl ElementwiseSpline {
    /// A layer with a spline of the given family for each of `n_features` coordinates.
    pub fn new(n_features: usize, spline: Spline) -> Self {
        Self { n_features, spline }
    }

    /// Repeats the raw parameters of coordinate i for each column, so that the kernel of the couplings can be
    /// used here too.
    fn broadcast<T: Real>(&self, parameters: &[T], i: usize, n: usize, raw: &mut [T]) {
        let n_raw = self.spline.n_raw();
        for r in 0..n_raw {
            raw[r * n..(r + 1) * n].fill(parameters[i * n_raw + r]);
        }
    }
}

impl<T: Real> Bijector<T> for ElementwiseSpline {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        vec![ParameterSpec::new("raw", &[self.n_features, self.spline.n_raw()])]
    }

    fn reset(&self, parameters: &mut [T], _rng: &mut StreamRng) {
        parameters.fill(T::zero());
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        _dropout: Option<&mut StreamRng>,
    ) {
        let n = ladj.len();
        let [input, raw] = tape.slots([x.len(), self.spline.n_raw() * n]);
        input.copy_from_slice(x);
        for i in 0..self.n_features {
            self.broadcast(parameters, i, n, raw);
            self.spline.forward(raw, &mut x[i * n..(i + 1) * n], ladj);
        }
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        let d = self.n_features;
        let own: Vec<usize> = (0..d).collect();
        // Raw parameters that hang on nothing, as a network gives them.
        let raw = Linear {
            matrix: Array2::zeros((parameters.len(), d)),
            offset: parameters.iter().map(|p| p.into_f64()).collect(),
        };
        let raw = self.spline.arranged(&raw, d);
        let parts = pen.read(&[Linear::ordering(&own), raw]);
        let [z, log_det] = self.spline.write(pen.graph, &parts[1], &parts[0], d);
        pen.replace(z, &own, log_det);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / self.n_features;
        let [raw] = tape.slots([self.spline.n_raw() * n]);
        for i in 0..self.n_features {
            self.broadcast(parameters, i, n, raw);
            self.spline.inverse(raw, &mut z[i * n..(i + 1) * n]);
        }
        Ok(())
    }

    fn backward(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    ) {
        let n = ladj_gradient.len();
        let n_raw = self.spline.n_raw();
        let [input, raw, d_raw, x, ladj] = tape.slots([gradient.len(), n_raw * n, n_raw * n, n, n]);
        for i in 0..self.n_features {
            let row = i * n..(i + 1) * n;
            // Computes the softmax of this coordinate again, by a forward pass on a copy. This is cheaper
            // than keeping the softmax of all coordinates.
            self.broadcast(parameters, i, n, raw);
            x.copy_from_slice(&input[row.clone()]);
            self.spline.forward(raw, x, ladj);
            self.spline.backward(raw, &input[row.clone()], &mut gradient[row], ladj_gradient, d_raw);
            for r in 0..n_raw {
                parameter_gradient[i * n_raw + r] += sum(&d_raw[r * n..(r + 1) * n]);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;

    #[test]
    fn is_a_bijector() {
        for d in [1, 3, 4] {
            check_bijector(&ElementwiseSpline::new(d, Spline::new(6, 2.5)), 41);
        }
    }
}
