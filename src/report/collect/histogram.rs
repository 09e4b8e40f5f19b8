//! Shares by bin, with bins wide enough to be printed.

use crate::num::quantile::quantile_sorted;
use crate::report::data::Histogram;
use crate::report::measure::Z95;
use crate::report::{Privacy, format};

/// Values shown as bars of their own up to this many.
const LEVELS: usize = 12;
/// Bins at most.
const BINS: usize = 36;

/// Histogram of numbers, both in ascending order; `name` gives a level its name where the feature has levels.
/// `None` where no bin could hold enough records.
pub(super) fn histogram(
    privacy: Privacy,
    data: &[f64],
    samples: &[f64],
    name: Option<&dyn Fn(f64) -> String>,
) -> Option<Histogram> {
    if !privacy.allows(data.len() as u64) || samples.is_empty() {
        return None;
    }
    let mut distinct: Vec<f64> = data.to_vec();
    distinct.dedup();
    let mut drawn = match name {
        Some(name) => levels(privacy, data, samples, name),
        None if distinct.len() <= LEVELS => levels(privacy, data, samples, &|v| format::significant(v, 6)),
        None => bins(privacy, data, samples, &distinct),
    }?;
    // The interval of a share is the normal one: bars hold eleven records or none.
    let half = |percent: &f64| {
        let p = percent / 100.0;
        100.0 * Z95 * (p * (1.0 - p) / data.len() as f64).max(0.0).sqrt()
    };
    drawn.error = drawn.data.iter().map(half).collect();
    Some(drawn)
}

fn levels(
    privacy: Privacy,
    data: &[f64],
    samples: &[f64],
    name: &dyn Fn(f64) -> String,
) -> Option<Histogram> {
    let mut values: Vec<f64> = data.iter().chain(samples).copied().collect();
    values.sort_unstable_by(f64::total_cmp);
    values.dedup();
    let count =
        |of: &[f64], v: f64| (of.partition_point(|x| *x <= v) - of.partition_point(|x| *x < v)) as u64;
    let counts: Vec<(u64, u64)> = values.iter().map(|v| (count(data, *v), count(samples, *v))).collect();
    // Levels only samples have, and rare ones, are one bar.
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by_key(|&i| std::cmp::Reverse(counts[i].0));
    let (mut kept, mut rest): (Vec<usize>, Vec<usize>) =
        order.into_iter().enumerate().partition_map(|(rank, i)| {
            if rank < LEVELS - 1 && privacy.allows(counts[i].0) { Ok(i) } else { Err(i) }
        });
    while !privacy.shows(rest.iter().map(|&i| counts[i].0).sum()) {
        // What is left is few: the least of the bars joins it.
        rest.push(kept.pop()?);
    }
    if kept.is_empty() {
        return None;
    }
    kept.sort_unstable();
    let share = |part: u64, of: &[f64]| 100.0 * part as f64 / of.len() as f64;
    let mut h = Histogram::default();
    for i in kept {
        h.levels.push(name(values[i]));
        h.data.push(share(counts[i].0, data));
        h.samples.push(share(counts[i].1, samples));
    }
    if !rest.is_empty() {
        // A value few have is not even named.
        let alone = rest.len() == 1 && (privacy.identifiable() || privacy.allows(counts[rest[0]].0));
        h.levels.push(if alone { name(values[rest[0]]) } else { "other values".into() });
        h.data.push(share(rest.iter().map(|&i| counts[i].0).sum(), data));
        h.samples.push(share(rest.iter().map(|&i| counts[i].1).sum(), samples));
    }
    Some(h)
}

/// `Iterator::partition` with a mapping, for pairs whose first half has served.
trait PartitionMap: Iterator + Sized {
    fn partition_map<A>(self, f: impl Fn(Self::Item) -> Result<A, A>) -> (Vec<A>, Vec<A>) {
        let (mut left, mut right) = (Vec::new(), Vec::new());
        for item in self {
            match f(item) {
                Ok(a) => left.push(a),
                Err(a) => right.push(a),
            }
        }
        (left, right)
    }
}

