//! What was gathered → one column per feature, one row per window of each record of the cohort.

use crate::schema::{Aggregation, Feature, Kind, Variable};

use super::facts::Facts;
use super::plan::Plan;
use super::records::Records;
use crate::ingest::events::bins::Bins;
use crate::ingest::events::finding::Finding;
use crate::ingest::events::gathered::{Cell, Gathered};
use crate::ingest::text::shortest;
use crate::ingest::{Cells, Column, Spelling};

/// The rows of the result.
pub(in crate::ingest) struct Rows {
    pub(in crate::ingest) cells: Vec<Cell>,
}

impl Rows {
    /// The windows of the records of the cohort, in the order of the result.
    pub(in crate::ingest) fn new(records: &Records, gathered: &Gathered<'_>) -> Self {
        let members = records.sorted().into_iter().filter(|&r| records.in_cohort[r as usize]);
        let windows = |record| (0..gathered.n_windows(record)).map(move |window| Cell { record, window });
        Self { cells: members.flat_map(windows).collect() }
    }

    /// Record and subject ids; of many windows per record, `ID@HOURS` with the hour each begins at.
    pub(in crate::ingest) fn ids(&self, records: &Records, bins: &Bins) -> (Vec<String>, Vec<String>) {
        let id = |cell: &Cell| match records.id(cell.record) {
            id if bins.sliding() => format!("{id}@{}", shortest(bins.start(cell.window) as f64 / 3600.0)),
            id => id.to_string(),
        };
        let subjects = self.cells.iter().map(|cell| records.subject(cell.record).to_string());
        (self.cells.iter().map(id).collect(), subjects.collect())
    }

    /// The features and the labels in pipeline order, and the accounts that need them.
    pub(in crate::ingest) fn columns(
        &self,
        plan: &Plan<'_>,
        records: &Records,
        facts: &Facts,
        gathered: &mut Gathered<'_>,
    ) -> (Vec<Column>, Vec<Column>) {
        let mut statics: Vec<Vec<Finding>> = Vec::new();
        for (v, planned) in plan.variables.iter().enumerate() {
            let meter = &mut gathered.meters[v];
            let mut before: Option<(u32, Finding)> = None;
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
            self.account(v, &statics[v], gathered);
        }
        let column = |(v, feature): &(usize, &Feature)| {
            let planned = &plan.variables[*v];
            let cells = self.cells_of(*v, feature, plan, records, gathered, &statics[*v]);
            describe(planned.variable, feature, planned.measured, cells)
        };
        (plan.features.iter().map(column).collect(), plan.labels.iter().map(column).collect())
    }

    /// Counts the records with values of a variable, those without, and those where something could not be
    /// used.
    fn account(&self, v: usize, facts: &[Finding], gathered: &mut Gathered<'_>) {
        let (mut used, mut missing, mut rejected_only, mut partial, mut left_open) = (0, 0, 0, 0, 0);
        for (cell, fact) in self.cells.iter().zip(facts) {
            let (usable, rejected) = gathered.counts(v, *cell);
            used += u64::from(usable);
            partial += u64::from(usable > 0 && rejected > 0);
            if usable == 0 && !fact.is_value() {
                missing += 1;
                left_open += u64::from(rejected == 0 && gathered.is_left_open(v, *cell));
                rejected_only += u64::from(rejected > 0 || *fact == Finding::Unknown);
            }
        }
        let lost = gathered.lost[v];
        let audit = &mut gathered.meters[v].audit;
        audit.lost = lost;
        audit.values_kept += used;
        audit.records_missing = missing;
        audit.left_open = left_open;
        audit.records_rejected = rejected_only;
        audit.records_partly_rejected = partial;
    }

    fn cells_of(
        &self,
        v: usize,
        feature: &Feature,
        plan: &Plan<'_>,
        records: &Records,
        gathered: &Gathered<'_>,
        statics: &[Finding],
    ) -> Cells {
        let (variable, measured) = (plan.variables[v].variable, plan.variables[v].measured);
        let count = measured && feature.aggregation == Aggregation::Count;
        let value = |i: usize| {
            let found = gathered.finding(v, feature.aggregation, feature.min_count, self.cells[i], records);
            found.or(statics[i]).with_default(variable, feature.aggregation)
        };
        let numeric = count || feature.aggregation == Aggregation::TimeSinceLast;
        if variable.kind == Kind::Categorical && !numeric {
            let level = |i| match value(i) {
                Finding::Level(code) => Some(gathered.meters[v].levels[code as usize].clone()),
                Finding::Number(_) | Finding::Absent | Finding::Unknown => None,
            };
            return Cells::Text((0..self.cells.len()).map(level).collect());
        }
        let number = |i| match value(i) {
            Finding::Number(x) => x,
            Finding::Level(_) | Finding::Absent | Finding::Unknown => f64::NAN,
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
            | Aggregation::Integral
            | Aggregation::TimeSinceLast
    );
    column.range = column.range.filter(|_| of_a_measurement);
    column
}
