//! The number type of models: f32 for training, f64 for checking gradients and golden values.
//!
//! The compiler cannot vectorise the standard library's `exp` and `ln`, because they are calls. For f32 they
//! are replaced here by polynomials without branches or table look-ups, which turn into SIMD inside any loop
//! over contiguous data.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

use std::iter::Sum;

use ndarray::NdFloat;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::inner::inner;
use super::product::{Strided, product};

/// Implemented by f32 and f64. Its elementary functions are fast enough for inner loops.
pub trait Real: NdFloat + Default + Sum + Serialize + DeserializeOwned + 'static {
    /// Name of the type as safetensors writes it: "F32" or "F64".
    const NAME: &'static str;

    /// The number of this type that is nearest to `x`.
    fn from_f64(x: f64) -> Self;

    /// Conversion to f64, which is exact for both types.
    fn into_f64(self) -> f64;

    /// Computes eˣ.
    ///
    /// For f32 the relative error is below 2e-7 on [−87.3, 88.3]. Outside this range the result is saturated:
    /// it is never 0 and never ∞. NaN stays NaN.
    fn fast_exp(self) -> Self;

    /// Computes ln x for positive normal x.
    ///
    /// For f32 the error is below 2e-7·max(1, |ln x|). Infinity and NaN give NaN. For zero, negative and
    /// subnormal x the result is a number without meaning.
    fn fast_ln(self) -> Self;

    /// Computes C ← A·B + β·C with a kernel of this crate and returns `true`. Where there is no such kernel
    /// for this type and CPU, it does nothing and returns `false`.
    ///
    /// # Shapes
    /// `[m, k, n]`; `a: (m, k)` with element (i, l) at `i·strides[0] + l·strides[1]`; `b: (k, n)` and
    /// `c: (m, n)` are row-major.
    #[doc(hidden)]
    fn product(
        _a: &[Self],
        _strides: [usize; 2],
        _shape: [usize; 3],
        _b: &[Self],
        _beta: Self,
        _c: &mut [Self],
    ) -> bool {
        false
    }

    /// Computes C ← A·Bᵀ + β·C with a kernel of this crate and returns `true`. Where there is no such kernel
    /// for this type and CPU, it does nothing and returns `false`.
    ///
    /// # Shapes
    /// `[m, n, k]`; `a: (m, n)`, `b: (k, n)` and `c: (m, k)` are all row-major.
    #[doc(hidden)]
    fn inner(_a: &[Self], _b: &[Self], _shape: [usize; 3], _beta: Self, _c: &mut [Self]) -> bool {
        false
    }

    /// The logistic function 1/(1 + e⁻ˣ).
    #[inline(always)]
    fn sigmoid(self) -> Self {
        Self::one() / (Self::one() + (-self).fast_exp())
    }

    /// tanh x = 1 − 2/(e²ˣ + 1). The absolute error is about the rounding error of the number 1.
    #[inline(always)]
    fn fast_tanh(self) -> Self {
        let two = Self::one() + Self::one();
        Self::one() - two / ((self + self).fast_exp() + Self::one())
    }

    /// ln(1 + eˣ) = max(x, 0) + ln(1 + e^−|x|).
    #[inline(always)]
    fn softplus(self) -> Self {
        let positive = if self < Self::zero() { Self::zero() } else { self };
        positive + (Self::one() + (-self.abs()).fast_exp()).fast_ln()
    }
}

impl Real for f64 {
    const NAME: &'static str = "F64";

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x
    }

    #[inline(always)]
    fn into_f64(self) -> f64 {
        self
    }

    #[inline(always)]
    fn fast_exp(self) -> Self {
        self.exp()
    }

    #[inline(always)]
    fn fast_ln(self) -> Self {
        self.ln()
    }

    #[inline(always)]
    fn fast_tanh(self) -> Self {
        self.tanh()
    }

    #[inline(always)]
    fn softplus(self) -> Self {
        super::stable::softplus(self)
    }
}

impl Real for f32 {
    const NAME: &'static str = "F32";

    fn product(
        a: &[Self],
        [row, column]: [usize; 2],
        shape: [usize; 3],
        b: &[Self],
        beta: Self,
        c: &mut [Self],
    ) -> bool {
        product(Strided { data: a, row, column }, shape, b, beta, c)
    }

    fn inner(a: &[Self], b: &[Self], shape: [usize; 3], beta: Self, c: &mut [Self]) -> bool {
        inner(a, b, shape, beta, c)
    }

    #[inline(always)]
    fn from_f64(x: f64) -> Self {
        x as f32
    }

    #[inline(always)]
    fn into_f64(self) -> f64 {
        f64::from(self)
    }

