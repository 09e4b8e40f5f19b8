//! Measurements of a record folded into what its aggregations need. Every fold is associative and commutative, so that
//! rows may arrive in any order and in any number of chunks.

use std::cmp::Ordering;

use crate::num::exact::{ExactMoments, ExactSum, LIMIT};
use crate::schema::Aggregation;

use super::measure::Value;
use super::plan::Needs;

/// The accumulators of one variable at one precedence, one entry per record.
#[derive(Debug)]
pub(super) struct Slot {
    needs: Needs,
    count: Vec<u32>,
    sum: Vec<ExactSum>,
    moments: Vec<ExactMoments>,
    min: Vec<f64>,
    max: Vec<f64>,
    first: Vec<Edge>,
    last: Vec<Edge>,
    values: Vec<Vec<f64>>,
    slope: Vec<SlopeSums>,
    series: Vec<Vec<(i64, f64)>>,
    first_level: Vec<Option<(i64, u32)>>,
    last_level: Vec<Option<(i64, u32)>>,
}

/// The values at the earliest or latest time; ties are averaged.
#[derive(Debug, Clone, Copy, Default)]
struct Edge {
    time: i64,
    sum: ExactSum,
    count: u32,
}

/// A feature's value for one record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Aggregate {
    Missing,
    Number(f64),
    Level(u32),
}

impl Slot {
    pub(super) fn new(needs: Needs, records: usize) -> Self {
        let mut slot = Self {
            needs,
            count: Vec::new(),
            sum: Vec::new(),
            moments: Vec::new(),
            min: Vec::new(),
            max: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            values: Vec::new(),
            slope: Vec::new(),
            series: Vec::new(),
            first_level: Vec::new(),
            last_level: Vec::new(),
        };
        slot.grow(records);
        slot
    }

    /// Makes room for records met since.
    pub(super) fn grow(&mut self, records: usize) {
        fn fit<T: Clone>(wanted: bool, list: &mut Vec<T>, n: usize, empty: T) {
            if wanted && list.len() < n {
                // Records of a long table arrive one by one: doubling, not one copy each.
                list.reserve(n - list.len());
                list.resize(n, empty);
            }
        }
        let needs = self.needs;
        let numbers = !needs.levels;
        fit(true, &mut self.count, records, 0);
        fit(numbers && needs.sum, &mut self.sum, records, ExactSum::default());
        fit(numbers && needs.moments, &mut self.moments, records, ExactMoments::default());
        fit(numbers && needs.min, &mut self.min, records, f64::INFINITY);
        fit(numbers && needs.max, &mut self.max, records, f64::NEG_INFINITY);
        fit(numbers && needs.first, &mut self.first, records, Edge::default());
        fit(numbers && needs.last, &mut self.last, records, Edge::default());
        fit(numbers && needs.values, &mut self.values, records, Vec::new());
        fit(numbers && needs.slope, &mut self.slope, records, SlopeSums::default());
        fit(numbers && needs.series, &mut self.series, records, Vec::new());
        fit(needs.levels && needs.first, &mut self.first_level, records, None);
        fit(needs.levels && needs.last, &mut self.last_level, records, None);
    }

    /// Folds a measurement in. `levels` names the codes: of levels tied in time the alphabetically first wins, because
    /// codes depend on the order of rows.
    pub(super) fn add(&mut self, record: u32, seconds: i64, value: Value, levels: &[String]) {
        let r = record as usize;
        self.count[r] += 1;
        match value {
            Value::Number(x) => self.add_number(r, seconds, x),
            Value::Level(code) => {
                let replaces = |old: Option<(i64, u32)>, later: Ordering| match old {
                    None => true,
                    Some((time, _)) if time != seconds => seconds.cmp(&time) == later,
                    Some((_, other)) => levels[code as usize] < levels[other as usize],
                };
                if self.needs.first && replaces(self.first_level[r], Ordering::Less) {
                    self.first_level[r] = Some((seconds, code));
                }
                if self.needs.last && replaces(self.last_level[r], Ordering::Greater) {
                    self.last_level[r] = Some((seconds, code));
                }
            }
        }
    }

