//! What was gathered of each variable in each window, and what is asked of it.

use std::collections::BTreeMap;

use crate::schema::{Aggregation, Feature, Known, Source, Variable};

use super::accumulate::{Aggregate, Slot};
use super::bins::Bins;
use super::duplicates::{Copies, KeyCounter, id_hash};
use super::finding::Finding;
use super::measure::{Meter, Units};
use super::over_time::Lasting;
use super::reason::Reason;
use super::table_rows::TableRows;
use super::trace::Trace;
use super::value::Value;
use crate::ingest::cohort::moment::Reach;
use crate::ingest::cohort::plan::Plan;
use crate::ingest::cohort::records::Records;
use crate::ingest::cohort::rules::{Answer, Answers};
use crate::ingest::typed::calendar::Zones;

/// What has been gathered from event tables so far.
#[derive(Debug)]
pub(in crate::ingest) struct Gathered<'a> {
    pub(in crate::ingest) plan: &'a Plan<'a>,
    pub(in crate::ingest) slots: Vec<Slot>,
    pub(in crate::ingest) meters: Vec<Meter<'a>>,
    pub(in crate::ingest) units: Units,
    pub(in crate::ingest) keys: KeyCounter,
    pub(in crate::ingest) copies: Copies,
    /// Variables that several tables hold at one precedence, where one may mirror the other.
    pub(in crate::ingest) mirrored: Vec<bool>,
    pub(in crate::ingest) window: Reach,
    pub(in crate::ingest) bins: Bins,
    /// First window of each record among those of all records, and their number.
    pub(in crate::ingest) cells: Vec<(u32, u32)>,
    n_cells: u32,
    /// What `--explain` asks for.
    pub(in crate::ingest) trace: Option<Trace>,
    /// Stable hashes of the record ids.
    pub(in crate::ingest) hashes: Vec<u64>,
    /// Per event table, rows kept of each record: they are dropped again if a later rule drops the record.
    pub(in crate::ingest) kept: Vec<Vec<u32>>,
    /// How the times of the tables read so far are written.
    pub(in crate::ingest) zones: Zones,
    /// Of variables that have a value where nothing is recorded: the last entry in each window of tables that
    /// do not say when what is charted ends, with its time and whether it is that value.
    charted: BTreeMap<(usize, u32), (i64, bool)>,
    /// Variables that cannot be told, because the extract has not the tables that hold them.
    pub(in crate::ingest) lost: Vec<bool>,
}

/// A computed value and its time.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Instant {
    pub(in crate::ingest) seconds: i64,
    pub(in crate::ingest) known: Known,
}

/// One window of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct Cell {
    pub(in crate::ingest) record: u32,
    pub(in crate::ingest) window: u32,
}

impl<'a> Gathered<'a> {
    pub(in crate::ingest) fn new(plan: &'a Plan<'a>, records: &Records) -> Self {
        let mut gathered = Self {
            plan,
            slots: Vec::new(),
            meters: plan.variables.iter().map(|v| Meter::new(v.variable)).collect(),
            units: Units::new(),
            keys: KeyCounter::default(),
            copies: Copies::default(),
            mirrored: plan.variables.iter().map(|v| has_mirrors(v.variable)).collect(),
            window: Reach::new(&plan.pipeline.window, plan.longest_lookback()),
            bins: Bins::new(&plan.pipeline.window),
            cells: Vec::new(),
            n_cells: 0,
            trace: None,
            hashes: (0..records.len() as u32).map(|r| id_hash(records.id(r))).collect(),
            kept: Vec::new(),
            zones: Zones::default(),
            charted: BTreeMap::new(),
            lost: vec![false; plan.variables.len()],
        };
        for record in 0..records.len() as u32 {
            gathered.add_cells(record, records);
        }
        let n = gathered.n_cells as usize;
        gathered.slots = plan.slots.iter().map(|needs| Slot::new(*needs, n)).collect();
        gathered
    }

