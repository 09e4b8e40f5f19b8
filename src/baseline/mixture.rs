//! A mixture of Gaussian or t components with full scale matrices, whose log-density neither overflows nor
//! underflows. What follows is for Gaussians; [`Kernel`] has the other shape.
//!
//! ```text
//! log p(v) = log Σ_k exp( log w_k − ½|L_k⁻¹(v − μ_k)|² − Σ_i log L_k[i,i] − d/2 log 2π ),   Σ_k = L_k L_kᵀ
//! ```
//!
//! linfa-clustering 0.8.1 exponentiates each term before it adds them, so a row far from all means gets
//! density 0 and responsibilities ∞ (rust-ml/linfa#442). Here the sum is shifted by its largest term.

mod onnx;

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::{ConditionalMixture, Kernel, MixtureError};
use crate::density::Density;
use crate::num::special::normal_quantile;
use crate::num::stable::log_sum_exp;
use crate::num::triangular::{cholesky, invert_lower};
use crate::random::{Seed, StreamRng};

/// Number of rows that are handled together. It is fixed, so that results do not depend on the number of
/// threads.
const BLOCK: usize = 512;
/// Columns of a whitening matrix that are multiplied together.
const STRIPE: usize = 32;

/// A fitted mixture of Gaussians, or of t distributions (see [`Self::with_kernel`]), or the conditional
/// density of some of its coordinates given the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Mixture {
    kernel: Kernel,
    weights: Array1<f64>,
    means: Array2<f64>,
    covariances: Array3<f64>,
    /// Lower Cholesky factors of the covariances.
    lower: Vec<Array2<f64>>,
    /// Transposed inverses of `lower`. The product `(v − μ)·whitening` has identity covariance.
    whitening: Vec<Array2<f64>>,
    /// `log w_k − Σ log L_k[i,i]` and the kernel's constant.
    log_norm: Vec<f64>,
    given: Option<Box<Given>>,
}

/// The coordinates that a mixture is conditioned on, with what is needed to evaluate and draw.
#[derive(Debug, Clone, PartialEq)]
struct Given {
    context: Vec<usize>,
    /// Density of the context coordinates alone.
    marginal: Mixture,
    /// Draws the other coordinates given the context.
    conditional: ConditionalMixture,
}

impl Mixture {
    /// Puts a mixture together from its parameters.
    ///
    /// # Shapes
    /// `weights: (k,)`, `means: (k, d)`, `covariances: (k, d, d)`, symmetric.
    ///
    /// # Errors
    /// [`MixtureError`] when the shapes disagree, when the weights are not a distribution, or when a
    /// covariance is not positive definite.
    pub fn new(
        weights: Array1<f64>,
        means: Array2<f64>,
        covariances: Array3<f64>,
    ) -> Result<Self, MixtureError> {
        Self::with_kernel(Kernel::Gaussian, weights, means, covariances)
    }

    /// The same with components of another shape, for which `covariances` are the squared scales.
    ///
    /// # Errors
    /// As [`Self::new`]; [`MixtureError::Degrees`] for degrees of freedom that are no positive number.
    pub fn with_kernel(
        kernel: Kernel,
        weights: Array1<f64>,
        means: Array2<f64>,
        covariances: Array3<f64>,
    ) -> Result<Self, MixtureError> {
        if !kernel.is_sound() {
            return Err(MixtureError::Degrees);
        }
        let (k, d) = means.dim();
        if weights.len() != k || k == 0 {
            return Err(MixtureError::Shape {
                what: "weights",
                got: vec![weights.len()],
                expected: vec![k.max(1)],
            });
        }
        if covariances.dim() != (k, d, d) {
            let got = covariances.shape().to_vec();
            return Err(MixtureError::Shape { what: "covariances", got, expected: vec![k, d, d] });
        }
        let sum: f64 = weights.sum();
        // The weights of a converged EM sum to 1 up to k rounding errors. A deviation above 1e-6 means that
        // the array holds something else.
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || (sum - 1.0).abs() > 1e-6 {
            return Err(MixtureError::Weights);
        }
        if let Some(((row, column), _)) = means.indexed_iter().find(|(_, m)| !m.is_finite()) {
            return Err(MixtureError::NotFinite { what: "means", row, column });
        }
        let mut lower = Vec::with_capacity(k);
        let mut whitening = Vec::with_capacity(k);
        let mut log_norm = Vec::with_capacity(k);
        for component in 0..k {
            let factor = cholesky(covariances.index_axis(Axis(0), component))
                .ok_or(MixtureError::NotPositiveDefinite { component })?;
            let log_det: f64 = factor.diag().iter().map(|x| x.ln()).sum();
            log_norm.push(weights[component].ln() - log_det + kernel.log_norm(d));
            whitening.push(invert_lower(factor.view()).t().as_standard_layout().into_owned());
            lower.push(factor);
        }
        Ok(Self { kernel, weights, means, covariances, lower, whitening, log_norm, given: None })
    }

