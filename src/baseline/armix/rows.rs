//! The rows that the experts of one coordinate are fitted to, and regressions on them.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::baseline::error::MixtureError;
use crate::num::triangular::{cholesky, solve_with_factor};

/// Rows that are worked on together, so that they stay in the cache.
pub(super) const BLOCK: usize = 512;
/// Added to the diagonal where nothing else is, in units of the largest diagonal element.
const JITTER: f64 = 1e-10;

/// The rows of one coordinate.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    /// Ones and the given coordinates, `(n, q)`.
    pub(super) x: Array2<f64>,
    /// The coordinate, `(n,)`.
    pub(super) y: Array1<f64>,
}

impl Rows {
    /// Ones and some of the coordinates beside one of them.
    ///
    /// # Shapes
    /// `z: (n, d)`
    pub(super) fn of(z: ArrayView2<'_, f64>, given: &[usize], coordinate: usize) -> Self {
        Self { x: with_ones(z, given), y: z.column(coordinate).to_owned() }
    }
}

/// Ones and some of the coordinates, `(n, 1 + given)`.
///
/// # Shapes
/// `z: (n, d)`
pub(super) fn with_ones(z: ArrayView2<'_, f64>, given: &[usize]) -> Array2<f64> {
    let mut x = Array2::ones((z.nrows(), 1 + given.len()));
    for (mut row, z) in x.rows_mut().into_iter().zip(z.rows()) {
        for (out, &j) in row.iter_mut().skip(1).zip(given) {
            *out = z[j];
        }
    }
    x
}

/// The Cholesky factor of a matrix with `ridge` on its diagonal but for the first element, which is that of
/// the intercept.
///
/// # Errors
/// [`MixtureError::NotPositiveDefinite`]
pub(super) fn ridged(matrix: &Array2<f64>, ridge: f64) -> Result<Array2<f64>, MixtureError> {
    let mut matrix = matrix.to_owned();
    let least = JITTER * matrix.diag().iter().copied().fold(1.0, f64::max);
    for (j, element) in matrix.diag_mut().iter_mut().enumerate() {
        *element += if j == 0 { least } else { ridge + least };
    }
    cholesky(matrix.view()).ok_or(MixtureError::NotPositiveDefinite { component: 0 })
}

/// The solution of a regression whose slopes are drawn to 0 by `ridge`.
///
/// # Errors
/// As [`ridged`].
pub(super) fn solve_with_ridge(
    matrix: &Array2<f64>,
    ridge: f64,
    right: ArrayView1<'_, f64>,
) -> Result<Array1<f64>, MixtureError> {
    Ok(solve_with_factor(ridged(matrix, ridge)?.view(), right))
}
