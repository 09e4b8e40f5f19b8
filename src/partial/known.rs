//! What is known of a record, as coordinates.

use crate::features::Encoder;
use crate::random::StreamRng;

/// Known cells of one record.
pub(super) struct Known<'a> {
    encoder: &'a Encoder,
    /// Position of each known feature with its value, NaN where it is part of the context and known to be
    /// missing.
    values: Vec<(usize, f64)>,
    /// Position among the indicators of each known one, with its bit.
    bits: Vec<(usize, f64)>,
    /// Log-probability of what is known without a coordinate: rare levels, and absences that are too rare for
    /// an indicator.
    log_states: f64,
}

impl<'a> Known<'a> {
    /// The features marked in `wanted`, as far as `row` has them, and whether they are missing; and all of
    /// the context.
    pub(super) fn subset(encoder: &'a Encoder, row: &[f64], wanted: &[bool]) -> Self {
        let given = |j: usize| encoder.columns[j].context;
        let mut log_states = 0.0;
        let mut values = Vec::new();
        for j in 0..row.len() {
            let log_apart = encoder.columns[j].log_apart(row[j]);
            if given(j) {
                values.push((j, row[j]));
            } else if wanted[j] && !row[j].is_nan() {
                match log_apart {
                    Some(log_prob) => log_states += log_prob,
                    None => values.push((j, row[j])),
                }
            }
        }
        // Of features that are missing together, those that are wanted tell of all.
        let all_of =
            |columns: &[usize]| columns.iter().any(|&c| wanted[c]) && columns.iter().all(|&c| !given(c));
        for absence in encoder.absences.iter().filter(|a| all_of(&a.columns)) {
            let first = absence.columns.iter().copied().find(|&c| wanted[c]).unwrap_or(absence.columns[0]);
            log_states += absence.log_prob(|c| if wanted[c] { row[c] } else { row[first] });
        }
        let bits = encoder
            .indicators
            .iter()
            .enumerate()
            .filter(|(_, indicator)| indicator.columns.iter().any(|&c| wanted[c] || given(c)))
            .map(|(k, indicator)| (k, f64::from(u8::from(indicator.is_missing(|c| row[c])))))
            .collect();
        Self { encoder, values, bits, log_states }
    }

    /// The features `row` has, the others being measured as well but not known.
    pub(super) fn to_complete(encoder: &'a Encoder, row: &[f64]) -> Self {
        // A level that stands apart says nothing of the others.
        let tells = |&j: &usize| {
            !row[j].is_nan() && (encoder.columns[j].context || encoder.columns[j].log_apart(row[j]).is_none())
        };
        let values = (0..row.len()).filter(tells).map(|j| (j, row[j])).collect();
        let bits = (0..encoder.indicators.len()).map(|k| (k, 0.0)).collect();
        Self { encoder, values, bits, log_states: 0.0 }
    }

    /// Positions of the known coordinates, in the order of [`draw`](Self::draw).
    pub(super) fn coordinates(&self) -> Vec<usize> {
        let p = self.encoder.n_features();
        self.values.iter().map(|(j, _)| *j).chain(self.bits.iter().map(|(k, _)| p + k)).collect()
    }

    /// The known coordinates under one draw of the noise, and log|∂v/∂x| of those that are no context, with
    /// the log-probability of what is known beside them.
    pub(super) fn draw(&self, rng: &mut StreamRng) -> (Vec<f64>, f64) {
        let mut log_det = self.log_states;
        let mut v = Vec::with_capacity(self.values.len() + self.bits.len());
        for &(j, x) in &self.values {
            let (column, u) = (&self.encoder.columns[j], uniform(rng));
            let cell = column.cell(x, u);
            v.push(cell.v);
            log_det += if column.context { 0.0 } else { cell.log_det };
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
