//! The inner loops of a butterfly: a block of rows, a few columns wide, is carried through all stages of a pass.
//!
//! ```text
//! forward   x ← M x              transposed   g ← Mᵀ g,  ∂L/∂M += g xᵀ (summed over columns)
//! ```
//!
//! A tile of columns is copied out of the batch once, zero beyond its end: in the batch its rows are a power of two apart
//! and would displace each other from the cache. P pieces of [`LANES`] columns make a row of the tile.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

use std::ops::Range;

use super::plan::{Pair, Plan};
use crate::flow::lanes::{LANES, Lane, lane};
use crate::num::real::Real;
use crate::num::simd::multiply_add;

/// One row of a tile.
type Row<T, const P: usize> = [Lane<T>; P];

/// Buffers of a tile, each a multiple of a row long.
pub(super) struct Scratch<'a, T> {
    /// All rows.
    pub(super) tile: &'a mut [Lane<T>],
    /// The rows of a block.
    pub(super) block: &'a mut [Lane<T>],
    /// The two inputs of each of its pairs.
    pub(super) inputs: &'a mut [Lane<T>],
}

/// Some columns of a feature-major batch of `n`.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) n: usize,
    pub(super) range: Range<usize>,
}

impl Columns {
    /// Pieces of a row of the tile: 1, 2 or 4.
    pub(super) fn pieces(&self) -> usize {
        self.range.len().div_ceil(LANES).next_power_of_two()
    }

    #[inline(always)]
    fn read<T: Real, const P: usize>(&self, x: &[T], tile: &mut [Row<T, P>]) {
        for (row, to) in tile.iter_mut().enumerate() {
            let (to, from) =
                (to.as_flattened_mut(), &x[row * self.n..(row + 1) * self.n][self.range.clone()]);
            to[..from.len()].copy_from_slice(from);
            to[from.len()..].fill(T::zero());
        }
    }

    #[inline(always)]
    fn write<T: Real, const P: usize>(&self, tile: &[Row<T, P>], x: &mut [T]) {
        for (row, from) in tile.iter().enumerate() {
            let to = &mut x[row * self.n..(row + 1) * self.n][self.range.clone()];
            to.copy_from_slice(&from.as_flattened()[..to.len()]);
        }
    }
}

#[inline(always)]
fn rows<T, const P: usize>(pieces: &mut [Lane<T>], n: usize) -> &mut [Row<T, P>] {
    &mut pieces.as_chunks_mut().0[..n]
}

#[inline(always)]
fn matrix<T: Real>(entries: &[T], k: usize) -> [T; 4] {
    *entries[4 * k..].first_chunk().expect("invariant: four entries for each matrix")
}

/// [[a, b], [c, d]] on the rows of a pair.
#[inline(always)]
fn combine<T: Real, const FUSED: bool, const P: usize>(
    [a, b, c, d]: [T; 4],
    block: &mut [Row<T, P>],
    pair: &Pair,
) {
    let (head, tail) = block.split_at_mut(pair.q);
    let (upper, lower) = (&mut head[pair.p], &mut tail[0]);
    for (u, l) in upper.iter_mut().zip(lower) {
        let (x, y) = (*u, *l);
        *u = lane(|i| multiply_add::<T, FUSED>(a, x[i], b * y[i]));
        *l = lane(|i| multiply_add::<T, FUSED>(c, x[i], d * y[i]));
    }
}

