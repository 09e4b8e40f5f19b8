//! Tails as a graph of ONNX, of several measures at once.

use super::{MOST, Tail};
use crate::onnx::{Graph, Search, Value};

impl Tail {
    /// [`Tail::nats`] of each column by a tail of its own.
    ///
    /// # Shapes
    /// `x: (n, tails)` → the same
    pub(in crate::evaluate) fn nats_in(graph: &mut Graph, x: &Value, tails: &[&Self]) -> Value {
        let row = |graph: &mut Graph, of: &dyn Fn(&Self) -> f64| {
            let row: Vec<f64> = tails.iter().map(|tail| of(tail)).collect();
            graph.doubles(&row, &[tails.len()])
        };
        let lists = |of: &dyn Fn(&Self, usize) -> f64| -> Vec<Vec<f64>> {
            tails.iter().map(|tail| (0..tail.knots.len()).map(|i| of(tail, i)).collect()).collect()
        };
        let first = row(graph, &|tail| tail.knots[0].0);
        let last = row(graph, &|tail| tail.knots[tail.knots.len() - 1].0);
        let inside = graph.larger(x, &first);
        let inside = graph.smaller(&inside, &last);
        let search = Search::new(graph, &inside, &lists(&|tail, i| tail.knots[i].0), true);
        let left = search.read(graph, &lists(&|tail, i| tail.knots[i].0));
        let lower = search.read(graph, &lists(&|tail, i| tail.knots[i].1));
        let steepness = search.read(
            graph,
            &lists(&|tail, i| {
                let (here, next) = (tail.knots[i], tail.knots.get(i + 1));
                next.map_or(0.0, |next| (next.1 - here.1) / (next.0 - here.0))
            }),
        );
        let along = graph.subtract(&inside, &left);
        let along = graph.multiply(&along, &steepness);
        let nats = graph.add(&lower, &along);
        // Beyond the last knot.
        let beyond = row(graph, &|tail| tail.beyond);
        let scale = row(graph, &|tail| tail.excess * tail.beyond);
        let excess = graph.subtract(x, &last);
        let excess = graph.positive(&excess);
        let excess = graph.divide(&excess, &scale);
        let log = graph.ln_1p(&excess);
        let more = graph.multiply(&log, &beyond);
        let nats = graph.add(&nats, &more);
        let most = graph.number(MOST);
        graph.smaller(&nats, &most)
    }
}
