//! Columns that have been read → records, with the account of what was read and left out.

use std::collections::{HashMap, HashSet};

use crate::ingest::text::shortest;
use crate::ingest::{
    Audit, Cells, CohortStep, Column, ColumnAudit, IngestError, Names, RecordTable, Spelling, Subjects,
    TableAudit, Texts, VariableAudit,
};
use crate::message::{About, Message, Weight, plural};
use crate::schema::{Kind, Split};

use super::agreement;
use super::build::{Building, Content, Tolerance, check, rejection, repeated};
use super::names::{Named, named};
use super::persons;
use super::roles::{Decision, Role};
use super::survey::Surveyed;
use super::table::{Rows, WideFile};

/// Names in a row, the first of them where they are many.
pub(super) fn listed(names: &[String]) -> String {
    const MOST: usize = 24;
    let text = names.iter().take(MOST).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
    if names.len() > MOST { format!("{text} and {} more", names.len() - MOST) } else { text }
}

/// What the columns that were read hold.
struct Collected<'h> {
    /// Features, in the order of the file.
    columns: Vec<Column>,
    /// Columns that are kept beside them.
    labels: Vec<Column>,
    record_ids: Option<Names>,
    groups: Option<Texts>,
    splits: Option<Vec<Split>>,
    counts: HashMap<&'h str, ColumnAudit>,
}

fn collect<'h>(
    built: Vec<Building<'h>>,
    decisions: &HashMap<&str, &Decision>,
    audit: &Audit,
) -> Result<Collected<'h>, IngestError> {
    let n = n_rows(audit);
    let mut collected = Collected {
        columns: Vec::new(),
        labels: Vec::new(),
        record_ids: None,
        groups: None,
        splits: None,
        counts: HashMap::new(),
    };
    for mut column in built {
        let name = column.name;
        let account = ColumnAudit {
            values: n as u64 - column.unused.absent - column.unused.n_rejected(),
            absent: column.unused.absent,
            rejected: column.unused.rejected.iter().map(|(r, (n, _))| (r.name().to_string(), *n)).collect(),
            ..ColumnAudit::default()
        };
        collected.counts.insert(name, account);
        match column.take() {
            Content::Ids(ids) => {
                if let Some((count, at)) = repeated(&ids) {
                    let (file, row) = row_of(audit, at);
                    return Err(IngestError::DuplicateIds {
                        file,
                        column: name.to_string(),
                        count,
                        row,
                        line: None,
                    });
                }
                collected.record_ids = Some(ids);
            }
            Content::Groups(groups) => collected.groups = Some(groups),
            Content::Splits(splits) => collected.splits = Some(splits),
            Content::Features(cells) => {
                let decision = decisions.get(name);
                let spelling = decision.map_or_else(Spelling::undeclared, |d| d.spelling.clone());
                let column = column.finished(cells, spelling);
                match decision {
                    Some(decision) if decision.is_label => collected.labels.push(column),
                    _ => collected.columns.push(column),
                }
            }
            Content::Nothing => {}
        }
    }
    Ok(collected)
}

/// Enters the files of a table, and their rows, into the audit.
///
/// # Errors
/// A file that cannot be read again for its SHA-256.
pub(super) fn count(file: &WideFile, rows: &Rows, audit: &mut Audit) -> Result<(), IngestError> {
    for (part, rows) in file.source.files.iter().zip(&rows.0) {
        audit.tables.push(TableAudit {
            table: part.name.clone(),
            rows_read: *rows,
            rows_kept: *rows,
            ..TableAudit::default()
        });
        audit.inputs.push(part.fingerprint()?);
    }
    Ok(())
}

/// Rows that were read, of all files.
fn n_rows(audit: &Audit) -> usize {
    audit.tables.iter().map(|t| t.rows_read).sum::<u64>() as usize
}

fn by_name<'s>(header: &'s [String], decisions: &'s [Decision]) -> HashMap<&'s str, &'s Decision> {
    header.iter().map(String::as_str).zip(decisions).collect()
}

