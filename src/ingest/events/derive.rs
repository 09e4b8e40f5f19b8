//! Derived variables: computed per window from what was gathered, then aggregated like measurements.
//!
//! Operands with an aggregation and facts are one number per window. Operands without are series: at each
//! time any of them was measured (or the one named by `at`), each is taken at its latest time not after that
//! and at most `within` earlier; measurements of one time are averaged first. Series do not reach beyond the
//! window and its lookback.
//!
//! An operand that was recorded and cannot be used makes the result unusable, not absent; where a usable
//! measurement of it lies within reach, that one is taken.
//!
//! What lasts, such as an infusion, is an operand from its beginning up to its end and not longer, whatever
//! `within` says. Operands may be derived themselves: a variable comes after its operands.

use crate::schema::{Fold, Known};

use super::finding::Finding;
use super::gathered::{Cell, Gathered, Instant};
use super::measure::Meter;
use super::over_time::Lasting;
use crate::ingest::cohort::facts::Facts;
use crate::ingest::cohort::plan::{Computation, Plan, PlannedOperand};
use crate::ingest::cohort::records::Records;

/// An operand in one window.
enum Series {
    Constant(Known),
    Measured(Measured),
}

/// Measurements of an operand, in order of time.
#[derive(Default)]
struct Measured {
    usable: Vec<(i64, f64)>,
    /// What lasts: entries that run at one moment add up.
    lasting: Vec<Lasting>,
    /// Times of those that cannot be used.
    rejected: Vec<i64>,
    /// What is made of those of some seconds, instead of the latest.
    past: Option<(Fold, i64)>,
}

impl Measured {
    fn at(&self, seconds: i64, within: i64) -> Known {
        if let Some((fold, span)) = self.past {
            return self.of_past(fold, seconds, span);
        }
        let running = self.lasting.iter().filter(|(from, to, _)| *from <= seconds && seconds < *to);
        if let Some(sum) = running.map(|(_, _, x)| *x).reduce(|a, b| a + b) {
            return Known::Value(sum);
        }
        let reaches = |time: &i64| seconds.saturating_sub(*time) <= within;
        let last = self.usable[..self.usable.partition_point(|(t, _)| *t <= seconds)].last();
        if let Some((_, x)) = last.filter(|(time, _)| reaches(time)) {
            return Known::Value(*x);
        }
        let last = self.rejected[..self.rejected.partition_point(|t| *t <= seconds)].last();
        if last.is_some_and(reaches) { Known::Rejected } else { Known::Absent }
    }

    fn of_past(&self, fold: Fold, seconds: i64, span: i64) -> Known {
        let reaches = |time: i64| time <= seconds && seconds.saturating_sub(time) <= span;
        let values = self.usable.iter().filter(|(time, _)| reaches(*time)).map(|(_, x)| *x);
        let found = match fold {
            Fold::Lowest => values.reduce(f64::min),
            Fold::Highest => values.reduce(f64::max),
            Fold::Total => values.reduce(|a, b| a + b),
        };
        match found {
            Some(x) => Known::Value(x),
            None if self.rejected.iter().any(|time| reaches(*time)) => Known::Rejected,
            None => Known::Absent,
        }
    }
}

impl Series {
    fn at(&self, seconds: i64, within: i64) -> Known {
        match self {
            Self::Constant(known) => *known,
            Self::Measured(measured) => measured.at(seconds, within),
        }
    }