    /// Makes room for a record that was met in an event table first.
    pub(in crate::ingest) fn meet(&mut self, record: u32, records: &Records) {
        self.hashes.push(id_hash(records.id(record)));
        self.add_cells(record, records);
        let cells = self.n_cells as usize;
        self.slots.iter_mut().for_each(|s| s.grow(cells));
    }

    /// A record outside the cohort has no window to gather for.
    fn add_cells(&mut self, record: u32, records: &Records) {
        let of_cohort = records.in_cohort[record as usize];
        let n = if of_cohort { self.bins.count(records.length(record)) } else { 0 };
        self.cells.push((self.n_cells, n));
        self.n_cells = self.n_cells.checked_add(n).expect("invariant: fewer than 2³² windows of records");
    }

    /// Number of windows of a record; none before events are gathered for it.
    pub(in crate::ingest) fn n_windows(&self, record: u32) -> u32 {
        self.cells.get(record as usize).map_or(0, |(_, n)| *n)
    }

    /// What the measurements of a window say about a variable; a fact of the record is no part of it.
    pub(in crate::ingest) fn finding(
        &self,
        variable: usize,
        aggregation: Aggregation,
        min_count: u32,
        cell: Cell,
        records: &Records,
    ) -> Finding {
        if self.lost[variable] {
            return Finding::Unknown;
        }
        let at = self.at(cell);
        let (usable, rejected) = self.counts(variable, cell);
        let aggregate = match self.best(variable, at) {
            _ if aggregation == Aggregation::Count && self.plan.variables[variable].measured => {
                return Finding::Number(f64::from(usable));
            }
            Some(slot) => {
                let end = self.bins.end(cell.window, records.length(cell.record));
                let lookback = self.plan.variables[variable].lookback;
                slot.value(at, aggregation, (self.bins.start(cell.window) - lookback, end))
            }
            None => Aggregate::Missing,
        };
        match Finding::of(aggregate, usable, rejected, min_count) {
            Finding::Absent if self.is_left_open(variable, cell) => Finding::Unknown,
            finding => finding,
        }
    }

    /// Takes note of an entry of a table whose entries have no end; `value` is none if it cannot be used.
    pub(in crate::ingest) fn chart(&mut self, variable: usize, at: u32, seconds: i64, value: Option<Value>) {
        let Some(default) = self.plan.variables[variable].variable.absent else { return };
        let is_default = value == Some(Value::Number(default));
        let last = self.charted.entry((variable, at)).or_insert((seconds, is_default));
        // Of several at one time, any that is not the default counts, so that their order does not.
        if seconds > last.0 {
            *last = (seconds, is_default);
        } else if seconds == last.0 {
            last.1 &= is_default;
        }
    }

    /// Whether the last entry before a window without one may still hold in it: a rate is charted when it is
    /// changed, and not when it goes on.
    pub(in crate::ingest) fn is_left_open(&self, variable: usize, cell: Cell) -> bool {
        let (first, at) = (self.cells[cell.record as usize].0, self.at(cell));
        let before = self.charted.range((variable, first)..(variable, at)).next_back();
        before.is_some_and(|(_, (_, is_default))| !is_default)
    }

    /// Measurements of a window that its aggregates are taken over, and those that cannot be used.
    pub(in crate::ingest) fn counts(&self, variable: usize, cell: Cell) -> (u32, u32) {
        let at = self.at(cell);
        let usable = self.best(variable, at).map_or(0, |slot| slot.count(at));
        // What an earlier precedence could not use is known to have been there, whichever is used.
        let rejected = self.of(variable).iter().map(|slot| slot.rejected(at)).sum();
        (usable, rejected)
    }

    fn at(&self, cell: Cell) -> u32 {
        self.cells[cell.record as usize].0 + cell.window
    }

    fn of(&self, variable: usize) -> &[Slot] {
        &self.slots[self.plan.variables[variable].slots.clone()]
    }

    /// The accumulators of the best precedence that has a usable measurement.
    fn best(&self, variable: usize, at: u32) -> Option<&Slot> {
        self.of(variable).iter().find(|s| s.count(at) > 0)
    }