/// The records of a table that is ingested; `splits` are those of the files where every file stands for a
/// split.
///
/// # Errors
/// Repeated ids.
pub(super) fn finish(
    header: &[String],
    surveyed: &Surveyed,
    built: Vec<Building<'_>>,
    splits: Option<Vec<Split>>,
    mut audit: Audit,
    mut messages: Vec<Message>,
) -> Result<RecordTable, IngestError> {
    let n = n_rows(&audit);
    let mut decisions = surveyed.decisions.clone();
    for column in &built {
        if matches!(column.role, Role::Number { declared: true, .. }) {
            let remedy = format!("pass --set role.{0}=categorical, or --set missing.{0}=TEXT", column.name);
            check(column, n as u64, Tolerance::Half, &remedy)?;
        }
        messages.extend(rejection(column, n as u64, false));
        if column.fractions > 0 && matches!(column.role, Role::Number { declared: false, .. }) {
            let name = column.name;
            let text = format!(
                "column `{name}` holds whole numbers in the training rows and fractions in {} others; \
                 declare it continuous if it is (--set role.{name}=continuous)",
                column.fractions
            );
            messages.push(Message::column(Weight::Wrong, name, text).counting(column.fractions));
        }
    }
    let mut collected = collect(built, &by_name(header, &surveyed.decisions), &audit)?;
    let splits = splits.or_else(|| collected.splits.take());
    let record_ids = collected.record_ids.take().unwrap_or_else(|| Names::numbered(1..=n as u64));
    // Where each row has a patient of its own, no other column can be the patient: age bands follow age.
    let is_patient = |(name, decision): (&String, &Decision)| {
        decision.role == Role::Id && named(name) == Some(Named::Patient)
    };
    if collected.groups.is_none()
        && !header.iter().zip(&decisions).any(is_patient)
        && let Some(name) = person_among(header, surveyed, &collected.columns, &mut messages)
        && let Some(at) = collected.columns.iter().position(|c| c.name == name)
    {
        let column = collected.columns.remove(at);
        collected.groups = Some(match column.cells {
            Cells::Number(x) => x.iter().map(|x| (!x.is_nan()).then(|| shortest(x))).collect(),
            Cells::Text(t) => t,
        });
        if let Some(at) = header.iter().position(|h| *h == name) {
            decisions[at].role = Role::Group;
            decisions[at].why = "other columns agree in the rows of each of its values".into();
        }
    }
    let mut table = RecordTable {
        record_ids,
        subjects: collected.groups.take().map_or(Subjects::Records, Subjects::Named),
        splits,
        columns: Vec::new(),
        labels: Vec::new(),
        audit: Audit::default(),
    };
    if let Subjects::Named(groups) = &table.subjects
        && let Some((name, _)) = header.iter().zip(&decisions).find(|(_, d)| d.role == Role::Group)
    {
        messages.extend(persons::doubtful(name, groups));
    }
    if let Subjects::Named(groups) = &table.subjects
        && groups.codes().iter().any(f64::is_nan)
    {
        // A row without a group is a group of its own; the space keeps it from meeting a named one.
        let own = |record: usize| format!("row {}", &table.record_ids[record]);
        let all =
            groups.iter().enumerate().map(|(i, group)| Some(group.map_or_else(|| own(i), str::to_owned)));
        table.subjects = Subjects::Named(all.collect());
    }
    if let Some(copies) = agreement::copies(&collected.columns, n) {
        messages.push(of_copies(copies, &mut table));
    }
    let empty = without_a_value(&collected.columns, n);
    if empty > 0 {
        let text = format!(
            "{empty} {} no value in any feature, as lines of separators alone do; {} without a value, so \
             remove {} from the file if {} none",
            plural(empty, "row holds", "rows hold"),
            plural(empty, "it is kept as a record", "they are kept as records"),
            plural(empty, "it", "them"),
            plural(empty, "it is", "they are")
        );
        messages.push(Message::records(Weight::Wrong, text).counting(empty));
    }
    account(&collected, n, &mut audit);
    let described = |(name, decision): (&String, &Decision)| ColumnAudit {
        column: name.clone(),
        role: if decision.is_label { "label" } else { decision.role.name() }.to_string(),
        why: decision.why.clone(),
        ..collected.counts.get(name.as_str()).cloned().unwrap_or_default()
    };
    audit.columns = header.iter().zip(&decisions).map(described).collect();
    left_out(header, &decisions, &mut messages);
    messages.sort_by_key(|message| message.weight);
    audit.messages.extend(messages);
    audit.cohort.push(CohortStep { rule: "all rows".into(), before: n, after: n, failed_null: 0 });
    Ok(RecordTable { columns: collected.columns, labels: collected.labels, audit, ..table })
}

/// The account of the values of each feature.
fn account(collected: &Collected<'_>, n: usize, audit: &mut Audit) {
    for column in &collected.columns {
        let counted = &collected.counts[column.name.as_str()];
        audit.variables.push(VariableAudit {
            variable: column.name.clone(),
            values_kept: counted.values,
            not_a_number: counted.rejected.values().sum(),
            rejected: counted.rejected.clone(),
            records_rejected: counted.rejected.values().sum(),
            records_missing: n as u64 - counted.values,
            ..VariableAudit::default()
        });
    }
}

