//! A mixture of Gaussian or t components with full scale matrices, whose log-density neither overflows nor
//! underflows. What follows is for Gaussians; [`Kernel`] has the other shape.
//!
//! ```text
//! log p(v) = log Σ_k exp( log w_k − ½|L_k⁻¹(v − μ_k)|² − Σ_i log L_k[i,i] − d/2 log 2π ),   Σ_k = L_k L_kᵀ
//! ```
//!
//! linfa-clustering 0.8.1 exponentiates each term before it adds them, so a row far from all means gets
//! density 0 and responsibilities ∞ (rust-ml/linfa#442). Here the sum is shifted by its largest term.

use ndarray::{Array1, Array2, Array3, ArrayView1, ArrayView2, ArrayView3, Axis};
use rayon::prelude::*;

use super::{ConditionalGmm, GmmError, Kernel};
use crate::density::Density;
use crate::num::special::normal_quantile;
use crate::num::stable::log_sum_exp;
use crate::num::triangular::{cholesky, invert_lower};
use crate::random::{Seed, StreamRng};

/// Number of rows that are handled together. It is fixed, so that results do not depend on the number of
/// threads.
const BLOCK: usize = 512;

/// A fitted mixture of Gaussians (or of t distributions, see [`Self::with_kernel`]), or the conditional density of some of its coordinates given the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Gmm {
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
    marginal: Gmm,
    /// Draws the other coordinates given the context.
    conditional: ConditionalGmm,
}

impl Gmm {
    /// Puts a mixture together from its parameters.
    ///
    /// # Shapes
    /// `weights: (k,)`, `means: (k, d)`, `covariances: (k, d, d)`, symmetric.
    ///
    /// # Errors
    /// [`GmmError`] when the shapes disagree, when the weights are not a distribution, or when a covariance
    /// is not positive definite.
    pub fn new(weights: Array1<f64>, means: Array2<f64>, covariances: Array3<f64>) -> Result<Self, GmmError> {
        Self::with_kernel(Kernel::Gaussian, weights, means, covariances)
    }

