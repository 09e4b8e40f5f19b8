//! The records table and the static tables: read whole, joined to the records.

use std::collections::{HashMap, HashSet};

use crate::schema::{DType, Kind, Source, Variable};

use super::batch::{BatchColumn, Key, WrongCell};
use super::events::MALFORMED;
use super::measure::{Meter, Value};
use super::plan::{Operand, Plan};
use super::records::{Ids, Records};
use super::scan::TypedFile;
use super::text::shortest;
use super::{IngestError, TableAudit};

/// Mean length of a Gregorian year in seconds.
const YEAR: f64 = 365.2425 * 86_400.0;

/// Ages above this are shifted in MIMIC (HIPAA).
const OLDEST: f64 = 89.0;

/// A cell as declared; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Fact {
    Null,
    Number(f64),
    Text(String),
}

impl Fact {
    fn read(column: &BatchColumn, dtype: DType, row: usize) -> Result<Self, WrongCell> {
        Ok(match dtype {
            DType::Integer => match column.key(row)? {
                Some(Key::Number(n)) => Self::Number(n as f64),
                Some(Key::Text(_)) => return Err(WrongCell),
                None => Self::Null,
            },
            DType::Float => column.number(row).filter(|x| x.is_finite()).map_or(Self::Null, Self::Number),
            DType::Text => column.to_text(row).map_or(Self::Null, Self::Text),
            DType::Datetime => column.datetime(row)?.map_or(Self::Null, |s| Self::Number(s as f64)),
            DType::Elapsed => column.elapsed(row)?.map_or(Self::Null, |s| Self::Number(s as f64)),
        })
    }

    /// The number, also of a numeric text.
    pub(super) fn number(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            Self::Number(x) => Some(*x),
            Self::Text(t) => t.parse().ok().filter(|x: &f64| x.is_finite()),
        }
    }

    /// The text, also of a number.
    pub(super) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(x) => Some(shortest(*x)),
            Self::Text(t) => Some(t.clone()),
        }
    }

    fn key(&self) -> Option<Key<'_>> {
        match self {
            Self::Null => None,
            Self::Number(x) => Some(Key::Number(*x as i64)),
            Self::Text(t) => Some(Key::Text(t)),
        }
    }

    fn seconds(&self) -> Option<i64> {
        match self {
            Self::Number(x) => Some(*x as i64),
            Self::Null | Self::Text(_) => None,
        }
    }
}

/// Columns of facts, one entry per record.
#[derive(Debug, Default)]
pub(super) struct Facts {
    columns: HashMap<(String, String), Vec<Fact>>,
    /// Columns of tables with any number of rows per record: the texts of each record.
    lists: HashMap<(String, String), Vec<Vec<String>>>,
}

impl Facts {
    /// Reads the records table into records and facts.
    ///
    /// # Errors
    /// A wrong cell; an id met more than once.
    pub(super) fn read_records(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        files: &[TypedFile],
        records: &mut Records,
    ) -> Result<TableAudit, IngestError> {
        let record = &plan.schema.record;
        let rows = Rows::read(files)?;
        let place = |name: &str| rows.place(name);
        let (id, subject) = (place(&record.id), place(&record.subject));
        let start = record.start.as_deref().map(place);
        let end = record.end.as_deref().map(place);
        let mut audit = TableAudit { table: table.to_string(), ..TableAudit::default() };
        rows.account(&mut audit);
        let mut kept: Vec<&Vec<Fact>> = Vec::new();
        let mut repeated = HashSet::new();
        let mut again = None;
        for (at, row) in rows.facts.iter().enumerate() {
            let Some(key) = row[id].key() else {
                *audit.dropped.entry("no record id".into()).or_default() += 1;
                continue;
            };
            if let Some(first) = records.ids.get(key) {
                repeated.insert(first);
                again.get_or_insert(at);
                continue;
            }
            let time = |at: Option<usize>| at.and_then(|at| row[at].seconds());
            records.push(key, row[subject].key().unwrap_or(key), time(start), time(end));
            kept.push(row);
        }
        if let Some(at) = again {
            return Err(rows.duplicate(at, repeated.len(), &record.id));
        }
        for (i, wanted) in rows.wanted().enumerate() {
            let column = kept.iter().map(|row| row[i].clone()).collect();
            self.columns.insert((table.to_string(), wanted.to_string()), column);
        }
        Ok(audit)
    }

