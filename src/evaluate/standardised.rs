//! A Gaussian mixture over the standardised numbers of a record, beside the model of its normal scores.
//!
//! A normal-score transform spreads values evenly whatever their distances, so that a record far from all
//! others in units of the standard deviation may have an ordinary vector. This mixture sees the distances. It
//! is smoothed strongly (a tenth of a column's variance), holds no record, and is used for ranking only: it
//! is no likelihood of the data, since missing values stand at the mean and rounded ones carry no noise.

mod onnx;

use ndarray::{Array2, ArrayView1, ArrayView2};
use serde::{Deserialize, Serialize};

use crate::features::Encoder;
use crate::num::stable::log_sum_exp;
use crate::num::triangular::cholesky;

/// Where a column lies among the standardised numbers.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Axis {
    /// Column of the encoder.
    pub column: usize,
    /// Training mean.
    pub center: f64,
    /// Training standard deviation.
    pub spread: f64,
}

/// One Gaussian.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Component {
    /// ln weight − ½ ln det Σ − d/2 ln 2π.
    log_scale: f64,
    mean: Vec<f64>,
    /// Rows of the lower factor L of Σ = L·Lᵀ, up to the diagonal.
    factor: Vec<Vec<f64>>,
}

/// The mixture with the axes it lives on.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standardised {
    axes: Vec<Axis>,
    components: Vec<Component>,
}

/// The axes of an encoder: its numbers that vary in training. Levels of text have no distances.
pub fn axes(encoder: &Encoder) -> Vec<Axis> {
    let columns = encoder.columns.iter().enumerate();
    let numbers = columns.filter(|(_, c)| c.levels.is_empty() && c.sd > 0.0 && c.sd.is_finite());
    numbers.map(|(column, c)| Axis { column, center: c.mean, spread: c.sd }).collect()
}

/// Records on `axes`; a missing value stands at the mean.
///
/// # Shapes
/// `raw: (n, p)` as given by [`Encoder::raw`] → `(n, axes)`
pub fn standardise(axes: &[Axis], raw: ArrayView2<'_, f64>) -> Array2<f64> {
    let mut out = Array2::zeros((raw.nrows(), axes.len()));
    for (mut to, from) in out.rows_mut().into_iter().zip(raw.rows()) {
        to.iter_mut().zip(axes).for_each(|(z, axis)| *z = axis.of(from));
    }
    out
}

impl Axis {
    fn of(&self, row: ArrayView1<'_, f64>) -> f64 {
        let x = row[self.column];
        if x.is_nan() { 0.0 } else { (x - self.center) / self.spread }
    }
}

impl Standardised {
    /// Takes a mixture fitted to [`standardise`]d records; nothing where a covariance is not positive
    /// definite.
    ///
    /// # Shapes
    /// `means: (k, axes)`, one weight and one covariance `(axes, axes)` per component
    pub fn new<'a>(
        axes: Vec<Axis>,
        weights: &[f64],
        means: ArrayView2<'_, f64>,
        covariances: impl Iterator<Item = ArrayView2<'a, f64>>,
    ) -> Option<Self> {
        let constant = -0.5 * axes.len() as f64 * std::f64::consts::TAU.ln();
        let component = |((weight, mean), covariance): ((&f64, ArrayView1<'_, f64>), ArrayView2<'_, f64>)| {
            let l = cholesky(covariance)?;
            let log_det: f64 = l.diag().iter().map(|v| v.ln()).sum();
            Some(Component {
                log_scale: weight.ln() - log_det + constant,
                mean: mean.to_vec(),
                factor: l.rows().into_iter().enumerate().map(|(i, r)| r.to_vec()[..=i].to_vec()).collect(),
            })
        };
        let components =
            weights.iter().zip(means.rows()).zip(covariances).map(component).collect::<Option<_>>()?;
        Some(Self { axes, components })
    }

    /// Minus the log-density of a record on the axes, in nats.
    pub fn surprise(&self, row: ArrayView1<'_, f64>) -> f64 {
        let z: Vec<f64> = self.axes.iter().map(|a| a.of(row)).collect();
        let logs: Vec<f64> = self.components.iter().map(|c| c.log_density(&z)).collect();
        -log_sum_exp(&logs)
    }
}

impl Component {
    fn log_density(&self, z: &[f64]) -> f64 {
        let mut solved = vec![0.0; z.len()];
        let mut squares = 0.0;
        for (i, row) in self.factor.iter().enumerate() {
            let inner: f64 = row[..i].iter().zip(&solved).map(|(l, s)| l * s).sum();
            solved[i] = (z[i] - self.mean[i] - inner) / row[i];
            squares += solved[i] * solved[i];
        }
        self.log_scale - 0.5 * squares
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array3, array};

    /// By hand, for 0.25·N([0, 0], [[1, ½], [½, 1]]) + 0.75·N([1, 1], I) at [1, 2]: N₁ = exp(−2)/(2π·√0.75) =
    /// 0.024871, N₂ = exp(−0.5)/(2π) = 0.096532; −ln(0.0062178 + 0.072399) = 2.54317.
    #[test]
    fn surprise_is_minus_the_mixtures_log_density() {
        let axis = |column| Axis { column, center: 0.0, spread: 1.0 };
        let covariances =
            Array3::from_shape_vec((2, 2, 2), vec![1.0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 1.0]).unwrap();
        let means = array![[0.0, 0.0], [1.0, 1.0]];
        let s =
            Standardised::new(vec![axis(0), axis(2)], &[0.25, 0.75], means.view(), covariances.outer_iter())
                .unwrap();
        let got = s.surprise(array![1.0, 9.0, 2.0].view());
        assert!((got - 2.543_17).abs() < 1e-4, "{got}");
        let missing = s.surprise(array![1.0, 9.0, f64::NAN].view());
        assert!((missing - s.surprise(array![1.0, 9.0, 0.0].view())).abs() < 1e-15);
        assert!(s.surprise(array![1e9, 0.0, 0.0].view()) > 1e15);
        let singular = Array3::zeros((2, 2, 2));
        assert!(
            Standardised::new(vec![axis(0), axis(2)], &[0.5, 0.5], means.view(), singular.outer_iter())
                .is_none()
        );
    }
}
