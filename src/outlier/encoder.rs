//! The explainer's view of a fitted encoder.

use ndarray::ArrayView2;

use crate::features::{Cell, Encoder, FittedColumn, Noise, QUANTILE_LEVELS, RARE_LEVEL, Transform};
use crate::random::Seed;

use super::feature::Feature;
use super::versions::Cells;

/// Encodes single records and single values with a fitted encoder.
pub(super) struct EncoderCells<'a>(pub(super) &'a Encoder);

impl Cells for EncoderCells<'_> {
    fn record(&self, raw: &[f64], seed: Seed, draw: u64) -> Vec<f64> {
        let row = ArrayView2::from_shape((1, raw.len()), raw)
            .expect("invariant: one row of any length is a matrix");
        self.0.encode(row, seed, draw).values.into_iter().collect()
    }

    fn cell(&self, feature: usize, x: f64, u: f64) -> Cell {
        self.0.columns[feature].cell(x, u)
    }
}

impl Feature {
    /// All features of an encoder, in its order.
    pub(super) fn all(encoder: &Encoder) -> Vec<Self> {
        encoder.columns.iter().map(Self::of).collect()
    }

    fn of(column: &FittedColumn) -> Self {
        let levels = match &column.transform {
            Transform::Levels(levels) => levels.values.clone(),
            _ => Vec::new(),
        };
        let quantiles = if column.quantiles.is_empty() {
            // Text: codes stand in a frequency order that means nothing to a quantile; only the ends are
            // used.
            vec![(0.0, column.min), (1.0, column.max)]
        } else {
            QUANTILE_LEVELS.into_iter().zip(column.quantiles.iter().copied()).collect()
        };
        let resolution = match &column.noise {
            Noise::Uniform { delta } => *delta,
            _ if !levels.is_empty() && levels.iter().all(|l| l.fract() == 0.0) => 1.0,
            _ => 0.0,
        };
        let rare = (column.rare_levels > 0).then(|| RARE_LEVEL.to_owned());
        Self {
            name: column.meta.name.clone(),
            label: column.meta.label.clone(),
            unit: column.meta.unit.clone(),
            quantiles,
            resolution,
            levels,
            level_names: column.levels.iter().cloned().chain(rare).collect(),
            context: column.context,
        }
    }
}
