//! Columns of new records that seem to be in another unit than those a model was fitted to.

use ndarray::Array2;

use crate::artifact::ModelArtifact;
use crate::features::QUANTILE_LEVELS;
use crate::message::{Message, Weight};
use crate::num::quantile::median;

/// Columns whose median lies where hardly any training value did: read in another unit, or another column
/// under the same name. Twenty values at least, so that a handful of odd records raises no alarm.
pub(super) fn shifted_columns(model: &ModelArtifact, sample: &ColumnSample) -> Vec<Message> {
    const FEWEST: usize = 20;
    const CONVERSIONS: [(f64, &str); 8] = [
        (10.0, "10 times"),
        (100.0, "100 times"),
        (1000.0, "1000 times"),
        (0.1, "a tenth of"),
        (0.01, "a hundredth of"),
        (0.001, "a thousandth of"),
        (2.204_622_6, "2.2 times (pounds for kilograms)"),
        (1.0 / 2.54, "0.39 times (inches for centimetres)"),
    ];
    let level = |wanted: f64| QUANTILE_LEVELS.iter().position(|l| *l == wanted);
    let (Some(low), Some(middle), Some(high)) = (level(0.01), level(0.5), level(0.99)) else {
        return Vec::new();
    };
    let mut messages = Vec::new();
    for (column, observed) in model.encoder.columns.iter().zip(&sample.columns) {
        if column.quantiles.len() != QUANTILE_LEVELS.len() || observed.len() < FEWEST {
            continue;
        }
        let (new, training) = (median(observed), column.quantiles[middle]);
        if new >= column.quantiles[low] && new <= column.quantiles[high] {
            continue;
        }
        let ratio = new / training;
        let near = CONVERSIONS.iter().find(|(factor, _)| (ratio / factor - 1.0).abs() < 0.15);
        let how = near.map_or_else(String::new, |(_, text)| format!(", about {text} that in training"));
        let text = format!(
            "column `{}`: its median lies outside the central 98 % of the training values{how}; check its \
             unit",
            column.meta.name
        );
        messages.push(Message::column(Weight::Wrong, &column.meta.name, text));
    }
    messages
}

/// Some values of each column of a table of any length: every record at first, then every second, every
/// fourth and so on.
pub(super) struct ColumnSample {
    columns: Vec<Vec<f64>>,
    /// Records met, and of how many one is taken.
    met: usize,
    every: usize,
    taken: usize,
}

impl ColumnSample {
    /// Records kept, at most.
    const MOST: usize = 4096;

    pub(super) fn new(columns: usize) -> Self {
        Self { columns: vec![Vec::new(); columns], met: 0, every: 1, taken: 0 }
    }

    pub(super) fn take(&mut self, raw: &Array2<f64>) {
        for row in raw.rows() {
            if self.met.is_multiple_of(self.every) {
                for (values, x) in self.columns.iter_mut().zip(row).filter(|(_, x)| !x.is_nan()) {
                    values.push(*x);
                }
                self.taken += 1;
                if self.taken == Self::MOST {
                    // Every second from now on, and of those there are.
                    self.every *= 2;
                    self.taken /= 2;
                    for values in &mut self.columns {
                        *values = values.iter().copied().step_by(2).collect();
                    }
                }
            }
            self.met += 1;
        }
    }
}
