//! Schema and pipeline compiled for one pass: which columns of which tables are read, and what an item's rows
//! feed.

use std::collections::{BTreeMap, HashMap};

use crate::schema::{
    Aggregation, Anchor, DType, EventColumns, Expression, Feature, Item, Pipeline, Predicate, Rule, Schema,
    Source, Table, TableKind, Variable,
};

use crate::ingest::IngestError;
use crate::ingest::events::accumulate::Needs;
use crate::ingest::text::normal_unit;
use crate::ingest::typed::file::Wanted;

/// Everything one ingestion needs to know.
#[derive(Debug)]
pub(in crate::ingest) struct Plan<'a> {
    pub(in crate::ingest) schema: &'a Schema,
    pub(in crate::ingest) pipeline: &'a Pipeline,
    /// Variables in use: those of the features, then those of the rules alone.
    pub(in crate::ingest) variables: Vec<PlannedVariable<'a>>,
    /// Place in `variables` of each feature.
    pub(in crate::ingest) features: Vec<(usize, &'a Feature)>,
    /// Places in `variables`, or the columns, each rule tests.
    pub(in crate::ingest) operands: Vec<Vec<Operand>>,
    /// Event tables with rows of interest.
    pub(in crate::ingest) events: Vec<PlannedTable<'a>>,
    /// Columns read of the records table and the static tables.
    pub(in crate::ingest) facts: BTreeMap<String, Vec<Wanted>>,
    /// Accumulators in use: one per variable and precedence.
    pub(in crate::ingest) slots: Vec<Needs>,
}

/// A variable in use.
#[derive(Debug)]
pub(in crate::ingest) struct PlannedVariable<'a> {
    pub(in crate::ingest) variable: &'a Variable,
    /// Slots in order of precedence, one per distinct precedence of its event sources.
    pub(in crate::ingest) slots: std::ops::Range<usize>,
    /// Whether measurements can feed it.
    pub(in crate::ingest) measured: bool,
    /// Seconds before a window that count too.
    pub(in crate::ingest) lookback: i64,
    /// How it is computed, if it is.
    pub(in crate::ingest) derived: Option<Computation>,
}

/// A derived variable's expression with its operands found.
#[derive(Debug)]
pub(in crate::ingest) struct Computation {
    pub(in crate::ingest) expression: Expression,
    /// Place in `variables` of each operand, and its aggregation.
    pub(in crate::ingest) operands: Vec<(usize, Option<Aggregation>)>,
    /// Seconds a measurement may be older than the moment it is combined at.
    pub(in crate::ingest) within: i64,
    /// Operand whose measurements are the moments; none: those of all.
    pub(in crate::ingest) at: Option<usize>,
}

/// What a rule tests.
#[derive(Debug, Clone)]
pub(in crate::ingest) enum Operand {
    Variable(usize),
    Column { table: String, column: String },
}

/// An event table and the columns read of it.
#[derive(Debug)]
pub(in crate::ingest) struct PlannedTable<'a> {
    pub(in crate::ingest) table: &'a Table,
    pub(in crate::ingest) columns: &'a EventColumns,
    pub(in crate::ingest) wanted: Vec<Wanted>,
    pub(in crate::ingest) places: Places,
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
    pub(in crate::ingest) item: usize,
    pub(in crate::ingest) value: usize,
    pub(in crate::ingest) text: Option<usize>,
    pub(in crate::ingest) unit: Option<usize>,
    pub(in crate::ingest) drop: Vec<usize>,
}

/// What rows of an item feed.
#[derive(Debug, Clone)]
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

