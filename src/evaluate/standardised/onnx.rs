//! The mixture over standardised numbers as a graph of ONNX.

use ndarray::{Array1, Array2};

use super::Standardised;
use crate::features::{Encoder, RawRecords};
use crate::num::triangular::invert_lower;
use crate::onnx::{Graph, Linear, Value};

impl Standardised {
    /// [`Standardised::surprise`] of each record, `(n, 1)`.
    pub(in crate::evaluate) fn surprise_in(
        &self,
        graph: &mut Graph,
        encoder: &Encoder,
        records: &RawRecords,
    ) -> Value {
        let d = self.axes.len();
        let columns: Vec<usize> = self.axes.iter().map(|axis| axis.column).collect();
        let row = |graph: &mut Graph, of: &dyn Fn(&super::Axis) -> f64| {
            let row: Vec<f64> = self.axes.iter().map(of).collect();
            graph.doubles(&row, &[d])
        };
        let (centre, spread) = (row(graph, &|axis| axis.center), row(graph, &|axis| axis.spread));
        let x = graph.columns(&records.filled, &columns, encoder.n_features(), 1);
        let z = graph.subtract(&x, &centre);
        let z = graph.divide(&z, &spread);
        let missing = graph.columns(&records.missing, &columns, encoder.n_features(), 1);
        let zero = graph.number(0.0);
        let z = graph.choose(&missing, &zero, &z);
        let whitened: Vec<Linear> = self
            .components
            .iter()
            .map(|component| {
                let factor =
                    Array2::from_shape_fn((d, d), |(i, j)| if j <= i { component.factor[i][j] } else { 0.0 });
                let matrix = invert_lower(factor.view());
                let offset = -matrix.dot(&Array1::from(component.mean.clone()));
                Linear { matrix, offset }
            })
            .collect();
        let k = self.components.len();
        let whitened = Linear::stacked(&whitened).apply(graph, &z);
        let whitened = graph.reshape(&whitened, &[-1, k as i64, d as i64]);
        let squares = graph.sum_of_squares(&whitened, 2, false);
        let terms = graph.times(&squares, -0.5);
        let scales: Vec<f64> = self.components.iter().map(|component| component.log_scale).collect();
        let scales = graph.doubles(&scales, &[k]);
        let terms = graph.add(&terms, &scales);
        let log = graph.log_sum_exp(&terms, 1, true);
        graph.minus(&log)
    }
}
