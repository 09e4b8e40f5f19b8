//! The maps g from (dequantised) original units to a coordinate, each strictly monotone with known
//! log-derivative.

use serde::{Deserialize, Serialize};

use crate::num::moments::{mean, variance};
use crate::num::quantile::quantile_sorted;
use crate::schema::TransformKind;

use super::normal_score::Edge;
use super::{Levels, NormalScore};

/// A fitted map. `y` is a number of the column with its noise added; for [`Levels`](Transform::Levels) the
/// cell plus the position in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Transform {
    /// Monotone spline through training quantiles to N(0,1).
    NormalScore(NormalScore),
    /// v = (y − shift) / scale.
    Affine {
        /// Mean, median or 0.
        shift: f64,
        /// Standard deviation, scaled interquartile range or 1; positive.
        scale: f64,
    },
    /// v = (log(y + offset) − shift) / scale, continued by its tangent below y + offset = knee.
    LogAffine {
        /// Makes the training values positive.
        offset: f64,
        /// Where the tangent takes over; positive, below every training value.
        knee: f64,
        /// Mean of the logarithms.
        shift: f64,
        /// Their standard deviation; positive.
        scale: f64,
    },
    /// Intervals of a normal coordinate.
    Levels(Levels),
}

impl Transform {
    /// v = y.
    pub const IDENTITY: Self = Self::Affine { shift: 0.0, scale: 1.0 };

    /// Fits the map of a numeric column to its dequantised training values in ascending order.
    pub fn fit(kind: TransformKind, sorted: &[f64]) -> Self {
        Self::fit_with_edges(kind, sorted, &[])
    }

    /// As [`fit`](Self::fit); normal scores are exact at the edges of heavy point masses.
    pub(super) fn fit_with_edges(kind: TransformKind, sorted: &[f64], edges: &[Edge]) -> Self {
        match kind {
            TransformKind::None => Self::IDENTITY,
            TransformKind::NormalScore => NormalScore::fit_with_edges(sorted, edges)
                .map_or_else(|| Self::standardize(sorted), Self::NormalScore),
            TransformKind::Standardize => Self::standardize(sorted),
            TransformKind::Robust => {
                // Φ⁻¹(¾) − Φ⁻¹(¼): the interquartile range of N(0,1).
                let scale =
                    (quantile_sorted(sorted, 0.75) - quantile_sorted(sorted, 0.25)) / 1.348_979_500_392_163_4;
                match Self::standardize(sorted) {
                    Self::Affine { .. } if usable(scale) => {
                        Self::Affine { shift: quantile_sorted(sorted, 0.5), scale }
                    }
                    fallback => fallback,
                }
            }
            TransformKind::LogStandardize => Self::log_standardize(sorted),
        }
    }

    /// Where values are so odd that no other map holds them (denormal numbers among ordinary ones, extremes
    /// of 10³⁰⁸): a line through the smallest and the largest.
    pub(super) fn through_ends(sorted: &[f64]) -> Self {
        let (Some(&first), Some(&last)) = (sorted.first(), sorted.last()) else { return Self::IDENTITY };
        // Halves first: the difference of the largest numbers overflows.
        let scale = 0.5 * last - 0.5 * first;
        Self::Affine { shift: 0.5 * last + 0.5 * first, scale: if usable(scale) { scale } else { 1.0 } }
    }

    fn standardize(sorted: &[f64]) -> Self {
        let (shift, scale) = center_and_scale(sorted);
        Self::Affine { shift, scale }
    }

    fn log_standardize(sorted: &[f64]) -> Self {
        let (Some(&min), median) = (sorted.first(), quantile_sorted(sorted, 0.5)) else {
            return Self::IDENTITY;
        };
        // Values that are positive by nature need no offset; others are moved so that the smallest lies a
        // hundredth of the way to the median above zero.
        let offset = if min > 0.0 {
            0.0
        } else {
            let step = 0.01 * (median - min);
            if usable(step) { step - min } else { 1.0 - min }
        };
        let knee = 0.5 * (min + offset);
        let logs: Vec<f64> = sorted.iter().map(|y| (y + offset).ln()).collect();
        let (shift, scale) = center_and_scale(&logs);
        Self::LogAffine { offset, knee, shift, scale }
    }

