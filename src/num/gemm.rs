//! Matrix products. This is the only module that calls a matrix product, so that the kernel can be replaced
//! in one file.
//!
//! All matrices are row-major slices. Where a factor is a batch, its columns are the records.

use ndarray::linalg::general_mat_mul;
use ndarray::{ArrayView2, ArrayViewMut2};

use super::real::Real;

/// A row-major matrix that borrows its elements from a slice.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a, T> {
    /// The elements, of which there are at least rows × columns.
    pub data: &'a [T],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
}

impl<'a, T: Real> Matrix<'a, T> {
    /// A matrix of the first rows × columns elements of `data`.
    pub fn new(data: &'a [T], rows: usize, columns: usize) -> Self {
        Self { data: &data[..rows * columns], rows, columns }
    }

    fn view(&self) -> ArrayView2<'a, T> {
        ArrayView2::from_shape((self.rows, self.columns), self.data)
            .expect("invariant: length = rows × columns")
    }
}

fn view_mut<T>(data: &mut [T], rows: usize, columns: usize) -> ArrayViewMut2<'_, T> {
    ArrayViewMut2::from_shape((rows, columns), &mut data[..rows * columns])
        .expect("invariant: length = rows × columns")
}

/// Computes C ← A·B + β·C.
pub fn multiply<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, beta: T, c: &mut [T]) {
    let shape = [a.rows, a.columns, b.columns];
    if T::product(a.data, [a.columns, 1], shape, b.data, beta, c) {
        return;
    }
    general_mat_mul(T::one(), &a.view(), &b.view(), beta, &mut view_mut(c, a.rows, b.columns));
}

/// Computes C ← Aᵀ·B + β·C.
pub fn multiply_transposed_left<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, beta: T, c: &mut [T]) {
    let shape = [a.columns, a.rows, b.columns];
    if T::product(a.data, [1, a.columns], shape, b.data, beta, c) {
        return;
    }
    general_mat_mul(T::one(), &a.view().t(), &b.view(), beta, &mut view_mut(c, a.columns, b.columns));
}

