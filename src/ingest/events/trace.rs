//! What `--explain` follows: every row that concerns one record, and what became of it.

use serde::Serialize;
use std::fmt::Write as _;

use super::measure::Meter;
use super::value::Value;
use crate::ingest::cohort::plan_events::{PlannedTable, Target};
use crate::ingest::cohort::records::Records;
use crate::ingest::typed::batch::BatchColumn;
use crate::ingest::typed::calendar::clock_text;
use crate::ingest::typed::items::PAIR;
use crate::schema::DType;

/// A row of an event table that concerns the record explained.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TracedRow {
    /// File.
    pub file: String,
    /// Item.
    pub item: String,
    /// Time as written.
    pub time: String,
    /// Value as written: number, and text where there is one.
    pub value: String,
    /// Unit as written.
    pub unit: String,
    /// Values it became, with their variables and how; empty when dropped.
    pub accepted: Vec<String>,
    /// Why it was dropped.
    pub dropped: Option<String>,
}

/// The rows that concern one record.
#[derive(Debug)]
pub(in crate::ingest) struct Trace {
    record: u32,
    pub(in crate::ingest) rows: Vec<TracedRow>,
    accepted: Vec<String>,
}

impl Trace {
    pub(in crate::ingest) fn new(record: u32) -> Self {
        Self { record, rows: Vec::new(), accepted: Vec::new() }
    }

    /// A value taken in of the row being read.
    pub(in crate::ingest) fn accept(&mut self, meter: &Meter<'_>, target: &Target, value: Value) {
        let mut text = match value {
            Value::Number(x) => format!("{} = {x} {}", meter.variable().name, meter.variable().unit),
            Value::Level(code) => format!("{} = {}", meter.variable().name, meter.levels[code as usize]),
        };
        text.truncate(text.trim_end().len());
        if target.precedence > 0 {
            let _ = write!(text, " (precedence {})", target.precedence);
        }
        self.accepted.push(text);
    }

    /// A row that was read; `reason` is why it was dropped, none for items nobody asked for.
    #[expect(clippy::too_many_arguments, reason = "one call site; all of a row and its outcome")]
    pub(in crate::ingest) fn row(
        &mut self,
        planned: &PlannedTable<'_>,
        file: &str,
        columns: &[BatchColumn],
        row: usize,
        records: &Records,
        kept: bool,
        reason: Option<&str>,
    ) {
        let accepted = std::mem::take(&mut self.accepted);
        if !kept && reason.is_none() {
            return;
        }
        let places = &planned.places;
        let key = |place: Option<usize>| place.and_then(|at| columns[at].key(row).ok().flatten());
        let concerns = match (key(places.record), key(places.subject)) {
            (Some(id), _) => records.locate(id).map(|(record, _)| record) == Some(self.record),
            (None, Some(subject)) => {
                records.subjects.get(subject) == records.subject_of.get(self.record as usize).copied()
            }
            (None, None) => false,
        };
        if !concerns {
            return;
        }
        let text = |place: Option<usize>| place.and_then(|at| columns[at].to_text(row)).unwrap_or_default();
        let cells: Vec<String> = places
            .cells
            .iter()
            .filter_map(|&at| {
                columns[at].to_text(row).map(|cell| format!("{} {cell}", planned.wanted[at].name))
            })
            .collect();
        let number = if places.value.is_some() { text(places.value) } else { cells.join(", ") };
        let written = text(places.text);
        let value = match (number.as_str(), written.as_str()) {
            (number, "") => number.to_string(),
            ("", written) => format!("\"{written}\""),
            (number, written) if number == written => number.to_string(),
            (number, written) => format!("{number} \"{written}\""),
        };
        // Times of the calendar are read as seconds, and shown as a reader writes them.
        let moment = |place: usize| match planned.wanted[place].dtype {
            DType::Datetime => {
                columns[place].datetime(row).ok().flatten().map(clock_text).unwrap_or_default()
            }
            _ => text(Some(place)),
        };
        let until = places.end.map(moment).unwrap_or_default();
        let time = moment(places.time);
        self.rows.push(TracedRow {
            file: file.to_string(),
            item: match text(places.item_within) {
                within if within.is_empty() => text(places.item),
                within => format!("{}{PAIR}{within}", text(places.item)),
            },
            time: if until.is_empty() { time } else { format!("{time} to {until}") },
            value,
            unit: text(places.unit),
            accepted,
            dropped: reason.map(ToString::to_string),
        });
    }
}
