//! Where the concepts of the dictionary are found in the tables of a folder.

use std::collections::BTreeMap;

use super::keys::{self, Keys};
use super::look::{self, Column, Table};
use super::names;
use crate::ingest::text::parse_quantity;
use crate::schema::{Concept, Kind, Variable, same_unit};

/// One place where a concept is found.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Found {
    pub(super) concept: String,
    pub(super) table: usize,
    pub(super) place: Where,
    /// How many values were seen, and how many of them are plausible.
    pub(super) values: (usize, usize),
    /// How values become the concept's unit: factor and summand.
    pub(super) line: Option<(f64, f64)>,
    /// Whether values are both fractions and percentages.
    pub(super) fraction: bool,
    /// Units as written beside the values.
    pub(super) units: Vec<String>,
}

/// Where in a table.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Where {
    /// A column of the table of records.
    Fact { column: usize },
    /// A column of a table with one column per signal.
    Signal { time: usize, column: usize },
    /// Rows of some items.
    Items { time: usize, item: usize, value: usize, unit: Option<usize>, items: Vec<String> },
}

/// Share of values that has to be plausible.
const PLAUSIBLE: f64 = 0.7;

/// Finds concepts, in the order of the dictionary; the place with most values of each comes first.
pub(super) fn find(tables: &[Table], keys: &Keys, dictionary: &[Concept]) -> Vec<Found> {
    let mut all = facts(tables, keys, dictionary);
    for (at, table) in tables.iter().enumerate() {
        let has_id = table.columns.iter().any(|c| c.lower() == keys.id);
        let Some(time) = keys::time(table).filter(|_| has_id && at != keys.records) else { continue };
        let items = of_items(table, at, time, keys, tables, dictionary);
        if items.is_empty() {
            all.extend(of_signals(table, at, time, dictionary));
        } else {
            all.extend(items);
        }
    }
    let order = |name: &str| dictionary.iter().position(|c| c.variable.name == name);
    all.sort_by_key(|found| (order(&found.concept), std::cmp::Reverse(found.values.0), found.table));
    all
}

fn facts(tables: &[Table], keys: &Keys, dictionary: &[Concept]) -> Vec<Found> {
    let table = &tables[keys.records];
    let columns = table.columns.iter().enumerate().filter(|(_, column)| names::is_fact(&column.name));
    let mut taken = Vec::new();
    columns
        .filter_map(|(column, cells)| {
            let concept = names::concept(&cells.name, dictionary)?;
            let name = concept.variable.name.clone();
            if taken.contains(&name) {
                return None;
            }
            taken.push(name);
            let place = Where::Fact { column };
            Some(found(&concept.variable, keys.records, place, (cells.filled, cells.filled)))
        })
        .collect()
}

fn found(variable: &Variable, table: usize, place: Where, values: (usize, usize)) -> Found {
    let concept = variable.name.clone();
    Found { concept, table, place, values, line: None, fraction: false, units: Vec::new() }
}

fn of_signals(table: &Table, at: usize, time: usize, dictionary: &[Concept]) -> Vec<Found> {
    let columns = table.columns.iter().enumerate().filter(|(i, c)| *i != time && c.is_number());
    columns
        .filter_map(|(column, cells)| {
            let concept = &names::concept(&cells.name, dictionary)?.variable;
            let numbers: Vec<f64> = cells.cells.iter().filter_map(|c| Some(parse_quantity(c)?.0)).collect();
            judged(concept, at, Where::Signal { time, column }, &numbers)
        })
        .collect()
}

/// The concepts of a table with a column of items: of the columns of texts, the one whose texts name most
/// concepts.
fn of_items(
    table: &Table,
    at: usize,
    time: usize,
    keys: &Keys,
    tables: &[Table],
    dictionary: &[Concept],
) -> Vec<Found> {
    let Some(value) = value_column(table, time, keys) else { return Vec::new() };
    let unit = table.columns.iter().position(|c| {
        !c.is_number() && c.says(&["unit", "uom", "measurename"]) && c.lower() != keys.id && c.filled > 0
    });
    let mut best: Vec<Found> = Vec::new();
    for (item, column) in table.columns.iter().enumerate() {
        let few = column.different >= 2 && column.different * 2 <= column.filled.max(8);
        if item == time || item == value || Some(item) == unit || column.is_moment() || !few {
            continue;
        }
        let labels = labels_of(column, tables);
        if column.is_number() && labels.is_empty() {
            continue;
        }
        let place = Place { table, at, time, item, value, unit };
        let found = by_item(&place, &labels, dictionary);
        if found.len() > best.len() {
            best = found;
        }
    }
    best
}

