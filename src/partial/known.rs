//! What is known of a record, as coordinates.

use crate::features::Encoder;
use crate::num::special::normal_quantile;
use crate::random::StreamRng;

/// Known cells of one record.
pub(super) struct Known<'a> {
    encoder: &'a Encoder,
    /// Position of each known feature with its value, NaN where it is part of the context and known to be missing.
    values: Vec<(usize, f64)>,
    /// Position among the indicators of each known one, with its bit.
    bits: Vec<(usize, f64)>,
}

impl<'a> Known<'a> {
    /// The features marked in `wanted`, as far as `row` has them, and whether they are missing; and all of the context.
    pub(super) fn subset(encoder: &'a Encoder, row: &[f64], wanted: &[bool]) -> Self {
        let given = |j: usize| encoder.columns[j].context;
        let values = (0..row.len())
            .filter(|&j| given(j) || (wanted[j] && !row[j].is_nan()))
            .map(|j| (j, row[j]))
            .collect();
        let bits = encoder
            .indicators
            .iter()
            .enumerate()
            .filter(|(_, indicator)| indicator.columns.iter().any(|&c| wanted[c] || given(c)))
            .map(|(k, indicator)| (k, f64::from(u8::from(indicator.is_missing(|c| row[c])))))
            .collect();
        Self { encoder, values, bits }
    }

    /// The features `row` has, the others being measured as well but not known.
    pub(super) fn to_complete(encoder: &'a Encoder, row: &[f64]) -> Self {
        let values = (0..row.len()).filter(|&j| !row[j].is_nan()).map(|j| (j, row[j])).collect();
        Self { encoder, values, bits: (0..encoder.indicators.len()).map(|k| (k, 0.0)).collect() }
    }

    /// Positions of the known coordinates, in the order of [`draw`](Self::draw).
    pub(super) fn coordinates(&self) -> Vec<usize> {
        let p = self.encoder.n_features();
        self.values.iter().map(|(j, _)| *j).chain(self.bits.iter().map(|(k, _)| p + k)).collect()
    }

    /// The known coordinates under one draw of the noise, and log|∂v/∂x| of those that are no context.
    pub(super) fn draw(&self, rng: &mut StreamRng) -> (Vec<f64>, f64) {
        let mut log_det = 0.0;
        let mut v = Vec::with_capacity(self.values.len() + self.bits.len());
        for &(j, x) in &self.values {
            let (column, u) = (&self.encoder.columns[j], uniform(rng));
            if x.is_nan() {
                v.push(normal_quantile(u));
                continue;
            }
            let (coordinate, log) = column.encode(x, u);
            v.push(coordinate);
            log_det += if column.context { 0.0 } else { log };
        }
        for &(k, bit) in &self.bits {
            let levels = &self.encoder.indicators[k].levels;
            let (coordinate, log) = levels.forward(levels.lift(bit, uniform(rng)));
            v.push(coordinate);
            log_det += if self.encoder.is_context_indicator(k) { 0.0 } else { log };
        }
        (v, log_det)
    }
}

/// Uniform on the open interval (0, 1).
pub(super) fn uniform(rng: &mut StreamRng) -> f64 {
    use rand::Rng;
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}
