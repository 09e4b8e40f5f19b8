//! Choosing and fitting a mixture: EM from several starts, and the validation records choose the settings.

use ndarray::{Array1, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::em::{Clusters, Em};
use super::{Gmm, GmmError, Kernel};
use crate::density::Density;
use crate::random::Seed;

/// Largest number of coordinates for which mixtures are searched by EM. With more coordinates, one Gaussian
/// is fitted in closed form.
pub const WIDE: usize = 512;

/// How often a failed fit is repeated with ten times the regularisation.
const ATTEMPTS: usize = 3;

/// The settings that are tried when a mixture is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GmmConfig {
    /// Numbers of components, ascending. The search stops at the first number that brings no improvement.
    pub components: Vec<usize>,
    /// Values that are added to the diagonal of each covariance (`reg_covar`), in squared units of the
    /// coordinates.
    pub regularisation: Vec<f64>,
    /// Shapes of the components, ordered by how much they differ.
    #[serde(default = "gaussian", skip_serializing_if = "is_gaussian")]
    pub kernels: Vec<Kernel>,
    /// How many records the scale that all components have in common is worth to each of them, per
    /// coordinate; ascending.
    #[serde(default = "apart", skip_serializing_if = "is_apart")]
    pub pooling: Vec<f64>,
    /// Number of random starts of the chosen setting.
    pub starts: usize,
    /// EM stops when the mean log-likelihood changes by less than this.
    pub tolerance: f64,
    /// Largest number of EM iterations.
    pub max_iterations: u64,
    /// Seed of the random starts.
    pub seed: Seed,
    /// Coordinates that the mixture is conditioned on. The mixture is fitted to all coordinates, and chosen
    /// by the density of the others given these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
}

fn gaussian() -> Vec<Kernel> {
    vec![Kernel::Gaussian]
}

fn is_gaussian(kernels: &[Kernel]) -> bool {
    kernels == [Kernel::Gaussian]
}

fn apart() -> Vec<f64> {
    vec![0.0]
}

fn is_apart(pooling: &[f64]) -> bool {
    pooling == [0.0]
}

impl Default for GmmConfig {
    fn default() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
            // These values are for coordinates of variance 1. The largest are for few rows in many
            // coordinates.
            regularisation: vec![1e-4, 1e-3, 1e-2, 5e-2, 2e-1],
            kernels: gaussian(),
            pooling: apart(),
            starts: 3,
            tolerance: 1e-3,
            max_iterations: 300,
            seed: Seed(0),
            context: Vec::new(),
        }
    }
}

impl GmmConfig {
    /// A shorter search, for a mixture that only serves as the starting point of a flow.
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

