//! Pure numerics: no I/O, nothing of this crate.

pub mod assignment;
pub mod exact;
pub mod gemm;
mod inner;
pub mod moments;
mod product;
pub mod quantile;
pub mod rational_quadratic;
pub mod real;
pub mod simd;
pub mod special;
pub mod stable;
pub mod triangular;

/// For fields that are left out of a file where they are zero.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde asks of a predicate")]
pub(crate) fn is_zero(n: &usize) -> bool {
    *n == 0
}