impl<'a> Plan<'a> {
    /// Resolves all names.
    ///
    /// # Errors
    /// A feature, source or rule names what the schema has not; an item that its table's item column cannot
    /// hold.
    pub(in crate::ingest) fn new(schema: &'a Schema, pipeline: &'a Pipeline) -> Result<Self, IngestError> {
        let mut plan = Plan {
            schema,
            pipeline,
            variables: Vec::new(),
            features: Vec::new(),
            operands: Vec::new(),
            events: Vec::new(),
            facts: BTreeMap::new(),
            slots: Vec::new(),
        };
        if let Some(table) = &schema.record.table {
            let record = &schema.record;
            let columns =
                [Some(&record.id), Some(&record.subject), record.start.as_ref(), record.end.as_ref()];
            plan.fact_columns(table, columns.into_iter().flatten().map(String::as_str))?;
        }
        let mut needs: Vec<Needs> = Vec::new();
        for feature in &pipeline.features {
            let i = plan.variable(&feature.variable, seconds(feature.lookback_hours), &mut needs)?;
            needs[i].add(feature.aggregation);
            plan.features.push((i, feature));
        }
        for rule in &pipeline.rules {
            let names: Vec<&String> = match &rule.predicate {
                Predicate::Between { column, .. }
                | Predicate::OneOf { column, .. }
                | Predicate::NoneOf { column, .. }
                | Predicate::OnlyPer { column } => vec![column],
                Predicate::SameAs { column, other } => vec![column, other],
                Predicate::FirstPerSubject | Predicate::MinFeatures { .. } => Vec::new(),
            };
            let operands =
                names.into_iter().map(|name| plan.operand(name, &mut needs)).collect::<Result<_, _>>()?;
            plan.operands.push(operands);
        }
        if let Some(Anchor::Column { table, column }) = &pipeline.window.relative_to {
            plan.fact_columns(table, [column.as_str()])?;
        }
        for (i, needs) in needs.into_iter().enumerate() {
            plan.sources(i, needs)?;
        }
        Ok(plan)
    }

    /// Seconds before the first window that any variable looks back.
    pub(in crate::ingest) fn longest_lookback(&self) -> i64 {
        self.variables.iter().map(|v| v.lookback).max().unwrap_or(0)
    }

    /// Whether records are the distinct ids of the event tables.
    pub(in crate::ingest) fn is_long(&self) -> bool {
        self.schema.record.table.is_none()
    }

    fn variable(&mut self, name: &str, lookback: i64, needs: &mut Vec<Needs>) -> Result<usize, IngestError> {
        let variable =
            self.schema.variable(name).ok_or_else(|| unknown("variable", name, &self.schema.name))?;
        // A fact has no time to look back from.
        let lookback = if variable.is_static() { 0 } else { lookback };
        let same = |v: &PlannedVariable<'_>| v.variable.name == name && v.lookback == lookback;
        if let Some(i) = self.variables.iter().position(same) {
            return Ok(i);
        }
        let derived =
            variable.derived.as_ref().map(|d| self.computation(variable, d, lookback, needs)).transpose()?;
        let measured = !variable.is_static();
        self.variables.push(PlannedVariable { variable, slots: 0..0, measured, lookback, derived });
        needs.push(Needs { levels: variable.kind == crate::schema::Kind::Categorical, ..Needs::default() });
        Ok(self.variables.len() - 1)
    }

    fn computation(
        &mut self,
        variable: &Variable,
        derived: &crate::schema::Derived,
        lookback: i64,
        needs: &mut Vec<Needs>,
    ) -> Result<Computation, IngestError> {
        let wrong = || unknown("expression", &derived.expression, &variable.name);
        let expression = derived.expression().map_err(|_| wrong())?;
        let mut operands = Vec::new();
        for operand in &expression.operands {
            let found = self.schema.variable(&operand.variable);
            if found.is_none_or(|v| v.derived.is_some()) {
                return Err(unknown("variable", &operand.variable, &variable.name));
            }
            let place = self.variable(&operand.variable, lookback, needs)?;
            match operand.aggregation {
                Some(aggregation) => needs[place].add(aggregation),
                None => needs[place].series |= self.variables[place].measured,
            }
            operands.push((place, operand.aggregation));
        }
        let at = derived.at.as_ref().and_then(|at| {
            expression.operands.iter().position(|o| o.variable == *at && o.aggregation.is_none())
        });
        Ok(Computation { expression, operands, within: seconds(derived.within_hours), at })
    }

