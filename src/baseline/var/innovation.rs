//! The mixture of the whitened innovations, by expectation maximisation from nested scales.
//!
//! Innovations of bedside signals are mostly small and now and then huge. Starts by k-means spend their
//! centres on the huge ones. Here every component starts at the origin with a spread of its own, and EM moves
//! the means and covariances from there.

use ndarray::{Array1, Array2, Array3, ArrayView2, Axis};

use crate::baseline::{Mixture, MixtureError};
use crate::density::Density;
use crate::num::stable::log_sum_exp;

/// Smallest and largest starting spread, in units of the overall standard deviation.
const SPREADS: (f64, f64) = (0.05, 4.0);
/// Added to each variance, so that a component cannot collapse onto one innovation.
const FLOOR: f64 = 1e-6;
/// A component whose weight is below this value is not updated any more.
const FADED: f64 = 1e-6;

/// Returns a mixture of `components` components after `iterations` steps of EM.
///
/// # Errors
/// [`MixtureError`] when a covariance has no Cholesky factor.
pub(super) fn fit(
    e: ArrayView2<'_, f64>,
    components: usize,
    iterations: usize,
) -> Result<Mixture, MixtureError> {
    let c = e.ncols();
    let mut gmm = start(components, c)?;
    for _ in 0..iterations {
        let r = responsibilities(&gmm, e)?;
        let mut weights = gmm.weights().to_owned();
        let mut means = gmm.means().to_owned();
        let mut covariances = gmm.covariances().to_owned();
        let n = e.nrows().max(1) as f64;
        for k in 0..components {
            let share = r.column(k);
            let total = share.sum();
            weights[k] = total / n;
            if weights[k] < FADED {
                continue;
            }
            let mean = share.dot(&e) / total;
            let centred = &e - &mean;
            let weighted = &centred * &share.insert_axis(Axis(1));
            let mut covariance = weighted.t().dot(&centred) / total;
            covariance.diag_mut().mapv_inplace(|x| x + FLOOR);
            means.row_mut(k).assign(&mean);
            covariances.index_axis_mut(Axis(0), k).assign(&covariance);
        }
        let sum = weights.sum();
        gmm = Mixture::new(weights / sum, means, covariances)?;
    }
    Ok(gmm)
}

fn start(components: usize, channels: usize) -> Result<Mixture, MixtureError> {
    let (low, high) = SPREADS;
    let spread = |k: usize| {
        let at = if components > 1 { k as f64 / (components - 1) as f64 } else { 0.5 };
        if components > 1 { low * (high / low).powf(at) } else { 1.0 }
    };
    Mixture::new(
        Array1::from_elem(components, 1.0 / components as f64),
        Array2::zeros((components, channels)),
        Array3::from_shape_fn(
            (components, channels, channels),
            |(k, i, j)| {
                if i == j { spread(k).powi(2) } else { 0.0 }
            },
        ),
    )
}

/// Returns the probability that each innovation came from each component, `(n, k)`.
fn responsibilities(gmm: &Mixture, e: ArrayView2<'_, f64>) -> Result<Array2<f64>, MixtureError> {
    let k = gmm.n_components();
    let mut log = Array2::<f64>::zeros((e.nrows(), k));
    for j in 0..k {
        let mean = gmm.means().row(j).to_owned().insert_axis(Axis(0));
        let covariance = gmm.covariances().index_axis(Axis(0), j).to_owned().insert_axis(Axis(0));
        let one = Mixture::new(Array1::ones(1), mean, covariance)?;
        log.column_mut(j).assign(&(one.log_prob(e) + gmm.weights()[j].ln()));
    }
    for mut row in log.rows_mut() {
        let total = log_sum_exp(row.as_slice().expect("invariant: made here"));
        row.mapv_inplace(|x| (x - total).exp());
    }
    Ok(log)
}

/// Returns how much each innovation counts in least squares: the expected precision of its component, scaled
/// to mean 1.
///
/// # Errors
/// The errors of [`fit`].
pub(super) fn precisions(gmm: &Mixture, e: ArrayView2<'_, f64>) -> Result<Array1<f64>, MixtureError> {
    let r = responsibilities(gmm, e)?;
    let c = e.ncols() as f64;
    let variance = |k: usize| gmm.covariances().index_axis(Axis(0), k).diag().sum() / c;
    let precision: Array1<f64> = (0..gmm.n_components()).map(|k| 1.0 / variance(k)).collect();
    let w = r.dot(&precision);
    let mean = w.mean().unwrap_or(1.0);
    Ok(w / mean)
}
