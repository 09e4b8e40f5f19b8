//! Shares and means with their uncertainty.

/// Quantile of the normal distribution for intervals of 95 %.
pub const Z95: f64 = 1.959_963_984_540_054;

/// Wilson's 95 % interval of a share of `k` in `n`.
///
/// # References
/// Wilson (1927), Probable inference, the law of succession, and statistical inference, JASA 22.
pub fn wilson(k: usize, n: usize) -> (f64, f64) {
    const Z: f64 = Z95;
    let (n, p) = (n as f64, k as f64 / n as f64);
    let center = p + Z * Z / (2.0 * n);
    let half = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + Z * Z / n;
    (((center - half) / scale).max(0.0), ((center + half) / scale).min(1.0))
}

/// Newcombe's 95 % interval of the difference of two independent shares, `k` in `n` each.
///
/// # References
/// Newcombe (1998), Interval estimation for the difference between independent proportions, Statistics in
/// Medicine 17:873-890, method 10.
pub fn difference((k1, n1): (usize, usize), (k2, n2): (usize, usize)) -> (f64, f64) {
    let (p1, p2) = (k1 as f64 / n1 as f64, k2 as f64 / n2 as f64);
    let ((low1, high1), (low2, high2)) = (wilson(k1, n1), wilson(k2, n2));
    let below = (p1 - low1).hypot(high2 - p2);
    let above = (high1 - p1).hypot(p2 - low2);
    (p1 - p2 - below, p1 - p2 + above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wilson_agrees_with_forty_digits() {
        // The formula in Python's decimal arithmetic with 40 digits.
        let (low, high) = wilson(5, 100);
        assert!(
            (low - 0.021_543_679_154_368).abs() < 1e-14 && (high - 0.111_750_469_231_919).abs() < 1e-14,
            "{low} {high}"
        );
        assert_eq!(wilson(0, 10).0, 0.0);
    }

    /// Newcombe (1998), table II: 56/70 against 48/80 gives 0.0524 to 0.3339, 9/10 against 3/10 0.1705 to
    /// 0.8090, and 10/10 against 0/10 0.6075 to 1.
    #[test]
    fn differences_agree_with_the_paper() {
        for (one, other, low, high) in [
            ((56, 70), (48, 80), 0.0524, 0.3339),
            ((9, 10), (3, 10), 0.1705, 0.8090),
            ((10, 10), (0, 10), 0.6075, 1.0),
        ] {
            let (l, h) = difference(one, other);
            assert!((l - low).abs() < 5e-5 && (h - high).abs() < 5e-5, "{l} {h}");
        }
    }
}
