//! Choosing the settings of an autoregressive mixture, coordinate by coordinate.
//!
//! The log-density is a sum over the coordinates, so that each chooses for itself. The search goes through
//! the numbers of experts, all coordinates one number at a time: if the time is over, what has been found so
//! far is a density of all coordinates.

use std::time::Instant;

use ndarray::{Array1, Array2, ArrayView2, Axis};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::density::{AutoregressiveMixture, Link};
use super::em::Em;
use super::experts::Experts;
use super::order::{correlations, most_telling, ordered};
use super::rows::Rows;
use super::settings::ArmixConfig;
use crate::baseline::em::cluster_labels;
use crate::baseline::error::{MixtureError, check_rows};
use crate::baseline::kernel::Kernel;
use crate::num::moments::Moments;

/// Sum over the coordinates of rows × coefficients² that one pass of the search may take; beyond it, fewer
/// rows are taken.
const WORK: f64 = 1.5e8;
/// Fewest rows of the search, as far as there are so many.
const FEWEST_ROWS: usize = 1_000;
/// Improvement of the mean log-density of a coordinate that a larger number of experts must bring.
const WORTH: f64 = 2e-3;
/// Records that an expert needs at least.
const RECORDS: usize = 20;

/// What was chosen for a coordinate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmixTrial {
    /// The coordinate.
    pub coordinate: usize,
    /// The coordinates that it is given.
    pub given: Vec<usize>,
    /// Number of experts.
    pub experts: usize,
    /// Records that the pull towards a single regression is worth.
    pub ridge: f64,
    /// Degrees of freedom.
    pub degrees: f64,
    /// Settings that were tried.
    pub tried: usize,
    /// The value by which they were chosen: the mean log-density of the coordinate in the validation rows.
    /// Without validation rows it is minus half the Bayesian information criterion per training record.
    pub criterion: f64,
}

/// Fits an autoregressive mixture to `train`, with the settings of each coordinate that do best on
/// `validation`.
///
/// `units` is the number of copies of each record among the rows (noise draws).
///
/// # Shapes
/// `train: (n, d)`, `validation: (m, d)`
///
/// # Errors
/// [`MixtureError`] for arrays without rows, with unequal widths or with numbers that are not finite.
pub fn fit_armix<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    units: usize,
    config: &ArmixConfig,
) -> Result<(AutoregressiveMixture, Vec<ArmixTrial>), MixtureError> {
    config.check()?;
    check_rows(train, validation)?;
    let moments: Vec<Moments> = train.columns().into_iter().map(|c| c.iter().copied().collect()).collect();
    let centre: Array1<f64> = moments.iter().map(Moments::mean).collect();
    let spread = |m: &Moments| Some(m.variance().sqrt()).filter(|s| s.is_normal()).unwrap_or(1.0);
    let scale: Array1<f64> = moments.iter().map(spread).collect();
    let standard = |v: ArrayView2<'_, f64>| -> Array2<f64> { (&v - &centre) / &scale };

    let some = thinned(train, config.search_rows);
    let related = correlations(standard(some.view()).view());
    let order = ordered(config.order, related.view(), &config.context, config.seed);
    let mut come = config.context.clone();
    let mut searches = Vec::with_capacity(order.len());
    for &coordinate in &order {
        searches.push(Search::new(
            coordinate,
            most_telling(related.view(), &come, coordinate, config.most_given),
        ));
        come.push(coordinate);
    }
    let per_row: f64 = searches.iter().map(|s| ((s.given.len() + 1) as f64).powi(2)).sum();
    let fitting = |rows: usize, work: f64| rows.min(((work / per_row) as usize).max(FEWEST_ROWS));
    let data = Data {
        train: standard(thinned(train, fitting(config.search_rows, WORK)).view()),
        validation: standard(thinned(validation, fitting(config.search_rows, WORK)).view()),
        units: units.max(1),
        config,
    };
    let begun = Instant::now();
    // Each number of experts takes about as long as all before it together, and so does the last fit.
    let in_time = || config.deadline.is_none_or(|over| Instant::now() + begun.elapsed() < over);
    for &experts in &config.experts {
        if experts > 1 && (data.records() < RECORDS * experts || !in_time()) {
            break;
        }
        let labels = if experts > 1 { data.labels(experts) } else { Vec::new() };
        searches
            .par_iter_mut()
            .map(|search| search.try_experts(&data, experts, &labels))
            .collect::<Result<(), _>>()?;
        if searches.iter().all(|search| search.finished) {
            break;
        }
    }
    let fitted = fitting(config.rows, 8.0 * WORK);
    if data.train.nrows() < train.nrows().min(fitted) && in_time() {
        let more = standard(thinned(train, fitted).view());
        searches.par_iter_mut().for_each(|search| search.refine(&data, more.view()));
    }
    let log_scale = |j: usize| scale[j].ln();
    let mut links = Vec::with_capacity(searches.len());
    let mut trials = Vec::with_capacity(searches.len());
    for search in searches {
        let (link, mut trial) = search.finish()?;
        trial.criterion -= log_scale(trial.coordinate);
        links.push(link);
        trials.push(trial);
    }
    Ok((AutoregressiveMixture::new(centre, scale, config.context.clone(), links)?, trials))
}

