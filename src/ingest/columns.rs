//! What was gathered → one column per feature, one row per window of each record of the cohort.

use crate::schema::{Aggregation, Feature, Kind, Variable};

use super::accumulate::Aggregate;
use super::bins::Bins;
use super::events::{Cell, Gathered};
use super::facts::Facts;
use super::measure::Value;
use super::plan::Plan;
use super::records::Records;
use super::text::shortest;
use super::{Cells, Column, Spelling};

/// The rows of the result.
pub(super) struct Rows {
    pub(super) cells: Vec<Cell>,
}

impl Rows {
    /// The windows of the records of the cohort, in the order of the result.
    pub(super) fn new(records: &Records, gathered: &Gathered<'_>) -> Self {
        let members = records.sorted().into_iter().filter(|&r| records.in_cohort[r as usize]);
        let windows = |record| (0..gathered.n_windows(record)).map(move |window| Cell { record, window });
        Self { cells: members.flat_map(windows).collect() }
    }

    /// Record and subject ids; of many windows per record, `ID@HOURS` with the hour each begins at.
    pub(super) fn ids(&self, records: &Records, bins: &Bins) -> (Vec<String>, Vec<String>) {
        let id = |cell: &Cell| match records.id(cell.record) {
            id if bins.sliding() => format!("{id}@{}", shortest(bins.start(cell.window) as f64 / 3600.0)),
            id => id.to_string(),
        };
        let subjects = self.cells.iter().map(|cell| records.subject(cell.record).to_string());
        (self.cells.iter().map(id).collect(), subjects.collect())
    }

    /// The features in pipeline order, and the accounts that need them.
    pub(super) fn columns(
        &self,
        plan: &Plan<'_>,
        records: &Records,
        facts: &Facts,
        gathered: &mut Gathered<'_>,
    ) -> Vec<Column> {
        let mut statics: Vec<Vec<Option<Value>>> = Vec::new();
        for (v, planned) in plan.variables.iter().enumerate() {
            let meter = &mut gathered.meters[v];
            let mut before: Option<(u32, Option<Value>)> = None;
            let mut value = |cell: &Cell| match before {
                // A fact is read once per record, however many windows it has.
                Some((record, value)) if record == cell.record => value,
                _ => {
                    let value = facts.value(planned.variable, meter, records, cell.record);
                    before = Some((cell.record, value));
                    value
                }
            };
            statics.push(self.cells.iter().map(&mut value).collect());
            let mut used = 0;
            let mut with_value = 0;
            for (cell, fact) in self.cells.iter().zip(&statics[v]) {
                let (_, n) = gathered.aggregate(v, Aggregation::Count, *cell, records);
                used += u64::from(n);
                with_value += u64::from(n > 0 || fact.is_some());
            }
            let audit = &mut gathered.meters[v].audit;
            audit.values_kept += used;
            audit.records_missing = self.cells.len() as u64 - with_value;
        }
        let column = |(v, feature): &(usize, &Feature)| {
            let planned = &plan.variables[*v];
            let cells = self.cells_of(*v, feature, plan, records, gathered, &statics[*v]);
            describe(planned.variable, feature, planned.measured, cells)
        };
        plan.features.iter().map(column).collect()
    }

    fn cells_of(
        &self,
        v: usize,
        feature: &Feature,
        plan: &Plan<'_>,
        records: &Records,
        gathered: &Gathered<'_>,
        statics: &[Option<Value>],
    ) -> Cells {
        let (variable, measured) = (plan.variables[v].variable, plan.variables[v].measured);
        let count = measured && feature.aggregation == Aggregation::Count;
        let value = |i: usize| -> Aggregate {
            match (gathered.aggregate(v, feature.aggregation, self.cells[i], records), statics[i]) {
                ((found, n), _) if n > 0 && (count || n >= feature.min_count) => found,
                (_, Some(Value::Number(x))) => Aggregate::Number(x),
                (_, Some(Value::Level(code))) => Aggregate::Level(code),
                _ if count => Aggregate::Number(0.0),
                _ if feature.aggregation == Aggregation::TimeSinceLast => Aggregate::Missing,
                _ => variable.absent.map_or(Aggregate::Missing, Aggregate::Number),
            }
        };
        let numeric = count || feature.aggregation == Aggregation::TimeSinceLast;
        if variable.kind == Kind::Categorical && !numeric {
            let level = |i| match value(i) {
                Aggregate::Level(code) => Some(gathered.meters[v].levels[code as usize].clone()),
                Aggregate::Number(_) | Aggregate::Missing => None,
            };
            return Cells::Text((0..self.cells.len()).map(level).collect());
        }
        let number = |i| match value(i) {
            Aggregate::Number(x) => x,
            Aggregate::Level(_) | Aggregate::Missing => f64::NAN,
        };
        Cells::Number((0..self.cells.len()).map(number).collect())
    }
}

fn describe(variable: &Variable, feature: &Feature, measured: bool, cells: Cells) -> Column {
    let aggregation = feature.aggregation;
    let mut column = Column {
        name: feature.name.clone(),
        label: variable.label.clone(),
        group: variable.group.clone(),
        unit: variable.unit.clone(),
        kind: variable.kind,
        resolution: variable.resolution,
        range: variable.range,
        spelling: Spelling::undeclared(),
        cells,
    };
    if !measured || variable.is_single() {
        return column;
    }
    if feature.name != variable.name {
        column.label = format!("{} ({})", variable.label, aggregation.name());
    }
    column.kind = aggregation.kind_of(variable.kind).unwrap_or(variable.kind);
    column.resolution = aggregation.resolution_of(variable.resolution);
    column.unit = aggregation.unit_of(&variable.unit);
    // Plausible single measurements say nothing about their number, spread, trend or age.
    let of_a_measurement = !matches!(
        aggregation,
        Aggregation::Count
            | Aggregation::Sum
            | Aggregation::Std
            | Aggregation::Slope
            | Aggregation::TimeSinceLast
    );
    column.range = column.range.filter(|_| of_a_measurement);
    column
}