    /// The same with components of another shape, for which `covariances` are the squared scales.
    ///
    /// # Errors
    /// As [`Self::new`]; [`GmmError::Degrees`] for degrees of freedom that are no positive number.
    pub fn with_kernel(
        kernel: Kernel,
        weights: Array1<f64>,
        means: Array2<f64>,
        covariances: Array3<f64>,
    ) -> Result<Self, GmmError> {
        if !kernel.is_sound() {
            return Err(GmmError::Degrees);
        }
        let (k, d) = means.dim();
        if weights.len() != k || k == 0 {
            return Err(GmmError::Shape {
                what: "weights",
                got: vec![weights.len()],
                expected: vec![k.max(1)],
            });
        }
        if covariances.dim() != (k, d, d) {
            let got = covariances.shape().to_vec();
            return Err(GmmError::Shape { what: "covariances", got, expected: vec![k, d, d] });
        }
        let sum: f64 = weights.sum();
        // The weights of a converged EM sum to 1 up to k rounding errors. A deviation above 1e-6 means that
        // the array holds something else.
        if weights.iter().any(|w| !w.is_finite() || *w < 0.0) || (sum - 1.0).abs() > 1e-6 {
            return Err(GmmError::Weights);
        }
        if let Some(((row, column), _)) = means.indexed_iter().find(|(_, m)| !m.is_finite()) {
            return Err(GmmError::NotFinite { what: "means", row, column });
        }
        let mut lower = Vec::with_capacity(k);
        let mut whitening = Vec::with_capacity(k);
        let mut log_norm = Vec::with_capacity(k);
        for component in 0..k {
            let factor = cholesky(covariances.index_axis(Axis(0), component))
                .ok_or(GmmError::NotPositiveDefinite { component })?;
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
    /// [`GmmError::NotPositiveDefinite`] when rounding leaves a covariance without a Cholesky factor in
    /// another order.
    ///
    /// # Panics
    /// Panics when `context` names a coordinate that the mixture does not have.
    pub fn conditioned_on(self, context: &[usize]) -> Result<Self, GmmError> {
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
    /// [`GmmError::NotPositiveDefinite`] when rounding leaves a covariance without a Cholesky factor in this
    /// order.
    ///
    /// # Panics
    /// Panics when `known` names a coordinate that the mixture does not have.
    pub fn divided(&self, known: &[usize]) -> Result<ConditionalGmm, GmmError> {
        ConditionalGmm::new(self.kernel, (self.weights(), self.means(), self.covariances()), known)
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
            let white = (&v - &self.means.row(c)).dot(&self.whitening[c]);
            for (row, w) in white.rows().into_iter().enumerate() {
                distances[[row, c]] = w.dot(&w);
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

impl Density for Gmm {
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
mod tests {
    use super::*;
    use ndarray::array;

    fn two() -> Gmm {
        let covariances =
            Array3::from_shape_vec((2, 2, 2), vec![1.0, 0.5, 0.5, 2.0, 0.25, 0.0, 0.0, 0.25]).unwrap();
        Gmm::new(array![0.3, 0.7], array![[0.0, 0.0], [4.0, -1.0]], covariances).unwrap()
    }

    #[test]
    fn far_rows_have_a_finite_log_density() {
        let lp = two().log_prob(array![[1e6, -1e6], [0.0, 0.0]].view());
        assert!(lp.iter().all(|l| l.is_finite()), "{lp}");
        assert!(lp[0] < -1e11);
    }

    #[test]
    fn density_integrates_to_one() {
        let gmm = two();
        let (h, n) = (0.05, 400);
        let grid = Array2::from_shape_fn((n * n, 2), |(i, j)| {
            let cell = if j == 0 { i / n } else { i % n };
            -8.0 + h * (cell as f64 + 0.5) + if j == 0 { 2.0 } else { -2.0 }
        });
        let mass: f64 = gmm.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h * h;
        assert!((mass - 1.0).abs() < 1e-6, "{mass}");
    }

    #[test]
    fn samples_have_the_mixture_mean_and_are_reproducible() {
        let gmm = two();
        let x = gmm.sample(20_000, Seed(1));
        assert_eq!(x, gmm.sample(20_000, Seed(1)));
        let mean = x.mean_axis(Axis(0)).unwrap();
        // The standard errors are about 0.014 and 0.007.
        assert!((mean[0] - 2.8).abs() < 0.07 && (mean[1] + 0.7).abs() < 0.05, "{mean}");
        // The mean log-density of a sample estimates minus the entropy, so it must agree with that of a fresh
        // sample.
        let other = gmm.sample(20_000, Seed(2));
        let gap = gmm.log_prob(x.view()).mean().unwrap() - gmm.log_prob(other.view()).mean().unwrap();
        assert!(gap.abs() < 0.05, "{gap}");
    }

    fn heavy() -> Gmm {
        let gmm = two();
        let (weights, means) = (gmm.weights.clone(), gmm.means.clone());
        Gmm::with_kernel(Kernel::T(5.0), weights, means, gmm.covariances.clone()).unwrap()
    }

    #[test]
    fn a_mixture_of_t_integrates_to_one_and_draws_what_it_says() {
        let gmm = heavy();
        let (h, n) = (0.1, 1200);
        let grid = Array2::from_shape_fn((n * n, 2), |(i, j)| {
            let cell = if j == 0 { i / n } else { i % n };
            -60.0 + h * (cell as f64 + 0.5)
        });
        let p = gmm.log_prob(grid.view()).mapv(f64::exp);
        let mass: f64 = p.sum() * h * h;
        // Outside the grid lies about 1e-6.
        assert!((mass - 1.0).abs() < 1e-4, "{mass}");
        let x = gmm.sample(40_000, Seed(4));
        for threshold in [3.0, 8.0] {
            let far = |v: f64| (v - 4.0).abs() > threshold;
            let expected: f64 =
                grid.column(0).iter().zip(&p).filter(|(v, _)| far(**v)).map(|(_, p)| p).sum::<f64>() * h * h;
            let share = x.column(0).iter().filter(|v| far(**v)).count() as f64 / 40_000.0;
            // Five standard errors.
            let error = 5.0 * (expected * (1.0 - expected) / 40_000.0).sqrt();
            assert!((share - expected).abs() < error, "{threshold}: {share} {expected}");
        }
    }

    #[test]
    fn a_mixture_of_t_given_a_coordinate_integrates_to_one_and_draws_accordingly() {
        let gmm = heavy().conditioned_on(&[0]).unwrap();
        let h = 0.01;
        for context in [-9.0, 0.7] {
            let grid =
                Array2::from_shape_fn(
                    (24_000, 2),
                    |(i, j)| {
                        if j == 0 { context } else { h * (i as f64 - 12_000.0) }
                    },
                );
            let p = gmm.log_prob(grid.view()).mapv(f64::exp);
            assert!((p.sum() * h - 1.0).abs() < 1e-3, "{context}: {}", p.sum() * h);
            let drawn = gmm.sample_given(Array2::from_elem((8000, 1), context).view(), Seed(3));
            for threshold in [-2.0, 0.0, 2.0] {
                let below = grid.rows().into_iter().map(|r| r[1]).zip(&p).filter(|(v, _)| *v < threshold);
                let expected = below.map(|(_, p)| p).sum::<f64>() * h;
                let share = drawn.column(1).iter().filter(|v| **v < threshold).count() as f64 / 8000.0;
                let error = 5.0 * (expected * (1.0 - expected) / 8000.0).sqrt() + 1e-3;
                assert!((share - expected).abs() < error, "{context} {threshold}: {share} {expected}");
            }
        }
        let wrong = |degrees| {
            let gmm = two();
            let kernel = Kernel::T(degrees);
            Gmm::with_kernel(kernel, gmm.weights.clone(), gmm.means.clone(), gmm.covariances.clone())
        };
        assert!([0.0, -1.0, f64::NAN, f64::INFINITY].into_iter().all(|d| wrong(d).is_err()));
    }

    #[test]
    fn damaged_parameters_are_refused() {
        let eye = Array3::from_shape_vec((1, 1, 1), vec![1.0]).unwrap();
        let mean = array![[0.0]];
        assert!(matches!(Gmm::new(array![0.5], mean.clone(), eye.clone()), Err(GmmError::Weights)));
        assert!(matches!(
            Gmm::new(array![1.0], mean.clone(), -&eye),
            Err(GmmError::NotPositiveDefinite { component: 0 })
        ));
        assert!(matches!(Gmm::new(array![1.0, 0.0], mean, eye), Err(GmmError::Shape { .. })));
    }

    #[test]
    fn a_conditional_mixture_integrates_to_one_given_its_context_and_draws_accordingly() {
        let gmm = two().conditioned_on(&[0]).unwrap();
        assert_eq!(gmm.context(), [0]);
        let h = 0.01;
        for context in [-2.0, 0.7] {
            let grid =
                Array2::from_shape_fn(
                    (4000, 2),
                    |(i, j)| {
                        if j == 0 { context } else { h * (i as f64 - 2000.0) }
                    },
                );
            let p = gmm.log_prob(grid.view()).mapv(f64::exp);
            assert!((p.sum() * h - 1.0).abs() < 1e-6, "{context}: {}", p.sum() * h);
            let mean = (&p * &grid.column(1)).sum() * h;
            let spread = ((&p * &grid.column(1).mapv(|x| x * x)).sum() * h - mean * mean).sqrt();
            let drawn = gmm.sample_given(Array2::from_elem((4000, 1), context).view(), Seed(3));
            assert!(drawn.column(0).iter().all(|x| *x == context));
            // The tolerance is five standard errors.
            let error = 5.0 * spread / 4000.0_f64.sqrt();
            assert!((drawn.column(1).mean().unwrap() - mean).abs() < error, "{context}");
        }
    }
}