    fn add_number(&mut self, r: usize, seconds: i64, x: f64) {
        // |x| ≤ exact::LIMIT was checked with the range, so that only 2²³ values of one record at the limit could
        // overflow a sum.
        let full = "invariant: a sum holds 2^23 values of one record";
        if self.needs.sum {
            assert!(self.sum[r].add(x), "{full}");
        }
        if self.needs.moments {
            assert!(self.moments[r].add(x), "{full}");
        }
        if self.needs.min {
            self.min[r] = self.min[r].min(x);
        }
        if self.needs.max {
            self.max[r] = self.max[r].max(x);
        }
        if self.needs.first {
            self.first[r].add(seconds, x, Ordering::Less);
        }
        if self.needs.last {
            self.last[r].add(seconds, x, Ordering::Greater);
        }
        if self.needs.values {
            self.values[r].push(x);
        }
        if self.needs.slope {
            assert!(self.slope[r].add(seconds, x), "{full}");
        }
        if self.needs.series {
            self.series[r].push((seconds, x));
        }
    }

    /// Measurements in order of time, those of one time averaged.
    pub(super) fn series(&self, record: u32) -> Vec<(i64, f64)> {
        let mut all = self.series.get(record as usize).cloned().unwrap_or_default();
        all.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
        let mut out: Vec<(i64, f64)> = Vec::with_capacity(all.len());
        for tied in all.chunk_by(|a, b| a.0 == b.0) {
            let mut edge = Edge::default();
            for (seconds, x) in tied {
                edge.add(*seconds, *x, Ordering::Less);
            }
            out.push((tied[0].0, edge.mean()));
        }
        out
    }

    /// When the first measurement was.
    pub(super) fn first_time(&self, record: u32) -> Option<i64> {
        let r = record as usize;
        if self.count[r] == 0 {
            return None;
        }
        match self.first_level.get(r) {
            Some(level) => level.map(|(seconds, _)| seconds),
            None => self.first.get(r).map(|edge| edge.time),
        }
    }

    /// Measurements of a record.
    pub(super) fn count(&self, record: u32) -> u32 {
        self.count[record as usize]
    }

    /// The aggregate of a window that ends at a second.
    pub(super) fn value(&self, record: u32, aggregation: Aggregation, end: i64) -> Aggregate {
        let r = record as usize;
        let n = u64::from(self.count[r]);
        let level = |edge: &[Option<(i64, u32)>]| match edge.get(r) {
            Some(Some((_, code))) => Aggregate::Level(*code),
            _ => Aggregate::Missing,
        };
        match aggregation {
            Aggregation::Count => return Aggregate::Number(n as f64),
            _ if n == 0 => return Aggregate::Missing,
            Aggregation::TimeSinceLast => {
                let last = match self.last_level.get(r) {
                    Some(level) => level.map_or(end, |(seconds, _)| seconds),
                    None => self.last[r].time,
                };
                return Aggregate::Number((end - last) as f64 / 3600.0);
            }
            Aggregation::First if self.needs.levels => return level(&self.first_level),
            Aggregation::Last if self.needs.levels => return level(&self.last_level),
            // A schema check refuses other aggregations of levels.
            _ if self.needs.levels => return Aggregate::Missing,
            _ => {}
        }
        let number = match aggregation {
            Aggregation::First => self.first[r].mean(),
            Aggregation::Last => self.last[r].mean(),
            Aggregation::Min => self.min[r],
            Aggregation::Max => self.max[r],
            Aggregation::Mean => self.sum[r].mean(n),
            Aggregation::Sum => self.sum[r].value(),
            Aggregation::Median => median(&self.values[r]),
            Aggregation::Std => match self.moments[r].standard_deviation(n) {
                Some(s) => s,
                None => return Aggregate::Missing,
            },
            Aggregation::Slope => match self.slope[r].per_hour(n) {
                Some(slope) => slope,
                None => return Aggregate::Missing,
            },
            Aggregation::Count | Aggregation::TimeSinceLast => n as f64,
        };
        Aggregate::Number(number)
    }
}

impl Edge {
    fn add(&mut self, seconds: i64, x: f64, better: Ordering) {
        if self.count == 0 || seconds.cmp(&self.time) == better {
            *self = Self { time: seconds, ..Self::default() };
        }
        if seconds == self.time {
            assert!(self.sum.add(x), "invariant: a sum holds 2^23 values of one record");
            self.count += 1;
        }
    }

    fn mean(self) -> f64 {
        self.sum.mean(u64::from(self.count))
    }
}

/// Sums for a least-squares line over time, about the window's origin.
#[derive(Debug, Clone, Copy, Default)]
struct SlopeSums {
    /// Σt and Σt² in seconds: whole numbers, exact.
    t: i128,
    tt: i128,
    x: ExactSum,
    /// Σtx with t in days, which keeps the terms below the limit of a sum.
    tx: ExactSum,
}

