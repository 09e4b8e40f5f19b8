//! Measurements of a record folded into what its aggregations need. Every fold is associative and
//! commutative, so that rows may arrive in any order and in any number of chunks.
//!
//! A slot keeps two counts per window, because *absent* (nothing was recorded) and *rejected* (something was
//! recorded that cannot be used) are different findings. Every aggregation is taken over the usable
//! measurements. What a window without any of them means is decided in [`super::finding`].

use std::cmp::Ordering;

use crate::num::exact::{ExactMoments, ExactSum, LIMIT};
use crate::schema::Aggregation;

use super::over_time::{Lasting, over_time};
use super::value::Value;

/// What an accumulator has to remember.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "a set: any of them may be on")]
pub(in crate::ingest) struct Needs {
    pub(in crate::ingest) sum: bool,
    pub(in crate::ingest) moments: bool,
    pub(in crate::ingest) min: bool,
    pub(in crate::ingest) max: bool,
    pub(in crate::ingest) first: bool,
    pub(in crate::ingest) last: bool,
    pub(in crate::ingest) values: bool,
    pub(in crate::ingest) slope: bool,
    /// Measurements with their times, for derived variables.
    pub(in crate::ingest) series: bool,
    /// Levels of a categorical variable rather than numbers.
    pub(in crate::ingest) levels: bool,
}

impl Needs {
    /// Asks for what an aggregation needs.
    pub(in crate::ingest) fn add(&mut self, aggregation: Aggregation) {
        match aggregation {
            Aggregation::First => self.first = true,
            Aggregation::Last | Aggregation::TimeSinceLast => self.last = true,
            Aggregation::Min => self.min = true,
            Aggregation::Max => self.max = true,
            Aggregation::Mean | Aggregation::Sum => self.sum = true,
            Aggregation::Median => self.values = true,
            Aggregation::Std => self.moments = true,
            Aggregation::Slope => self.slope = true,
            Aggregation::TimeMean | Aggregation::Integral => self.series = true,
            Aggregation::Count => {}
        }
    }
}

/// The accumulators of one variable at one precedence, one entry per record.
#[derive(Debug)]
pub(in crate::ingest) struct Slot {
    needs: Needs,
    count: Vec<u32>,
    /// Measurements that were recorded and cannot be used.
    rejected: Vec<u32>,
    /// Their times, for derived variables.
    rejected_times: Vec<Vec<i64>>,
    sum: Vec<ExactSum>,
    moments: Vec<ExactMoments>,
    min: Vec<f64>,
    max: Vec<f64>,
    first: Vec<Edge>,
    last: Vec<Edge>,
    values: Vec<Vec<f64>>,
    slope: Vec<SlopeSums>,
    series: Vec<Vec<(i64, f64)>>,
    /// What lasts, with its beginning and its end.
    lasting: Vec<Vec<Lasting>>,
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

/// The aggregate of the usable measurements of one record.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ingest) enum Aggregate {
    /// Too few measurements, or none.
    Missing,
    Number(f64),
    Level(u32),
}

impl Slot {
    pub(in crate::ingest) fn new(needs: Needs, records: usize) -> Self {
        let mut slot = Self {
            needs,
            count: Vec::new(),
            rejected: Vec::new(),
            rejected_times: Vec::new(),
            sum: Vec::new(),
            moments: Vec::new(),
            min: Vec::new(),
            max: Vec::new(),
            first: Vec::new(),
            last: Vec::new(),
            values: Vec::new(),
            slope: Vec::new(),
            series: Vec::new(),
            lasting: Vec::new(),
            first_level: Vec::new(),
            last_level: Vec::new(),
        };
        slot.grow(records);
        slot
    }

