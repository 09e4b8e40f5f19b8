//! What windows count from, when it is not the start of the record: a time of the record, or an event in it.

use crate::schema::{Aggregation, Anchor, Feature, Pipeline, Window};

use super::facts::Facts;
use super::plan::Plan;
use super::records::Records;
use crate::ingest::events::gathered::Gathered;
use crate::ingest::typed::tables::Tables;
use crate::ingest::{CohortStep, IngestError, IngestProgress};

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
    if after == 0 { Err(IngestError::NoRecords(format!("rule \"{rule}\""))) } else { Ok(()) }
}
