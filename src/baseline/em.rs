//! Expectation maximisation (EM) for a mixture of Gaussian or t components with full scale matrices.
//!
//! ```text
//! E   r_ik ∝ w_k p(v_i; μ_k, Σ_k)             u_ik = 1 for Gaussians, (ν + d)/(ν + m_ik) for t
//! M   n_k = Σ_i r_ik,   w_k = n_k / n,   μ_k = Σ_i r_ik u_ik v_i / Σ_i r_ik u_ik
//!     S_k = Σ_i r_ik u_ik (v_i − μ_k)(v_i − μ_k)ᵀ,   S = Σ_k S_k / n
//!     Σ_k = (S_k + a S) / (n_k + a) + c·I
//! ```
//!
//! Here m_ik is the squared distance of row i from component k in units of its scale. With a > 0, every
//! scale is drawn towards the one that all components have in common, as by an inverse Wishart prior worth a
//! rows (Fraley and Raftery 2007, Bayesian regularization for normal mixture estimation and model-based
//! clustering): a component of few rows in many coordinates has no scale of its own otherwise.
//!
//! Log-densities are added with their largest term taken out, so that no row is too far from all means. The
//! sums run over a fixed division of the rows, so that results do not depend on the number of threads. Second
//! moments are taken about the means of the step before, which loses no digits of a narrow component far from
//! zero.
//!
//! linfa-clustering 0.8.1 has this algorithm as well, and `tests::the_optimum_is_that_of_linfa` holds one
//! against the other. It starts every fit with ten runs of k-means over all rows, which took 90 % of the
//! time, and exponentiates log-densities without a shift (rust-ml/linfa#442). Its k-means provides the starts
//! here: one run per start over some of the rows.
//!
//! # References
//! Dempster, Laird and Rubin (1977), Maximum likelihood from incomplete data via the EM algorithm. Peel and
//! McLachlan (2000), Robust mixture modelling using the t distribution.

use linfa::DatasetBase;
use linfa::traits::{Fit, Predict};
use linfa_clustering::KMeans;
use ndarray::parallel::prelude::*;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice, Zip};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;

use super::{Kernel, Mixture, MixtureError};
use crate::random::Seed;

/// Rows whose densities are computed together.
const BLOCK: usize = 512;
/// Most rows that k-means looks at: a start need not be exact.
const START_ROWS: usize = 8192;
/// Most iterations of k-means.
const START_ITERATIONS: u64 = 50;
/// Numbers that the partial sums of one step may take.
const PARTIAL_SUMS: usize = 1 << 22;
/// Most parts that the rows are divided into.
const MOST_PARTS: usize = 32;
/// Rows that a component must be responsible for; with fewer it has no covariance.
const FEWEST_ROWS: f64 = 1e-9;
/// A responsibility below which a row adds nothing to the sums of a component that f64 could hold.
const NEGLIGIBLE: f64 = 1e-16;
/// Share of a block's rows up to which those of a component are picked out of it before they are summed.
const PICKED: f64 = 0.6;

/// How to maximise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Em {
    /// Shape of the components.
    pub(super) kernel: Kernel,
    /// How many rows the scale that all components have in common is worth to each of them.
    pub(super) pooling: f64,
    /// What is added to the diagonal of each covariance.
    pub(super) regularisation: f64,
    /// The iteration ends when the mean log-density changes by less.
    pub(super) tolerance: f64,
    /// Largest number of iterations.
    pub(super) max_iterations: u64,
}

/// What an M-step needs to know of the rows, about reference points of the components.
struct Sums {
    /// `Σ_i r_ik`, `(k,)`.
    weight: Array1<f64>,
    /// `Σ_i r_ik u_ik`, `(k,)`.
    mass: Array1<f64>,
    /// `Σ_i r_ik u_ik (v_i − c_k)`, `(k, d)`.
    first: Array2<f64>,
    /// `Σ_i r_ik u_ik (v_i − c_k)(v_i − c_k)ᵀ`, `(k, d, d)`.
    second: Array3<f64>,
    /// `Σ_i log p(v_i)`.
    log_prob: f64,
}

impl Sums {
    fn zeros(k: usize, d: usize) -> Self {
        Self {
            weight: Array1::zeros(k),
            mass: Array1::zeros(k),
            first: Array2::zeros((k, d)),
            second: Array3::zeros((k, d, d)),
            log_prob: 0.0,
        }
    }

