//! Whether two cohorts can be told apart: the area under the ROC curve of a classifier that is asked which
//! cohort a record is of, on patients that it was not fitted to.
//!
//! An area of 0.5 means that nothing in the features tells them apart, as far as a logistic regression over
//! values, their squares and what is missing can see; 1 means that every record does.
//!
//! ```text
//! θ = P(score of a record of B > score of a record of A)                  ties count half
//! var θ = K/(K − 1) Σ_k (Σ_{i ∈ k of B} (V_i − θ)/n_B + Σ_{j ∈ k of A} (V_j − θ)/n_A)²      k: patients
//! ```
//!
//! V_i is the share of the records of the other cohort that are on the right side of record i. The variance
//! counts what the records of one patient have in common.
//!
//! # References
//! DeLong, DeLong & Clarke-Pearson (1988), Biometrics 44 (the components V); Obuchowski (1997), Biometrics 53
//! (patients with several records); Lopez-Paz & Oquab (2017), arXiv:1610.06545 (classifiers as two-sample
//! tests).

mod design;
mod logistic;

use std::collections::BTreeMap;

use ndarray::Axis;
use serde::Serialize;

pub use design::DomainColumn;

use design::Design;
use logistic::Logistic;

/// Parts that the patients are divided into.
pub const FOLDS: usize = 5;

/// Records and patients of each cohort below which no classifier is fitted.
const FEWEST: usize = 20;

/// An area under the ROC curve on held-out patients.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Area {
    /// The area.
    pub auroc: f64,
    /// Its standard error over patients.
    pub standard_error: f64,
}

/// How well two cohorts are told apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DomainTest {
    /// By all features together.
    pub all: Area,
    /// By each feature alone, its absence included.
    pub alone: Vec<Area>,
}

/// Tells records of two cohorts apart. `of_b` says of which cohort a record is, and `persons` whose it is:
/// the records of one person are in one fold. None where a cohort has fewer than 20 persons, or there
/// is no column.
pub fn domain_test(columns: &[DomainColumn], of_b: &[bool], persons: &[u64]) -> Option<DomainTest> {
    let enough = |b: bool| {
        let mut of_cohort: Vec<u64> =
            persons.iter().zip(of_b).filter(|(_, is_b)| **is_b == b).map(|(person, _)| *person).collect();
        of_cohort.sort_unstable();
        of_cohort.dedup();
        of_cohort.len() >= FEWEST
    };
    if columns.is_empty() || !enough(false) || !enough(true) {
        return None;
    }
    let all: Vec<&DomainColumn> = columns.iter().collect();
    let alone = columns.iter().map(|column| area(&[column], of_b, persons)).collect();
    Some(DomainTest { all: area(&all, of_b, persons), alone })
}

fn area(columns: &[&DomainColumn], of_b: &[bool], persons: &[u64]) -> Area {
    let n = of_b.len();
    let mut scores = vec![0.0; n];
    for fold in 0..FOLDS {
        let is_out = |row: &usize| persons[*row] % FOLDS as u64 == fold as u64;
        let (out, within): (Vec<usize>, Vec<usize>) = (0..n).partition(is_out);
        if out.is_empty() {
            continue;
        }
        let design = Design::fit(columns, &within);
        let labels: Vec<f64> = within.iter().map(|row| f64::from(u8::from(of_b[*row]))).collect();
        let model = Logistic::fit(design.matrix(columns, &within).view(), &labels);
        for (x, row) in design.matrix(columns, &out).axis_iter(Axis(0)).zip(&out) {
            scores[*row] = model.log_odds(x);
        }
    }
    of_scores(&scores, of_b, persons)
}

/// The area under the curve of some scores, and its standard error over persons.
fn of_scores(scores: &[f64], of_b: &[bool], persons: &[u64]) -> Area {
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| scores[a].total_cmp(&scores[b]));
    let n_b = of_b.iter().filter(|b| **b).count() as f64;
    let n_a = of_b.len() as f64 - n_b;
    let mut right = vec![0.0; scores.len()];
    let (mut below_a, mut below_b) = (0.0, 0.0);
    for tied in order.chunk_by(|&a, &b| scores[a] == scores[b]) {
        let tied_b = tied.iter().filter(|row| of_b[**row]).count() as f64;
        let tied_a = tied.len() as f64 - tied_b;
        for &row in tied {
            right[row] =
                if of_b[row] { (below_a + tied_a / 2.0) / n_a } else { (n_b - below_b - tied_b / 2.0) / n_b };
        }
        below_a += tied_a;
        below_b += tied_b;
    }
    let auroc = right.iter().zip(of_b).filter(|(_, b)| **b).map(|(v, _)| v).sum::<f64>() / n_b;
    let mut of_person: BTreeMap<u64, f64> = BTreeMap::new();
    for row in 0..scores.len() {
        *of_person.entry(persons[row]).or_default() +=
            (right[row] - auroc) / if of_b[row] { n_b } else { n_a };
    }
    let k = of_person.len() as f64;
    let variance = k / (k - 1.0) * of_person.values().map(|sum| sum * sum).sum::<f64>();
    Area { auroc, standard_error: variance.sqrt() }
}

#[cfg(test)]
mod tests;
