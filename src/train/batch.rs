//! The vectors of one draw in the layout that the flow expects, and the order in which an epoch visits them.

use ndarray::Array2;
use rand::Rng;

use super::TrainError;
use super::data::Draw;
use crate::random::StreamRng;

/// The vectors of one noise draw in f32, and the log-density of the noise in each vector.
pub(super) struct Batch {
    /// `(n, d)`, record-major, so that gathering the columns of a block reads whole rows.
    pub(super) rows: Array2<f32>,
    pub(super) log_noise: Vec<f64>,
}

impl Batch {
    /// Converts a draw to f32, and refuses vectors with entries that are not finite.
    pub(super) fn new(split: &'static str, draw: Draw) -> Result<Self, TrainError> {
        let rows = draw.values.mapv(|v| v as f32);
        if let Some(((row, coordinate), _)) = rows.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(TrainError::NotFinite { split, row, coordinate });
        }
        Ok(Self { rows, log_noise: draw.log_noise.to_vec() })
    }

    /// A draw of no records.
    pub(super) fn empty() -> Self {
        Self { rows: Array2::zeros((0, 0)), log_noise: Vec::new() }
    }

    /// Returns the vectors of the records `members` as columns, `(d, b)`.
    pub(super) fn columns(&self, members: &[usize]) -> Array2<f32> {
        let d = self.rows.ncols();
        let mut x = Array2::<f32>::zeros((d, members.len()));
        for (mut column, &m) in x.columns_mut().into_iter().zip(members) {
            column.assign(&self.rows.row(m));
        }
        x
    }
}

/// Returns a random order of 0..n by Fisher–Yates. It is computed from the generator's raw words, so that an
/// update of a library cannot change a run.
pub(crate) fn shuffled(n: usize, rng: &mut StreamRng) -> Vec<usize> {
    let mut order: Vec<usize> = (0..n).collect();
    for i in (1..n).rev() {
        let j = ((u128::from(rng.next_u64()) * (i as u128 + 1)) >> 64) as usize;
        order.swap(i, j);
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn every_record_is_visited_once_and_in_a_new_order_each_epoch() {
        let order = |epoch| shuffled(100, &mut Seed(1).stream("shuffle", epoch));
        let mut sorted = order(1);
        sorted.sort_unstable();
        assert!(sorted.into_iter().eq(0..100));
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
        assert!(shuffled(0, &mut Seed(1).stream("shuffle", 0)).is_empty());
    }

    #[test]
    fn columns_are_the_records_asked_for() {
        let values = Array2::from_shape_fn((4, 3), |(i, j)| (10 * i + j) as f64);
        let batch = Batch::new("train", Draw { values, log_noise: ndarray::Array1::zeros(4) }).unwrap();
        assert_eq!(batch.columns(&[3, 0]), ndarray::array![[30.0, 0.0], [31.0, 1.0], [32.0, 2.0]]);
        assert_eq!(batch.columns(&[]).dim(), (3, 0));
    }
}
