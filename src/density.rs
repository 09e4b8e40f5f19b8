//! The trait that every model of this crate implements: a normalised density on real vectors that can also be
//! sampled. Scoring, flagging and reporting use models only through this trait.

use ndarray::{Array1, Array2, ArrayView2};

use crate::random::Seed;

/// A probability density on ℝ^d with exact log-density and exact sampling.
///
/// Where [`context`](Self::context) names some of the d coordinates, it is the density of the other
/// coordinates, given those.
pub trait Density: Send + Sync {
    /// Dimension d of the vectors the density is defined on.
    fn n_features(&self) -> usize;

    /// Number of free parameters, trained or fitted.
    fn n_parameters(&self) -> usize;

    /// Natural logarithm of the density of each row.
    ///
    /// # Shapes
    /// `v: (n, d)`, rows are records → `(n,)`, in nats.
    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64>;

    /// Draws `n` independent rows. The same seed gives the same rows for any number of threads.
    ///
    /// # Shapes
    /// → `(n, d)`
    ///
    /// # Panics
    /// If the density has a [`context`](Self::context): the density does not say how the context is
    /// distributed, so it cannot draw it.
    fn sample(&self, n: usize, seed: Seed) -> Array2<f64>;

    /// Indices of the coordinates that the density is conditioned on, in ascending order.
    fn context(&self) -> &[usize] {
        &[]
    }

    /// Draws one row for each row of `context`. The drawn row holds the values of the context unchanged. In
    /// everything else this is the same as [`sample`](Self::sample).
    ///
    /// # Shapes
    /// `context: (n, c)`, with one column for each coordinate of [`context`](Self::context) → `(n, d)`
    ///
    /// # Panics
    /// If `context` has another number of columns.
    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        assert_eq!(context.ncols(), 0, "a density without context is given none");
        self.sample(context.nrows(), seed)
    }
}
