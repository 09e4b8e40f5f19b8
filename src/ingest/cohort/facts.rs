//! The records table and the static tables: read whole, joined to the records.

use std::collections::HashMap;

use crate::message::Message;
use crate::schema::{Anchor, Kind, Source, Variable};

use super::age;
use super::between;
use super::episodes;
use super::fact::Fact;
use super::fact_rows::Rows;
use super::plan::{Operand, Plan};
use super::records::{Ids, Records};
use super::repeats::Repeats;
use crate::ingest::events::finding::Finding;
use crate::ingest::events::measure::Meter;
use crate::ingest::events::reason::NO_ID;
use crate::ingest::events::value::Rejected;
use crate::ingest::text::matches;
use crate::ingest::typed::batch::Key;
use crate::ingest::typed::calendar::Zones;
use crate::ingest::typed::file::TypedFile;
use crate::ingest::{IngestError, TableAudit};

/// Columns of facts, one entry per record.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Facts {
    columns: HashMap<(String, String), Vec<Fact>>,
    /// Columns of tables with any number of rows per record: the texts of each record.
    lists: HashMap<(String, String), Vec<Vec<String>>>,
    /// How the times of the tables read so far are written.
    pub(in crate::ingest) zones: Zones,
    /// About what was read.
    pub(in crate::ingest) messages: Vec<Message>,
}

/// Why a row of a stay has no record of its own.
const JOINED: &str = "stay that continues an episode";

/// The column of a table that windows count from.
fn anchor_of<'p>(plan: &Plan<'p>, table: &str) -> Option<&'p str> {
    match &plan.pipeline.window.relative_to {
        Some(Anchor::Column { table: of, column }) if of.eq_ignore_ascii_case(table) => Some(column),
        _ => None,
    }
}

impl Facts {
    /// Reads the records table into records and facts.
    ///
    /// # Errors
    /// A wrong cell; an id met more than once.
    pub(in crate::ingest) fn read_records(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        files: &[TypedFile],
        records: &mut Records,
    ) -> Result<TableAudit, IngestError> {
        let record = &plan.schema.record;
        let of_schema = plan.schema.table(table).expect("invariant: the plan names tables of the schema");
        let (mut rows, mut audit) = Rows::read(of_schema, files, &mut self.zones)?;
        if let Some(by) = &of_schema.between {
            between::between(&mut rows, by, record, &mut audit);
        }
        let place = |name: &str| rows.place(name);
        let (id, subject) = (place(&record.id), place(&record.subject));
        let start = record.start.as_deref().map(place);
        let end = record.end.as_deref().map(place);
        let order = record.order.as_deref().map(place);
        let mut kept: Vec<usize> = Vec::new();
        let (mut met, mut repeats) = (Ids::default(), Repeats::default());
        for (at, row) in rows.facts.iter().enumerate() {
            let Some(key) = row[id].key() else {
                *audit.dropped.entry(NO_ID.into()).or_default() += 1;
                continue;
            };
            if let Some(first) = met.get(key) {
                repeats.add(first, at, rows.facts[kept[first as usize]] == *row, &mut audit);
                continue;
            }
            met.insert(key);
            kept.push(at);
        }
        repeats.refuse(&rows, files, &record.id)?;
        let wanted = record.episodes.as_ref().filter(|_| plan.pipeline.episodes);
        let (made, later) = match wanted.map(|of| episodes::join(&rows, &kept, of, record, table)) {
            Some(joined) => {
                self.messages.push(joined.message);
                (joined.rows, joined.later)
            }
            None => {
                let mut facts = std::mem::take(&mut rows.facts);
                (kept.iter().map(|at| std::mem::take(&mut facts[*at])).collect(), Vec::new())
            }
        };
        if !later.is_empty() {
            audit.dropped.insert(JOINED.into(), later.len() as u64);
        }
        for row in &made {
            let time = |at: Option<usize>| at.and_then(|at| row[at].seconds());
            // Times that count from the start of the record make it the origin of its clock.
            let begin = if start.is_none() { Some(0) } else { time(start) };
            let key = row[id].key().expect("invariant: rows without an id are not kept");
            records.push(key, row[subject].key(), begin, time(end));
            records.order.push(order.and_then(|at| row[at].number()));
        }
        for stay in &later {
            if let Some(key) = stay.id.key() {
                records.continue_with(key, stay.episode as u32, stay.after);
            }
        }
        let clocks = [record.start.as_deref(), record.end.as_deref(), anchor_of(plan, table)];
        self.messages.extend(rows.without_clock(table, clocks.into_iter().flatten()));
        for (i, wanted) in rows.wanted().enumerate() {
            let column = made.iter().map(|row| row[i].clone()).collect();
            self.columns.insert((table.to_string(), wanted.to_string()), column);
        }
        Ok(audit)
    }

