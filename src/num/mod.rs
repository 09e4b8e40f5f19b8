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
