//! Inner loops over contiguous columns, written so that the compiler turns them into SIMD.
//!
//! The compiler must not change the order of a sum of floats, so it cannot vectorise the obvious loop. Here
//! `LANES` partial sums run side by side and are added at the end, in an order that never changes.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

use crate::num::real::Real;
use crate::num::simd::vectorized;

/// Number of columns that are processed together. These are four SSE or two AVX registers of f32, enough to
/// hide the latency of an addition.
pub(crate) const LANES: usize = 16;

/// One value for each of `LANES` columns.
pub(crate) type Lane<T> = [T; LANES];

/// Columns `start..start + LANES` of a row, padded with zeros beyond its end.
#[inline(always)]
pub(crate) fn load<T: Real>(row: &[T], start: usize) -> Lane<T> {
    let rest = &row[start..];
    // The two cases are kept apart. Together they would become a call of memcpy with a length that is known
    // only at run time.
    rest.first_chunk().copied().unwrap_or_else(|| load_part(rest))
}

#[cold]
#[inline(never)]
fn load_part<T: Real>(part: &[T]) -> Lane<T> {
    let mut lane = [T::zero(); LANES];
    lane[..part.len()].copy_from_slice(part);
    lane
}

/// Writes columns `start..start + LANES` of a row, as far as the row goes.
#[inline(always)]
pub(crate) fn store<T: Real>(row: &mut [T], start: usize, lane: &Lane<T>) {
    let rest = &mut row[start..];
    match rest.first_chunk_mut() {
        Some(whole) => *whole = *lane,
        None => store_part(rest, lane),
    }
}

#[cold]
#[inline(never)]
fn store_part<T: Real>(part: &mut [T], lane: &Lane<T>) {
    part.copy_from_slice(&lane[..part.len()]);
}

/// Builds a lane from a function of the column index.
#[inline(always)]
pub(crate) fn lane<T: Real>(f: impl Fn(usize) -> T) -> Lane<T> {
    let mut out = [T::zero(); LANES];
    for (i, o) in out.iter_mut().enumerate() {
        *o = f(i);
    }
    out
}

fn total<T: Real>(lane: &Lane<T>) -> T {
    lane.iter().copied().sum()
}

/// The sum Σ xᵢ.
pub(crate) fn sum<T: Real>(x: &[T]) -> T {
    let mut partial = [T::zero(); LANES];
    let chunks = x.chunks_exact(LANES);
    for (p, &v) in partial.iter_mut().zip(chunks.remainder()) {
        *p += v;
    }
    vectorized!(_F => for chunk in chunks {
        for (p, &v) in partial.iter_mut().zip(chunk) {
            *p += v;
        }
    });
    total(&partial)
}

/// The inner product Σ xᵢyᵢ.
pub(crate) fn dot<T: Real>(x: &[T], y: &[T]) -> T {
    let mut partial = [T::zero(); LANES];
    let (xs, ys) = (x.chunks_exact(LANES), y.chunks_exact(LANES));
    for ((p, &a), &b) in partial.iter_mut().zip(xs.remainder()).zip(ys.remainder()) {
        *p += a * b;
    }
    vectorized!(_F => for (x, y) in xs.zip(ys) {
        for i in 0..LANES {
            partial[i] += x[i] * y[i];
        }
    });
    total(&partial)
}

/// Copies row `rows[i]` of `from` to row i of `to`, for every i.
pub(crate) fn gather<T: Copy>(from: &[T], n: usize, rows: &[usize], to: &mut [T]) {
    for (i, &row) in rows.iter().enumerate() {
        to[i * n..(i + 1) * n].copy_from_slice(&from[row * n..(row + 1) * n]);
    }
}

/// Copies row i of `from` to row `rows[i]` of `to`, for every i.
pub(crate) fn scatter<T: Copy>(from: &[T], n: usize, rows: &[usize], to: &mut [T]) {
    for (i, &row) in rows.iter().enumerate() {
        to[row * n..(row + 1) * n].copy_from_slice(&from[i * n..(i + 1) * n]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_agree_with_the_plain_loop_at_every_remainder() {
        for n in [0, 1, 7, 8, 15, 16, 17, 33, 100] {
            let f = |k: usize| -> Vec<f64> { (0..n).map(|i| ((i * k) as f64).cos()).collect() };
            let (g, x) = (f(1), f(3));
            let plain = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
            assert!((sum(&g) - g.iter().sum::<f64>()).abs() < 1e-13);
            assert!((dot(&g, &x) - plain(&g, &x)).abs() < 1e-13);
        }
    }

    #[test]
    fn partial_lanes_are_padded_and_cut() {
        let mut row: Vec<f64> = (0..20).map(f64::from).collect();
        let lane = load(&row, 16);
        assert_eq!(lane[..5], [16.0, 17.0, 18.0, 19.0, 0.0]);
        store(&mut row, 16, &[1.0; LANES]);
        assert_eq!(row[15..], [15.0, 1.0, 1.0, 1.0, 1.0]);
    }
}
