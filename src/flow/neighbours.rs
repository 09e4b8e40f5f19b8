//! The places around a place: patches on either side of a patch of a window, or pixels around a pixel of a
//! picture. The network of a coupling reads the coordinates of all of them at once.
//!
//! A batch holds the columns of one place after those of another: the places go along a row, and row after
//! row. A row of the batch is then one plane of a picture, and a neighbouring place is found at a constant
//! distance in it, except at the edges. What lies beyond an edge is read as zero.
//!
//! A convolution is a matrix product with what [`Neighbours::gather`] gives (often called im2col), or a
//! matrix product whose result [`Neighbours::gather_sums`] adds up. The second form is the smaller one where
//! a layer has fewer outputs than inputs.

use std::ops::Range;

use crate::num::real::Real;

/// A grid of places, and how far the network sees around each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Neighbours {
    height: usize,
    width: usize,
    /// Number of rows that are seen above and below.
    rows: usize,
    /// Number of places that are seen on either side.
    aside: usize,
}

impl Neighbours {
    /// A single place without neighbours.
    pub(super) const NONE: Self = Self { height: 1, width: 1, rows: 0, aside: 0 };

    /// Places in a line, each of which sees `reach` others on either side.
    pub(super) const fn line(count: usize, reach: usize) -> Self {
        Self { height: 1, width: count, rows: 0, aside: reach }
    }

    /// The places of a picture, each of which sees a square of 2·`reach` + 1 rows and columns around itself.
    pub(super) const fn square(height: usize, width: usize, reach: usize) -> Self {
        Self { height, width, rows: reach, aside: reach }
    }

    /// Number of places that are seen from a place, which is one of them.
    pub(super) const fn count(&self) -> usize {
        (2 * self.rows + 1) * (2 * self.aside + 1)
    }

    /// Whether a place sees nothing but itself.
    pub(super) const fn is_none(&self) -> bool {
        self.rows == 0 && self.aside == 0
    }

    /// For neighbour number `k`, the columns of the places that have such a neighbour, and the columns of
    /// that neighbour: `(of the neighbour, of the place)`, in ranges of equal lengths. `n` is the length of a
    /// row of the batch.
    fn runs(&self, k: usize, n: usize) -> impl Iterator<Item = (Range<usize>, Range<usize>)> + use<> {
        let Self { height, width, rows, aside } = *self;
        let columns = n / (height * width);
        let across = 2 * aside + 1;
        let rows = Shift::new(k / across, rows, height);
        let aside = Shift::new(k % across, aside, width);
        // Without a shift to the side, whole rows follow each other, and one range holds them all.
        let whole = aside.length == width;
        let (steps, length) = if whole { (1, rows.length * width) } else { (rows.length, aside.length) };
        let steps = if length == 0 { 0 } else { steps };
        (0..steps).map(move |step| {
            let range = |row: usize, place: usize| {
                let start = ((row + step) * width + place) * columns;
                start..start + length * columns
            };
            (range(rows.seen, aside.seen), range(rows.place, aside.place))
        })
    }

    /// Writes to row k·m + i of `to` what each place sees of row `rows[i]` at its neighbour number k, where m
    /// is the number of `rows`.
    pub(super) fn gather<T: Real>(&self, from: &[T], n: usize, rows: &[usize], to: &mut [T]) {
        // A place that sees only itself has no edge to see beyond.
        if !self.is_none() {
            to.fill(T::zero());
        }
        let mut planes = to.chunks_exact_mut(n.max(1));
        for k in 0..self.count() {
            for (&row, plane) in rows.iter().zip(&mut planes) {
                let from = &from[row * n..(row + 1) * n];
                for (seen, place) in self.runs(k, n) {
                    plane[place].copy_from_slice(&from[seen]);
                }
            }
        }
    }

    /// The transpose of [`Self::gather`]: adds to row `rows[i]` of `to`.
    pub(super) fn scatter_add<T: Real>(&self, from: &[T], n: usize, rows: &[usize], to: &mut [T]) {
        let mut planes = from.chunks_exact(n.max(1));
        for k in 0..self.count() {
            for (&row, plane) in rows.iter().zip(&mut planes) {
                let to = &mut to[row * n..(row + 1) * n];
                for (seen, place) in self.runs(k, n) {
                    add(&mut to[seen], &plane[place]);
                }
            }
        }
    }

    /// Writes to row i of `to` the sum, over all neighbours k, of what each place sees of row k·m + i of
    /// `from` at its neighbour number k, where m is the number of rows of `to`.
    pub(super) fn gather_sums<T: Real>(&self, from: &[T], n: usize, to: &mut [T]) {
        to.fill(T::zero());
        let mut planes = from.chunks_exact(n.max(1));
        for k in 0..self.count() {
            for (to, plane) in to.chunks_exact_mut(n.max(1)).zip(&mut planes) {
                for (seen, place) in self.runs(k, n) {
                    add(&mut to[place], &plane[seen]);
                }
            }
        }
    }

