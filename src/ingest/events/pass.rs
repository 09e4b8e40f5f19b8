//! One pass over the event tables: every row is kept or dropped by a named reason.

use std::collections::BTreeMap;

use crate::message::{Message, Weight};

use super::gathered::Gathered;
use super::lookup::Lookup;
use super::measure::Units;
use super::measurement::{Of, When};
use super::reason::{Counts, Dropped, Reason};
use super::revisions::Revisions;
use super::stated::{stated, stated_in_cell};
use super::table_rows::TableRows;
use super::times::{Reading, Role, Times};
use crate::ingest::cohort::moment::{Misplaced, Moment};
use crate::ingest::cohort::plan_events::PlannedTable;
use crate::ingest::cohort::records::Records;
use crate::ingest::typed::batch::{BatchColumn, WrongCell};
use crate::ingest::typed::file::TypedFile;
use crate::ingest::typed::passed::Passed;
use crate::ingest::{IngestError, IngestProgress, PartError, TableAudit};

/// An event table being read.
#[derive(Clone, Copy)]
struct Table<'t> {
    planned: &'t PlannedTable<'t>,
    lookup: &'t Lookup<'t>,
    revisions: Option<&'t Revisions>,
}

/// What was made of the rows of a table so far.
struct Account {
    counts: Counts,
    /// Rows kept of each record.
    kept: Vec<u32>,
    /// Rows that the reader handed over.
    delivered: u64,
    /// Of tables with one column per signal.
    times: Times,
}

