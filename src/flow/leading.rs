//! A layer over the first coordinates that leaves the others unchanged. The others are the context of a
//! conditional flow, or samples of a window that are factored out.

use super::bijector::{Bijector, ParameterSpec, Tape};
use super::error::FlowError;
use crate::num::real::Real;
use crate::random::StreamRng;

/// Applies a layer to the first coordinates of each column. The `behind` rows after them pass unchanged.
#[derive(Debug, Clone)]
pub(super) struct Leading<B> {
    inner: B,
    behind: usize,
}

impl<B> Leading<B> {
    /// Applies `inner` to the first coordinates, followed by `behind` further rows.
    pub(super) fn new(inner: B, behind: usize) -> Self {
        Self { inner, behind }
    }

    /// Length of the part of a batch that the inner layer transforms, for a batch of `length` numbers.
    fn own<T: Real>(&self, length: usize) -> usize
    where
        B: Bijector<T>,
    {
        let d = self.inner.n_features();
        length / (d + self.behind) * d
    }
}

impl<T: Real, B: Bijector<T>> Bijector<T> for Leading<B> {
    fn n_features(&self) -> usize {
        self.inner.n_features() + self.behind
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        self.inner.specs()
    }

    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng) {
        self.inner.reset(parameters, rng);
    }

    fn initialize(&self, parameters: &mut [T], x: &[T]) {
        self.inner.initialize(parameters, &x[..self.own(x.len())]);
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        dropout: Option<&mut StreamRng>,
    ) {
        let own = self.own(x.len());
        self.inner.forward(parameters, &mut x[..own], ladj, tape, dropout);
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let own = self.own(z.len());
        self.inner.inverse(parameters, &mut z[..own], tape)
    }

    fn backward(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    ) {
        let own = self.own(gradient.len());
        self.inner.backward(parameters, tape, &mut gradient[..own], ladj_gradient, parameter_gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::actnorm::ActNorm;
    use crate::flow::butterfly::{ButterflyLayer, Parametrisation};
    use crate::flow::gradcheck::check_bijector;

    #[test]
    fn layers_before_a_context_are_bijectors() {
        check_bijector(&Leading::new(ActNorm::new(3), 2), 71);
        check_bijector(&Leading::new(ButterflyLayer::benes(5, Parametrisation::default()), 1), 72);
    }
}
