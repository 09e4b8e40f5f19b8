//! `evaluate --label`: flags or scores held against an outcome that no model has seen.

use std::collections::{HashMap, HashSet};
use std::path::Path;

use crate::features::LabelTable;
use crate::ingest::{self, Cells, RecordTable, TextTable};
use crate::message::{Message, Weight, plural};
use crate::outlier::{OutcomeAgreement, outcome};
use crate::schema::{Kind, suggest};

use super::labels::truth;
use super::{Error, error};

/// What is compared.
#[derive(Debug, Clone, Copy)]
pub struct OutcomeRequest<'a> {
    /// Table written by `flag` or `score`.
    pub scores: &'a Path,
    /// Bundle that holds the label, or a table with it.
    pub labels: &'a Path,
    /// Name of the label.
    pub label: &'a str,
    /// A number above which a label of numbers counts as the outcome.
    pub above: Option<f64>,
}

/// What is known of the outcome.
struct Known {
    /// By record id; none where the label has no value.
    outcomes: HashMap<String, Option<bool>>,
    /// Whom records are about, where that is known.
    subjects: HashMap<String, String>,
}

/// Compares a table of flags or scores with an outcome. Returns the figures and what the user should know.
///
/// # Errors
/// Files that cannot be read; a label that is not there, or is neither yes nor no; outcomes of which none is
/// about a record of the table.
pub fn evaluate_outcome(request: &OutcomeRequest<'_>) -> Result<(OutcomeAgreement, Vec<Message>), Error> {
    let known = if request.labels.is_dir() { of_bundle(request)? } else { of_table(request)? };
    let table = request.scores;
    let names = ingest::column_names(table)?;
    let has = |name: &str| names.iter().any(|other| other.eq_ignore_ascii_case(name));
    // A score is higher for what is more unusual, a log-likelihood lower.
    let score = ["score", "log_prob"].into_iter().find(|name| has(name)).ok_or_else(|| Error::Usage {
        message: format!("{} has neither a column `score` nor `log_prob`", table.display()),
        hint: "give a table that `flag` or `score` wrote".into(),
    })?;
    let mut wanted = vec![(score, Kind::Continuous)];
    wanted.extend(has("flagged").then_some(("flagged", Kind::Categorical)));
    let read = ingest::read_columns(table, &wanted)?;
    let sign = if score == "log_prob" { -1.0 } else { 1.0 };
    let scores = numbers(&read).map(|x| if x.is_nan() { f64::INFINITY } else { sign * x });
    let scores: Vec<f64> = scores.collect();
    let flags = decisions(&read, table)?;

    let mut rows = Vec::new();
    let mut with = Vec::new();
    let (mut unknown, mut elsewhere) = (0_usize, 0_usize);
    let mut subjects = HashSet::new();
    for (row, id) in read.record_ids.iter().enumerate() {
        match known.outcomes.get(id) {
            Some(Some(outcome)) => {
                rows.push(row);
                with.push(*outcome);
                subjects.insert(known.subjects.get(id).map_or(id, String::as_str));
            }
            Some(None) => unknown += 1,
            None => elsewhere += 1,
        }
    }
    let label = request.label;
    if rows.is_empty() {
        let text =
            format!("`{label}` is known of none of the {} records in {}", scores.len(), table.display());
        return Err(error::labels(request.labels, text));
    }
    let mut messages = Vec::new();
    let mut say = |weight: Weight, count: usize, text: String| {
        messages.push(Message::records(weight, text).counting(count));
    };
    let left_out = |n: usize| format!("{n} of {} records {} left out", scores.len(), plural(n, "is", "are"));
    if unknown > 0 {
        say(Weight::LeftOut, unknown, format!("{}: `{label}` is missing there", left_out(unknown)));
    }
    if elsewhere > 0 {
        let place = request.labels.display();
        say(Weight::LeftOut, elsewhere, format!("{}: {place} does not know them", left_out(elsewhere)));
    }
    if subjects.len() < rows.len() {
        let text = format!(
            "{} records are of {} patients: the intervals take records as independent and are too narrow",
            rows.len(),
            subjects.len()
        );
        say(Weight::Wrong, rows.len(), text);
    }
    if flags.is_none() {
        let text = format!("{} has no column `flagged`: only the ranking is judged", table.display());
        say(Weight::Choice, rows.len(), text);
    }
    let scores: Vec<f64> = rows.iter().map(|&row| scores[row]).collect();
    let flags: Option<Vec<bool>> = flags.map(|flags| rows.iter().map(|&row| flags[row]).collect());
    Ok((outcome(&scores, flags.as_deref(), &with), messages))
}

fn numbers(table: &RecordTable) -> impl Iterator<Item = f64> {
    match &table.columns[0].cells {
        Cells::Number(x) => x.iter(),
        Cells::Text(_) => unreachable!("invariant: continuous columns are read as numbers"),
    }
}

/// The decisions of a table of flags, where it has any.
fn decisions(table: &RecordTable, path: &Path) -> Result<Option<Vec<bool>>, Error> {
    let Some(Cells::Text(texts)) = table.columns.get(1).map(|column| &column.cells) else { return Ok(None) };
    let decided = |(row, text): (usize, Option<&str>)| {
        let decision = text.and_then(|text| truth(text.trim()));
        decision.ok_or_else(|| {
            error::labels(path, format!("row {}: `flagged` is neither true nor false", row + 1))
        })
    };
    texts.iter().enumerate().map(decided).collect::<Result<_, _>>().map(Some)
}

/// The outcome of a number: 1 and 0, or what lies above a limit.
fn of_number(x: f64, above: Option<f64>) -> Result<Option<bool>, ()> {
    match above {
        _ if x.is_nan() => Ok(None),
        Some(limit) => Ok(Some(x > limit)),
        None if x == 1.0 || x == 0.0 => Ok(Some(x == 1.0)),
        None => Err(()),
    }
}

