//! The step of the gates in an M-step: a multinomial logistic regression on responsibilities.
//!
//! ```text
//! maximised   Σ_ik r_ik log g_k(x_i) − λ/2 Σ_k |a_k|²          g(x) = softmax(a_1ᵀx, …, a_Kᵀx)
//! step        a_k ← a_k + (Xᵀ diag(g_k) X + λ I)⁻¹ (Xᵀ (r_k − g_k) − λ a_k)
//! ```
//!
//! The matrix is at least the curvature where the step is taken, since diag(g) − ggᵀ ≤ diag(g). A step that
//! lowers what is maximised all the same is halved, and in the end replaced by one with ½ XᵀX + λ I in its
//! place, which maximises a lower bound: nowhere is the Hessian steeper than −½ (I − 11ᵀ/K) ⊗ XᵀX.
//!
//! # References
//! Böhning (1992), Multinomial logistic regression algorithm.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, Slice};

use super::experts::log_softmax;
use super::rows::{BLOCK, Rows, solve_with_ridge};
use crate::num::triangular::solve_with_factor;

/// How often a step of the gates is halved before it is taken by the bound.
const HALVINGS: usize = 4;

/// How the gates are fitted.
#[derive(Debug, Clone, Copy)]
pub(super) struct GateStep {
    /// λ of the head of the module, in rows.
    pub(super) ridge: f64,
}

impl GateStep {
    /// A step of the gates that does not lower their part of what is maximised: with the curvature at hand if
    /// that or some fraction of it does, else with its bound.
    pub(super) fn step(self, rows: &Rows, r: &Array2<f64>, bound: &Array2<f64>, gates: &mut Array2<f64>) {
        let at = self.slope(rows, r, gates);
        let curved: Option<Vec<Array1<f64>>> = (0..gates.ncols())
            .map(|k| {
                let gram = at.gram.index_axis(Axis(0), k).to_owned();
                solve_with_ridge(&gram, self.ridge, at.gradient.column(k)).ok()
            })
            .collect();
        let mut share = 1.0;
        for _ in 0..HALVINGS {
            let Some(steps) = &curved else { break };
            let mut tried = gates.clone();
            for (mut gate, step) in tried.columns_mut().into_iter().zip(steps) {
                gate.scaled_add(share, step);
            }
            if self.value(rows, r, &tried) >= at.value {
                *gates = tried;
                return;
            }
            share *= 0.5;
        }
        for (mut gate, right) in gates.columns_mut().into_iter().zip(at.gradient.columns()) {
            gate += &solve_with_factor(bound.view(), right);
        }
    }

    /// The part of what is maximised that the gates are in: `Σ r_ik log g_k(x_i) − λ/2 Σ |a_k|²`.
    fn value(self, rows: &Rows, r: &Array2<f64>, gates: &Array2<f64>) -> f64 {
        let mut value = -0.5 * self.ridge * square_of_slopes(gates.view());
        let blocks = rows.x.axis_chunks_iter(Axis(0), BLOCK);
        for (x, r) in blocks.zip(r.axis_chunks_iter(Axis(0), BLOCK)) {
            value += (&log_softmax(x.dot(gates)) * &r).sum();
        }
        value
    }

    fn slope(self, rows: &Rows, r: &Array2<f64>, gates: &Array2<f64>) -> GateSlope {
        let (q, k) = gates.dim();
        let mut at = GateSlope {
            value: -0.5 * self.ridge * square_of_slopes(gates.view()),
            gradient: Array2::zeros((q, k)),
            gram: Array3::zeros((k, q, q)),
        };
        let blocks = rows.x.axis_chunks_iter(Axis(0), BLOCK);
        for (x, r) in blocks.zip(r.axis_chunks_iter(Axis(0), BLOCK)) {
            let mut g = log_softmax(x.dot(gates));
            at.value += (&g * &r).sum();
            g.mapv_inplace(f64::exp);
            general_mat_mul(1.0, &x.t(), &(&r - &g), 1.0, &mut at.gradient);
            for (g, mut gram) in g.columns().into_iter().zip(at.gram.outer_iter_mut()) {
                let weighted = &x * &g.insert_axis(Axis(1));
                general_mat_mul(1.0, &weighted.t(), &x, 1.0, &mut gram);
            }
        }
        for (mut out, a) in at.gradient.rows_mut().into_iter().zip(gates.rows()).skip(1) {
            out.scaled_add(-self.ridge, &a);
        }
        at
    }
}

/// The gates' part of what is maximised, about some gates.
struct GateSlope {
    value: f64,
    /// `Xᵀ (r_k − g_k) − λ a_k`, `(q, k)`.
    gradient: Array2<f64>,
    /// `Xᵀ diag(g_k) X`, `(k, q, q)`, which is at least the curvature.
    gram: Array3<f64>,
}

/// `Σ_k |a_k|²` without the intercepts.
pub(super) fn square_of_slopes(gates: ArrayView2<'_, f64>) -> f64 {
    gates.slice_axis(Axis(0), Slice::from(1..)).iter().map(|a| a * a).sum()
}
