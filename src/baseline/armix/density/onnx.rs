//! An autoregressive mixture as a graph of ONNX. All coordinates are known, so that all factors are computed
//! at once; where a factor has fewer experts than another, the rest of its experts have no weight.

use ndarray::{Array1, Array2};

use super::AutoregressiveMixture;
use crate::baseline::Kernel;
use crate::onnx::{Graph, Inexpressible, Linear, Value};

/// Stands for the logarithm of the weight of an expert that a factor has not.
const NO_WEIGHT: f64 = -1e300;

impl AutoregressiveMixture {
    /// The log-density of rows, `(n,)`. Column `place` of `values` is coordinate `order[place]`.
    ///
    /// # Errors
    /// [`Inexpressible`] of a conditional density, and of experts of unlike shapes.
    pub fn log_prob_in(
        &self,
        graph: &mut Graph,
        values: &Value,
        order: &[usize],
    ) -> Result<Value, Inexpressible> {
        let Some(first) = self.links.first().filter(|_| self.context.is_empty()) else {
            return Err(Inexpressible("a conditional autoregressive mixture".into()));
        };
        // Degrees of freedom may differ from factor to factor, the family of shapes may not.
        let gaussian = first.experts.kernel() == Kernel::Gaussian;
        if self.links.iter().any(|link| (link.experts.kernel() == Kernel::Gaussian) != gaussian) {
            return Err(Inexpressible("experts of unlike shapes".into()));
        }
        let d = self.centre.len();
        let n = self.links.len();
        let most = self.links.iter().map(|link| link.experts.n_experts()).max().unwrap_or(1);
        let blank = || Linear { matrix: Array2::zeros((n * most, d)), offset: Array1::zeros(n * most) };
        // (y − mean)/s of every expert, its gate, and the constant of its log-density.
        let (mut residual, mut gate, mut constant) = (blank(), blank(), vec![NO_WEIGHT; n * most]);
        for (l, link) in self.links.iter().enumerate() {
            let experts = &link.experts;
            for k in 0..experts.n_experts() {
                let row = l * most + k;
                let s = experts.scales()[k];
                residual.matrix[(row, link.coordinate)] = 1.0 / s;
                residual.offset[row] = -experts.slopes()[(0, k)] / s;
                gate.offset[row] = experts.gates()[(0, k)];
                for (q, &j) in link.given.iter().enumerate() {
                    residual.matrix[(row, j)] = -experts.slopes()[(q + 1, k)] / s;
                    gate.matrix[(row, j)] = experts.gates()[(q + 1, k)];
                }
                constant[row] = experts.kernel().log_norm(1) - s.ln();
            }
            (experts.n_experts()..most).for_each(|k| gate.offset[l * most + k] = NO_WEIGHT);
        }
        let standardised = {
            let (centre, scale): (Vec<f64>, Vec<f64>) =
                order.iter().map(|&j| (self.centre[j], self.scale[j])).unzip();
            let (centre, scale) = (graph.doubles(&centre, &[d]), graph.doubles(&scale, &[d]));
            let centred = graph.subtract(values, &centre);
            graph.divide(&centred, &scale)
        };
        let all = Linear::placing(order).then(&Linear::stacked(&[residual, gate]));
        let all = all.apply(graph, &standardised);
        let parts = graph.split(&all, 1, &[n * most, n * most]);
        let shape = [-1, n as i64, most as i64];
        let [residual, gate] = [0, 1].map(|part| graph.reshape(&parts[part], &shape));
        let total = graph.log_sum_exp(&gate, 2, true);
        let log_gate = graph.subtract(&gate, &total);
        let squares = graph.square(&residual);
        let profile = if gaussian {
            graph.times(&squares, -0.5)
        } else {
            let degrees = self.links.iter().map(|link| link.experts.kernel().degrees().unwrap_or(1.0));
            let degrees: Vec<f64> = degrees.collect();
            let factor: Vec<f64> = degrees.iter().map(|v| -0.5 * (v + 1.0)).collect();
            let (degrees, factor) = (graph.doubles(&degrees, &[n, 1]), graph.doubles(&factor, &[n, 1]));
            let share = graph.divide(&squares, &degrees);
            let log = graph.ln_1p(&share);
            graph.multiply(&log, &factor)
        };
        let constant = graph.doubles(&constant, &[n, most]);
        let terms = graph.add(&profile, &constant);
        let terms = graph.add(&terms, &log_gate);
        let each = graph.log_sum_exp(&terms, 2, false);
        let sum = graph.sum(&each, 1, false);
        Ok(graph.plus(&sum, self.log_norm))
    }
}
