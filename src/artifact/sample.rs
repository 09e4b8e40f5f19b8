//! Draws of a model, given the features it is conditioned on.

use ndarray::{Array2, ArrayView2, Axis};

use super::fitted::ModelArtifact;
use crate::features::RecordKey;
use crate::random::Seed;

/// How often records with impossible numbers are drawn again.
const ROUNDS: u64 = 20;

impl ModelArtifact {
    /// Draws `n` vectors; of a model conditioned on features, each given those of a row of `raw`, one row
    /// after the other and again from the first.
    ///
    /// # Shapes
    /// `raw: (m, p)` as given by [`Encoder::raw`], m ≥ 1 → `(n, d)`
    pub fn sample_like(&self, raw: ArrayView2<'_, f64>, n: usize, seed: Seed) -> Array2<f64> {
        let context = self.density().context();
        if context.is_empty() {
            return self.density().sample(n, seed);
        }
        let rows: Vec<usize> = (0..n).map(|i| i % raw.nrows()).collect();
        let given = raw.select(Axis(0), &rows);
        // Repetitions of a row have noise of their own.
        let keys = RecordKey::by_copy(given.view());
        let encoded = self.encoder.encode_keyed(given.view(), &keys, seed.child("sampled context", 0), 0);
        self.density().sample_given(encoded.values.select(Axis(1), context).view(), seed)
    }

    /// Draws `n` records in original units, as [`sample_like`](Self::sample_like) draws vectors: with the
    /// states that no coordinate tells of, and with no number that there cannot be.
    ///
    /// A record with such a number is drawn again, a few times; after that its numbers are moved to the
    /// nearest there can be.
    ///
    /// # Shapes
    /// `raw: (m, p)` as given by [`Encoder::raw`], m ≥ 1 for a model conditioned on features → `(n, p)`
    pub fn sample_records(&self, raw: ArrayView2<'_, f64>, n: usize, seed: Seed) -> Array2<f64> {
        let drawn = |at: &[usize], round: u64| {
            let seed = if round == 0 { seed } else { seed.child("drawn again", round) };
            let v = if self.density().context().is_empty() {
                self.density().sample(at.len(), seed)
            } else {
                let like: Vec<usize> = at.iter().map(|&i| i % raw.nrows()).collect();
                self.sample_like(raw.select(Axis(0), &like).view(), at.len(), seed)
            };
            self.encoder.decode(v.view())
        };
        let mut out = drawn(&(0..n).collect::<Vec<_>>(), 0);
        for round in 1..=ROUNDS {
            let again: Vec<usize> = (0..n).filter(|&i| !self.encoder.admits(out.row(i))).collect();
            if again.is_empty() {
                break;
            }
            for (row, &i) in drawn(&again, round).rows().into_iter().zip(&again) {
                out.row_mut(i).assign(&row);
            }
        }
        for mut row in out.rows_mut() {
            let mut numbers = row.to_vec();
            self.encoder.confine(&mut numbers);
            row.assign(&ndarray::ArrayView1::from(&numbers));
        }
        self.encoder.complete_samples(&mut out, seed.child("states", 0));
        out
    }
}
