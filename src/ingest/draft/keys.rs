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

/// The column that tells all rows of one table apart and is repeated by others, and of the tables in which it
/// tells them apart, the one that says most about a person.
///
/// A column that tells the rows of every table apart counts rows, and names nothing that tables share. Of
/// several keys, one whose records have a beginning goes first, since events are placed in time after it;
/// then the name of a stay before that of a patient, and then the key of most tables.
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
    let finer =
        |name: &str| ["stay", "visit", "encounter", "episode", "admission"].iter().any(|w| name.contains(w));
    let begins = |unique: &[usize]| unique.iter().any(|&at| start(&tables[at]).is_some());
    let (id, (_, unique)) =
        keys.max_by_key(|(name, (n, unique))| (*n > unique.len(), begins(unique), finer(name), *n))?;
    let facts = |at: &usize| tables[*at].columns.iter().filter(|c| names::is_fact(&c.name)).count();
    let records = *unique.iter().max_by_key(|at| (facts(at), std::cmp::Reverse(**at)))?;
    let table = &tables[records];
    let place = |wanted: &dyn Fn(&Column) -> bool| table.columns.iter().position(wanted);
    let is_person = |c: &Column| {
        c.lower() != *id
            && c.says(&["subject", "person", "pid", "patient", "mrn", "pat_"])
            && !c.says(&["stay", "visit", "encounter", "admission", "age", "weight", "height"])
    };
    let start = start(table);
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

/// The column that says when a record begins.
fn start(table: &Table) -> Option<usize> {
    let begins = |c: &Column| {
        c.is_moment() && c.says(&["in", "start", "admit", "begin"]) && !c.says(&["out", "disch"])
    };
    table.columns.iter().position(begins)
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

#[cfg(test)]
mod tests {
    use super::super::look::look;
    use super::*;

    /// A table of columns, each with a cell for every row.
    fn table(stem: &str, columns: &[(&str, &[&str])]) -> Table {
        let rows = columns.first().map_or(0, |(_, cells)| cells.len());
        let column = |(name, cells): &(&str, &[&str])| {
            look((*name).to_owned(), cells.iter().map(|cell| (*cell).to_owned()).collect())
        };
        Table { stem: stem.to_owned(), columns: columns.iter().map(column).collect(), rows }
    }

    fn extract() -> Vec<Table> {
        let days = &["2150-01-01 10:00:00", "2150-02-01 11:00:00", "2150-03-01 12:00:00"];
        vec![
            table("patients", &[("ROW_ID", &["1", "2"]), ("SUBJECT_ID", &["7", "8"])]),
            table(
                "icustays",
                &[
                    ("ROW_ID", &["1", "2", "3"]),
                    ("SUBJECT_ID", &["7", "7", "8"]),
                    ("ICUSTAY_ID", &["20", "21", "22"]),
                    ("INTIME", days),
                ],
            ),
            table(
                "chartevents",
                &[
                    ("ROW_ID", &["1", "2", "3"]),
                    ("SUBJECT_ID", &["7", "7", "7"]),
                    ("ICUSTAY_ID", &["20", "20", "21"]),
                    ("CHARTTIME", days),
                ],
            ),
        ]
    }

    fn record(tables: &[Table]) -> (String, String) {
        let keys = find(tables).unwrap();
        (tables[keys.records].stem.clone(), keys.id)
    }

    #[test]
    fn a_counter_of_rows_is_no_key_and_records_have_a_beginning() {
        assert_eq!(record(&extract()), ("icustays".into(), "icustay_id".into()));
    }

    #[test]
    fn tables_without_rows_change_nothing() {
        let mut tables = extract();
        for stem in ["inputevents_cv", "inputevents_mv"] {
            tables.push(table(stem, &[("ROW_ID", &[]), ("SUBJECT_ID", &[]), ("ITEMID", &[])]));
        }
        assert_eq!(record(&tables), ("icustays".into(), "icustay_id".into()));
    }
}
