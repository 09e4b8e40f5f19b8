//! The first rows of each file: cells of another type, units without a conversion, values that are not
//! plausible.

use super::finding::Checked;
use crate::ingest::IngestError;
use crate::ingest::cohort::plan::Plan;
use crate::ingest::cohort::plan_events::PlannedTable;
use crate::ingest::events::lookup::Lookup;
use crate::ingest::events::measure::{Meter, Raw, Units};
use crate::ingest::events::stated::{stated, stated_in_cell};
use crate::ingest::files::Format;
use crate::ingest::typed::batch::{BatchColumn, WrongCell};
use crate::ingest::typed::file::TypedFile;
use crate::ingest::typed::passed::Passed;

/// Rows of each file that are read.
const ROWS: u64 = 1_000;

/// Values of a variable below which nothing is said about the share of them that is not plausible.
const FEWEST: u64 = 20;

/// Whether cells of the records table or of a table of facts are of their types.
pub(super) fn of_facts(file: &TypedFile, checked: &mut Checked) {
    let mut rows = 0;
    let outcome = file.scan(|columns, passed| enough(columns, passed, &mut rows));
    finish(outcome, file, &file.file.name.clone(), checked, rows);
}

fn enough(columns: &[BatchColumn], passed: Passed, rows: &mut u64) -> Result<(), IngestError> {
    *rows = passed
        .rows
        .max(*rows + columns.first().map_or(0, BatchColumn::len) as u64 * u64::from(passed.rows == 0));
    if *rows >= ROWS { Err(IngestError::Stopped) } else { Ok(()) }
}

fn finish<T>(
    outcome: Result<T, IngestError>,
    file: &TypedFile,
    table: &str,
    checked: &mut Checked,
    rows: u64,
) {
    checked.rows += rows;
    match outcome {
        Ok(_) | Err(IngestError::Stopped) => {}
        Err(error) => checked.error(table, Some(&file.file.name), &error),
    }
}

/// What was made of the first measurements of each variable.
struct Seen<'a> {
    meters: Vec<Meter<'a>>,
    units: Units,
    measured: Vec<u64>,
}

impl Seen<'_> {
    fn measure(&mut self, lookup: &Lookup<'_>, item: usize, raw: Raw<'_>) {
        for target in lookup.targets[item] {
            self.measured[target.variable] += 1;
            // What cannot be used is counted by the meter.
            let _ = self.meters[target.variable].measure(target, raw, &self.units);
        }
    }
}

/// Whether cells of an event table are of their types, and its first measurements can be used.
pub(super) fn of_events(
    plan: &Plan<'_>,
    planned: &PlannedTable<'_>,
    files: &[TypedFile],
    checked: &mut Checked,
) {
    let lookup = Lookup::new(planned, 0);
    let set = lookup.set();
    let mut seen = Seen {
        meters: plan.variables.iter().map(|v| Meter::new(v.variable)).collect(),
        units: Units::new(),
        measured: vec![0; plan.variables.len()],
    };
    for file in files {
        let mut rows = 0;
        let mut each = |columns: &[BatchColumn], passed: Passed| {
            for row in 0..columns.first().map_or(0, BatchColumn::len) {
                let taken = take(planned, &lookup, columns, row, &mut seen);
                taken.map_err(|(column, WrongCell)| file.wrong_cell(column))?;
            }
            enough(columns, passed, &mut rows)
        };
        // Of a text, cells of items that nobody asked for are not looked at by `ingest` either. A file with
        // types says nothing of a stretch without any of the items, so that its end could be far.
        let outcome = match &set {
            Some((item, set)) if file.file.format == Format::Csv => file.scan_items(*item, set, &mut each),
            _ => file.scan(&mut each),
        };
        finish(outcome, file, &planned.table.name, checked, rows);
    }
    describe(plan, planned, &mut seen, checked);
}

fn take(
    planned: &PlannedTable<'_>,
    lookup: &Lookup<'_>,
    columns: &[BatchColumn],
    row: usize,
    seen: &mut Seen<'_>,
) -> Result<(), (usize, WrongCell)> {
    if !lookup.keeps(columns, row) || lookup.drops.iter().any(|d| d.drops(columns, row)) {
        return Ok(());
    }
    if let Some((item, unit)) = lookup.item(columns, row)? {
        let raw = stated(planned, columns, row, unit, &mut seen.units);
        seen.measure(lookup, item, raw);
        return Ok(());
    }
    for &(cell, item) in &lookup.cells {
        if let Some(raw) = stated_in_cell(&columns[cell], row) {
            seen.measure(lookup, item, raw);
        }
    }
    Ok(())
}

/// Sentences about variables whose first measurements cannot be used.
fn describe(plan: &Plan<'_>, planned: &PlannedTable<'_>, seen: &mut Seen<'_>, checked: &mut Checked) {
    let table = &planned.table.name;
    let variables = plan.variables.iter().zip(&seen.meters).zip(&seen.measured);
    for ((planned, meter), &measured) in variables {
        let (variable, audit) = (planned.variable, &meter.audit);
        for (unit, n) in &audit.unknown_units {
            let unit = if unit.is_empty() { "no unit".to_owned() } else { format!("the unit `{unit}`") };
            let text = format!(
                "{n} of the first {measured} values of {} are in {unit}, from which nothing leads to {}: \
                 such values are rejected",
                variable.name, variable.unit
            );
            checked.note(table, None, text);
        }
        let far = audit.below_range + audit.above_range;
        if measured >= FEWEST
            && 2 * far > measured
            && let Some((low, high)) = variable.range
        {
            let text = format!(
                "{far} of the first {measured} values of {} are not within {low} to {high} {}: they may be \
                 in another unit",
                variable.name, variable.unit
            );
            checked.note(table, None, text);
        }
        let words = audit.not_a_number;
        if measured >= FEWEST && 2 * words > measured {
            let text = format!(
                "{words} of the first {measured} values of {} are no number and no text that the schema maps",
                variable.name
            );
            checked.note(table, None, text);
        }
    }
}
