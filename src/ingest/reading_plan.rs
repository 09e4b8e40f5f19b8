//! What an ingestion reads, and how its rows can be divided among machines: for people, and for engines that
//! read the tables in our place.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::cohort::anchor;
use super::cohort::plan::Plan;
use super::cohort::plan_events::PlannedTable;
use super::cohort::share::check_divisible;
use super::events::lookup::Lookup;
use super::part::Part;
use super::typed::file::{ItemSet, Wanted};
use super::{IngestError, PartError};
use crate::schema::{Pipeline, Schema, Table, TableKind};

/// What an ingestion reads.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ReadingPlan {
    /// Name of the pipeline.
    pub pipeline: String,
    /// Name of the schema.
    pub schema: String,
    /// What decides which part of the patients a row is of.
    pub partition: PartitionKey,
    /// Tables of records and facts, which every part reads in whole, then event tables, which are divided.
    pub tables: Vec<TablePlan>,
    /// What is done, in order.
    pub stages: Vec<String>,
}

/// What decides which part of the patients a row is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PartitionKey {
    /// Table of the records; none where they are the ids of the event rows.
    pub records: Option<String>,
    /// Column of the record.
    pub record: String,
    /// Column of the patient; that of the record where records are the ids of the event rows.
    pub patient: String,
    /// The part, counted from 0, as an expression of SQL.
    pub part: String,
}

/// A table that is read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct TablePlan {
    /// Name in the schema.
    pub name: String,
    /// File stems.
    pub files: Vec<String>,
    /// `records`, `facts` or `events`.
    pub role: &'static str,
    /// Whether an extract without it is complete.
    pub optional: bool,
    /// Columns that are read, with their types.
    pub columns: Vec<(String, &'static str)>,
    /// Of facts: the column by which they are joined to the records.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Of events: the column that names the record.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub record: Option<String>,
    /// Of events: the column that names the patient, where the record is not named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub patient: Option<String>,
    /// Of events: the rows that are needed; all others can be left behind before the table is divided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items: Option<Items>,
}

/// The items in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Items {
    /// Column of the item.
    pub column: String,
    /// Whole numbers.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub numbers: BTreeSet<i64>,
    /// Texts, compared without the blanks around them.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub names: BTreeSet<String>,
}

/// What the ingestion of an extract reads.
///
/// # Errors
/// Names that the schema has not; a pipeline whose patients cannot be divided.
pub fn reading_plan(schema: &Schema, pipeline: &Pipeline) -> Result<ReadingPlan, IngestError> {
    let plan = Plan::new(schema, pipeline)?;
    check_divisible(&plan, Part { number: 1, of: 2, divided: false })?;
    let event = anchor::pipeline(pipeline);
    let event = event.as_ref().map(|pipeline| Plan::new(schema, pipeline)).transpose()?;
    let relates = |plan: &Plan<'_>| plan.events.iter().any(|table| !table.columns.related.is_empty());
    if relates(&plan) || event.as_ref().is_some_and(relates) {
        let text = format!("schema {} finds items by the relations of a table of the extract", schema.name);
        return Err(PartError::NotDivisible(text).into());
    }
    let plans: Vec<&Plan<'_>> = std::iter::once(&plan).chain(&event).collect();
    let mut facts: BTreeMap<&str, Vec<&Wanted>> = BTreeMap::new();
    let mut events: Vec<TablePlan> = Vec::new();
    for plan in plans {
        for (name, wanted) in &plan.facts {
            facts.entry(name).or_default().extend(wanted);
        }
        for planned in &plan.events {
            let found = of_events(planned, plan.is_long());
            match events.iter_mut().find(|table| table.name == found.name) {
                Some(table) => table.join(found),
                None => events.push(found),
            }
        }
    }
    let table = |name: &str| schema.table(name).expect("invariant: the plan names tables of the schema");
    let mut tables: Vec<TablePlan> =
        facts.into_iter().map(|(name, wanted)| of_facts(table(name), &wanted)).collect();
    tables.sort_by_key(|table| table.role == "facts");
    tables.extend(events);
    let long = plan.is_long();
    let (record, subject) = (schema.record.id.clone(), schema.record.subject.clone());
    let patient = if long { record.clone() } else { subject };
    let part = format!("crc32(CAST({patient} AS STRING)) % N");
    let stages = [
        (!long).then(|| "every part reads the tables of records and facts in whole".to_owned()),
        (!long).then(|| "rows of items that nobody asked for are left behind".to_owned()),
        Some(format!("event rows are divided by {part}, those of no patient go to part 1")),
        Some("ingest --part K/N --divided: the rows of a part are aggregated and counted".to_owned()),
        Some(
            "ingest --merge: parts are put together, transforms are fitted, the bundle is written".to_owned(),
        ),
    ];
    Ok(ReadingPlan {
        pipeline: pipeline.name.clone(),
        schema: schema.name.clone(),
        partition: PartitionKey { records: schema.record.table.clone(), record, patient, part },
        tables,
        stages: stages.into_iter().flatten().collect(),
    })
}

impl TablePlan {
    fn of(table: &Table, role: &'static str) -> Self {
        Self {
            name: table.name.clone(),
            files: table.files.clone(),
            role,
            optional: table.optional,
            columns: Vec::new(),
            key: None,
            record: None,
            patient: None,
            items: None,
        }
    }

    fn add(&mut self, wanted: &Wanted) {
        if !self.columns.iter().any(|(name, _)| *name == wanted.name) {
            self.columns.push((wanted.name.clone(), wanted.dtype.name()));
        }
    }

    /// Adds what another pass reads of the same table.
    fn join(&mut self, other: Self) {
        for column in other.columns {
            if !self.columns.contains(&column) {
                self.columns.push(column);
            }
        }
        self.items = self.items.take().zip(other.items).map(|(mut items, more)| {
            items.numbers.extend(more.numbers);
            items.names.extend(more.names);
            items
        });
    }
}

fn of_facts(table: &Table, wanted: &[&Wanted]) -> TablePlan {
    let (role, key) = match &table.kind {
        TableKind::Static { key } | TableKind::Lists { key } => ("facts", Some(key.clone())),
        TableKind::Records | TableKind::Events(_) => ("records", None),
    };
    let mut plan = TablePlan { key, ..TablePlan::of(table, role) };
    wanted.iter().for_each(|wanted| plan.add(wanted));
    plan
}

fn of_events(planned: &PlannedTable<'_>, long: bool) -> TablePlan {
    let name = |place: usize| planned.wanted[place].name.clone();
    let mut plan = TablePlan {
        record: planned.places.record.map(name),
        patient: planned.places.subject.map(name),
        ..TablePlan::of(planned.table, "events")
    };
    planned.wanted.iter().for_each(|wanted| plan.add(wanted));
    // Records of a long table are the ids of all rows, so that none may stay behind.
    let set = Lookup::new(planned, 0).set().filter(|_| !long);
    plan.items = set.and_then(|(place, set)| {
        let mut items = Items { column: name(place), numbers: BTreeSet::new(), names: BTreeSet::new() };
        match set {
            ItemSet::Numbers(numbers) => items.numbers = numbers.into_iter().collect(),
            ItemSet::Names(names) => items.names = names.into_iter().collect(),
            ItemSet::Texts(_) => return None,
        }
        Some(items)
    });
    plan
}
