//! Choosing and fitting a mixture: linfa does the expectation maximisation, validation chooses.
//!
//! linfa-clustering 0.8.1 exponentiates log-densities unshifted. Two measures keep it within range: rows are scaled by a
//! common factor, which moves every log-density by the same amount, so that they lie around 0 rather than around −1.4·d;
//! and a failed fit is repeated with tenfold regularisation before it counts as failed.

use linfa::DatasetBase;
use linfa::traits::Fit;
use linfa_clustering::GaussianMixtureModel;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};
use rand_xoshiro::Xoshiro256Plus;
use rand_xoshiro::rand_core::SeedableRng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Gmm, GmmError};
use crate::density::Density;
use crate::random::Seed;

/// Coordinates beyond which one Gaussian in closed form is fitted instead of a search by EM.
pub const WIDE: usize = 512;

/// What is tried when a mixture is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GmmConfig {
    /// Numbers of components, ascending; the search stops at the first that does not improve.
    pub components: Vec<usize>,
    /// Values added to the diagonal of each covariance (`reg_covar`), in units of the coordinates squared.
    pub regularisation: Vec<f64>,
    /// Starts of the chosen setting.
    pub starts: usize,
    /// EM stops when the mean log-likelihood changes by less.
    pub tolerance: f64,
    /// Most EM iterations.
    pub max_iterations: u64,
    /// Seed of the starts.
    pub seed: Seed,
    /// Coordinates the mixture is conditioned on: it is fitted to all, chosen by the density of the others given these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
}

impl Default for GmmConfig {
    fn default() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
            // For coordinates of variance 1. The largest are for few rows in many coordinates.
            regularisation: vec![1e-4, 1e-3, 1e-2, 5e-2, 2e-1],
            starts: 3,
            tolerance: 1e-3,
            max_iterations: 300,
            seed: Seed(0),
            context: Vec::new(),
        }
    }
}

impl GmmConfig {
    /// A shorter search, for a mixture that is only where a flow starts from.
    pub fn quick() -> Self {
        Self {
            components: vec![1, 2, 4, 8, 16, 24],
            regularisation: vec![1e-3, 1e-2, 5e-2],
            starts: 1,
            tolerance: 1e-2,
            max_iterations: 100,
            ..Self::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`GmmError::Setting`] for the first value outside its range.
    pub fn check(&self) -> Result<(), GmmError> {
        let bad = |name, allowed, value: String| Err(GmmError::Setting { name, allowed, value });
        if self.components.is_empty() || self.components.contains(&0) {
            return bad("components", "a list of numbers ≥ 1", format!("{:?}", self.components));
        }
        if self.regularisation.is_empty() || self.regularisation.iter().any(|r| !r.is_finite() || *r < 0.0) {
            return bad(
                "regularisation",
                "a list of finite numbers ≥ 0",
                format!("{:?}", self.regularisation),
            );
        }
        if self.starts == 0 {
            return bad("starts", "≥ 1", self.starts.to_string());
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return bad("tolerance", "finite and > 0", self.tolerance.to_string());
        }
        if self.max_iterations == 0 {
            return bad("max_iterations", "≥ 1", self.max_iterations.to_string());
        }
        Ok(())
    }
}

/// One fit of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GmmTrial {
    /// Components.
    pub components: usize,
    /// Regularisation it ended with: the one asked for, or stronger after failures.
    pub regularisation: f64,
    /// Number of the start, from 0.
    pub start: usize,
    /// Mean log-density of the training rows; absent when the fit failed.
    pub train_log_prob: Option<f64>,
    /// What the choice goes by: mean log-density of the validation rows, or without such rows minus half the Bayesian
    /// information criterion per training row.
    pub criterion: Option<f64>,
    /// Why it failed.
    pub failure: Option<String>,
    /// Whether this is the mixture returned.
    pub chosen: bool,
}

/// Fits mixtures on `train` and returns the one that does best on `validation`, with the account of the search.
///
/// `units` is how many copies of each record the rows hold (noise draws): a mixture gets no more components
/// than the records, not the rows, can carry.
///
/// # Shapes
/// `train: (n, d)`, `validation: (m, d)`; m may be 0, then the Bayesian information criterion chooses.
///
/// # Errors
/// [`GmmError`] for arrays without rows, of unequal width or with non-finite numbers, and when every fit fails.
pub fn fit_gmm<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    units: usize,
    config: &'a GmmConfig,
) -> Result<(Gmm, Vec<GmmTrial>), GmmError> {
    config.check()?;
    let (n, d) = train.dim();
    if n == 0 {
        return Err(GmmError::TooFewRows { rows: 0, needed: 1 });
    }
    if validation.nrows() > 0 && validation.ncols() != d {
        let got = validation.shape().to_vec();
        return Err(GmmError::Shape { what: "validation rows", got, expected: vec![validation.nrows(), d] });
    }
    for (what, x) in [("training", train), ("validation", validation)] {
        if let Some(((row, column), _)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(GmmError::NotFinite { what, row, column });
        }
    }
    if d > WIDE && !config.components.contains(&1) {
        let value = format!("{:?}", config.components);
        return Err(GmmError::Setting {
            name: "components",
            allowed: "1 on more than 512 coordinates",
            value,
        });
    }
    let scale = if d > WIDE { 1.0 } else { representable_scale(train) };
    let rows = train.mapv(|v| v * scale);
    let search = Search { train, validation, rows, scale, records: n / units.max(1), config };
    search.run()
}

