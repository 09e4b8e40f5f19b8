//! Products of a single-precision matrix with a batch, for AVX-512. Such products take most of the time of a
//! network's forward and backward pass, and the library behind `ndarray` does not go beyond AVX2.
//!
//! ```text
//! C (m × n) ← A (m × k) · B (k × n) + β C
//! ```
//!
//! A is read element by element, the rows of B and C in pieces of 16 columns. Eight rows and two pieces of C
//! stay in registers while the index l runs over k. B is not packed, because a batch is small enough to stay
//! in cache. Each element is summed in the order of l, whatever m and n are.

#![expect(clippy::inline_always, reason = "must become part of the copy for the instruction set")]

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, f32x16};

/// Number of columns in a piece, which fills one register.
const LANES: usize = 16;

/// A matrix whose element (i, l) is `data[i·row + l·column]`.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a> {
    pub(super) data: &'a [f32],
    pub(super) row: usize,
    pub(super) column: usize,
}

/// Computes C ← A·B + β·C and returns `true` where this CPU has the instructions. Elsewhere, and for sizes at
/// which another kernel is better, it does nothing and returns `false`.
///
/// # Shapes
/// `a: (m, k)`, `b: (k, n)` and `c: (m, n)`; the latter two are row-major.
pub(super) fn product(a: Strided<'_>, [m, k, n]: [usize; 3], b: &[f32], beta: f32, c: &mut [f32]) -> bool {
    // For larger k, the rows of B no longer stay in cache unpacked. For smaller n, most of a piece would be
    // empty.
    if n < LANES || k > 512 {
        return false;
    }
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Level::Avx512(token) = Level::new() {
        token.vectorize(
            #[inline(always)]
            || all_rows(token, a, [m, k, n], b, beta, c),
        );
        return true;
    }
    let _ = (a, m, b, beta, c);
    false
}

#[inline(always)]
fn all_rows<S: Simd>(s: S, a: Strided<'_>, [m, k, n]: [usize; 3], b: &[f32], beta: f32, c: &mut [f32]) {
    let mut packed = Vec::with_capacity(8 * k);
    let mut i = 0;
    while i + 8 <= m {
        all_columns::<S, 8>(s, pack::<8>(a, i, k, &mut packed), i, [k, n], b, beta, c);
        i += 8;
    }
    while i + 4 <= m {
        all_columns::<S, 4>(s, pack::<4>(a, i, k, &mut packed), i, [k, n], b, beta, c);
        i += 4;
    }
    while i < m {
        all_columns::<S, 1>(s, pack::<1>(a, i, k, &mut packed), i, [k, n], b, beta, c);
        i += 1;
    }
}

/// Copies R rows of A, from row i on, so that the R elements of each column lie side by side. The inner loop
/// then reads them without index arithmetic.
#[inline(always)]
fn pack<'p, const R: usize>(a: Strided<'_>, i: usize, k: usize, packed: &'p mut Vec<f32>) -> &'p [[f32; R]] {
    packed.resize(R * k, 0.0);
    let packed = packed.as_chunks_mut().0;
    for r in 0..R {
        let row = a.data[(i + r) * a.row..].iter().step_by(a.column);
        for (to, x) in packed.iter_mut().zip(row) {
            to[r] = *x;
        }
    }
    packed
}

#[inline(always)]
fn all_columns<S: Simd, const R: usize>(
    s: S,
    a: &[[f32; R]],
    i: usize,
    [k, n]: [usize; 2],
    b: &[f32],
    beta: f32,
    c: &mut [f32],
) {
    let b = &b[..k * n];
    let mut j = 0;
    while j + 2 * LANES <= n {
        block::<S, R, 2>(s, a, i, n, b, j, beta, c);
        j += 2 * LANES;
    }
    while j < n {
        if j + LANES <= n {
            block::<S, R, 1>(s, a, i, n, b, j, beta, c);
        } else {
            rest::<R>(a, i, n, b, j, beta, c);
        }
        j += LANES;
    }
}

/// Computes R rows of C from row i on, in P pieces of columns from column j on.
#[expect(clippy::too_many_arguments, reason = "a matrix product and a place in it")]
#[inline(always)]
fn block<S: Simd, const R: usize, const P: usize>(
    s: S,
    a: &[[f32; R]],
    i: usize,
    n: usize,
    b: &[f32],
    j: usize,
    beta: f32,
    c: &mut [f32],
) {
    let mut sums = [[f32x16::splat(s, 0.0); P]; R];
    for (x, row) in a.iter().zip(b.chunks_exact(n)) {
        let row = &row[j..j + P * LANES];
        let pieces: [f32x16<S>; P] =
            std::array::from_fn(|p| f32x16::from_slice(s, &row[p * LANES..(p + 1) * LANES]));
        for (&x, sums) in x.iter().zip(&mut sums) {
            let x = f32x16::splat(s, x);
            for (sum, piece) in sums.iter_mut().zip(pieces) {
                *sum = x.mul_add(piece, *sum);
            }
        }
    }
    for (r, sums) in sums.into_iter().enumerate() {
        let row = &mut c[(i + r) * n + j..(i + r) * n + j + P * LANES];
        for (to, sum) in row.chunks_exact_mut(LANES).zip(sums) {
            let sum = if beta == 0.0 {
                sum
            } else {
                f32x16::splat(s, beta).mul_add(f32x16::from_slice(s, to), sum)
            };
            sum.store_slice(to);
        }
    }
}

/// Computes R rows of C from row i on, in the columns from j to the end, of which there are fewer than a
/// piece holds.
#[inline(always)]
fn rest<const R: usize>(a: &[[f32; R]], i: usize, n: usize, b: &[f32], j: usize, beta: f32, c: &mut [f32]) {
    for r in 0..R {
        for column in j..n {
            let factors = a.iter().zip(b.chunks_exact(n));
            let sum = factors.fold(0.0f32, |sum, (x, row)| x[r].mul_add(row[column], sum));
            let to = &mut c[(i + r) * n + column];
            *to = if beta == 0.0 { sum } else { beta.mul_add(*to, sum) };
        }
    }
}
