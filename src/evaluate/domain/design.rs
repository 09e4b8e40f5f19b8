//! Features as the columns of a regression: values in standard deviations of the training rows, their
//! squares, levels, and what is missing.

use std::collections::BTreeMap;

use ndarray::Array2;

use crate::num::moments::{mean, variance};

/// A feature of the records of both cohorts together.
#[derive(Debug, Clone, PartialEq)]
pub struct DomainColumn {
    /// Numbers, or codes of levels; NaN where nothing is known.
    pub values: Vec<f64>,
    /// Whether the numbers are codes without an order.
    pub levels: bool,
}

/// Standard deviations beyond which values count as if they were there: one value in another unit must not
/// outweigh all others.
const FAR: f64 = 4.0;

/// Levels that have a column of their own; the others share the place of none.
const LEVELS: usize = 20;

/// How each feature becomes columns, learnt on the training rows.
pub(super) struct Design {
    parts: Vec<Part>,
}

enum Part {
    Number { mean: f64, deviation: f64 },
    Levels(Vec<i64>),
}

impl Design {
    pub(super) fn fit(columns: &[&DomainColumn], rows: &[usize]) -> Self {
        let part = |column: &&DomainColumn| {
            let known: Vec<f64> = rows.iter().map(|r| column.values[*r]).filter(|x| !x.is_nan()).collect();
            if column.levels {
                let mut counts: BTreeMap<i64, usize> = BTreeMap::new();
                for x in &known {
                    *counts.entry(*x as i64).or_default() += 1;
                }
                let mut levels: Vec<(usize, i64)> = counts.into_iter().map(|(code, n)| (n, code)).collect();
                levels.sort_by_key(|(n, code)| (std::cmp::Reverse(*n), *code));
                return Part::Levels(levels.into_iter().take(LEVELS).map(|(_, code)| code).collect());
            }
            let spread = if known.len() < 2 { 0.0 } else { variance(&known).sqrt() };
            let middle = if known.is_empty() { 0.0 } else { mean(&known) };
            let usable = spread.is_finite() && spread > 0.0 && middle.is_finite();
            Part::Number {
                mean: if usable { middle } else { 0.0 },
                deviation: if usable { spread } else { f64::INFINITY },
            }
        };
        Self { parts: columns.iter().map(part).collect() }
    }

    /// The regression's columns of some rows, the first being 1.
    pub(super) fn matrix(&self, columns: &[&DomainColumn], rows: &[usize]) -> Array2<f64> {
        let width = |part: &Part| match part {
            Part::Number { .. } => 3,
            Part::Levels(levels) => levels.len() + 1,
        };
        let mut x = Array2::zeros((rows.len(), 1 + self.parts.iter().map(width).sum::<usize>()));
        for (i, &row) in rows.iter().enumerate() {
            x[(i, 0)] = 1.0;
            let mut at = 1;
            for (part, column) in self.parts.iter().zip(columns) {
                let value = column.values[row];
                match part {
                    _ if value.is_nan() => x[(i, at)] = 1.0,
                    Part::Number { mean, deviation } => {
                        let z = ((value - mean) / deviation).clamp(-FAR, FAR);
                        x[(i, at + 1)] = z;
                        x[(i, at + 2)] = z * z - 1.0;
                    }
                    Part::Levels(levels) => {
                        if let Some(level) = levels.iter().position(|code| *code == value as i64) {
                            x[(i, at + 1 + level)] = 1.0;
                        }
                    }
                }
                at += width(part);
            }
        }
        x
    }
}
