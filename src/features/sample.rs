//! What samples need beside the way back from vectors: states that no coordinate tells of, and numbers there
//! cannot be.

use ndarray::{Array2, ArrayView1};
use rand::Rng;

use super::{Encoder, FittedColumn, Transform};
use crate::random::{Seed, StreamRng};

impl Encoder {
    /// Adds to decoded samples what no coordinate tells of, each with its share of the training records and
    /// independent of everything else: rare levels, and values that are hardly ever missing or hardly ever
    /// there. Columns of the context stay as they are.
    ///
    /// # Shapes
    /// `raw: (n, p)`, as [`decode`](Self::decode) gives it
    pub fn complete_samples(&self, raw: &mut Array2<f64>, seed: Seed) {
        let mut rng = seed.stream("states without a coordinate", 0);
        for mut row in raw.rows_mut() {
            for (column, x) in self.columns.iter().zip(&mut row) {
                let u = uniform(&mut rng);
                if !column.context && !x.is_nan() {
                    *x = column.rare_level(u).unwrap_or(*x);
                }
            }
            for absence in &self.absences {
                let gone = uniform(&mut rng) < absence.share();
                if gone && absence.columns.iter().all(|&c| !self.columns[c].context) {
                    absence.columns.iter().for_each(|&c| row[c] = f64::NAN);
                }
            }
        }
    }

    /// Whether every number of a sample is one that there can be.
    pub fn admits(&self, row: ArrayView1<'_, f64>) -> bool {
        self.columns.iter().zip(row).all(|(c, &x)| c.context || x.is_nan() || c.support.admits(x))
    }

    /// Moves the numbers of a sample to the nearest that there can be.
    pub fn confine(&self, row: &mut [f64]) {
        for (column, x) in self.columns.iter().zip(row).filter(|(c, x)| !c.context && !x.is_nan()) {
            *x = column.support.nearest(*x);
        }
    }
}

impl FittedColumn {
    /// The rare level that a uniform number picks, where it picks one.
    pub fn rare_level(&self, u: f64) -> Option<f64> {
        let Transform::Levels(levels) = &self.transform else { return None };
        let mut below = 0.0;
        levels.apart.iter().find_map(|a| {
            below += a.share;
            (u < below).then_some(a.value)
        })
    }
}

fn uniform(rng: &mut StreamRng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
}
