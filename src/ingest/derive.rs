//! Derived variables: computed per window from what was gathered, then aggregated like measurements.
//!
//! Operands with an aggregation and facts are one number per window. Operands without are series: at each time any of
//! them was measured (or the one named by `at`), each is taken at its latest time not after that and at most `within`
//! earlier; measurements of one time are averaged first. Series do not reach beyond the window and its lookback.

use super::accumulate::Aggregate;
use super::events::{Cell, Gathered};
use super::facts::Facts;
use super::measure::{Meter, Value};
use super::plan::{Computation, Plan};
use super::records::Records;

/// An operand in one window.
enum Series {
    Constant(Option<f64>),
    Measured(Vec<(i64, f64)>),
}

impl Series {
    fn at(&self, seconds: i64, within: i64) -> Option<f64> {
        match self {
            Self::Constant(x) => *x,
            Self::Measured(series) => {
                let (time, x) = series[..series.partition_point(|(t, _)| *t <= seconds)].last()?;
                (seconds - time <= within).then_some(*x)
            }
        }
    }
}

/// Computes the derived variables of every window and takes them in.
pub(super) fn derive(plan: &Plan<'_>, gathered: &mut Gathered<'_>, records: &Records, facts: &Facts) {
    for (v, planned) in plan.variables.iter().enumerate() {
        let Some(computation) = &planned.derived else { continue };
        for record in (0..records.len() as u32).filter(|&r| records.in_cohort[r as usize]) {
            for window in 0..gathered.n_windows(record) {
                let cell = Cell { record, window };
                for (seconds, x) in compute(plan, computation, gathered, records, facts, cell) {
                    gathered.add_computed(v, cell, seconds, x);
                }
            }
        }
    }
}

fn compute(
    plan: &Plan<'_>,
    computation: &Computation,
    gathered: &Gathered<'_>,
    records: &Records,
    facts: &Facts,
    cell: Cell,
) -> Vec<(i64, Option<f64>)> {
    let (start, end) =
        (gathered.bins.start(cell.window), gathered.bins.end(cell.window, records.length(cell.record)));
    let hours = (end - start) as f64 / 3600.0;
    let operand = |&(place, aggregation): &(usize, _)| {
        let planned = &plan.variables[place];
        let fact = || {
            // A scratch meter: facts are accounted for where they are features.
            let value =
                facts.value(planned.variable, &mut Meter::new(planned.variable), records, cell.record);
            value.and_then(|value| if let Value::Number(x) = value { Some(x) } else { None })
        };
        match aggregation {
            Some(aggregation) => match gathered.aggregate(place, aggregation, cell, records).0 {
                Aggregate::Number(x) => Series::Constant(Some(x)),
                _ => Series::Constant(planned.variable.absent),
            },
            None if planned.measured => Series::Measured(gathered.series(place, cell)),
            None => Series::Constant(fact()),
        }
    };
    let operands: Vec<Series> = computation.operands.iter().map(operand).collect();
    let value = |seconds: i64| {
        let at = |i: usize| operands[i].at(seconds, computation.within);
        computation.expression.evaluate(&at, hours)
    };
    let times_of = |series: &Series| match series {
        Series::Measured(series) => series.iter().map(|(t, _)| *t).collect::<Vec<_>>(),
        Series::Constant(_) => Vec::new(),
    };
    if operands.iter().all(|o| matches!(o, Series::Constant(_))) {
        return vec![(end, value(end))];
    }
    let mut times: Vec<i64> = match computation.at {
        Some(at) => times_of(&operands[at]),
        None => operands.iter().flat_map(times_of).collect(),
    };
    times.sort_unstable();
    times.dedup();
    times.into_iter().map(|t| (t, value(t))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_taken_at_its_latest_time_within_reach() {
        let series = Series::Measured(vec![(0, 1.0), (60, 2.0)]);
        assert_eq!(series.at(-1, 3600), None, "not from the future");
        assert_eq!((series.at(59, 59), series.at(59, 58)), (Some(1.0), None));
        assert_eq!(series.at(60, 0), Some(2.0));
    }
}