    /// Adds rows with their responsibilities `r_ik` and the products `r_ik u_ik`.
    fn add(
        &mut self,
        rows: ArrayView2<'_, f64>,
        responsibilities: ArrayView2<'_, f64>,
        masses: ArrayView2<'_, f64>,
        centres: ArrayView2<'_, f64>,
    ) {
        for (c, (r, ru)) in responsibilities.columns().into_iter().zip(masses.columns()).enumerate() {
            let weight = r.sum();
            if weight == 0.0 {
                continue;
            }
            self.weight[c] += weight;
            self.mass[c] += ru.sum();
            // With many components, a row belongs to few of them.
            let near: Vec<usize> =
                r.iter().enumerate().filter(|(_, r)| **r >= NEGLIGIBLE).map(|(i, _)| i).collect();
            let (from_centre, ru) = if near.len() as f64 <= PICKED * rows.nrows() as f64 {
                (rows.select(Axis(0), &near) - centres.row(c), ru.select(Axis(0), &near))
            } else {
                (&rows - &centres.row(c), ru.to_owned())
            };
            let weighted = &from_centre * &ru.insert_axis(Axis(1));
            let mut first = self.first.row_mut(c);
            first += &weighted.sum_axis(Axis(0));
            let mut second = self.second.index_axis_mut(Axis(0), c);
            ndarray::linalg::general_mat_mul(1.0, &weighted.t(), &from_centre, 1.0, &mut second);
        }
    }

    fn merge(mut self, other: &Self) -> Self {
        self.weight += &other.weight;
        self.mass += &other.mass;
        self.first += &other.first;
        self.second += &other.second;
        self.log_prob += other.log_prob;
        self
    }

    /// The mixture of largest likelihood under these responsibilities.
    fn mixture(&self, centres: ArrayView2<'_, f64>, em: Em) -> Result<Mixture, MixtureError> {
        let (k, d) = centres.dim();
        if let Some(component) = self.weight.iter().position(|w| w.is_nan() || *w < FEWEST_ROWS) {
            return Err(MixtureError::EmptyComponent { component });
        }
        let weights = &self.weight / self.weight.sum();
        let mut means = Array2::zeros((k, d));
        let mut covariances = Array3::zeros((k, d, d));
        for c in 0..k {
            let shift = &self.first.row(c) / self.mass[c];
            means.row_mut(c).assign(&(&centres.row(c) + &shift));
            let second = self.second.index_axis(Axis(0), c);
            let mass = self.mass[c] / self.weight[c];
            let mut covariance = covariances.index_axis_mut(Axis(0), c);
            // Rounding makes the product slightly asymmetric.
            Zip::indexed(&mut covariance).for_each(|(i, j), out| {
                let moment = 0.5 * (second[[i, j]] + second[[j, i]]) / self.weight[c];
                *out = moment - mass * (shift[i] * shift[j]);
            });
        }
        if em.pooling > 0.0 {
            let mut common = Array2::<f64>::zeros((d, d));
            for (covariance, weight) in covariances.outer_iter().zip(&weights) {
                common.scaled_add(*weight, &covariance);
            }
            for (mut covariance, weight) in covariances.outer_iter_mut().zip(&self.weight) {
                let share = em.pooling / (weight + em.pooling);
                Zip::from(&mut covariance).and(&common).for_each(|own, all| *own += share * (all - *own));
            }
        }
        for mut covariance in covariances.outer_iter_mut() {
            covariance.diag_mut().mapv_inplace(|x| x + em.regularisation);
        }
        Mixture::with_kernel(em.kernel, weights, means, covariances)
    }
}

impl Em {
    /// One component: a Gaussian is known in closed form.
    ///
    /// # Errors
    /// [`MixtureError::NotPositiveDefinite`]
    pub(super) fn one(self, rows: ArrayView2<'_, f64>) -> Result<Mixture, MixtureError> {
        let labels = vec![0; rows.nrows()];
        let start = self.of_labels(rows, &labels, 1)?;
        match self.kernel {
            Kernel::Gaussian => Ok(start),
            Kernel::T(_) => self.run(rows, start),
        }
    }

    /// Iterates from a start until the mean log-density of the rows changes little. Running out of iterations
    /// is no error: the last mixture is the best one that was met.
    ///
    /// # Errors
    /// [`MixtureError::NotPositiveDefinite`], [`MixtureError::EmptyComponent`]
    pub(super) fn run(self, rows: ArrayView2<'_, f64>, start: Mixture) -> Result<Mixture, MixtureError> {
        let mut gmm = start;
        let mut before = f64::NEG_INFINITY;
        for _ in 0..self.max_iterations {
            let sums = expectation(rows, &gmm);
            let now = sums.log_prob / rows.nrows() as f64;
            gmm = sums.mixture(gmm.means(), self)?;
            if (now - before).abs() < self.tolerance {
                break;
            }
            before = now;
        }
        Ok(gmm)
    }

