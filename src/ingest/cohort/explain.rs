//! One cell in the open: the rows behind it, what became of each, and the value.

use std::path::Path;

use serde::Serialize;

use crate::schema::{Aggregation, Feature, Pipeline, Predicate, Schema};

use super::columns::Rows;
use super::options::{BadRows, IngestOptions};
use super::plan::Plan;
use super::run::Reading;
use super::{anchor, rules};
use crate::ingest::events::trace::{Trace, TracedRow};
use crate::ingest::text::shortest;
use crate::ingest::typed::tables::Tables;
use crate::ingest::{Cells, IngestError, IngestProgress, Part};

/// How a variable of one record came about.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Rows that concern the record, in order of table and time.
    pub rows: Vec<TracedRow>,
    /// The resulting cells: record id (of many windows, each), feature, value with unit, empty for missing.
    pub cells: Vec<(String, String, String)>,
    /// The first cohort rule that leaves the record out, if one does; rules on the number of features are not
    /// asked.
    pub excluded_by: Option<String>,
    /// Values outside the plausible range, converted, censored and clipped, as sentences.
    pub notes: Vec<String>,
}

/// Follows the rows of one record that feed a variable. Nothing is written. Every feature of the pipeline
/// that names the variable is computed; if none does, the variable by its own aggregation.
///
/// # Errors
/// An unknown variable or record, and all that [`super::ingest`] finds wrong with the tables read.
pub fn explain(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    variable: &str,
    record: &str,
    bad_rows: BadRows,
    progress: &dyn IngestProgress,
) -> Result<Explanation, IngestError> {
    // Of many windows per record, `ID@HOURS` names one of them.
    let record =
        record.rsplit_once('@').filter(|(_, hour)| hour.parse::<f64>().is_ok()).map_or(record, |(id, _)| id);
    let found = schema.variable(variable).ok_or_else(|| IngestError::UnknownName {
        what: "variable",
        name: variable.to_string(),
        place: format!("schema {}", schema.name),
    })?;
    let mut narrow = pipeline.clone();
    narrow.features.append(&mut narrow.labels);
    narrow.features.retain(|f| f.variable == variable);
    if narrow.features.is_empty() {
        narrow.features.push(Feature {
            name: variable.to_string(),
            variable: variable.to_string(),
            aggregation: found.aggregate,
            lookback_hours: 0.0,
            min_count: 0,
        });
    }
    // Rules are asked one by one afterwards: a record they leave out is explained all the same.
    let rules = std::mem::take(&mut narrow.rules);
    let options = IngestOptions { bad_rows, ..IngestOptions::default() };
    let mut plan = Plan::new(schema, &narrow)?;
    let tables = Tables::open(&mut plan, input, &options, progress)?;
    let event = anchor::pipeline(&narrow);
    let mut event = event.as_ref().map(|p| Plan::new(schema, p)).transpose()?;
    let event_tables =
        event.as_mut().map(|plan| Tables::open(plan, input, &options, progress)).transpose()?;
    let event = event.as_ref().zip(event_tables.as_ref());
    let mut reading = Reading::new(&plan, &tables, Part::WHOLE, event, progress)?;
    let unknown = || IngestError::UnknownName {
        what: "record",
        name: record.to_string(),
        place: schema.record.table.clone().unwrap_or_else(|| schema.name.clone()),
    };
    if plan.is_long() {
        // Its records are known after its events: it takes a first pass to find the one.
        reading.events()?;
    }
    let at = reading.records.locate(crate::ingest::typed::batch::Key::Text(record)).ok_or_else(unknown)?.0;
    if plan.is_long() {
        reading = Reading::new(&plan, &tables, Part::WHOLE, event, progress)?;
    }
    reading.gathered.trace = Some(Trace::new(at));
    // The numbers of records met in the same order are the same.
    reading.events()?;
    let Reading { mut records, facts, mut gathered, .. } = reading;
    let (at, _) = records.locate(crate::ingest::typed::batch::Key::Text(record)).ok_or_else(unknown)?;
    let mut rows = gathered.trace.take().map(|t| t.rows).unwrap_or_default();
    rows.sort_by(|a, b| (&a.file, &a.time, &a.item, &a.value).cmp(&(&b.file, &b.time, &b.item, &b.value)));
    let members: Vec<bool> = (0..records.len() as u32).map(|r| r == at).collect();
    let excluded_by = excluded_by((schema, pipeline), &rules, input, record, &options, progress)?;
    records.in_cohort = members;
    let result = Rows::new(&records, &gathered);
    let (columns, _) = result.columns(&plan, &records, &facts, &mut gathered);
    let (ids, _) = result.ids(&records, &gathered.bins);
    let mut cells = Vec::new();
    for column in &columns {
        for (i, id) in ids.iter().enumerate() {
            let value = match &column.cells {
                Cells::Number(x) if x.get(i).is_nan() => String::new(),
                Cells::Number(x) => format!("{} {}", shortest(x.get(i)), column.unit).trim_end().to_string(),
                Cells::Text(t) => t.get(i).unwrap_or_default().to_string(),
            };
            cells.push((id.clone(), column.name.clone(), value));
        }
    }
    Ok(Explanation { rows, cells, excluded_by, notes: notes(found, &narrow) })
}

