//! An event table compiled for one pass: which of its columns are read, and what the rows of its items feed.

use std::collections::HashMap;

use crate::schema::{DType, EventColumns, Item, Rule, Schema, Table, TableKind, Variable};

use crate::ingest::IngestError;
use crate::ingest::text::normal_unit;
use crate::ingest::typed::file::Wanted;

/// An event table and the columns read of it.
#[derive(Debug)]
pub(in crate::ingest) struct PlannedTable<'a> {
    pub(in crate::ingest) table: &'a Table,
    pub(in crate::ingest) columns: &'a EventColumns,
    pub(in crate::ingest) wanted: Vec<Wanted>,
    pub(in crate::ingest) places: Places,
    /// Names of units by their codes, as units are compared; an empty name is no unit.
    pub(in crate::ingest) unit_names: HashMap<String, String>,
    /// Item → targets.
    pub(in crate::ingest) items: HashMap<Item, Vec<Target>>,
}

/// Places of an event table's columns among the wanted.
#[derive(Debug)]
pub(in crate::ingest) struct Places {
    pub(in crate::ingest) record: Option<usize>,
    pub(in crate::ingest) subject: Option<usize>,
    pub(in crate::ingest) time: usize,
    pub(in crate::ingest) end: Option<usize>,
    /// None where every column is an item.
    pub(in crate::ingest) item: Option<usize>,
    pub(in crate::ingest) item_within: Option<usize>,
    pub(in crate::ingest) value: Option<usize>,
    pub(in crate::ingest) text: Option<usize>,
    pub(in crate::ingest) unit: Option<usize>,
    pub(in crate::ingest) unit_else: Option<usize>,
    pub(in crate::ingest) operator: Option<usize>,
    pub(in crate::ingest) revision: Option<usize>,
    pub(in crate::ingest) keep: Vec<usize>,
    pub(in crate::ingest) drop: Vec<usize>,
    /// Columns that are items, where all are, by their names.
    pub(in crate::ingest) cells: Vec<usize>,
}

/// What rows of an item feed.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ingest) struct Target {
    /// Place in [`Plan::variables`].
    pub(in crate::ingest) variable: usize,
    /// Place in [`Plan::slots`].
    pub(in crate::ingest) slot: usize,
    /// Normalised units of the source; empty: the unit column says nothing.
    pub(in crate::ingest) units: Vec<String>,
    pub(in crate::ingest) scale: f64,
    pub(in crate::ingest) offset: f64,
    pub(in crate::ingest) rule: Option<Rule>,
    pub(in crate::ingest) precedence: u32,
}

impl<'a> PlannedTable<'a> {
    /// Resolves the columns of an event table.
    ///
    /// # Errors
    /// A table without events; a column that is not declared.
    pub(in crate::ingest) fn new(table: &'a Table, schema: &'a Schema) -> Result<Self, IngestError> {
        let TableKind::Events(columns) = &table.kind else {
            return Err(unknown("event table", &table.name, &schema.name));
        };
        let mut list: Vec<Wanted> = Vec::new();
        let mut place = |name: &str| add(table, name, &mut list);
        let mut optional = |name: &Option<String>| name.as_deref().map(&mut place).transpose();
        // Without a records table, the record's own columns say who and whom.
        let (mut record, mut subject) = (columns.record.clone(), columns.subject.clone());
        if schema.record.table.is_none() {
            record = record.or_else(|| Some(schema.record.id.clone()));
            let other = &schema.record.subject;
            subject =
                subject.or_else(|| table.columns.iter().any(|(c, _)| c == other).then(|| other.clone()));
            subject = subject.filter(|s| Some(s) != record.as_ref());
        }
        let places = Places {
            record: optional(&record)?,
            subject: optional(&subject)?,
            text: optional(&columns.text)?,
            unit: optional(&columns.unit)?,
            unit_else: optional(&columns.unit_else)?,
            time: place(&columns.time)?,
            end: columns.end.as_deref().map(&mut place).transpose()?,
            item: columns.item.as_deref().map(&mut place).transpose()?,
            item_within: columns.item_within.as_deref().map(&mut place).transpose()?,
            value: columns.value.as_deref().map(&mut place).transpose()?,
            operator: columns.operator.as_ref().map(|operator| place(&operator.column)).transpose()?,
            revision: columns.revision.as_deref().map(&mut place).transpose()?,
            keep: table.keep.iter().map(|rule| place(&rule.column)).collect::<Result<_, _>>()?,
            drop: columns.drop.iter().map(|rule| place(&rule.column)).collect::<Result<_, _>>()?,
            cells: Vec::new(),
        };
        // Flags are read as text: they are null for most of a table, which hides how its numbers are written.
        let used = [places.record, places.subject, places.item, places.value, places.end, places.revision];
        let single = |at: &usize| *at != places.time && !used.contains(&Some(*at));
        if let Some(item) = places.item {
            list[item].is_code = true;
        }
        for at in places.drop.iter().chain(&places.operator).filter(|at| single(at)) {
            list[*at].dtype = DType::Text;
        }
        let unit_names =
            columns.unit_names.iter().map(|(code, name)| (normal_unit(code), name.clone())).collect();
        Ok(PlannedTable { table, columns, wanted: list, places, unit_names, items: HashMap::new() })
    }