    /// Reads a static table and joins it to the records by its key.
    ///
    /// # Errors
    /// A wrong cell; a key met more than once.
    pub(in crate::ingest) fn read_static(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        key: &str,
        files: &[TypedFile],
        records: &Records,
    ) -> Result<TableAudit, IngestError> {
        let of_schema = plan.schema.table(table).expect("invariant: the plan names tables of the schema");
        let (rows, mut audit) = Rows::read(of_schema, files, &mut self.zones)?;
        if files.is_empty() {
            return Ok(audit);
        }
        let at_key = rows.place(key);
        let (mut keys, mut row_of) = (Ids::default(), Vec::new());
        let mut repeats = Repeats::default();
        for (at, row) in rows.facts.iter().enumerate() {
            let Some(value) = row[at_key].key() else {
                *audit.dropped.entry("no key".into()).or_default() += 1;
                continue;
            };
            if let Some(first) = keys.get(value) {
                repeats.add(first, at, rows.facts[row_of[first as usize]] == *row, &mut audit);
                continue;
            }
            keys.insert(value);
            row_of.push(at);
        }
        repeats.refuse(&rows, files, key)?;
        self.messages.extend(rows.without_clock(table, anchor_of(plan, table)));
        let mut used = vec![false; row_of.len()];
        let joined: Vec<Option<usize>> = (0..records.len() as u32)
            .map(|r| {
                let found = keys.get(self.key_of(plan, records, key, r)?)?;
                used[found as usize] = true;
                Some(row_of[found as usize])
            })
            .collect();
        audit.rows_kept = used.iter().filter(|u| **u).count() as u64;
        let mut unused = used.len() as u64 - audit.rows_kept;
        if key.eq_ignore_ascii_case(&plan.schema.record.id) {
            // An episode has the facts of its first stay.
            let of_later = records.later_stays().filter(|(id, _)| keys.get(*id).is_some()).count() as u64;
            if of_later > 0 {
                audit.dropped.insert(JOINED.into(), of_later);
                unused -= of_later;
            }
        }
        if unused > 0 {
            audit.dropped.insert("no such record".into(), unused);
        }
        for (i, wanted) in rows.wanted().enumerate() {
            let fact = |row: &Option<usize>| row.map_or(Fact::Null, |row| rows.facts[row][i].clone());
            self.columns.insert((table.to_string(), wanted.to_string()), joined.iter().map(fact).collect());
        }
        Ok(audit)
    }

    /// Reads a table with any number of rows per record; rows without a record are dropped.
    ///
    /// # Errors
    /// A wrong cell.
    pub(in crate::ingest) fn read_list(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        key: &str,
        files: &[TypedFile],
        records: &Records,
    ) -> Result<TableAudit, IngestError> {
        let of_schema = plan.schema.table(table).expect("invariant: the plan names tables of the schema");
        let (rows, mut audit) = Rows::read(of_schema, files, &mut self.zones)?;
        if files.is_empty() {
            return Ok(audit);
        }
        let at_key = rows.place(key);
        let (mut keys, mut of_key): (Ids, Vec<Vec<u32>>) = (Ids::default(), Vec::new());
        for record in 0..records.len() as u32 {
            if let Some(value) = self.key_of(plan, records, key, record) {
                let place = keys.insert(value) as usize;
                of_key.resize(keys.len(), Vec::new());
                of_key[place].push(record);
            }
        }
        if key.eq_ignore_ascii_case(&plan.schema.record.id) {
            for (value, record) in records.later_stays() {
                let place = keys.insert(value) as usize;
                of_key.resize(keys.len(), Vec::new());
                of_key[place].push(record);
            }
        }
        let wanted: Vec<String> = rows.wanted().map(ToString::to_string).collect();
        let mut lists = vec![vec![Vec::new(); records.len()]; wanted.len()];
        for row in &rows.facts {
            let reason = match row[at_key].key() {
                None => "no key",
                Some(value) => match keys.get(value) {
                    None => "no such record",
                    Some(place) => {
                        audit.rows_kept += 1;
                        for &record in &of_key[place as usize] {
                            for (list, fact) in lists.iter_mut().zip(row) {
                                list[record as usize].extend(fact.text());
                            }
                        }
                        continue;
                    }
                },
            };
            *audit.dropped.entry(reason.into()).or_default() += 1;
        }
        for (name, list) in wanted.into_iter().zip(lists) {
            self.lists.insert((table.to_string(), name), list);
        }
        Ok(audit)
    }

    /// The texts of each record, if an operand is a column with many.
    pub(in crate::ingest) fn list_of(&self, operand: &Operand) -> Option<&[Vec<String>]> {
        let Operand::Column { table, column } = operand else { return None };
        let found = self.lists.iter().find(|((t, c), _)| t == table && c.eq_ignore_ascii_case(column));
        found.map(|(_, list)| list.as_slice())
    }

    /// A time column, in seconds since 1970.
    pub(in crate::ingest) fn times(&self, table: &str, column: &str) -> Option<Vec<Option<i64>>> {
        self.column(table, column).map(|facts| facts.iter().map(Fact::seconds).collect())
    }

