//! Pure numerics in f64: no I/O, nothing of this crate.

pub mod exact;