    /// Lets the rows of items feed a target.
    ///
    /// # Errors
    /// An item that the table's item column cannot hold.
    pub(in crate::ingest) fn feed(
        &mut self,
        items: &[Item],
        target: &Target,
        variable: &Variable,
    ) -> Result<(), IngestError> {
        let dtype = self.places.item.map_or(DType::Text, |item| self.wanted[item].dtype);
        for item in items {
            // A code is looked up in a relation.
            let code = || matches!(item, Item::Name(_)).then(|| item.clone());
            let code = || code().filter(|_| !self.columns.related.is_empty());
            let item = conform(item, dtype).or_else(code).ok_or_else(|| IngestError::UnknownItem {
                variable: variable.name.clone(),
                item: item_text(item),
                kind: dtype.name(),
                table: self.table.name.clone(),
            })?;
            if let (None, Item::Name(column)) = (self.places.item, &item) {
                let cell = add(self.table, column, &mut self.wanted)?;
                if !self.places.cells.contains(&cell) {
                    self.places.cells.push(cell);
                }
            }
            self.items.entry(item).or_default().push(target.clone());
        }
        Ok(())
    }
}

/// The place of a column among those that are read, a new one if need be.
fn add(table: &Table, name: &str, list: &mut Vec<Wanted>) -> Result<usize, IngestError> {
    let wanted = wanted(table, name)?;
    if let Some(at) = list.iter().position(|w| w.name == wanted.name) {
        return Ok(at);
    }
    list.push(wanted);
    Ok(list.len() - 1)
}

/// A column of a table with its declared type.
pub(in crate::ingest) fn wanted(table: &Table, name: &str) -> Result<Wanted, IngestError> {
    let found = table.columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name));
    let (name, dtype) = found.ok_or_else(|| unknown("column", name, &table.name))?;
    let is_code = !matches!(table.kind, TableKind::Events(_));
    let of_column = table.other_names.iter().filter(|(column, _)| column == name);
    let others = of_column.flat_map(|(_, names)| names.iter().cloned()).collect();
    Ok(Wanted { name: name.clone(), others, dtype: *dtype, is_code })
}

pub(in crate::ingest) fn unknown(what: &'static str, name: &str, place: &str) -> IngestError {
    IngestError::UnknownName { what, name: name.to_string(), place: place.to_string() }
}

/// The item as the column's type writes it.
fn conform(item: &Item, dtype: DType) -> Option<Item> {
    match (item, dtype) {
        (Item::Id(_), DType::Integer) => Some(item.clone()),
        (Item::Name(name), DType::Integer) => name.trim().parse().ok().map(Item::Id),
        (Item::Id(id), DType::Text) => Some(Item::Name(id.to_string())),
        (Item::Name(name), DType::Text) => Some(Item::Name(name.trim().to_string())),
        _ => None,
    }
}

fn item_text(item: &Item) -> String {
    match item {
        Item::Id(id) => id.to_string(),
        Item::Name(name) => name.clone(),
    }
}