/// The first rule that leaves the record out, asked of all records, since a rule may compare them.
fn excluded_by(
    (schema, pipeline): (&Schema, &Pipeline),
    rules: &[crate::schema::CohortRule],
    input: &Path,
    record: &str,
    options: &IngestOptions,
    progress: &dyn IngestProgress,
) -> Result<Option<String>, IngestError> {
    let countable = |r: &&crate::schema::CohortRule| !matches!(r.predicate, Predicate::MinFeatures { .. });
    let rules: Vec<_> = rules.iter().filter(countable).cloned().collect();
    if rules.is_empty() || schema.record.table.is_none() {
        return Ok(None);
    }
    let window = crate::schema::Window { relative_to: None, ..pipeline.window.clone() };
    let facts_alone = Pipeline { rules, features: Vec::new(), window, ..pipeline.clone() };
    let mut plan = Plan::new(schema, &facts_alone)?;
    let tables = Tables::open(&mut plan, input, options, progress)?;
    let open = Pipeline { rules: Vec::new(), ..facts_alone.clone() };
    let bare = Plan { pipeline: &open, ..Plan::new(schema, &facts_alone)? };
    let bare = Plan { operands: Vec::new(), ..bare };
    let Reading { mut records, facts, gathered, .. } =
        Reading::new(&bare, &tables, Part::WHOLE, None, progress)?;
    let Some((at, _)) = records.locate(crate::ingest::typed::batch::Key::Text(record)) else {
        return Ok(None);
    };
    let before_events = rules::rules_before_events(&plan);
    for (i, rule) in facts_alone.rules.iter().enumerate().take(before_events) {
        let applied = rules::apply(&plan, i..i + 1, &mut records, &facts, &gathered, &mut Vec::new());
        if applied.is_err() || !records.in_cohort[at as usize] {
            return Ok(Some(rule.name.clone()));
        }
    }
    Ok(None)
}

/// What the schema says of the variable, for whoever reads the rows.
fn notes(variable: &crate::schema::Variable, pipeline: &Pipeline) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(derived) = &variable.derived {
        notes.push(format!("computed as {}", derived.expression));
    }
    if let Some((low, high)) = variable.range {
        notes.push(format!("plausible from {low} to {high} {}", variable.unit).trim_end().to_string());
    }
    if variable.censored {
        notes.push("a result below its limit counts as half the limit".into());
    }
    let ranks = variable.sources.iter().filter_map(|s| match s {
        crate::schema::Source::Events { precedence, .. } => Some(*precedence),
        _ => None,
    });
    if ranks.clone().max() != ranks.min() {
        notes.push("values of a later precedence count only in windows without any of an earlier one".into());
    }
    let tied =
        pipeline.features.iter().any(|f| matches!(f.aggregation, Aggregation::First | Aggregation::Last));
    if tied {
        notes.push("first and last: values of one time are averaged".into());
    }
    notes
}