const DAY: f64 = 86_400.0;

impl SlopeSums {
    #[must_use]
    fn add(&mut self, seconds: i64, x: f64) -> bool {
        self.t += i128::from(seconds);
        self.tt += i128::from(seconds) * i128::from(seconds);
        // Beyond 2⁴⁰ a product says nothing about any patient; it is clamped rather than refused.
        let product = (seconds as f64 / DAY * x).clamp(-LIMIT, LIMIT);
        self.x.add(x) && self.tx.add(product)
    }

    /// `None` below two distinct times.
    fn per_hour(self, n: u64) -> Option<f64> {
        let spread = i128::from(n) * self.tt - self.t * self.t;
        if spread <= 0 {
            return None;
        }
        let mean_t = self.t as f64 / n as f64 / DAY;
        let covariance = self.tx.value() - mean_t * self.x.value();
        let variance = spread as f64 / n as f64 / (DAY * DAY);
        Some(covariance / variance / 24.0)
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let n = sorted.len();
    if n % 2 == 1 { sorted[n / 2] } else { f64::midpoint(sorted[n / 2 - 1], sorted[n / 2]) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: Needs = Needs {
        sum: true,
        moments: true,
        min: true,
        max: true,
        first: true,
        last: true,
        values: true,
        slope: true,
        series: true,
        levels: false,
    };

    #[test]
    fn aggregates_of_a_known_series() {
        let mut slot = Slot::new(ALL, 2);
        for (seconds, x) in [(60, 4.0), (0, 1.0), (0, 2.0), (120, 8.5), (120, 8.5)] {
            slot.add(0, seconds, Value::Number(x), &[]);
        }
        let value = |a| slot.value(0, a, 7320);
        assert_eq!(value(Aggregation::First), Aggregate::Number(1.5), "tied values are averaged");
        assert_eq!(value(Aggregation::Last), Aggregate::Number(8.5));
        assert_eq!(value(Aggregation::Min), Aggregate::Number(1.0));
        assert_eq!(value(Aggregation::Max), Aggregate::Number(8.5));
        assert_eq!(value(Aggregation::Mean), Aggregate::Number(4.8));
        assert_eq!(value(Aggregation::Median), Aggregate::Number(4.0));
        assert_eq!(value(Aggregation::Sum), Aggregate::Number(24.0));
        assert_eq!(value(Aggregation::Count), Aggregate::Number(5.0));
        assert_eq!(value(Aggregation::TimeSinceLast), Aggregate::Number(2.0));
        // numpy.polyfit([0, 0, 60, 120, 120], [1, 2, 4, 8.5, 8.5], 1)[0] * 3600
        let Aggregate::Number(slope) = value(Aggregation::Slope) else { panic!() };
        assert!((slope - 210.0).abs() < 1e-9, "{slope}");
        assert_eq!(slot.series(0), [(0, 1.5), (60, 4.0), (120, 8.5)]);
        for aggregation in Aggregation::ALL {
            let empty = slot.value(1, aggregation, 0);
            let expected =
                if aggregation == Aggregation::Count { Aggregate::Number(0.0) } else { Aggregate::Missing };
            assert_eq!(empty, expected, "{aggregation:?} of nothing");
        }
    }

    #[test]
    fn deviation_needs_two_measurements() {
        let mut slot = Slot::new(ALL, 1);
        slot.add(0, 0, Value::Number(3.0), &[]);
        assert_eq!(slot.value(0, Aggregation::Std, 0), Aggregate::Missing);
        assert_eq!(slot.value(0, Aggregation::Slope, 0), Aggregate::Missing);
        slot.add(0, 0, Value::Number(5.0), &[]);
        assert_eq!(slot.value(0, Aggregation::Std, 0), Aggregate::Number(2f64.sqrt()));
    }

    #[test]
    fn tied_levels_do_not_depend_on_their_order() {
        let levels = ["b".to_string(), "a".to_string()];
        for order in [[0, 1], [1, 0]] {
            let mut slot = Slot::new(Needs { levels: true, first: true, last: true, ..Needs::default() }, 1);
            for code in order {
                slot.add(0, 7, Value::Level(code), &levels);
            }
            assert_eq!(slot.value(0, Aggregation::Last, 0), Aggregate::Level(1));
            slot.add(0, 9, Value::Level(0), &levels);
            assert_eq!(slot.value(0, Aggregation::First, 0), Aggregate::Level(1));
            assert_eq!(slot.value(0, Aggregation::Last, 0), Aggregate::Level(0));
        }
    }
}
