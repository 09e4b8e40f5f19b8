//! Evidence as a graph of ONNX.

use super::Evidence;
use crate::evaluate::ScoreKind;
use crate::evaluate::tail::Tail;
use crate::onnx::{Graph, Value};

impl Evidence {
    /// [`Evidence::of`] from the nats of measures, one in each column.
    ///
    /// # Shapes
    /// `nats: (n, kinds)` → `(n, 1)`
    pub(in crate::evaluate) fn write(&self, graph: &mut Graph, nats: &Value, kinds: &[ScoreKind]) -> Value {
        let columns = |wanted: &[ScoreKind]| -> Vec<usize> {
            (0..kinds.len()).filter(|&at| wanted.contains(&kinds[at])).collect()
        };
        let broad = graph.columns(nats, &columns(&self.broad), kinds.len(), 1);
        let broad = graph.sqrt(&broad);
        let broad = graph.sum(&broad, 1, true);
        let broad = graph.times(&broad, 1.0 / self.broad.len().max(1) as f64);
        let broad = Tail::nats_in(graph, &broad, &[&self.broad_tail]);
        let chosen = columns(&self.sharp);
        let sharp = graph.columns(nats, &chosen, kinds.len(), 1);
        let sharp = graph.log_sum_exp(&sharp, 1, true);
        let sharp = graph.plus(&sharp, -(chosen.len() as f64).ln());
        let sharp = Tail::nats_in(graph, &sharp, &[&self.sharp_tail]);
        let sharp = graph.plus(&sharp, -self.handicap);
        graph.larger(&broad, &sharp)
    }
}
