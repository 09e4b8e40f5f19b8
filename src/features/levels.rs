//! Discrete columns as intervals of a normal coordinate.
//!
//! Level k with smoothed training frequency πₖ owns the interval (Cₖ, Cₖ₊₁) of probabilities, Cₖ₊₁ − Cₖ = πₖ:
//!
//! ```text
//! v = Φ⁻¹(Cₖ + u πₖ),  u ~ U(0,1)        log|∂v/∂x| = log πₖ − log φ(v)
//! ```
//!
//! so that under a standard normal v the bound of a level is its frequency, exactly, whatever u.
//!
//! Levels that have no order and that fewer than 1 % of the training records have (and fewer than [`FEW`])
//! would be slivers in the tail of the coordinate, where a model may be wrong by any factor and has nothing
//! to learn from. They stand *apart*, and so does every level not met in training: independent of the other
//! features, with their smoothed frequency, the coordinate being noise as it is for a missing value. The
//! cells of the others then fill the whole interval, and
//!
//! ```text
//! log|∂v/∂x| = log πₖ − log φ(v)        πₖ the smoothed frequency of level k among all levels
//! ```
//!
//! still, since P(no level apart) times the width of the cell is πₖ.

use serde::{Deserialize, Serialize};

use crate::num::special::{normal_cdf, normal_log_pdf, normal_quantile};

/// u is kept this far from 0 and 1, so that v stays finite also in the outermost cells.
const MARGIN: f64 = 1e-6;

/// Levels that have no order and fewer training records than this stand apart where they are rare as well.
pub(super) const FEW: u64 = 20;
/// A level is rare below this share of the training records.
const RARE: f64 = 0.01;

/// Levels of a discrete column and their cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Levels {
    /// Values with a cell, in the order of the cells: ascending numbers, or codes 0, 1, … of categories.
    pub values: Vec<f64>,
    /// Cell boundaries C₀ = 0, …, 1; one more than cells.
    pub cumulative: Vec<f64>,
    /// log πₖ of each cell.
    pub log_prob: Vec<f64>,
    /// Values met in training that have no cell, ascending.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apart: Vec<Apart>,
    /// Any value not met in training; `None`: such values fall into the nearest cell (missing indicators,
    /// which have two values by nature).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub other: Option<Apart>,
}

/// A value without a cell.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Apart {
    /// The value; of those not met in training, one more than the largest.
    pub value: f64,
    /// Its share of the training records that have one.
    pub share: f64,
    /// Its smoothed log-probability.
    pub log_prob: f64,
    /// Share of the training records whose value is at most as frequent. Of values not met in training the
    /// probability of meeting any, estimated by the share of those met once (Good 1953).
    pub at_most: f64,
}

/// What to do with values that are rare or were not met.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rare {
    /// Every value has a cell, and those not met in training fall into the nearest.
    InCells,
    /// Values met in training have cells, others stand apart: numbers in their order.
    OthersApart,
    /// Rare values stand apart as well: levels without an order.
    Apart,
}

impl Levels {
    /// Cells for `values` met `counts` times.
    ///
    /// Frequencies are smoothed by ½ for each value, and by ½ for those not met where they stand apart
    /// (Krichevsky & Trofimov 1981), so that every cell has room.
    pub fn fit(values: Vec<f64>, counts: &[u64], rare: Rare) -> Self {
        debug_assert_eq!(values.len(), counts.len());
        let n: u64 = counts.iter().sum();
        let others = if rare == Rare::InCells { 0.0 } else { 0.5 };
        let total = n as f64 + 0.5 * counts.len() as f64 + others;
        let log_prob = |count: u64| ((count as f64 + 0.5) / total).ln();
        let most = counts.iter().copied().max().unwrap_or(0);
        let is_apart = |count: u64| {
            rare == Rare::Apart && count < most && count < FEW && (count as f64) < RARE * n as f64
        };
        let mut out = Self {
            values: Vec::with_capacity(values.len()),
            cumulative: vec![0.0],
            log_prob: Vec::with_capacity(values.len()),
            apart: Vec::new(),
            other: None,
        };
        // The smallest counts first: a running sum then is of those at most as frequent.
        let mut ascending = counts.to_vec();
        ascending.sort_unstable();
        let at_most = |count: u64| {
            let met: u64 = ascending[..ascending.partition_point(|&c| c <= count)].iter().sum();
            (met as f64 + 0.5) / total
        };
        if rare != Rare::InCells {
            let value = values.iter().copied().fold(f64::NEG_INFINITY, f64::max) + 1.0;
            out.other = Some(Apart { value, share: 0.0, log_prob: log_prob(0), at_most: at_most(1) });
        }
        let mut weight = 0.0;
        for (value, &count) in values.into_iter().zip(counts) {
            if is_apart(count) {
                let share = count as f64 / n as f64;
                out.apart.push(Apart { value, share, log_prob: log_prob(count), at_most: at_most(count) });
                continue;
            }
            weight += count as f64 + 0.5;
            out.values.push(value);
            out.log_prob.push(log_prob(count));
            out.cumulative.push(weight);
        }
        out.cumulative.iter_mut().for_each(|c| *c /= weight);
        out
    }

    /// What is known of a value that has no cell; `None` for one that has.
    #[inline]
    pub fn apart(&self, x: f64) -> Option<&Apart> {
        if self.found(x).is_some() {
            return None;
        }
        let other = self.other.as_ref()?;
        let at = self.apart.partition_point(|a| a.value < x);
        Some(self.apart.get(at).filter(|a| a.value == x).unwrap_or(other))
    }

