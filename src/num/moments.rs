//! Mean and variance in one pass (Welford's method). It keeps the digits that the formula Σx² − (Σx)²/n
//! loses.
//!
//! # References
//! Welford (1962), Technometrics 4(3); for `merge`: Chan, Golub & LeVeque (1983), The American Statistician
//! 37(3).

/// Count, mean and sum of squared deviations of a stream of values.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Moments {
    n: u64,
    mean: f64,
    squares: f64,
}

impl Moments {
    /// Adds one value.
    pub fn push(&mut self, x: f64) {
        self.n += 1;
        let delta = x - self.mean;
        self.mean += delta / self.n as f64;
        self.squares += delta * (x - self.mean);
    }

    /// The moments of the values of both streams together.
    pub fn merge(self, other: Self) -> Self {
        if self.n == 0 || other.n == 0 {
            return if self.n == 0 { other } else { self };
        }
        let (a, b, n) = (self.n as f64, other.n as f64, (self.n + other.n) as f64);
        let delta = other.mean - self.mean;
        Self {
            n: self.n + other.n,
            mean: self.mean + delta * b / n,
            squares: self.squares + other.squares + delta * delta * a * b / n,
        }
    }

    /// Number of values.
    pub fn count(&self) -> u64 {
        self.n
    }

    /// Arithmetic mean; NaN if there are no values.
    pub fn mean(&self) -> f64 {
        if self.n == 0 { f64::NAN } else { self.mean }
    }

    /// Unbiased variance with divisor n − 1; NaN for fewer than two values.
    pub fn variance(&self) -> f64 {
        if self.n < 2 { f64::NAN } else { self.squares / (self.n - 1) as f64 }
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|x| moments.push(x));
        moments
    }
}

/// Arithmetic mean; NaN if there are no values.
pub fn mean(x: &[f64]) -> f64 {
    x.iter().copied().collect::<Moments>().mean()
}

/// Unbiased variance with divisor n − 1; NaN for fewer than two values.
pub fn variance(x: &[f64]) -> f64 {
    x.iter().copied().collect::<Moments>().variance()
}

/// Mean and its standard error s/√n. The standard error is NaN for fewer than two values.
pub fn mean_and_standard_error(x: &[f64]) -> (f64, f64) {
    let moments: Moments = x.iter().copied().collect();
    (moments.mean(), (moments.variance() / x.len() as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_large_offset_does_not_cost_digits() {
        let x: Vec<f64> = [4.0, 7.0, 13.0, 16.0].iter().map(|v| v + 1e9).collect();
        assert_eq!(mean(&x), 1e9 + 10.0);
        assert_eq!(variance(&x), 30.0);
        assert_eq!(mean_and_standard_error(&x).1, 7.5f64.sqrt());
    }

    #[test]
    fn merging_equals_one_stream() {
        let x: Vec<f64> = (0..37).map(|i| (f64::from(i) * 0.7).sin()).collect();
        let whole: Moments = x.iter().copied().collect();
        let parts = x
            .chunks(10)
            .map(|c| c.iter().copied().collect::<Moments>())
            .fold(Moments::default(), Moments::merge);
        assert_eq!(whole.count(), parts.count());
        assert!((whole.mean() - parts.mean()).abs() < 1e-15);
        assert!((whole.variance() - parts.variance()).abs() < 1e-14);
    }

    #[test]
    fn too_few_values_are_nan() {
        assert!(mean(&[]).is_nan() && variance(&[1.0]).is_nan());
        assert_eq!(mean(&[2.0]), 2.0);
    }
}