/// What to do with a label that is neither yes nor no.
const NOT_BINARY: &str = "it is neither 1 nor 0: name a limit by --above NUMBER if it is a number";

fn of_bundle(request: &OutcomeRequest<'_>) -> Result<Known, Error> {
    let table = LabelTable::open(request.labels)?;
    let names: Vec<&str> = table.metas.iter().map(|meta| meta.name.as_str()).collect();
    let Some(at) = names.iter().position(|name| *name == request.label) else {
        return Err(no_label(request, &names));
    };
    let mut known = Known { outcomes: HashMap::new(), subjects: HashMap::new() };
    for (id, row) in table.rows() {
        let outcome = match (table.number(at, row), table.text(at, row)) {
            (Some(x), _) => of_number(x, request.above),
            (None, Some(text)) if request.above.is_none() => truth(text).map(Some).ok_or(()),
            (None, None) => Ok(None),
            (None, Some(_)) => Err(()),
        };
        let wrong = |()| Error::Usage {
            message: format!("label `{}` of {} is neither 1 nor 0", request.label, request.labels.display()),
            hint: "a label of numbers is an outcome above a limit: --above NUMBER".into(),
        };
        known.outcomes.insert(id.to_owned(), outcome.map_err(wrong)?);
        known.subjects.extend(table.subject(row).map(|subject| (id.to_owned(), subject.to_owned())));
    }
    Ok(known)
}

fn of_table(request: &OutcomeRequest<'_>) -> Result<Known, Error> {
    let wrong = |message: String| error::labels(request.labels, message);
    let table = TextTable::open(request.labels)?;
    let find = |name: &str| table.header().iter().position(|h| h.trim().eq_ignore_ascii_case(name));
    let id = ["record_id", "icustay_id", "stay_id", "id"].into_iter().find_map(find);
    let id = id.ok_or_else(|| wrong("has no column `record_id`".into()))?;
    let names: Vec<&str> = table.header().iter().map(String::as_str).collect();
    let at = find(request.label).ok_or_else(|| no_label(request, &names))?;
    let subject = find("subject_id");
    let mut known = Known { outcomes: HashMap::new(), subjects: HashMap::new() };
    table.each(&[id, at, subject.unwrap_or(id)], |place, cells| {
        let outcome = match (truth(&cells[1]), request.above) {
            _ if cells[1].is_empty() => Ok(None),
            (Some(truth), None) => Ok(Some(truth)),
            _ => cells[1].parse().map_err(drop).and_then(|x: f64| of_number(x, request.above)),
        };
        let outcome = outcome.map_err(|()| wrong(format!("{place}: `{}`: {NOT_BINARY}", request.label)))?;
        if known.outcomes.insert(cells[0].clone(), outcome).is_some() {
            return Err(wrong(format!("{place}: a record id that was there before")));
        }
        known.subjects.extend(subject.map(|_| (cells[0].clone(), cells[2].clone())));
        Ok(())
    })?;
    Ok(known)
}

fn no_label(request: &OutcomeRequest<'_>, names: &[&str]) -> Error {
    let hint = match names {
        [] => {
            "name labels in the pipeline (`labels = [\"hospital_death\"]`), or by --set role.COLUMN=label of \
               a wide table, and ingest again"
                .to_owned()
        }
        _ => suggest::hint(request.label, names.iter().copied())
            .unwrap_or_else(|| format!("it has {}", suggest::quoted(names))),
    };
    Error::Usage { message: format!("{} has no label `{}`", request.labels.display(), request.label), hint }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compared(
        labels: &str,
        label: &str,
        above: Option<f64>,
    ) -> Result<(OutcomeAgreement, Vec<Message>), Error> {
        let dir = tempfile::tempdir().unwrap();
        let (scores, table) = (dir.path().join("flags.csv"), dir.path().join("labels.csv"));
        std::fs::write(&scores, "record_id,score,flagged\na,9,true\nb,5,true\nc,3,false\nd,1,false\n")
            .unwrap();
        std::fs::write(&table, labels).unwrap();
        evaluate_outcome(&OutcomeRequest { scores: &scores, labels: &table, label, above })
    }

    #[test]
    fn an_outcome_is_read_from_a_table_and_what_is_left_out_is_counted() {
        let text = "record_id,subject_id,died,days\na,1,1,9\nb,1,0,2\nc,2,no,\ne,3,1,1\n";
        let (found, messages) = compared(text, "died", None).unwrap();
        assert_eq!((found.n, found.n_with), (3, 1));
        assert_eq!((found.flagged.unwrap().n, found.rest.unwrap().n), (2, 1));
        let said: Vec<&str> = messages.iter().map(|m| m.text.as_str()).collect();
        assert!(
            said[0].starts_with("1 of 4 records is left out")
                && said[1].starts_with("3 records are of 2 patients")
        );
        let (found, messages) = compared(text, "days", Some(5.0)).unwrap();
        assert_eq!((found.n, found.n_with), (2, 1));
        assert!(messages[0].text.contains("`days` is missing there"));
    }

    #[test]
    fn labels_that_are_no_outcomes_are_refused() {
        let text = "record_id,died,days\na,1,9\nb,0,2\n";
        let said = |label: &str| compared(text, label, None).unwrap_err().to_string();
        assert!(said("days").contains("line 2: `days`: it is neither 1 nor 0"));
        assert!(said("dead").contains("has no label `dead`"));
        assert!(
            compared("record_id,died\nz,1\n", "died", None)
                .unwrap_err()
                .to_string()
                .contains("of none of the 4")
        );
        assert!(compared("record_id,died\na,1\na,0\n", "died", None).is_err());
    }
}
