//! One measurement of a row: where it belongs, what its value is, and in which windows it counts.

use std::ops::Range;

use super::duplicates::{Span, cell_hash};
use super::gathered::Gathered;
use super::lookup::Lookup;
use super::measure::{Raw, Units};
use super::reason::{Counts, Dropped, Reason};
use super::value::{Rejected, Value};
use crate::ingest::cohort::moment::{Misplaced, Moment};
use crate::ingest::cohort::plan_events::Target;
use crate::ingest::cohort::records::Records;
use crate::ingest::typed::batch::Key;

/// A row in its place: the record it concerns, and from when to when.
#[derive(Debug, Clone, Copy)]
pub(super) struct Placed {
    pub(super) record: u32,
    pub(super) span: Span,
    /// The second its beginning ends with: what begins and has no end is known for that moment alone.
    known_to: i64,
    /// First window, and the one behind the last, that it counts in for variables without a lookback.
    windows: (u32, u32),
}

/// Whom a row concerns, and when it was.
pub(super) struct When<'k> {
    pub(super) record: Result<u32, Misplaced>,
    /// The keys of record and subject that the row names.
    pub(super) named: Option<Key<'k>>,
    pub(super) subject: Option<Key<'k>>,
    pub(super) start: Option<Moment>,
    pub(super) until: Option<Moment>,
    /// Whether the table says ends.
    pub(super) lasts: bool,
    /// Whether its value is an amount over all of that time.
    pub(super) amount: bool,
    /// Its place, none without a beginning.
    pub(super) placed: Option<Result<Placed, Misplaced>>,
}

/// What a measurement is of.
#[derive(Clone, Copy)]
pub(super) struct Of<'l> {
    pub(super) lookup: &'l Lookup<'l>,
    /// Place of the item among the targets.
    pub(super) item: usize,
    /// Whether no row before it can state the same: there is no need to look for copies.
    pub(super) alone: bool,
}