    /// Makes room for records met since.
    pub(in crate::ingest) fn grow(&mut self, records: usize) {
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
        fit(true, &mut self.rejected, records, 0);
        fit(numbers && needs.series, &mut self.rejected_times, records, Vec::new());
        fit(numbers && needs.sum, &mut self.sum, records, ExactSum::default());
        fit(numbers && needs.moments, &mut self.moments, records, ExactMoments::default());
        fit(numbers && needs.min, &mut self.min, records, f64::INFINITY);
        fit(numbers && needs.max, &mut self.max, records, f64::NEG_INFINITY);
        fit(numbers && needs.first, &mut self.first, records, Edge::default());
        fit(numbers && needs.last, &mut self.last, records, Edge::default());
        fit(numbers && needs.values, &mut self.values, records, Vec::new());
        fit(numbers && needs.slope, &mut self.slope, records, SlopeSums::default());
        fit(numbers && needs.series, &mut self.series, records, Vec::new());
        fit(numbers && needs.series, &mut self.lasting, records, Vec::new());
        fit(needs.levels && needs.first, &mut self.first_level, records, None);
        fit(needs.levels && needs.last, &mut self.last_level, records, None);
    }

    /// Folds a measurement in. `levels` names the codes: of levels tied in time the alphabetically first
    /// wins, because codes depend on the order of rows.
    pub(in crate::ingest) fn add(&mut self, record: u32, seconds: i64, value: Value, levels: &[String]) {
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

    /// Folds in what lasts from a second up to another, such as an infusion at one rate.
    pub(in crate::ingest) fn add_lasting(
        &mut self,
        record: u32,
        (from, to): (i64, i64),
        value: Value,
        levels: &[String],
    ) {
        self.add(record, from, value, levels);
        if let (Value::Number(x), Some(lasting)) = (value, self.lasting.get_mut(record as usize)) {
            // It is no measurement of one moment.
            self.series[record as usize].pop();
            lasting.push((from, to, x));
        }
    }

    /// Counts a measurement that cannot be used; `seconds` is none where its time is not known either.
    pub(in crate::ingest) fn reject(&mut self, record: u32, seconds: Option<i64>) {
        let r = record as usize;
        self.rejected[r] = self.rejected[r].saturating_add(1);
        if let (Some(times), Some(seconds)) = (self.rejected_times.get_mut(r), seconds) {
            times.push(seconds);
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
    pub(in crate::ingest) fn series(&self, record: u32) -> Vec<(i64, f64)> {
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

    /// What lasts, in order of its beginning.
    pub(in crate::ingest) fn lasting(&self, record: u32) -> Vec<Lasting> {
        let mut all = self.lasting.get(record as usize).cloned().unwrap_or_default();
        all.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then(a.2.total_cmp(&b.2)));
        all
    }

    /// When the first measurement was.
    pub(in crate::ingest) fn first_time(&self, record: u32) -> Option<i64> {
        let r = record as usize;
        if self.count[r] == 0 {
            return None;
        }
        match self.first_level.get(r) {
            Some(level) => level.map(|(seconds, _)| seconds),
            None => self.first.get(r).map(|edge| edge.time),
        }
    }

    /// Usable measurements of a record.
    pub(in crate::ingest) fn count(&self, record: u32) -> u32 {
        self.count[record as usize]
    }

    /// Measurements of a record that cannot be used.
    pub(in crate::ingest) fn rejected(&self, record: u32) -> u32 {
        self.rejected[record as usize]
    }

    /// When the measurements were that cannot be used.
    pub(in crate::ingest) fn rejected_times(&self, record: u32) -> &[i64] {
        self.rejected_times.get(record as usize).map_or(&[], Vec::as_slice)
    }

    /// The aggregate of a window, from its first second, with its lookback, to the one after its last.
    pub(in crate::ingest) fn value(
        &self,
        record: u32,
        aggregation: Aggregation,
        (start, end): (i64, i64),
    ) -> Aggregate {
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
            Aggregation::TimeMean | Aggregation::Integral => {
                match over_time(&self.series(record), &self.lasting(record), (start, end)) {
                    Some((integral, _)) if aggregation == Aggregation::Integral => integral,
                    Some((integral, hours)) => integral / hours,
                    None => return Aggregate::Missing,
                }
            }
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
mod tests;
