//! Statistics that compare two sets of records: distances of distributions, rank correlations, intervals of
//! shares.

pub(crate) use crate::num::proportion::Z95;
use ndarray::{Array2, ArrayView2};
use rand::RngExt;
use rayon::prelude::*;

use crate::num::moments::Moments;
use crate::num::special::normal_quantile;
use crate::random::Seed;

/// Kolmogorov–Smirnov distance of two samples in ascending order: the largest gap of their distribution
/// functions; 0 when one is empty.
pub(crate) fn ks_distance(a: &[f64], b: &[f64]) -> f64 {
    let (mut i, mut j, mut largest) = (0, 0, 0.0_f64);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        // Ties move both functions before the gap is read.
        while i < a.len() && a[i] <= x {
            i += 1;
        }
        while j < b.len() && b[j] <= x {
            j += 1;
        }
        largest = largest.max((i as f64 / a.len() as f64 - j as f64 / b.len() as f64).abs());
    }
    largest
}

/// The distance that two samples of one continuous distribution exceed in 5 % of cases (Smirnov's asymptotic
/// value; conservative for discrete ones).
pub(crate) fn ks_chance(n: usize, m: usize) -> f64 {
    // sqrt(−ln(0.05 / 2) / 2)
    scaled(1.358_101, n, m)
}

/// The same for these samples, in ascending order, with their ties: where values are few, the largest gap is
/// that of a Brownian bridge at the few points where their distribution function stands, not anywhere
/// between.
pub(crate) fn ks_chance_tied(a: &[f64], b: &[f64]) -> f64 {
    /// Different values beyond which ties matter little, or the bridge would be drawn at too many points.
    const FEW: usize = 50;
    /// Bridges drawn: the quantile is then known to two per cent.
    const BRIDGES: usize = 2000;
    let total = (a.len() + b.len()) as f64;
    let mut levels: Vec<f64> = Vec::new();
    let (mut i, mut j) = (0, 0);
    while i < a.len() && j < b.len() {
        let x = a[i].min(b[j]);
        i += a[i..].iter().take_while(|v| **v <= x).count();
        j += b[j..].iter().take_while(|v| **v <= x).count();
        levels.push((i + j) as f64 / total);
        if levels.len() > FEW {
            return ks_chance(a.len(), b.len());
        }
    }
    // The gap closes where one sample is used up; what the other has beyond is one more stretch of the
    // function.
    levels.retain(|f| *f < 1.0);
    let half = |f: f64| Z95 * (f * (1.0 - f)).sqrt();
    let bridge = match levels.as_slice() {
        [] => 0.0,
        [f] => half(*f),
        _ => {
            let mut rng = Seed(0).stream("bridges", 0);
            let mut normal = || normal_quantile(rng.random::<f64>().clamp(1e-300, 1.0 - 1e-16));
            let mut largest: Vec<f64> = (0..BRIDGES)
                .map(|_| {
                    let (mut walk, mut before) = (Vec::with_capacity(levels.len()), 0.0);
                    let mut w = 0.0;
                    for f in &levels {
                        w += (f - before).sqrt() * normal();
                        before = *f;
                        walk.push(w);
                    }
                    let end = w + (1.0 - before).sqrt() * normal();
                    walk.iter().zip(&levels).map(|(w, f)| (w - f * end).abs()).fold(0.0, f64::max)
                })
                .collect();
            largest.sort_unstable_by(f64::total_cmp);
            largest[BRIDGES * 95 / 100]
        }
    };
    scaled(bridge, a.len(), b.len())
}

fn scaled(bridge: f64, n: usize, m: usize) -> f64 {
    if n == 0 || m == 0 {
        return 1.0;
    }
    (bridge * ((n + m) as f64 / (n as f64 * m as f64)).sqrt()).min(1.0)
}

/// Standardised mean difference (mean a − mean b) / √((var a + var b) / 2); `None` without two values or
/// variance.
pub(crate) fn standardised_difference(a: &[f64], b: &[f64]) -> Option<f64> {
    let (a, b): (Moments, Moments) = (a.iter().copied().collect(), b.iter().copied().collect());
    let pooled = a.variance().midpoint(b.variance()).sqrt();
    (pooled > 0.0).then(|| (a.mean() - b.mean()) / pooled).filter(|d| d.is_finite())
}