impl<I: Iterator> PartitionMap for I {}

fn bins(privacy: Privacy, data: &[f64], samples: &[f64], distinct: &[f64]) -> Option<Histogram> {
    let (low, high) = window(privacy, data, samples)?;
    let edges = grid(low, high, data.len(), distinct);
    let n = edges.len() - 1;
    // The outer bins take everything beyond them.
    let at = |of: &[f64], i: usize| match i {
        0 => 0,
        i if i == n => of.len(),
        i => of.partition_point(|x| *x < edges[i]),
    };
    // Neighbours join until every bin is empty or holds enough.
    let mut cuts = vec![0];
    for i in 1..=n {
        let start = *cuts.last().unwrap_or(&0);
        if privacy.shows((at(data, i) - at(data, start)) as u64) {
            cuts.push(i);
        }
    }
    if cuts.last() != Some(&n) {
        // The remainder is few: it joins the bins before until it is not.
        loop {
            cuts.pop();
            let start = *cuts.last()?;
            if privacy.shows((at(data, n) - at(data, start)) as u64) {
                break;
            }
        }
        cuts.push(n);
    }
    let shares = |of: &[f64]| -> Vec<f64> {
        cuts.windows(2).map(|c| 100.0 * (at(of, c[1]) - at(of, c[0])) as f64 / of.len() as f64).collect()
    };
    Some(Histogram {
        edges: cuts.iter().map(|&c| edges[c]).collect(),
        data: shares(data),
        samples: shares(samples),
        ..Histogram::default()
    })
}

/// Joins neighbouring bins until the samples too, being `n` records of people, are none or enough in each.
pub(super) fn protect_samples(privacy: Privacy, mut h: Histogram, n: usize) -> Option<Histogram> {
    let count = |percent: f64| (percent * n as f64 / 100.0).round() as u64;
    let mut at = 0;
    while at < h.data.len() {
        if privacy.shows(count(h.samples[at])) {
            at += 1;
            continue;
        }
        if h.data.len() == 1 {
            return None;
        }
        // Into the next, or for the last into the one before, which is looked at again.
        let (into, from) = if at + 1 < h.data.len() { (at, at + 1) } else { (at - 1, at) };
        h.data[into] += h.data.remove(from);
        h.samples[into] += h.samples.remove(from);
        h.edges.remove(from);
        h.error[into] = h.error[into].hypot(h.error.remove(from));
        at = into;
    }
    Some(h)
}

/// What is drawn: the middle 99 % of both, and of the data no more than may be printed. Samples widen it by
/// at most a quarter on either side, so that a heavy tail cannot squeeze the rest.
fn window(privacy: Privacy, data: &[f64], samples: &[f64]) -> Option<(f64, f64)> {
    let allowed = privacy.range(data)?;
    let low = quantile_sorted(data, 0.005).max(allowed.0);
    let high = quantile_sorted(data, 0.995).min(allowed.1);
    let room = 0.25 * (high - low);
    let window = (
        quantile_sorted(samples, 0.005).clamp(low - room, low),
        quantile_sorted(samples, 0.995).clamp(high, high + room),
    );
    (window.1 > window.0).then_some(window)
}

