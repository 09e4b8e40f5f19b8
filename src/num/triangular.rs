//! Cholesky factor and triangular solves for matrices of the size of a covariance matrix.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

/// The lower triangular factor L with A = L·Lᵀ. Only the lower triangle of A is read. `None` if A is not
/// positive definite.
pub fn cholesky(a: ArrayView2<'_, f64>) -> Option<Array2<f64>> {
    let n = a.nrows();
    let mut l = Array2::<f64>::zeros((n, n));
    for i in 0..n {
        for j in 0..=i {
            let dot: f64 = (0..j).map(|k| l[(i, k)] * l[(j, k)]).sum();
            let rest = a[(i, j)] - dot;
            if i != j {
                l[(i, j)] = rest / l[(j, j)];
            } else if rest > 0.0 && rest.is_finite() {
                l[(i, i)] = rest.sqrt();
            } else {
                return None;
            }
        }
    }
    Some(l)
}

/// The solution x of L·x = b for a lower triangular L, whose upper triangle is not read.
pub fn solve_lower(l: ArrayView2<'_, f64>, b: ArrayView1<'_, f64>) -> Array1<f64> {
    let mut x = b.to_owned();
    for i in 0..x.len() {
        let dot: f64 = (0..i).map(|k| l[(i, k)] * x[k]).sum();
        x[i] = (x[i] - dot) / l[(i, i)];
    }
    x
}

/// The solution x of A·x = b, given the lower triangular factor L of A = L·Lᵀ.
pub fn solve_with_factor(l: ArrayView2<'_, f64>, b: ArrayView1<'_, f64>) -> Array1<f64> {
    let mut x = solve_lower(l, b);
    for i in (0..x.len()).rev() {
        x[i] /= l[(i, i)];
        let known = x[i];
        for j in 0..i {
            x[j] -= l[(i, j)] * known;
        }
    }
    x
}

/// The inverse L⁻¹ of a lower triangular matrix.
pub fn invert_lower(l: ArrayView2<'_, f64>) -> Array2<f64> {
    let n = l.nrows();
    let mut inverse = Array2::<f64>::zeros((n, n));
    for j in 0..n {
        let mut unit = Array1::<f64>::zeros(n);
        unit[j] = 1.0;
        inverse.column_mut(j).assign(&solve_lower(l, unit.view()));
    }
    inverse
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{arr1, arr2};

    #[test]
    fn factor_solves_and_determinant() {
        let a = arr2(&[[4.0, 2.0, 0.6], [2.0, 5.0, 1.0], [0.6, 1.0, 3.0]]);
        let l = cholesky(a.view()).unwrap();
        assert!((&l.dot(&l.t()) - &a).iter().all(|e| e.abs() < 1e-15));
        let b = arr1(&[1.0, -2.0, 0.5]);
        assert!((l.dot(&solve_lower(l.view(), b.view())) - &b).iter().all(|e| e.abs() < 1e-14));
        assert!((a.dot(&solve_with_factor(l.view(), b.view())) - &b).iter().all(|e| e.abs() < 1e-14));
        assert!((invert_lower(l.view()).dot(&l) - Array2::<f64>::eye(3)).iter().all(|e| e.abs() < 1e-15));
        // The determinant by hand: 4(15 − 1) − 2(6 − 0.6) + 0.6(2 − 3).
        assert!((l.diag().iter().product::<f64>().powi(2) - 44.6).abs() < 1e-13);
    }

    #[test]
    fn an_indefinite_matrix_has_no_factor() {
        assert!(cholesky(arr2(&[[1.0, 2.0], [2.0, 1.0]]).view()).is_none());
        assert!(cholesky(arr2(&[[f64::NAN]]).view()).is_none());
        assert_eq!(cholesky(Array2::zeros((0, 0)).view()).unwrap().len(), 0);
    }
}