struct Search<'a> {
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    rows: Array2<f64>,
    scale: f64,
    records: usize,
    config: &'a GmmConfig,
}

struct Fitted {
    trial: GmmTrial,
    gmm: Option<Gmm>,
    source: Option<linfa_clustering::GmmError>,
}

impl Search<'_> {
    fn run(&self) -> Result<(Gmm, Vec<GmmTrial>), GmmError> {
        let mut done: Vec<Fitted> = Vec::new();
        let wide = self.rows.ncols() > WIDE;
        let one = [1];
        let tried = if wide { &one[..] } else { &self.config.components };
        if wide && self.config.components.len() > 1 {
            tracing::warn!("more components than one are not tried on more than {WIDE} coordinates");
        }
        for (step, &components) in tried.iter().enumerate() {
            // A component wants a handful of records; one component is always tried.
            if step > 0 && self.records < 5 * components {
                break;
            }
            let before = best(&done).and_then(|i| done[i].trial.criterion);
            let fits: Vec<Fitted> =
                self.strengths(&done).par_iter().map(|&r| self.fit(components, r, 0)).collect();
            let now = best(&fits).and_then(|i| fits[i].trial.criterion);
            done.extend(fits);
            if now <= before {
                break;
            }
        }
        if let Some(at) = best(&done) {
            let (components, regularisation) = (done[at].trial.components, done[at].trial.regularisation);
            // One component has one optimum; more starts would repeat it.
            let starts = if components == 1 { 1 } else { self.config.starts };
            let again: Vec<Fitted> = (1..starts)
                .into_par_iter()
                .map(|start| self.fit(components, regularisation, start))
                .collect();
            done.extend(again);
        }
        let Some(chosen) = best(&done) else {
            let mut strongest = 0;
            for (i, f) in done.iter().enumerate() {
                if f.trial.regularisation > done[strongest].trial.regularisation {
                    strongest = i;
                }
            }
            let failed = done.swap_remove(strongest);
            return Err(match failed.source {
                Some(source) => GmmError::Underflow {
                    components: failed.trial.components,
                    regularisation: failed.trial.regularisation,
                    source: Box::new(source),
                },
                None => GmmError::NotPositiveDefinite { component: 0 },
            });
        };
        done[chosen].trial.chosen = true;
        let gmm = done[chosen].gmm.take().expect("invariant: the best trial has a mixture");
        Ok((gmm, done.into_iter().map(|f| f.trial).collect()))
    }

    /// Regularisations to try next: all at first, then the best so far and its neighbours, for it moves little with the
    /// number of components and every fit costs the same.
    fn strengths(&self, done: &[Fitted]) -> Vec<f64> {
        let all = &self.config.regularisation;
        let near = best(done).and_then(|i| all.iter().position(|r| *r == done[i].trial.regularisation));
        match near {
            Some(at) => all[at.saturating_sub(1)..(at + 2).min(all.len())].to_vec(),
            None => all.clone(),
        }
    }

    fn fit(&self, components: usize, regularisation: f64, start: usize) -> Fitted {
        let mut strength = regularisation;
        let mut tolerance = self.config.tolerance;
        let mut attempt = 0;
        let (gmm, source, failure) = loop {
            let fit = if self.rows.ncols() > WIDE {
                Ok(self.one_gaussian(strength))
            } else {
                self.fit_once(components, strength, tolerance, start).map(|fit| self.restore(&fit))
            };
            match fit {
                Ok(restored) => match restored.and_then(|g| g.conditioned_on(&self.config.context)) {
                    Ok(gmm) => break (Some(gmm), None, None),
                    Err(e) if attempt == 3 => break (None, None, Some(e.to_string())),
                    Err(_) => {}
                },
                Err(e) if attempt == 3 => {
                    let text = e.to_string();
                    break (None, Some(e), Some(text));
                }
                // EM that only ran out of iterations is no reason to change the model.
                Err(linfa_clustering::GmmError::NotConverged(_)) => {
                    tolerance *= 10.0;
                    attempt += 1;
                    continue;
                }
                Err(_) => {}
            }
            attempt += 1;
            strength = (strength * 10.0).max(1e-6);
        };
        let train_log_prob = gmm.as_ref().map(|g| mean(&g.log_prob(self.train)));
        let criterion = gmm.as_ref().zip(train_log_prob).map(|(g, train)| {
            if self.validation.nrows() > 0 {
                mean(&g.log_prob(self.validation))
            } else {
                let n = self.records.max(1) as f64;
                train - 0.5 * g.n_parameters() as f64 * n.ln() / n
            }
        });
        let trial = GmmTrial {
            components,
            regularisation: strength,
            start,
            train_log_prob,
            criterion: criterion.filter(|c| c.is_finite()),
            failure,
            chosen: false,
        };
        Fitted { trial, gmm, source }
    }

    fn fit_once(
        &self,
        components: usize,
        regularisation: f64,
        tolerance: f64,
        start: usize,
    ) -> Result<GaussianMixtureModel<f64>, linfa_clustering::GmmError> {
        let seed = self.config.seed.child("gmm-start", start as u64).0;
        let rng = Xoshiro256Plus::seed_from_u64(seed);
        let rows = DatasetBase::from(self.rows.view());
        GaussianMixtureModel::params_with_rng(components, rng)
            .reg_covariance(regularisation * self.scale * self.scale)
            .tolerance(tolerance)
            .max_n_iterations(self.config.max_iterations)
            .fit(&rows)
    }

    /// The one component of maximum likelihood, in closed form: linfa's triangular solver takes minutes per step on
    /// thousands of coordinates.
    fn one_gaussian(&self, regularisation: f64) -> Result<Gmm, GmmError> {
        let centre = self.train.mean_axis(Axis(0)).expect("invariant: rows were counted");
        let diff = &self.train - &centre;
        let mut covariance = diff.t().dot(&diff) / self.train.nrows() as f64;
        covariance.diag_mut().mapv_inplace(|v| v + regularisation);
        Gmm::new(Array1::from_elem(1, 1.0), centre.insert_axis(Axis(0)), covariance.insert_axis(Axis(0)))
    }

    /// Undoes the scaling; linfa's covariances are symmetrised, for they come from a product in floating point.
    fn restore(&self, fit: &GaussianMixtureModel<f64>) -> Result<Gmm, GmmError> {
        let weights: Array1<f64> = fit.weights() / fit.weights().sum();
        let means = fit.means().mapv(|m| m / self.scale);
        let (k, d) = means.dim();
        let square = self.scale * self.scale;
        let c = fit.covariances();
        let covariances =
            Array3::from_shape_fn((k, d, d), |(k, i, j)| 0.5 * (c[[k, i, j]] + c[[k, j, i]]) / square);
        Gmm::new(weights, means, covariances)
    }
}

