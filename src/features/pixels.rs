//! The encoder of pictures, whose numbers are levels of one scale that is known beforehand. Nothing is fitted
//! but what is told of the training records.

use rayon::prelude::*;

use crate::ingest::{Cells, Column, RecordTable};
use crate::num::quantile::quantile_sorted;
use crate::schema::Split;

use super::{
    Bound, ColumnMeta, Encoder, FeatureError, FittedColumn, Noise, QUANTILE_LEVELS, Support, Transform,
};

/// The map between the levels of a picture and the coordinates of its vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PixelScale {
    /// Levels, from 0.
    pub levels: u32,
}

impl PixelScale {
    /// Centre of the levels.
    fn shift(self) -> f64 {
        0.5 * (f64::from(self.levels) - 1.0)
    }

    /// Levels per unit of a coordinate.
    fn unit(self) -> f64 {
        0.25 * f64::from(self.levels)
    }

    /// The coordinate of a level, or of a level with noise.
    pub fn coordinate(self, level: f64) -> f64 {
        (level - self.shift()) / self.unit()
    }

    /// The level within whose width a coordinate lies; none beyond the first and the last.
    pub fn level(self, coordinate: f64) -> Option<u8> {
        let level = (coordinate * self.unit() + self.shift()).round();
        (level >= 0.0 && level < f64::from(self.levels)).then_some(level as u8)
    }

    /// What is added to the log-probability of `n` levels for their log-density as coordinates.
    pub fn log_density(self, n: usize) -> f64 {
        n as f64 * self.unit().ln()
    }
}

/// Records of a column that are looked at together.
const BLOCK: usize = 1 << 14;

impl Encoder {
    /// The encoder of columns that hold one of `levels` whole numbers from 0 each. All have the same map,
    ///
    /// ```text
    /// v = (x + u − ½ − (L − 1)/2) · 4/L
    /// ```
    ///
    /// so that a coordinate lies between −2 and 2, and what a density says of it less log(4/L) is what it
    /// says of the level: exactly, where it is constant within a level.
    ///
    /// # Errors
    /// [`FeatureError::NoFeatures`] without columns, [`FeatureError::ColumnLength`] for one of another
    /// length.
    pub(super) fn of_pixels(
        table: &RecordTable,
        splits: &[Split],
        levels: u32,
    ) -> Result<Self, FeatureError> {
        if table.columns.is_empty() {
            return Err(FeatureError::NoFeatures { left_out: Vec::new() });
        }
        let columns: Result<Vec<FittedColumn>, FeatureError> =
            table.columns.par_iter().map(|column| of_pixel(column, splits, levels)).collect();
        Ok(Self { columns: columns?, indicators: Vec::new(), absences: Vec::new() })
    }
}

fn of_pixel(column: &Column, splits: &[Split], levels: u32) -> Result<FittedColumn, FeatureError> {
    let found = column.cells.len();
    let Cells::Number(numbers) = &column.cells else {
        unreachable!("invariant: pictures are read as numbers");
    };
    if found != splits.len() {
        let column = column.name.clone();
        return Err(FeatureError::ColumnLength { column, found, expected: splits.len() });
    }
    let mut training = Vec::new();
    let mut some = vec![0.0; BLOCK.min(found)];
    for (block, splits) in splits.chunks(BLOCK).enumerate() {
        let some = &mut some[..splits.len()];
        numbers.read(block * BLOCK, some);
        training.extend(some.iter().zip(splits).filter(|(_, s)| **s == Split::Train).map(|(x, _)| *x));
    }
    training.sort_unstable_by(f64::total_cmp);
    let n = training.len().max(1) as f64;
    let mean = training.iter().sum::<f64>() / n;
    let variance = training.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / n;
    let mut n_distinct = training.clone();
    n_distinct.dedup();
    let (last, scale) = (f64::from(levels) - 1.0, PixelScale { levels });
    let end = |value| Some(Bound { value, piled: true });
    Ok(FittedColumn {
        meta: ColumnMeta {
            name: column.name.clone(),
            label: column.label.clone(),
            group: column.group.clone(),
            unit: column.unit.clone(),
            kind: column.kind,
            range: column.range,
            spelling: column.spelling.clone(),
        },
        noise: Noise::Uniform { delta: 1.0 },
        transform: Transform::Affine { shift: scale.shift(), scale: scale.unit() },
        support: Support { step: Some(1.0), lower: end(0.0), upper: end(last), reach: None },
        levels: Vec::new(),
        rare_levels: 0,
        quantiles: match training.as_slice() {
            [] => Vec::new(),
            sorted => QUANTILE_LEVELS.iter().map(|p| quantile_sorted(sorted, *p)).collect(),
        },
        mean,
        sd: variance.sqrt(),
        min: training.first().copied().unwrap_or(0.0),
        max: training.last().copied().unwrap_or(0.0),
        n_observed: training.len(),
        n_distinct: n_distinct.len(),
        missing_fraction: 0.0,
        indicator: None,
        context: false,
    })
}