    /// A rule's column is a variable, else a column of the records table, else of a static table.
    fn operand(&mut self, name: &str, needs: &mut Vec<Needs>) -> Result<Operand, IngestError> {
        let schema = self.schema;
        if let Some(variable) = schema.variable(name) {
            let i = self.variable(name, 0, needs)?;
            needs[i].add(variable.aggregate);
            return Ok(Operand::Variable(i));
        }
        let is_fact = |t: &&Table| !matches!(t.kind, TableKind::Events(_));
        // `TABLE.COLUMN` says which; a column alone is looked for in the records first.
        let (of, name) = name.split_once('.').map_or((None, name), |(table, column)| (Some(table), column));
        let is_fact = |t: &&Table| is_fact(t) && of.is_none_or(|of| t.name.eq_ignore_ascii_case(of));
        let has = |t: &&Table| t.columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
        let records = schema.record.table.as_deref();
        let mut tables: Vec<_> = schema.tables.iter().filter(is_fact).filter(has).collect();
        tables.sort_by_key(|t| Some(t.name.as_str()) != records);
        let table = tables.first().ok_or_else(|| unknown("column", name, &schema.name))?;
        self.fact_columns(&table.name, [name])?;
        Ok(Operand::Column { table: table.name.clone(), column: name.to_string() })
    }

    /// Asks for columns of the records table or of a static table, and for its key.
    fn fact_columns<'n>(
        &mut self,
        table: &str,
        names: impl IntoIterator<Item = &'n str>,
    ) -> Result<(), IngestError> {
        let found = self.schema.table(table).ok_or_else(|| unknown("table", table, &self.schema.name))?;
        let mut names: Vec<_> = names.into_iter().collect();
        let key = match &found.kind {
            TableKind::Static { key } | TableKind::Lists { key } => Some(key.as_str()),
            TableKind::Records | TableKind::Events(_) => None,
        };
        names.extend(key);
        for name in names {
            let wanted = wanted(found, name)?;
            let list = self.facts.entry(table.to_string()).or_default();
            if !list.iter().any(|w| w.name == wanted.name) {
                list.push(wanted);
            }
        }
        if let (Some(key), Some(records)) = (key, self.schema.record.table.as_deref()) {
            self.fact_columns(records, [key])?;
        }
        Ok(())
    }

    fn sources(&mut self, i: usize, needs: Needs) -> Result<(), IngestError> {
        let variable = self.variables[i].variable;
        if variable.derived.is_some() {
            let first = self.slots.len();
            self.slots.push(needs);
            self.variables[i].slots = first..first + 1;
            return Ok(());
        }
        let mut precedences: Vec<u32> = variable
            .sources
            .iter()
            .filter_map(|s| match s {
                Source::Events { precedence, .. } => Some(*precedence),
                Source::Column { .. } | Source::Age { .. } => None,
            })
            .collect();
        precedences.sort_unstable();
        precedences.dedup();
        let first = self.slots.len();
        self.slots.extend(precedences.iter().map(|_| needs));
        self.variables[i].slots = first..self.slots.len();
        for source in &variable.sources {
            match source {
                Source::Column { table, column } => self.fact_columns(table, [column.as_str()])?,
                Source::Age { table, birth, .. } => self.fact_columns(table, [birth.as_str()])?,
                Source::Events { table, items, units, scale, offset, rule, precedence } => {
                    let rank = precedences.iter().position(|p| p == precedence);
                    let target = Target {
                        variable: i,
                        slot: first + rank.expect("invariant: precedence was collected above"),
                        units: units.iter().map(|u| normal_unit(u)).collect(),
                        scale: *scale,
                        offset: *offset,
                        rule: *rule,
                        precedence: *precedence,
                    };
                    let place = self.event_table(table)?;
                    let planned = &mut self.events[place];
                    let dtype = planned.wanted[planned.places.item].dtype;
                    for item in items {
                        let item = conform(item, dtype).ok_or_else(|| IngestError::UnknownItem {
                            variable: variable.name.clone(),
                            item: item_text(item),
                            kind: dtype.name(),
                            table: table.clone(),
                        })?;
                        planned.items.entry(item).or_default().push(target.clone());
                    }
                }
            }
        }
        Ok(())
    }

    fn event_table(&mut self, name: &str) -> Result<usize, IngestError> {
        if let Some(place) = self.events.iter().position(|t| t.table.name == name) {
            return Ok(place);
        }
        let table = self.schema.table(name).ok_or_else(|| unknown("table", name, &self.schema.name))?;
        let TableKind::Events(columns) = &table.kind else {
            return Err(unknown("event table", name, &self.schema.name));
        };
        let mut list: Vec<Wanted> = Vec::new();
        let mut place = |name: &str| -> Result<usize, IngestError> {
            let wanted = wanted(table, name)?;
            if let Some(at) = list.iter().position(|w| w.name == wanted.name) {
                return Ok(at);
            }
            list.push(wanted);
            Ok(list.len() - 1)
        };
        let mut optional = |name: &Option<String>| name.as_deref().map(&mut place).transpose();
        // Without a records table, the record's own columns say who and whom.
        let (mut record, mut subject) = (columns.record.clone(), columns.subject.clone());
        if self.schema.record.table.is_none() {
            record = record.or_else(|| Some(self.schema.record.id.clone()));
            let other = &self.schema.record.subject;
            subject =
                subject.or_else(|| table.columns.iter().any(|(c, _)| c == other).then(|| other.clone()));
            subject = subject.filter(|s| Some(s) != record.as_ref());
        }
        let places = Places {
            record: optional(&record)?,
            subject: optional(&subject)?,
            text: optional(&columns.text)?,
            unit: optional(&columns.unit)?,
            time: place(&columns.time)?,
            end: columns.end.as_deref().map(&mut place).transpose()?,
            item: place(&columns.item)?,
            value: place(&columns.value)?,
            drop: columns.drop.iter().map(|rule| place(&rule.column)).collect::<Result<_, _>>()?,
        };
        // Flags are read as text: they are null for most of a table, which hides how its numbers are written.
        let single =
            |at: &usize| ![places.item, places.value, places.time].contains(at) && places.end != Some(*at);
        list[places.item].is_code = true;
        for at in places.drop.iter().filter(|at| single(at)) {
            if ![places.record, places.subject].contains(&Some(*at)) {
                list[*at].dtype = DType::Text;
            }
        }
        self.events.push(PlannedTable { table, columns, wanted: list, places, items: HashMap::new() });
        Ok(self.events.len() - 1)
    }
}

