//! Fitting a vector autoregression: weighted moments of consecutive training samples, then the order by
//! validation likelihood, and then the mixture of the innovations.
//!
//! In plain least squares, a flushed line or a moving finger would outweigh a thousand quiet beats. Every
//! sample is therefore weighted by the precision of the mixture component that its innovation belongs to, as
//! EM for scale mixtures does.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice};
use serde::{Deserialize, Serialize};

use super::{Var, innovation, part, span};
use crate::baseline::{Mixture, MixtureError};
use crate::density::Density;
use crate::random::Seed;

/// Added to the diagonal of the covariance, in units of the mean of the diagonal. It lets the covariance of a
/// noise-free signal be factored.
const RIDGE: f64 = 1e-9;
/// Number of times that the samples are weighted by their innovations.
const REWEIGHTINGS: usize = 3;
/// Largest number of innovations on which the mixture is fitted.
const INNOVATIONS: usize = 20_000;
/// Largest number of validation windows by which the order is chosen.
const CHOOSING: usize = 256;

/// The settings that are tried when a vector autoregression is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarConfig {
    /// Orders, ascending. Orders of half a window or more are left out.
    pub orders: Vec<usize>,
    /// Numbers of components of the innovations' mixture.
    pub components: Vec<usize>,
    /// Number of samples at the start of each window that the density is conditioned on.
    #[serde(default, skip_serializing_if = "crate::num::is_zero")]
    pub past: usize,
    /// Seed of the noise the fit sees.
    pub seed: Seed,
}

impl Default for VarConfig {
    fn default() -> Self {
        Self {
            orders: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48],
            components: vec![3, 5, 8],
            past: 0,
            seed: Seed(0),
        }
    }
}

/// One order of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarTrial {
    /// Order p.
    pub order: usize,
    /// Mean log-density of the validation windows per coordinate, with a mixture of four components. It is
    /// absent when it is not finite.
    pub criterion: Option<f64>,
    /// Whether the model has this order.
    pub chosen: bool,
}

/// Fits a model on windows of `channels` channels, time-major, and chooses its settings on `validation`. The
/// moments are computed from all samples; the model is chosen by the density given the past.
///
/// # Shapes
/// `train: (n, T·C)`, `validation: (m, T·C)`. If m = 0, the training windows choose.
///
/// # Errors
/// [`MixtureError`] for arrays without rows, of the wrong width or with numbers that are not finite, and when
/// no order can be fitted.
pub fn fit_var<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    channels: usize,
    config: &VarConfig,
) -> Result<(Var, Vec<VarTrial>), MixtureError> {
    let (n, d) = train.dim();
    if n == 0 {
        return Err(MixtureError::TooFewRows { rows: 0, needed: 1 });
    }
    if channels == 0 || d % channels != 0 || d / channels < 3 {
        return Err(MixtureError::Shape {
            what: "windows",
            got: train.shape().to_vec(),
            expected: vec![n, 3 * channels.max(1)],
        });
    }
    for (what, x) in [("training", train), ("validation", validation)] {
        if let Some(((row, column), _)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(MixtureError::NotFinite { what, row, column });
        }
    }
    let length = d / channels;
    let own = d - (config.past * channels).min(d);
    let mut orders: Vec<usize> = config.orders.iter().copied().filter(|&p| p > 0 && 2 * p < length).collect();
    if orders.is_empty() {
        orders.push(1);
    }
    let (judge, judged) = if validation.nrows() > 0 { (validation, CHOOSING) } else { (train, n) };
    let judge = part(judge, 0..judge.nrows().min(judged), 0..d);
    // The weights of the samples come from an autoregression of middle order, and all orders use them.
    let middle = orders[orders.len() / 2];
    let mut weights: Option<Array2<f64>> = None;
    for _ in 0..REWEIGHTINGS {
        let (mean, covariance) = moments(train, channels, middle, weights.as_ref());
        let model = gaussian(length, channels, middle, &mean, &covariance)?;
        let e = model.innovations(train);
        let mixture = innovation::fit(thinned(&e).view(), 4, 15)?;
        let w = innovation::precisions(&mixture, e.view())?.mapv(|w| w.clamp(1e-3, 1e3));
        weights = Some(w.into_shape_with_order((n, length)).expect("invariant: one weight per sample"));
    }
    let largest = orders.iter().copied().max().unwrap_or(1);
    let (mean, covariance) = moments(train, channels, largest, weights.as_ref());
    let mut trials = Vec::new();
    let mut best: Option<(f64, usize)> = None;
    for &order in &orders {
        let model = gaussian(length, channels, order, &mean, &covariance)?.given(config.past)?;
        let mixture = innovation::fit(thinned(&model.innovations(train)).view(), 4, 15)?;
        let model = model.with_innovation(mixture);
        let mean_log_prob = model.log_prob(judge).mean().unwrap_or(f64::NAN) / own as f64;
        let criterion = Some(mean_log_prob).filter(|c| c.is_finite());
        if let Some(c) = criterion
            && best.is_none_or(|(b, _)| c > b)
        {
            best = Some((c, order));
        }
        trials.push(VarTrial { order, criterion, chosen: false });
    }
    let (_, order) = best.ok_or(MixtureError::NotPositiveDefinite { component: 0 })?;
    for trial in &mut trials {
        trial.chosen = trial.order == order;
    }
    // The moments of the chosen order use every run of its own length.
    let (mean, covariance) = moments(train, channels, order, weights.as_ref());
    let model = gaussian(length, channels, order, &mean, &covariance)?.given(config.past)?;
    let fitted = thinned(&model.innovations(train));
    let mut chosen: Option<(f64, Var)> = None;
    for &components in &config.components {
        let model = model.clone().with_innovation(innovation::fit(fitted.view(), components.max(1), 60)?);
        let value = model.log_prob(judge).mean().unwrap_or(f64::NEG_INFINITY);
        if chosen.as_ref().is_none_or(|(best, _)| value > *best) {
            chosen = Some((value, model));
        }
    }
    Ok((chosen.map_or(model, |(_, model)| model), trials))
}

