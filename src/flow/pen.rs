//! A flow while it is written into a graph of ONNX.
//!
//! Between two layers with networks there are affine maps only: normalisations, butterflies, permutations.
//! They are multiplied together when the graph is written, so that they cost one product of matrices for each
//! layer with a network, however many they are.

use crate::onnx::{Graph, Linear, Value};

/// What has been written of a flow.
#[derive(Debug)]
pub struct Pen<'g> {
    pub(super) graph: &'g mut Graph,
    /// The coordinates after the last layer with a network, `(n, d)`.
    state: Value,
    /// The affine maps since then.
    pending: Linear,
    /// The log-determinants that are the same for every record.
    constant: f64,
    /// The others, `(n,)` each.
    log_dets: Vec<Value>,
}

impl<'g> Pen<'g> {
    /// Begins with the rows of `values`, which `order` puts into the order of the flow.
    pub(super) fn new(graph: &'g mut Graph, values: &Value, order: Linear) -> Self {
        Self { graph, state: values.clone(), pending: order, constant: 0.0, log_dets: Vec::new() }
    }

    /// Appends an affine map with its log-determinant.
    pub(super) fn then(&mut self, map: &Linear, log_det: f64) {
        self.pending = self.pending.then(map);
        self.constant += log_det;
    }

    /// Affine maps of the coordinates as they are now, written as one.
    pub(super) fn read(&mut self, maps: &[Linear]) -> Vec<Value> {
        let lengths: Vec<usize> = maps.iter().map(Linear::n_outputs).collect();
        let all = self.pending.then(&Linear::stacked(maps)).apply(self.graph, &self.state);
        self.graph.split(&all, 1, &lengths)
    }

    /// Goes on with new coordinates, of which column `order[i]` is coordinate i.
    pub(super) fn replace(&mut self, state: Value, order: &[usize], log_det: Value) {
        self.state = state;
        self.pending = Linear::ordering(order);
        self.log_dets.push(log_det);
    }

    /// Adds all log-determinants to a log-density.
    pub(super) fn total(self, log_prob: Value) -> Value {
        let mut total = self.graph.plus(&log_prob, self.constant);
        for log_det in &self.log_dets {
            total = self.graph.add(&total, log_det);
        }
        total
    }
}