    /// Turns the mixture into the density of the other coordinates given those in `context`, which are
    /// ascending. Its logarithm is the log-density of all coordinates minus that of the context, and both are
    /// exact. The weights, means and covariances remain those of all coordinates.
    ///
    /// # Errors
    /// [`MixtureError::NotPositiveDefinite`] when rounding leaves a covariance without a Cholesky factor in
    /// another order.
    ///
    /// # Panics
    /// Panics when `context` names a coordinate that the mixture does not have.
    pub fn conditioned_on(self, context: &[usize]) -> Result<Self, MixtureError> {
        if context.is_empty() {
            return Ok(Self { given: None, ..self });
        }
        let means = self.means.select(Axis(1), context);
        let covariances = self.covariances.select(Axis(1), context).select(Axis(2), context);
        let given = Given {
            context: context.to_vec(),
            marginal: Self::with_kernel(self.kernel, self.weights.clone(), means, covariances)?,
            conditional: self.divided(context)?,
        };
        Ok(Self { given: Some(Box::new(given)), ..self })
    }

    /// Divides the coordinates into the `known` ones, in that order, and the others, which are free.
    ///
    /// # Errors
    /// [`MixtureError::NotPositiveDefinite`] when rounding leaves a covariance without a Cholesky factor in
    /// this order.
    ///
    /// # Panics
    /// Panics when `known` names a coordinate that the mixture does not have.
    pub fn divided(&self, known: &[usize]) -> Result<ConditionalMixture, MixtureError> {
        ConditionalMixture::new(self.kernel, (self.weights(), self.means(), self.covariances()), known)
    }

    /// Number of components k.
    pub fn n_components(&self) -> usize {
        self.weights.len()
    }

