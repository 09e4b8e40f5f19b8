//! What is missing: which indicators are set, and the log-probability of states that no coordinate tells of.

use crate::onnx::{Graph, Value};

use super::RawRecords;
use crate::features::absent::log_parted;
use crate::features::{Absence, Encoder};

/// How many of the features of each group a record lacks, and what follows.
struct Groups {
    /// 1 where the majority of the group is missing, and 0 elsewhere, `(n, groups)`.
    set: Value,
    /// 1 where some are missing and some are not, and 0 elsewhere, `(n, groups)`.
    parted: Value,
}

fn groups(graph: &mut Graph, records: &RawRecords, p: usize, of: &[&[usize]]) -> Groups {
    let n = of.len();
    let mut members = vec![0.0; p * n];
    for (group, columns) in of.iter().enumerate() {
        columns.iter().for_each(|&column| members[column * n + group] = 1.0);
    }
    let members = graph.doubles(&members, &[p, n]);
    let counts = graph.product(&records.absent, &members);
    let size = |share: f64| -> Vec<f64> { of.iter().map(|columns| share * columns.len() as f64).collect() };
    let (half, whole) = (graph.doubles(&size(0.5), &[n]), graph.doubles(&size(1.0), &[n]));
    let set = graph.at_least(&counts, &half);
    let set = graph.to_double(&set);
    let zero = graph.number(0.0);
    let (some, not_all) = (graph.above(&counts, &zero), graph.above(&whole, &counts));
    let parted = graph.both(&some, &not_all);
    Groups { set, parted: graph.to_double(&parted) }
}

impl Encoder {
    /// 1 for each indicator that is set, and 0 for the others, `(n, indicators)`.
    pub(super) fn indicators_in(&self, graph: &mut Graph, records: &RawRecords) -> Value {
        let of: Vec<&[usize]> = self.indicators.iter().map(|i| i.columns.as_slice()).collect();
        groups(graph, records, self.n_features(), &of).set
    }

    /// [`Encoder::log_prob_states`] as a graph, `(n, 1)`; nothing where every state has a coordinate.
    pub(super) fn log_prob_states_in(&self, graph: &mut Graph, records: &RawRecords) -> Option<Value> {
        let absences = self.log_absences_in(graph, records);
        let absences = absences.map(|each| graph.sum(&each, 1, true));
        let of: Vec<&[usize]> = self.indicators.iter().map(|i| i.columns.as_slice()).collect();
        if of.is_empty() {
            return absences;
        }
        let parted = groups(graph, records, self.n_features(), &of).parted;
        let cost: Vec<f64> = self.indicators.iter().map(|i| parting(&i.columns, i.records)).collect();
        let cost = graph.doubles(&cost, &[cost.len(), 1]);
        let parted = graph.product(&parted, &cost);
        Some(match absences {
            None => parted,
            Some(absences) => graph.add(&absences, &parted),
        })
    }

    /// [`Absence::log_prob`] of each absence, `(n, absences)`; nothing where there are none.
    pub fn log_absences_in(&self, graph: &mut Graph, records: &RawRecords) -> Option<Value> {
        if self.absences.is_empty() {
            return None;
        }
        let of: Vec<&[usize]> = self.absences.iter().map(|a| a.columns.as_slice()).collect();
        let groups = groups(graph, records, self.n_features(), &of);
        let n = self.absences.len();
        let of_state = |missing: bool| -> Vec<f64> {
            let row = |a: &Absence| a.log_prob(|_| if missing { f64::NAN } else { 0.0 });
            self.absences.iter().map(row).collect()
        };
        let (there, gone) = (of_state(false), of_state(true));
        let more: Vec<f64> = gone.iter().zip(&there).map(|(gone, there)| gone - there).collect();
        let parting: Vec<f64> = self.absences.iter().map(|a| parting(&a.columns, a.records)).collect();
        let [there, more, parting] = [there, more, parting].map(|row| graph.doubles(&row, &[n]));
        let state = graph.multiply(&groups.set, &more);
        let state = graph.add(&state, &there);
        let parted = graph.multiply(&groups.parted, &parting);
        Some(graph.add(&state, &parted))
    }
}

/// What it costs that the features of a group have parted; 0 for a group of one, which cannot.
fn parting(columns: &[usize], records: u64) -> f64 {
    if columns.len() < 2 { 0.0 } else { log_parted(columns, 1, records) }
}
