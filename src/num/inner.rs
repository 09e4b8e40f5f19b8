//! Inner products of the rows of two single-precision matrices, for AVX-512. Gradients of weights need them:
//! they are sums over a batch, which is the last dimension of both factors.
//!
//! ```text
//! C (m × k) ← A (m × n) · B (k × n)ᵀ + β C
//! ```
//!
//! Eight rows of A and two rows of B are multiplied at a time, which gives sixteen sums. Each sum is
//! accumulated in one register of 16 columns. At the end, four rounds of adding halves turn the sixteen
//! registers into the sixteen sums. The order in which an element is summed depends only on n.

#![expect(clippy::inline_always, reason = "must become part of the copy for the instruction set")]

use fearless_simd::{Level, Simd, SimdBase, SimdFloat, f32x16};

/// Number of columns in a piece, which fills one register.
const LANES: usize = 16;
/// Number of columns taken at a time. This many columns of eight rows of A stay in the first-level cache, and
/// this many columns of all rows of B stay in the second-level cache.
const STRETCH: usize = 512;

/// Computes C ← A·Bᵀ + β·C and returns `true` where this CPU has the instructions. Elsewhere, and for small
/// n, it does nothing and returns `false`.
///
/// # Shapes
/// `[m, n, k]`; `a: (m, n)`, `b: (k, n)` and `c: (m, k)` are all row-major.
pub(super) fn inner(a: &[f32], b: &[f32], [m, n, k]: [usize; 3], beta: f32, c: &mut [f32]) -> bool {
    // For smaller n, the sums across registers would be most of the work.
    if n < 4 * LANES {
        return false;
    }
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    if let Level::Avx512(token) = Level::new() {
        token.vectorize(
            #[inline(always)]
            || {
                let mut packed = Vec::with_capacity(8 * STRETCH);
                for from in (0..n).step_by(STRETCH) {
                    let beta = if from == 0 { beta } else { 1.0 };
                    stretch(token, a, b, [m, n, k], [from, (from + STRETCH).min(n)], beta, c, &mut packed);
                }
            },
        );
        return true;
    }
    let _ = (a, b, m, k, beta, c);
    false
}

#[expect(clippy::too_many_arguments, reason = "a matrix product, a part of it, and working memory")]
#[inline(always)]
fn stretch<S: Simd>(
    s: S,
    a: &[f32],
    b: &[f32],
    [m, n, k]: [usize; 3],
    columns: [usize; 2],
    beta: f32,
    c: &mut [f32],
    packed: &mut Vec<f32>,
) {
    let add = |c: &mut [f32], i: usize, j: usize, sum: f32| {
        let to = &mut c[i * k + j];
        *to = if beta == 0.0 { sum } else { beta.mul_add(*to, sum) };
    };
    let mut i = 0;
    while i + 8 <= m {
        let eight: [&[f32]; 8] = std::array::from_fn(|r| row(a, i + r, n, columns));
        pack(eight, packed);
        let mut j = 0;
        while j + 2 <= k {
            let two = [row(b, j, n, columns), row(b, j + 1, n, columns)];
            for (r, sums) in eight_by_two(s, eight, packed, two).chunks_exact(2).enumerate() {
                add(c, i + r, j, sums[0]);
                add(c, i + r, j + 1, sums[1]);
            }
            j += 2;
        }
        if j < k {
            for r in i..i + 8 {
                add(c, r, j, one(s, a, r, b, j, n, columns));
            }
        }
        i += 8;
    }
    for r in i..m {
        for j in 0..k {
            add(c, r, j, one(s, a, r, b, j, n, columns));
        }
    }
}

/// Columns `from..to` of row `i`.
#[inline(always)]
fn row(x: &[f32], i: usize, n: usize, [from, to]: [usize; 2]) -> &[f32] {
    &x[i * n + from..i * n + to]
}

/// Stores the pieces of eight rows in the order in which [`eight_by_two`] uses them.
#[inline(always)]
fn pack(eight: [&[f32]; 8], packed: &mut Vec<f32>) {
    packed.clear();
    for piece in 0..eight[0].len() / LANES {
        for x in eight {
            packed.extend_from_slice(&x[piece * LANES..(piece + 1) * LANES]);
        }
    }
}

/// Inner products of eight rows with two rows. `packed` holds the eight rows as [`pack`] stores them.
#[inline(always)]
fn eight_by_two<S: Simd>(s: S, eight: [&[f32]; 8], packed: &[f32], two: [&[f32]; 2]) -> [f32; 16] {
    let mut sums = [[f32x16::splat(s, 0.0); 2]; 8];
    let pieces = two.map(|y| y.as_chunks::<LANES>());
    let right = pieces[0].0.iter().zip(pieces[1].0);
    for (left, (y, z)) in packed.as_chunks::<{ 8 * LANES }>().0.iter().zip(right) {
        let right = [f32x16::from_slice(s, y), f32x16::from_slice(s, z)];
        for (x, sums) in left.as_chunks::<LANES>().0.iter().zip(&mut sums) {
            let x = f32x16::from_slice(s, x);
            for (sum, y) in sums.iter_mut().zip(right) {
                *sum = x.mul_add(y, *sum);
            }
        }
    }
    // Interleaving halves four times leaves the lanes in bit-reversed order, so the sums are put into that
    // order first.
    let mut all: [f32x16<S>; 16] = std::array::from_fn(|p| {
        let i = (p & 1) << 3 | (p & 2) << 1 | (p & 4) >> 1 | (p & 8) >> 3;
        sums[i / 2][i % 2]
    });
    let mut left_over = 16;
    while left_over > 1 {
        left_over /= 2;
        for p in 0..left_over {
            let (x, y) = (all[2 * p], all[2 * p + 1]);
            all[p] = s.zip_low_f32x16(x, y) + s.zip_high_f32x16(x, y);
        }
    }
    let mut out = [0.0; 16];
    all[0].store_slice(&mut out);
    let whole = two[0].len() / LANES * LANES;
    if whole < two[0].len() {
        for (p, out) in out.iter_mut().enumerate() {
            let (x, y) = (&eight[p / 2][whole..], &two[p % 2][whole..]);
            *out = x.iter().zip(y).fold(*out, |sum, (x, y)| x.mul_add(*y, sum));
        }
    }
    out
}

#[inline(always)]
fn one<S: Simd>(s: S, a: &[f32], i: usize, b: &[f32], j: usize, n: usize, columns: [usize; 2]) -> f32 {
    let (x, y) = (row(a, i, n, columns), row(b, j, n, columns));
    let (x_whole, y_whole) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    let rest = (x_whole.remainder(), y_whole.remainder());
    let mut sum = f32x16::splat(s, 0.0);
    for (x, y) in x_whole.zip(y_whole) {
        sum = f32x16::from_slice(s, x).mul_add(f32x16::from_slice(s, y), sum);
    }
    rest.0.iter().zip(rest.1).fold(s.reduce_sum_f32x16(sum), |sum, (x, y)| x.mul_add(*y, sum))
}