    /// When it was measured, usable or not, from `start` up to `end`. What lasts begins and ends.
    fn times(&self, start: i64, end: i64) -> Vec<i64> {
        // What reaches back further than the window is looked up, and no moment of it.
        let Self::Measured(Measured { usable, lasting, rejected, past: None }) = self else {
            return Vec::new();
        };
        let edges = lasting.iter().flat_map(|(from, to, _)| [(*from).max(start), *to]);
        let edges = edges.filter(|time| (start..end).contains(time));
        usable.iter().map(|(t, _)| *t).chain(rejected.iter().copied()).chain(edges).collect()
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
        let Some(computation) = planned.derived.as_ref().filter(|_| !gathered.lost[v]) else { continue };
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
    let operand = |operand: &PlannedOperand| {
        // What the database or the extract has not is absent; an expression that needs it is left out with it.
        let Some(place) = operand.place.filter(|place| !gathered.lost[*place]) else {
            return Series::Constant(Known::Absent);
        };
        let planned = &plan.variables[place];
        let fact = || {
            // A scratch meter: facts are accounted for where they are features.
            facts.value(planned.variable, &mut Meter::new(planned.variable), records, cell.record)
        };
        match operand.aggregation {
            Some(aggregation) => {
                let finding = gathered.finding(place, aggregation, 0, cell, records).or(fact());
                Series::Constant(finding.with_default(planned.variable, aggregation).known())
            }
            None if planned.measured => {
                let (usable, lasting, rejected) = gathered.series(place, cell);
                Series::Measured(Measured { usable, lasting, rejected, past: operand.past })
            }
            None => Series::Constant(Finding::known(fact())),
        }
    };
    let operands: Vec<Series> = computation.operands.iter().map(operand).collect();
    let instant = |seconds: i64| {
        let at = |i: usize| operands[i].at(seconds, computation.within);
        let elapsed = seconds as f64 / 3600.0;
        Instant { seconds, known: computation.expression.evaluate_at(&at, hours, elapsed) }
    };
    if operands.iter().all(|o| matches!(o, Series::Constant(_))) {
        return vec![instant(end)];
    }
    let first = start - plan.variables[computation.variable].lookback;
    let mut times: Vec<i64> = match computation.at {
        Some(at) => operands[at].times(first, end),
        None => operands.iter().flat_map(|operand| operand.times(first, end)).collect(),
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
        let measured =
            Measured { usable: vec![(0, 1.0), (60, 2.0)], rejected: vec![120], ..Measured::default() };
        let series = Series::Measured(measured);
        assert_eq!(series.at(-1, 3600), Known::Absent, "not from the future");
        assert_eq!((series.at(59, 59), series.at(59, 58)), (Known::Value(1.0), Known::Absent));
        assert_eq!(series.at(60, 0), Known::Value(2.0));
        assert_eq!(series.at(120, 60), Known::Value(2.0), "the usable one within reach");
        assert_eq!((series.at(130, 10), series.at(130, 9)), (Known::Rejected, Known::Absent));
        assert_eq!(series.times(0, 600), [0, 60, 120]);
    }

    #[test]
    fn what_lasts_counts_while_it_lasts_and_adds_up() {
        let lasting = vec![(0, 100, 1.0), (50, 80, 0.5)];
        let series = Series::Measured(Measured { lasting, ..Measured::default() });
        let values = [-1, 0, 50, 80, 100].map(|t| series.at(t, 3600).value());
        assert_eq!(values, [None, Some(1.0), Some(1.5), Some(1.0), None]);
        assert_eq!(series.times(0, 90), [0, 50, 80], "an end within the window is a change too");
        assert_eq!(series.times(10, 90), [10, 50, 80], "what runs on begins with the window");
    }

    #[test]
    fn the_past_reaches_back_its_hours() {
        let past = |fold, span| {
            let usable = vec![(0, 3.0), (60, 1.0), (120, 2.0)];
            Series::Measured(Measured {
                usable,
                rejected: vec![300],
                past: Some((fold, span)),
                ..Measured::default()
            })
        };
        assert_eq!(past(Fold::Lowest, 60).at(120, 0), Known::Value(1.0));
        assert_eq!(past(Fold::Highest, 120).at(120, 0), Known::Value(3.0));
        assert_eq!(past(Fold::Total, 120).at(120, 0), Known::Value(6.0));
        assert_eq!(past(Fold::Total, 59).at(180, 0), Known::Absent);
        assert_eq!(past(Fold::Total, 59).at(310, 0), Known::Rejected);
    }
}
