//! Logarithms of sums of exponentials, computed so that they neither overflow nor lose their
//! small terms.

/// Computes ln Σ exp(xᵢ), shifted by the maximum so that no term overflows.
///
/// The empty sum gives −∞, a term of +∞ gives +∞, and a NaN gives NaN.
///
/// # Examples
/// ```
/// use cohort_flow::num::stable::log_sum_exp;
/// assert!((log_sum_exp(&[-1000.0, -1000.0]) + 1000.0 - 2f64.ln()).abs() < 1e-12);
/// assert_eq!(log_sum_exp(&[]), f64::NEG_INFINITY);
/// ```
pub fn log_sum_exp(x: &[f64]) -> f64 {
    if x.iter().any(|v| v.is_nan()) {
        return f64::NAN;
    }
    let max = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if max.is_infinite() {
        return max;
    }
    max + x.iter().map(|v| (v - max).exp()).sum::<f64>().ln()
}

/// Computes ln (1/n Σ exp(xᵢ)); NaN if there are no terms.
pub fn log_mean_exp(x: &[f64]) -> f64 {
    if x.is_empty() { f64::NAN } else { log_sum_exp(x) - (x.len() as f64).ln() }
}

/// ln(1 + eˣ).
pub fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// The x with softplus(x) = y, for y > 0.
pub fn softplus_inverse(y: f64) -> f64 {
    // ln(eʸ − 1) = y + ln(1 − e⁻ʸ). The right-hand side is used because it cannot overflow.
    y + (-(-y).exp_m1()).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn log_sum_exp_survives_extremes() {
        assert_eq!(log_sum_exp(&[f64::NEG_INFINITY; 3]), f64::NEG_INFINITY);
        assert_eq!(log_sum_exp(&[f64::INFINITY, 0.0]), f64::INFINITY);
        assert!(log_sum_exp(&[f64::NAN, 0.0]).is_nan());
        assert!((log_sum_exp(&[800.0, 0.0]) - 800.0).abs() < 1e-12);
        assert!((log_mean_exp(&[2.0, 2.0, 2.0]) - 2.0).abs() < 1e-15);
        assert!(log_mean_exp(&[]).is_nan());
    }

    #[test]
    fn softplus_has_the_right_tails_and_inverse() {
        assert_eq!(softplus(800.0), 800.0);
        assert!((softplus(-50.0) / (-50f64).exp() - 1.0).abs() < 1e-14);
        for y in [1e-12, 1e-3, 0.5, 1.0, 30.0, 1e4] {
            assert!((softplus(softplus_inverse(y)) / y - 1.0).abs() < 1e-11, "y = {y}");
        }
    }
}
