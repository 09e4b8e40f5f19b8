//! The standard normal distribution: its distribution function Φ, its quantile function Φ⁻¹ and its
//! log-density log φ.

use std::f64::consts::{FRAC_1_SQRT_2, PI};

/// The distribution function Φ(x), accurate in both tails.
pub fn normal_cdf(x: f64) -> f64 {
    0.5 * erfc(-x * FRAC_1_SQRT_2)
}

/// The complementary error function 2/√π ∫ₓ^∞ exp(−t²) dt, with a relative error of about 1e-15.
///
/// It is implemented here because `erfc` of statrs 0.19.1 has a relative error of 1e-11 already at 0.7, which
/// is too much for likelihoods that are compared digit by digit.
///
/// # References
/// Cody (1969), Rational Chebyshev approximations for the error function, Math. Comp. 23(107).
#[allow(clippy::excessive_precision, reason = "coefficients as published")]
pub fn erfc(x: f64) -> f64 {
    let y = x.abs();
    if y <= 0.46875 {
        let (n, d) = (
            [
                3.20937758913846947e3,
                3.77485237685302021e2,
                1.13864154151050156e2,
                3.16112374387056560,
                1.85777706184603153e-1,
            ],
            [2.84423683343917062e3, 1.28261652607737228e3, 2.44024637934444173e2, 2.36012909523441209e1, 1.0],
        );
        return 1.0 - x * ratio(y * y, &n, &d);
    }
    // The function underflows from 27.3 on, and infinities must not reach the formulas below.
    if y > 28.0 {
        return if x < 0.0 { 2.0 } else { 0.0 };
    }
    let scaled = if y <= 4.0 {
        ratio(
            y,
            &[
                1.23033935479799725e3,
                2.05107837782607147e3,
                1.71204761263407058e3,
                8.81952221241769090e2,
                2.98635138197400131e2,
                6.61191906371416295e1,
                8.88314979438837594,
                5.64188496988670089e-1,
                2.15311535474403846e-8,
            ],
            &[
                1.23033935480374942e3,
                3.43936767414372164e3,
                4.36261909014324716e3,
                3.29079923573345963e3,
                1.62138957456669019e3,
                5.37181101862009858e2,
                1.17693950891312499e2,
                1.57449261107098347e1,
                1.0,
            ],
        )
    } else {
        let z = 1.0 / (y * y);
        let n = [
            6.58749161529837803e-4,
            1.60837851487422766e-2,
            1.25781726111229246e-1,
            3.60344899949804439e-1,
            3.05326634961232344e-1,
            1.63153871373020978e-2,
        ];
        let d = [
            2.33520497626869185e-3,
            6.05183413124413191e-2,
            5.27905102951428412e-1,
            1.87295284992346725,
            2.56852019228982242,
            1.0,
        ];
        (FRAC_1_SQRT_PI - z * ratio(z, &n, &d)) / y
    };
    // Computes exp(−y²) with y split so that the square of the first part is exact. Otherwise the rounding of
    // y² would cost y² units in the last place.
    let coarse = (y * 16.0).trunc() / 16.0;
    let tail = (-coarse * coarse).exp() * (-(y - coarse) * (y + coarse)).exp() * scaled;
    if x < 0.0 { 2.0 - tail } else { tail }
}

/// 1/√π.
const FRAC_1_SQRT_PI: f64 = 0.564_189_583_547_756_3;

/// The log-density log φ(x) = −x²/2 − ½ ln 2π.
pub fn normal_log_pdf(x: f64) -> f64 {
    -0.5 * x * x - 0.5 * (2.0 * PI).ln()
}

