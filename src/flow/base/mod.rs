//! The distribution of the latent: a standard normal, or a Gaussian mixture that is trained with the flow.
//!
//! A component is given by its mean μ and a lower triangular matrix A with positive diagonal. Its precision
//! is Aᵀ A.
//!
//! ```text
//! log p(z) = log Σ_k π_k exp(ℓ_k)        ℓ_k = Σᵢ log A_kii − ½|A_k (z − μ_k)|² − d/2 ln 2π
//! ```
//!
//! The weights π are the softmax of the parameters `logit`, and A_kii is the exponential of `log_diagonal`.
//! The strict lower triangle of A is stored in `lower`, for full covariances only. With r_k = π_k e^{ℓ_k} /
//! p(z) and u = A(z − μ), the derivatives of log p(z) are:
//!
//! ```text
//! ∂/∂logit_k = r_k − π_k        ∂/∂z = −Σ_k r_k Aᵀu        ∂/∂μ = r Aᵀu
//! ∂/∂A_ij = −r u_i (z − μ)_j        ∂/∂log A_ii += r
//! ```

mod mixture;
mod onnx;

use std::f64::consts::TAU;

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3};

use self::mixture::{Mixture, Shape, log_normaliser};
use super::bijector::{ParameterSpec, Tape, split_mut};
use super::config::{BaseKind, Covariance};
use super::draw::{standard_normal, uniform};
use super::error::FlowError;
use super::lanes::{dot, sum};
use crate::num::gemm::{Matrix, multiply_transposed_left, multiply_transposed_right};
use crate::num::real::Real;
use crate::num::triangular::{cholesky, invert_lower};
use crate::random::StreamRng;

/// The base distribution, without the values of its parameters.
#[derive(Debug, Clone)]
pub(crate) struct Base {
    n_features: usize,
    kind: BaseKind,
    /// Number of groups of `n_features` latent coordinates that share the distribution. Row c·repeat + t is
    /// coordinate c of group t.
    repeat: usize,
}

impl Base {
    pub(crate) fn new(n_features: usize, kind: BaseKind) -> Self {
        Self { n_features, kind, repeat: 1 }
    }

    /// The distribution of `repeat` independent groups of coordinates.
    pub(crate) fn repeated(self, repeat: usize) -> Self {
        Self { repeat, ..self }
    }

    pub(crate) fn specs(&self) -> Vec<ParameterSpec> {
        let d = self.n_features;
        let BaseKind::Mixture { n_components: k, covariance } = self.kind else { return Vec::new() };
        let mut specs = vec![
            ParameterSpec::new("logit", &[k]),
            ParameterSpec::new("mean", &[k, d]),
            ParameterSpec::new("log_diagonal", &[k, d]),
        ];
        if covariance == Covariance::Full {
            specs.push(ParameterSpec::new("lower", &[k, d * (d - 1) / 2]));
        }
        specs
    }

    /// Sets equal weights, unit covariances, and means drawn from N(0, ¼). The means must differ, since
    /// components with equal means would never separate.
    pub(crate) fn reset<T: Real>(&self, parameters: &mut [T], rng: &mut StreamRng) {
        parameters.fill(T::zero());
        if let BaseKind::Mixture { n_components: k, .. } = self.kind {
            for mean in &mut parameters[k..k + k * self.n_features] {
                *mean = T::from_f64(0.5 * standard_normal(rng));
            }
        }
    }

    /// Sets the parameters of the mixture.
    ///
    /// # Shapes
    /// `weights: (k,)`, `means: (k, d)`, `covariances: (k, d, d)`. A diagonal base ignores the off-diagonal
    /// entries.
    pub(crate) fn set_mixture<T: Real>(
        &self,
        parameters: &mut [T],
        weights: ArrayView1<'_, f64>,
        means: ArrayView2<'_, f64>,
        covariances: ArrayView3<'_, f64>,
    ) -> Result<(), FlowError> {
        let BaseKind::Mixture { n_components: k, covariance } = self.kind else {
            return Err(FlowError::Missing { what: "mixture base".into() });
        };
        let d = self.n_features;
        if means.ncols() != d || covariances.dim().1 != d || covariances.dim().2 != d {
            return Err(FlowError::FeatureCount { expected: d, found: means.ncols() });
        }
        if weights.len() != k || means.nrows() != k || covariances.dim().0 != k {
            return Err(FlowError::Missing {
                what: format!("mixture of {} components but one of {k}", weights.len()),
            });
        }
        let total: f64 = weights.sum();
        let shape = self.shape();
        let [logit, mean, log_diagonal, lower] = split_mut(parameters, shape.lengths());
        for c in 0..k {
            let fail = |reason: &str| Err(FlowError::Mixture { component: c, reason: reason.into() });
            let weight = weights[c] / total;
            if !(weight.is_finite() && weight > 0.0) {
                return fail("its weight is not a positive number");
            }
            logit[c] = T::from_f64(weight.ln());
            if means.row(c).iter().any(|m| !m.is_finite()) {
                return fail("its mean is not finite");
            }
            for (to, from) in mean[c * d..(c + 1) * d].iter_mut().zip(means.row(c)) {
                *to = T::from_f64(*from);
            }
            let matrix = covariances.index_axis(ndarray::Axis(0), c);
            let factor = match covariance {
                Covariance::Full => cholesky(matrix),
                Covariance::Diagonal => cholesky(ndarray::Array2::from_diag(&matrix.diag()).view()),
            };
            let Some(factor) = factor else { return fail("its covariance is not positive definite") };
            let a = invert_lower(factor.view());
            let mut at = c * shape.strict;
            for i in 0..d {
                log_diagonal[c * d + i] = T::from_f64(a[(i, i)].ln());
                if covariance == Covariance::Full {
                    for j in 0..i {
                        lower[at + j] = T::from_f64(a[(i, j)]);
                    }
                    at += i;
                }
            }
        }
        Ok(())
    }

