//! Schema and pipeline compiled for one pass: which columns of which tables are read, and what an item's rows
//! feed.

use std::collections::BTreeMap;

use crate::schema::{
    Aggregation, Anchor, Between, Expression, Feature, Fold, MissingParts, Operand as Part, Pipeline,
    Predicate, Schema, Source, Table, TableKind, Variable,
};

use super::plan_events::{PlannedTable, Target, unknown, wanted};
use crate::ingest::IngestError;
use crate::ingest::events::accumulate::Needs;
use crate::ingest::text::normal_unit;
use crate::ingest::typed::file::Wanted;

/// Everything one ingestion needs to know.
#[derive(Debug)]
pub(in crate::ingest) struct Plan<'a> {
    pub(in crate::ingest) schema: &'a Schema,
    pub(in crate::ingest) pipeline: &'a Pipeline,
    /// Variables in use: those of the features, then those of the labels and of the rules alone.
    pub(in crate::ingest) variables: Vec<PlannedVariable<'a>>,
    /// Place in `variables` of each feature.
    pub(in crate::ingest) features: Vec<(usize, &'a Feature)>,
    /// The same of each label.
    pub(in crate::ingest) labels: Vec<(usize, &'a Feature)>,
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
    /// Place in `variables` of what is computed.
    pub(in crate::ingest) variable: usize,
    pub(in crate::ingest) expression: Expression,
    pub(in crate::ingest) operands: Vec<PlannedOperand>,
    /// Seconds a measurement may be older than the moment it is combined at.
    pub(in crate::ingest) within: i64,
    /// Operand whose measurements are the moments; none: those of all.
    pub(in crate::ingest) at: Option<usize>,
}

/// An operand that has been found.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct PlannedOperand {
    /// Place in `variables`; none of an alternative that the database has not.
    pub(in crate::ingest) place: Option<usize>,
    pub(in crate::ingest) aggregation: Option<Aggregation>,
    /// What is made of the measurements of some seconds.
    pub(in crate::ingest) past: Option<(Fold, i64)>,
}

/// What a rule tests.
#[derive(Debug, Clone)]
pub(in crate::ingest) enum Operand {
    Variable(usize),
    Column { table: String, column: String },
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
            labels: Vec::new(),
            operands: Vec::new(),
            events: Vec::new(),
            facts: BTreeMap::new(),
            slots: Vec::new(),
        };
        if let Some(table) = &schema.record.table {
            let record = &schema.record;
            let columns =
                [Some(&record.id), Some(&record.subject), record.start.as_ref(), record.end.as_ref()];
            let episodes = match (pipeline.episodes, &record.episodes) {
                (false, _) => None,
                (true, Some(episodes)) => Some(episodes),
                (true, None) => return Err(IngestError::NoEpisodes { schema: schema.name.clone() }),
            };
            let of_episodes = episodes.into_iter().flat_map(|e| [Some(&e.within), e.moment.as_ref()]);
            let columns = columns.into_iter().chain(of_episodes).flatten().chain(&record.order);
            plan.fact_columns(table, columns.map(String::as_str))?;
        } else if pipeline.episodes {
            return Err(IngestError::NoEpisodes { schema: schema.name.clone() });
        }
        let mut needs: Vec<Needs> = Vec::new();
        for feature in &pipeline.features {
            let i = plan.variable(&feature.variable, seconds(feature.lookback_hours), &mut needs)?;
            needs[i].add(feature.aggregation);
            plan.features.push((i, feature));
        }
        for label in &pipeline.labels {
            let i = plan.variable(&label.variable, seconds(label.lookback_hours), &mut needs)?;
            needs[i].add(label.aggregation);
            plan.labels.push((i, label));
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
        let exists = |i: usize| self.schema.variable(&expression.operands[i].variable).is_some();
        if let Some(missing) = (0..expression.operands.len()).find(|i| !exists(*i))
            && !expression.is_possible(&exists)
        {
            return Err(unknown("variable", &expression.operands[missing].variable, &variable.name));
        }
        let mut operands = Vec::new();
        for operand in &expression.operands {
            let Some(found) = self.schema.variable(&operand.variable) else {
                operands.push(PlannedOperand { place: None, aggregation: None, past: None });
                continue;
            };
            let past = operand.past.map(|past| (past.fold, seconds(past.hours)));
            let reach = lookback + past.map_or(0, |(_, span)| span);
            let place = self.variable(&operand.variable, reach, needs)?;
            // What is one number per window has no measurements to choose from.
            let single = operand.aggregation.is_none() && found.derived.is_some() && found.is_single();
            let aggregation = if single { Some(Aggregation::Last) } else { operand.aggregation };
            match aggregation {
                Some(aggregation) => needs[place].add(aggregation),
                None => needs[place].series |= self.variables[place].measured,
            }
            operands.push(PlannedOperand { place: Some(place), aggregation, past });
        }
        let plain = |at: &String, o: &Part| o.variable == *at && o.aggregation.is_none() && o.past.is_none();
        let mut at = None;
        if let Some(name) = &derived.at {
            at = expression.operands.iter().position(|operand| plain(name, operand));
            if at.is_none() && self.schema.variable(name).is_some() {
                // The past of a variable stands in the expression, and its measurements are the moments.
                let place = self.variable(name, lookback, needs)?;
                needs[place].series = true;
                at = Some(operands.len());
                operands.push(PlannedOperand { place: Some(place), aggregation: None, past: None });
            }
        }
        let expression = expression.with_parts(self.pipeline.missing_parts == MissingParts::Normal);
        let within = seconds(derived.within_hours);
        // Its operands come before it.
        let variable = self.variables.len();
        Ok(Computation { variable, expression, operands, within, at })
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
        names.extend(found.keep.iter().map(|keep| keep.column.as_str()));
        names.extend(found.between.as_ref().map(|between| between.code.as_str()));
        // What is made of rows is in no file.
        let made = |name: &str| found.between.is_some() && [Between::ID, Between::END].contains(&name);
        for name in names.into_iter().filter(|name| !made(name)) {
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
                Source::Column { .. }
                | Source::Hours { .. }
                | Source::Next { .. }
                | Source::Listed { .. }
                | Source::Age { .. }
                | Source::Years { .. } => None,
            })
            .collect();
        precedences.sort_unstable();
        precedences.dedup();
        let first = self.slots.len();
        self.slots.extend(precedences.iter().map(|_| needs));
        self.variables[i].slots = first..self.slots.len();
        for source in &variable.sources {
            match source {
                Source::Column { table, column }
                | Source::Hours { table, column }
                | Source::Next { table, column }
                | Source::Listed { table, column, .. } => self.fact_columns(table, [column.as_str()])?,
                Source::Age { table, birth, .. } => self.fact_columns(table, [birth.as_str()])?,
                Source::Years { table, from, .. } => self.fact_columns(table, from.columns())?,
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
                    self.events[place].feed(items, &target, variable)?;
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
        self.events.push(PlannedTable::new(table, self.schema)?);
        Ok(self.events.len() - 1)
    }
}

/// Whole seconds of hours; very many saturate.
fn seconds(hours: f64) -> i64 {
    (hours * 3600.0).round() as i64
}
