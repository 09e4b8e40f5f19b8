//! A causal linear layer: subtracts from every sample what the p samples before it predict, and whitens the
//! rest.
//!
//! ```text
//! z_t = Σ_{j ≤ min(t, p)} W_j (x_{t−j} − m)
//! ```
//!
//! The matrices W_j are the same for all t ≥ p, and W_0 is lower triangular with diagonal eˢ. The first p
//! samples have matrices of their own. If some samples are given, they stay as they are, and the density is
//! that of the others.
//!
//! If the layer starts from a vector autoregression, its output consists of the innovations of that model,
//! and the other layers of the flow describe what linear prediction leaves.
//!
//! The parameters are one lower triangular matrix A of (p + 1)·C coordinates, time-major. Its row block t
//! serves sample t < p, and its last row block serves all samples from p on. The rows of a batch are in the
//! channel-major layout, where "the same coefficient for all t ≥ p" is one contiguous range.

use std::ops::Range;

use ndarray::{ArrayView1, ArrayView2};

use crate::flow::bijector::{Bijector, ParameterSpec, Tape, split, split_mut};
use crate::flow::error::FlowError;
use crate::flow::lanes::{dot, sum};
use crate::num::real::Real;
use crate::num::simd::vectorized;
use crate::random::StreamRng;

/// The causal linear layer. It starts as the identity.
#[derive(Debug, Clone)]
pub struct Causal {
    length: usize,
    channels: usize,
    order: usize,
    /// Number of samples at the start that are given.
    past: usize,
}

/// A row of the triangular matrix, and the rows of the batch that it computes.
struct Line {
    /// Index of the row in the matrix.
    a: usize,
    /// The rows of the batch that it computes.
    made: Range<usize>,
}

impl Causal {
    /// A layer for windows of `length` samples with `channels` channels. Each sample depends on the `order`
    /// samples before it; `order` is limited to `length` − 1.
    pub fn new(length: usize, channels: usize, order: usize) -> Self {
        Self { length, channels, order: order.min(length - 1), past: 0 }
    }

    /// Leaves the first `past` samples as they are. The density is then that of the other samples, given
    /// these.
    #[must_use]
    pub fn given(self, past: usize) -> Self {
        Self { past, ..self }
    }

    fn width(&self) -> usize {
        (self.order + 1) * self.channels
    }

    /// Index of the first row of the matrix that computes anything. The rows for given samples compute
    /// nothing, and they are not stored.
    fn first(&self) -> usize {
        self.past.min(self.order) * self.channels
    }

    /// Offset of row `a` of the matrix among its stored elements below the diagonal.
    fn begin(&self, a: usize) -> usize {
        let below = |a: usize| a * a.saturating_sub(1) / 2;
        below(a) - below(self.first())
    }

    fn lengths(&self) -> [usize; 3] {
        let w = self.width();
        [self.begin(w), w - self.first(), w]
    }

    fn lines(&self) -> impl Iterator<Item = Line> + '_ {
        (self.first()..self.width()).map(|a| {
            let (t, c) = (a / self.channels, a % self.channels);
            let times = if t < self.order { t..t + 1 } else { t.max(self.past)..self.length };
            Line { a, made: c * self.length + times.start..c * self.length + times.end }
        })
    }

    /// The first row of the batch that enters `line` through column `b` of the matrix.
    fn source(&self, line: &Line, b: usize) -> usize {
        let late = line.made.start % self.length - line.a / self.channels;
        (b % self.channels) * self.length + b / self.channels + late
    }

    /// Sets the layer to z = A(x − m) of a vector autoregression.
    ///
    /// # Shapes
    /// `mean: ((p+1)·C,)`; `whiten: ((p+1)·C, (p+1)·C)`, lower triangular with positive diagonal
    ///
    /// # Errors
    /// [`FlowError::FeatureCount`] if they have another size.
    pub(in crate::flow) fn set<T: Real>(
        &self,
        parameters: &mut [T],
        mean: ArrayView1<'_, f64>,
        whiten: ArrayView2<'_, f64>,
    ) -> Result<(), FlowError> {
        let w = self.width();
        if mean.len() != w || whiten.dim() != (w, w) {
            return Err(FlowError::FeatureCount { expected: w, found: mean.len() });
        }
        let [lower, log_diagonal, location] = split_mut(parameters, self.lengths());
        for a in self.first()..w {
            for b in 0..a {
                lower[self.begin(a) + b] = T::from_f64(whiten[(a, b)]);
            }
            log_diagonal[a - self.first()] = T::from_f64(whiten[(a, a)].ln());
        }
        for (to, m) in location.iter_mut().zip(mean) {
            *to = T::from_f64(*m);
        }
        Ok(())
    }
}

/// Computes y += k·x.
fn add<T: Real>(y: &mut [T], x: &[T], k: T) {
    vectorized!(_F => for (y, &x) in y.iter_mut().zip(x) {
        *y += k * x;
    });
}

