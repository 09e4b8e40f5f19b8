//! Sums that do not depend on the order of their terms.
//!
//! Floating-point addition is not associative. If a table is read in other chunks or with its rows permuted,
//! the mean of a column differs in its last bits, and so does every quantile and fingerprint that is computed
//! from it. Here each term is rounded once to a multiple of 2⁻⁶⁴ and added as an integer. Addition of
//! integers is associative, so a sum is a function of the *multiset* of its terms.
//!
//! A number of magnitude 2⁻¹¹ or more is held exactly, since its 53 bits end at or above 2⁻⁶⁴. Smaller
//! numbers are held with an absolute error of at most 2⁻⁶⁵. Terms are limited to |x| ≤ 2⁴⁰, so that 2²³ of
//! them fit the 127 bits of the sum.

/// Largest magnitude of a term: 2⁴⁰ ≈ 1.1·10¹².
pub const LIMIT: f64 = 1_099_511_627_776.0;

/// The number 2⁶⁴. Multiplying by it changes only the exponent.
const SCALE: f64 = 18_446_744_073_709_551_616.0;

/// The multiple of 2⁻⁶⁴ nearest to `x`, as an integer; `None` for NaN and for magnitudes above [`LIMIT`].
fn quantize(x: f64) -> Option<i128> {
    if x.abs() > LIMIT || x.is_nan() {
        return None;
    }
    // From 2⁻¹¹ on, all bits of a number end at or above 2⁻⁶⁴, and the integer is its significand moved up.
    // That is exact and much faster than the conversion of a double to 128 bits, which no processor has.
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    // The significand counts in multiples of 2^(exponent − 1075).
    let up = exponent - 1075 + 64;
    if up >= 0 {
        let significand = i128::from(bits & ((1 << 52) - 1) | 1 << 52) << up;
        return Some(if x < 0.0 { -significand } else { significand });
    }
    // The cast is exact, because |x·2⁶⁴| ≤ 2¹⁰⁴.
    Some((x * SCALE).round_ties_even() as i128)
}

/// A sum of numbers that does not depend on their order.
///
/// # Examples
/// ```
/// use cohort_flow::num::exact::ExactSum;
/// let mut sum = ExactSum::default();
/// for x in [1e9, 0.1, -1e9] {
///     assert!(sum.add(x));
/// }
/// assert_eq!(sum.value(), 0.1);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExactSum(i128);

impl ExactSum {
    /// Adds a term and returns `true`. If the term is NaN or beyond [`LIMIT`], or if the sum is full, it
    /// changes nothing and returns `false`.
    #[must_use]
    pub fn add(&mut self, x: f64) -> bool {
        match quantize(x).and_then(|q| self.0.checked_add(q)) {
            Some(sum) => {
                self.0 = sum;
                true
            }
            None => false,
        }
    }

    /// The sum, rounded once.
    pub fn value(self) -> f64 {
        self.0 as f64 / SCALE
    }

    /// The sum divided by `n`.
    ///
    /// The division of integers rounds to a multiple of 2⁻⁶⁴, so the mean of equal numbers is exactly that
    /// number. The expression `value() / n` does not guarantee this.
    ///
    /// # Panics
    /// If `n` is 0.
    pub fn mean(self, n: u64) -> f64 {
        divide_to_nearest(self.0, i128::from(n)) as f64 / SCALE
    }
}

/// Divides and rounds to the nearest integer. Halves are rounded away from zero, so that the mean of negated
/// terms is the negated mean.
fn divide_to_nearest(a: i128, n: i128) -> i128 {
    let (quotient, remainder) = (a / n, a % n);
    if remainder.abs() >= n - remainder.abs() { quotient + a.signum() } else { quotient }
}

/// A sum and a sum of squares. The variance that they give is independent of the order of the terms and free
/// of cancellation.
///
/// # Definition
/// ```text
/// variance = (n·Σx² − (Σx)²) / (n·(n − 1)),    all of the numerator in 256-bit integers
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ExactMoments {
    sum: ExactSum,
    /// The sum Σx² in multiples of 2⁻¹²⁸.
    squares: Wide,
}

impl ExactMoments {
    /// Adds a term; returns `false` in the same cases as [`ExactSum::add`].
    #[must_use]
    pub fn add(&mut self, x: f64) -> bool {
        let Some(q) = quantize(x) else { return false };
        if !self.sum.add(x) {
            return false;
        }
        self.squares = self.squares.plus(Wide::product(q.unsigned_abs(), q.unsigned_abs()));
        true
    }

    /// Sample standard deviation of the `n` terms; `None` for fewer than two terms.
    pub fn standard_deviation(self, n: u64) -> Option<f64> {
        if n < 2 {
            return None;
        }
        let sum = self.sum.0.unsigned_abs();
        // The numerator is never negative: both sums come from the same quantised terms, and the
        // Cauchy–Schwarz inequality holds exactly for integers.
        let numerator = self.squares.times(n).minus(Wide::product(sum, sum)).to_f64();
        Some((numerator / (n as f64 * (n - 1) as f64)).sqrt() / SCALE)
    }
}

