//! A fitted encoder: record ↔ vector.

use ndarray::{Array2, ArrayView2};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::absent::{count_missing, log_parted};
use super::{Absence, ColumnMeta, Levels, Noise, RARE_LEVEL, Support, Transform};

/// Levels of the training quantiles kept with each column.
pub const QUANTILE_LEVELS: [f64; 13] =
    [0.0, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 1.0];

/// Rows that one thread handles together.
const BLOCK: usize = 256;

/// A column and everything fitted on its training values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FittedColumn {
    /// What it is.
    pub meta: ColumnMeta,
    /// Its noise; [`Noise::None`] with [`Transform::Levels`], which bring their own.
    pub noise: Noise,
    /// Its map to a coordinate.
    pub transform: Transform,
    /// The values it can take.
    #[serde(default)]
    pub support: Support,
    /// Names of the levels of a text column by falling training frequency, empty for numbers. The number of a
    /// record is its position here; `levels.len()` stands for every other level.
    pub levels: Vec<String>,
    /// Training levels of too few patients to be named, which `levels.len()` stands for as well; see
    /// [`RARE_LEVEL`].
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rare_levels: usize,
    /// Training quantiles at [`QUANTILE_LEVELS`], in original units; empty for text.
    pub quantiles: Vec<f64>,
    /// Mean of the training values (of level codes for text), as are the next three.
    pub mean: f64,
    /// Standard deviation; 0 for one value.
    pub sd: f64,
    /// Smallest.
    pub min: f64,
    /// Largest.
    pub max: f64,
    /// Training rows with a value.
    pub n_observed: usize,
    /// Distinct training values.
    pub n_distinct: usize,
    /// Share of the training rows without a value.
    pub missing_fraction: f64,
    /// Position in [`Encoder::indicators`] of the indicator that says whether it is missing.
    pub indicator: Option<usize>,
    /// Whether the density is of the others given this one; see [`Encoder::conditioned_on`].
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub context: bool,
}

impl FittedColumn {
    /// Name of a level of a text column; see [`Encoder::level_name`].
    pub fn level_name(&self, code: f64) -> Option<&str> {
        let at = if code >= 0.0 { code.round() as usize } else { return None };
        let rare = self.rare_levels > 0 && at == self.levels.len();
        self.levels.get(at).map(String::as_str).or(rare.then_some(RARE_LEVEL))
    }

    /// Coordinate and log|∂v/∂x| of an observed number, for noise u in (0, 1).
    #[inline]
    pub fn encode(&self, x: f64, u: f64) -> (f64, f64) {
        match &self.transform {
            Transform::Levels(levels) => levels.forward(levels.lift(x, u)),
            transform => transform.forward(self.noise.lift(x, u)),
        }
    }

    /// The number a coordinate stands for, at the column's resolution and within its piles.
    #[inline]
    pub fn decode(&self, v: f64) -> f64 {
        let y = self.transform.inverse(v);
        match &self.transform {
            Transform::Levels(levels) => levels.lower(y),
            _ => self.support.settle(self.noise.lower(y)),
        }
    }
}

/// The coordinate that says whether features are missing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Indicator {
    /// Positions of the features that are missing in the same training rows.
    pub columns: Vec<usize>,
    /// Two cells, observed (0) and missing (1).
    pub levels: Levels,
    /// Training records.
    pub records: u64,
}

impl Indicator {
    /// Whether it is set for a row of raw numbers. Where features that always went together part, the
    /// majority decides, and a draw counts as missing.
    pub fn is_missing(&self, raw: impl Fn(usize) -> f64) -> bool {
        2 * count_missing(&self.columns, raw) >= self.columns.len()
    }

    /// What it costs where features that always went together have parted.
    pub(super) fn log_parted(&self, raw: impl Fn(usize) -> f64) -> f64 {
        log_parted(&self.columns, count_missing(&self.columns, raw), self.records)
    }

    /// Whether a coordinate says "missing".
    #[inline]
    pub fn decode(&self, v: f64) -> bool {
        self.levels.lower(self.levels.inverse(v)) > 0.5
    }
}

/// Everything fitted between records and vectors; part of `manifest.json` and of every model.
///
/// Coordinates are the columns, then the indicators.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Encoder {
    /// The features.
    pub columns: Vec<FittedColumn>,
    /// Their indicators.
    pub indicators: Vec<Indicator>,
    /// What has no indicator, being missing too rarely or too often.
    pub absences: Vec<Absence>,
}

/// Stands for a level that is not known.
pub const MISSING_LEVEL: i64 = -1;

