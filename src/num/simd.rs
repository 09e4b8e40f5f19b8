//! Compiles one kernel for several instruction sets. The copy that is called is chosen at run time, by the
//! CPU at hand.
//!
//! [`vectorized!`] compiles an expression three times: for AVX-512 (Ice Lake and later), for AVX2 with FMA,
//! and for the baseline of the target. The compiler vectorises the loops inside each copy for the registers
//! of its instruction set. The functions called in the expression must therefore be `#[inline(always)]`: a
//! function that remains a call is compiled for the baseline only.
//!
//! Results may differ in their last bits between CPUs, since only some of them fuse `a·b + c` into one
//! rounding. On one machine they are always the same.

/// Evaluates `$kernel` with the widest SIMD instructions of this CPU. Inside the kernel, the constant
/// `$fused` says whether these instructions include a fused multiply-add; see
/// [`multiply_add`](crate::num::simd::multiply_add).
macro_rules! vectorized {
    ($fused:ident => $kernel:expr) => {{
        match fearless_simd::Level::new() {
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::Level::Avx512(token) => fearless_simd::Simd::vectorize(
                token,
                #[inline(always)]
                || {
                    const $fused: bool = true;
                    $kernel
                },
            ),
            #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
            fearless_simd::Level::Avx2(token) => fearless_simd::Simd::vectorize(
                token,
                #[inline(always)]
                || {
                    const $fused: bool = true;
                    $kernel
                },
            ),
            _ => {
                const $fused: bool = cfg!(target_arch = "aarch64");
                $kernel
            }
        }
    }};
}

pub(crate) use vectorized;

use super::real::Real;

/// Computes a·b + c, rounded once where the CPU has an instruction for that, and twice elsewhere. The
/// library's `mul_add` rounds once on every CPU, but it is a slow call where there is no such instruction.
#[expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]
#[inline(always)]
pub(crate) fn multiply_add<T: Real, const FUSED: bool>(a: T, b: T, c: T) -> T {
    if FUSED { a.mul_add(b, c) } else { a * b + c }
}

/// Name of the instruction set that the kernels run with: "avx512", "avx2" or "baseline".
pub fn instruction_set() -> &'static str {
    match fearless_simd::Level::new() {
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        fearless_simd::Level::Avx512(_) => "avx512",
        #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
        fearless_simd::Level::Avx2(_) => "avx2",
        _ => "baseline",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn dot(x: &[f32], y: &[f32]) -> f32 {
        vectorized!(FUSED => {
            let mut sum = 0.0;
            for (&a, &b) in x.iter().zip(y) {
                sum = multiply_add::<f32, FUSED>(a, b, sum);
            }
            sum
        })
    }

    #[test]
    fn a_kernel_gives_the_value_of_the_plain_loop() {
        let x: Vec<f32> = (0..100).map(|i| i as f32 * 0.25).collect();
        // The terms are multiples of a sixteenth and small, so every sum is exact, fused or not.
        assert_eq!(dot(&x, &x), x.iter().map(|v| v * v).sum::<f32>());
        assert!(["avx512", "avx2", "baseline"].contains(&instruction_set()));
    }
}
