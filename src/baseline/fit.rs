//! Choosing and fitting a mixture: EM from several starts, and the validation records choose the settings.
//!
//! Many rows are taken in stages. The settings are searched on some of the rows. The mixture that they give
//! goes on with four times as many rows from where it is, where more components may pay, and so on. An
//! optimum of all rows is near that of a quarter of them, so that a few iterations over all rows end the fit.

use std::time::Instant;

use ndarray::{Array1, ArrayView2, Axis, Slice};
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

/// Most rows × coordinates² that all settings are tried on.
const SEARCHED: usize = 30_000_000;
/// Rows that all settings may be tried on, however many coordinates they have.
const ALWAYS_SEARCHED: usize = 4_096;
/// How many times as many rows the next stage has.
const GROWTH: usize = 4;
/// Iterations over all rows, where fewer came before.
const POLISHING: u64 = 10;
/// Most validation rows that settings are chosen by. A mean over so many has an error of a two-hundredth of
/// the spread of the rows.
const CHOOSING: usize = 40_000;

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
    let units = units.max(1);
    fit_in_stages(train, validation, units, config, stages(train.nrows(), d, units))
}

/// The same, with one of so many training rows at each stage.
fn fit_in_stages<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    units: usize,
    config: &'a MixtureConfig,
    stages: Vec<usize>,
) -> Result<(Mixture, Vec<MixtureTrial>), MixtureError> {
    let validation = every(validation, validation.nrows().div_ceil(CHOOSING));
    let mut stages = stages.into_iter();
    let of = |stride| Search { train: every(train, stride), validation, units, config, stride };
    let began = Instant::now();
    let mut done = of(stages.next().unwrap_or(1)).run(began);
    for stride in stages {
        of(stride).grow(&mut done, began);
    }
    chosen(done)
}

/// Which rows are taken at each stage: one in so many, the last time all.
fn stages(rows: usize, d: usize, units: usize) -> Vec<usize> {
    let mut stages = vec![1];
    // Copies of the same records are few, and rows of all records have to be among them.
    if units == 1 && d <= WIDE {
        let most = (SEARCHED / (d * d).max(1)).max(ALWAYS_SEARCHED);
        while rows / stages[stages.len() - 1] > most {
            stages.push(stages[stages.len() - 1] * GROWTH);
        }
    }
    stages.reverse();
    stages
}

/// One row in so many, evenly spread.
fn every(rows: ArrayView2<'_, f64>, stride: usize) -> ArrayView2<'_, f64> {
    rows.slice_axis_move(Axis(0), Slice::new(0, None, stride.max(1) as isize))
}

/// The best of what was tried, and the account of it.
fn chosen(mut done: Vec<Fitted>) -> Result<(Mixture, Vec<MixtureTrial>), MixtureError> {
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

struct Search<'a> {
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    /// Rows of each record.
    units: usize,
    config: &'a MixtureConfig,
    /// Of how many rows one is taken.
    stride: usize,
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

/// Where EM begins.
#[derive(Debug, Clone, Copy)]
enum Start<'a> {
    /// One component, which needs no start.
    Rows,
    /// Clusters of some rows.
    Clusters(&'a Clusters),
    /// A mixture that fewer rows gave.
    Mixture(&'a Mixture),
    /// The same, near its optimum.
    Polish(&'a Mixture),
    /// There are no clusters; why.
    Nowhere(&'a str),
}

impl<'a> Start<'a> {
    fn of(clusters: Option<&'a Result<Clusters, String>>) -> Self {
        match clusters {
            None => Self::Rows,
            Some(Ok(clusters)) => Self::Clusters(clusters),
            Some(Err(why)) => Self::Nowhere(why),
        }
    }
}

struct Fitted {
    trial: MixtureTrial,
    fit: Result<Mixture, MixtureError>,
}

impl Search<'_> {
    /// Tries all settings; what fails is among the trials. `began` is when the fit began.
    fn run(&self, began: Instant) -> Vec<Fitted> {
        let mut done: Vec<Fitted> = Vec::new();
        let one = [1];
        let tried = if self.train.ncols() > WIDE { &one[..] } else { &self.config.components };
        for (step, &components) in tried.iter().enumerate() {
            // The first number of components is always tried.
            if step > 0 && !(self.bears(components) && self.in_time(began)) {
                break;
            }
            let before = best(&done).and_then(|i| done[i].trial.criterion);
            let start = self.clusters(components, 0);
            let fits: Vec<Fitted> = self
                .settings(components, &done)
                .par_iter()
                .map(|&setting| self.fit(components, Start::of(start.as_ref()), setting, 0))
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
            let starts = if components == 1 || !self.in_time(began) { 1 } else { self.config.starts };
            let again: Vec<Fitted> = (1..starts)
                .into_par_iter()
                .map(|start| {
                    let clusters = self.clusters(components, start);
                    self.fit(components, Start::of(clusters.as_ref()), setting, start)
                })
                .collect();
            done.extend(again);
        }
        done
    }

    /// Goes on with the best mixture that fewer rows gave, and tries more components than it has.
    fn grow(&self, done: &mut Vec<Fitted>, began: Instant) {
        let Some(at) = best(done).filter(|_| self.in_time(began)) else { return };
        let (Ok(mixture), trial) = (&done[at].fit, &done[at].trial) else { return };
        let (components, start, setting) = (trial.components, trial.start, Setting::of(trial));
        if self.stride == 1 {
            let polished = self.fit(components, Start::Polish(mixture), setting, start);
            done.push(polished);
            return;
        }
        let mut settings = vec![setting];
        // The more rows, the weaker the regularisation may be.
        let weaker = self.config.regularisation.iter().rev().find(|r| **r < setting.regularisation);
        settings.extend(weaker.map(|&regularisation| Setting { regularisation, ..setting }));
        let further: Vec<Fitted> = settings
            .par_iter()
            .map(|&setting| self.fit(components, Start::Mixture(mixture), setting, start))
            .collect();
        done.extend(further);
        for &components in self.config.components.iter().filter(|k| **k > components) {
            let Some(at) = best(done).filter(|_| self.bears(components) && self.in_time(began)) else {
                return;
            };
            let (before, setting) = (done[at].trial.criterion, Setting::of(&done[at].trial));
            let clusters = self.clusters(components, 0);
            let more = self.fit(components, Start::of(clusters.as_ref()), setting, 0);
            let better = more.trial.criterion > before;
            done.push(more);
            if !better {
                return;
            }
        }
    }

    /// Whether there is time for what comes next. Each number of components, and each stage, takes about as
    /// long as all before it together.
    fn in_time(&self, began: Instant) -> bool {
        self.config.deadline.is_none_or(|over| Instant::now() + began.elapsed() < over)
    }

    /// Whether there are records for so many components, five for each.
    fn bears(&self, components: usize) -> bool {
        self.records() >= 5 * components
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

    fn fit(&self, components: usize, from: Start<'_>, setting: Setting, start: usize) -> Fitted {
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
            let found = match from {
                Start::Rows => em.one(self.train),
                Start::Clusters(clusters) => em.start(clusters).and_then(|start| em.run(self.train, start)),
                Start::Mixture(mixture) => em.run(self.train, mixture.clone()),
                Start::Polish(mixture) => {
                    let max_iterations = em.max_iterations.min(POLISHING);
                    Em { max_iterations, ..em }.run(self.train, mixture.clone())
                }
                Start::Nowhere(why) => break Err(MixtureError::NoStart(why.to_owned())),
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
            every: self.stride,
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
