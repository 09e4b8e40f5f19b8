//! Coupling layer. Some coordinates pass unchanged and are the input of a network. For each of the other
//! coordinates, the network computes the parameters of a one-dimensional monotone map.
//!
//! ```text
//! z_c = x_c        z_t = f(x_t; network(x_c))        ladj = Σ_t log f′(x_t)
//! ```
//!
//! # References
//! Dinh et al. (2017), RealNVP, arXiv:1605.08803; Durkan et al. (2019), Neural spline flows,
//! arXiv:1906.04032.

use super::bijector::{Bijector, ParameterSpec, Tape};
use super::error::FlowError;
use super::lanes::{gather, scatter};
use super::mlp::{Mlp, MlpTape, NetworkShape};
use super::neighbours::Neighbours;
use super::pen::Pen;
use super::univariate::Univariate;
use crate::num::real::Real;
use crate::onnx::{Inexpressible, Linear, Value};
use crate::random::StreamRng;

/// A coupling layer with a residual network. It starts as the identity.
#[derive(Debug, Clone)]
pub struct Coupling {
    conditioning: Vec<usize>,
    transformed: Vec<usize>,
    network: Mlp,
    univariate: Univariate,
    /// The places whose conditioning coordinates the network reads.
    sees: Neighbours,
    /// The places whose outputs of the network are added up to the raw parameters of a place.
    sums: Neighbours,
}

impl Coupling {
    /// Transforms coordinate i if `transforms[i]`, conditioned on the other coordinates. If no coordinate is
    /// marked, all of them are transformed, since the layer would otherwise do nothing; this happens with a
    /// single coordinate.
    pub fn new(transforms: &[bool], univariate: Univariate, shape: NetworkShape) -> Self {
        let side =
            |wanted: bool| (0..transforms.len()).filter(|&i| transforms[i] == wanted).collect::<Vec<_>>();
        let (mut conditioning, mut transformed) = (side(false), side(true));
        if transformed.is_empty() {
            std::mem::swap(&mut conditioning, &mut transformed);
        }
        let network = Mlp::new(conditioning.len(), transformed.len() * univariate.n_raw(), shape);
        let (sees, sums) = (Neighbours::NONE, Neighbours::NONE);
        Self { conditioning, transformed, network, univariate, sees, sums }
    }

    /// Adds `n_context` rows, which follow the coordinates, to the input of the network. The layer does not
    /// change these rows.
    #[must_use]
    pub fn with_context(mut self, n_context: usize) -> Self {
        let d = self.conditioning.len() + self.transformed.len();
        self.conditioning.extend(d..d + n_context);
        self.network.inputs = self.conditioning.len();
        self
    }

    /// Adds the conditioning coordinates of `reach` patches on either side to the input of the network. The
    /// columns of a batch must then be those of `count` patches, one after the other. Beyond the ends of the
    /// window the network sees zeros.
    #[must_use]
    pub fn with_neighbours(mut self, count: usize, reach: usize) -> Self {
        self.sees = Neighbours::line(count, reach);
        self.network.inputs = self.conditioning.len() * self.sees.count();
        self
    }

    /// Makes the first and the last layer of the network convolutions over 3 × 3 pixels; those between them
    /// are convolutions over single pixels. The columns of a batch must then be those of the pixels of
    /// pictures of `height` rows and `width` columns, row after row. Around a picture there are zeros.
    #[must_use]
    pub fn with_convolutions(mut self, height: usize, width: usize) -> Self {
        self.sees = Neighbours::square(height, width, 1);
        self.sums = self.sees;
        self.network.inputs = self.conditioning.len() * self.sees.count();
        self.network.outputs = self.n_raw() * self.sums.count();
        self
    }

    /// Number of raw parameters of a place.
    fn n_raw(&self) -> usize {
        self.transformed.len() * self.univariate.n_raw()
    }

    /// Computes the raw parameters of the maps of all transformed coordinates.
    fn read_network<T: Real>(
        &self,
        parameters: &[T],
        x: &[T],
        n: usize,
        b: &mut Buffers<'_, T>,
        dropout: Option<&mut StreamRng>,
    ) {
        self.sees.gather(x, n, &self.conditioning, b.input);
        if self.sums.is_none() {
            self.network.forward(parameters, b.input, b.raw, n, &mut b.network, dropout);
        } else {
            self.network.forward(parameters, b.input, b.wide, n, &mut b.network, dropout);
            self.sums.gather_sums(b.wide, n, b.raw);
        }
    }