impl<T: Real> Bijector<T> for Causal {
    fn n_features(&self) -> usize {
        self.length * self.channels
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        let names = ["lower", "log_diagonal", "location"];
        names.into_iter().zip(self.lengths()).map(|(name, n)| ParameterSpec::new(name, &[n])).collect()
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
        let [lower, log_diagonal, location] = split(parameters, self.lengths());
        let [seen] = tape.slots([x.len()]);
        seen.copy_from_slice(x);
        let mut total = T::zero();
        for line in self.lines() {
            let Line { a, made } = &line;
            let (a, count) = (*a, made.len());
            let row = &lower[self.begin(a)..][..a];
            let log_scale = log_diagonal[a - self.first()];
            let scale = log_scale.exp();
            total += log_scale * T::from_f64(count as f64);
            let offset: T = row.iter().zip(location).map(|(&k, &m)| k * m).sum();
            let offset = offset + scale * location[a];
            let z = &mut x[made.start * n..made.end * n];
            for v in z.iter_mut() {
                *v = *v * scale - offset;
            }
            for (b, &k) in row.iter().enumerate() {
                let from = self.source(&line, b);
                add(z, &seen[from * n..(from + count) * n], k);
            }
        }
        for l in ladj.iter_mut() {
            *l += total;
        }
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], _tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / (self.length * self.channels);
        let [lower, log_diagonal, location] = split(parameters, self.lengths());
        let mut known = vec![T::zero(); n];
        for t in self.past..self.length {
            for c in 0..self.channels {
                let a = t.min(self.order) * self.channels + c;
                let row = &lower[self.begin(a)..][..a];
                let made = c * self.length + t;
                let line = Line { a, made: made..made + 1 };
                known.fill(T::zero());
                for (b, &k) in row.iter().enumerate() {
                    let from = self.source(&line, b);
                    add(&mut known, &z[from * n..(from + 1) * n], k);
                }
                let offset: T = row.iter().zip(location).map(|(&k, &m)| k * m).sum();
                let back = (-log_diagonal[a - self.first()]).exp();
                for (v, &k) in z[made * n..(made + 1) * n].iter_mut().zip(&known) {
                    *v = (*v - k + offset) * back + location[a];
                }
            }
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
        let [lower, log_diagonal, location] = split(parameters, self.lengths());
        let [d_lower, d_log_diagonal, d_location] = split_mut(parameter_gradient, self.lengths());
        let size = self.length * self.channels * n;
        let [seen, d_z] = tape.slots([size, size]);
        d_z.copy_from_slice(gradient);
        let ladj_total = sum(ladj_gradient);
        for line in self.lines() {
            let Line { a, made } = &line;
            let (a, count) = (*a, made.len());
            let at = self.begin(a);
            let scale = log_diagonal[a - self.first()].exp();
            let rows = made.start * n..made.end * n;
            let d = &d_z[rows.clone()];
            let total = sum(d);
            for (g, &d) in gradient[rows.clone()].iter_mut().zip(d) {
                // The row already holds ∂L/∂z, plus what other lines have added there.
                *g += (scale - T::one()) * d;
            }
            let through = dot(d, &seen[rows]) - location[a] * total;
            d_log_diagonal[a - self.first()] += scale * through + ladj_total * T::from_f64(count as f64);
            d_location[a] -= scale * total;
            for b in 0..a {
                let from = self.source(&line, b);
                let source = from * n..(from + count) * n;
                let k = lower[at + b];
                d_lower[at + b] += dot(d, &seen[source.clone()]) - location[b] * total;
                d_location[b] -= k * total;
                add(&mut gradient[source], d, k);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::gradcheck::check_bijector;
    use ndarray::{Array1, Array2};

    #[test]
    fn the_layer_is_a_bijector() {
        for (length, channels, order) in [(1, 1, 0), (5, 1, 2), (4, 2, 1), (3, 2, 2), (4, 3, 0)] {
            check_bijector(&Causal::new(length, channels, order), 71);
        }
        // The cases are: fewer given samples than the layer looks back on, as many, and more.
        for (past, parameters) in [(1, 14 + 4 + 6), (2, 9 + 2 + 6), (3, 9 + 2 + 6)] {
            let layer = Causal::new(5, 2, 2).given(past);
            check_bijector(&layer, 72);
            assert_eq!(Bijector::<f64>::n_parameters(&layer), parameters);
        }
    }

    #[test]
    fn a_sample_depends_on_itself_and_its_past_alone() {
        let (length, channels) = (6, 2);
        let layer = Causal::new(length, channels, 2);
        let w = 6;
        let mean = Array1::from_shape_fn(w, |i| 0.1 * i as f64);
        let whiten = Array2::from_shape_fn((w, w), |(i, j)| match i.cmp(&j) {
            std::cmp::Ordering::Greater => 0.3 + 0.1 * (i * w + j) as f64,
            std::cmp::Ordering::Equal => 1.5,
            std::cmp::Ordering::Less => 0.0,
        });
        let mut parameters = vec![0.0; Bijector::<f64>::n_parameters(&layer)];
        layer.set(&mut parameters, mean.view(), whiten.view()).unwrap();
        let z = |x: &[f64]| {
            let mut z = x.to_vec();
            layer.forward(&parameters, &mut z, &mut [0.0], &mut Tape::default(), None);
            z
        };
        // The layout is channel-major: row c·T + t.
        let x: Vec<f64> = (0..12).map(|i| f64::from(i).sin()).collect();
        let before = z(&x);
        let mut moved = x.clone();
        moved[3] += 1.0;
        let after = z(&moved);
        let changed: Vec<usize> = (0..12).filter(|&i| (before[i] - after[i]).abs() > 1e-9).collect();
        assert_eq!(changed, [3, 4, 5, 9, 10, 11]);
        // The last row block, at t = 4, computes A(x − m) over the samples 2, 3 and 4.
        let past: Array1<f64> = (0..w).map(|b| x[(b % 2) * 6 + 2 + b / 2] - mean[b]).collect();
        let want = whiten.dot(&past);
        assert!((before[4] - want[4]).abs() < 1e-12 && (before[10] - want[5]).abs() < 1e-12);
    }
}
