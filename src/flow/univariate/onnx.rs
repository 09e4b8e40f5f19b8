//! One-dimensional maps as a graph of ONNX, of several coordinates at once.

use super::Univariate;
use crate::onnx::{Graph, Linear, Value};

impl Univariate {
    /// The last layer of a network in the order that [`write`](Self::write) wants its outputs in, for `n`
    /// coordinates.
    pub(crate) fn arranged(&self, last: &Linear, n: usize) -> Linear {
        match self {
            Self::Affine { log_scale_bound } => {
                let rows: Vec<usize> = (0..2).flat_map(|r| (0..n).map(move |j| 2 * j + r)).collect();
                let mut out = last.rows(&rows);
                for row in n..2 * n {
                    out.matrix.row_mut(row).mapv_inplace(|w| w / log_scale_bound);
                    out.offset[row] /= log_scale_bound;
                }
                out
            }
            Self::Spline(spline) => spline.arranged(last, n),
        }
    }

    /// z and the sum of log dz/dx of each row.
    ///
    /// # Shapes
    /// `raw: (rows, …)` from the arranged layer, `x: (rows, n)` → `(rows, n)`, `(rows,)`
    pub(crate) fn write(&self, graph: &mut Graph, raw: &Value, x: &Value, n: usize) -> [Value; 2] {
        match self {
            Self::Affine { log_scale_bound } => {
                let parts = graph.split(raw, 1, &[n, n]);
                let log_scale = graph.tanh(&parts[1]);
                let log_scale = graph.times(&log_scale, *log_scale_bound);
                let scale = graph.exp(&log_scale);
                let scaled = graph.multiply(x, &scale);
                [graph.add(&scaled, &parts[0]), graph.sum(&log_scale, 1, false)]
            }
            Self::Spline(spline) => spline.write(graph, raw, x, n),
        }
    }
}
