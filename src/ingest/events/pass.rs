//! One pass over the event tables: every row is kept or dropped by a named reason.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::message::{Message, Weight};

use super::duplicates::{Span, cell_hash};
use super::gathered::Gathered;
use super::lookup::Lookup;
use super::measure::{Raw, Units};
use super::reason::{Counts, Dropped, Reason};
use super::revisions::Revisions;
use super::stated::{stated, stated_in_cell};
use super::value::{Rejected, Value};
use crate::ingest::cohort::messages;
use crate::ingest::cohort::plan_events::{PlannedTable, Target};
use crate::ingest::cohort::records::{Misplaced, Moment, Records};
use crate::ingest::typed::batch::{BatchColumn, Key, WrongCell};
use crate::ingest::typed::file::TypedFile;
use crate::ingest::typed::passed::Passed;
use crate::ingest::{IngestError, IngestProgress, TableAudit};

/// A row in its place: the record it concerns, and from when to when.
#[derive(Debug, Clone, Copy)]
struct Placed {
    record: u32,
    span: Span,
    /// The second its beginning ends with: what begins and has no end is known for that moment alone.
    known_to: i64,
}

/// An event table being read.
#[derive(Clone, Copy)]
struct Table<'t> {
    planned: &'t PlannedTable<'t>,
    lookup: &'t Lookup<'t>,
    revisions: Option<&'t Revisions>,
}

/// Whom a row concerns, and when it was.
#[derive(Clone, Copy)]
struct When<'k> {
    record: Result<u32, Misplaced>,
    /// The keys of record and subject that the row names.
    named: Option<Key<'k>>,
    subject: Option<Key<'k>>,
    start: Option<Moment>,
    until: Option<Moment>,
    /// Whether the table says ends.
    lasts: bool,
}