    /// A start: the Gaussians of the clusters that k-means finds among some of the rows.
    ///
    /// # Errors
    /// As for [`Self::run`].
    pub(super) fn start(self, clusters: &Clusters) -> Result<Mixture, MixtureError> {
        self.of_labels(clusters.rows.view(), &clusters.labels, clusters.k)
    }

    fn of_labels(
        self,
        rows: ArrayView2<'_, f64>,
        labels: &[usize],
        k: usize,
    ) -> Result<Mixture, MixtureError> {
        let centre = rows.mean_axis(Axis(0)).ok_or(MixtureError::TooFewRows { rows: 0, needed: 1 })?;
        let centres =
            centre.broadcast((k, rows.ncols())).expect("invariant: a row repeats k times").to_owned();
        let sums = divided(rows, k, |at, block, sums| {
            let mut responsibilities = Array2::zeros((block.nrows(), k));
            for (row, label) in labels[at..at + block.nrows()].iter().enumerate() {
                responsibilities[[row, *label]] = 1.0;
            }
            sums.add(block, responsibilities.view(), responsibilities.view(), centres.view());
        });
        sums.mixture(centres.view(), self)
    }
}

/// Some rows with the clusters that they belong to.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    rows: Array2<f64>,
    labels: Vec<usize>,
    k: usize,
}

impl Clusters {
    /// Finds `k` clusters among at most [`START_ROWS`] of the rows.
    ///
    /// # Errors
    /// What k-means says when it fails.
    pub(super) fn find(rows: ArrayView2<'_, f64>, k: usize, seed: Seed) -> Result<Self, String> {
        let some = some_of(rows);
        let labels = k_means(&some, some.view(), k, seed)?;
        Ok(Self { rows: some, labels, k })
    }
}

/// The cluster of each row, among `k` that k-means finds in some of the rows.
///
/// # Errors
/// What k-means says when it fails.
pub(super) fn cluster_labels(rows: ArrayView2<'_, f64>, k: usize, seed: Seed) -> Result<Vec<usize>, String> {
    k_means(&some_of(rows), rows, k, seed)
}

/// At most [`START_ROWS`] of the rows, evenly spread over them.
fn some_of(rows: ArrayView2<'_, f64>) -> Array2<f64> {
    let stride = rows.nrows().div_ceil(START_ROWS).max(1);
    rows.slice_axis(Axis(0), Slice::new(0, None, stride as isize)).to_owned()
}

/// Finds `k` clusters among `rows`, and returns that of each row of `of`.
fn k_means(rows: &Array2<f64>, of: ArrayView2<'_, f64>, k: usize, seed: Seed) -> Result<Vec<usize>, String> {
    let rng = Xoshiro256Plus::seed_from_u64(seed.0);
    let data = DatasetBase::from(rows.view());
    let found = KMeans::params_with_rng(k, rng).n_runs(1).max_n_iterations(START_ITERATIONS).fit(&data);
    Ok(found.map_err(|e| e.to_string())?.predict(&of).to_vec())
}

/// The E-step, with the sums that the M-step needs.
fn expectation(rows: ArrayView2<'_, f64>, gmm: &Mixture) -> Sums {
    divided(rows, gmm.n_components(), |_, block, sums| {
        let distances = gmm.squared_distances(block);
        let mut terms = gmm.terms(distances.view());
        for mut row in terms.rows_mut() {
            let most = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = row.iter().map(|t| (t - most).exp()).sum();
            row.mapv_inplace(|t| (t - most).exp() / total);
            sums.log_prob += most + total.ln();
        }
        let d = block.ncols();
        let masses = Zip::from(&terms).and(&distances).map_collect(|r, m| r * gmm.kernel().precision(*m, d));
        sums.add(block, terms.view(), masses.view(), gmm.means());
    })
}

/// Sums over all rows, block by block; `add` is told at which row a block begins.
fn divided(
    rows: ArrayView2<'_, f64>,
    k: usize,
    add: impl Fn(usize, ArrayView2<'_, f64>, &mut Sums) + Sync,
) -> Sums {
    let (n, d) = rows.dim();
    let parts = (PARTIAL_SUMS / (k * d * d).max(1)).clamp(1, MOST_PARTS);
    let part = n.div_ceil(parts).next_multiple_of(BLOCK);
    let sums: Vec<Sums> = rows
        .axis_chunks_iter(Axis(0), part)
        .into_par_iter()
        .enumerate()
        .map(|(p, rows)| {
            let mut sums = Sums::zeros(k, d);
            for (b, block) in rows.axis_chunks_iter(Axis(0), BLOCK).enumerate() {
                add(p * part + b * BLOCK, block, &mut sums);
            }
            sums
        })
        .collect();
    sums.iter().fold(Sums::zeros(k, d), Sums::merge)
}

#[cfg(test)]
mod tests;
