//! One pass over the event tables: every row is kept or dropped by a named reason.

use std::collections::BTreeMap;

use polars::prelude::{PlHashMap, PlHashSet};

use crate::schema::{Aggregation, DType, Item};

use super::accumulate::{Aggregate, Slot};
use super::batch::{BatchColumn, Key, WrongCell};
use super::cohort::{Answer, Answers};
use super::delimited::Passed;
use super::duplicates::{KeyCounter, id_hash};
use super::measure::{Meter, Raw, Rejected, Units, Value};
use super::plan::{Plan, PlannedTable, Target};
use super::records::{Misplaced, Moment, Records, Seconds};
use super::scan::{ItemSet, TypedFile};
use super::{IngestError, IngestProgress, TableAudit};

/// Rows left out because their fields are too few, too many or of another type.
pub(super) const MALFORMED: &str = "malformed row";

/// Why a row was dropped. The discriminants index [`Counts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reason {
    Malformed,
    OtherItem,
    NoRecord,
    OutsideStays,
    NotInCohort,
    NoTime,
    NoStart,
    Before,
    After,
    AfterEnd,
    NoNumber,
    UnmappedText,
    MissingCode,
    UnknownUnit,
    BelowRange,
    AboveRange,
}

impl Reason {
    /// Names in the audit, in order of the discriminants.
    const NAMES: [&'static str; 16] = [
        MALFORMED,
        "other item",
        "no such record",
        "outside every stay",
        "not in cohort",
        "no time",
        "record without start",
        "before window",
        "after window",
        "after record end",
        "no number",
        "unmapped text",
        "missing code",
        "unknown unit",
        "below range",
        "above range",
    ];
}

impl From<Misplaced> for Reason {
    fn from(misplaced: Misplaced) -> Self {
        match misplaced {
            Misplaced::NoSuchRecord => Self::NoRecord,
            Misplaced::OutsideStays => Self::OutsideStays,
            Misplaced::NotInCohort => Self::NotInCohort,
            Misplaced::NoStart => Self::NoStart,
            Misplaced::Before => Self::Before,
            Misplaced::After => Self::After,
            Misplaced::AfterEnd => Self::AfterEnd,
        }
    }
}

impl From<Rejected> for Reason {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::NoNumber => Self::NoNumber,
            Rejected::UnmappedText => Self::UnmappedText,
            Rejected::MissingCode => Self::MissingCode,
            Rejected::UnknownUnit => Self::UnknownUnit,
            Rejected::Below => Self::BelowRange,
            Rejected::Above => Self::AboveRange,
        }
    }
}

/// Rows dropped, by reason and by drop rule.
#[derive(Debug, Default)]
struct Counts {
    reasons: [u64; Reason::NAMES.len()],
    rules: Vec<u64>,
}

/// What has been gathered from event tables so far.
#[derive(Debug)]
pub(super) struct Gathered<'a> {
    plan: &'a Plan<'a>,
    slots: Vec<Slot>,
    pub(super) meters: Vec<Meter<'a>>,
    units: Units,
    keys: KeyCounter,
    window: Seconds,
    /// Stable hashes of the record ids.
    hashes: Vec<u64>,
    /// Per event table, rows kept of each record: they are dropped again if a later rule drops the record.
    kept: Vec<Vec<u32>>,
}

/// A table's items and drop rules made ready for look-up.
#[derive(Debug)]
struct Lookup<'p> {
    numbers: PlHashMap<i64, usize>,
    names: PlHashMap<&'p str, usize>,
    targets: Vec<&'p [Target]>,
    drops: Vec<DropTest<'p>>,
}

/// A drop rule: texts, and the numbers they stand for.
#[derive(Debug)]
struct DropTest<'p> {
    place: usize,
    texts: Vec<&'p str>,
    numbers: Vec<f64>,
}

impl DropTest<'_> {
    /// Null-safe: a null never equals.
    fn drops(&self, columns: &[BatchColumn], row: usize) -> bool {
        let column = &columns[self.place];
        match column.text(row).map(str::trim) {
            Some(text) if self.texts.contains(&text) => true,
            _ if self.numbers.is_empty() => false,
            _ => column.number(row).is_some_and(|x| self.numbers.contains(&x)),
        }
    }
}

