//! A mixture as a graph of ONNX.

use ndarray::{Array1, Axis};

use super::Mixture;
use crate::baseline::Kernel;
use crate::onnx::{Graph, Inexpressible, Linear, Value};

impl Mixture {
    /// The log-density of rows, `(n,)`. Column `place` of `values` is coordinate `order[place]`.
    ///
    /// # Errors
    /// [`Inexpressible`] of a conditional mixture.
    pub fn log_prob_in(
        &self,
        graph: &mut Graph,
        values: &Value,
        order: &[usize],
    ) -> Result<Value, Inexpressible> {
        if self.given.is_some() {
            return Err(Inexpressible("a conditional mixture".into()));
        }
        let (k, d) = self.means.dim();
        // Of coordinates in large units the difference from a mean would lose its digits in a product.
        let centre = self.means.mean_axis(Axis(0)).unwrap_or_else(|| Array1::zeros(d));
        let placed: Vec<f64> = order.iter().map(|&coordinate| centre[coordinate]).collect();
        let placed = graph.doubles(&placed, &[d]);
        let centred = graph.subtract(values, &placed);
        let whitened: Vec<Linear> = (0..k)
            .map(|c| {
                let matrix = self.whitening[c].t().to_owned();
                let offset = matrix.dot(&(&centre - &self.means.row(c)));
                Linear { matrix, offset }
            })
            .collect();
        let whitened = Linear::placing(order).then(&Linear::stacked(&whitened)).apply(graph, &centred);
        let whitened = graph.reshape(&whitened, &[-1, k as i64, d as i64]);
        let distances = graph.sum_of_squares(&whitened, 2, false);
        let profile = self.kernel.log_profile_in(graph, &distances, d);
        let log_norm = graph.doubles(&self.log_norm, &[k]);
        let terms = graph.add(&profile, &log_norm);
        Ok(graph.log_sum_exp(&terms, 1, false))
    }
}

impl Kernel {
    /// [`Kernel::log_profile`] as a graph.
    pub(in crate::baseline) fn log_profile_in(self, graph: &mut Graph, squared: &Value, d: usize) -> Value {
        match self {
            Self::Gaussian => graph.times(squared, -0.5),
            Self::T(degrees) => {
                let share = graph.times(squared, 1.0 / degrees);
                let log = graph.ln_1p(&share);
                graph.times(&log, -0.5 * (degrees + d as f64))
            }
        }
    }
}
