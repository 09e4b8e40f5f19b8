//! Columns that name records and patients, and columns of times.

use std::collections::BTreeMap;

use super::look::{Column, Table};
use super::names;

/// What tells records apart.
#[derive(Debug)]
pub(super) struct Keys {
    /// The table with one row per record.
    pub(super) records: usize,
    /// The column of record ids, in lower case.
    pub(super) id: String,
    /// Columns of the table of records, by their places.
    pub(super) subject: Option<usize>,
    pub(super) start: Option<usize>,
    pub(super) end: Option<usize>,
    /// What tells the order of a patient's records where they have no start: a number of the visit, or else
    /// the id of the record.
    pub(super) order: Option<usize>,
}

/// The column that is in most tables and tells all rows of one of them apart; and of the tables in which it
/// does, the one that says most about a person.
pub(super) fn find(tables: &[Table]) -> Option<Keys> {
    let mut there: BTreeMap<String, (usize, Vec<usize>)> = BTreeMap::new();
    for (at, table) in tables.iter().enumerate() {
        for column in &table.columns {
            let entry = there.entry(column.lower()).or_default();
            entry.0 += 1;
            if column.is_unique(table.rows) && !column.is_moment() {
                entry.1.push(at);
            }
        }
    }
    let keys = there.iter().filter(|(_, (_, unique))| !unique.is_empty());
    // Of equals, the name of a stay goes before that of a patient.
    let finer =
        |name: &str| ["stay", "visit", "encounter", "episode", "admission"].iter().any(|w| name.contains(w));
    let (id, (_, unique)) = keys.max_by_key(|(name, (n, _))| (*n, finer(name)))?;
    let facts = |at: &usize| tables[*at].columns.iter().filter(|c| names::is_fact(&c.name)).count();
    let records = *unique.iter().max_by_key(|at| (facts(at), std::cmp::Reverse(**at)))?;
    let table = &tables[records];
    let place = |wanted: &dyn Fn(&Column) -> bool| table.columns.iter().position(wanted);
    let is_person = |c: &Column| {
        c.lower() != *id
            && c.says(&["subject", "person", "pid", "patient", "mrn", "pat_"])
            && !c.says(&["stay", "visit", "encounter", "admission", "age", "weight", "height"])
    };
    let start =
        place(&|c| c.is_moment() && c.says(&["in", "start", "admit", "begin"]) && !c.says(&["out", "disch"]));
    let end = match start {
        Some(_) => place(&|c| c.is_moment() && c.says(&["out", "end", "disch"])),
        // The end of the shortest stay among those that the table names is that of the record itself.
        None => {
            let ends = table
                .columns
                .iter()
                .enumerate()
                .filter(|(_, c)| is_offset(c) && c.says(&["disch", "end", "out"]));
            ends.min_by(|(_, a), (_, b)| middle(a).total_cmp(&middle(b))).map(|(at, _)| at)
        }
    };
    let visits = ["visitnumber", "visit_no", "visit_number", "sequence", "seq_num"];
    let visit = place(&|c| c.is_number() && c.says(&visits));
    let order = match start {
        Some(_) => None,
        None => visit.or_else(|| place(&|c| c.lower() == *id && c.dtype() == "integer")),
    };
    Some(Keys { records, id: id.clone(), subject: place(&is_person), start, end, order })
}

fn middle(column: &Column) -> f64 {
    let mut numbers: Vec<f64> = column.cells.iter().filter_map(|cell| cell.parse().ok()).collect();
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::INFINITY)
}

/// Whether a column counts minutes since the start of a record.
pub(super) fn is_offset(column: &Column) -> bool {
    column.is_number() && column.says(&["offset", "minute"])
}

/// The column that says when an event was: not when it was entered, corrected or ordered.
pub(super) fn time(table: &Table) -> Option<usize> {
    let later = ["entry", "store", "revised", "valid", "order", "end", "stop", "disch", "update"];
    let of = |is: &dyn Fn(&Column) -> bool| table.columns.iter().position(|c| is(c) && !c.says(&later));
    of(&|c| c.is_moment()).or_else(|| of(&is_offset))
}
