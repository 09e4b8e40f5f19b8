//! The inner loops of a butterfly: a block of rows, a few columns wide, is carried through all stages of a pass.
//!
//! ```text
//! forward   x ← M x              transposed   g ← Mᵀ g,  ∂L/∂M += g xᵀ (summed over columns)
//! ```
//!
//! A block is copied from its rows into a buffer of [`LANES`]-wide pieces, zero beyond the batch, and back: in the batch
//! the rows are a power of two apart and would displace each other from the cache.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

use std::ops::Range;

use super::plan::{Block, Pair};
use crate::flow::lanes::{LANES, Lane, lane, load, store};
use crate::num::real::Real;
use crate::num::simd::multiply_add;

/// Buffers of a block.
pub(super) struct Scratch<'a, T> {
    /// Its rows.
    pub(super) rows: &'a mut [Lane<T>],
    /// The rows of ∂L.
    pub(super) gradient: &'a mut [Lane<T>],
    /// The two inputs of each of its pairs.
    pub(super) inputs: &'a mut [Lane<T>],
}

/// Some columns of a feature-major batch of `n` columns.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) n: usize,
    pub(super) range: Range<usize>,
}

impl Columns {
    /// Lane-wide pieces per row.
    pub(super) fn pieces(&self) -> usize {
        self.range.len().div_ceil(LANES)
    }

    /// Copies these columns of all rows.
    pub(super) fn copy<T: Real>(&self, from: &[T], to: &mut [T]) {
        if self.range.len() == self.n {
            to.copy_from_slice(from);
        } else if self.n > 0 {
            for row in 0..from.len() / self.n {
                to[self.of(row)].copy_from_slice(&from[self.of(row)]);
            }
        }
    }

    /// These columns of row `row`.
    #[inline(always)]
    fn of(&self, row: usize) -> Range<usize> {
        row * self.n + self.range.start..row * self.n + self.range.end
    }
}

#[inline(always)]
fn copy_in<T: Real>(x: &[T], rows: &[usize], columns: &Columns, to: &mut [Lane<T>]) {
    for (to, &row) in to.chunks_exact_mut(columns.pieces()).zip(rows) {
        let from = &x[columns.of(row)];
        for (i, piece) in to.iter_mut().enumerate() {
            *piece = load(from, i * LANES);
        }
    }
}

#[inline(always)]
fn copy_out<T: Real>(from: &[Lane<T>], rows: &[usize], columns: &Columns, x: &mut [T]) {
    for (from, &row) in from.chunks_exact(columns.pieces()).zip(rows) {
        let to = &mut x[columns.of(row)];
        for (i, piece) in from.iter().enumerate() {
            store(to, i * LANES, piece);
        }
    }
}

/// The pieces of rows p < q.
#[inline(always)]
fn rows_of<'a, T>(
    x: &'a mut [Lane<T>],
    pair: &Pair,
    pieces: usize,
) -> (&'a mut [Lane<T>], &'a mut [Lane<T>]) {
    let (head, tail) = x.split_at_mut(pair.q * pieces);
    (&mut head[pair.p * pieces..(pair.p + 1) * pieces], &mut tail[..pieces])
}

#[inline(always)]
fn matrix<T: Real>(entries: &[T], k: usize) -> [T; 4] {
    *entries[4 * k..].first_chunk().expect("invariant: four entries for each matrix")
}

/// [[a, b], [c, d]] on two pieces.
#[inline(always)]
fn combine<T: Real, const FUSED: bool>([a, b, c, d]: [T; 4], u: &mut Lane<T>, l: &mut Lane<T>) {
    let (x, y) = (*u, *l);
    *u = lane(|i| multiply_add::<T, FUSED>(a, x[i], b * y[i]));
    *l = lane(|i| multiply_add::<T, FUSED>(c, x[i], d * y[i]));
}

/// x ← M x through all pairs of a block, in their order or, for an inverse, the other way round.
#[inline(always)]
pub(super) fn forward<T: Real, const FUSED: bool>(
    block: &Block,
    entries: &[T],
    reversed: bool,
    x: &mut [T],
    columns: &Columns,
    scratch: &mut Scratch<'_, T>,
) {
    let pieces = columns.pieces();
    copy_in(x, &block.rows, columns, scratch.rows);
    let n_pairs = block.pairs.len();
    for i in 0..n_pairs {
        let pair = &block.pairs[if reversed { n_pairs - 1 - i } else { i }];
        let m = matrix(entries, pair.matrix);
        let (upper, lower) = rows_of(scratch.rows, pair, pieces);
        for (u, l) in upper.iter_mut().zip(lower) {
            combine::<T, FUSED>(m, u, l);
        }
    }
    copy_out(scratch.rows, &block.rows, columns, x);
}

/// From ∂L/∂z to ∂L/∂x in `gradient`; adds ∂L/∂M to `d_entries`. `x` is what the pass was given: its stages are computed
/// again, which costs less than keeping all of them.
#[inline(always)]
pub(super) fn backward<T: Real, const FUSED: bool>(
    block: &Block,
    entries: &[T],
    x: &[T],
    gradient: &mut [T],
    d_entries: &mut [T],
    columns: &Columns,
    scratch: &mut Scratch<'_, T>,
) {
    let pieces = columns.pieces();
    copy_in(x, &block.rows, columns, scratch.rows);
    for (pair, inputs) in block.pairs.iter().zip(scratch.inputs.chunks_exact_mut(2 * pieces)) {
        let m = matrix(entries, pair.matrix);
        let (upper, lower) = rows_of(scratch.rows, pair, pieces);
        let (upper_input, lower_input) = inputs.split_at_mut(pieces);
        for (((u, l), u_in), l_in) in upper.iter_mut().zip(lower).zip(upper_input).zip(lower_input) {
            (*u_in, *l_in) = (*u, *l);
            combine::<T, FUSED>(m, u, l);
        }
    }
    copy_in(gradient, &block.rows, columns, scratch.gradient);
    for (i, pair) in block.pairs.iter().enumerate().rev() {
        let [a, b, c, d] = matrix(entries, pair.matrix);
        let (upper, lower) = rows_of(scratch.gradient, pair, pieces);
        let inputs = &scratch.inputs[2 * i * pieces..2 * (i + 1) * pieces];
        let (upper_input, lower_input) = inputs.split_at(pieces);
        let mut sums = [[T::zero(); LANES]; 4];
        for (((g, h), x), y) in upper.iter_mut().zip(lower).zip(upper_input).zip(lower_input) {
            sums[0] = lane(|i| multiply_add::<T, FUSED>(g[i], x[i], sums[0][i]));
            sums[1] = lane(|i| multiply_add::<T, FUSED>(g[i], y[i], sums[1][i]));
            sums[2] = lane(|i| multiply_add::<T, FUSED>(h[i], x[i], sums[2][i]));
            sums[3] = lane(|i| multiply_add::<T, FUSED>(h[i], y[i], sums[3][i]));
            combine::<T, FUSED>([a, c, b, d], g, h);
        }
        for (to, sum) in d_entries[4 * pair.matrix..4 * pair.matrix + 4].iter_mut().zip(&sums) {
            *to += total(sum);
        }
    }
    copy_out(scratch.gradient, &block.rows, columns, gradient);
}

/// The sum of a piece, by halves.
#[inline(always)]
fn total<T: Real>(x: &Lane<T>) -> T {
    let mut sums = *x;
    let mut width = LANES / 2;
    while width > 0 {
        for i in 0..width {
            let right = sums[i + width];
            sums[i] += right;
        }
        width /= 2;
    }
    sums[0]
}