struct Place<'t> {
    table: &'t Table,
    at: usize,
    time: usize,
    item: usize,
    value: usize,
    unit: Option<usize>,
}

fn by_item(place: &Place<'_>, labels: &BTreeMap<String, String>, dictionary: &[Concept]) -> Vec<Found> {
    let Place { table, at, time, item, value, unit } = *place;
    let mut of_concept: BTreeMap<&str, (&Variable, Vec<String>, Vec<usize>)> = BTreeMap::new();
    for (text, rows) in look::by_text(&table.columns[item]) {
        let label = labels.get(text).map_or(text, String::as_str);
        if let Some(concept) = names::concept(label, dictionary) {
            let entry = of_concept.entry(concept.variable.name.as_str());
            let (_, items, all) = entry.or_insert_with(|| (&concept.variable, Vec::new(), Vec::new()));
            items.push(text.to_owned());
            all.extend(rows);
        }
    }
    let mut out = Vec::new();
    for (variable, items, rows) in of_concept.into_values() {
        let cells = &table.columns[value].cells;
        let numbers: Vec<f64> = rows.iter().filter_map(|row| Some(parse_quantity(&cells[*row])?.0)).collect();
        let place = Where::Items { time, item, value, unit, items };
        if let Some(mut found) = judged(variable, at, place, &numbers) {
            if let Some(unit) = unit {
                let mut units: Vec<String> =
                    rows.iter().map(|row| table.columns[unit].cells[*row].clone()).collect();
                units.retain(|unit| !unit.is_empty());
                units.sort_unstable();
                for unit in units {
                    // A schema names each spelling of a unit once.
                    if !found.units.iter().any(|known| same_unit(known, &unit)) {
                        found.units.push(unit);
                    }
                }
            }
            out.push(found);
        }
    }
    out
}

/// The texts of item numbers, by a table in which they are unique and have a label.
fn labels_of(column: &Column, tables: &[Table]) -> BTreeMap<String, String> {
    let of = |table: &Table| {
        let key = table.columns.iter().find(|c| c.lower() == column.lower() && c.is_unique(table.rows))?;
        let label = table.columns.iter().find(|c| c.says(&["label", "name", "description"]))?;
        let pairs = key.cells.iter().zip(&label.cells).map(|(id, text)| (id.clone(), text.clone()));
        Some(pairs.collect::<Vec<_>>())
    };
    tables.iter().filter_map(of).flatten().collect()
}

/// The column with the numbers: most of its cells are, and it is neither id nor time.
fn value_column(table: &Table, time: usize, keys: &Keys) -> Option<usize> {
    let is_value = |(i, c): &(usize, &Column)| {
        let lower = c.lower();
        let is_key = lower == keys.id || lower.ends_with("id") || c.says(&["offset", "time", "unit"]);
        *i != time
            && !is_key
            && 2 * c.numbers > c.filled
            && c.says(&["value", "result", "rate", "num", "amount"])
    };
    // Numbers go before texts that hold numbers.
    let values = table.columns.iter().enumerate().filter(is_value);
    let key = |(i, c): &(usize, &Column)| (c.dtype() != "text", c.numbers, std::cmp::Reverse(*i));
    values.max_by_key(key).map(|(i, _)| i)
}

/// A place whose values are plausible for a concept, as they are or in another of its units.
fn judged(variable: &Variable, table: usize, place: Where, numbers: &[f64]) -> Option<Found> {
    let n = numbers.len();
    if n == 0 || variable.kind == Kind::Categorical {
        return None;
    }
    let (low, high) = variable.range.unwrap_or((f64::NEG_INFINITY, f64::INFINITY));
    let plausible = |scale: f64, offset: f64| {
        numbers.iter().filter(|x| (low..=high).contains(&(**x * scale + offset))).count()
    };
    let enough = |k: usize| k as f64 >= PLAUSIBLE * n as f64;
    let mut found = found(variable, table, place, (n, plausible(1.0, 0.0)));
    if enough(found.values.1) {
        return Some(found);
    }
    if variable.name == "fio2" && enough(plausible(0.01, 0.0) + found.values.1) {
        found.fraction = true;
        found.values.1 = n;
        return Some(found);
    }
    let lines = variable.conversions.iter().map(|c| (c.scale, c.offset));
    let (scale, offset) = lines.max_by_key(|(scale, offset)| plausible(*scale, *offset))?;
    found.values.1 = plausible(scale, offset);
    found.line = Some((scale, offset));
    enough(found.values.1).then_some(found)
}