/// At most `most` of the rows, evenly spread over them.
fn thinned(rows: ArrayView2<'_, f64>, most: usize) -> Array2<f64> {
    let n = rows.nrows();
    if n <= most {
        return rows.to_owned();
    }
    let at: Vec<usize> = (0..most).map(|i| i * n / most).collect();
    rows.select(Axis(0), &at)
}

/// Standardised rows, with what is tried.
struct Data<'a> {
    train: Array2<f64>,
    validation: Array2<f64>,
    units: usize,
    config: &'a ArmixConfig,
}

impl Data<'_> {
    fn records(&self) -> usize {
        self.train.nrows() / self.units
    }

    /// The cluster of each training row: where EM starts.
    fn labels(&self, k: usize) -> Vec<usize> {
        let seed = self.config.seed.child("armix-start", k as u64);
        cluster_labels(self.train.view(), k, seed).unwrap_or_else(|_| {
            // k-means fails where there are fewer distinct rows than clusters; any division will do there.
            (0..self.train.nrows()).map(|i| i % k).collect()
        })
    }

    fn em(&self, setting: Setting) -> Em {
        Em {
            kernel: setting.kernel,
            ridge: setting.ridge * self.units as f64,
            tolerance: self.config.tolerance,
            max_iterations: self.config.max_iterations,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
struct Setting {
    ridge: f64,
    kernel: Kernel,
}

/// The search of one coordinate.
struct Search {
    coordinate: usize,
    given: Vec<usize>,
    /// The best single expert, which all others are drawn towards.
    common: Option<Experts>,
    best: Option<Best>,
    tried: usize,
    finished: bool,
}

struct Best {
    experts: Experts,
    setting: Setting,
    criterion: f64,
}

impl Search {
    fn new(coordinate: usize, given: Vec<usize>) -> Self {
        Self { coordinate, given, common: None, best: None, tried: 0, finished: false }
    }

    fn rows(&self, z: ArrayView2<'_, f64>) -> Rows {
        Rows::of(z, &self.given, self.coordinate)
    }

    /// Tries a number of experts, unless a smaller one brought nothing.
    fn try_experts(&mut self, data: &Data<'_>, k: usize, labels: &[usize]) -> Result<(), MixtureError> {
        if self.finished {
            return Ok(());
        }
        let (train, held_out) = (self.rows(data.train.view()), self.rows(data.validation.view()));
        let before = self.best.as_ref().map(|b| b.criterion);
        let mut best: Option<Best> = None;
        let mut tried: Vec<Setting> = Vec::new();
        let mut waiting = self.first_settings(data.config, k);
        while !waiting.is_empty() {
            for setting in std::mem::take(&mut waiting) {
                tried.push(setting);
                let em = data.em(setting);
                // Only the first setting of several experts starts from clusters, the others from the best so
                // far.
                let fitted = match (&self.common, &best) {
                    (Some(common), Some(best)) if k > 1 => em.from(&train, common, best.experts.clone()),
                    (Some(common), None) if k > 1 => em.several(&train, common, labels, k),
                    _ => em.one(&train),
                };
                let Ok((experts, _)) = fitted else { continue };
                let criterion = criterion(&experts, &train, &held_out, data.records());
                if criterion.is_finite() && best.as_ref().is_none_or(|b| criterion > b.criterion) {
                    best = Some(Best { experts, setting, criterion });
                }
            }
            // Onwards from the best setting, as long as one of its neighbours has not been tried.
            if let Some(best) = &best {
                waiting = neighbours(data.config, best.setting);
                waiting.retain(|setting| !tried.contains(setting));
            }
        }
        self.tried += tried.len();
        let Some(best) = best else {
            if k == 1 {
                return Err(MixtureError::NotFiniteDensity);
            }
            self.finished = true;
            return Ok(());
        };
        if k == 1 {
            self.common = Some(best.experts.clone());
        }
        if before.is_none_or(|before| best.criterion > before + WORTH) {
            self.best = Some(best);
        } else {
            self.finished = true;
        }
        Ok(())
    }

    /// Where the search of settings begins: in the middle at first, and then at the best setting of the
    /// number of experts before.
    fn first_settings(&self, config: &ArmixConfig, k: usize) -> Vec<Setting> {
        let middle = |values: &[f64]| values[values.len() / 2];
        let kernel = Kernel::T(middle(&config.degrees));
        match &self.best {
            // A ridge of a single regression says little about that of several.
            Some(best) if k == config.experts.get(1).copied().unwrap_or(0) => {
                vec![Setting { ridge: middle(&config.ridge), kernel: best.setting.kernel }]
            }
            Some(best) => vec![best.setting],
            None => vec![Setting { ridge: config.ridge[0], kernel }],
        }
    }

    /// Fits the chosen setting to more rows, from where it is.
    fn refine(&mut self, data: &Data<'_>, more: ArrayView2<'_, f64>) {
        let (Some(best), Some(common)) = (self.best.take(), &self.common) else { return };
        let (train, held_out) = (self.rows(more), self.rows(data.validation.view()));
        let fitted = data.em(best.setting).from(&train, common, best.experts.clone());
        let again = fitted.ok().map(|(experts, _)| {
            let criterion = criterion(&experts, &train, &held_out, more.nrows() / data.units);
            Best { experts, setting: best.setting, criterion }
        });
        // More rows make a better fit but for chance; where there are no validation rows, the two criteria
        // are of different rows and say nothing.
        let better = |a: &Best| held_out.y.is_empty() || a.criterion >= best.criterion;
        self.best = Some(again.filter(better).unwrap_or(best));
    }

    fn finish(self) -> Result<(Link, ArmixTrial), MixtureError> {
        let best = self.best.ok_or(MixtureError::NotFiniteDensity)?;
        let trial = ArmixTrial {
            coordinate: self.coordinate,
            given: self.given.clone(),
            experts: best.experts.n_experts(),
            ridge: best.setting.ridge,
            degrees: best.setting.kernel.degrees().unwrap_or(f64::INFINITY),
            tried: self.tried,
            criterion: best.criterion,
        };
        Ok((Link { coordinate: self.coordinate, given: self.given, experts: best.experts }, trial))
    }
}

/// The settings one step away.
fn neighbours(config: &ArmixConfig, of: Setting) -> Vec<Setting> {
    let beside = |count: usize, at: Option<usize>| {
        let at = at.unwrap_or(0);
        [at.checked_sub(1), Some(at + 1).filter(|&next| next < count)].into_iter().flatten()
    };
    let kernels = config.kernels();
    let ridges = beside(config.ridge.len(), config.ridge.iter().position(|&r| r == of.ridge));
    let shapes = beside(kernels.len(), kernels.iter().position(|&k| k == of.kernel));
    ridges
        .map(|i| Setting { ridge: config.ridge[i], ..of })
        .chain(shapes.map(|i| Setting { kernel: kernels[i], ..of }))
        .collect()
}

fn criterion(experts: &Experts, train: &Rows, held_out: &Rows, records: usize) -> f64 {
    let mean = |rows: &Rows| experts.log_prob(rows.x.view(), rows.y.view()).mean();
    if let Some(held_out) = mean(held_out) {
        return held_out;
    }
    let n = records.max(1) as f64;
    mean(train).unwrap_or(f64::NEG_INFINITY) - 0.5 * experts.n_parameters() as f64 * n.ln() / n
}

#[cfg(test)]
mod tests;