/// Code of the level that a number of [`Encoder::raw`] in a text column stands for.
pub fn level_code(x: f64) -> i64 {
    if x.is_finite() && x >= 0.0 { x.round() as i64 } else { MISSING_LEVEL }
}

impl Encoder {
    /// Number of features p.
    pub fn n_features(&self) -> usize {
        self.columns.len()
    }

    /// Number of coordinates d: features and indicators.
    pub fn n_coordinates(&self) -> usize {
        self.columns.len() + self.indicators.len()
    }

    /// Names of the coordinates; an indicator is called after its first feature.
    pub fn coordinate_names(&self) -> Vec<String> {
        let features = self.columns.iter().map(|c| c.meta.name.clone());
        let indicators = self.indicators.iter().map(|i| {
            let first = &self.columns[i.columns[0]].meta.name;
            match i.columns.len() {
                1 => format!("{first} missing"),
                k => format!("{first} and {} more missing", k - 1),
            }
        });
        features.chain(indicators).collect()
    }

    /// The encoder for densities of the other features given those at `columns`. Vectors stay the same; what
    /// is counted in [`super::Encoded::log_det`] and [`super::Encoded::log_noise`] is of the others only.
    ///
    /// With noise u of its own in the context, E_u log p(x | v(c, u)) is a bound as before: of log E_u p(x |
    /// v(c, u)).
    #[must_use]
    pub fn conditioned_on(mut self, columns: &[usize]) -> Self {
        self.columns.iter_mut().enumerate().for_each(|(j, c)| c.context = columns.contains(&j));
        self
    }

    /// Positions of the features the others are conditioned on.
    pub fn context(&self) -> Vec<usize> {
        (0..self.columns.len()).filter(|&j| self.columns[j].context).collect()
    }

    /// Whether an indicator tells of a feature that is given, and therefore is given itself.
    pub fn is_context_indicator(&self, indicator: usize) -> bool {
        self.indicators[indicator].columns.iter().any(|&c| self.columns[c].context)
    }

    /// Positions of the coordinates of [`context`](Self::context), ascending: features, then indicators.
    pub fn context_coordinates(&self) -> Vec<usize> {
        let p = self.n_features();
        let indicators = (0..self.indicators.len()).filter(|&k| self.is_context_indicator(k));
        self.context().into_iter().chain(indicators.map(|k| p + k)).collect()
    }

    /// Text columns with values that have no name, being rare or not met in training, and how many rows of
    /// `raw` hold one.
    pub fn unseen(&self, raw: ArrayView2<'_, f64>) -> Vec<(String, usize)> {
        let is_text = |c: &&FittedColumn| !c.levels.is_empty();
        let columns = self.columns.iter().zip(raw.columns()).filter(|(c, _)| is_text(c));
        columns
            .map(|(c, x)| (c.meta.name.clone(), x.iter().filter(|&&x| x == c.levels.len() as f64).count()))
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    /// Records of vectors drawn by a model: original units at the column's resolution, level codes, NaN where
    /// the indicator says missing. What no coordinate tells of is left to
    /// [`complete_samples`](Self::complete_samples).
    ///
    /// # Shapes
    /// `v: (n, d)` → `(n, p)`
    ///
    /// # Panics
    /// Where `v` has not [`n_coordinates`](Self::n_coordinates) columns.
    pub fn decode(&self, v: ArrayView2<'_, f64>) -> Array2<f64> {
        let p = self.n_features();
        assert_eq!(
            v.ncols(),
            self.n_coordinates(),
            "vectors must have one column per coordinate of the encoder"
        );
        let mut raw = vec![f64::NAN; v.nrows() * p];
        raw.par_chunks_mut((BLOCK * p).max(1)).enumerate().for_each(|(b, block)| {
            for (j, column) in self.columns.iter().enumerate() {
                for (i, x) in block.iter_mut().skip(j).step_by(p).enumerate() {
                    let row = v.row(b * BLOCK + i);
                    let missing = column.indicator.is_some_and(|k| self.indicators[k].decode(row[p + k]));
                    if !missing {
                        *x = column.decode(row[j]);
                    }
                }
            }
        });
        Array2::from_shape_vec((v.nrows(), p), raw).expect("invariant: n·p numbers were written")
    }

    /// Name of a level of a text column, [`RARE_LEVEL`] for those without; `None` for numbers, NaN and, where
    /// every training level has a name, the code of unseen levels.
    pub fn level_name(&self, column: usize, code: f64) -> Option<&str> {
        self.columns.get(column)?.level_name(code)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_zero(n: &usize) -> bool {
    *n == 0
}
