//! An encoder as a graph of ONNX: columns → numbers → coordinates under draws of the noise that are the same
//! for every record.
//!
//! [`Encoder::raw_in`] has what [`Encoder::raw`] has, and [`Encoder::encoded_in`] what
//! [`Encoder::encode_draws`] has for draws by [`DrawsBy::Fixed`](super::DrawsBy::Fixed). What depends on a
//! column in finitely many ways is a table, filled by the encoder's own functions; only numbers are computed
//! in the graph.

mod absences;
mod columns;
mod normal_scores;
mod numbers;
mod tables;

use ndarray::Array2;

use super::{Encoder, Transform};
use crate::onnx::{Graph, Value};

/// Records as numbers: [`Encoder::raw`] in a graph.
#[derive(Debug, Clone)]
pub struct RawRecords {
    /// Numbers and level codes, NaN where missing, `(n, p)`.
    pub raw: Value,
    /// The same with zeros in place of what is missing, `(n, p)`.
    pub filled: Value,
    /// Whether a number is missing, `(n, p)`.
    pub missing: Value,
    /// 1 where a number is missing and 0 elsewhere, `(n, p)`.
    pub absent: Value,
    /// Whether a record holds a text that may be written unlike those of the training table, `(n, 1)`;
    /// nothing where there are no texts.
    pub refused: Option<Value>,
}

/// Coordinates of the draws of records: [`super::Draws`] in a graph.
#[derive(Debug, Clone)]
pub struct GraphCoordinates {
    /// Draws below each other, those of a record first, `(n·draws, d)`.
    pub values: Value,
    /// Which coordinate of the encoder each of their columns is.
    pub order: Vec<usize>,
    /// Columns of numbers, which a density may want as they were before their transform.
    pub numbers: Numbers,
    /// As in [`super::Encoded`], `(n, draws)`.
    pub log_det: Value,
    /// As in [`super::Encoded`], `(n, draws)`.
    pub log_noise: Value,
}

/// Columns of numbers with their noise, before their transform.
#[derive(Debug, Clone)]
pub struct Numbers {
    /// The columns, which are the last ones of [`GraphCoordinates::values`] in the same order.
    pub columns: Vec<usize>,
    /// Numbers with their noise; where they are missing, the numbers whose coordinates the noise is,
    /// `(n, draws, columns)`. Nothing where there are no such columns.
    pub dequantised: Option<Value>,
    /// log|∂v/∂y| there, `(n, draws, columns)`.
    pub log_det: Option<Value>,
}

/// A part of the coordinates, in the order of its own columns.
struct Part {
    /// `(n, draws, columns)`
    values: Value,
    /// The coordinates of the encoder.
    order: Vec<usize>,
    /// Summed over the columns, `(n, draws)`.
    log_det: Value,
    log_noise: Value,
}

impl Encoder {
    /// Coordinates of records under draws of the noise, of which `uniforms` holds the numbers.
    ///
    /// # Shapes
    /// `uniforms: (draws, d)`, as [`Encoder::fixed_uniforms`] gives them
    pub fn encoded_in(
        &self,
        graph: &mut Graph,
        records: &RawRecords,
        uniforms: &Array2<f64>,
    ) -> GraphCoordinates {
        let states = self.log_prob_states_in(graph, records);
        let by_table = |column: usize| matches!(self.columns[column].transform, Transform::Levels(_));
        let mut parts = Vec::new();
        let levels: Vec<usize> = (0..self.n_features()).filter(|&column| by_table(column)).collect();
        if !levels.is_empty() || !self.indicators.is_empty() {
            parts.push(self.tables_in(graph, records, &levels, uniforms));
        }
        let numbers: Vec<usize> = (0..self.n_features()).filter(|&column| !by_table(column)).collect();
        let mut of_numbers = Numbers { columns: Vec::new(), dequantised: None, log_det: None };
        if !numbers.is_empty() {
            let (part, numbers) = self.numbers_in(graph, records, &numbers, uniforms);
            parts.push(part);
            of_numbers = numbers;
        }
        let order: Vec<usize> = parts.iter().flat_map(|part| part.order.iter().copied()).collect();
        let all: Vec<Value> = parts.iter().map(|part| part.values.clone()).collect();
        let all = graph.concat(&all, 2);
        let values = graph.reshape(&all, &[-1, order.len() as i64]);
        let mut sums = parts.iter().map(|part| (part.log_det.clone(), part.log_noise.clone()));
        let (mut log_det, mut log_noise) = sums.next().expect("invariant: an encoder has coordinates");
        for (det, noise) in sums {
            log_det = graph.add(&log_det, &det);
            log_noise = graph.add(&log_noise, &noise);
        }
        if let Some(states) = states {
            log_noise = graph.subtract(&log_noise, &states);
        }
        GraphCoordinates { values, order, numbers: of_numbers, log_det, log_noise }
    }
}
