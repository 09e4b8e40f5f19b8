//! What every model of this crate is to the layers above it: a normalised density on real vectors that can
//! also be sampled. Scoring, flagging and reporting see only this trait.

use ndarray::{Array1, Array2, ArrayView2};

use crate::random::Seed;

/// A probability density on ℝ^d with exact log-density and exact sampling.
pub trait Density: Send + Sync {
    /// Dimension d of the vectors the density is defined on.
    fn n_features(&self) -> usize;

    /// Number of trainable (or fitted, free) parameters.
    fn n_parameters(&self) -> usize;

    /// Natural logarithm of the density of each row.
    ///
    /// # Shapes
    /// `v: (n, d)`, rows are records → `(n,)`, in nats.
    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64>;

    /// Draws `n` independent rows; the same seed gives the same rows for any number of threads.
    ///
    /// # Shapes
    /// → `(n, d)`
    fn sample(&self, n: usize, seed: Seed) -> Array2<f64>;
}