    /// Reads a static table and joins it to the records by its key.
    ///
    /// # Errors
    /// A wrong cell; a key met more than once.
    pub(super) fn read_static(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        key: &str,
        files: &[TypedFile],
        records: &Records,
    ) -> Result<TableAudit, IngestError> {
        let rows = Rows::read(files)?;
        let at_key = rows.place(key);
        let mut audit = TableAudit { table: table.to_string(), ..TableAudit::default() };
        rows.account(&mut audit);
        let (mut keys, mut row_of) = (Ids::default(), Vec::new());
        let mut repeated = HashSet::new();
        let mut again = None;
        for (at, row) in rows.facts.iter().enumerate() {
            let Some(value) = row[at_key].key() else {
                *audit.dropped.entry("no key".into()).or_default() += 1;
                continue;
            };
            if let Some(first) = keys.get(value) {
                repeated.insert(first);
                again.get_or_insert(at);
                continue;
            }
            keys.insert(value);
            row_of.push(at);
        }
        if let Some(at) = again {
            return Err(rows.duplicate(at, repeated.len(), key));
        }
        let mut used = vec![false; row_of.len()];
        let joined: Vec<Option<usize>> = (0..records.len() as u32)
            .map(|r| {
                let found = keys.get(self.key_of(plan, records, key, r)?)?;
                used[found as usize] = true;
                Some(row_of[found as usize])
            })
            .collect();
        audit.rows_kept = used.iter().filter(|u| **u).count() as u64;
        let unused = used.len() as u64 - audit.rows_kept;
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
    pub(super) fn read_list(
        &mut self,
        plan: &Plan<'_>,
        table: &str,
        key: &str,
        files: &[TypedFile],
        records: &Records,
    ) -> Result<TableAudit, IngestError> {
        let rows = Rows::read(files)?;
        let at_key = rows.place(key);
        let mut audit = TableAudit { table: table.to_string(), ..TableAudit::default() };
        audit.rows_read = rows.facts.len() as u64;
        let (mut keys, mut of_key): (Ids, Vec<Vec<u32>>) = (Ids::default(), Vec::new());
        for record in 0..records.len() as u32 {
            if let Some(value) = self.key_of(plan, records, key, record) {
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
    pub(super) fn list_of(&self, operand: &Operand) -> Option<&[Vec<String>]> {
        let Operand::Column { table, column } = operand else { return None };
        let found = self.lists.iter().find(|((t, c), _)| t == table && c.eq_ignore_ascii_case(column));
        found.map(|(_, list)| list.as_slice())
    }

    /// A time column, in seconds since 1970.
    pub(super) fn times(&self, table: &str, column: &str) -> Option<Vec<Option<i64>>> {
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
            return Some(Key::Text(records.subject(record)));
        }
        self.column(names.table.as_deref()?, key)?.get(record as usize)?.key()
    }

    /// A column, one entry per record.
    pub(super) fn column(&self, table: &str, column: &str) -> Option<&[Fact]> {
        let found = self.columns.iter().find(|((t, c), _)| t == table && c.eq_ignore_ascii_case(column));
        found.map(|(_, facts)| facts.as_slice())
    }

    /// A variable's value of a record from its first source with one; what is implausible is counted by the meter.
    pub(super) fn value(
        &self,
        variable: &Variable,
        meter: &mut Meter<'_>,
        records: &Records,
        record: u32,
    ) -> Option<Value> {
        for source in &variable.sources {
            let fact = match source {
                Source::Events { .. } => continue,
                Source::Column { table, column } => self.column(table, column)?[record as usize].clone(),
                Source::Age { table, birth, cap } => {
                    let born = self.column(table, birth)?[record as usize].seconds();
                    match born.zip(records.start[record as usize]) {
                        Some((born, start)) => Fact::Number(age(born, start, *cap)),
                        None => Fact::Null,
                    }
                }
            };
            let (number, text) = match &fact {
                Fact::Null => continue,
                Fact::Number(x) => (Some(*x), None),
                Fact::Text(t) => {
                    (fact.number().filter(|_| variable.kind != Kind::Categorical), Some(t.as_str()))
                }
            };
            if let Ok(value) = meter.fact(number, text) {
                return Some(value);
            }
        }
        None
    }
}

/// Years between two times in seconds; 64 bits of seconds reach far beyond births shifted by 300 years.
fn age(born: i64, start: i64, cap: f64) -> f64 {
    let years = (start - born) as f64 / YEAR;
    if years > OLDEST { cap } else { years }
}

/// The rows of a small table in file order, with the files they came from.
#[derive(Debug)]
struct Rows {
    facts: Vec<Vec<Fact>>,
    /// Name of each file and the index of its first row.
    files: Vec<(String, usize)>,
    names: Vec<String>,
    /// Malformed rows left out.
    skipped: u64,
}

impl Rows {
    fn read(files: &[TypedFile]) -> Result<Self, IngestError> {
        let mut all = Self { facts: Vec::new(), files: Vec::new(), names: Vec::new(), skipped: 0 };
        for file in files {
            all.files.push((file.file.name.clone(), all.facts.len()));
            all.names = file.wanted.iter().map(|w| w.name.clone()).collect();
            let passed = file.scan(|columns, _| {
                for row in 0..columns.first().map_or(0, BatchColumn::len) {
                    let mut facts = Vec::with_capacity(columns.len());
                    for (i, column) in columns.iter().enumerate() {
                        facts.push(
                            Fact::read(column, file.wanted[i].dtype, row)
                                .map_err(|WrongCell| file.wrong_cell(i))?,
                        );
                    }
                    all.facts.push(facts);
                }
                Ok(())
            })?;
            all.skipped += passed.skipped;
        }
        Ok(all)
    }

    fn account(&self, audit: &mut TableAudit) {
        audit.rows_read = self.facts.len() as u64 + self.skipped;
        if self.skipped > 0 {
            audit.dropped.insert(MALFORMED.into(), self.skipped);
        }
    }

    fn wanted(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    fn place(&self, name: &str) -> usize {
        let found = self.names.iter().position(|n| n.eq_ignore_ascii_case(name));
        found.expect("invariant: the plan asks for keys and record columns")
    }

    fn duplicate(&self, at: usize, count: usize, column: &str) -> IngestError {
        let (file, first) =
            self.files.iter().rfind(|(_, first)| *first <= at).expect("invariant: a row is in a file");
        let row = (at - first) as u64 + 1;
        IngestError::DuplicateIds { file: file.clone(), column: column.to_string(), count, row }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::text::parse_datetime;

    #[test]
    fn ages_are_years_and_shifted_births_are_capped() {
        let at = |text| parse_datetime(text).unwrap();
        let admitted = at("2164-10-23 21:10:15");
        let found = age(at("2094-03-05 00:00:00"), admitted, 91.4);
        assert!((found - 70.637).abs() < 1e-3, "{found}");
        // Shifted by 300 years: the difference in nanoseconds exceeds 2⁶³.
        assert_eq!(age(at("1864-10-23 21:10:15"), admitted, 91.4), 91.4);
    }
}