    /// A record's value of a static table's key: its id, its subject, or a column of the records table.
    fn key_of<'f>(
        &'f self,
        plan: &Plan<'_>,
        records: &'f Records,
        key: &str,
        record: u32,
    ) -> Option<Key<'f>> {
        let names = &plan.schema.record;
        if key.eq_ignore_ascii_case(&names.id) {
            return Some(Key::Text(records.id(record)));
        }
        if key.eq_ignore_ascii_case(&names.subject) {
            return records.has_subject[record as usize].then(|| Key::Text(records.subject(record)));
        }
        self.column(names.table.as_deref()?, key)?.get(record as usize)?.key()
    }

    /// A column, one entry per record.
    pub(in crate::ingest) fn column(&self, table: &str, column: &str) -> Option<&[Fact]> {
        let found = self.columns.iter().find(|((t, c), _)| t == table && c.eq_ignore_ascii_case(column));
        found.map(|(_, facts)| facts.as_slice())
    }

    /// What the facts of a record say about a variable: the value of its first source with a usable one. What
    /// is implausible is counted by the meter.
    pub(in crate::ingest) fn value(
        &self,
        variable: &Variable,
        meter: &mut Meter<'_>,
        records: &Records,
        record: u32,
    ) -> Finding {
        let mut all = Finding::Absent;
        let is_listed = |source: &Source| matches!(source, Source::Listed { .. });
        if !variable.sources.is_empty() && variable.sources.iter().all(is_listed) {
            let found = variable.sources.iter().filter_map(|source| self.is_listed(source, record)).max();
            meter.audit.values_kept += u64::from(found.is_some());
            return found.map_or(Finding::Absent, |found| Finding::Number(f64::from(u8::from(found))));
        }
        for source in &variable.sources {
            all = all.or(self.of_source(source, variable, meter, records, record));
            if all.is_value() {
                break;
            }
        }
        all
    }

    /// Whether a list of a record holds one of the values of a source; none where there is no list.
    fn is_listed(&self, source: &Source, record: u32) -> Option<bool> {
        let Source::Listed { table, column, values } = source else { return None };
        let lists = self.lists.iter().find(|((t, c), _)| t == table && c.eq_ignore_ascii_case(column));
        let list = lists?.1.get(record as usize).filter(|list| !list.is_empty())?;
        let fits = |text: &str| values.iter().any(|value| matches(value, text.trim()));
        Some(list.iter().any(|text| fits(text)))
    }

    fn of_source(
        &self,
        source: &Source,
        variable: &Variable,
        meter: &mut Meter<'_>,
        records: &Records,
        record: u32,
    ) -> Finding {
        let cell = |table: &str, column: &str| {
            self.column(table, column).map_or(Fact::Null, |facts| facts[record as usize].clone())
        };
        let fact = match source {
            Source::Events { .. } | Source::Listed { .. } => return Finding::Absent,
            Source::Column { table, column } => cell(table, column),
            Source::Hours { table, column } => {
                let times = cell(table, column).seconds().zip(records.start[record as usize]);
                times.map_or(Fact::Null, |(time, start)| Fact::Number((time - start) as f64 / 3600.0))
            }
            Source::Next { .. } => {
                let times = records.next_start(record).zip(records.end[record as usize]);
                times.map_or(Fact::Null, |(start, end)| Fact::Number((start - end) as f64 / 3600.0))
            }
            Source::Age { table, birth, cap } => {
                match cell(table, birth).seconds().zip(records.start[record as usize]) {
                    Some((born, start)) => {
                        let years = age::years(born, start);
                        meter.audit.capped += u64::from(years.is_none());
                        let years = years.unwrap_or(*cap);
                        if years < 0.0 {
                            // Whatever the plausible range is: nobody is admitted before being born.
                            meter.reject(Rejected::Below);
                            return Finding::Unknown;
                        }
                        Fact::Number(years)
                    }
                    None => Fact::Null,
                }
            }
            Source::Years { table, from, cap } => {
                let cells: Vec<Fact> = from.columns().iter().map(|column| cell(table, column)).collect();
                match age::stated(from, &cells, records.start[record as usize], *cap) {
                    Ok(Some(years)) if years < 0.0 => {
                        meter.reject(Rejected::Below);
                        return Finding::Unknown;
                    }
                    Ok(years) => years.map_or(Fact::Null, Fact::Number),
                    Err(rejected) => {
                        meter.reject(rejected);
                        return Finding::Unknown;
                    }
                }
            }
        };
        // A text is a number for a numeric variable alone: as a code it is itself.
        let numeric = variable.kind != Kind::Categorical;
        let (number, text) = match &fact {
            Fact::Null => return Finding::Absent,
            Fact::Text(t) => (fact.number().filter(|_| numeric), Some(t.as_str())),
            Fact::Number(_) | Fact::Integer(_) => (fact.number(), None),
        };
        match meter.fact(number, text) {
            Ok(value) => value.into(),
            Err(Rejected::MissingCode) => Finding::Absent,
            Err(_) => Finding::Unknown,
        }
    }
}