    /// Coordinate of `y` and log dv/dy.
    #[inline]
    pub fn forward(&self, y: f64) -> (f64, f64) {
        match self {
            Self::NormalScore(g) => g.forward(y),
            Self::Affine { shift, scale } => ((y - shift) / scale, -scale.ln()),
            Self::LogAffine { offset, knee, shift, scale } => {
                let t = y + offset;
                let (log, log_slope) =
                    if t >= *knee { (t.ln(), -t.ln()) } else { (knee.ln() + (t - knee) / knee, -knee.ln()) };
                ((log - shift) / scale, log_slope - scale.ln())
            }
            Self::Levels(l) => l.forward(y),
        }
    }

    /// The y whose coordinate is `v`; finite for every `v` but NaN.
    #[inline]
    pub fn inverse(&self, v: f64) -> f64 {
        // No sound model draws infinities; one becomes a finite, absurd value.
        let v = v.clamp(f64::MIN, f64::MAX);
        let y = match self {
            Self::NormalScore(g) => g.inverse(v),
            Self::Affine { shift, scale } => shift + scale * v,
            Self::LogAffine { offset, knee, shift, scale } => {
                let log = shift + scale * v;
                let t = if log >= knee.ln() { log.min(700.0).exp() } else { knee + knee * (log - knee.ln()) };
                t - offset
            }
            Self::Levels(l) => l.inverse(v),
        };
        y.clamp(f64::MIN, f64::MAX)
    }
}

/// Mean and standard deviation, 1 where that is no scale to divide by.
fn center_and_scale(values: &[f64]) -> (f64, f64) {
    let scale = if values.len() > 1 { variance(values).sqrt() } else { 1.0 };
    let center = mean(values);
    (if center.is_finite() { center } else { 0.0 }, if usable(scale) { scale } else { 1.0 })
}

fn usable(scale: f64) -> bool {
    scale > 1e-300 && scale.is_finite()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Vec<f64> {
        let mut v: Vec<f64> = (0..400).map(|i| (f64::from(i) / 80.0).exp() - 3.0).collect();
        v.sort_by(f64::total_cmp);
        v
    }

    #[test]
    fn log_derivative_and_inverse_of_every_kind() {
        for kind in [
            TransformKind::NormalScore,
            TransformKind::Standardize,
            TransformKind::Robust,
            TransformKind::LogStandardize,
            TransformKind::None,
        ] {
            let g = Transform::fit(kind, &values());
            let json = serde_json::to_string(&g).unwrap();
            assert_eq!(serde_json::from_str::<Transform>(&json).unwrap(), g, "{json}");
            for i in -60..200 {
                let y = f64::from(i) * 0.713;
                let (v, log) = g.forward(y);
                let numeric = (g.forward(y + 1e-5).0 - g.forward(y - 1e-5).0) / 2e-5;
                assert!((numeric.ln() - log).abs() < 2e-4, "{kind:?} at {y}: {} {log}", numeric.ln());
                assert!((g.inverse(v) - y).abs() < 1e-8 * y.abs().max(1.0), "{kind:?} at {y}");
            }
            assert!(g.inverse(f64::INFINITY).is_finite() && g.inverse(f64::NEG_INFINITY).is_finite());
        }
    }

    #[test]
    fn location_and_scale_are_those_asked_for() {
        let v = values();
        let at = |kind, p: f64| Transform::fit(kind, &v).forward(quantile_sorted(&v, p)).0;
        assert!(at(TransformKind::Robust, 0.5).abs() < 1e-12);
        assert!(
            (at(TransformKind::Robust, 0.75) - at(TransformKind::Robust, 0.25) - 1.3489795003921634).abs()
                < 1e-12
        );
        let standard = Transform::fit(TransformKind::Standardize, &v);
        let z: Vec<f64> = v.iter().map(|&y| standard.forward(y).0).collect();
        assert!(mean(&z).abs() < 1e-12 && (variance(&z) - 1.0).abs() < 1e-12);
    }

    #[test]
    fn values_that_do_not_spread_get_scale_one() {
        for kind in [TransformKind::NormalScore, TransformKind::Standardize, TransformKind::Robust] {
            assert_eq!(Transform::fit(kind, &[4.0; 9]), Transform::Affine { shift: 4.0, scale: 1.0 });
        }
        let (v, log) = Transform::fit(TransformKind::LogStandardize, &[-4.0; 9]).forward(-4.0);
        assert!(v.abs() < 1e-12 && log.is_finite());
    }
}
