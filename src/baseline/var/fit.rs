//! Fitting: moments of consecutive training samples, order by validation likelihood, then the mixture of innovations.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice};
use serde::{Deserialize, Serialize};

use super::{Var, part, span};
use crate::baseline::{Gmm, GmmConfig, GmmError, fit_gmm};
use crate::density::Density;
use crate::random::Seed;

/// Added to the diagonal of the covariance, in units of its mean diagonal: keeps noise-free signals factorable.
const RIDGE: f64 = 1e-9;
/// Innovations the mixture is fitted on, and as many to choose it by.
const INNOVATIONS: usize = 20_000;
/// Validation windows the order is chosen by.
const CHOOSING: usize = 256;

/// What is tried when a vector autoregression is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarConfig {
    /// Orders, ascending; those of half a window and more are left out.
    pub orders: Vec<usize>,
    /// Components of the innovations' mixture.
    pub components: Vec<usize>,
    /// Seed of the mixture's starts.
    pub seed: Seed,
}

impl Default for VarConfig {
    fn default() -> Self {
        Self {
            orders: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48],
            components: vec![1, 2, 3, 4, 6, 8],
            seed: Seed(0),
        }
    }
}

/// One order of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VarTrial {
    /// Order p.
    pub order: usize,
    /// Mean log-density of validation windows with Gaussian innovations, per coordinate; absent when the fit failed.
    pub criterion: Option<f64>,
    /// Whether this is the order of the model.
    pub chosen: bool,
}

/// Fits on windows of `channels` channels, time-major, and chooses on `validation`.
///
/// # Shapes
/// `train: (n, T·C)`, `validation: (m, T·C)`; with m = 0 the largest order that can be fitted is taken from the training
/// windows themselves.
///
/// # Errors
/// [`GmmError`] for arrays without rows, of the wrong width or with non-finite numbers, and when no order can be fitted.
pub fn fit_var<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    channels: usize,
    config: &VarConfig,
) -> Result<(Var, Vec<VarTrial>), GmmError> {
    let (n, d) = train.dim();
    if n == 0 {
        return Err(GmmError::TooFewRows { rows: 0, needed: 1 });
    }
    if channels == 0 || d % channels != 0 || d / channels < 3 {
        return Err(GmmError::Shape {
            what: "windows",
            got: train.shape().to_vec(),
            expected: vec![n, 3 * channels.max(1)],
        });
    }
    for (what, x) in [("training", train), ("validation", validation)] {
        if let Some(((row, column), _)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(GmmError::NotFinite { what, row, column });
        }
    }
    let length = d / channels;
    let mut orders: Vec<usize> = config.orders.iter().copied().filter(|&p| p > 0 && 2 * p < length).collect();
    if orders.is_empty() {
        orders.push(1);
    }
    let largest = orders.iter().copied().max().unwrap_or(1);
    let (mean, covariance) = moments(train, channels, largest);
    let judge = if validation.nrows() > 0 { validation } else { train };
    let judge = part(judge, 0..judge.nrows().min(CHOOSING), 0..d);
    let mut trials = Vec::new();
    let mut best: Option<(f64, usize)> = None;
    for &order in &orders {
        let model = gaussian(length, channels, order, &mean, &covariance)?;
        let mean_log_prob = model.log_prob(judge).mean().unwrap_or(f64::NAN) / d as f64;
        let criterion = Some(mean_log_prob).filter(|c| c.is_finite());
        if let Some(c) = criterion
            && best.is_none_or(|(b, _)| c > b)
        {
            best = Some((c, order));
        }
        trials.push(VarTrial { order, criterion, chosen: false });
    }
    let (_, order) = best.ok_or(GmmError::NotPositiveDefinite { component: 0 })?;
    for trial in &mut trials {
        trial.chosen = trial.order == order;
    }
    // The chosen order sees every run of its own length.
    let (mean, covariance) = moments(train, channels, order);
    let model = gaussian(length, channels, order, &mean, &covariance)?;
    let mixture = GmmConfig {
        components: config.components.clone(),
        regularisation: vec![1e-4, 1e-3, 1e-2],
        starts: 2,
        seed: config.seed.child("var-innovations", 0),
        ..GmmConfig::default()
    };
    let fitted = thinned(&model.innovations(train));
    let chosen_by = thinned(&model.innovations(validation));
    let (innovation, _) = fit_gmm(fitted.view(), chosen_by.view(), 1, &mixture)?;
    Ok((model.with_innovation(innovation), trials))
}

/// Mean and covariance of `order` + 1 consecutive samples over all runs of all windows, with a trace of a ridge.
fn moments(windows: ArrayView2<'_, f64>, channels: usize, order: usize) -> (Array1<f64>, Array2<f64>) {
    let (n, d) = windows.dim();
    let width = (order + 1) * channels;
    let runs = d / channels - order;
    // Runs share nearly all samples: the mean over runs starts from one estimate, the rest is exact.
    let centre = windows.mean().unwrap_or(0.0);
    let mut sum = Array1::<f64>::zeros(width);
    let mut square = Array2::<f64>::zeros((width, width));
    let mut stacked = Array2::<f64>::zeros((runs, width));
    for row in windows.rows() {
        for (t, mut run) in stacked.rows_mut().into_iter().enumerate() {
            run.assign(&span(row, t * channels..t * channels + width));
        }
        stacked -= centre;
        sum += &stacked.sum_axis(Axis(0));
        square += &stacked.t().dot(&stacked);
    }
    let count = (n * runs) as f64;
    let mean = sum / count;
    let outer = mean.view().insert_axis(Axis(1)).dot(&mean.view().insert_axis(Axis(0)));
    let mut covariance = square / count - outer;
    let ridge = RIDGE * covariance.diag().mean().unwrap_or(0.0).max(f64::MIN_POSITIVE);
    covariance.diag_mut().mapv_inplace(|x| x + ridge);
    (mean + centre, covariance)
}

/// The model of an order with standard normal innovations; of larger moments, the last samples are taken.
fn gaussian(
    length: usize,
    channels: usize,
    order: usize,
    mean: &Array1<f64>,
    covariance: &Array2<f64>,
) -> Result<Var, GmmError> {
    let from = mean.len() - (order + 1) * channels;
    let normal = Gmm::new(
        Array1::ones(1),
        Array2::zeros((1, channels)),
        Array3::from_shape_fn((1, channels, channels), |(_, i, j)| f64::from(u8::from(i == j))),
    )?;
    let n = mean.len();
    let covariance = part(covariance.view(), from..n, from..n).to_owned();
    Var::new(length, channels, span(mean.view(), from..n).to_owned(), covariance, normal)
}

/// Every k-th innovation, so that few enough are left.
fn thinned(e: &Array2<f64>) -> Array2<f64> {
    let step = e.nrows().div_ceil(INNOVATIONS).max(1);
    // A step that divides the window would always meet the same samples.
    let step = if step > 1 { step | 1 } else { 1 };
    e.slice_axis(Axis(0), Slice::from(..).step_by(step as isize)).to_owned()
}