    /// Computes eˣ = 2ⁿ·eʳ with n = round(x/ln 2) and |r| ≤ ½ ln 2. The polynomial for eʳ has the
    /// coefficients of Cephes' `expf`.
    #[inline(always)]
    fn fast_exp(self) -> Self {
        // Adding 1.5·2²³ rounds a number to the nearest integer and leaves that integer in the low bits.
        const ROUND: f32 = 12_582_912.0;
        // These are comparisons instead of `clamp` because they keep NaN and compile to one min and one max.
        let x = if self < -87.3 { -87.3 } else { self };
        let x = if x > 88.3 { 88.3 } else { x };
        let shifted = x * std::f32::consts::LOG2_E + ROUND;
        let n = shifted - ROUND;
        // ln 2 is split into two parts. The first has so few bits that its product with n is exact.
        let r = (x - n * 0.693_359_4) - n * -2.121_944_4e-4;
        let p = 1.987_569_1e-4;
        let p = p * r + 1.398_199_9e-3;
        let p = p * r + 8.333_452e-3;
        let p = p * r + 4.166_579_6e-2;
        let p = p * r + 1.666_666_5e-1;
        let p = p * r + 0.5;
        let exp_r = p * (r * r) + r + 1.0;
        let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127);
        exp_r * f32::from_bits(exponent << 23)
    }

    /// Computes ln x = e·ln 2 + ln m with m ∈ [√½, √2). The polynomial for ln m has the coefficients of
    /// Cephes' `logf`.
    #[inline(always)]
    fn fast_ln(self) -> Self {
        // Moves the lower end of the interval of m from 1 to √½, so that m is centred on 1.
        const SQRT_HALF_BITS: u32 = 0x3f35_04f3;
        let offset = self.to_bits().wrapping_sub(SQRT_HALF_BITS);
        let e = (offset.cast_signed() >> 23) as f32;
        let m = f32::from_bits((offset & 0x007f_ffff).wrapping_add(SQRT_HALF_BITS)) - 1.0;
        let z = m * m;
        let p = 7.037_683_6e-2;
        let p = p * m - 1.151_461e-1;
        let p = p * m + 1.167_699_9e-1;
        let p = p * m - 1.242_014_1e-1;
        let p = p * m + 1.424_932_3e-1;
        let p = p * m - 1.666_805_8e-1;
        let p = p * m + 2.000_071_5e-1;
        let p = p * m - 2.499_999_4e-1;
        let p = p * m + 3.333_333e-1;
        let y = m * z * p - 2.121_944_4e-4 * e - 0.5 * z;
        // The term 0·x is 0 for numbers and NaN for ∞ and NaN, so these give NaN.
        m + y + 0.693_359_4 * e + 0.0 * self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f32_exp_is_accurate_over_its_range() {
        let mut worst = 0.0f64;
        for i in -870_000..=880_000 {
            let x = i as f32 * 1e-4;
            let exact = f64::from(x).exp();
            worst = worst.max((f64::from(x.fast_exp()) / exact - 1.0).abs());
        }
        assert!(worst < 2e-7, "relative error {worst:e}");
        assert_eq!(0f32.fast_exp(), 1.0);
        assert!(f32::NAN.fast_exp().is_nan());
        assert!(f32::NEG_INFINITY.fast_exp() < 1.3e-38 && f32::INFINITY.fast_exp() > 2e38);
    }

    #[test]
    fn f32_ln_is_accurate_over_normal_numbers() {
        let mut x = f32::MIN_POSITIVE;
        let mut worst = 0.0f64;
        while x < 1e38 {
            let exact = f64::from(x).ln();
            worst = worst.max((f64::from(x.fast_ln()) - exact).abs() / exact.abs().max(1.0));
            x *= 1.000_13;
        }
        assert!(worst < 2e-7, "error {worst:e}");
        assert_eq!(1f32.fast_ln(), 0.0);
        assert!(f32::INFINITY.fast_ln().is_nan() && f32::NAN.fast_ln().is_nan());
    }

    #[test]
    fn derived_functions_agree_with_f64() {
        for i in -400..=400 {
            let x = i as f32 * 0.1;
            let exact = f64::from(x);
            let close = |got: f32, want: f64| (f64::from(got) - want).abs() < 3e-7 * want.abs().max(1.0);
            assert!(close(x.sigmoid(), 1.0 / (1.0 + (-exact).exp())), "sigmoid {x}");
            assert!(close(x.fast_tanh(), exact.tanh()), "tanh {x}");
            assert!(close(Real::softplus(x), crate::num::stable::softplus(exact)), "softplus {x}");
            assert!(f64::from(Real::softplus(x)) >= 0.0);
        }
    }
}
