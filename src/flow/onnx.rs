//! A flow as a graph of ONNX, in double precision.

use super::model::Flow;
use super::pen::Pen;
use crate::num::real::Real;
use crate::onnx::{Graph, Inexpressible, Linear, Value};

impl<T: Real> Flow<T> {
    /// The log-density of rows, `(n,)`. Column `place` of `values` is coordinate `order[place]`.
    ///
    /// # Errors
    /// [`Inexpressible`] of a conditional flow, and of one of windows.
    pub fn log_prob_in(
        &self,
        graph: &mut Graph,
        values: &Value,
        order: &[usize],
    ) -> Result<Value, Inexpressible> {
        if self.config().window.is_some() || !self.config().context.is_empty() {
            return Err(Inexpressible("a flow of windows or a conditional flow".into()));
        }
        let exact = self.cast::<f64>();
        let mut pen = Pen::new(graph, values, Linear::placing(order));
        for entry in &exact.structure.layers {
            entry.layer.write(&exact.parameters[entry.range.clone()], &mut pen)?;
        }
        let log_prob = exact.base().write(exact.base_parameters(), &mut pen)?;
        Ok(pen.total(log_prob))
    }
}