impl Gathered<'_> {
    /// Reads one event table.
    pub(in crate::ingest) fn table(
        &mut self,
        planned: &PlannedTable<'_>,
        files: &[TypedFile],
        records: &mut Records,
        progress: &dyn IngestProgress,
    ) -> Result<TableRows, IngestError> {
        let lookup = Lookup::new(planned, self.kept.len() as u16);
        let mut account = Account {
            counts: Counts { rules: vec![0; lookup.drops.len()], ..Counts::default() },
            kept: vec![0; records.len()],
            delivered: 0,
            times: Times::default(),
        };
        let name = &planned.table.name;
        let (mut rows_read, mut malformed, mut done) = (0, 0, 0);
        let mut messages = Vec::new();
        let revisions = Revisions::read(planned, &lookup, files)?;
        let table = Table { planned, lookup: &lookup, revisions: revisions.as_ref() };
        for file in files {
            let said = |passed: Passed| progress.rows(name, rows_read + passed.rows, done + passed.bytes);
            let passed = self.file(&table, file, Reading::First, records, &mut account, said)?;
            if passed.rows == 0 && files.len() > 1 {
                let text = format!("table {name}: {} has no rows", file.file.name);
                messages.push(Message::file(Weight::LeftOut, &file.file.name, text));
            }
            self.zones.add(passed.zones, &file.file.name)?;
            if passed.zones.date {
                let text = format!(
                    "table {name}: {} has dates without a time of day among its times; they count as \
                     midnight",
                    file.file.name
                );
                messages.push(Message::file(Weight::Wrong, &file.file.name, text));
            }
            rows_read += passed.rows;
            malformed += passed.skipped;
            done += file.file.size();
            progress.rows(name, rows_read, done);
        }
        if account.times.has_repeated() {
            for file in files {
                self.file(&table, file, Reading::Second, records, &mut account, |_| ())?;
            }
        }
        let Account { mut counts, kept, delivered, .. } = account;
        let part = records.part();
        let of_nobody = |reason| if part.counts_strays() { reason } else { Reason::OtherPart };
        counts.add(of_nobody(Reason::OtherItem), rows_read - malformed - delivered);
        counts.add(of_nobody(Reason::Malformed), malformed);
        let others = counts.reasons[Reason::OtherPart as usize];
        if part.divided && others > 0 {
            return Err(PartError::OtherParts { table: name.clone(), rows: others, part }.into());
        }
        let mut dropped = BTreeMap::new();
        let named = Reason::NAMES.into_iter().zip(counts.reasons);
        let ruled = planned.columns.drop.iter().map(|r| r.reason.as_str()).zip(counts.rules.iter().copied());
        for (reason, n) in named.chain(ruled).filter(|(_, n)| *n > 0) {
            *dropped.entry(reason.to_string()).or_default() += n;
        }
        let rows_kept = kept.iter().map(|n| u64::from(*n)).sum();
        self.kept.push(kept);
        let audit = TableAudit { table: name.clone(), rows_read, rows_kept, dropped };
        let in_several_stays = counts.in_several_stays;
        Ok(TableRows { audit, has_files: !files.is_empty(), in_several_stays, messages })
    }

    /// Takes in the rows of one file.
    fn file(
        &mut self,
        table: &Table<'_>,
        file: &TypedFile,
        reading: Reading,
        records: &mut Records,
        account: &mut Account,
        said: impl Fn(Passed),
    ) -> Result<Passed, IngestError> {
        let planned = table.planned;
        let long = self.plan.is_long();
        let each = |columns: &[BatchColumn], passed: Passed| {
            let n = columns.first().map_or(0, BatchColumn::len);
            if reading == Reading::First {
                account.delivered += n as u64;
            }
            for row in 0..n {
                let outcome = self.row(table, columns, row, reading, records, account);
                let outcome = outcome.map_err(|(column, WrongCell)| file.wrong_cell(column))?;
                let Some(outcome) = outcome else { continue };
                if let Some(trace) = &mut self.trace {
                    let reason = outcome.err().and_then(|dropped| match dropped {
                        Dropped::For(Reason::OtherItem) => None,
                        Dropped::For(reason) => Some(reason.name()),
                        Dropped::ByRule(rule) => Some(planned.columns.drop[rule].reason.as_str()),
                    });
                    trace.row(planned, &file.file.name, columns, row, records, outcome.is_ok(), reason);
                }
                match outcome {
                    Err(Dropped::For(reason)) => account.counts.add(reason, 1),
                    Err(Dropped::ByRule(rule)) => account.counts.rules[rule] += 1,
                    Ok(record) => {
                        let kept = &mut account.kept;
                        if kept.len() < records.len() {
                            kept.resize(records.len(), 0);
                        }
                        kept[record as usize] += 1;
                    }
                }
            }
            said(passed);
            Ok(())
        };
        match table.lookup.set() {
            Some((item, set)) if !long => file.scan_items(item, &set, each),
            // Records are the ids of all rows, so no row may stay behind in the reader.
            _ => file.scan(each),
        }
    }

    /// The record a row was kept for, or why it was dropped; none if the other reading takes care of it.
    /// `Err` names the place of a wrong cell.
    fn row(
        &mut self,
        table: &Table<'_>,
        columns: &[BatchColumn],
        row: usize,
        reading: Reading,
        records: &mut Records,
        account: &mut Account,
    ) -> Result<Option<Result<u32, Dropped>>, (usize, WrongCell)> {
        let Table { planned, lookup, revisions } = *table;
        let places = &planned.places;
        let key = |place: usize| columns[place].key(row).map_err(|e| (place, e));
        // The second reading has nothing to say about rows that never came to a place in time.
        let dropped = |reason| Ok((reading == Reading::First).then_some(Err(reason)));
        // What belongs to no record is counted once, whichever parts read it.
        let counts_strays = records.part().counts_strays();
        let of_nobody = |reason| if counts_strays { reason } else { Dropped::For(Reason::OtherPart) };
        if !lookup.keeps(columns, row) {
            return dropped(of_nobody(Dropped::For(Reason::OtherTable)));
        }
        let record_key = places.record.map(key).transpose()?.flatten();
        let subject_key = places.subject.map(key).transpose()?.flatten();
        let mut met = None;
        if self.plan.is_long()
            && let Some(id) = record_key
        {
            if !records.holds(id) {
                return dropped(Dropped::For(Reason::OtherPart));
            }
            let known = records.len();
            let record = records.meet(id, subject_key);
            if records.len() > known {
                self.meet(record, records);
            }
            met = Some(record);
        }
        let of_nobody = |reason| if met.is_some() { reason } else { of_nobody(reason) };
        let item = lookup.item(columns, row)?;
        if item.is_none() && places.item.is_some() {
            return dropped(of_nobody(Dropped::For(Reason::OtherItem)));
        }
        if let Some(rule) = lookup.drops.iter().position(|d| d.drops(columns, row)) {
            return dropped(of_nobody(Dropped::ByRule(rule)));
        }
        if let Some(revisions) = revisions
            && revisions.corrects(planned, lookup, columns, row)?
        {
            return dropped(of_nobody(Dropped::For(Reason::Corrected)));
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
        // Times of a stay that continues a record count from its own start.
        let named = record_key.filter(|_| met.is_none()).and_then(|key| records.locate(key));
        let after = named.map_or(0, |(_, after)| after);
        let until = places.end.map(moment).transpose()?.flatten().map(|m| m.counted_from(after));
        let start = moment(places.time)?.map(|m| m.counted_from(after));
        let record = match (record_key, subject_key, start) {
            _ if met.is_some() => met.ok_or(Misplaced::NoSuchRecord),
            (Some(_), ..) => named.map(|(record, _)| record).ok_or(Misplaced::NoSuchRecord),
            (None, Some(subject), Some(start)) => records.assign(subject, start, self.window),
            (None, Some(subject), None) => records.only_of(subject).ok_or(Misplaced::NoSuchRecord),
            (None, None, _) => Err(Misplaced::NoSuchRecord),
        };
        let is_mine = record.map_or(counts_strays, |record| records.is_mine(record));
        if !is_mine {
            return dropped(Dropped::For(Reason::OtherPart));
        }
        let place =
            |start| record.and_then(|record| self.place(record, start, until, places.end.is_some(), records));
        let when = When {
            record,
            named: record_key,
            subject: subject_key,
            start,
            until,
            lasts: places.end.is_some(),
            amount: planned.columns.amount,
            placed: start.map(place),
        };
        let counts = &mut account.counts;
        if let Some((item, unit)) = item {
            let stated = |units: &mut Units| stated(planned, columns, row, unit, units);
            let of = Of { lookup, item, alone: false };
            return Ok(Some(self.measurement(of, &when, records, counts, stated)));
        }
        // Every column that is an item states a measurement of its own, or nothing.
        let role = match when.placed {
            Some(Ok(placed)) => account.times.meet(reading, placed.record, placed.span.from),
            _ if reading == Reading::First => Role::First,
            _ => Role::NotNow,
        };
        if role == Role::NotNow {
            return Ok(None);
        }
        let mut outcome = Err(Dropped::For(Reason::Empty));
        for &(cell, item) in &lookup.cells {
            let Some(raw) = stated_in_cell(&columns[cell], row) else { continue };
            let of = Of { lookup, item, alone: role == Role::First };
            if role == Role::Repeated {
                self.remember(of, &when, records, raw);
                continue;
            }
            let of_cell = self.measurement(of, &when, records, counts, |_| raw);
            if of_cell.is_ok() || outcome == Err(Dropped::For(Reason::Empty)) {
                outcome = of_cell;
            }
            // Outside the windows, every other cell of the row comes to the same.
            if matches!(when.placed, Some(Err(_))) {
                break;
            }
        }
        Ok((role != Role::Repeated).then_some(outcome))
    }
}