    /// Borrows the buffers of the tape for a batch of `n` columns.
    fn buffers<'a, T: Real>(&self, tape: &'a mut Tape<T>, n: usize) -> Buffers<'a, T> {
        let [a, b, c, d, e, f] = self.network.tape_lengths(n);
        let raw = self.n_raw() * n;
        let wide = if self.sums.is_none() { 0 } else { self.network.outputs * n };
        let (t, i) = (self.transformed.len() * n, self.network.inputs * n);
        let [a, b, c, d, e, f, raw, d_raw, wide, input, x, work, d_input] =
            tape.slots([a, b, c, d, e, f, raw, raw, wide, i, t, t, i]);
        Buffers { network: MlpTape::new([a, b, c, d, e, f]), raw, d_raw, wide, input, x, work, d_input }
    }
}

struct Buffers<'a, T> {
    network: MlpTape<'a, T>,
    /// The raw parameters of the univariate maps; afterwards, the values that the maps have replaced them
    /// with.
    raw: &'a mut [T],
    d_raw: &'a mut [T],
    /// The outputs of the network, which are added up over neighbours, and in the backward pass their
    /// gradients. Empty where the outputs are the raw parameters.
    wide: &'a mut [T],
    /// The conditioning coordinates x_c, as the network reads them.
    input: &'a mut [T],
    /// The transformed coordinates x_t before the map.
    x: &'a mut [T],
    /// The transformed coordinates, which the univariate maps change in place; in the backward pass, their
    /// gradients.
    work: &'a mut [T],
    d_input: &'a mut [T],
}