/// Standard error of a [standardised difference](standardised_difference) `d` of `n` and `m` values.
///
/// # References
/// Hedges & Olkin (1985), Statistical methods for meta-analysis, eq. (5.14).
pub(crate) fn standardised_error(d: f64, n: usize, m: usize) -> Option<f64> {
    let (n, m) = (n as f64, m as f64);
    Some(((n + m) / (n * m) + d * d / (2.0 * (n + m))).sqrt()).filter(|e| e.is_finite())
}

/// Standard error of a rank correlation `r` of `n` pairs.
///
/// # References
/// Bonett & Wright (2000), Sample size requirements for estimating Pearson, Kendall and Spearman
/// correlations: the variance (1 + r²/2) / (n − 3) of its Fisher transform, brought back by 1 − r².
pub(crate) fn spearman_error(r: f64, n: usize) -> Option<f64> {
    (n > 3).then(|| (1.0 - r * r) * ((1.0 + r * r / 2.0) / (n as f64 - 3.0)).sqrt())
}

/// Population stability index of two sets of counts over the same cells: Σ (q − p) ln(q / p), with half a
/// record added to each cell so that an empty one is not infinite. `None` where a set is empty.
pub(crate) fn stability_index(old: &[u64], new: &[u64]) -> Option<f64> {
    let share = |counts: &[u64], i: usize| {
        let total: u64 = counts.iter().sum();
        (counts[i] as f64 + 0.5) / (total as f64 + 0.5 * counts.len() as f64)
    };
    let empty = |counts: &[u64]| counts.iter().all(|c| *c == 0);
    (!empty(old) && !empty(new)).then(|| {
        (0..old.len())
            .map(|i| {
                let (p, q) = (share(old, i), share(new, i));
                (q - p) * (q / p).ln()
            })
            .sum()
    })
}

/// Spearman correlations of all pairs of columns over the rows that have both, as a full symmetric matrix;
/// `None` below `minimum` such rows or where a column is constant on them.
///
/// # Shapes
/// `x: (n, p)`, NaN is missing → p × p
pub(crate) fn spearman(x: ArrayView2<'_, f64>, minimum: usize) -> Array2<Option<f64>> {
    let (n, p) = x.dim();
    let columns: Vec<Vec<f64>> = x.columns().into_iter().map(|c| c.to_vec()).collect();
    // Sorting once per column makes the ranks of every subset of rows a linear pass.
    let orders: Vec<Vec<u32>> = columns
        .par_iter()
        .map(|c| {
            let mut order: Vec<u32> = (0..n as u32).filter(|&i| !c[i as usize].is_nan()).collect();
            order.sort_unstable_by(|&a, &b| c[a as usize].total_cmp(&c[b as usize]).then(a.cmp(&b)));
            order
        })
        .collect();
    let rows: Vec<Vec<Option<f64>>> = (0..p)
        .into_par_iter()
        .map_init(
            || (vec![0.0; n], vec![0.0; n]),
            |(first, second), i| {
                (0..=i)
                    .map(|j| {
                        let k = ranks_where_both(&columns[i], &columns[j], &orders[i], first);
                        if k < minimum.max(2) {
                            return None;
                        }
                        if i == j {
                            return Some(1.0);
                        }
                        ranks_where_both(&columns[j], &columns[i], &orders[j], second);
                        let both = orders[i].iter().map(|&r| r as usize).filter(|&r| !columns[j][r].is_nan());
                        pearson(both.map(|r| (first[r], second[r])), f64::midpoint(1.0, k as f64))
                    })
                    .collect()
            },
        )
        .collect();
    Array2::from_shape_fn((p, p), |(i, j)| rows[i.max(j)][i.min(j)])
}

/// Writes the mid-ranks of `column` among the rows that `other` has too; returns how many those are.
fn ranks_where_both(column: &[f64], other: &[f64], order: &[u32], ranks: &mut [f64]) -> usize {
    let mut tied: Vec<usize> = Vec::new();
    let mut seen = 0;
    let mut close = |tied: &mut Vec<usize>, seen: usize| {
        // Ranks seen − t + 1 … seen, shared.
        let middle = seen as f64 - (tied.len() as f64 - 1.0) / 2.0;
        for row in tied.drain(..) {
            ranks[row] = middle;
        }
    };
    for row in order.iter().map(|&r| r as usize).filter(|&r| !other[r].is_nan()) {
        if tied.first().is_some_and(|&t| column[t] != column[row]) {
            close(&mut tied, seen);
        }
        tied.push(row);
        seen += 1;
    }
    close(&mut tied, seen);
    seen
}

