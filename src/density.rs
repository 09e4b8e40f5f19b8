//! What every model of this crate is to the layers above it: a normalised density on real vectors that can
//! also be sampled. Scoring, flagging and reporting see only this trait.

use ndarray::{Array1, Array2, ArrayView2};

use crate::random::Seed;

/// A probability density on ℝ^d with exact log-density and exact sampling; or, where [`context`](Self::context) names some of
/// the d coordinates, the density of the others given those.
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
    ///
    /// # Panics
    /// Where there is a [`context`](Self::context), of which the density knows nothing.
    fn sample(&self, n: usize, seed: Seed) -> Array2<f64>;

    /// Coordinates the density is conditioned on, ascending.
    fn context(&self) -> &[usize] {
        &[]
    }

    /// Draws one row for each row of `context`, which it holds unchanged; as [`sample`](Self::sample) in all else.
    ///
    /// # Shapes
    /// `context: (n, c)`, one column for each coordinate of [`context`](Self::context) → `(n, d)`
    ///
    /// # Panics
    /// Where `context` has another number of columns.
    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), 0, "a density without context is given none");
        self.sample(context.nrows(), seed)
    }
}