impl<'p> Lookup<'p> {
    fn new(planned: &'p PlannedTable<'_>) -> Self {
        let mut lookup = Self {
            numbers: PlHashMap::default(),
            names: PlHashMap::default(),
            targets: Vec::new(),
            drops: Vec::new(),
        };
        // In item order, so that places do not depend on a hash seed.
        for (item, targets) in planned.items.iter().collect::<BTreeMap<_, _>>() {
            match item {
                Item::Id(id) => drop(lookup.numbers.insert(*id, lookup.targets.len())),
                Item::Name(name) => drop(lookup.names.insert(name, lookup.targets.len())),
            }
            lookup.targets.push(targets);
        }
        for (rule, place) in planned.columns.drop.iter().zip(&planned.places.drop) {
            let texts: Vec<_> = rule.equals.iter().map(|t| t.trim()).collect();
            let numbers = texts.iter().filter_map(|t| t.parse().ok()).collect();
            lookup.drops.push(DropTest { place: *place, texts, numbers });
        }
        lookup
    }

    fn item(&self, key: Option<Key<'_>>) -> Option<usize> {
        match key? {
            Key::Number(n) => self.numbers.get(&n).copied(),
            Key::Text(t) => self.names.get(t).copied(),
        }
    }

    fn set(&self) -> ItemSet {
        if self.names.is_empty() {
            ItemSet::Numbers(self.numbers.keys().copied().collect())
        } else {
            ItemSet::Names(self.names.keys().map(ToString::to_string).collect::<PlHashSet<_>>())
        }
    }
}

impl<'a> Gathered<'a> {
    pub(super) fn new(plan: &'a Plan<'a>, records: &Records) -> Self {
        Self {
            plan,
            slots: plan.slots.iter().map(|needs| Slot::new(*needs, records.len())).collect(),
            meters: plan.variables.iter().map(|v| Meter::new(v.variable)).collect(),
            units: Units::new(),
            keys: KeyCounter::default(),
            window: plan.pipeline.window.into(),
            hashes: (0..records.len() as u32).map(|r| id_hash(records.id(r))).collect(),
            kept: Vec::new(),
        }
    }

