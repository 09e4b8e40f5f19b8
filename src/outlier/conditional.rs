//! The distribution of one feature given the rest of a record, from log-densities on a grid.

use serde::{Deserialize, Serialize};

/// Where 90 % of a feature's values lie given the rest of the record.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Expected {
    /// From the 5 % to the 95 % quantile.
    Range {
        /// 5 % quantile.
        low: f64,
        /// 95 % quantile.
        high: f64,
    },
    /// Codes of the likeliest levels of a categorical feature, likeliest first.
    Levels(Vec<f64>),
}

impl Default for Expected {
    fn default() -> Self {
        Self::Levels(Vec::new())
    }
}

/// A one-dimensional distribution: mass of each grid cell, spread evenly over it.
pub(super) struct Conditional {
    edges: Vec<(f64, f64)>,
    cumulative: Vec<f64>,
}

impl Conditional {
    /// Cells reach half-way to the neighbours (at the ends as far outwards as inwards), and at least over the
    /// recording interval of the value. Mass = density at the point × width of the cell.
    pub(super) fn new(grid: &[f64], log_density: &[f64], resolution: f64) -> Self {
        let n = grid.len();
        let edges: Vec<(f64, f64)> = (0..n)
            .map(|i| {
                let half = |a: usize, b: usize| (grid[b] - grid[a]).abs() / 2.0;
                let left = if i > 0 {
                    half(i - 1, i)
                } else if n > 1 {
                    half(0, 1)
                } else {
                    0.0
                };
                let right = if i + 1 < n {
                    half(i, i + 1)
                } else if n > 1 {
                    half(n - 2, n - 1)
                } else {
                    0.0
                };
                (grid[i] - left.max(resolution / 2.0), grid[i] + right.max(resolution / 2.0))
            })
            .collect();
        let log_mass: Vec<f64> =
            edges.iter().zip(log_density).map(|(e, l)| l + (e.1 - e.0).max(f64::MIN_POSITIVE).ln()).collect();
        Self { edges, cumulative: cumulate(&log_mass) }
    }

    /// Point masses.
    pub(super) fn discrete(levels: &[f64], log_mass: &[f64]) -> Self {
        Self { edges: levels.iter().map(|&l| (l, l)).collect(), cumulative: cumulate(log_mass) }
    }

    pub(super) fn quantile(&self, probability: f64) -> f64 {
        let i = self.cumulative.partition_point(|&c| c < probability).min(self.edges.len() - 1);
        let before = if i == 0 { 0.0 } else { self.cumulative[i - 1] };
        let mass = self.cumulative[i] - before;
        let share = if mass > 0.0 { ((probability - before) / mass).clamp(0.0, 1.0) } else { 0.5 };
        self.edges[i].0 + share * (self.edges[i].1 - self.edges[i].0)
    }
}

/// Cumulative shares of exp(log_mass), ending at 1.
fn cumulate(log_mass: &[f64]) -> Vec<f64> {
    let largest = log_mass.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let mass: Vec<f64> = log_mass.iter().map(|l| (l - largest).exp()).collect();
    let total: f64 = mass.iter().sum();
    let mut sum = 0.0;
    mass.iter()
        .map(|m| {
            sum += m / total;
            sum
        })
        .collect()
}

/// The fewest levels that hold 90 %, likeliest first.
pub(super) fn likeliest(levels: &[f64], log_mass: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..levels.len()).collect();
    order.sort_by(|&a, &b| log_mass[b].total_cmp(&log_mass[a]));
    let sorted: Vec<f64> = order.iter().map(|&i| log_mass[i]).collect();
    let needed = cumulate(&sorted).iter().position(|&c| c >= 0.9).map_or(levels.len(), |i| i + 1);
    order[..needed].iter().map(|&i| levels[i]).collect()
}