/// An unsigned 256-bit integer. This is wide enough: squares of 104-bit terms, 2²³ of them, times another
/// 2²³, stay below 2²⁵⁴.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    /// Schoolbook product of two 128-bit numbers, computed from their 64-bit halves.
    fn product(a: u128, b: u128) -> Self {
        const MASK: u128 = u64::MAX as u128;
        let (a1, a0, b1, b0) = (a >> 64, a & MASK, b >> 64, b & MASK);
        let (low, middle1, middle2, high) = (a0 * b0, a1 * b0, a0 * b1, a1 * b1);
        let carry = (low >> 64) + (middle1 & MASK) + (middle2 & MASK);
        Self {
            high: high + (middle1 >> 64) + (middle2 >> 64) + (carry >> 64),
            low: (low & MASK) | (carry << 64),
        }
    }

    fn plus(self, other: Self) -> Self {
        let (low, carry) = self.low.overflowing_add(other.low);
        Self { high: self.high + other.high + u128::from(carry), low }
    }

    fn minus(self, other: Self) -> Self {
        let (low, borrow) = self.low.overflowing_sub(other.low);
        Self { high: self.high - other.high - u128::from(borrow), low }
    }

    fn times(self, n: u64) -> Self {
        let low = Self::product(self.low, u128::from(n));
        Self { high: low.high + self.high * u128::from(n), low: low.low }
    }

    fn to_f64(self) -> f64 {
        self.high as f64 * (SCALE * SCALE) + self.low as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sum(terms: &[f64]) -> ExactSum {
        let mut s = ExactSum::default();
        for x in terms {
            assert!(s.add(*x));
        }
        s
    }

    fn deviation(terms: &[f64]) -> f64 {
        let mut m = ExactMoments::default();
        for x in terms {
            assert!(m.add(*x));
        }
        m.standard_deviation(terms.len() as u64).unwrap()
    }

    #[test]
    fn the_fast_way_to_an_integer_is_the_plain_one() {
        let plain = |x: f64| (x * SCALE).round_ties_even() as i128;
        let mut x = 1e-30;
        while x < LIMIT {
            for y in [x, -x, x.next_up(), x.next_down(), x.round(), (10.0 * x).round() / 10.0] {
                assert_eq!(quantize(y), Some(plain(y)), "{y}");
            }
            x *= 1.37;
        }
        let edge = 2f64.powi(-11);
        for y in [0.0, -0.0, edge, edge.next_down(), edge.next_up(), f64::MIN_POSITIVE, LIMIT, -LIMIT] {
            assert_eq!(quantize(y), Some(plain(y)), "{y}");
        }
        for y in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, LIMIT.next_up()] {
            assert_eq!(quantize(y), None, "{y}");
        }
    }

    #[test]
    fn mean_of_equal_numbers_is_the_number() {
        for n in 1..200 {
            assert_eq!(sum(&vec![37.2; n]).mean(n as u64), 37.2);
            assert_eq!(sum(&vec![-0.07; n]).mean(n as u64), -0.07);
        }
    }

    #[test]
    fn deviation_of_equal_numbers_is_zero() {
        // The textbook formula for the variance gives 1.6e-5 here when it is computed in f64.
        assert_eq!(deviation(&vec![98.6e3 + 0.1; 77]), 0.0);
    }

    #[test]
    fn deviation_agrees_with_a_known_value() {
        // Python 3: statistics.stdev([1, 2, 4, 8.5])
        assert!((deviation(&[1.0, 2.0, 4.0, 8.5]) - 3.326_033_673_912_517_6).abs() < 1e-15);
        assert!((deviation(&[LIMIT, -LIMIT]) / (LIMIT * 2f64.sqrt()) - 1.0).abs() < 1e-15);
    }

    #[test]
    fn what_is_beyond_the_range_is_refused_and_changes_nothing() {
        let mut s = sum(&[1.5]);
        for x in [f64::NAN, f64::INFINITY, -f64::INFINITY, LIMIT * 1.01] {
            assert!(!s.add(x));
        }
        assert_eq!(s.value(), 1.5);
        assert!(s.add(LIMIT));
    }

    proptest! {
        #[test]
        fn order_does_not_matter(
            mut terms in proptest::collection::vec(-1e9..1e9f64, 2..60), rotate in 0usize..60
        ) {
            let (before, spread) = (sum(&terms), deviation(&terms));
            let k = rotate % terms.len();
            terms.rotate_left(k);
            terms.reverse();
            prop_assert_eq!(before, sum(&terms));
            prop_assert_eq!(spread.to_bits(), deviation(&terms).to_bits());
        }

        #[test]
        fn wide_product_agrees_with_128_bits(a in any::<u64>(), b in any::<u64>()) {
            let p = Wide::product(u128::from(a), u128::from(b));
            prop_assert_eq!(p, Wide { high: 0, low: u128::from(a) * u128::from(b) });
        }

        #[test]
        fn wide_product_splits(a in any::<u128>(), b in any::<u64>()) {
            // The expected value of a·b is computed by hand: from the two halves of a, with the carry.
            let low = (a & u128::from(u64::MAX)) * u128::from(b);
            let high = (a >> 64) * u128::from(b) + (low >> 64);
            let p = Wide::product(a, u128::from(b));
            prop_assert_eq!(p.high, high >> 64);
            prop_assert_eq!(p.low, (high << 64) | (low & u128::from(u64::MAX)));
        }

        #[test]
        fn deviation_is_close_to_two_passes(terms in proptest::collection::vec(-1e4..1e4f64, 2..40)) {
            let n = terms.len() as f64;
            let mean = terms.iter().sum::<f64>() / n;
            let expected = (terms.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0)).sqrt();
            prop_assert!((deviation(&terms) - expected).abs() < 1e-9 * (1.0 + expected));
        }
    }
}
