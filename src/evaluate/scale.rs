//! What makes measures of unlike nature commensurable: how far above the median of reference records a value
//! lies, in units in which one reference record in twenty lies above 1.

use serde::{Deserialize, Serialize};

use crate::num::quantile::quantile_sorted;

/// Location and scale of a measure among reference records.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(super) struct Scale {
    /// Of minus a log-density, the least among the reference records. It grows with the squared distance, so
    /// that √(1 + s − floor) is what compares with other distances.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    floor: Option<f64>,
    /// Median.
    center: f64,
    /// The 95 % quantile minus the median. Upper quantiles serve better than a deviation, because these
    /// measures are skewed, and what matters is that their upper tails meet.
    spread: f64,
}

impl Scale {
    /// The scale of a measure that is a distance already.
    pub(super) fn of_distances(values: &[f64]) -> Self {
        Self::fit(None, values)
    }

    /// The scale of minus a log-density.
    pub(super) fn of_surprises(values: &[f64]) -> Self {
        let least = values.iter().copied().fold(f64::INFINITY, f64::min);
        Self::fit(Some(if least.is_finite() { least } else { 0.0 }), values)
    }

    fn fit(floor: Option<f64>, values: &[f64]) -> Self {
        let mut distances: Vec<f64> = values.iter().map(|v| distance(floor, *v)).collect();
        distances.sort_by(f64::total_cmp);
        if distances.is_empty() {
            return Self { floor, center: 0.0, spread: 1.0 };
        }
        let center = quantile_sorted(&distances, 0.5);
        let spread = quantile_sorted(&distances, 0.95) - center;
        Self { floor, center, spread: if spread > 0.0 && spread.is_finite() { spread } else { 1.0 } }
    }

    /// How far above the median a value lies.
    pub(super) fn apply(self, value: f64) -> f64 {
        (distance(self.floor, value) - self.center) / self.spread
    }
}

fn distance(floor: Option<f64>, value: f64) -> f64 {
    floor.map_or(value, |floor| (1.0 + (value - floor).max(0.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_reference_record_in_twenty_lies_above_one() {
        let values: Vec<f64> = (0..=100).map(f64::from).collect();
        let scale = Scale::of_distances(&values);
        assert_eq!((scale.apply(50.0), scale.apply(95.0)), (0.0, 1.0));
        assert_eq!(Scale::of_distances(&[2.0; 5]).apply(4.0), 2.0);
        let squares: Vec<f64> = values.iter().map(|v| v * v + 7.0).collect();
        let surprises = Scale::of_surprises(&squares);
        assert!((surprises.apply(squares[95]) - 1.0).abs() < 1e-9 && surprises.apply(0.0) < 0.0);
    }
}