/// The largest criterion; of equals the first, which has fewer components.
fn best(fits: &[Fitted]) -> Option<usize> {
    let mut best: Option<(usize, f64)> = None;
    for (i, f) in fits.iter().enumerate() {
        if let Some(c) = f.trial.criterion
            && best.is_none_or(|(_, b)| c > b)
        {
            best = Some((i, c));
        }
    }
    best.map(|(i, _)| i)
}

fn mean(values: &Array1<f64>) -> f64 {
    values.sum() / values.len() as f64
}

/// The factor c for which the log-densities of `c·x` under one Gaussian lie symmetrically around 0:
/// `log p(c·x) = log p(x) − d·log c`.
fn representable_scale(x: ArrayView2<'_, f64>) -> f64 {
    let (n, d) = x.dim();
    let Some(centre) = x.mean_axis(Axis(0)) else { return 1.0 };
    let diff = &x - &centre;
    let mut covariance = diff.t().dot(&diff) / n as f64;
    // Enough to make any sample covariance positive definite without moving the middle by much.
    let ridge = 1e-2 * (covariance.diag().sum() / d.max(1) as f64).max(1e-6);
    covariance.diag_mut().mapv_inplace(|v| v + ridge);
    let one = Array1::from_elem(1, 1.0);
    let Ok(gaussian) = Gmm::new(one, centre.insert_axis(Axis(0)), covariance.insert_axis(Axis(0))) else {
        return 1.0;
    };
    let lp = gaussian.log_prob(x);
    let low = lp.iter().copied().fold(f64::INFINITY, f64::min);
    let high = lp.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let scale = (0.5 * (low + high) / d.max(1) as f64).exp();
    if scale.is_finite() && scale > 0.0 { scale } else { 1.0 }
}

#[cfg(test)]
mod tests;
