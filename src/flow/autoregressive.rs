//! Autoregressive layer: the one-dimensional map of each coordinate has parameters that depend on the
//! coordinates before it.
//!
//! ```text
//! z_i = f(x_i; network(x_1 … x_{i−1}))        ladj = Σ_i log f′(x_i)
//! ```
//!
//! One masked network computes the parameters of all coordinates at once. The masks are zeros in its weight
//! matrices. Every unit has a degree: a unit of degree m reads only inputs and units of degree ≤ m, and the
//! parameters of coordinate i read only units of degree < i. Hidden units are sorted by degree, so that the
//! zeros of a matrix row are one contiguous run.
//!
//! The layer does twice the work of a coupling and transforms twice as many coordinates. Only the inverse has
//! to go coordinate by coordinate.
//!
//! # References
//! Germain et al. (2015), MADE, arXiv:1502.03509; Papamakarios et al. (2017), Masked autoregressive flow,
//! arXiv:1705.07057; Durkan et al. (2019), Neural spline flows, arXiv:1906.04032.

use std::ops::Range;

use super::bijector::{Bijector, ParameterSpec, Tape};
use super::error::FlowError;
use super::mlp::{Mlp, MlpTape, NetworkShape};
use super::pen::Pen;
use super::univariate::Univariate;
use crate::num::real::Real;
use crate::onnx::{Inexpressible, Linear};
use crate::random::StreamRng;

/// An autoregressive layer with a masked residual network. It starts as the identity.
#[derive(Debug, Clone)]
pub struct Autoregressive {
    network: Mlp,
    univariate: Univariate,
    /// The coordinates, from the first to the last in the order of the layer.
    order: Vec<usize>,
}

impl Autoregressive {
    /// A layer over d coordinates in their own order, or in the reverse order if `reversed`.
    pub fn new(d: usize, reversed: bool, univariate: Univariate, shape: NetworkShape) -> Self {
        Self::given(d, 0, reversed, univariate, shape)
    }

    /// The same layer as [`new`](Self::new) makes, conditioned on a context as well: every coordinate also
    /// depends on `n_context` rows that follow the coordinates. The layer does not change these rows.
    pub fn given(
        d: usize,
        n_context: usize,
        reversed: bool,
        univariate: Univariate,
        shape: NetworkShape,
    ) -> Self {
        let mut network = Mlp::new(d + n_context, d * univariate.n_raw(), shape);
        let order: Vec<usize> = if reversed { (0..d).rev().collect() } else { (0..d).collect() };
        // The context has degree 0: it comes before every coordinate.
        let mut degree = vec![0; d + n_context];
        for (place, &i) in order.iter().enumerate() {
            degree[i] = place + 1;
        }
        // The hidden units have the degrees 1 … d − 1, distributed as evenly as possible. With a context
        // there are also units of degree 0, because the parameters of the first coordinate may read only
        // those.
        let lowest = usize::from(n_context == 0);
        let levels = d.saturating_sub(lowest).max(1);
        let hidden: Vec<usize> = (0..shape.hidden).map(|k| lowest + k * levels / shape.hidden).collect();
        network.zeros = masked(&network, &degree, &hidden, univariate.n_raw());
        Self { network, univariate, order }
    }

    fn buffers<'a, T: Real>(&self, tape: &'a mut Tape<T>, n: usize) -> Buffers<'a, T> {
        let [a, b, c, d, e, f] = self.network.tape_lengths(n);
        let (raw, x) = (self.network.outputs * n, self.network.inputs * n);
        let [a, b, c, d, e, f, raw, d_raw, input, d_input] = tape.slots([a, b, c, d, e, f, raw, raw, x, x]);
        Buffers { network: MlpTape::new([a, b, c, d, e, f]), raw, d_raw, input, d_input }
    }
}

/// Ranges of the parameters that the masks set to zero. `degree` holds the degrees of the inputs, `hidden`
/// those of the hidden units.
fn masked(network: &Mlp, degree: &[usize], hidden: &[usize], n_raw: usize) -> Vec<Range<usize>> {
    let reads_input = |row: usize, column: usize| hidden[row] >= degree[column];
    let reads_hidden = |row: usize, column: usize| hidden[row] >= hidden[column];
    let gives = |row: usize, column: usize| degree[row / n_raw] > hidden[column];
    let (specs, last) = (network.specs(), network.shape.n_hidden_layers);
    let mut zeros: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    for (i, spec) in specs.iter().enumerate() {
        // Weights and biases alternate. Biases are never masked, since they depend on nothing.
        if let (0, &[rows, columns]) = (i % 2, spec.shape.as_slice()) {
            for (row, column) in (0..rows).flat_map(|r| (0..columns).map(move |c| (r, c))) {
                let allowed = match i / 2 {
                    0 => reads_input(row, column),
                    layer if layer == last => gives(row, column),
                    _ => reads_hidden(row, column),
                };
                let index = at + row * columns + column;
                match zeros.last_mut().filter(|z| z.end == index) {
                    _ if allowed => {}
                    Some(run) => run.end += 1,
                    None => zeros.push(index..index + 1),
                }
            }
        }
        at += spec.len();
    }
    zeros
}

struct Buffers<'a, T> {
    network: MlpTape<'a, T>,
    /// The output of the network; afterwards, the values that the univariate maps have replaced it with.
    raw: &'a mut [T],
    d_raw: &'a mut [T],
    /// The values of x before the layer.
    input: &'a mut [T],
    d_input: &'a mut [T],
}

