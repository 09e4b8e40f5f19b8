//! Choosing and fitting a mixture: EM from several starts, and the validation records choose the settings.

use std::time::Instant;

use ndarray::{Array1, ArrayView2};
use rayon::prelude::*;

use super::em::{Clusters, Em};
use super::error::check_rows;
use super::{Kernel, Mixture, MixtureConfig, MixtureError, MixtureTrial};
use crate::density::Density;

/// Largest number of coordinates for which mixtures are searched by EM. With more coordinates, one Gaussian
/// is fitted in closed form.
pub const WIDE: usize = 512;

/// How often a failed fit is repeated with ten times the regularisation.
const ATTEMPTS: usize = 3;

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
/// [`MixtureError`] for arrays without rows, with unequal widths or with numbers that are not finite, and
/// when every fit fails.
pub fn fit_mixture<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    units: usize,
    config: &'a MixtureConfig,
) -> Result<(Mixture, Vec<MixtureTrial>), MixtureError> {
    config.check()?;
    check_rows(train, validation)?;
    let d = train.ncols();
    if d > WIDE && !config.components.contains(&1) {
        let value = format!("{:?}", config.components);
        return Err(MixtureError::Setting {
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
    config: &'a MixtureConfig,
}

/// What is tried for one number of components.
#[derive(Debug, Clone, Copy)]
struct Setting {
    regularisation: f64,
    kernel: Kernel,
    pooling: f64,
}

impl Setting {
    fn of(trial: &MixtureTrial) -> Self {
        Self { regularisation: trial.regularisation, kernel: trial.kernel, pooling: trial.pooling }
    }
}

struct Fitted {
    trial: MixtureTrial,
    fit: Result<Mixture, MixtureError>,
}

impl Search<'_> {
    fn run(&self) -> Result<(Mixture, Vec<MixtureTrial>), MixtureError> {
        let begun = Instant::now();
        // Each number of components takes about as long as all before it together.
        let in_time = || self.config.deadline.is_none_or(|over| Instant::now() + begun.elapsed() < over);
        let mut done: Vec<Fitted> = Vec::new();
        let one = [1];
        let tried = if self.train.ncols() > WIDE { &one[..] } else { &self.config.components };
        for (step, &components) in tried.iter().enumerate() {
            // A component needs five records or more. The first number of components is always tried.
            if step > 0 && (self.records() < 5 * components || !in_time()) {
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
            let starts = if components == 1 || !in_time() { 1 } else { self.config.starts };
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
                Err(source) => MixtureError::Collapsed {
                    components: failed.trial.components,
                    regularisation: failed.trial.regularisation,
                    source: Box::new(source),
                },
                Ok(_) => MixtureError::NotFiniteDensity,
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
        let MixtureConfig { regularisation, kernels, pooling, .. } = self.config;
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
                Some(Err(why)) => break Err(MixtureError::NoStart(why.clone())),
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
        let trial = MixtureTrial {
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