/// One message for the columns that are left out for one reason.
fn left_out(header: &[String], decisions: &[Decision], messages: &mut Vec<Message>) {
    let mut by_reason: Vec<(&str, Vec<String>)> = Vec::new();
    // What is said of a column that is left out is either that, or that it may be a leak.
    let said: HashSet<String> = messages
        .iter()
        .filter(|message| matches!(message.weight, Weight::Leak | Weight::LeftOut))
        .filter_map(|message| match &message.about {
            About::Column(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    for (name, decision) in header.iter().zip(decisions) {
        // What was left out because the user said so is known, and what needs a word of its own has had it.
        if decision.role != Role::Ignored || decision.why == "declared" || said.contains(name) {
            continue;
        }
        match by_reason.iter_mut().find(|(why, _)| *why == decision.why) {
            Some((_, names)) => names.push(name.clone()),
            None => by_reason.push((&decision.why, vec![name.clone()])),
        }
    }
    for (why, names) in by_reason {
        let one = names.len() == 1;
        let (noun, verb) = if one { ("column", "is") } else { ("columns", "are") };
        // A reason is worded for one column.
        let why = if one {
            why.to_owned()
        } else {
            why.replace("it holds ", "they hold ").replace("it has ", "they have ")
        };
        let text = format!("{noun} {} {verb} left out: {why}", listed(&names));
        let n = names.len();
        messages.push(Message::new(Weight::LeftOut, About::Columns(names), text).counting(n));
    }
}

/// A column that behaves like the patient, though no name gives it away and no other column keeps rows
/// together. Where it is not clear, a warning asks.
fn person_among(
    header: &[String],
    surveyed: &Surveyed,
    columns: &[Column],
    messages: &mut Vec<Message>,
) -> Option<String> {
    let candidates = surveyed.may_be_persons.iter().filter_map(|&at| {
        let inferred = matches!(
            surveyed.decisions[at].role,
            Role::Number { kind: Kind::Count, declared: false } | Role::Levels
        ) && surveyed.decisions[at].why != "declared";
        columns.iter().find(|c| inferred && c.name == header[at])
    });
    let found = candidates.map(|c| (c, agreement::agreeing(&c.cells, columns))).max_by_key(|(_, a)| a.len());
    let (column, agreeing) = found.filter(|(_, agreeing)| !agreeing.is_empty())?;
    let name = &column.name;
    let names = listed(&agreeing.iter().map(|n| (*n).to_string()).collect::<Vec<_>>());
    if agreeing.len() == 1 {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` is used as a feature and may be the patient: {names} agrees in all rows of \
                 each of its values; --set role.{name}=group keeps these rows in one split, ignore leaves it \
                 out"
            ),
        ));
        return None;
    }
    messages.push(Message::column(
        Weight::Leak,
        name,
        format!(
            "column `{name}` is taken for the patient, because {names} agree in all rows of each of its \
             values: the rows are kept in one split, and it is no feature; --set role.{name}=count or \
             categorical makes it one"
        ),
    ));
    Some(name.clone())
}

/// Keeps copies together where nothing else does, and says how many there are.
fn of_copies(copies: Vec<(u32, u32)>, table: &mut RecordTable) -> Message {
    let n = copies.len();
    let of_rows = plural(n, "1 row is an exact copy", &format!("{n} rows are exact copies")).to_owned();
    let say = |text: String| Message::records(Weight::Leak, text).counting(n);
    let apart = |together: &dyn Fn(usize, usize) -> bool| {
        copies.iter().filter(|(row, first)| !together(*row as usize, *first as usize)).count()
    };
    if let Some(splits) = &table.splits {
        let apart = apart(&|row, first| splits[row] == splits[first]);
        return say(match apart {
            0 => format!("{of_rows} of another row; all of them are in its split"),
            _ => format!(
                "{of_rows} of another row, and {apart} of them {} in another split than the row copied; \
                 held-out figures may be too good",
                plural(apart, "is", "are")
            ),
        });
    }
    if let Subjects::Named(_) = &table.subjects {
        let apart = apart(&|row, first| table.subject(row) == table.subject(first));
        return say(match apart {
            0 => format!("{of_rows} of another row of the same group, and so in its split"),
            _ => format!(
                "{of_rows} of another row, and {apart} of them {} to another group than it",
                plural(apart, "belongs", "belong")
            ),
        });
    }
    table.subjects = Subjects::Copies(copies);
    say(format!("{of_rows} of another row; copies are kept in one split"))
}

/// Rows in which every feature is missing.
fn without_a_value(columns: &[Column], n: usize) -> usize {
    let mut holds = vec![columns.is_empty(); n];
    for column in columns {
        let numbers = match &column.cells {
            Cells::Number(x) => x,
            Cells::Text(t) => t.codes(),
        };
        holds.iter_mut().zip(numbers.iter()).for_each(|(holds, x)| *holds |= !x.is_nan());
    }
    holds.iter().filter(|holds| !**holds).count()
}

/// File and row, from 1, of a record.
fn row_of(audit: &Audit, mut at: usize) -> (String, u64) {
    for table in &audit.tables {
        if at < table.rows_read as usize {
            return (table.table.clone(), at as u64 + 1);
        }
        at -= table.rows_read as usize;
    }
    (String::new(), 0)
}
