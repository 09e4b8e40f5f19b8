//! The inner loops of a butterfly: a block of rows, a few columns wide, is carried through all stages of a
//! pass.
//!
//! ```text
//! forward   x ← M x              transposed   g ← Mᵀ g,  ∂L/∂M += g xᵀ (summed over columns)
//! ```
//!
//! The rows of a block are copied out of the batch, padded with zeros beyond the last column, and copied back
//! afterwards. In the batch itself the rows are a power of two apart, so they would displace each other from
//! the cache. A row of the block consists of P pieces of [`LANES`] columns.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

use std::ops::Range;

use super::plan::{COLUMNS, Pair, Plan};
use crate::flow::lanes::{LANES, Lane, lane};
use crate::num::real::Real;
use crate::num::simd::multiply_add;

/// One row of a block.
type Row<T, const P: usize> = [Lane<T>; P];

/// Scratch buffers of a block. The length of each is a multiple of the length of a row.
pub(super) struct Scratch<'a, T> {
    /// The rows of the block.
    pub(super) block: &'a mut [Lane<T>],
    /// The two inputs of each pair of the block.
    pub(super) inputs: &'a mut [Lane<T>],
}

/// Number of pieces in a row of a block, for a batch of `n` columns: 1, 2, 4 or 8. Longer rows need fewer
/// sums across columns.
pub(super) fn pieces(n: usize) -> usize {
    n.min(COLUMNS).div_ceil(LANES).next_power_of_two()
}

/// A range of the columns of a feature-major batch of `n` columns.
struct Columns {
    n: usize,
    range: Range<usize>,
}

impl Columns {
    /// Divides the columns of a batch into ranges, each as wide as a row of P pieces.
    fn all<const P: usize>(n: usize) -> impl Iterator<Item = Self> {
        let width = P * LANES;
        (0..n).step_by(width).map(move |start| Self { n, range: start..(start + width).min(n) })
    }

    /// Copies a row of the batch to `to`, padded with zeros beyond the end of the columns.
    #[inline(always)]
    fn read<T: Real, const P: usize>(&self, x: &[T], row: usize, to: &mut Row<T, P>) {
        let from = &x[row * self.n..(row + 1) * self.n][self.range.clone()];
        if from.len() == P * LANES {
            for (to, from) in to.iter_mut().zip(from.as_chunks::<LANES>().0) {
                *to = lane(|i| from[i]);
            }
        } else {
            let to = to.as_flattened_mut();
            to[..from.len()].copy_from_slice(from);
            to[from.len()..].fill(T::zero());
        }
    }

    #[inline(always)]
    fn write<T: Real, const P: usize>(&self, from: &Row<T, P>, x: &mut [T], row: usize) {
        let to = &mut x[row * self.n..(row + 1) * self.n][self.range.clone()];
        if to.len() == P * LANES {
            for (to, from) in to.as_chunks_mut::<LANES>().0.iter_mut().zip(from) {
                *to = lane(|i| from[i]);
            }
        } else {
            to.copy_from_slice(&from.as_flattened()[..to.len()]);
        }
    }
}

/// Copies a row piece by piece. For a whole row at once the compiler makes a call, which takes longer than
/// the copy.
#[inline(always)]
fn copy<T: Real, const P: usize>(to: &mut Row<T, P>, from: &Row<T, P>) {
    for (to, from) in to.iter_mut().zip(from) {
        *to = lane(|i| from[i]);
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

/// Applies the matrix [[a, b], [c, d]] to the two rows of a pair.
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

/// Replaces x by M x through all pairs of the plan, in their order or, for an inverse, in the reverse order.
///
/// The input of every block is kept in `inputs`, unless `inputs` is empty. It is stored block by block, and
/// within a block one range of columns after the other.
#[inline(always)]
pub(super) fn forward<T: Real, const FUSED: bool, const P: usize>(
    plan: &Plan,
    entries: &[T],
    reversed: bool,
    x: &mut [T],
    n: usize,
    scratch: &mut Scratch<'_, T>,
    inputs: &mut [Lane<T>],
) {
    let keep = !inputs.is_empty();
    let mut inputs = inputs.as_chunks_mut::<P>().0;
    let n_blocks = plan.blocks.len();
    for i in 0..n_blocks {
        let of_plan = &plan.blocks[if reversed { n_blocks - 1 - i } else { i }];
        let block = rows::<T, P>(scratch.block, of_plan.rows.len());
        for columns in Columns::all::<P>(n) {
            for (to, &row) in block.iter_mut().zip(&of_plan.rows) {
                columns.read(x, row, to);
            }
            if keep {
                let (head, rest) = inputs.split_at_mut(block.len());
                for (to, from) in head.iter_mut().zip(&*block) {
                    copy(to, from);
                }
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
                columns.write(from, x, row);
            }
        }
    }
}

/// Replaces ∂L/∂z in `gradient` by ∂L/∂x and adds ∂L/∂M to `d_entries`.
///
/// `inputs` holds the input of every block, as `forward` has kept it. The stages of a block are computed
/// again from its input, which costs less than keeping the inputs of all stages.
#[inline(always)]
pub(super) fn backward<T: Real, const FUSED: bool, const P: usize>(
    plan: &Plan,
    entries: &[T],
    mut inputs: &[Lane<T>],
    gradient: &mut [T],
    d_entries: &mut [T],
    n: usize,
    scratch: &mut Scratch<'_, T>,
) {
    for of_plan in plan.blocks.iter().rev() {
        let block = rows::<T, P>(scratch.block, of_plan.rows.len());
        let of_block = of_plan.rows.len() * n.div_ceil(P * LANES) * P;
        let (earlier, given) = inputs.split_at(inputs.len() - of_block);
        inputs = earlier;
        let mut given = given.as_chunks::<P>().0;
        for columns in Columns::all::<P>(n) {
            let (now, later) = given.split_at(of_plan.rows.len());
            given = later;
            for (to, from) in block.iter_mut().zip(now) {
                copy(to, from);
            }
            let pair_inputs = rows::<T, P>(scratch.inputs, 2 * of_plan.pairs.len());
            for (pair, kept) in of_plan.pairs.iter().zip(pair_inputs.as_chunks_mut::<2>().0) {
                copy(&mut kept[0], &block[pair.p]);
                copy(&mut kept[1], &block[pair.q]);
                combine::<T, FUSED, P>(matrix(entries, pair.matrix), block, pair);
            }
            for (to, &row) in block.iter_mut().zip(&of_plan.rows) {
                columns.read(gradient, row, to);
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
                columns.write(from, gradient, row);
            }
        }
    }
}

/// The sum of a piece, computed by adding halves.
#[inline(always)]
fn total<T: Real>(x: &Lane<T>) -> T {
    let eight: [T; 8] = std::array::from_fn(|i| x[i] + x[i + 8]);
    let four: [T; 4] = std::array::from_fn(|i| eight[i] + eight[i + 4]);
    (four[0] + four[2]) + (four[1] + four[3])
}
