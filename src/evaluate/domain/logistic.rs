//! Logistic regression with a ridge, by Newton's method.
//!
//! ```text
//! maximise  Σ_i [y_i η_i − ln(1 + exp η_i)] − ½ λ Σ_{j>0} β_j²        η = Xβ, the first column of X is 1
//! ```

use ndarray::{Array1, ArrayView1, ArrayView2};

use crate::num::triangular::{cholesky, solve_with_factor};

/// λ: columns are in standard deviations, so that one says little against a hundred records and much
/// against ten.
const RIDGE: f64 = 1.0;
const STEPS: usize = 50;
/// A gain of the objective below which nothing more is to be had.
const GAIN: f64 = 1e-9;

/// A fitted regression.
pub(super) struct Logistic {
    beta: Array1<f64>,
}

impl Logistic {
    pub(super) fn fit(x: ArrayView2<'_, f64>, y: &[f64]) -> Self {
        let mut model = Self { beta: Array1::zeros(x.ncols()) };
        let mut value = model.objective(x, y);
        for _ in 0..STEPS {
            let Some(step) = model.newton_step(x, y) else { break };
            // Where the classes lie apart a whole step can overshoot; half of it, or a part, does not.
            let mut share = 1.0;
            let better = loop {
                let next = Self { beta: &model.beta + &(&step * share) };
                let of_next = next.objective(x, y);
                if of_next > value {
                    break Some((next, of_next));
                }
                share /= 2.0;
                if share < 1e-6 {
                    break None;
                }
            };
            let Some((next, of_next)) = better else { break };
            let gain = of_next - value;
            (model, value) = (next, of_next);
            if gain < GAIN * value.abs().max(1.0) {
                break;
            }
        }
        model
    }

    pub(super) fn log_odds(&self, x: ArrayView1<'_, f64>) -> f64 {
        x.dot(&self.beta)
    }

    fn objective(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> f64 {
        let fit: f64 = x.dot(&self.beta).iter().zip(y).map(|(eta, y)| y * eta - softplus(*eta)).sum();
        fit - RIDGE / 2.0 * self.beta.iter().skip(1).map(|b| b * b).sum::<f64>()
    }

    fn newton_step(&self, x: ArrayView2<'_, f64>, y: &[f64]) -> Option<Array1<f64>> {
        let p = x.dot(&self.beta).mapv(|eta| 1.0 / (1.0 + (-eta).exp()));
        let residual: Array1<f64> = y.iter().zip(&p).map(|(y, p)| y - p).collect();
        let mut gradient = x.t().dot(&residual);
        let mut weighted = x.to_owned();
        for (mut row, p) in weighted.rows_mut().into_iter().zip(&p) {
            row *= p * (1.0 - p);
        }
        let mut hessian = x.t().dot(&weighted);
        for j in 0..self.beta.len() {
            let ridge = if j == 0 { 1e-9 } else { RIDGE };
            hessian[(j, j)] += ridge;
            gradient[j] -= if j == 0 { 0.0 } else { RIDGE * self.beta[j] };
        }
        let factor = cholesky(hessian.view())?;
        Some(solve_with_factor(factor.view(), gradient.view()))
    }
}

/// ln(1 + exp η) without overflow.
fn softplus(eta: f64) -> f64 {
    eta.max(0.0) + (-eta.abs()).exp().ln_1p()
}