/// Whole seconds of hours; very many saturate.
fn seconds(hours: f64) -> i64 {
    (hours * 3600.0).round() as i64
}

fn wanted(table: &Table, name: &str) -> Result<Wanted, IngestError> {
    let found = table.columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name));
    let (name, dtype) = found.ok_or_else(|| unknown("column", name, &table.name))?;
    Ok(Wanted { name: name.clone(), dtype: *dtype, is_code: !matches!(table.kind, TableKind::Events(_)) })
}

fn unknown(what: &'static str, name: &str, place: &str) -> IngestError {
    IngestError::UnknownName { what, name: name.to_string(), place: place.to_string() }
}

/// The item as the column's type writes it.
fn conform(item: &Item, dtype: DType) -> Option<Item> {
    match (item, dtype) {
        (Item::Id(_), DType::Integer) => Some(item.clone()),
        (Item::Name(name), DType::Integer) => name.trim().parse().ok().map(Item::Id),
        (Item::Id(id), DType::Text) => Some(Item::Name(id.to_string())),
        (Item::Name(name), DType::Text) => Some(Item::Name(name.trim().to_string())),
        (_, DType::Float | DType::Datetime | DType::Elapsed) => None,
    }
}

fn item_text(item: &Item) -> String {
    match item {
        Item::Id(id) => id.to_string(),
        Item::Name(name) => name.clone(),
    }
}