/// Equal bins, at least as wide as the values are apart and then centred on them, since narrower ones would
/// show the rounding rather than the distribution.
fn grid(low: f64, high: f64, n: usize, distinct: &[f64]) -> Vec<f64> {
    let wanted = (2.0 * (n as f64).cbrt()).clamp(8.0, BINS as f64);
    let mut width = (high - low) / wanted;
    let mut start = low;
    let mut gaps: Vec<f64> = distinct.windows(2).map(|v| v[1] - v[0]).collect();
    gaps.sort_unstable_by(f64::total_cmp);
    // The usual gap; single finer values do not make a resolution.
    let step = gaps.get(gaps.len() / 10).copied().unwrap_or(0.0);
    if step > width / 4.0 {
        width = step * (width / step).ceil().max(1.0);
        start = low - step / 2.0;
    }
    let bins = (((high - start) / width).ceil() as usize).clamp(1, 4 * BINS);
    (0..=bins).map(|i| start + width * i as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(n: usize, f: impl Fn(f64) -> f64) -> Vec<f64> {
        let mut v: Vec<f64> = (0..n).map(|i| f((i as f64 + 0.5) / n as f64)).collect();
        v.sort_unstable_by(f64::total_cmp);
        v
    }

    fn counts(h: &Histogram, n: usize) -> Vec<f64> {
        h.data.iter().map(|p| p * n as f64 / 100.0).collect()
    }

    #[test]
    fn every_bin_holds_enough_records_and_all_are_counted() {
        // A tail that thins out: equal bins alone would hold single records.
        for n in [30, 100, 1000] {
            let data = sorted(n, |u| -(1.0 - u).ln() * 10.0);
            let h = histogram(Privacy::new(false), &data, &data, None).unwrap();
            let c = counts(&h, n);
            assert!(c.iter().all(|c| *c < 0.5 || *c > 10.5), "{c:?}");
            assert!((c.iter().sum::<f64>() - n as f64).abs() < 1e-6);
            assert_eq!(h.edges.len(), h.data.len() + 1);
            assert!(h.edges.windows(2).all(|e| e[1] > e[0]));
            assert_eq!(h.data, h.samples);
        }
    }

    #[test]
    fn rounded_values_do_not_make_a_comb() {
        let data = sorted(3000, |u| (100.0 + 60.0 * (u - 0.5)).round());
        let h = histogram(Privacy::new(false), &data, &data, None).unwrap();
        let inner = &h.data[1..h.data.len() - 1];
        let (low, high) = inner.iter().fold((f64::MAX, 0.0_f64), |(a, b), v| (a.min(*v), b.max(*v)));
        assert!(high / low < 1.5, "a uniform variable has even bins: {inner:?}");
    }

    #[test]
    fn rare_levels_share_a_bar() {
        let mut data = vec![0.0; 500];
        data.extend(vec![1.0; 300]);
        data.extend([2.0, 2.0, 3.0]);
        let h = histogram(Privacy::new(false), &data, &[0.0, 1.0, 4.0], None).unwrap();
        assert_eq!(h.levels, ["0", "other values"], "3 rare records would be told by the other two bars");
        let h = histogram(Privacy::new(true), &data, &[0.0, 1.0, 4.0], None).unwrap();
        assert_eq!(h.levels, ["0", "1", "2", "3", "4"]);
        assert!((h.samples[4] - 100.0 / 3.0).abs() < 1e-9);
    }

    #[test]
    fn bins_of_few_other_people_are_joined() {
        let old = sorted(2000, |u| 100.0 * u);
        let new = sorted(40, |u| 50.0 * u);
        let h = histogram(Privacy::new(false), &old, &new, None).unwrap();
        let h = protect_samples(Privacy::new(false), h, new.len()).unwrap();
        let counts: Vec<f64> = h.samples.iter().map(|p| p * 0.4).collect();
        assert!(counts.iter().all(|c| *c < 0.5 || *c > 10.5), "{counts:?}");
        assert!((counts.iter().sum::<f64>() - 40.0).abs() < 1e-6);
        assert_eq!((h.edges.len(), h.error.len()), (h.data.len() + 1, h.data.len()));
    }

    #[test]
    fn few_records_have_no_histogram() {
        assert!(histogram(Privacy::new(false), &[1.0; 10], &[1.0], None).is_none());
        assert!(histogram(Privacy::new(false), &sorted(20, |u| u), &[1.0], None).is_none());
    }
}
