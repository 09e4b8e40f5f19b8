//! Discrete columns as intervals of a normal coordinate.
//!
//! Level k with smoothed training frequency πₖ owns the interval (Cₖ, Cₖ₊₁) of probabilities, Cₖ₊₁ − Cₖ = πₖ:
//!
//! ```text
//! v = Φ⁻¹(Cₖ + u πₖ),  u ~ U(0,1)        log|∂v/∂x| = log πₖ − log φ(v)
//! ```
//!
//! so that under a standard normal v the bound of a level is its frequency, exactly, whatever u.

use serde::{Deserialize, Serialize};

use crate::num::special::{normal_cdf, normal_log_pdf, normal_quantile};

/// u is kept this far from 0 and 1, so that v stays finite also in the outermost cells.
const MARGIN: f64 = 1e-6;

/// Levels of a discrete column and their cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Values met in training, in the order of their cells: ascending numbers, or codes 0, 1, … of categories.
    pub values: Vec<f64>,
    /// Value standing for the last cell when it is that of everything not met in training; `None`: there is no such
    /// cell, and other values fall into the nearest one (missing indicators, which have two values by nature).
    pub other: Option<f64>,
    /// Cell boundaries C₀ = 0, …, 1; one more than cells.
    pub cumulative: Vec<f64>,
    /// log πₖ of each cell.
    pub log_prob: Vec<f64>,
}

impl Levels {
    /// Cells for `values` met `counts` times; `other` adds a cell after the last for values not met.
    ///
    /// Frequencies are smoothed by ½ per cell (Krichevsky & Trofimov 1981), so that every cell has room.
    pub fn fit(values: Vec<f64>, counts: &[u64], other: Option<f64>) -> Self {
        debug_assert_eq!(values.len(), counts.len());
        let mut weights: Vec<f64> = counts.iter().map(|&c| c as f64 + 0.5).collect();
        if other.is_some() {
            weights.push(0.5);
        }
        let total: f64 = weights.iter().sum();
        let mut cumulative = Vec::with_capacity(weights.len() + 1);
        cumulative.push(0.0);
        let mut below = 0.0;
        for w in &weights {
            below += w;
            cumulative.push(below / total);
        }
        let log_prob = weights.iter().map(|w| (w / total).ln()).collect();
        Self { values, other, cumulative, log_prob }
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.log_prob.len()
    }

    /// The cell of a value: its own, or where it was not met in training the cell for others, whatever its size.
    #[inline]
    pub fn cell(&self, x: f64) -> usize {
        let next = self.values.partition_point(|&v| v < x);
        let near = |i: usize| {
            self.values.get(i).is_some_and(|v| (v - x).abs() <= 1e-9 * v.abs().max(1.0)).then_some(i)
        };
        near(next).or_else(|| near(next.wrapping_sub(1))).unwrap_or_else(|| {
            if self.other.is_some() { self.values.len() } else { next.min(self.values.len() - 1) }
        })
    }

    /// The value of a cell.
    #[inline]
    pub fn value(&self, cell: usize) -> f64 {
        self.values.get(cell).copied().or(self.other).unwrap_or_else(|| self.values[self.values.len() - 1])
    }

    /// Cell plus position in it, for noise u in (0, 1): the argument of [`forward`](Self::forward).
    #[inline]
    pub fn lift(&self, x: f64, u: f64) -> f64 {
        self.cell(x) as f64 + MARGIN + (1.0 - 2.0 * MARGIN) * u
    }

    /// Coordinate of `y` = cell + position, and log dv/dy.
    #[inline]
    pub fn forward(&self, y: f64) -> (f64, f64) {
        let cell = (y.max(0.0) as usize).min(self.n_cells() - 1);
        let (low, high) = (self.cumulative[cell], self.cumulative[cell + 1]);
        let position = (y - cell as f64).clamp(0.0, 1.0);
        let p = low + (high - low) * position;
        let v = normal_quantile(p.clamp(1e-300, 1.0 - f64::EPSILON));
        (v, self.log_prob[cell] - normal_log_pdf(v))
    }

    /// Cell plus position for a coordinate.
    #[inline]
    pub fn inverse(&self, v: f64) -> f64 {
        let p = normal_cdf(v);
        let cell = (self.cumulative.partition_point(|&c| c <= p).max(1) - 1).min(self.n_cells() - 1);
        let (low, high) = (self.cumulative[cell], self.cumulative[cell + 1]);
        // Below one: the last cell's upper end is still that cell.
        cell as f64 + ((p - low) / (high - low)).clamp(0.0, 1.0 - f64::EPSILON * 1e4)
    }

    /// The value whose cell a coordinate lies in.
    #[inline]
    pub fn lower(&self, y: f64) -> f64 {
        self.value((y.max(0.0) as usize).min(self.n_cells() - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bound_under_a_standard_normal_is_the_log_frequency() {
        let l = Levels::fit(vec![0.0, 1.0, 3.0], &[70, 29, 0], Some(3.0));
        let pi = [70.5 / 101.0, 29.5 / 101.0, 0.5 / 101.0, 0.5 / 101.0];
        for (x, cell) in [(0.0, 0), (1.0, 1), (3.0, 2), (2.0, 3), (-5.0, 3), (1e30, 3)] {
            for u in [1e-12, 0.1, 0.5, 0.93, 1.0 - 1e-12] {
                let (v, log_det) = l.forward(l.lift(x, u));
                let bound = normal_log_pdf(v) + log_det;
                assert!((bound - f64::ln(pi[cell])).abs() < 1e-13, "{x} {u}: {bound}");
                assert_eq!(l.lower(l.inverse(v)), if cell == 3 { 3.0 } else { x }, "{x} {u} {v}");
                assert!(v.abs() < 8.0);
            }
        }
    }

    #[test]
    fn derivative_is_that_of_the_map() {
        let l = Levels::fit(vec![1.0, 2.0], &[1, 9], None);
        for y in [0.2, 0.7, 1.1, 1.9] {
            let numeric = (l.forward(y + 1e-6).0 - l.forward(y - 1e-6).0) / 2e-6;
            assert!((numeric.ln() - l.forward(y).1).abs() < 1e-7);
            assert!((l.inverse(l.forward(y).0) - y).abs() < 1e-12);
        }
    }

    #[test]
    fn extreme_coordinates_fall_into_the_outer_cells() {
        let l = Levels::fit(vec![0.0, 1.0], &[5, 5], None);
        for (v, x) in [(f64::NEG_INFINITY, 0.0), (-1e30, 0.0), (1e30, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(l.lower(l.inverse(v)), x);
        }
        assert_eq!((l.cell(-3.0), l.cell(7.0), l.cell(1.0 + 1e-12)), (0, 1, 1));
    }
}
