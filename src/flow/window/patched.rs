//! Applies one layer to all patches of a window.

use crate::flow::bijector::{Bijector, ParameterSpec, Tape};
use crate::flow::error::FlowError;
use crate::num::real::Real;
use crate::random::StreamRng;

/// Applies a layer over the coordinates of a patch to each of `count` patches. The rows must be in the patch
/// layout.
#[derive(Debug, Clone)]
pub struct Patched<B> {
    inner: B,
    count: usize,
}

impl<B> Patched<B> {
    /// Applies `inner` to each of `count` patches.
    pub fn new(inner: B, count: usize) -> Self {
        Self { inner, count }
    }
}

impl<T: Real, B: Bijector<T>> Bijector<T> for Patched<B> {
    fn n_features(&self) -> usize {
        self.inner.n_features() * self.count
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        self.inner.specs()
    }

    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng) {
        self.inner.reset(parameters, rng);
    }

    fn initialize(&self, parameters: &mut [T], x: &[T]) {
        self.inner.initialize(parameters, x);
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        dropout: Option<&mut StreamRng>,
    ) {
        let n = ladj.len();
        tape.with_side(self.count * n, |tape, each| {
            each.fill(T::zero());
            self.inner.forward(parameters, x, each, tape, dropout);
            for part in each.chunks_exact(n.max(1)) {
                for (l, &e) in ladj.iter_mut().zip(part) {
                    *l += e;
                }
            }
        });
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        self.inner.inverse(parameters, z, tape)
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
        tape.with_side(self.count * n, |tape, each| {
            for part in each.chunks_exact_mut(n.max(1)) {
                part.copy_from_slice(ladj_gradient);
            }
            self.inner.backward(parameters, tape, gradient, each, parameter_gradient);
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::actnorm::ActNorm;
    use crate::flow::coupling::Coupling;
    use crate::flow::gradcheck::check_bijector;
    use crate::flow::linear::PluLinear;
    use crate::flow::mlp::{Activation, NetworkShape};
    use crate::flow::spline::Spline;
    use crate::flow::univariate::Univariate;

    #[test]
    fn layers_over_patches_are_bijectors_of_the_window() {
        check_bijector(&Patched::new(ActNorm::new(3), 4), 61);
        check_bijector(&Patched::new(PluLinear::new(vec![2, 0, 1]).unwrap(), 2), 62);
    }

    #[test]
    fn couplings_that_see_neighbouring_patches_are_bijectors() {
        let shape =
            NetworkShape { hidden: 5, n_hidden_layers: 2, activation: Activation::Silu, dropout: 0.0 };
        for (univariate, reach) in
            [(Univariate::Affine { log_scale_bound: 2.0 }, 1), (Univariate::Spline(Spline::new(4, 3.0)), 2)]
        {
            let coupling = Coupling::new(&[false, true, true], univariate, shape).with_neighbours(3, reach);
            check_bijector(&Patched::new(coupling, 3), 63);
        }
    }
}
