//! Whether two sets of numbers lie at the same place: the rank-sum test of Wilcoxon, Mann and Whitney for any
//! ties.
//!
//! Counts in cells know nothing of the order of their values. Where a cohort is older by two years, every
//! year's share changes a little, and a test on 60 cells sees none of it. The sum S of the ranks aᵢ of one
//! cohort does, where values that are equal share the mean of their ranks. Given the ranks of all N records,
//! under no change the n of one cohort are drawn from them without replacement, so that with d = a − mean(a)
//!
//! ```text
//! var S  = n m / (N (N − 1)) · Σ d²
//! skew S = (m − n) / (N − 2) · √((N − 1) / (n m)) · (Σ d³ / N) / (Σ d² / N)^(3/2)
//! ```
//!
//! With many ties at one end and cohorts of unequal size, one tail is longer than the normal one: there it is
//! that of the gamma distribution of this skewness (Pearson's type III). The other tail is shorter, and a
//! normal tail gives no false alarms. A step of half a rank is taken off, as is usual.
//!
//! # References
//! Mann and Whitney (1947), On a test of whether one of two random variables is stochastically larger than
//! the other, Ann. Math. Stat. 18; Lehmann (1975), Nonparametrics: Statistical Methods Based on Ranks,
//! section 1.4 (ties); Johnson, Kotz and Balakrishnan (1994), Continuous Univariate Distributions 1, chapter
//! 17 (type III).

use statrs::distribution::{ContinuousCDF, Gamma};

use crate::num::special::normal_cdf;

/// Skewness from which on the gamma is told from the normal distribution.
const SKEWED: f64 = 1e-3;
/// The smallest p-value told.
const SMALLEST: f64 = 1e-300;

/// Two-sided probability of rank sums that differ as much, or more, under no change. `values` are the records
/// of both cohorts that hold each value, in the order of the values; `share` of the records of each cohort
/// count as independent. None with fewer than three different values, of which a test of two cells says all,
/// or where a cohort is empty.
pub(crate) fn rank_sum(values: &[(u64, u64)], share: [f64; 2]) -> Option<f64> {
    let filled: Vec<(f64, f64)> =
        values.iter().filter(|(a, b)| a + b > 0).map(|(a, b)| (*a as f64, *b as f64)).collect();
    let (n, m) = filled.iter().fold((0.0, 0.0), |(n, m), (a, b)| (n + a, m + b));
    let total = n + m;
    if filled.len() < 3 || n == 0.0 || m == 0.0 {
        return None;
    }
    // The mean of all ranks is (N + 1) / 2, and equal values share the mean of theirs, which is half of one
    // more than their number behind those below.
    let (mut below, mut second, mut third, mut sum) = (0.0, 0.0, 0.0, 0.0);
    for (a, b) in &filled {
        let d = below + (a + b - total) / 2.0;
        below += a + b;
        second += (a + b) * d * d;
        third += (a + b) * d * d * d;
        sum += b * d;
    }
    let variance = n * m / (total * (total - 1.0)) * second;
    // Fewer independent records: the same difference of means, with their error.
    let (few_n, few_m) = ((n * share[0]).max(1.0), (m * share[1]).max(1.0));
    let few = few_n + few_m;
    let ratio = ((n.recip() + m.recip()) / (few_n.recip() + few_m.recip())).sqrt();
    let z = ratio * (sum.abs() - 0.5).max(0.0).copysign(sum) / variance.sqrt();
    let skew = if few > 2.0 {
        (few_n - few_m) / (few - 2.0) * ((few - 1.0) / (few_n * few_m)).sqrt() * (third / total)
            / (second / total).powf(1.5)
    } else {
        0.0
    };
    Some((2.0 * upper_tail(z.abs(), skew * z.signum())).clamp(SMALLEST, 1.0))
}

/// Probability, or a bound of it, that a variable of mean 0, variance 1 and this skewness is above `z`.
fn upper_tail(z: f64, skew: f64) -> f64 {
    let shape = 4.0 / (skew * skew);
    // The gamma of this shape, with its mean taken off and in units of its deviation.
    match Gamma::new(shape, 1.0) {
        Ok(gamma) if skew >= SKEWED => gamma.sf(shape + z * shape.sqrt()),
        _ => normal_cdf(-z),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [f64; 2] = [1.0, 1.0];

    #[test]
    fn without_ties_the_test_is_the_usual_one() {
        // R 4.4 wilcox.test(c(1, 2, 4, 7, 9), c(3, 5, 6, 8, 10, 11), exact = FALSE)$p.value: W = 8, z =
        // 1.1867.
        let of_old = [1, 2, 4, 7, 9];
        let values: Vec<(u64, u64)> =
            (1..=11).map(|x| if of_old.contains(&x) { (1, 0) } else { (0, 1) }).collect();
        let p = rank_sum(&values, ALL).unwrap();
        assert!((p - 0.235_335_8).abs() < 2e-3, "{p}");
    }

    #[test]
    fn the_side_does_not_matter_and_a_constant_or_a_binary_is_none_of_its_business() {
        let values = [(5, 1), (3, 2), (2, 9), (1, 4)];
        let turned: Vec<(u64, u64)> = values.iter().rev().copied().collect();
        let swapped: Vec<(u64, u64)> = values.iter().map(|(a, b)| (*b, *a)).collect();
        let p = rank_sum(&values, ALL).unwrap();
        for other in [&turned, &swapped] {
            assert!((rank_sum(other, ALL).unwrap() - p).abs() < 1e-12);
        }
        assert_eq!(rank_sum(&[(5, 1), (0, 0), (1, 5)], ALL), None);
        assert_eq!(rank_sum(&[(5, 0), (3, 0), (2, 0)], ALL), None);
        assert!(rank_sum(&values, [0.3, 0.3]).unwrap() > p, "records of few patients say less");
    }

    #[test]
    fn tails_of_a_skewed_sum_are_those_of_a_gamma() {
        // χ² of 8 degrees has mean 8, variance 16 and skewness 1: P(X > 15.507) = 0.05.
        assert!((upper_tail((15.507_313 - 8.0) / 4.0, 1.0) - 0.05).abs() < 1e-7);
        for skew in [0.0, 1e-9, -1.0] {
            assert!((upper_tail(1.644_853_6, skew) - 0.05).abs() < 1e-7);
        }
    }
}
