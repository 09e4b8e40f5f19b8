//! Distances from landmarks as a graph of ONNX, in single precision as they are elsewhere.

use super::{Coordinate, FARTHEST, Landmarks, NEAREST};
use crate::features::{Encoder, RawRecords};
use crate::onnx::{Graph, Value};

impl Landmarks {
    /// [`Landmarks::distance`] of each record, `(n, 1)`.
    pub(in crate::evaluate) fn distance_in(
        &self,
        graph: &mut Graph,
        encoder: &Encoder,
        records: &RawRecords,
    ) -> Value {
        let (p, d) = (encoder.n_features(), self.coordinates.len());
        let column = |coordinate: &Coordinate| match *coordinate {
            Coordinate::Number { column, .. } | Coordinate::Level { column, .. } => column,
        };
        let is_number = |at: &usize| matches!(self.coordinates[*at], Coordinate::Number { .. });
        let (numbers, levels): (Vec<usize>, Vec<usize>) = (0..d).partition(is_number);
        let columns =
            |of: &[usize]| -> Vec<usize> { of.iter().map(|&at| column(&self.coordinates[at])).collect() };
        let mut parts = Vec::new();
        if !numbers.is_empty() {
            let (mut centres, mut spreads) = (Vec::new(), Vec::new());
            for &at in &numbers {
                let Coordinate::Number { center, spread, .. } = self.coordinates[at] else { continue };
                centres.push(center);
                spreads.push(spread);
            }
            let n = centres.len();
            let (centre, spread) = (graph.doubles(&centres, &[n]), graph.doubles(&spreads, &[n]));
            let x = graph.columns(&records.filled, &columns(&numbers), p, 1);
            let z = graph.subtract(&x, &centre);
            let z = graph.divide(&z, &spread);
            let (low, high) = (graph.number(-FARTHEST), graph.number(FARTHEST));
            let z = graph.larger(&z, &low);
            let z = graph.smaller(&z, &high);
            parts.push(graph.to_single(&z));
        }
        if !levels.is_empty() {
            let (mut from, mut to, mut weights) = (Vec::new(), Vec::new(), Vec::new());
            for &at in &levels {
                let Coordinate::Level { code, last, weight, .. } = self.coordinates[at] else { continue };
                from.push(code as f64);
                to.push(if last { f64::INFINITY } else { code as f64 });
                weights.push(weight as f32);
            }
            let n = from.len();
            let (from, to) = (graph.doubles(&from, &[n]), graph.doubles(&to, &[n]));
            let code = graph.columns(&records.filled, &columns(&levels), p, 1);
            let (lower, upper) = (graph.at_least(&code, &from), graph.at_least(&to, &code));
            let own = graph.both(&lower, &upper);
            let (weights, zero) = (graph.singles(&weights, &[n]), graph.singles(&[0.0], &[]));
            parts.push(graph.choose(&own, &weights, &zero));
        }
        let order: Vec<usize> = numbers.into_iter().chain(levels).collect();
        let place = graph.concat(&parts, 1);
        let place = graph.unsqueeze(&place, 2);
        let landmarks: Vec<f32> = order
            .iter()
            .flat_map(|&at| self.values[at * self.n..(at + 1) * self.n].iter().copied())
            .collect();
        let landmarks = graph.singles(&landmarks, &[d, self.n]);
        let apart = graph.subtract(&place, &landmarks);
        let apart = graph.abs(&apart);
        // `(n, coordinates, landmarks)`, of which the observed coordinates are summed.
        let absent = graph.columns(&records.absent, &columns(&order), p, 1);
        let one = graph.number(1.0);
        let observed = graph.subtract(&one, &absent);
        let observed = graph.to_single(&observed);
        let observed = graph.unsqueeze(&observed, 1);
        let sums = graph.product(&observed, &apart);
        let sums = graph.squeeze(&sums, 1);
        let nearest = graph.smallest(&sums, NEAREST.min(self.n));
        let nearest = graph.to_double(&nearest);
        let distance = graph.mean(&nearest, 1, true);
        let typical: Vec<f64> = order.iter().map(|&at| f64::from(self.typical[at])).collect();
        let typical = graph.doubles(&typical, &[d, 1]);
        let missing = graph.product(&absent, &typical);
        let distance = graph.add(&distance, &missing);
        graph.times(&distance, 1.0 / self.columns as f64)
    }
}
