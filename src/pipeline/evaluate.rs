//! `evaluate`: flags and labels → how well they agree.

use std::path::Path;

use crate::ingest::{self, Cells, RecordTable};
use crate::message::{Message, Weight};
use crate::outlier::{Agreement, Verdict, agreement};
use crate::schema::Kind;

use super::labels::{labels_of, read_labels};
use super::{Error, error};

/// Compares a table written by `flag` (CSV or Parquet) with a labels file. Returns the figures and what the
/// user should know.
///
/// # Errors
/// Files that cannot be read; labels of which none is about a record of the table.
pub fn evaluate(flags: &Path, labels: &Path) -> Result<(Agreement, Vec<Message>), Error> {
    let known = read_labels(labels)?;
    let wanted = [("score", Kind::Continuous), ("p_value", Kind::Continuous), ("flagged", Kind::Categorical)];
    let table = ingest::read_columns(flags, &wanted)?;
    let (scores, p) = (numbers(&table, 0), numbers(&table, 1));
    let Cells::Text(decisions) = &table.columns[2].cells else {
        unreachable!("invariant: categorical columns are read as text")
    };
    let verdicts: Vec<Verdict> = (0..table.n_records())
        .map(|i| Verdict {
            // A record that no score can be given is as unusual as can be, here as in the flags.
            score: if scores[i].is_nan() { f64::INFINITY } else { scores[i] },
            p_value: p[i],
            flagged: decisions.get(i).is_some_and(|d| d.eq_ignore_ascii_case("true") || d == "1"),
        })
        .collect();
    if let Some(row) = verdicts.iter().position(|v| !(v.p_value > 0.0 && v.p_value <= 1.0)) {
        return Err(error::labels(flags, format!("row {}: `p_value` is no probability", row + 1)));
    }
    let truth = labels_of(table.record_ids.iter(), &known);
    let met = table.record_ids.iter().filter(|id| known.contains_key(*id)).count();
    let mut messages = Vec::new();
    if met == 0 && !known.is_empty() {
        return Err(error::labels(
            labels,
            format!("none of its {} record ids is in {}", known.len(), flags.display()),
        ));
    }
    if met < known.len() {
        let text = format!(
            "{} of {} labelled records are not in {}; they are left out",
            known.len() - met,
            known.len(),
            flags.display()
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(known.len() - met));
    }
    Ok((agreement(&verdicts, &truth)?, messages))
}

fn numbers(table: &RecordTable, column: usize) -> Vec<f64> {
    match &table.columns[column].cells {
        Cells::Number(x) => x.to_vec(),
        Cells::Text(_) => unreachable!("invariant: continuous columns are read as numbers"),
    }
}
