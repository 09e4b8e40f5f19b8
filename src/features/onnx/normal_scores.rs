//! The normal-score map of several columns at once: the bin of each number, the rational-quadratic function
//! on it, and tails that are linear and then logarithmic.

use crate::features::normal_score::LINEAR_TAIL;
use crate::features::{Encoder, NormalScore, Transform};
use crate::onnx::{Graph, Search, Value};

impl Encoder {
    /// Coordinates and log|∂v/∂y| of columns whose transform is a normal-score map.
    ///
    /// # Shapes
    /// `y: (n, draws, columns)` → twice the same
    pub(super) fn normal_scores_in(&self, graph: &mut Graph, y: &Value, columns: &[usize]) -> (Value, Value) {
        let maps: Vec<&NormalScore> = columns
            .iter()
            .filter_map(|&column| match &self.columns[column].transform {
                Transform::NormalScore(map) => Some(map),
                _ => None,
            })
            .collect();
        let n = maps.len();
        let row = |graph: &mut Graph, of: &dyn Fn(&NormalScore) -> f64| {
            let row: Vec<f64> = maps.iter().map(|map| of(map)).collect();
            graph.doubles(&row, &[n])
        };
        let last = |map: &NormalScore| map.x.len() - 1;
        let (low, high) = (row(graph, &|map| map.x[0]), row(graph, &|map| map.x[last(map)]));
        let inside = graph.larger(y, &low);
        let inside = graph.smaller(&inside, &high);

        // The knots that a bin begins at; the last knot begins none.
        let lists = |of: &dyn Fn(&NormalScore, usize) -> f64| -> Vec<Vec<f64>> {
            maps.iter().map(|map| (0..last(map)).map(|i| of(map, i)).collect()).collect()
        };
        let search = Search::new(graph, &inside, &lists(&|map, i| map.x[i]), false);
        let read =
            |graph: &mut Graph, of: &dyn Fn(&NormalScore, usize) -> f64| search.read(graph, &lists(of));
        let width = |map: &NormalScore, i: usize| map.x[i + 1] - map.x[i];
        let height = |map: &NormalScore, i: usize| map.z[i + 1] - map.z[i];
        let secant = |map: &NormalScore, i: usize| height(map, i) / width(map, i);
        let x0 = read(graph, &|map, i| map.x[i]);
        let z0 = read(graph, &|map, i| map.z[i]);
        let w = read(graph, &width);
        let h = read(graph, &height);
        let log_secant = read(graph, &|map, i| secant(map, i).ln());
        // Of the bin scaled to the unit square.
        let d0 = read(graph, &|map, i| map.slope[i] / secant(map, i));
        let d1 = read(graph, &|map, i| map.slope[i + 1] / secant(map, i));

        let t = graph.subtract(&inside, &x0);
        let xi = graph.divide(&t, &w);
        let one = graph.number(1.0);
        let rest = graph.subtract(&one, &xi);
        let zeta = graph.multiply(&xi, &rest);
        let slopes = graph.add(&d0, &d1);
        let bend = graph.plus(&slopes, -2.0);
        let bend = graph.multiply(&bend, &zeta);
        let denominator = graph.add(&bend, &one);
        let square = graph.square(&xi);
        let linear = graph.multiply(&d0, &zeta);
        let numerator = graph.add(&square, &linear);
        let share = graph.divide(&numerator, &denominator);
        let rise = graph.multiply(&h, &share);
        let v = graph.add(&z0, &rise);
        let right = graph.multiply(&d1, &square);
        let middle = graph.times(&zeta, 2.0);
        let rest = graph.square(&rest);
        let left = graph.multiply(&d0, &rest);
        let slope = graph.add(&right, &middle);
        let slope = graph.add(&slope, &left);
        let denominator = graph.square(&denominator);
        let slope = graph.divide(&slope, &denominator);
        let log_slope = graph.ln(&slope);
        let log_det = graph.add(&log_slope, &log_secant);

        // Beyond the ends; what lies within them is 0 beyond.
        let (below, above) = (row(graph, &|map| map.slope[0]), row(graph, &|map| map.slope[last(map)]));
        let beyond = graph.subtract(y, &inside);
        let up = graph.positive(&beyond);
        let up = graph.multiply(&up, &above);
        let down = graph.minus(&beyond);
        let down = graph.positive(&down);
        let down = graph.multiply(&down, &below);
        let far = graph.add(&up, &down);
        let limit = graph.number(LINEAR_TAIL);
        let linear = graph.smaller(&far, &limit);
        let farther = graph.subtract(&far, &linear);
        let log = graph.ln_1p(&farther);
        let tail = graph.add(&linear, &log);
        let zero = graph.number(0.0);
        let upwards = graph.at_least(&beyond, &zero);
        let downwards = graph.minus(&tail);
        let tail = graph.choose(&upwards, &tail, &downwards);
        (graph.add(&v, &tail), graph.subtract(&log_det, &log))
    }
}
