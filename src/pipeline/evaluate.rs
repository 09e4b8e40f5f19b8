//! `evaluate`: flags and labels → how well they agree.

use std::path::Path;

use crate::features::LabelTable;
use crate::ingest::{self, Cells, RecordTable};
use crate::message::{Message, Weight};
use crate::outlier::{Agreement, Verdict, agreement, q_values};
use crate::schema::Kind;

use super::labels::{read_labels, truth};
use super::{Error, error};

/// Compares a table written by `flag` (CSV or Parquet) with a labels file. Returns the figures and what the
/// user should know.
///
/// # Errors
/// Files that cannot be read; cells of flags that are no probability or no decision; labels of which none is
/// about a record of the table.
pub fn evaluate(flags: &Path, labels: &Path) -> Result<(Agreement, Vec<Message>), Error> {
    if labels.is_dir() {
        let names: Vec<String> = LabelTable::open(labels)?.metas.into_iter().map(|meta| meta.name).collect();
        let has =
            if names.is_empty() { "it has none".to_owned() } else { format!("it has {}", names.join(", ")) };
        return Err(Error::Usage {
            message: format!("{} is a bundle, and no label of it is named", labels.display()),
            hint: format!("name one by --label NAME; {has}"),
        });
    }
    let known = read_labels(labels)?;
    let mut wanted =
        vec![("score", Kind::Continuous), ("p_value", Kind::Continuous), ("flagged", Kind::Categorical)];
    let has_q = ingest::column_names(flags)?.iter().any(|name| name.eq_ignore_ascii_case("q_value"));
    wanted.extend(has_q.then_some(("q_value", Kind::Continuous)));
    let table = ingest::read_columns(flags, &wanted)?;
    let (scores, p) = (numbers(&table, 0), numbers(&table, 1));
    let mut messages = Vec::new();
    let q = if has_q {
        numbers(&table, 3)
    } else {
        let text = format!(
            "{} has no column `q_value`: false discovery rates are those of its {} rows by themselves",
            flags.display(),
            p.len()
        );
        messages.push(Message::records(Weight::Choice, text).counting(p.len()));
        q_values(&p)
    };
    let wrong = |row: usize, what: &str| error::labels(flags, format!("row {}: {what}", row + 1));
    let is_probability = |x: f64| x > 0.0 && x <= 1.0;
    if let Some(row) = (0..p.len()).find(|&row| !is_probability(p[row])) {
        return Err(wrong(row, "`p_value` is no probability"));
    }
    if let Some(row) = (0..q.len()).find(|&row| !is_probability(q[row])) {
        return Err(wrong(row, "`q_value` is no probability"));
    }
    let Cells::Text(decisions) = &table.columns[2].cells else {
        unreachable!("invariant: categorical columns are read as text")
    };
    let decided = |row: usize| {
        let decision = decisions.get(row).and_then(|decision| truth(decision.trim()));
        decision.ok_or_else(|| wrong(row, "`flagged` is neither true nor false"))
    };
    let matched = known.of(table.record_ids.iter(), &flags.display().to_string(), labels)?;
    messages.extend(matched.messages);
    let verdict = |&row: &usize| {
        // A record that no score can be given is as unusual as can be, here as in the flags.
        let score = if scores[row].is_nan() { f64::INFINITY } else { scores[row] };
        Ok(Verdict { score, p_value: p[row], q_value: q[row], flagged: decided(row)? })
    };
    let verdicts: Vec<Verdict> = matched.rows.iter().map(verdict).collect::<Result<_, Error>>()?;
    Ok((agreement(&verdicts, &matched.labels)?, messages))
}

fn numbers(table: &RecordTable, column: usize) -> Vec<f64> {
    match &table.columns[column].cells {
        Cells::Number(x) => x.to_vec(),
        Cells::Text(_) => unreachable!("invariant: continuous columns are read as numbers"),
    }
}