    /// Reads one event table.
    pub(super) fn table(
        &mut self,
        planned: &PlannedTable<'_>,
        files: &[TypedFile],
        records: &mut Records,
        progress: &dyn IngestProgress,
    ) -> Result<TableAudit, IngestError> {
        let lookup = Lookup::new(planned);
        let mut counts = Counts { rules: vec![0; lookup.drops.len()], ..Counts::default() };
        let name = &planned.table.name;
        let (mut kept, mut delivered) = (vec![0; records.len()], 0);
        let (mut rows_read, mut malformed, mut done) = (0, 0, 0);
        let long = self.plan.is_long();
        for file in files {
            let each = |columns: &[BatchColumn], passed: Passed| {
                let n = columns.first().map_or(0, BatchColumn::len);
                delivered += n as u64;
                for row in 0..n {
                    let placed = self.row(planned, &lookup, columns, row, records, &mut counts);
                    if let Some(record) = placed.map_err(|(column, WrongCell)| file.wrong_cell(column))? {
                        if kept.len() < records.len() {
                            kept.resize(records.len(), 0);
                        }
                        kept[record as usize] += 1;
                    }
                }
                progress.rows(name, rows_read + passed.rows, done + passed.bytes);
                Ok(())
            };
            let passed = if long {
                // Records are the ids of all rows, so no row may stay behind in the reader.
                file.scan(each)?
            } else {
                file.scan_items(planned.places.item, &lookup.set(), each)?
            };
            rows_read += passed.rows;
            malformed += passed.skipped;
            done += file.file.size();
            progress.rows(name, rows_read, done);
        }
        counts.reasons[Reason::OtherItem as usize] += rows_read - malformed - delivered;
        counts.reasons[Reason::Malformed as usize] += malformed;
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

    /// The record a row was kept for, or none; `Err` names the place of a wrong cell.
    fn row(
        &mut self,
        planned: &PlannedTable<'_>,
        lookup: &Lookup<'_>,
        columns: &[BatchColumn],
        row: usize,
        records: &mut Records,
        counts: &mut Counts,
    ) -> Result<Option<u32>, (usize, WrongCell)> {
        let places = &planned.places;
        let key = |place: usize| columns[place].key(row).map_err(|e| (place, e));
        let mut dropped = |reason: Reason| {
            counts.reasons[reason as usize] += 1;
            Ok(None)
        };
        let record_key = places.record.map(key).transpose()?.flatten();
        let subject_key = places.subject.map(key).transpose()?.flatten();
        let mut met = None;
        if self.plan.is_long()
            && let Some(id) = record_key
        {
            let known = records.len();
            let record = records.meet(id, subject_key);
            let n = records.len();
            if n > known {
                self.hashes.push(id_hash(records.id(record)));
                self.slots.iter_mut().for_each(|s| s.grow(n));
            }
            met = Some(record);
        }
        let Some(item) = lookup.item(key(places.item)?) else { return dropped(Reason::OtherItem) };
        if let Some(rule) = lookup.drops.iter().position(|d| d.drops(columns, row)) {
            counts.rules[rule] += 1;
            return Ok(None);
        }
        let time = &columns[places.time];
        let moment = match planned.wanted[places.time].dtype {
            DType::Elapsed => time.elapsed(row).map(|t| t.map(Moment::After)),
            _ => time.datetime(row).map(|t| t.map(Moment::At)),
        };
        let Some(moment) = moment.map_err(|e| (places.time, e))? else { return dropped(Reason::NoTime) };
        let record = match (record_key, subject_key) {
            _ if met.is_some() => met.ok_or(Misplaced::NoSuchRecord),
            (Some(key), _) => records.ids.get(key).ok_or(Misplaced::NoSuchRecord),
            (None, Some(subject)) => records.assign(subject, moment, self.window),
            (None, None) => Err(Misplaced::NoSuchRecord),
        };
        let placed = record.and_then(|r| records.place(r, moment, self.window).map(|seconds| (r, seconds)));
        let (record, seconds) = match placed {
            Ok(placed) => placed,
            Err(misplaced) => return dropped(misplaced.into()),
        };
        let value = &columns[places.value];
        let text = places.text.and_then(|at| columns[at].text(row)).or_else(|| value.text(row));
        let unit = self.units.place(places.unit.and_then(|at| columns[at].text(row)));
        let raw = Raw { number: value.number(row), text, unit };
        let mut first_rejection = None;
        let mut kept = false;
        for target in lookup.targets[item] {
            let meter = &mut self.meters[target.variable];
            match meter.measure(target, raw, &self.units) {
                Ok(value) => {
                    kept = true;
                    self.slots[target.slot].add(record, seconds, value, &meter.levels);
                    let hash = self.hashes[record as usize];
                    self.keys.meet(target.variable as u16, hash, item as u64, seconds);
                }
                Err(rejected) => drop(first_rejection.get_or_insert(rejected)),
            }
        }
        match first_rejection {
            Some(rejected) if !kept => dropped(rejected.into()),
            _ => Ok(Some(record)),
        }
    }

    /// A feature of a record: the measurements of the best precedence that has any.
    pub(super) fn aggregate(
        &self,
        variable: usize,
        aggregation: Aggregation,
        record: u32,
    ) -> (Aggregate, u32) {
        let slots = &self.slots[self.plan.variables[variable].slots.clone()];
        match slots.iter().find(|s| s.count(record) > 0) {
            Some(slot) => (slot.value(record, aggregation), slot.count(record)),
            None => (Aggregate::Missing, 0),
        }
    }

    /// Closes the accounts over the final cohort: rows of records that later rules dropped are dropped too.
    pub(super) fn close(&mut self, records: &Records, tables: &mut [TableAudit], warnings: &mut Vec<String>) {
        for (kept, audit) in self.kept.iter().zip(tables) {
            let gone: u64 =
                kept.iter().zip(&records.in_cohort).filter(|(_, c)| !**c).map(|(n, _)| u64::from(*n)).sum();
            if gone > 0 {
                audit.rows_kept -= gone;
                *audit.dropped.entry(Reason::NAMES[Reason::NotInCohort as usize].into()).or_default() += gone;
            }
        }
        let repeated = self.keys.repeated(self.meters.len());
        for (meter, n) in self.meters.iter_mut().zip(repeated) {
            meter.close(&self.units);
            meter.audit.duplicate_keys = n;
        }
        if self.keys.level() > 0 {
            warnings.push(format!(
                "duplicate keys are estimated from one key in {}, since there are more than fit in memory",
                1_u64 << self.keys.level()
            ));
        }
    }
}

impl Answers for Gathered<'_> {
    fn measured(&self, variable: usize, record: u32) -> Option<Answer> {
        let aggregation = self.plan.variables[variable].variable.aggregate;
        let value = match self.aggregate(variable, aggregation, record).0 {
            Aggregate::Missing => return None,
            Aggregate::Number(x) => Value::Number(x),
            Aggregate::Level(code) => Value::Level(code),
        };
        Some(Answer::of(value, &self.meters[variable].levels))
    }

    fn has(&self, variable: usize, aggregation: Aggregation, record: u32) -> bool {
        let (value, n) = self.aggregate(variable, aggregation, record);
        n > 0 && value != Aggregate::Missing
    }
}
