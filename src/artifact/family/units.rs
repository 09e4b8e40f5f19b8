//! Coordinates of any unit for a fit that wants them near one.
//!
//! Expectation maximisation adds the same number to every variance, and a table that is passed through
//! untouched may hold a column in metres beside one in nanometres. Where the standard deviations of
//! coordinates are far from 1 the mixture is fitted to standardised ones and then brought back,
//!
//! ```text
//! y = (v − m)/s        p(v) = p(y) / Π s        μ_v = m + s μ_y        Σ_v = s Σ_y sᵀ
//! ```
//!
//! which is the same density in the units of the coordinates.

use ndarray::{Array1, Array2, ArrayView2, Axis};

use crate::baseline::{Mixture, MixtureConfig, MixtureError, MixtureTrial, fit_mixture};
use crate::num::moments::Moments;

/// Standard deviations that need no change.
const ORDINARY: std::ops::RangeInclusive<f64> = 1e-2..=1e3;

/// As [`fit_mixture`], for coordinates of any unit.
pub(super) fn fit_in_any_unit<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
    units: usize,
    config: &'a MixtureConfig,
) -> Result<(Mixture, Vec<MixtureTrial>), MixtureError> {
    let moments: Vec<Moments> = train.columns().into_iter().map(|c| c.iter().copied().collect()).collect();
    let spread = |m: &Moments| Some(m.variance().sqrt()).filter(|s| s.is_normal()).unwrap_or(1.0);
    let scale: Array1<f64> = moments.iter().map(spread).collect();
    if scale.iter().all(|s| ORDINARY.contains(s)) {
        return fit_mixture(train, validation, units, config);
    }
    let centre: Array1<f64> = moments.iter().map(Moments::mean).collect();
    let standard = |v: ArrayView2<'_, f64>| -> Array2<f64> { (&v - &centre) / &scale };
    let (train, validation) = (standard(train), standard(validation));
    let (gmm, mut trials) = fit_mixture(train.view(), validation.view(), units, config)?;
    let means = &gmm.means() * &scale + &centre;
    let column = scale.view().insert_axis(Axis(1));
    let outer = column.dot(&column.t());
    let covariances = &gmm.covariances() * &outer;
    let restored = Mixture::with_kernel(gmm.kernel(), gmm.weights().to_owned(), means, covariances)?;
    let restored = restored.conditioned_on(&config.context)?;
    // What the search tells of itself is in the units of the coordinates too, the given ones left out.
    let free = scale.iter().enumerate().filter(|(j, _)| !config.context.contains(j));
    let log_scale: f64 = free.map(|(_, s)| s.ln()).sum();
    for trial in &mut trials {
        for log_prob in [&mut trial.train_log_prob, &mut trial.criterion].into_iter().flatten() {
            *log_prob -= log_scale;
        }
    }
    Ok((restored, trials))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::density::Density;
    use crate::random::Seed;

    #[test]
    fn the_density_does_not_hang_on_the_unit() {
        let ordinary = Mixture::new(
            ndarray::array![0.5, 0.5],
            ndarray::array![[0.0, 0.0], [3.0, -2.0]],
            ndarray::Array3::from_shape_fn((2, 2, 2), |(_, i, j)| if i == j { 1.0 } else { 0.3 }),
        )
        .unwrap()
        .sample(600, Seed(3));
        let units = ndarray::array![1e-12, 1e9];
        let scaled = &ordinary * &units + &ndarray::array![0.0, 5e9];
        let config = MixtureConfig { components: vec![1, 2], starts: 1, ..MixtureConfig::default() };
        let halves = |x: &Array2<f64>| {
            let (a, b) = x.view().split_at(Axis(0), 400);
            (a.to_owned(), b.to_owned())
        };
        let fitted = |x: &Array2<f64>| {
            let (train, validation) = halves(x);
            let (gmm, trials) = fit_in_any_unit(train.view(), validation.view(), 1, &config).unwrap();
            let chosen = trials.into_iter().find(|t| t.chosen).unwrap();
            (gmm.log_prob(x.view()).mean().unwrap(), chosen.criterion.unwrap())
        };
        let (plain, odd) = (fitted(&ordinary), fitted(&scaled));
        let log_scale = units.iter().map(|u| f64::ln(*u)).sum::<f64>();
        // Standardised to variance one, what is added to the variances weighs a little differently.
        assert!((plain.0 - odd.0 - log_scale).abs() < 0.02, "{plain:?} {odd:?}");
        assert!((plain.1 - odd.1 - log_scale).abs() < 0.02, "{plain:?} {odd:?}");
    }
}
