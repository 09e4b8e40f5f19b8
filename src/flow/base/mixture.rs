//! The parameters of a mixture base: their layout in the parameter slice, and what is computed from one
//! component.

use ndarray::{Array1, Array2, Array3, Axis};

use crate::flow::bijector::split;
use crate::num::gemm::{Matrix, multiply};
use crate::num::real::Real;
use crate::num::triangular::invert_lower;

/// Dimension d, number of components k, and length of the strict lower triangle (0 if covariances are
/// diagonal).
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    pub(super) d: usize,
    pub(super) k: usize,
    pub(super) strict: usize,
}

impl Shape {
    pub(super) fn lengths(self) -> [usize; 4] {
        [self.k, self.k * self.d, self.k * self.d, self.k * self.strict]
    }
}

/// Named views of the parameters of a mixture.
pub(super) struct Mixture<'a, T> {
    shape: Shape,
    pub(super) logit: &'a [T],
    pub(super) mean: &'a [T],
    pub(super) log_diagonal: &'a [T],
    lower: &'a [T],
}

impl<'a, T: Real> Mixture<'a, T> {
    pub(super) fn new(shape: Shape, parameters: &'a [T]) -> Self {
        let [logit, mean, log_diagonal, lower] = split(parameters, shape.lengths());
        Self { shape, logit, mean, log_diagonal, lower }
    }

    /// Writes the matrix A of component c as a dense matrix.
    pub(super) fn unpack(&self, c: usize, matrix: &mut [T]) {
        let Shape { d, strict, .. } = self.shape;
        matrix.fill(T::zero());
        let mut at = c * strict;
        for i in 0..d {
            if strict > 0 {
                matrix[i * d..i * d + i].copy_from_slice(&self.lower[at..at + i]);
                at += i;
            }
            matrix[i * d + i] = self.log_diagonal[c * d + i].exp();
        }
    }

    /// Computes residual = z − μ.
    pub(super) fn subtract_mean(&self, c: usize, z: &[T], n: usize, residual: &mut [T]) {
        let d = self.shape.d;
        let rows = residual.chunks_exact_mut(n).zip(z.chunks_exact(n));
        for ((to, from), &m) in rows.zip(&self.mean[c * d..(c + 1) * d]) {
            to.iter_mut().zip(from).for_each(|(t, &f)| *t = f - m);
        }
    }

    /// Computes u = A(z − μ).
    pub(super) fn whiten(
        &self,
        c: usize,
        z: &[T],
        n: usize,
        matrix: &mut [T],
        residual: &mut [T],
        u: &mut [T],
    ) {
        let d = self.shape.d;
        self.subtract_mean(c, z, n, residual);
        if self.shape.strict > 0 {
            self.unpack(c, matrix);
            multiply(Matrix::new(matrix, d, d), Matrix::new(residual, d, n), T::zero(), u);
        } else {
            for ((to, from), &l) in
                u.chunks_exact_mut(n).zip(residual.chunks_exact(n)).zip(&self.log_diagonal[c * d..])
            {
                let a = l.exp();
                to.iter_mut().zip(from).for_each(|(t, &f)| *t = a * f);
            }
        }
    }

    /// The weights, means and covariances that the parameters stand for.
    ///
    /// # Shapes
    /// → `(k,)`, `(k, d)`, `(k, d, d)`
    pub(super) fn moments(&self) -> (Array1<f64>, Array2<f64>, Array3<f64>) {
        let Shape { d, k, .. } = self.shape;
        let log_total = log_normaliser(self.logit).into_f64();
        let weights = self.logit.iter().map(|l| (l.into_f64() - log_total).exp()).collect();
        let means = Array2::from_shape_fn((k, d), |(c, i)| self.mean[c * d + i].into_f64());
        let mut covariances = Array3::zeros((k, d, d));
        let mut matrix = vec![T::zero(); d * d];
        for c in 0..k {
            self.unpack(c, &mut matrix);
            let a = Array2::from_shape_fn((d, d), |(i, j)| matrix[i * d + j].into_f64());
            // The precision is AᵀA, so the covariance is A⁻¹A⁻ᵀ.
            let inverse = invert_lower(a.view());
            covariances.index_axis_mut(Axis(0), c).assign(&inverse.dot(&inverse.t()));
        }
        (weights, means, covariances)
    }

    /// The component that the uniform number `u` selects.
    pub(super) fn choose(&self, u: f64) -> usize {
        let log_total = log_normaliser(self.logit);
        let mut cumulative = 0.0;
        for (c, &logit) in self.logit.iter().enumerate() {
            cumulative += (logit - log_total).exp().into_f64();
            if u < cumulative {
                return c;
            }
        }
        self.logit.len() - 1
    }
}

/// The log-normaliser ln Σ exp(logit) of the weights.
pub(super) fn log_normaliser<T: Real>(logit: &[T]) -> T {
    let wide: Vec<f64> = logit.iter().map(|l| l.into_f64()).collect();
    T::from_f64(crate::num::stable::log_sum_exp(&wide))
}