/// Computes C ← A·Bᵀ + β·C.
pub fn multiply_transposed_right<T: Real>(a: Matrix<'_, T>, b: Matrix<'_, T>, beta: T, c: &mut [T]) {
    if T::inner(a.data, b.data, [a.rows, a.columns, b.rows], beta, c) {
        return;
    }
    general_mat_mul(T::one(), &a.view(), &b.view().t(), beta, &mut view_mut(c, a.rows, b.rows));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The product by its definition: a sum over k, in ascending order.
    fn naive(
        m: usize,
        k: usize,
        n: usize,
        a: impl Fn(usize, usize) -> f64,
        b: impl Fn(usize, usize) -> f64,
    ) -> Vec<f64> {
        (0..m * n).map(|ij| (0..k).map(|l| a(ij / n, l) * b(l, ij % n)).sum()).collect()
    }

    #[test]
    fn all_three_products_agree_with_the_definition() {
        for (m, k, n) in [(3, 4, 5), (1, 1, 1), (17, 9, 33), (2, 0, 3), (0, 2, 2)] {
            let value = |i: usize| (i as f64 * 0.37).sin();
            let a: Vec<f64> = (0..m * k).map(value).collect();
            let b: Vec<f64> = (0..k * n).map(|i| value(i + 100)).collect();
            let start: Vec<f64> = (0..m * n).map(|i| value(i + 200)).collect();
            let want: Vec<f64> = naive(m, k, n, |i, l| a[i * k + l], |l, j| b[l * n + j]);
            let transposed = |x: &[f64], r: usize, c: usize| -> Vec<f64> {
                (0..r * c).map(|i| x[(i % r) * c + i / r]).collect()
            };
            let (at, bt) = (transposed(&a, m, k), transposed(&b, k, n));
            let check = |got: Vec<f64>| {
                for ((g, w), s) in got.iter().zip(&want).zip(&start) {
                    assert!((g - w - 0.5 * s).abs() < 1e-13);
                }
            };
            let mut c = start.clone();
            multiply(Matrix::new(&a, m, k), Matrix::new(&b, k, n), 0.5, &mut c);
            check(c);
            let mut c = start.clone();
            multiply_transposed_left(Matrix::new(&at, k, m), Matrix::new(&b, k, n), 0.5, &mut c);
            check(c);
            let mut c = start.clone();
            multiply_transposed_right(Matrix::new(&a, m, k), Matrix::new(&bt, n, k), 0.5, &mut c);
            check(c);
        }
    }

    /// Compares single precision with double precision, for sizes that fill whole pieces and for sizes that
    /// do not.
    #[test]
    fn single_precision_agrees_with_double() {
        for (m, k, n) in [(8, 3, 32), (13, 70, 128), (64, 5, 16), (9, 64, 77), (1, 1, 33), (115, 600, 20)] {
            let value = |i: usize| (i as f64 * 0.37).sin();
            let a: Vec<f64> = (0..m * k).map(value).collect();
            let b: Vec<f64> = (0..k * n).map(|i| value(i + 100)).collect();
            let start: Vec<f64> = (0..m * n).map(|i| value(i + 200)).collect();
            let single = |x: &[f64]| x.iter().map(|v| *v as f32).collect::<Vec<f32>>();
            let (a4, b4) = (single(&a), single(&b));
            for beta in [0.0, 1.0, 0.5] {
                let (mut want, mut got) = (start.clone(), single(&start));
                multiply(Matrix::new(&a, m, k), Matrix::new(&b, k, n), beta, &mut want);
                multiply(Matrix::new(&a4, m, k), Matrix::new(&b4, k, n), beta as f32, &mut got);
                // The allowance covers the rounding of k products of numbers up to 1.
                let allowed = 1e-6 * (k as f64).max(4.0);
                assert!(got.iter().zip(&want).all(|(g, w)| (f64::from(*g) - w).abs() < allowed));
                let turned = |x: &[f64]| -> Vec<f64> { (0..m * k).map(|i| x[(i % m) * k + i / m]).collect() };
                let at = turned(&a);
                let (mut want, mut got) = (start.clone(), single(&start));
                multiply_transposed_left(Matrix::new(&at, k, m), Matrix::new(&b, k, n), beta, &mut want);
                multiply_transposed_left(
                    Matrix::new(&single(&at), k, m),
                    Matrix::new(&b4, k, n),
                    beta as f32,
                    &mut got,
                );
                assert!(got.iter().zip(&want).all(|(g, w)| (f64::from(*g) - w).abs() < allowed));
            }
        }
        // The sizes cover every path of the kernel: rows of A in eights and single, rows of B in twos and
        // single, and columns in whole stretches, whole pieces and single.
        for (m, n, k) in [(8, 64, 2), (17, 128, 5), (64, 1024, 33), (9, 1300, 4), (3, 77, 1), (16, 40, 16)] {
            let value = |i: usize| (i as f64 * 0.37).sin();
            let a: Vec<f64> = (0..m * n).map(value).collect();
            let b: Vec<f64> = (0..k * n).map(|i| value(i + 100)).collect();
            let start: Vec<f64> = (0..m * k).map(|i| value(i + 200)).collect();
            let single = |x: &[f64]| x.iter().map(|v| *v as f32).collect::<Vec<f32>>();
            for beta in [0.0, 1.0, 0.5] {
                let (mut want, mut got) = (start.clone(), single(&start));
                multiply_transposed_right(Matrix::new(&a, m, n), Matrix::new(&b, k, n), beta, &mut want);
                let (a, b) = (single(&a), single(&b));
                let beta = beta as f32;
                multiply_transposed_right(Matrix::new(&a, m, n), Matrix::new(&b, k, n), beta, &mut got);
                let allowed = 1e-6 * n as f64;
                let far = |(g, w): &(&f32, &f64)| (f64::from(**g) - **w).abs() >= allowed;
                assert!(!got.iter().zip(&want).any(|pair| far(&pair)), "{m} {n} {k}");
            }
        }
    }
}
