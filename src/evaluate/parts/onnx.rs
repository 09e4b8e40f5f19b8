//! The measures of a record as a graph of ONNX.

use super::{MOST, NORMAL_ENTROPY};
use crate::features::{Encoder, RawRecords, Transform};
use crate::onnx::{Graph, Search, Value};

/// Numbers that are observed, `(n, 1)`.
fn observed(graph: &mut Graph, encoder: &Encoder, records: &RawRecords) -> Value {
    let absent = graph.sum(&records.absent, 1, true);
    let whole = graph.number(encoder.n_features() as f64);
    graph.subtract(&whole, &absent)
}

/// [`super::vector`], `(n, 1)`.
pub(in crate::evaluate) fn vector_in(
    graph: &mut Graph,
    encoder: &Encoder,
    records: &RawRecords,
    log_prob_tensor: &Value,
) -> Value {
    let observed = observed(graph, encoder, records);
    let expected = graph.times(&observed, NORMAL_ENTROPY);
    let sum = graph.add(log_prob_tensor, &expected);
    graph.minus(&sum)
}

/// [`super::marginal`], `(n, 1)`.
pub(in crate::evaluate) fn marginal_in(graph: &mut Graph, encoder: &Encoder, records: &RawRecords) -> Value {
    let observed = observed(graph, encoder, records);
    let mut out = graph.minus(&observed);
    if let Some(each) = encoder.surprises_in(graph, records) {
        let sum = graph.sum(&each, 1, true);
        out = graph.add(&out, &sum);
    }
    if let Some(each) = encoder.log_absences_in(graph, records) {
        let sum = graph.sum(&each, 1, true);
        out = graph.subtract(&out, &sum);
    }
    out
}

/// [`super::extreme`], `(n, 1)`.
pub(in crate::evaluate) fn extreme_in(graph: &mut Graph, encoder: &Encoder, records: &RawRecords) -> Value {
    let mut all = Vec::new();
    all.extend(encoder.surprises_in(graph, records));
    if let Some(each) = encoder.log_absences_in(graph, records) {
        all.push(graph.minus(&each));
    }
    let largest = if all.is_empty() { graph.times(&records.absent, 0.0) } else { graph.concat(&all, 1) };
    let largest = graph.largest(&largest, 1, true);
    graph.positive(&largest)
}

/// [`super::unmet`], `(n, 1)`; nothing where no column has levels.
pub(in crate::evaluate) fn unmet_in(
    graph: &mut Graph,
    encoder: &Encoder,
    records: &RawRecords,
) -> Option<Value> {
    let nats = |column: usize, x: f64| match &encoder.columns[column].transform {
        Transform::Levels(levels) => levels
            .apart(x)
            .filter(|apart| apart.share == 0.0)
            .map_or(0.0, |apart| -apart.at_most.min(1.0).ln()),
        _ => 0.0,
    };
    let p = encoder.n_features();
    let by_levels: Vec<usize> =
        (0..p).filter(|&column| matches!(encoder.columns[column].transform, Transform::Levels(_))).collect();
    let (texts, numbers): (Vec<usize>, Vec<usize>) =
        by_levels.into_iter().partition(|&column| encoder.columns[column].is_text());
    let mut all = Vec::new();
    if !texts.is_empty() {
        all.push(encoder.by_level(graph, records, &texts, &nats));
    }
    if !numbers.is_empty() {
        let (mut ends, mut lists) = (Vec::new(), Vec::new());
        for &column in &numbers {
            let (own, inside) = encoder.columns[column].intervals();
            ends.push(own);
            lists.push(inside.into_iter().map(|x| nats(column, x)).collect());
        }
        let x = graph.columns(&records.filled, &numbers, p, 1);
        let search = Search::new(graph, &x, &ends, false);
        all.push(search.read(graph, &lists));
    }
    if all.is_empty() {
        return None;
    }
    let all = graph.concat(&all, 1);
    let order: Vec<usize> = texts.into_iter().chain(numbers).collect();
    let missing = graph.columns(&records.missing, &order, p, 1);
    let zero = graph.number(0.0);
    let all = graph.choose(&missing, &zero, &all);
    let largest = graph.largest(&all, 1, true);
    Some(graph.positive(&largest))
}

/// The larger of scores that the arithmetic keeps, `(n, 1)`.
pub(in crate::evaluate) fn limited(graph: &mut Graph, score: &Value) -> Value {
    let most = graph.number(MOST);
    graph.smaller(score, &most)
}
