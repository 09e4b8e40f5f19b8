//! Log-likelihoods of records as a graph of ONNX.

use super::LOG_PROB_FLOOR;
use crate::features::GraphCoordinates;
use crate::onnx::{Graph, Value};

/// The bounds of [`super::RecordScores`] in original units and in tensor space, each `(n, 1)`, from the
/// log-density of every draw.
///
/// # Shapes
/// `log_prob: (n·draws,)`
pub fn record_scores_in(
    graph: &mut Graph,
    coordinates: &GraphCoordinates,
    log_prob: &Value,
    draws: usize,
) -> [Value; 2] {
    let log_prob = graph.reshape(log_prob, &[-1, draws as i64]);
    let tensor = graph.subtract(&log_prob, &coordinates.log_noise);
    let tensor = floored(graph, &tensor);
    let original = graph.add(&tensor, &coordinates.log_det);
    let original = floored(graph, &original);
    [graph.mean(&original, 1, true), graph.mean(&tensor, 1, true)]
}

fn floored(graph: &mut Graph, x: &Value) -> Value {
    let (floor, infinity) = (graph.number(LOG_PROB_FLOOR), graph.number(f64::INFINITY));
    let (above, below) = (graph.at_least(x, &floor), graph.above(&infinity, x));
    let finite = graph.both(&above, &below);
    graph.choose(&finite, x, &floor)
}