/// Correlation of pairs whose means are both `mean`.
fn pearson(pairs: impl Iterator<Item = (f64, f64)>, mean: f64) -> Option<f64> {
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for (x, y) in pairs {
        let (x, y) = (x - mean, y - mean);
        xx += x * x;
        yy += y * y;
        xy += x * y;
    }
    (xx > 0.0 && yy > 0.0).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn ks_is_the_largest_gap() {
        // At 2 the functions stand at 3/4 and 1/3.
        assert!((ks_distance(&[1.0, 2.0, 2.0, 3.0], &[2.0, 3.0, 4.0]) - 5.0 / 12.0).abs() < 1e-15);
        assert_eq!(ks_distance(&[1.0, 2.0], &[1.0, 2.0]), 0.0);
        assert_eq!(ks_distance(&[1.0], &[5.0]), 1.0);
        assert_eq!(ks_distance(&[], &[5.0]), 0.0);
    }

    #[test]
    fn the_chance_of_tied_values_is_theirs() {
        let mut rng = Seed(3).stream("ties", 0);
        for (levels, n, m) in [(2, 400, 300), (4, 400, 300), (12, 300, 300)] {
            let mut beyond = 0;
            for _ in 0..400 {
                let mut draw = |n: usize| -> Vec<f64> {
                    let mut v: Vec<f64> =
                        (0..n).map(|_| (rng.random::<f64>().powi(2) * f64::from(levels)).floor()).collect();
                    v.sort_unstable_by(f64::total_cmp);
                    v
                };
                let (a, b) = (draw(n), draw(m));
                beyond += usize::from(ks_distance(&a, &b) > ks_chance_tied(&a, &b));
            }
            // 5 % of 400 are 20 with a standard error of 4.4; continuous chance would give next to none of
            // two values.
            assert!((6..=34).contains(&beyond), "{levels}: {beyond}");
        }
        let many: Vec<f64> = (0..200).map(f64::from).collect();
        assert_eq!(ks_chance_tied(&many, &many), ks_chance(200, 200));
        assert_eq!((ks_chance_tied(&[1.0; 9], &[1.0; 5]), ks_chance_tied(&[], &[1.0])), (0.0, 1.0));
    }

    #[test]
    fn spearman_ranks_only_rows_with_both() {
        let nan = f64::NAN;
        let x = array![[1.0, 10.0], [2.0, nan], [3.0, 30.0], [3.0, 20.0], [nan, 5.0], [5.0, 40.0]];
        let r = spearman(x.view(), 3);
        // Ranks 1, 2.5, 2.5, 4 and 1, 3, 2, 4: 4.5 / √(4.5 · 5).
        assert!((r[[0, 1]].unwrap() - 0.948_683_298_050_513_8).abs() < 1e-15);
        assert_eq!(r[[0, 1]], r[[1, 0]]);
        assert_eq!(r[[0, 0]], Some(1.0));
        assert_eq!(spearman(x.view(), 5)[[0, 1]], None);
        assert_eq!(spearman(array![[1.0, 1.0], [1.0, 2.0], [1.0, 3.0]].view(), 2)[[0, 1]], None);
    }

    #[test]
    fn stability_is_nought_without_change() {
        assert_eq!(stability_index(&[50, 50], &[500, 500]), Some(0.0));
        assert_eq!(stability_index(&[0, 0], &[5, 5]), None);
        // 0.75 and 0.25 against halves, with the half record of each cell.
        let (p, q) = (75.5 / 101.0, 50.5 / 101.0);
        let by_hand = (q - p) * f64::ln(q / p) + (p - q) * f64::ln((1.0 - q) / (1.0 - p));
        assert!((stability_index(&[75, 25], &[50, 50]).unwrap() - by_hand).abs() < 1e-12);
    }

    #[test]
    fn errors_shrink_with_records() {
        let (few, many) =
            (standardised_error(0.1, 50, 50).unwrap(), standardised_error(0.1, 5000, 5000).unwrap());
        assert!((few / many - 10.0).abs() < 1e-9 && (few - 0.2).abs() < 0.001);
        assert_eq!(standardised_error(0.1, 0, 5), None);
        assert!((spearman_error(0.0, 103).unwrap() - 0.1).abs() < 1e-12);
        assert_eq!(spearman_error(0.5, 3), None);
    }

    #[test]
    fn standardised_difference_is_in_pooled_deviations() {
        assert_eq!(standardised_difference(&[1.0, 3.0], &[2.0, 4.0]), Some(-1.0 / 2f64.sqrt()));
        assert_eq!(standardised_difference(&[1.0, 1.0], &[1.0, 1.0]), None);
        assert_eq!(standardised_difference(&[], &[1.0, 1.0]), None);
    }
}
