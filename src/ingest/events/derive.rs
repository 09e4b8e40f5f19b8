//! Derived variables: computed per window from what was gathered, then aggregated like measurements.
//!
//! Operands with an aggregation and facts are one number per window. Operands without are series: at each
//! time any of them was measured (or the one named by `at`), each is taken at its latest time not after that
//! and at most `within` earlier; measurements of one time are averaged first. Series do not reach beyond the
//! window and its lookback.
//!
//! An operand that was recorded and cannot be used makes the result unusable, not absent; where a usable
//! measurement of it lies within reach, that one is taken.

use crate::schema::{Aggregation, Known};

use super::finding::Finding;
use super::gathered::{Cell, Gathered, Instant};
use super::measure::Meter;
use crate::ingest::cohort::facts::Facts;
use crate::ingest::cohort::plan::{Computation, Plan};
use crate::ingest::cohort::records::Records;

/// An operand in one window.
enum Series {
    Constant(Known),
    /// Usable measurements, and the times of those that cannot be used, both in order of time.
    Measured(Vec<(i64, f64)>, Vec<i64>),
}

impl Series {
    fn at(&self, seconds: i64, within: i64) -> Known {
        match self {
            Self::Constant(known) => *known,
            Self::Measured(series, rejected) => {
                let reaches = |time: &i64| seconds.saturating_sub(*time) <= within;
                let last = series[..series.partition_point(|(t, _)| *t <= seconds)].last();
                if let Some((_, x)) = last.filter(|(time, _)| reaches(time)) {
                    return Known::Value(*x);
                }
                let last = rejected[..rejected.partition_point(|t| *t <= seconds)].last();
                if last.is_some_and(reaches) { Known::Rejected } else { Known::Absent }
            }
        }
    }

    /// When it was measured, usable or not.
    fn times(&self) -> Vec<i64> {
        match self {
            Self::Measured(series, rejected) => {
                series.iter().map(|(t, _)| t).chain(rejected).copied().collect()
            }
            Self::Constant(_) => Vec::new(),
        }
    }
}

/// Computes the derived variables of every window and takes them in.
pub(in crate::ingest) fn derive(
    plan: &Plan<'_>,
    gathered: &mut Gathered<'_>,
    records: &Records,
    facts: &Facts,
) {
    for (v, planned) in plan.variables.iter().enumerate() {
        let Some(computation) = &planned.derived else { continue };
        for record in (0..records.len() as u32).filter(|&r| records.in_cohort[r as usize]) {
            for window in 0..gathered.n_windows(record) {
                let cell = Cell { record, window };
                for instant in compute(plan, computation, gathered, records, facts, cell) {
                    gathered.add_computed(v, cell, instant);
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
) -> Vec<Instant> {
    let (start, end) =
        (gathered.bins.start(cell.window), gathered.bins.end(cell.window, records.length(cell.record)));
    let hours = (end - start) as f64 / 3600.0;
    let operand = |&(place, aggregation): &(usize, Option<Aggregation>)| {
        let planned = &plan.variables[place];
        let fact = || {
            // A scratch meter: facts are accounted for where they are features.
            facts.value(planned.variable, &mut Meter::new(planned.variable), records, cell.record)
        };
        match aggregation {
            Some(aggregation) => {
                let finding = gathered.finding(place, aggregation, 0, cell, records).or(fact());
                Series::Constant(finding.with_default(planned.variable, aggregation).known())
            }
            None if planned.measured => {
                let (series, rejected) = gathered.series(place, cell);
                Series::Measured(series, rejected)
            }
            None => Series::Constant(Finding::known(fact())),
        }
    };
    let operands: Vec<Series> = computation.operands.iter().map(operand).collect();
    let instant = |seconds: i64| {
        let at = |i: usize| operands[i].at(seconds, computation.within);
        Instant { seconds, known: computation.expression.evaluate(&at, hours) }
    };
    if operands.iter().all(|o| matches!(o, Series::Constant(_))) {
        return vec![instant(end)];
    }
    let mut times: Vec<i64> = match computation.at {
        Some(at) => operands[at].times(),
        None => operands.iter().flat_map(Series::times).collect(),
    };
    times.sort_unstable();
    times.dedup();
    times.into_iter().map(instant).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_series_is_taken_at_its_latest_time_within_reach() {
        let series = Series::Measured(vec![(0, 1.0), (60, 2.0)], vec![120]);
        assert_eq!(series.at(-1, 3600), Known::Absent, "not from the future");
        assert_eq!((series.at(59, 59), series.at(59, 58)), (Known::Value(1.0), Known::Absent));
        assert_eq!(series.at(60, 0), Known::Value(2.0));
        assert_eq!(series.at(120, 60), Known::Value(2.0), "the usable one within reach");
        assert_eq!((series.at(130, 10), series.at(130, 9)), (Known::Rejected, Known::Absent));
        assert_eq!(series.times(), [0, 60, 120]);
    }
}