    /// Usable measurements of a window in order of time, what lasts in it, and the times of those that cannot
    /// be used.
    pub(in crate::ingest) fn series(
        &self,
        variable: usize,
        cell: Cell,
    ) -> (Vec<(i64, f64)>, Vec<Lasting>, Vec<i64>) {
        let at = self.at(cell);
        let best = self.best(variable, at);
        let series = best.map(|slot| slot.series(at)).unwrap_or_default();
        let lasting = best.map(|slot| slot.lasting(at)).unwrap_or_default();
        let mut rejected: Vec<i64> =
            self.of(variable).iter().flat_map(|s| s.rejected_times(at)).copied().collect();
        rejected.sort_unstable();
        (series, lasting, rejected)
    }

    /// Seconds after the origin of a record's first measurement in its first window.
    pub(in crate::ingest) fn first_time(&self, variable: usize, record: u32) -> Option<i64> {
        let (at, n) = self.cells[record as usize];
        if n == 0 { None } else { self.best(variable, at)?.first_time(at) }
    }

    /// Takes in a computed value.
    pub(in crate::ingest) fn add_computed(&mut self, variable: usize, cell: Cell, instant: Instant) {
        let meter = &mut self.meters[variable];
        let at = self.cells[cell.record as usize].0 + cell.window;
        let slot = &mut self.slots[self.plan.variables[variable].slots.start];
        match meter.computed(instant.known) {
            Finding::Number(x) => slot.add(at, instant.seconds, Value::Number(x), &meter.levels),
            Finding::Unknown => slot.reject(at, Some(instant.seconds)),
            Finding::Level(_) | Finding::Absent => {}
        }
    }

    /// Closes the accounts over the final cohort: rows of records that later rules dropped are dropped too.
    pub(in crate::ingest) fn close(&mut self, records: &Records, tables: &mut [TableRows]) {
        for (kept, TableRows { audit, .. }) in self.kept.iter().zip(tables) {
            let gone: u64 =
                kept.iter().zip(&records.in_cohort).filter(|(_, c)| !**c).map(|(n, _)| u64::from(*n)).sum();
            if gone > 0 {
                audit.rows_kept -= gone;
                *audit.dropped.entry(Reason::NotInCohort.name().into()).or_default() += gone;
            }
        }
        self.meters.iter_mut().for_each(|meter| meter.close(&self.units));
    }
}

/// Whether several tables hold the variable at one precedence.
fn has_mirrors(variable: &Variable) -> bool {
    let of_events = |source: &Source| match source {
        Source::Events { table, precedence, .. } => Some((*precedence, table.clone())),
        Source::Column { .. }
        | Source::Hours { .. }
        | Source::Next { .. }
        | Source::Listed { .. }
        | Source::Age { .. }
        | Source::Years { .. } => None,
    };
    let mut sources: Vec<_> = variable.sources.iter().filter_map(of_events).collect();
    sources.sort();
    sources.dedup();
    sources.windows(2).any(|pair| pair[0].0 == pair[1].0)
}

impl Answers for Gathered<'_> {
    fn measured(&self, variable: usize, record: u32, records: &Records) -> Finding {
        let aggregation = self.plan.variables[variable].variable.aggregate;
        let of_window = |window| self.finding(variable, aggregation, 0, Cell { record, window }, records);
        // The first window with a value answers for the record.
        let mut all = Finding::Absent;
        for finding in (0..self.n_windows(record)).map(of_window) {
            all = all.or(finding);
            if all.is_value() {
                break;
            }
        }
        all
    }

    fn answer(&self, variable: usize, value: Value) -> Answer {
        Answer::of(value, &self.meters[variable].levels)
    }

    fn has(&self, variable: usize, feature: &Feature, record: u32, records: &Records) -> bool {
        (0..self.n_windows(record)).any(|window| {
            let cell = Cell { record, window };
            let finding = self.finding(variable, feature.aggregation, feature.min_count, cell, records);
            // A count of nothing is a number, and nothing was measured.
            let measured = self.counts(variable, cell).0;
            measured > 0 && measured >= feature.min_count && finding.is_value()
        })
    }
}