/// Returns the mean and covariance of `order` + 1 consecutive samples over all runs of all windows, with a
/// small ridge. A run has the weight that its last sample has in `weights`, `(n, T)`.
fn moments(
    windows: ArrayView2<'_, f64>,
    channels: usize,
    order: usize,
    weights: Option<&Array2<f64>>,
) -> (Array1<f64>, Array2<f64>) {
    let d = windows.ncols();
    let width = (order + 1) * channels;
    let runs = d / channels - order;
    // The centre is close enough to the mean that the squares about it keep their digits.
    let centre = windows.mean().unwrap_or(0.0);
    let mut sum = Array1::<f64>::zeros(width);
    let mut square = Array2::<f64>::zeros((width, width));
    let mut stacked = Array2::<f64>::zeros((runs, width));
    let mut weighted = Array2::<f64>::zeros((runs, width));
    let mut total = 0.0;
    for (i, row) in windows.rows().into_iter().enumerate() {
        for (t, (mut run, mut scaled)) in stacked.rows_mut().into_iter().zip(weighted.rows_mut()).enumerate()
        {
            let weight = weights.map_or(1.0, |w| w[[i, t + order]]);
            run.assign(&span(row, t * channels..t * channels + width));
            run -= centre;
            scaled.assign(&run);
            scaled *= weight;
            total += weight;
        }
        sum += &weighted.sum_axis(Axis(0));
        square += &weighted.t().dot(&stacked);
    }
    let mean = sum / total;
    let outer = mean.view().insert_axis(Axis(1)).dot(&mean.view().insert_axis(Axis(0)));
    let covariance = square / total - outer;
    // Rounding leaves the product slightly asymmetric.
    let mut covariance = 0.5 * (&covariance + &covariance.t());
    let ridge = RIDGE * covariance.diag().mean().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    covariance.diag_mut().mapv_inplace(|x| x + ridge);
    (mean + centre, covariance)
}

/// Returns the model of one order with standard normal innovations. From moments of a larger order, it takes
/// the last samples.
fn gaussian(
    length: usize,
    channels: usize,
    order: usize,
    mean: &Array1<f64>,
    covariance: &Array2<f64>,
) -> Result<Var, MixtureError> {
    let from = mean.len() - (order + 1) * channels;
    let normal = Mixture::new(
        Array1::ones(1),
        Array2::zeros((1, channels)),
        Array3::from_shape_fn((1, channels, channels), |(_, i, j)| f64::from(u8::from(i == j))),
    )?;
    let n = mean.len();
    let covariance = part(covariance.view(), from..n, from..n).to_owned();
    Var::new(length, channels, span(mean.view(), from..n).to_owned(), covariance, normal)
}

/// Returns every k-th innovation, where k is chosen so that few enough remain.
fn thinned(e: &Array2<f64>) -> Array2<f64> {
    let step = e.nrows().div_ceil(INNOVATIONS).max(1);
    // A step that divides the length of a window would always take the same samples, so the step is odd.
    let step = if step > 1 { step | 1 } else { 1 };
    e.slice_axis(Axis(0), Slice::from(..).step_by(step as isize)).to_owned()
}