    /// The search for mixtures of t distributions. They need no regularisation against heavy tails, and their
    /// scales are drawn towards a common one instead of the unit matrix.
    ///
    /// Mean test log-likelihoods (nats, standardised coordinates without noise) of Gaussian mixtures, of t
    /// mixtures without pooling and with it: WDBC (249 × 30) −6.88, −2.16, −1.49; vehicle (592 × 18) −6.68,
    /// −2.42, −1.41; Pima (350 × 8) −8.78, −8.34, −9.01; phoneme (2,672 × 5) −2.89, −2.73, −3.10; shuttle
    /// (2,286 × 9) 3.79, 11.70, 11.70. So the validation records choose the pooling.
    pub fn of_t() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24],
            regularisation: vec![1e-6, 1e-4, 1e-3, 1e-2],
            kernels: [3.0, 6.0, 12.0, 30.0].map(Kernel::T).to_vec(),
            pooling: vec![0.0, 0.03, 0.1, 0.3, 1.0, 3.0],
            starts: 2,
            tolerance: 1e-3,
            max_iterations: 150,
            ..Self::default()
        }
    }

    /// A shorter search of the same kind.
    pub fn of_t_quick() -> Self {
        Self {
            components: vec![1, 2, 4, 8, 16, 24],
            regularisation: vec![1e-5, 1e-3],
            kernels: [3.0, 8.0, 30.0].map(Kernel::T).to_vec(),
            pooling: vec![0.0, 0.1, 0.5, 2.0],
            starts: 1,
            tolerance: 3e-3,
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
        if self.kernels.is_empty() || !self.kernels.iter().all(|k| k.is_sound()) {
            return bad("kernels", "a list of sound kernels", format!("{:?}", self.kernels));
        }
        if self.pooling.is_empty() || self.pooling.iter().any(|p| !p.is_finite() || *p < 0.0) {
            return bad("pooling", "a list of finite numbers ≥ 0", format!("{:?}", self.pooling));
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
    /// Number of components.
    pub components: usize,
    /// Regularisation that the fit ended with: the requested one, or a stronger one after failures.
    pub regularisation: f64,
    /// Shape of the components.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub kernel: Kernel,
    /// Records that the common scale was worth to each component, per coordinate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pooling: f64,
    /// Number of the start, from 0.
    pub start: usize,
    /// Mean log-density of the training rows; absent when the fit failed.
    pub train_log_prob: Option<f64>,
    /// The value by which the mixture is chosen: the mean log-density of the validation rows. Without
    /// validation rows it is minus half the Bayesian information criterion per training record.
    pub criterion: Option<f64>,
    /// Why the fit failed.
    pub failure: Option<String>,
    /// Whether this is the mixture returned.
    pub chosen: bool,
}

fn is_plain(kernel: &Kernel) -> bool {
    *kernel == Kernel::Gaussian
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references on")]
fn is_zero(pooling: &f64) -> bool {
    *pooling == 0.0
}

/// Fits mixtures on `train`, and returns the one that does best on `validation` together with a record of the
/// search.
///
/// `units` is the number of copies of each record among the rows (noise draws). The number of components is
/// limited by the number of records, not by the number of rows.
///
/// # Shapes
/// `train: (n, d)`, `validation: (m, d)`. If m is 0, the Bayesian information criterion chooses.
///
/// # Errors
/// [`GmmError`] for arrays without rows, with unequal widths or with numbers that are not finite, and when
/// every fit fails.
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
    let search = Search { train, validation, units: units.max(1), config };
    search.run()
}

struct Search<'a> {
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    /// Rows of each record.
    units: usize,
    config: &'a GmmConfig,
}

/// What is tried for one number of components.
#[derive(Debug, Clone, Copy)]
struct Setting {
    regularisation: f64,
    kernel: Kernel,
    pooling: f64,
}

impl Setting {
    fn of(trial: &GmmTrial) -> Self {
        Self { regularisation: trial.regularisation, kernel: trial.kernel, pooling: trial.pooling }
    }
}

struct Fitted {
    trial: GmmTrial,
    fit: Result<Gmm, GmmError>,
}

impl Search<'_> {
    fn run(&self) -> Result<(Gmm, Vec<GmmTrial>), GmmError> {
        let mut done: Vec<Fitted> = Vec::new();
        let one = [1];
        let tried = if self.train.ncols() > WIDE { &one[..] } else { &self.config.components };
        for (step, &components) in tried.iter().enumerate() {
            // A component needs five records or more. The first number of components is always tried.
            if step > 0 && self.records() < 5 * components {
                break;
            }
            let before = best(&done).and_then(|i| done[i].trial.criterion);
            let start = self.clusters(components, 0);
            let fits: Vec<Fitted> = self
                .settings(components, &done)
                .par_iter()
                .map(|&setting| self.fit(components, start.as_ref(), setting, 0))
                .collect();
            let now = best(&fits).and_then(|i| fits[i].trial.criterion);
            done.extend(fits);
            if now <= before {
                break;
            }
        }
        if let Some(at) = best(&done) {
            let (components, setting) = (done[at].trial.components, Setting::of(&done[at].trial));
            // One component has a single optimum, and more starts would only repeat it.
            let starts = if components == 1 { 1 } else { self.config.starts };
            let again: Vec<Fitted> = (1..starts)
                .into_par_iter()
                .map(|start| self.fit(components, self.clusters(components, start).as_ref(), setting, start))
                .collect();
            done.extend(again);
        }
        let Some(chosen) = best(&done) else {
            let strongest =
                done.into_iter().max_by(|a, b| a.trial.regularisation.total_cmp(&b.trial.regularisation));
            let failed = strongest.expect("invariant: the first number of components is tried");
            return Err(match failed.fit {
                Err(source) => GmmError::Collapsed {
                    components: failed.trial.components,
                    regularisation: failed.trial.regularisation,
                    source: Box::new(source),
                },
                Ok(_) => GmmError::NotFiniteDensity,
            });
        };
        done[chosen].trial.chosen = true;
        let trials = done.iter().map(|f| f.trial.clone()).collect();
        Ok((done.swap_remove(chosen).fit?, trials))
    }

    fn records(&self) -> usize {
        self.train.nrows() / self.units
    }

    /// The settings to try next: all of them at first, and then the best one so far with its neighbours in
    /// each direction. The best values change little with the number of components, and every fit costs the
    /// same. One component has nothing in common with others, so that the pooling is chosen from two on.
    fn settings(&self, components: usize, done: &[Fitted]) -> Vec<Setting> {
        let GmmConfig { regularisation, kernels, pooling, .. } = self.config;
        let best = best(done).map(|i| &done[i].trial);
        let beside = |setting: &Setting| {
            best.is_none_or(|b| {
                let differs = [
                    setting.regularisation != b.regularisation,
                    setting.kernel != b.kernel,
                    setting.pooling != b.pooling,
                ];
                differs.into_iter().filter(|d| *d).count() <= 1
            })
        };
        let pooling = match best {
            _ if components == 1 => &pooling[..1],
            Some(best) if best.components > 1 => near(pooling, &best.pooling),
            _ => pooling,
        };
        let regularisation = best.map_or(&regularisation[..], |b| near(regularisation, &b.regularisation));
        let kernels = best.map_or(&kernels[..], |b| near(kernels, &b.kernel));
        let mut settings = Vec::new();
        for &regularisation in regularisation {
            for &kernel in kernels {
                settings.extend(pooling.iter().map(|&pooling| Setting { regularisation, kernel, pooling }));
            }
        }
        settings.retain(beside);
        settings
    }

    /// Where EM starts with so many components; none where there is one, which needs no start.
    fn clusters(&self, components: usize, start: usize) -> Option<Result<Clusters, String>> {
        let seed = self.config.seed.child("gmm-start", start as u64);
        (components > 1).then(|| Clusters::find(self.train, components, seed))
    }

    fn fit(
        &self,
        components: usize,
        clusters: Option<&Result<Clusters, String>>,
        setting: Setting,
        start: usize,
    ) -> Fitted {
        let mut strength = setting.regularisation;
        let mut attempt = 0;
        let fit = loop {
            let em = Em {
                kernel: setting.kernel,
                pooling: setting.pooling * self.train.ncols() as f64 * self.units as f64,
                regularisation: strength,
                tolerance: self.config.tolerance,
                max_iterations: self.config.max_iterations,
            };
            let found = match clusters {
                None => em.one(self.train),
                Some(Ok(clusters)) => em.start(clusters).and_then(|start| em.run(self.train, start)),
                Some(Err(why)) => break Err(GmmError::NoStart(why.clone())),
            };
            let found = found.and_then(|gmm| gmm.conditioned_on(&self.config.context));
            if found.is_ok() || attempt == ATTEMPTS {
                break found;
            }
            attempt += 1;
            strength = (strength * 10.0).max(1e-6);
        };
        let gmm = fit.as_ref().ok();
        let train_log_prob = gmm.map(|g| mean(&g.log_prob(self.train)));
        let criterion = gmm.zip(train_log_prob).map(|(g, train)| {
            if self.validation.nrows() > 0 {
                mean(&g.log_prob(self.validation))
            } else {
                let n = self.records().max(1) as f64;
                train - 0.5 * g.n_parameters() as f64 * n.ln() / n
            }
        });
        let trial = GmmTrial {
            components,
            regularisation: strength,
            kernel: setting.kernel,
            pooling: setting.pooling,
            start,
            train_log_prob,
            criterion: criterion.filter(|c| c.is_finite()),
            failure: fit.as_ref().err().map(ToString::to_string),
            chosen: false,
        };
        Fitted { trial, fit }
    }
}

/// A value with its neighbours in a list; the whole list where it is not among them.
fn near<'a, T: PartialEq>(all: &'a [T], value: &T) -> &'a [T] {
    match all.iter().position(|other| other == value) {
        Some(at) => &all[at.saturating_sub(1)..(at + 2).min(all.len())],
        None => all,
    }
}

/// Returns the position of the largest criterion. Among equal values it is the first, which has the fewest
/// components.
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

#[cfg(test)]
mod tests;
