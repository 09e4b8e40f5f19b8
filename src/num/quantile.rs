//! Quantiles by linear interpolation of order statistics. This is type 7 of Hyndman & Fan, the default of
//! NumPy and R.

/// Type-7 quantile of values that are already sorted in ascending order; NaN if there are no values.
///
/// # Panics
/// If `p` is not in [0, 1].
///
/// # References
/// Hyndman & Fan (1996), Sample quantiles in statistical packages, The American Statistician 50(4).
///
/// # Examples
/// ```
/// use cohort_flow::num::quantile::quantile_sorted;
/// assert_eq!(quantile_sorted(&[1.0, 2.0, 3.0, 4.0], 0.25), 1.75);
/// ```
pub fn quantile_sorted(sorted: &[f64], p: f64) -> f64 {
    assert!((0.0..=1.0).contains(&p), "a quantile's level must lie in [0, 1], got {p}");
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = p * last as f64;
    let below = position.floor() as usize;
    let (lo, hi) = (sorted[below], sorted[(below + 1).min(last)]);
    // If both neighbours are equal, their value is returned as it is: lo + f·(hi − lo) would be NaN for two
    // infinities.
    if lo == hi { lo } else { lo + (position - below as f64) * (hi - lo) }
}

/// Median of values in any order. NaN values are left out; the result is NaN if no value is left.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|v| !v.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_sorted(&sorted, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: numpy.quantile(…, method="linear"), NumPy 2.x.
    #[test]
    fn agrees_with_numpy() {
        let x = [0.5, 1.5, 2.0, 7.0, 11.0];
        for (p, q) in [(0.0, 0.5), (0.1, 0.9), (0.33, 1.66), (0.5, 2.0), (0.9, 9.4), (1.0, 11.0)] {
            assert!((quantile_sorted(&x, p) - q).abs() < 1e-14, "p = {p}");
        }
    }

    #[test]
    fn degenerate_inputs() {
        assert!(quantile_sorted(&[], 0.5).is_nan());
        assert_eq!(quantile_sorted(&[3.0], 0.7), 3.0);
        assert_eq!(quantile_sorted(&[f64::INFINITY; 2], 0.5), f64::INFINITY);
        assert_eq!(median(&[5.0, f64::NAN, 1.0, 3.0, 2.0]), 2.5);
        assert!(median(&[f64::NAN]).is_nan());
    }
}