    /// The weights, means and covariances of a mixture base; `None` if the base is not a mixture.
    ///
    /// # Shapes
    /// → `(k,)`, `(k, d)`, `(k, d, d)`
    pub(crate) fn mixture<T: Real>(
        &self,
        parameters: &[T],
    ) -> Option<(Array1<f64>, Array2<f64>, Array3<f64>)> {
        (self.kind != BaseKind::Normal).then(|| Mixture::new(self.shape(), parameters).moments())
    }

    fn shape(&self) -> Shape {
        let d = self.n_features;
        match self.kind {
            BaseKind::Normal => Shape { d, k: 0, strict: 0 },
            BaseKind::Mixture { n_components: k, covariance } => {
                Shape { d, k, strict: if covariance == Covariance::Full { d * (d - 1) / 2 } else { 0 } }
            }
        }
    }

    /// Adds log p(z) to `log_prob`.
    ///
    /// # Shapes
    /// `z: (d·repeat, n)`, `log_prob: (n,)`
    pub(crate) fn log_prob<T: Real>(
        &self,
        parameters: &[T],
        z: &[T],
        log_prob: &mut [T],
        tape: &mut Tape<T>,
    ) {
        if self.repeat == 1 {
            self.log_prob_of_groups(parameters, z, log_prob, tape);
            return;
        }
        let n = log_prob.len();
        tape.with_side(self.repeat * n, |tape, each| {
            each.fill(T::zero());
            self.log_prob_of_groups(parameters, z, each, tape);
            for part in each.chunks_exact(n.max(1)) {
                log_prob.iter_mut().zip(part).for_each(|(l, &e)| *l += e);
            }
        });
    }

    /// The same as [`Self::log_prob`], except that every group is a column of its own.
    fn log_prob_of_groups<T: Real>(&self, parameters: &[T], z: &[T], log_prob: &mut [T], tape: &mut Tape<T>) {
        let (d, n) = (self.n_features, log_prob.len());
        let constant = T::from_f64(-0.5 * d as f64 * TAU.ln());
        let minus_half = T::from_f64(-0.5);
        if n == 0 {
            return;
        }
        if self.kind == BaseKind::Normal {
            for row in z.chunks_exact(n) {
                for (l, &v) in log_prob.iter_mut().zip(row) {
                    *l += minus_half * v * v;
                }
            }
            for l in log_prob.iter_mut() {
                *l += constant;
            }
            return;
        }
        let shape = self.shape();
        let [matrix, residual, whitened, share, total] =
            tape.slots([d * d, d * n, shape.k * d * n, shape.k * n, n]);
        let p = Mixture::new(shape, parameters);
        let log_total = log_normaliser(p.logit);
        for c in 0..shape.k {
            let u = &mut whitened[c * d * n..(c + 1) * d * n];
            p.whiten(c, z, n, matrix, residual, u);
            let row = &mut share[c * n..(c + 1) * n];
            row.fill(
                p.logit[c] - log_total
                    + p.log_diagonal[c * d..(c + 1) * d].iter().copied().sum::<T>()
                    + constant,
            );
            for u in u.chunks_exact(n) {
                for (l, &v) in row.iter_mut().zip(u) {
                    *l += minus_half * v * v;
                }
            }
        }
        // Log-sum-exp over the components, which leaves the responsibilities in `share`.
        total.fill(T::neg_infinity());
        for row in share.chunks_exact(n) {
            for (m, &l) in total.iter_mut().zip(row) {
                *m = if *m > l { *m } else { l };
            }
        }
        for i in 0..n {
            // If every component is at −∞ (a point at infinity) or NaN, there is no maximum to shift by.
            let max = if total[i].is_finite() { total[i] } else { T::zero() };
            let mut norm = T::zero();
            for c in 0..shape.k {
                // This uses the library's `exp`, because the polynomial never reaches 0.
                let e = (share[c * n + i] - max).exp();
                share[c * n + i] = e;
                norm += e;
            }
            log_prob[i] += max + norm.ln();
            let inverse = T::one() / norm;
            (0..shape.k).for_each(|c| share[c * n + i] *= inverse);
        }
    }