impl Gathered<'_> {
    /// Reads one event table.
    pub(in crate::ingest) fn table(
        &mut self,
        planned: &PlannedTable<'_>,
        files: &[TypedFile],
        records: &mut Records,
        progress: &dyn IngestProgress,
    ) -> Result<TableAudit, IngestError> {
        let lookup = Lookup::new(planned, self.kept.len() as u16);
        let mut counts = Counts { rules: vec![0; lookup.drops.len()], ..Counts::default() };
        let name = &planned.table.name;
        let (mut kept, mut delivered) = (vec![0; records.len()], 0);
        let (mut rows_read, mut malformed, mut done) = (0, 0, 0);
        let long = self.plan.is_long();
        let revisions = Revisions::read(planned, &lookup, files)?;
        let only = lookup.set();
        for file in files {
            let each = |columns: &[BatchColumn], passed: Passed| {
                let n = columns.first().map_or(0, BatchColumn::len);
                delivered += n as u64;
                for row in 0..n {
                    let table = Table { planned, lookup: &lookup, revisions: revisions.as_ref() };
                    let outcome = self.row(&table, columns, row, records, &mut counts);
                    let outcome = outcome.map_err(|(column, WrongCell)| file.wrong_cell(column))?;
                    if let Some(trace) = &mut self.trace {
                        let reason = outcome.err().and_then(|dropped| match dropped {
                            Dropped::For(Reason::OtherItem) => None,
                            Dropped::For(reason) => Some(reason.name()),
                            Dropped::ByRule(rule) => Some(planned.columns.drop[rule].reason.as_str()),
                        });
                        trace.row(planned, &file.file.name, columns, row, records, outcome.is_ok(), reason);
                    }
                    match outcome {
                        Err(Dropped::For(reason)) => counts.add(reason, 1),
                        Err(Dropped::ByRule(rule)) => counts.rules[rule] += 1,
                        Ok(_) => {}
                    }
                    if let Ok(record) = outcome {
                        if kept.len() < records.len() {
                            kept.resize(records.len(), 0);
                        }
                        kept[record as usize] += 1;
                    }
                }
                progress.rows(name, rows_read + passed.rows, done + passed.bytes);
                Ok(())
            };
            let passed = match &only {
                Some((item, set)) if !long => file.scan_items(*item, set, each)?,
                // Records are the ids of all rows, so no row may stay behind in the reader.
                _ => file.scan(each)?,
            };
            if passed.rows == 0 && files.len() > 1 {
                let text = format!("table {name}: {} has no rows", file.file.name);
                self.messages.push(Message::file(Weight::LeftOut, &file.file.name, text));
            }
            self.zones.add(passed.zones, &file.file.name)?;
            if passed.zones.date {
                let text = format!(
                    "table {name}: {} has dates without a time of day among its times; they count as \
                     midnight",
                    file.file.name
                );
                self.messages.push(Message::file(Weight::Wrong, &file.file.name, text));
            }
            rows_read += passed.rows;
            malformed += passed.skipped;
            done += file.file.size();
            progress.rows(name, rows_read, done);
        }
        self.messages.extend(messages::in_several_stays(name, counts.in_several_stays));
        counts.add(Reason::OtherItem, rows_read - malformed - delivered);
        counts.add(Reason::Malformed, malformed);
        let mut dropped = BTreeMap::new();
        let named = Reason::NAMES.into_iter().zip(counts.reasons);
        let ruled = planned.columns.drop.iter().map(|r| r.reason.as_str()).zip(counts.rules.iter().copied());
        for (reason, n) in named.chain(ruled).filter(|(_, n)| *n > 0) {
            *dropped.entry(reason.to_string()).or_default() += n;
        }
        let rows_kept = kept.iter().map(|n| u64::from(*n)).sum();
        self.kept.push(kept);
        Ok(TableAudit { table: name.clone(), rows_read, rows_kept, dropped })
    }

    /// The record a row was kept for, or why it was dropped; `Err` names the place of a wrong cell.
    fn row(
        &mut self,
        table: &Table<'_>,
        columns: &[BatchColumn],
        row: usize,
        records: &mut Records,
        counts: &mut Counts,
    ) -> Result<Result<u32, Dropped>, (usize, WrongCell)> {
        let Table { planned, lookup, revisions } = *table;
        let places = &planned.places;
        let key = |place: usize| columns[place].key(row).map_err(|e| (place, e));
        let dropped = |reason: Reason| Ok(Err(Dropped::For(reason)));
        if !lookup.keeps(columns, row) {
            return dropped(Reason::OtherTable);
        }
        let record_key = places.record.map(key).transpose()?.flatten();
        let subject_key = places.subject.map(key).transpose()?.flatten();
        let mut met = None;
        if self.plan.is_long()
            && let Some(id) = record_key
        {
            let known = records.len();
            let record = records.meet(id, subject_key);
            if records.len() > known {
                self.meet(record, records);
            }
            met = Some(record);
        }
        let item = lookup.item(columns, row)?;
        if item.is_none() && places.item.is_some() {
            return dropped(Reason::OtherItem);
        }
        if let Some(rule) = lookup.drops.iter().position(|d| d.drops(columns, row)) {
            return Ok(Err(Dropped::ByRule(rule)));
        }
        if let Some(revisions) = revisions
            && revisions.corrects(planned, lookup, columns, row)?
        {
            return dropped(Reason::Corrected);
        }
        let moment = |place: usize| {
            let time = &columns[place];
            let moment = if planned.wanted[place].dtype.is_since_start() {
                time.elapsed(row).map(|t| t.map(Moment::After))
            } else {
                time.datetime(row).map(|t| t.map(Moment::At))
            };
            moment.map_err(|e| (place, e))
        };
        let until = places.end.map(moment).transpose()?.flatten();
        let start = moment(places.time)?;
        let record = match (record_key, subject_key, start) {
            _ if met.is_some() => met.ok_or(Misplaced::NoSuchRecord),
            (Some(key), ..) => records.ids.get(key).ok_or(Misplaced::NoSuchRecord),
            (None, Some(subject), Some(start)) => records.assign(subject, start, self.window),
            (None, Some(subject), None) => records.only_of(subject).ok_or(Misplaced::NoSuchRecord),
            (None, None, _) => Err(Misplaced::NoSuchRecord),
        };
        let (named, subject) = (record_key, subject_key);
        let when = When { record, named, subject, start, until, lasts: places.end.is_some() };
        if let Some((item, unit)) = item {
            let stated = |units: &mut Units| stated(planned, columns, row, unit, units);
            return Ok(self.measurement(lookup, item, when, records, counts, stated));
        }
        // Every column that is an item states a measurement of its own, or nothing.
        let mut outcome = Err(Dropped::For(Reason::Empty));
        for &(cell, item) in &lookup.cells {
            let Some(raw) = stated_in_cell(&columns[cell], row) else { continue };
            let of_cell = self.measurement(lookup, item, when, records, counts, |_| raw);
            if of_cell.is_ok() || outcome == Err(Dropped::For(Reason::Empty)) {
                outcome = of_cell;
            }
        }
        Ok(outcome)
    }

    /// Takes in what a row states of an item: the record that it was kept for, or why it was dropped.
    fn measurement<'r>(
        &mut self,
        lookup: &Lookup<'_>,
        item: usize,
        when: When<'_>,
        records: &Records,
        counts: &mut Counts,
        stated: impl FnOnce(&mut Units) -> Raw<'r>,
    ) -> Result<u32, Dropped> {
        let dropped = |reason: Reason| Err(Dropped::For(reason));
        let When { record, named, subject, start, until, lasts } = when;
        let targets = lookup.targets[item];
        let Some(start) = start else {
            // It may have been in any window of its record.
            if let Ok(record) = record {
                self.reject_row(targets, record, None, Rejected::NoTime);
            }
            return dropped(Reason::NoTime);
        };
        let placed = record.and_then(|record| self.place(record, start, until, lasts, records));
        let placed = match placed {
            Ok(placed) => placed,
            Err(misplaced) => return dropped(misplaced.into()),
        };
        if targets.iter().all(|t| self.reached(t, placed, placed.span).is_empty()) {
            return dropped(targets.last().map_or(Reason::OtherItem, |t| self.missed(t, placed)));
        }
        if until.is_some_and(|until| until.seconds() < start.seconds()) {
            self.reject_row(targets, placed.record, Some(placed), Rejected::EndBeforeStart);
            return dropped(Reason::EndBeforeStart);
        }
        if let (None, Some(subject)) = (named, subject)
            && records.is_ambiguous(subject, start)
        {
            counts.in_several_stays += 1;
        }
        if !self.plan.is_long() && !records.belongs(placed.record, subject) {
            self.reject_row(targets, placed.record, Some(placed), Rejected::OtherSubject);
            return dropped(Reason::OtherSubject);
        }
        let raw = stated(&mut self.units);
        let hash = self.hashes[placed.record as usize];
        // A limit and a result with the same number say different things.
        let side = raw.beyond.map_or(0, |beyond| 1 + beyond as u32) << 30;
        if let Some(cell) = cell_hash(raw.number, raw.text, raw.unit | side)
            && self.copies.is_copy(lookup.table, hash, item as u64, placed.span, cell)
        {
            return dropped(Reason::Copy);
        }
        let (mut first_rejection, mut kept, mut mirrored) = (None, false, false);
        for target in targets {
            let windows = self.reached(target, placed, placed.span);
            if windows.is_empty() {
                continue;
            }
            let meter = &mut self.meters[target.variable];
            let value = match meter.measure(target, raw, &self.units) {
                Ok(value) => value,
                Err(Rejected::MissingCode) => {
                    first_rejection.get_or_insert(Rejected::MissingCode);
                    continue;
                }
                Err(rejected) => {
                    first_rejection.get_or_insert(rejected);
                    for cell in windows {
                        if !lasts {
                            self.chart(target.variable, cell, placed.span.from, None);
                        }
                        self.slots[target.slot].reject(cell, Some(placed.span.from));
                    }
                    continue;
                }
            };
            if self.mirrored[target.variable] {
                let bits = match value {
                    Value::Number(x) => x.to_bits(),
                    Value::Level(code) => u64::from(code),
                };
                if self.copies.is_mirror(lookup.table, target.variable as u16, hash, placed.span, bits) {
                    meter.audit.mirrored += 1;
                    mirrored = true;
                    continue;
                }
            }
            let known = Span { from: placed.span.from, to: placed.known_to };
            let known = self.reached(target, placed, known);
            let (first_cell, _) = self.cells[placed.record as usize];
            for cell in windows {
                if !lasts {
                    self.chart(target.variable, cell, placed.span.from, Some(value));
                }
                let meter = &self.meters[target.variable];
                let slot = &mut self.slots[target.slot];
                if known.contains(&cell) {
                    kept = true;
                    if lasts {
                        slot.add_lasting(cell, (placed.span.from, placed.known_to), value, &meter.levels);
                    } else {
                        slot.add(cell, placed.span.from, value, &meter.levels);
                    }
                } else {
                    slot.reject(cell, Some(self.bins.start(cell - first_cell)));
                }
            }
            let meter = &mut self.meters[target.variable];
            if placed.known_to < placed.span.to {
                meter.reject(Rejected::NoEnd);
                first_rejection.get_or_insert(Rejected::NoEnd);
            }
            self.keys.meet(target.variable as u16, hash, item as u64, placed.span.from);
            if let Some(trace) = &mut self.trace {
                trace.accept(meter, target, value);
            }
        }
        match first_rejection {
            _ if kept => Ok(placed.record),
            Some(rejected) => dropped(rejected.into()),
            None if mirrored => dropped(Reason::Copy),
            None => Ok(placed.record),
        }
    }

    /// Where a row belongs. What `lasts` by its table and has no end is known at its beginning, and may last
    /// to the end of its record.
    fn place(
        &self,
        record: u32,
        start: Moment,
        until: Option<Moment>,
        lasts: bool,
        records: &Records,
    ) -> Result<Placed, Misplaced> {
        if !lasts {
            let from = records.place(record, start, self.window)?;
            return Ok(Placed { record, span: Span { from, to: from + 1 }, known_to: from + 1 });
        }
        let (from, until, open) = match until {
            // An end before its beginning leaves open which of them is wrong: both may be.
            Some(until) if until.seconds() < start.seconds() => (until, start, false),
            Some(until) => (start, until, false),
            None => (start, start.forever(), true),
        };
        let (from, to) = records.place_lasting(record, from, until, self.window)?;
        Ok(Placed { record, span: Span { from, to }, known_to: if open { from + 1 } else { to } })
    }

    /// The windows, among those of all records, that a row counts in for a target.
    fn reached(&self, target: &Target, placed: Placed, span: Span) -> Range<u32> {
        let (first, n) = self.cells[placed.record as usize];
        let lookback = self.plan.variables[target.variable].lookback;
        let windows = self.bins.reached(span.from, span.to, lookback, n);
        first + windows.start..first + windows.end.max(windows.start)
    }

    /// Why a row counts in no window of its record.
    fn missed(&self, target: &Target, placed: Placed) -> Reason {
        let lookback = self.plan.variables[target.variable].lookback;
        let (_, n) = self.cells[placed.record as usize];
        let before = placed.span.to <= self.bins.first().saturating_sub(lookback);
        let after = placed.span.from >= self.bins.last() || n == 0;
        match (before, after) {
            (true, _) => Reason::Before,
            (_, true) => Reason::After,
            // In none of the windows: in a gap, or in one that would begin after the record's end.
            _ => Reason::Between,
        }
    }

    /// Counts a row that cannot be used for any of its variables, in the windows it reaches; without a place,
    /// in all of its record.
    fn reject_row(&mut self, targets: &[Target], record: u32, placed: Option<Placed>, reason: Rejected) {
        let (first, n) = self.cells[record as usize];
        for target in targets {
            let windows = placed.map_or(first..first + n, |placed| self.reached(target, placed, placed.span));
            if windows.is_empty() {
                continue;
            }
            self.meters[target.variable].reject(reason);
            for cell in windows {
                self.slots[target.slot].reject(cell, placed.map(|placed| placed.span.from));
            }
        }
    }
}