    /// Shape of the components.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Mixing weights, `(k,)`.
    pub fn weights(&self) -> ArrayView1<'_, f64> {
        self.weights.view()
    }

    /// Means, `(k, d)`.
    pub fn means(&self) -> ArrayView2<'_, f64> {
        self.means.view()
    }

    /// Covariances, or squared scales where the components are no Gaussians, `(k, d, d)`.
    pub fn covariances(&self) -> ArrayView3<'_, f64> {
        self.covariances.view()
    }

    /// The squared distance of each row from each component in units of its scale, `(n, k)`.
    pub(super) fn squared_distances(&self, v: ArrayView2<'_, f64>) -> Array2<f64> {
        let k = self.n_components();
        let mut distances = Array2::<f64>::zeros((v.nrows(), k));
        for c in 0..k {
            let centred = &v - &self.means.row(c);
            // The whitening is upper triangular: its first columns need the first coordinates alone.
            for from in (0..self.means.ncols()).step_by(STRIPE) {
                let to = (from + STRIPE).min(self.means.ncols());
                let stripe = self.whitening[c].slice_axis(Axis(1), (from..to).into());
                let stripe = stripe.slice_axis_move(Axis(0), (0..to).into());
                let white = centred.slice_axis(Axis(1), (0..to).into()).dot(&stripe);
                for (row, w) in white.rows().into_iter().enumerate() {
                    distances[[row, c]] += w.dot(&w);
                }
            }
        }
        distances
    }

    /// `log w_k` and the log-density of component k, from the squared distances of the rows, `(n, k)`.
    pub(super) fn terms(&self, squared_distances: ArrayView2<'_, f64>) -> Array2<f64> {
        let mut terms = squared_distances.to_owned();
        let d = self.means.ncols();
        for (mut column, log_norm) in terms.columns_mut().into_iter().zip(&self.log_norm) {
            column.mapv_inplace(|m| log_norm + self.kernel.log_profile(m, d));
        }
        terms
    }

    fn log_prob_block(&self, v: ArrayView2<'_, f64>, out: &mut [f64]) {
        let terms = self.terms(self.squared_distances(v).view());
        for (o, row) in out.iter_mut().zip(terms.rows()) {
            *o = log_sum_exp(row.as_slice().expect("invariant: terms are in standard layout"));
        }
    }

    fn sample_row(&self, rng: &mut StreamRng) -> Array1<f64> {
        let mut u = uniform(rng);
        // Rounding may leave the cumulative sum slightly below 1. The last component with a positive weight
        // takes the rest.
        let mut component = self.weights.iter().rposition(|w| *w > 0.0).unwrap_or(0);
        for (c, w) in self.weights.iter().enumerate() {
            if u < *w {
                component = c;
                break;
            }
            u -= w;
        }
        let noise: Array1<f64> = (0..self.means.ncols()).map(|_| normal_quantile(uniform(rng))).collect();
        let stretch = self.kernel.stretch(rng);
        &self.means.row(component) + &(self.lower[component].dot(&noise) * stretch)
    }
}

/// Draws a uniform number on the open interval (0, 1). Both ends are excluded because their normal quantiles
/// are infinite.
fn uniform(rng: &mut StreamRng) -> f64 {
    use rand::Rng;
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}

impl Density for Mixture {
    fn n_features(&self) -> usize {
        self.means.ncols()
    }

    fn n_parameters(&self) -> usize {
        let (k, d) = self.means.dim();
        k - 1 + k * d + k * d * (d + 1) / 2 + self.kernel.n_parameters()
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        assert_eq!(v.ncols(), self.n_features(), "invariant: callers match coordinates first");
        let mut out = vec![0.0; v.nrows()];
        out.par_chunks_mut(BLOCK).enumerate().for_each(|(b, out)| {
            let start = b * BLOCK;
            self.log_prob_block(v.slice_axis(Axis(0), (start..start + out.len()).into()), out);
        });
        let log_prob = Array1::from_vec(out);
        match &self.given {
            None => log_prob,
            Some(given) => log_prob - given.marginal.log_prob(v.select(Axis(1), &given.context).view()),
        }
    }

    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        assert!(self.given.is_none(), "a conditional mixture draws given a context");
        let d = self.n_features();
        let mut out = Array2::<f64>::zeros((n, d));
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let mut rng = seed.stream("gmm-sample", b as u64);
            for mut row in rows.rows_mut() {
                row.assign(&self.sample_row(&mut rng));
            }
        });
        out
    }

    fn context(&self) -> &[usize] {
        self.given.as_ref().map_or(&[], |given| &given.context)
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), self.context().len(), "one column for each coordinate of the context");
        let Some(given) = &self.given else { return self.sample(context.nrows(), seed) };
        let d = self.n_features();
        let free: Vec<usize> = (0..d).filter(|j| !given.context.contains(j)).collect();
        let mut out = Array2::<f64>::zeros((context.nrows(), d));
        out.axis_chunks_iter_mut(Axis(0), BLOCK).into_par_iter().enumerate().for_each(|(b, mut rows)| {
            let mut rng = seed.stream("gmm-sample", b as u64);
            for (i, mut row) in rows.rows_mut().into_iter().enumerate() {
                let known = context.row(b * BLOCK + i).to_vec();
                let drawn = given.conditional.given(&known).draw(&mut rng);
                given.context.iter().zip(known).for_each(|(&j, x)| row[j] = x);
                free.iter().zip(drawn).for_each(|(&j, x)| row[j] = x);
            }
        });
        out
    }
}

#[cfg(test)]
mod tests;
