//! The monotone rational-quadratic function on one bin.
//!
//! With w = x₁ − x₀, h = y₁ − y₀, s = h/w, ξ = (x − x₀)/w and ζ = ξ(1 − ξ):
//!
//! ```text
//! y      = y₀ + h (s ξ² + d₀ ζ) / (s + (d₀ + d₁ − 2s) ζ)
//! dy/dx  = s² (d₁ ξ² + 2 s ζ + d₀ (1 − ξ)²) / (s + (d₀ + d₁ − 2s) ζ)²
//! ```
//!
//! # References
//! Gregory & Delbourgo (1982), IMA J. Numer. Anal. 2(2); Durkan et al. (2019), Neural spline flows,
//! arXiv:1906.04032, eq. 4–8.

use super::real::Real;

/// One bin between the points (x₀, y₀) and (x₁, y₁), with x₀ < x₁ and y₀ < y₁, and with slopes d₀, d₁ > 0 at
/// these points.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bin<T> {
    /// Left end.
    pub x0: T,
    /// Right end.
    pub x1: T,
    /// Value at the left end.
    pub y0: T,
    /// Value at the right end.
    pub y1: T,
    /// Slope at the left end.
    pub d0: T,
    /// Slope at the right end.
    pub d1: T,
}

impl<T: Real> Bin<T> {
    /// Value at `x`, which must lie in [x₀, x₁].
    #[inline]
    pub fn value(&self, x: T) -> T {
        self.value_and_derivative(x).0
    }

    /// The derivative dy/dx at `x`, which must lie in [x₀, x₁].
    #[inline]
    pub fn derivative(&self, x: T) -> T {
        self.value_and_derivative(x).1
    }

    /// Value and derivative at `x`, which must lie in [x₀, x₁].
    #[inline]
    pub fn value_and_derivative(&self, x: T) -> (T, T) {
        let (w, h) = (self.x1 - self.x0, self.y1 - self.y0);
        let s = h / w;
        let xi = (x - self.x0) / w;
        let rest = T::one() - xi;
        let zeta = xi * rest;
        let denominator = s + (self.d0 + self.d1 - s - s) * zeta;
        let y = self.y0 + h * (s * xi * xi + self.d0 * zeta) / denominator;
        let numerator = self.d1 * xi * xi + (s + s) * zeta + self.d0 * rest * rest;
        let ratio = s / denominator;
        (y, ratio * ratio * numerator)
    }

    /// The x in [x₀, x₁] at which the function has the value `y`, which must lie in [y₀, y₁].
    ///
    /// It is a root of a ξ² + b ξ + c = 0. Of the two, the one wanted is 2c / (−b − √(b² − 4ac)), which is
    /// computed without cancellation, since b ≥ 0.
    #[inline]
    pub fn inverse(&self, y: T) -> T {
        let (w, h) = (self.x1 - self.x0, self.y1 - self.y0);
        let s = h / w;
        let t = y - self.y0;
        let bend = t * (self.d0 + self.d1 - s - s);
        let a = h * (s - self.d0) + bend;
        let b = h * self.d0 - bend;
        let c = -s * t;
        let four = T::from_f64(4.0);
        let discriminant = b * b - four * a * c;
        let root = if discriminant > T::zero() { discriminant.sqrt() } else { T::zero() };
        let divisor = -b - root;
        // At y = y₀ with d₀ → 0 both numerator and divisor vanish; the root is then the left end.
        let xi = if divisor == T::zero() { T::zero() } else { (c + c) / divisor };
        self.x0 + xi * w
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bins() -> Vec<Bin<f64>> {
        let mut all = Vec::new();
        for (d0, d1) in [(1.0, 1.0), (0.01, 5.0), (7.0, 0.2), (1e-3, 1e-3)] {
            for (w, h) in [(1.0, 1.0), (0.1, 2.0), (3.0, 0.05)] {
                all.push(Bin { x0: -0.3, x1: -0.3 + w, y0: 1.1, y1: 1.1 + h, d0, d1 });
            }
        }
        all
    }

    #[test]
    fn ends_and_slopes_are_met() {
        for bin in bins() {
            assert!((bin.value(bin.x0) - bin.y0).abs() < 1e-14 && (bin.value(bin.x1) - bin.y1).abs() < 1e-14);
            assert!((bin.derivative(bin.x0) - bin.d0).abs() < 1e-12 * bin.d0.max(1.0), "{bin:?}");
            assert!((bin.derivative(bin.x1) - bin.d1).abs() < 1e-12 * bin.d1.max(1.0), "{bin:?}");
        }
    }

    #[test]
    fn derivative_and_inverse_agree_with_the_value() {
        for bin in bins() {
            for i in 1..20 {
                let x = bin.x0 + (bin.x1 - bin.x0) * f64::from(i) / 20.0;
                let (y, dy) = bin.value_and_derivative(x);
                let e = 1e-6 * (bin.x1 - bin.x0);
                let numeric = (bin.value(x + e) - bin.value(x - e)) / (2.0 * e);
                assert!(
                    dy > 0.0 && (dy - numeric).abs() < 1e-6 * dy.max(1.0),
                    "{bin:?} at {x}: {dy} {numeric}"
                );
                assert!((bin.inverse(y) - x).abs() < 1e-11 / dy.min(1.0), "{bin:?} at {x}");
            }
            assert_eq!(bin.inverse(bin.y0), bin.x0);
        }
    }

    #[test]
    fn unit_slopes_on_the_diagonal_are_the_identity() {
        let bin = Bin { x0: -1.0f32, x1: 2.0, y0: -1.0, y1: 2.0, d0: 1.0, d1: 1.0 };
        assert_eq!(bin.value_and_derivative(0.5), (0.5, 1.0));
    }
}