impl<T: Real> Bijector<T> for Coupling {
    fn n_features(&self) -> usize {
        self.conditioning.len() + self.transformed.len()
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        self.network.specs()
    }

    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng) {
        self.network.reset(parameters, rng);
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
        let mut b = self.buffers(tape, n);
        self.read_network(parameters, x, n, &mut b, dropout);
        gather(x, n, &self.transformed, b.x);
        b.work.copy_from_slice(b.x);
        let n_raw = self.univariate.n_raw();
        for j in 0..self.transformed.len() {
            let raw = &mut b.raw[j * n_raw * n..(j + 1) * n_raw * n];
            self.univariate.forward(raw, &mut b.work[j * n..(j + 1) * n], ladj);
        }
        scatter(b.work, n, &self.transformed, x);
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        if !(self.sees.is_none() && self.sums.is_none()) {
            return Err(Inexpressible(
                "a coupling of the patches of a window, or of the pixels of a picture".into(),
            ));
        }
        let (all, n) = (
            Linear::ordering(&(0..Bijector::<T>::n_features(self)).collect::<Vec<usize>>()),
            self.transformed.len(),
        );
        let (given, moved) = (all.rows(&self.conditioning), all.rows(&self.transformed));
        let [first, last] = self.network.outer(parameters);
        let first = given.then(&first);
        let parts = match self.conditioning.len() {
            0 => pen.read(&[moved, first]),
            _ => pen.read(&[moved, first, given]),
        };
        let last = self.univariate.arranged(&last, n);
        let raw = self.network.write(parameters, pen.graph, &parts[1], &last);
        let [z, log_det] = self.univariate.write(pen.graph, &raw, &parts[0], n);
        let state: Vec<Value> = std::iter::once(z).chain(parts.into_iter().skip(2)).collect();
        let state = pen.graph.concat(&state, 1);
        let mut order = vec![0; Bijector::<T>::n_features(self)];
        self.transformed.iter().chain(&self.conditioning).enumerate().for_each(|(at, &i)| order[i] = at);
        pen.replace(state, &order, log_det);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / Bijector::<T>::n_features(self);
        let mut b = self.buffers(tape, n);
        self.read_network(parameters, z, n, &mut b, None);
        gather(z, n, &self.transformed, b.work);
        let n_raw = self.univariate.n_raw();
        for j in 0..self.transformed.len() {
            let raw = &mut b.raw[j * n_raw * n..(j + 1) * n_raw * n];
            self.univariate.inverse(raw, &mut b.work[j * n..(j + 1) * n]);
        }
        scatter(b.work, n, &self.transformed, z);
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
        let mut b = self.buffers(tape, n);
        gather(gradient, n, &self.transformed, b.work);
        let n_raw = self.univariate.n_raw();
        for j in 0..self.transformed.len() {
            let raw = j * n_raw * n..(j + 1) * n_raw * n;
            let row = j * n..(j + 1) * n;
            self.univariate.backward(
                &b.raw[raw.clone()],
                &b.x[row.clone()],
                &mut b.work[row],
                ladj_gradient,
                &mut b.d_raw[raw],
            );
        }
        scatter(b.work, n, &self.transformed, gradient);
        let d_output = if self.sums.is_none() {
            &*b.d_raw
        } else {
            self.sums.scatter_sums(b.d_raw, n, b.wide);
            &*b.wide
        };
        let d_input = Some(&mut *b.d_input);
        self.network.backward(parameters, b.input, d_output, d_input, n, &mut b.network, parameter_gradient);
        self.sees.scatter_add(b.d_input, n, &self.conditioning, gradient);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;
    use crate::flow::mlp::Activation;
    use crate::flow::spline::Spline;
    use crate::random::Seed;

    fn shape(n_hidden_layers: usize, activation: Activation) -> NetworkShape {
        NetworkShape { hidden: 6, n_hidden_layers, activation, dropout: 0.5 }
    }

    #[test]
    fn affine_and_spline_couplings_are_bijectors() {
        let masks: [&[bool]; 4] =
            [&[true], &[false, true], &[true, false, true], &[false, true, false, false, true]];
        let affine = Univariate::Affine { log_scale_bound: 2.0 };
        let spline = |bins| Univariate::Spline(Spline::new(bins, 3.0));
        for mask in masks {
            check_bijector(&Coupling::new(mask, affine, shape(1, Activation::Silu)), 31);
            check_bijector(&Coupling::new(mask, affine, shape(3, Activation::Relu)), 32);
            check_bijector(&Coupling::new(mask, spline(1), shape(1, Activation::Silu)), 33);
            check_bijector(&Coupling::new(mask, spline(5), shape(2, Activation::Silu)), 34);
        }
    }

    #[test]
    fn couplings_with_context_are_bijectors_that_leave_it_alone() {
        for mask in [&[true][..], &[false], &[true, false, true]] {
            let layer =
                Coupling::new(mask, Univariate::Spline(Spline::new(4, 3.0)), shape(2, Activation::Silu))
                    .with_context(2);
            assert_eq!(Bijector::<f64>::n_features(&layer), mask.len() + 2);
            check_bijector(&layer, 35);
            let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut Seed(4).stream("init", 0));
            parameters.iter_mut().enumerate().for_each(|(i, p)| *p += (i as f64).sin() / 4.0);
            let x: Vec<f64> = (0..mask.len() + 2).map(|i| 0.3 * i as f64 - 0.5).collect();
            let forward = |x: &[f64]| {
                let mut z = x.to_vec();
                layer.forward(&parameters, &mut z, &mut [0.0], &mut Tape::default(), None);
                z
            };
            let z = forward(&x);
            assert_eq!(z[mask.len()..], x[mask.len()..]);
            let mut moved = x.clone();
            moved[mask.len() + 1] += 0.5;
            assert_ne!(forward(&moved)[..mask.len()], z[..mask.len()], "the context is not read");
        }
    }

    #[test]
    fn a_fresh_coupling_is_the_identity() {
        for univariate in
            [Univariate::Affine { log_scale_bound: 2.0 }, Univariate::Spline(Spline::new(8, 4.0))]
        {
            let layer = Coupling::new(&[false, true, true], univariate, shape(2, Activation::Silu));
            let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut Seed(2).stream("init", 0));
            let x: Vec<f64> = (0..60).map(|i| f64::from(i) / 5.0 - 6.0).collect();
            let (mut z, mut ladj) = (x.clone(), vec![0.0; 20]);
            layer.forward(&parameters, &mut z, &mut ladj, &mut Tape::default(), None);
            assert!(z.iter().zip(&x).all(|(z, x)| (z - x).abs() < 1e-14));
            assert!(ladj.iter().all(|l| l.abs() < 1e-14));
        }
    }
}