/// x ← M x through all pairs of the plan, in their order or, for an inverse, the other way round. What each block is given
/// is kept in `inputs`, where that has room.
#[inline(always)]
pub(super) fn forward<T: Real, const FUSED: bool, const P: usize>(
    plan: &Plan,
    entries: &[T],
    reversed: bool,
    x: &mut [T],
    columns: &Columns,
    scratch: &mut Scratch<'_, T>,
    inputs: &mut [Lane<T>],
) {
    let tile = rows::<T, P>(scratch.tile, plan.n_features);
    columns.read(x, tile);
    let keep = !inputs.is_empty();
    let mut inputs = inputs.as_chunks_mut::<P>().0;
    let n_blocks = plan.blocks.len();
    for i in 0..n_blocks {
        let of_plan = &plan.blocks[if reversed { n_blocks - 1 - i } else { i }];
        let block = rows::<T, P>(scratch.block, of_plan.rows.len());
        for (to, &row) in block.iter_mut().zip(&of_plan.rows) {
            *to = tile[row];
        }
        if keep {
            let (head, rest) = inputs.split_at_mut(block.len());
            head.copy_from_slice(block);
            inputs = rest;
        }
        if reversed {
            for pair in of_plan.pairs.iter().rev() {
                combine::<T, FUSED, P>(matrix(entries, pair.matrix), block, pair);
            }
        } else {
            for pair in &of_plan.pairs {
                combine::<T, FUSED, P>(matrix(entries, pair.matrix), block, pair);
            }
        }
        for (from, &row) in block.iter().zip(&of_plan.rows) {
            tile[row] = *from;
        }
    }
    columns.write(tile, x);
}

/// From ∂L/∂z to ∂L/∂x in `gradient`; adds ∂L/∂M to `d_entries`. `inputs` is what `forward` kept: the stages of a block are
/// computed again from there, which costs less than keeping all of them.
#[inline(always)]
pub(super) fn backward<T: Real, const FUSED: bool, const P: usize>(
    plan: &Plan,
    entries: &[T],
    mut inputs: &[Lane<T>],
    gradient: &mut [T],
    d_entries: &mut [T],
    columns: &Columns,
    scratch: &mut Scratch<'_, T>,
) {
    let tile = rows::<T, P>(scratch.tile, plan.n_features);
    columns.read(gradient, tile);
    for of_plan in plan.blocks.iter().rev() {
        let block = rows::<T, P>(scratch.block, of_plan.rows.len());
        let (rest, given) = inputs.split_at(inputs.len() - of_plan.rows.len() * P);
        inputs = rest;
        block.copy_from_slice(given.as_chunks().0);
        let pair_inputs = rows::<T, P>(scratch.inputs, 2 * of_plan.pairs.len());
        for (pair, kept) in of_plan.pairs.iter().zip(pair_inputs.as_chunks_mut::<2>().0) {
            *kept = [block[pair.p], block[pair.q]];
            combine::<T, FUSED, P>(matrix(entries, pair.matrix), block, pair);
        }
        for (to, &row) in block.iter_mut().zip(&of_plan.rows) {
            *to = tile[row];
        }
        for (pair, [upper, lower]) in of_plan.pairs.iter().zip(pair_inputs.as_chunks::<2>().0).rev() {
            let [a, b, c, d] = matrix(entries, pair.matrix);
            let zero = [T::zero(); LANES];
            let (mut gx, mut gy, mut hx, mut hy) = (zero, zero, zero, zero);
            for piece in 0..P {
                let (g, h) = (&block[pair.p][piece], &block[pair.q][piece]);
                let (x, y) = (&upper[piece], &lower[piece]);
                gx = lane(|i| multiply_add::<T, FUSED>(g[i], x[i], gx[i]));
                gy = lane(|i| multiply_add::<T, FUSED>(g[i], y[i], gy[i]));
                hx = lane(|i| multiply_add::<T, FUSED>(h[i], x[i], hx[i]));
                hy = lane(|i| multiply_add::<T, FUSED>(h[i], y[i], hy[i]));
            }
            let d_matrix = &mut d_entries[4 * pair.matrix..4 * pair.matrix + 4];
            for (to, sum) in d_matrix.iter_mut().zip([gx, gy, hx, hy]) {
                *to += total(&sum);
            }
            combine::<T, FUSED, P>([a, c, b, d], block, pair);
        }
        for (from, &row) in block.iter().zip(&of_plan.rows) {
            tile[row] = *from;
        }
    }
    columns.write(tile, gradient);
}

/// The sum of a piece, by halves.
#[inline(always)]
fn total<T: Real>(x: &Lane<T>) -> T {
    let eight: [T; 8] = std::array::from_fn(|i| x[i] + x[i + 8]);
    let four: [T; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}