/// The quantile function Φ⁻¹(p), with a relative error of about 1e-16. It is −∞ at 0, +∞ at 1 and NaN outside
/// [0, 1].
///
/// # References
/// Wichura (1988), Algorithm AS 241, PPND16, Applied Statistics 37(3).
///
/// # Examples
/// ```
/// use cohort_flow::num::special::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-15);
/// ```
#[allow(clippy::excessive_precision, reason = "coefficients as published")]
pub fn normal_quantile(p: f64) -> f64 {
    if !(0.0..=1.0).contains(&p) {
        return f64::NAN;
    }
    let q = p - 0.5;
    if q.abs() <= 0.425 {
        let r = 0.180625 - q * q;
        return q * ratio(
            r,
            &[
                3.3871328727963666080e0,
                1.3314166789178437745e2,
                1.9715909503065514427e3,
                1.3731693765509461125e4,
                4.5921953931549871457e4,
                6.7265770927008700853e4,
                3.3430575583588128105e4,
                2.5090809287301226727e3,
            ],
            &[
                1.0,
                4.2313330701600911252e1,
                6.8718700749205790830e2,
                5.3941960214247511077e3,
                2.1213794301586595867e4,
                3.9307895800092710610e4,
                2.8729085735721942674e4,
                5.2264952788528545610e3,
            ],
        );
    }
    let tail = if q < 0.0 { p } else { 1.0 - p };
    if tail == 0.0 {
        return if q < 0.0 { f64::NEG_INFINITY } else { f64::INFINITY };
    }
    let r = (-tail.ln()).sqrt();
    let z = if r <= 5.0 {
        ratio(
            r - 1.6,
            &[
                1.42343711074968357734e0,
                4.63033784615654529590e0,
                5.76949722146069140550e0,
                3.64784832476320460504e0,
                1.27045825245236838258e0,
                2.41780725177450611770e-1,
                2.27238449892691845833e-2,
                7.74545014278341407640e-4,
            ],
            &[
                1.0,
                2.05319162663775882187e0,
                1.67638483018380384940e0,
                6.89767334985100004550e-1,
                1.48103976427480074590e-1,
                1.51986665636164571966e-2,
                5.47593808499534494600e-4,
                1.05075007164441684324e-9,
            ],
        )
    } else {
        ratio(
            r - 5.0,
            &[
                6.65790464350110377720e0,
                5.46378491116411436990e0,
                1.78482653991729133580e0,
                2.96560571828504891230e-1,
                2.65321895265761230930e-2,
                1.24266094738807843860e-3,
                2.71155556874348757815e-5,
                2.01033439929228813265e-7,
            ],
            &[
                1.0,
                5.99832206555887937690e-1,
                1.36929880922735805310e-1,
                1.48753612908506148525e-2,
                7.86869131145613259100e-4,
                1.84631831751005468180e-5,
                1.42151175831644588870e-7,
                2.04426310338993978564e-15,
            ],
        )
    };
    if q < 0.0 { -z } else { z }
}

/// Ratio of two polynomials, whose coefficients are given in ascending order.
fn ratio(x: f64, numerator: &[f64], denominator: &[f64]) -> f64 {
    let polynomial = |c: &[f64]| c.iter().rev().fold(0.0, |acc, &a| acc * x + a);
    polynomial(numerator) / polynomial(denominator)
}

#[cfg(test)]
mod tests {
    use super::*;

    // Expected values: scipy.special.ndtri and ndtr, SciPy 1.x, f64.
    #[test]
    fn quantiles_agree_with_scipy() {
        for (p, z) in [
            (0.5, 0.0),
            (0.025, -1.959963984540054),
            (0.1, -1.2815515655446004),
            (0.999, 3.090232306167813),
            (1e-10, -6.361340902404056),
            (1e-300, -37.0470962993612),
        ] {
            let got = normal_quantile(p);
            assert!((got - z).abs() <= 6e-15 * f64::abs(z).max(1.0), "p = {p}: {got}");
        }
        assert_eq!(normal_quantile(0.0), f64::NEG_INFINITY);
        assert_eq!(normal_quantile(1.0), f64::INFINITY);
        assert!(normal_quantile(-0.1).is_nan() && normal_quantile(f64::NAN).is_nan());
    }

    // Expected values: 0.5 * math.erfc(-x / math.sqrt(2)), CPython 3.
    #[test]
    fn cdf_agrees_with_libm() {
        for (x, p) in [
            (-20.0, 2.7536241186063314e-89),
            (-10.0, 7.619853024160593e-24),
            (-7.0, 1.279812543885835e-12),
            (-3.0, 0.0013498980316300957),
            (-1.0, 0.15865525393145707),
            (-0.3, 0.3820885778110474),
            (0.0, 0.5),
            (1.5, 0.9331927987311419),
        ] {
            let got = normal_cdf(x);
            // One rounding of x/√2 changes Φ(x) by x² units in the last place in the tail.
            assert!((got / p - 1.0).abs() < 4e-16 * (2.0 + x * x), "x = {x}: {got:e}");
        }
        assert_eq!(normal_cdf(f64::INFINITY), 1.0);
        assert_eq!(normal_cdf(f64::NEG_INFINITY), 0.0);
        assert!(normal_cdf(f64::NAN).is_nan());
    }

    #[test]
    fn quantile_undoes_cdf() {
        for i in -70..=50 {
            let x = f64::from(i) / 10.0;
            let back = normal_quantile(normal_cdf(x));
            // Above 0, the rounding of Φ near 1 limits the accuracy of x to ε/φ(x).
            let tolerance = 1e-12 + 4.0 * f64::EPSILON / normal_log_pdf(x.max(0.0)).exp();
            assert!((back - x).abs() < tolerance, "x = {x}: {back}");
        }
    }
}
