//! Models of some features given the others.

use ndarray::{Array2, ArrayView2, Axis};

use super::{Header, ModelArtifact};
use crate::features::Encoder;
use crate::random::Seed;

impl Header {
    /// Names of the features that `encoder` gives.
    pub(super) fn context_of(encoder: &Encoder) -> Vec<String> {
        encoder.context().into_iter().map(|j| encoder.columns[j].meta.name.clone()).collect()
    }
}

impl ModelArtifact {
    /// Draws `n` vectors; of a model conditioned on features, each given those of a row of `raw`, one row after the other and
    /// again from the first.
    ///
    /// # Shapes
    /// `raw: (m, p)` as given by [`Encoder::raw`], m ≥ 1 → `(n, d)`
    pub fn sample_like(&self, raw: ArrayView2<'_, f64>, n: usize, seed: Seed) -> Array2<f64> {
        let context = self.density().context();
        if context.is_empty() {
            return self.density().sample(n, seed);
        }
        let rows: Vec<usize> = (0..n).map(|i| i % raw.nrows()).collect();
        let encoded =
            self.encoder.encode(raw.select(Axis(0), &rows).view(), seed.child("sampled context", 0), 0);
        self.density().sample_given(encoded.values.select(Axis(1), context).view(), seed)
    }
}
