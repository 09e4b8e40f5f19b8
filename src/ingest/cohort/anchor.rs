//! What windows count from, when it is not the start of the record: a time of the record, or an event in it.

use crate::schema::{Aggregation, Anchor, Feature, Pipeline, Window};

use super::facts::Facts;
use super::plan::Plan;
use super::records::Records;
use crate::ingest::events::gathered::Gathered;
use crate::ingest::typed::tables::Tables;
use crate::ingest::{Audit, CohortStep, IngestError, IngestProgress};
use crate::message::{Message, Weight};

/// The pipeline that finds the event windows count from: the first measurement between the record's start and
/// end.
pub(in crate::ingest) fn pipeline(pipeline: &Pipeline) -> Option<Pipeline> {
    let Some(Anchor::FirstEvent { variable }) = &pipeline.window.relative_to else { return None };
    let feature = Feature {
        name: variable.clone(),
        variable: variable.clone(),
        aggregation: Aggregation::First,
        lookback_hours: 0.0,
        min_count: 0,
    };
    let hours = 24.0 * 366.0 * 10.0;
    let window = Window { end_hours: hours, until_end: true, ..Window::default() };
    Some(Pipeline { rules: Vec::new(), features: vec![feature], window, ..pipeline.clone() })
}

/// Leaves the records out of which nothing tells when their windows are: those without a start, and those
/// that end before it, if windows end with their record. Nothing was looked for there, which is not the same
/// as that nothing was found.
///
/// # Errors
/// [`IngestError::NoRecords`] when none is left.
pub(in crate::ingest) fn leave_out_timeless(
    plan: &Plan<'_>,
    records: &mut Records,
    audit: &mut Audit,
) -> Result<(), IngestError> {
    let names = &plan.schema.record;
    let (Some(start), false) = (&names.start, plan.events.is_empty()) else { return Ok(()) };
    let window = &plan.pipeline.window;
    if window.relative_to.is_some() {
        return Ok(());
    }
    let table = names.table.as_deref().unwrap_or_default();
    let of = |n: usize| format!("table {table}: {n} of {} {}", records.len(), plural(records.len()));
    let unknown: Vec<bool> = records.start.iter().map(Option::is_none).collect();
    let reversed: Vec<bool> = (0..records.len() as u32)
        .map(|r| records.start[r as usize].zip(records.end[r as usize]).is_some_and(|(from, to)| to < from))
        .collect();
    let (n_unknown, n_reversed) = (count(&unknown), count(&reversed));
    let end = names.end.as_deref().unwrap_or_default();
    let mut steps = Vec::new();
    if n_unknown > 0 {
        let text = format!(
            "{} no `{start}`, so that nothing tells when {} begin; {} left out",
            have(&of(n_unknown), n_unknown),
            if n_unknown == 1 { "its windows" } else { "their windows" },
            if n_unknown == 1 { "it is" } else { "they are" },
        );
        audit.messages.push(Message::table(Weight::LeftOut, table, text).counting(n_unknown));
        steps.push((format!("{start} is known"), unknown));
    }
    if n_reversed > 0 {
        let outcome = match (window.until_end, n_reversed) {
            (true, 1) => "it has no window and is left out",
            (true, _) => "they have no window and are left out",
            (false, _) => "windows are counted from the start all the same",
        };
        let text = format!(
            "{} an `{end}` before the `{start}`, so that one of the two is wrong; {outcome}",
            have(&of(n_reversed), n_reversed)
        );
        let weight = if window.until_end { Weight::LeftOut } else { Weight::Wrong };
        audit.messages.push(Message::table(weight, table, text).counting(n_reversed));
        if window.until_end {
            steps.push((format!("{end} is not before {start}"), reversed));
        }
    }
    for (rule, gone) in steps {
        let before = count(&records.in_cohort);
        records.in_cohort.iter_mut().zip(&gone).for_each(|(member, gone)| *member &= !gone);
        let after = count(&records.in_cohort);
        let failed_null = if rule.ends_with("known") { before - after } else { 0 };
        audit.cohort.push(CohortStep { rule: rule.clone(), before, after, failed_null });
        if after == 0 {
            return Err(IngestError::NoRecords(format!("rule \"{rule}\"")));
        }
    }
    Ok(())
}

fn count(flags: &[bool]) -> usize {
    flags.iter().filter(|flag| **flag).count()
}

fn plural(n: usize) -> &'static str {
    if n == 1 { "record" } else { "records" }
}

fn have(of: &str, n: usize) -> String {
    format!("{of} {}", if n == 1 { "has" } else { "have" })
}

/// Sets the moments; records without one leave the cohort.
///
/// # Errors
/// [`IngestError::NoRecords`] when none has one; whatever reading the event's tables finds wrong.
pub(in crate::ingest) fn set(
    plan: &Plan<'_>,
    event: Option<(&Plan<'_>, &Tables)>,
    records: &mut Records,
    facts: &Facts,
    progress: &dyn IngestProgress,
    steps: &mut Vec<CohortStep>,
) -> Result<(), IngestError> {
    let Some(anchor) = &plan.pipeline.window.relative_to else { return Ok(()) };
    let (rule, moments) = match (anchor, event) {
        (Anchor::Column { table, column }, _) => {
            let times = facts.times(table, column).expect("invariant: the plan asks for the column");
            (format!("{column} is known"), times)
        }
        (Anchor::FirstEvent { variable }, Some((event, tables))) => {
            let mut gathered = Gathered::new(event, records);
            for planned in &event.events {
                let name = &planned.table.name;
                let files = tables.of(name);
                progress.begin(name, files.len(), files.iter().map(|f| f.file.size()).sum());
                gathered.table(planned, files, records, progress)?;
                progress.end(name);
            }
            let moment = |r: u32| {
                let first = gathered.first_time(0, r).filter(|_| records.in_cohort[r as usize])?;
                Some(records.start[r as usize]? + first)
            };
            (format!("has a {variable}"), (0..records.len() as u32).map(moment).collect())
        }
        (Anchor::FirstEvent { variable }, None) => {
            let place = "this reading of the pipeline".to_string();
            return Err(IngestError::UnknownName { what: "event", name: variable.clone(), place });
        }
    };
    let before = records.in_cohort.iter().filter(|c| **c).count();
    for (member, moment) in records.in_cohort.iter_mut().zip(&moments) {
        *member &= moment.is_some();
    }
    let after = records.in_cohort.iter().filter(|c| **c).count();
    steps.push(CohortStep { rule: rule.clone(), before, after, failed_null: before - after });
    records.anchor = Some(moments);
    if after == 0 && records.part().is_whole() {
        return Err(IngestError::NoRecords(format!("rule \"{rule}\"")));
    }
    Ok(())
}
