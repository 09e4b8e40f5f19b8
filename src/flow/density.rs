//! Implements the crate's density trait for flows: rows of records in f64 go in, log-densities in f64 come
//! out.
//!
//! Rows are processed in blocks of [`Flow::tile`] by as many threads as there are, and the random stream that
//! a block draws from depends only on the number of the block. Every block is filled up to the whole tile, so
//! that each row goes through the same instructions whatever its place and its neighbours are. Matrix
//! products take other kernels for narrower blocks, and the last bits of a record's score would otherwise
//! tell how many other records it was scored with.

use ndarray::{Array1, Array2, ArrayView2, Axis, Slice};
use rayon::prelude::*;

use super::bijector::Tape;
use super::model::{Flow, Workspace};
use crate::density::Density;
use crate::num::real::Real;
use crate::random::Seed;

impl<T: Real> Density for Flow<T> {
    fn n_features(&self) -> usize {
        Flow::n_features(self)
    }

    fn n_parameters(&self) -> usize {
        Flow::n_parameters(self)
    }

    fn log_prob(&self, v: ArrayView2<'_, f64>) -> Array1<f64> {
        let (n, tile) = (v.nrows(), self.tile());
        let blocks: Vec<Vec<f64>> = (0..n.div_ceil(tile))
            .into_par_iter()
            .map_init(Workspace::<T>::default, |workspace, block| {
                let rows = v.slice_axis(Axis(0), Slice::from(block * tile..((block + 1) * tile).min(n)));
                let mut x = Array2::zeros((v.ncols(), tile));
                for (mut column, row) in x.columns_mut().into_iter().zip(rows.rows()) {
                    column.iter_mut().zip(row).for_each(|(to, &from)| *to = T::from_f64(from));
                }
                let log_prob = self.log_prob_with(x.view(), workspace);
                log_prob.iter().take(rows.nrows()).map(|l| l.into_f64()).collect()
            })
            .collect();
        Array1::from(blocks.concat())
    }

    /// # Panics
    /// If a layer has become singular, which cannot happen with the rotation parametrisation.
    fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
        self.sample_given(Array2::zeros((n, 0)).view(), seed)
    }

    fn context(&self) -> &[usize] {
        &self.config().context
    }

    fn sample_given(&self, context: ArrayView2<'_, f64>, seed: Seed) -> Array2<f64> {
        let (n, d, size) = (context.nrows(), Flow::n_features(self), self.tile());
        let places = &self.config().context;
        assert_eq!(context.ncols(), places.len(), "one column for each coordinate of the context");
        let blocks: Vec<Vec<T>> = (0..n.div_ceil(size))
            .into_par_iter()
            .map_init(Tape::default, |tape, block| {
                let columns = block * size..((block + 1) * size).min(n);
                let mut rng = seed.stream("flow-sample", block as u64);
                let mut z = self.base().sample(self.base_parameters(), columns.len(), &mut rng);
                let given = context.slice_axis(Axis(0), Slice::from(columns));
                z.extend(given.t().iter().map(|&c| T::from_f64(c)));
                self.inverse_tile(&mut z, tape).expect("invariant: layers of a trained flow are invertible");
                z
            })
            .collect();
        let mut rows = Array2::zeros((n, d));
        for (block, x) in blocks.iter().enumerate() {
            let width = x.len() / d;
            for (i, row) in x.chunks_exact(width).enumerate() {
                for (j, value) in row.iter().enumerate() {
                    rows[(block * size + j, i)] = value.into_f64();
                }
            }
        }
        // The context is copied in full precision, whatever number type the flow uses.
        for (&place, column) in places.iter().zip(context.columns()) {
            rows.column_mut(place).assign(&column);
        }
        rows
    }
}
