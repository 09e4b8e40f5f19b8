//! The shares of all parts of the records → one table, with what there is to say of the whole.

use std::fmt::Write as _;

use super::lost;
use super::messages;
use super::plan::Plan;
use super::records::rank;
use super::share::{Account, Share};
use crate::ingest::events::duplicates::CAPACITY;
use crate::ingest::events::reason::Reason;
use crate::ingest::gather::{RowAt, gather};
use crate::ingest::{Audit, IngestError, Names, RecordTable};
use crate::message::{Message, Weight};

/// Adds up the shares of all parts; `left_behind` counts rows of items not in use that were left behind
/// before event tables were divided.
///
/// # Errors
/// Shares without a record; times of several parts that cannot be compared; a table in `left_behind` that is
/// not read.
pub(in crate::ingest) fn close(
    plan: &Plan<'_>,
    shares: Vec<Share>,
    left_behind: &[(String, u64)],
) -> Result<RecordTable, IngestError> {
    let (mut accounts, mut tables, mut records) = (Vec::new(), Vec::new(), Vec::new());
    for Share { mut account, table, records: of_rows } in shares {
        account.leave_other_parts();
        accounts.push(account);
        tables.push(table);
        records.push(of_rows);
    }
    let mut accounts = accounts.into_iter();
    let mut account = accounts.next().ok_or_else(|| IngestError::NoRecords("reading no part".into()))?;
    for other in accounts {
        account.add(other, plan.is_long())?;
    }
    for (table, n) in left_behind {
        let found = account.tables.iter_mut().find(|t| t.audit.table == *table);
        let audit = &mut found
            .ok_or_else(|| IngestError::UnknownName {
                what: "event table",
                name: table.clone(),
                place: format!("pipeline {}", plan.pipeline.name),
            })?
            .audit;
        audit.rows_read += n;
        *audit.dropped.entry(Reason::OtherItem.name().into()).or_default() += n;
    }
    let are_numbered = account.are_numbered;
    let audit = audit(plan, account)?;
    let mut table = match tables.pop() {
        Some(only) if tables.is_empty() => only,
        last => {
            tables.extend(last);
            gather(&tables, &in_order(&records, are_numbered))
        }
    };
    if table.n_records() == 0 {
        return Err(IngestError::NoRecords("taking the windows, none of which begins within a stay".into()));
    }
    table.audit = audit;
    Ok(table)
}

/// The rows of all parts in the order of the result. Those of one record follow each other in their part.
fn in_order(records: &[Names], are_numbered: bool) -> Vec<RowAt> {
    let mut runs: Vec<(&str, RowAt, usize)> = Vec::new();
    for (part, names) in records.iter().enumerate() {
        let mut from = 0;
        while from < names.len() {
            let record = &names[from];
            let to = (from..names.len()).find(|&row| names[row] != *record).unwrap_or(names.len());
            runs.push((record, (part, from), to));
            from = to;
        }
    }
    runs.sort_by_cached_key(|(record, ..)| rank(record, are_numbered));
    runs.into_iter().flat_map(|(_, (part, from), to)| (from..to).map(move |row| (part, row))).collect()
}

/// The account of the whole.
fn audit(plan: &Plan<'_>, account: Account) -> Result<Audit, IngestError> {
    let Account { inputs, whole, cohort, members, people, tables, mut variables, .. } = account;
    let [before, of_facts, after] = account.messages;
    let mut audit = Audit { inputs, cohort: whole.cohort, messages: before.into(), ..Audit::default() };
    audit.cohort.extend(cohort);
    if let Some((i, step)) = audit.cohort.iter().enumerate().find(|(_, step)| step.after == 0) {
        let is_first = i == 0 && plan.is_long();
        let after = if is_first { "reading the records".into() } else { format!("rule \"{}\"", step.rule) };
        return Err(IngestError::NoRecords(after));
    }
    for table in tables.iter().filter(|table| table.audit.rows_read == 0 && table.has_files) {
        audit.messages.push(lost::without_rows(plan, &table.audit.table));
    }
    audit.tables = whole.statics;
    let of_records = |name: &String| plan.schema.record.table.as_ref() == Some(name);
    if let Some(table) = audit.tables.iter_mut().find(|t| of_records(&t.table)) {
        table.rows_kept = members as u64;
        let gone = (people.records - members) as u64;
        if gone > 0 {
            table.dropped.insert("not in cohort".into(), gone);
        }
    }
    for table in tables {
        audit.messages.extend(table.messages);
        audit.messages.extend(messages::in_several_stays(&table.audit.table, table.in_several_stays));
        audit.tables.push(table.audit);
    }
    let level = account.keys.level(CAPACITY);
    let repeated = account.keys.repeated(CAPACITY, variables.len());
    variables.iter_mut().zip(repeated).for_each(|(variable, n)| variable.duplicate_keys = n);
    if level > 0 {
        let text = format!(
            "duplicate keys are estimated from one key in {}, since there are more than fit in memory",
            1_u64 << level
        );
        audit.messages.push(Message::records(Weight::Choice, text));
    }
    audit.messages.extend(after);
    audit.messages.extend(of_facts);
    audit.messages.extend(messages::of_subjects(plan, &people));
    audit.messages.extend(messages::of_tables(plan, &audit.tables));
    audit.messages.extend(messages::of_levels(plan, &account.levels));
    for (variable, planned) in variables.iter_mut().zip(&plan.variables) {
        if planned.lookback > 0 {
            let hours = planned.lookback as f64 / 3600.0;
            let _ = write!(variable.variable, " (lookback {hours} h)");
        }
    }
    audit.messages.extend(account.zones.message());
    audit.messages.extend(messages::of_variables(plan, &variables));
    audit.messages.extend(messages::of_rejections(&variables));
    audit.variables = variables;
    Ok(audit)
}