    /// How rare a level is, in nats: −ln of the share of the training records whose level is at most as
    /// frequent. 0 for the most frequent.
    pub fn rarity(&self, x: f64) -> f64 {
        if let Some(apart) = self.apart(x) {
            return -apart.at_most.min(1.0).ln();
        }
        let own = self.log_prob[self.cell(x)];
        let cells = self.log_prob.iter().filter(|p| **p <= own).map(|p| p.exp());
        let apart = self.apart.iter().chain(&self.other).map(|a| a.log_prob.exp());
        -(cells.sum::<f64>() + apart.sum::<f64>()).min(1.0).ln()
    }

    /// Number of cells.
    pub fn n_cells(&self) -> usize {
        self.log_prob.len()
    }

    /// The cell of a value, or the nearest of one that has none.
    #[inline]
    pub fn cell(&self, x: f64) -> usize {
        self.found(x).unwrap_or_else(|| self.values.partition_point(|&v| v < x).min(self.values.len() - 1))
    }

    /// The cell of a value, if it has one.
    #[inline]
    fn found(&self, x: f64) -> Option<usize> {
        let next = self.values.partition_point(|&v| v < x);
        let near = |i: usize| {
            self.values.get(i).is_some_and(|v| (v - x).abs() <= 1e-9 * v.abs().max(1.0)).then_some(i)
        };
        near(next).or_else(|| near(next.wrapping_sub(1)))
    }

    /// The value of a cell.
    #[inline]
    pub fn value(&self, cell: usize) -> f64 {
        self.values[cell.min(self.values.len() - 1)]
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
        let l = Levels::fit(vec![0.0, 1.0, 3.0], &[70, 29, 0], Rare::OthersApart);
        let pi = [70.5 / 101.0, 29.5 / 101.0, 0.5 / 101.0];
        for (cell, x) in [0.0, 1.0, 3.0].into_iter().enumerate() {
            for u in [1e-12, 0.1, 0.5, 0.93, 1.0 - 1e-12] {
                let (v, log_det) = l.forward(l.lift(x, u));
                // Beside the cells there is one chance in 202 of a value not met.
                let bound = normal_log_pdf(v) + log_det;
                assert!((bound - f64::ln(pi[cell])).abs() < 1e-13, "{x} {u}: {bound}");
                assert_eq!(l.lower(l.inverse(v)), x, "{x} {u} {v}");
                assert!(v.abs() < 8.0 && l.apart(x).is_none());
            }
        }
        for x in [2.0, -5.0, 1e30] {
            assert!((l.apart(x).unwrap().log_prob - f64::ln(0.5 / 101.0)).abs() < 1e-13);
        }
    }

    #[test]
    fn rare_levels_stand_apart_with_half_a_count_added() {
        let l = Levels::fit(vec![0.0, 1.0, 2.0, 3.0], &[631, 183, 84, 2], Rare::Apart);
        let total = 902.5;
        assert_eq!((l.n_cells(), l.apart.len()), (3, 1));
        assert!((l.apart(3.0).unwrap().log_prob - f64::ln(2.5 / total)).abs() < 1e-13);
        assert!((l.apart(4.0).unwrap().log_prob - f64::ln(0.5 / total)).abs() < 1e-13);
        assert!((l.log_prob[0] - f64::ln(631.5 / total)).abs() < 1e-13 && l.apart(0.0).is_none());
        assert_eq!((l.cumulative[0], l.cumulative[3]), (0.0, 1.0));
        let all: f64 = l.log_prob.iter().chain(l.apart.iter().map(|a| &a.log_prob)).map(|p| p.exp()).sum();
        assert!((all + l.other.unwrap().log_prob.exp() - 1.0).abs() < 1e-13);
        assert!(l.rarity(0.0) < 1e-9 && l.rarity(4.0) > l.rarity(3.0) && l.rarity(3.0) > l.rarity(2.0));
        // Where a level is met once as often as not, a new one is nothing special.
        let names = Levels::fit((0..500).map(f64::from).collect(), &[1; 500], Rare::Apart);
        assert!(names.rarity(700.0) < 0.5);
        // A level always keeps a cell, and of few records each counts.
        assert_eq!(Levels::fit(vec![0.0, 1.0], &[1, 1], Rare::Apart).n_cells(), 2);
        assert_eq!(Levels::fit(vec![0.0, 1.0], &[5_000, 3], Rare::Apart).n_cells(), 1);
    }

    #[test]
    fn derivative_is_that_of_the_map() {
        let l = Levels::fit(vec![1.0, 2.0], &[1, 9], Rare::InCells);
        for y in [0.2, 0.7, 1.1, 1.9] {
            let numeric = (l.forward(y + 1e-6).0 - l.forward(y - 1e-6).0) / 2e-6;
            assert!((numeric.ln() - l.forward(y).1).abs() < 1e-7);
            assert!((l.inverse(l.forward(y).0) - y).abs() < 1e-12);
        }
    }

    #[test]
    fn extreme_coordinates_fall_into_the_outer_cells() {
        let l = Levels::fit(vec![0.0, 1.0], &[5, 5], Rare::InCells);
        for (v, x) in [(f64::NEG_INFINITY, 0.0), (-1e30, 0.0), (1e30, 1.0), (f64::INFINITY, 1.0)] {
            assert_eq!(l.lower(l.inverse(v)), x);
        }
        assert_eq!((l.cell(-3.0), l.cell(7.0), l.cell(1.0 + 1e-12)), (0, 1, 1));
    }
}
