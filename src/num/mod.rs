//! Pure numerics. Nothing here does I/O or depends on the rest of the crate.

pub mod assignment;
pub mod exact;
pub mod gemm;
pub(crate) mod hex;
mod inner;
pub mod moments;
pub mod packed;
mod product;
pub mod proportion;
pub mod quantile;
pub mod rational_quadratic;
pub mod real;
pub mod repeated;
pub mod resample;
pub mod simd;
pub mod special;
pub mod stable;
pub mod triangular;

/// Predicate for serde's `skip_serializing_if`: a field whose value is zero is left out of the file.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks of a predicate")]
pub(crate) fn is_zero(n: &usize) -> bool {
    *n == 0
}