    /// The transpose of [`Self::gather_sums`]: **overwrites** `to`.
    pub(super) fn scatter_sums<T: Real>(&self, from: &[T], n: usize, to: &mut [T]) {
        to.fill(T::zero());
        let mut planes = to.chunks_exact_mut(n.max(1));
        for k in 0..self.count() {
            for (from, plane) in from.chunks_exact(n.max(1)).zip(&mut planes) {
                for (seen, place) in self.runs(k, n) {
                    plane[seen].copy_from_slice(&from[place]);
                }
            }
        }
    }
}

/// The part of an axis on which both a place and its neighbour lie.
#[derive(Clone, Copy)]
struct Shift {
    /// First place that has the neighbour.
    place: usize,
    /// First place that is the neighbour of another.
    seen: usize,
    length: usize,
}

impl Shift {
    /// The neighbour at distance `index` − `reach` on an axis of `size` places.
    fn new(index: usize, reach: usize, size: usize) -> Self {
        let (place, seen) = (reach.saturating_sub(index), index.saturating_sub(reach));
        Self { place, seen, length: size.saturating_sub(place + seen) }
    }
}

fn add<T: Real>(to: &mut [T], from: &[T]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What place (y, x) sees at offset (dy, dx), by its definition.
    fn seen(plane: &[f64], [h, w]: [usize; 2], at: [isize; 2], column: usize, columns: usize) -> f64 {
        let inside = at[0] >= 0 && at[0] < h as isize && at[1] >= 0 && at[1] < w as isize;
        if inside { plane[(at[0] as usize * w + at[1] as usize) * columns + column] } else { 0.0 }
    }

    #[test]
    fn every_place_sees_its_neighbours_and_zeros_beyond_the_edges() {
        for (of, [h, w], [up, aside]) in [
            (Neighbours::square(3, 4, 1), [3, 4], [1, 1]),
            (Neighbours::square(1, 1, 1), [1, 1], [1, 1]),
            (Neighbours::square(2, 5, 2), [2, 5], [2, 2]),
            (Neighbours::square(5, 1, 1), [5, 1], [1, 1]),
            (Neighbours::line(4, 2), [1, 4], [0, 2]),
            (Neighbours::line(2, 5), [1, 2], [0, 5]),
        ] {
            let columns = 3;
            let n = h * w * columns;
            let x: Vec<f64> = (0..2 * n).map(|i| 1.0 + i as f64).collect();
            let rows = [1, 0];
            let mut gathered = vec![f64::NAN; 2 * of.count() * n];
            of.gather(&x, n, &rows, &mut gathered);
            let mut k = 0;
            for dy in -(up as isize)..=up as isize {
                for dx in -(aside as isize)..=aside as isize {
                    for (i, row) in rows.iter().enumerate() {
                        for at in 0..n {
                            let (place, column) = (at / columns, at % columns);
                            let from = [(place / w) as isize + dy, (place % w) as isize + dx];
                            let want = seen(&x[row * n..(row + 1) * n], [h, w], from, column, columns);
                            let got = gathered[(2 * k + i) * n + at];
                            assert_eq!(got, want, "{of:?}: neighbour {k} of place {place}");
                        }
                    }
                    k += 1;
                }
            }
            assert_eq!(k, of.count());
        }
    }

    #[test]
    fn scattering_is_the_transpose_of_gathering() {
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        for of in [Neighbours::square(3, 4, 1), Neighbours::line(4, 2), Neighbours::square(2, 1, 3)] {
            let n = of.height * of.width * 2;
            let some = |n: usize, by: f64| -> Vec<f64> { (0..n).map(|i| (i as f64 * by).sin()).collect() };
            let (x, y) = (some(3 * n, 0.7), some(2 * of.count() * n, 1.3));
            let (mut gathered, mut back) = (vec![0.0; y.len()], vec![0.0; x.len()]);
            of.gather(&x, n, &[2, 0], &mut gathered);
            of.scatter_add(&y, n, &[2, 0], &mut back);
            assert!((dot(&gathered, &y) - dot(&x, &back)).abs() < 1e-10, "{of:?}");
            let out = some(2 * n, 0.3);
            let (mut sums, mut wide) = (vec![f64::NAN; out.len()], vec![f64::NAN; y.len()]);
            of.gather_sums(&y, n, &mut sums);
            of.scatter_sums(&out, n, &mut wide);
            assert!((dot(&sums, &out) - dot(&y, &wide)).abs() < 1e-10, "{of:?}");
        }
    }
}