impl<T: Real> Bijector<T> for Autoregressive {
    fn n_features(&self) -> usize {
        self.network.inputs
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
        b.input.copy_from_slice(x);
        self.network.forward(parameters, b.input, b.raw, n, &mut b.network, dropout);
        let n_raw = self.univariate.n_raw();
        for i in 0..self.order.len() {
            let raw = &mut b.raw[i * n_raw * n..(i + 1) * n_raw * n];
            self.univariate.forward(raw, &mut x[i * n..(i + 1) * n], ladj);
        }
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        let d = self.order.len();
        if self.network.inputs != d {
            return Err(Inexpressible("an autoregressive layer with a context".into()));
        }
        let own: Vec<usize> = (0..d).collect();
        let [first, last] = self.network.outer(parameters);
        let parts = pen.read(&[Linear::ordering(&own), first]);
        let last = self.univariate.arranged(&last, d);
        let raw = self.network.write(parameters, pen.graph, &parts[1], &last);
        let [z, log_det] = self.univariate.write(pen.graph, &raw, &parts[0], d);
        pen.replace(z, &own, log_det);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / self.network.inputs;
        let mut b = self.buffers(tape, n);
        let n_raw = self.univariate.n_raw();
        // Coordinates that are not known yet hold arbitrary values, but the masks keep the earlier
        // coordinates from reading them.
        for &i in &self.order {
            self.network.forward(parameters, z, b.raw, n, &mut b.network, None);
            let raw = &mut b.raw[i * n_raw * n..(i + 1) * n_raw * n];
            self.univariate.inverse(raw, &mut z[i * n..(i + 1) * n]);
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
        let mut b = self.buffers(tape, n);
        let n_raw = self.univariate.n_raw();
        for i in 0..self.order.len() {
            let (raw, row) = (i * n_raw * n..(i + 1) * n_raw * n, i * n..(i + 1) * n);
            self.univariate.backward(
                &b.raw[raw.clone()],
                &b.input[row.clone()],
                &mut gradient[row],
                ladj_gradient,
                &mut b.d_raw[raw],
            );
        }
        let d_input = Some(&mut *b.d_input);
        self.network.backward(parameters, b.input, b.d_raw, d_input, n, &mut b.network, parameter_gradient);
        for (to, &from) in gradient.iter_mut().zip(&*b.d_input) {
            *to += from;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;
    use crate::flow::mlp::Activation;
    use crate::flow::spline::Spline;
    use crate::random::Seed;

    fn shape(n_hidden_layers: usize) -> NetworkShape {
        NetworkShape { hidden: 7, n_hidden_layers, activation: Activation::Silu, dropout: 0.5 }
    }

    #[test]
    fn affine_and_spline_layers_are_bijectors() {
        let affine = Univariate::Affine { log_scale_bound: 2.0 };
        let spline = Univariate::Spline(Spline::new(4, 3.0));
        for d in [1, 2, 3, 5] {
            check_bijector(&Autoregressive::new(d, false, affine, shape(1)), 61);
            check_bijector(&Autoregressive::new(d, true, spline, shape(2)), 62);
        }
    }

    #[test]
    fn every_coordinate_depends_on_the_context() {
        for (d, reversed) in [(1, false), (3, true)] {
            let layer =
                Autoregressive::given(d, 2, reversed, Univariate::Affine { log_scale_bound: 2.0 }, shape(2));
            check_bijector(&layer, 63);
            let mut rng = Seed(3).stream("masks", 0);
            let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut rng);
            for p in &mut parameters {
                *p += 0.5 * crate::flow::draw::standard_normal(&mut rng);
            }
            let forward = |context: f64| {
                let mut z = vec![0.4; d + 2];
                z[d + 1] = context;
                layer.forward(&parameters, &mut z, &mut [0.0], &mut Tape::default(), None);
                z
            };
            let (a, b) = (forward(0.1), forward(0.9));
            assert!((0..d).all(|i| a[i] != b[i]), "{a:?} {b:?}");
            assert_eq!((a[d], b[d + 1]), (0.4, 0.9));
        }
    }

    /// The Jacobian must be triangular in the order of the layer, and every coordinate must depend on all
    /// that it may read.
    #[test]
    fn each_coordinate_depends_on_those_before_it_and_on_no_other() {
        for reversed in [false, true] {
            let layer =
                Autoregressive::new(4, reversed, Univariate::Affine { log_scale_bound: 2.0 }, shape(3));
            let mut rng = Seed(3).stream("masks", 0);
            let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut rng);
            for p in &mut parameters {
                *p += 0.5 * crate::flow::draw::standard_normal(&mut rng);
            }
            let forward = |x: [f64; 4]| {
                let mut z = x.to_vec();
                layer.forward(&parameters, &mut z, &mut [0.0], &mut Tape::default(), None);
                z
            };
            let at = [0.3, -0.7, 1.1, 0.2];
            let z = forward(at);
            for j in 0..4 {
                let mut moved = at;
                moved[j] += 0.5;
                for (i, (a, b)) in forward(moved).iter().zip(&z).enumerate() {
                    let depends = if reversed { j >= i } else { j <= i };
                    assert_eq!(a != b, depends, "z[{i}] on x[{j}], reversed: {reversed}");
                }
            }
        }
    }
}