    /// **Overwrites** `gradient` with `weight`·∂log p/∂z and **adds** `weight`·Σ ∂log p/∂θ to
    /// `parameter_gradient`. `tape` must be the one that `log_prob` has written for the same z.
    pub(crate) fn backward<T: Real>(
        &self,
        parameters: &[T],
        z: &[T],
        tape: &mut Tape<T>,
        weight: T,
        gradient: &mut [T],
        parameter_gradient: &mut [T],
    ) {
        if self.kind == BaseKind::Normal {
            for (g, &v) in gradient.iter_mut().zip(z) {
                *g = -weight * v;
            }
            return;
        }
        gradient.fill(T::zero());
        let d = self.n_features;
        let n = z.len() / d;
        if n == 0 {
            return;
        }
        let shape = self.shape();
        let [matrix, residual, whitened, share, d_residual, d_matrix] =
            tape.slots([d * d, d * n, shape.k * d * n, shape.k * n, d * n, d * d]);
        let p = Mixture::new(shape, parameters);
        let [d_logit, d_mean, d_log_diagonal, d_lower] = split_mut(parameter_gradient, shape.lengths());
        let log_total = log_normaliser(p.logit);
        for c in 0..shape.k {
            let u = &mut whitened[c * d * n..(c + 1) * d * n];
            let r = &share[c * n..(c + 1) * n];
            let r_total = sum(r);
            d_logit[c] += weight * (r_total - T::from_f64(n as f64) * (p.logit[c] - log_total).exp());
            p.subtract_mean(c, z, n, residual);
            // u ← ∂L/∂u = −weight · r · u
            for row in u.chunks_exact_mut(n) {
                for (u, &r) in row.iter_mut().zip(r) {
                    *u *= -weight * r;
                }
            }
            let diagonal = &p.log_diagonal[c * d..(c + 1) * d];
            for i in 0..d {
                let row = i * n..(i + 1) * n;
                let through_u = dot(&u[row.clone()], &residual[row]) * diagonal[i].exp();
                d_log_diagonal[c * d + i] += weight * r_total + through_u;
            }
            if shape.strict > 0 {
                p.unpack(c, matrix);
                multiply_transposed_left(
                    Matrix::new(matrix, d, d),
                    Matrix::new(u, d, n),
                    T::zero(),
                    d_residual,
                );
                multiply_transposed_right(
                    Matrix::new(u, d, n),
                    Matrix::new(residual, d, n),
                    T::zero(),
                    d_matrix,
                );
                let strictly_lower = (0..d).flat_map(|i| (0..i).map(move |j| i * d + j));
                for (to, at) in
                    d_lower[c * shape.strict..(c + 1) * shape.strict].iter_mut().zip(strictly_lower)
                {
                    *to += d_matrix[at];
                }
            } else {
                for ((to, from), &l) in d_residual.chunks_exact_mut(n).zip(u.chunks_exact(n)).zip(diagonal) {
                    let a = l.exp();
                    to.iter_mut().zip(from).for_each(|(t, &f)| *t = a * f);
                }
            }
            for (i, row) in d_residual.chunks_exact(n).enumerate() {
                d_mean[c * d + i] -= sum(row);
                for (g, &v) in gradient[i * n..(i + 1) * n].iter_mut().zip(row) {
                    *g += v;
                }
            }
        }
    }

    /// Draws `n` columns.
    ///
    /// # Shapes
    /// → `(d·repeat, n)`, feature-major
    pub(crate) fn sample<T: Real>(&self, parameters: &[T], n: usize, rng: &mut StreamRng) -> Vec<T> {
        let (d, n) = (self.n_features, n * self.repeat);
        let shape = self.shape();
        let mut z = vec![T::zero(); d * n];
        let p = Mixture::new(shape, parameters);
        let mut matrix = vec![T::zero(); d * d];
        for column in 0..n {
            // The component is drawn first, so that the draws of a column are consecutive in the stream.
            let component = (shape.k > 0).then(|| p.choose(uniform(rng)));
            for i in 0..d {
                z[i * n + column] = T::from_f64(standard_normal(rng));
            }
            let Some(c) = component else { continue };
            p.unpack(c, &mut matrix);
            // Solves A (z − μ) = ε by forward substitution.
            for i in 0..d {
                let known: T = (0..i).map(|j| matrix[i * d + j] * z[j * n + column]).sum();
                z[i * n + column] = (z[i * n + column] - known) / matrix[i * d + i];
            }
            for i in 0..d {
                z[i * n + column] += p.mean[c * d + i];
            }
        }
        z
    }
}