impl Gathered<'_> {
    /// Takes in what a row states of an item: the record that it was kept for, or why it was dropped.
    pub(super) fn measurement<'r>(
        &mut self,
        of: Of<'_>,
        when: &When<'_>,
        records: &Records,
        counts: &mut Counts,
        stated: impl FnOnce(&mut Units) -> Raw<'r>,
    ) -> Result<u32, Dropped> {
        let Of { lookup, item, alone } = of;
        let dropped = |reason: Reason| Err(Dropped::For(reason));
        let When { record, named, subject, start, until, lasts, amount, placed } = *when;
        let targets = lookup.targets[item];
        let (Some(start), Some(placed)) = (start, placed) else {
            // It may have been in any window of its record.
            if let Ok(record) = record {
                self.reject_row(targets, record, None, Rejected::NoTime);
            }
            return dropped(Reason::NoTime);
        };
        let placed = match placed {
            Ok(placed) => placed,
            Err(misplaced) => return dropped(misplaced.into()),
        };
        if targets.iter().all(|t| self.reached(t, placed).is_empty()) {
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
        if !alone
            && let Some(cell) = stated_hash(raw)
            && self.copies.is_copy(lookup.table, hash, item as u64, placed.span, cell)
        {
            return dropped(Reason::Copy);
        }
        let (mut first_rejection, mut kept, mut mirrored) = (None, false, false);
        for target in targets {
            let windows = self.reached(target, placed);
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
            let (variable, bits) = (target.variable as u16, value_bits(value));
            if self.mirrored[target.variable]
                && self.copies.is_mirror(lookup.table, variable, hash, placed.span, bits)
            {
                meter.audit.mirrored += 1;
                mirrored = true;
                continue;
            }
            let known = if placed.known_to == placed.span.to {
                windows.clone()
            } else {
                self.windows(target, placed.record, Span { from: placed.span.from, to: placed.known_to })
            };
            let (first_cell, _) = self.cells[placed.record as usize];
            let lookback = self.plan.variables[target.variable].lookback;
            for cell in windows {
                if !lasts {
                    self.chart(target.variable, cell, placed.span.from, Some(value));
                }
                let meter = &self.meters[target.variable];
                let slot = &mut self.slots[target.slot];
                // Of an amount without an end, nobody knows which part is of any window.
                let is_open = amount && placed.known_to < placed.span.to;
                if known.contains(&cell) && !is_open {
                    kept = true;
                    if amount {
                        let k = cell - first_cell;
                        let end = self.bins.end(k, records.length(placed.record));
                        let window = (self.bins.start(k).saturating_sub(lookback), end);
                        let (from, part) = part_of(placed.span, window, value);
                        slot.add(cell, from, part, &meter.levels);
                    } else if lasts {
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
            if !alone {
                self.keys.meet(target.variable as u16, hash, item as u64, placed.span.from);
            }
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

    /// Takes note of what a row stated that was taken in when it seemed to be alone, so that its copies and
    /// the second measurements beside it are known; nothing is counted again.
    pub(super) fn remember(&mut self, of: Of<'_>, when: &When<'_>, records: &Records, raw: Raw<'_>) {
        let Of { lookup, item, .. } = of;
        let (Some(start), Some(Ok(placed))) = (when.start, when.placed) else { return };
        let targets = lookup.targets[item];
        let is_reversed = when.until.is_some_and(|until| until.seconds() < start.seconds());
        let is_foreign = !self.plan.is_long() && !records.belongs(placed.record, when.subject);
        let is_reached = targets.iter().any(|t| !self.reached(t, placed).is_empty());
        if is_reversed || is_foreign || !is_reached {
            return;
        }
        let hash = self.hashes[placed.record as usize];
        if let Some(cell) = stated_hash(raw) {
            self.copies.is_copy(lookup.table, hash, item as u64, placed.span, cell);
        }
        for target in targets {
            if self.reached(target, placed).is_empty() {
                continue;
            }
            let variable = target.variable as u16;
            let Ok(value) = self.meters[target.variable].uncounted(target, raw, &self.units) else {
                continue;
            };
            let bits = value_bits(value);
            let is_mirror = self.mirrored[target.variable]
                && self.copies.is_mirror(lookup.table, variable, hash, placed.span, bits);
            if !is_mirror {
                self.keys.meet(variable, hash, item as u64, placed.span.from);
            }
        }
    }

    /// Where a row belongs. What `lasts` by its table and has no end is known at its beginning, and may last
    /// to the end of its record.
    pub(super) fn place(
        &self,
        record: u32,
        start: Moment,
        until: Option<Moment>,
        lasts: bool,
        records: &Records,
    ) -> Result<Placed, Misplaced> {
        let (span, known_to) = if lasts {
            let (from, until, open) = match until {
                // An end before its beginning leaves open which of them is wrong: both may be.
                Some(until) if until.seconds() < start.seconds() => (until, start, false),
                Some(until) => (start, until, false),
                None => (start, start.forever(), true),
            };
            let (from, to) = records.place_lasting(record, from, until, self.window)?;
            (Span { from, to }, if open { from + 1 } else { to })
        } else {
            let from = records.place(record, start, self.window)?;
            (Span { from, to: from + 1 }, from + 1)
        };
        let windows = self.windows_of(record, span, 0);
        Ok(Placed { record, span, known_to, windows: (windows.start, windows.end) })
    }

    /// The windows, among those of all records, that a row counts in for a target.
    fn reached(&self, target: &Target, placed: Placed) -> Range<u32> {
        if self.plan.variables[target.variable].lookback == 0 {
            return placed.windows.0..placed.windows.1;
        }
        self.windows(target, placed.record, placed.span)
    }

    fn windows(&self, target: &Target, record: u32, span: Span) -> Range<u32> {
        self.windows_of(record, span, self.plan.variables[target.variable].lookback)
    }

    fn windows_of(&self, record: u32, span: Span, lookback: i64) -> Range<u32> {
        let (first, n) = self.cells[record as usize];
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
            let windows = placed.map_or(first..first + n, |placed| self.reached(target, placed));
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

/// The part of an amount that falls into a window, and when it begins there.
fn part_of(span: Span, (start, end): (i64, i64), value: Value) -> (i64, Value) {
    let from = span.from.max(start);
    let Value::Number(amount) = value else { return (from, value) };
    let within = (span.to.min(end) - from).max(0) as f64;
    (from, Value::Number(amount * within / (span.to - span.from) as f64))
}

/// Hash of what a row says; none where it says nothing. A limit and a result with the same number say
/// different things.
fn stated_hash(raw: Raw<'_>) -> Option<u64> {
    let side = raw.beyond.map_or(0, |beyond| 1 + beyond as u32) << 30;
    cell_hash(raw.number, raw.text, raw.unit | side)
}

fn value_bits(value: Value) -> u64 {
    match value {
        Value::Number(x) => x.to_bits(),
        Value::Level(code) => u64::from(code),
    }
}
