//! The distribution of one coordinate given others: a mixture of univariate t distributions, called experts,
//! whose weights and means depend on the given coordinates.
//!
//! ```text
//! p(y | x) = Σ_k g_k(x) t_ν((y − b_kᵀx) / s_k) / s_k        g(x) = softmax(a_1ᵀx, …, a_Kᵀx)
//! ```
//!
//! Here x begins with a 1, so that the first row of the coefficients holds the intercepts.
//!
//! # References
//! Jordan and Jacobs (1994), Hierarchical mixtures of experts and the EM algorithm, equations 1 to 4.
//! Chamroukhi (2017), Skew t mixture of experts, section 3, for experts that follow t distributions.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Zip};
use rand::Rng;

use crate::baseline::error::MixtureError;
use crate::baseline::kernel::Kernel;
use crate::num::special::normal_quantile;
use crate::num::stable::log_sum_exp;
use crate::random::StreamRng;

/// The experts of one coordinate.
#[derive(Debug, Clone, PartialEq)]
pub struct Experts {
    kernel: Kernel,
    /// Coefficients of the gate, `(q, k)`.
    gates: Array2<f64>,
    /// Coefficients of the means, `(q, k)`.
    slopes: Array2<f64>,
    /// Scales, `(k,)`.
    scales: Array1<f64>,
}

/// What the experts make of some rows.
pub(super) struct Terms {
    /// `y − b_kᵀx`, `(n, k)`.
    pub(super) residuals: Array2<f64>,
    /// `log g_k(x)` and the log-density of expert k at y, `(n, k)`.
    pub(super) log_joint: Array2<f64>,
}

impl Experts {
    /// Puts experts together from their coefficients.
    ///
    /// # Shapes
    /// `gates: (q, k)`, `slopes: (q, k)`, `scales: (k,)`, with q ≥ 1 and k ≥ 1.
    ///
    /// # Errors
    /// [`MixtureError`] when shapes disagree, a coefficient is not finite, a scale is not positive, or the
    /// degrees of freedom are no positive number.
    pub fn new(
        kernel: Kernel,
        gates: Array2<f64>,
        slopes: Array2<f64>,
        scales: Array1<f64>,
    ) -> Result<Self, MixtureError> {
        if !kernel.is_sound() {
            return Err(MixtureError::Degrees);
        }
        let (q, k) = slopes.dim();
        if q == 0 || k == 0 || gates.dim() != (q, k) || scales.len() != k {
            let (got, expected) = (gates.shape().to_vec(), vec![q.max(1), k.max(1)]);
            return Err(MixtureError::Shape { what: "gates and scales of experts", got, expected });
        }
        for (what, coefficients) in [("gates", &gates), ("slopes", &slopes)] {
            if let Some(((row, column), _)) = coefficients.indexed_iter().find(|(_, c)| !c.is_finite()) {
                return Err(MixtureError::NotFinite { what, row, column });
            }
        }
        if let Some(expert) = scales.iter().position(|s| !(s.is_finite() && *s > 0.0)) {
            return Err(MixtureError::Scale { expert });
        }
        Ok(Self { kernel, gates, slopes, scales })
    }

    /// The same experts with distributions of another shape, which must be sound.
    pub(super) fn with_kernel(self, kernel: Kernel) -> Self {
        Self { kernel, ..self }
    }

    /// Number of experts k.
    pub fn n_experts(&self) -> usize {
        self.scales.len()
    }

    /// Number of coordinates that are given.
    pub fn n_given(&self) -> usize {
        self.slopes.nrows() - 1
    }

    /// Shape of the experts' distributions.
    pub fn kernel(&self) -> Kernel {
        self.kernel
    }

    /// Coefficients of the gate, `(q, k)`.
    pub fn gates(&self) -> ArrayView2<'_, f64> {
        self.gates.view()
    }

    /// Coefficients of the means, `(q, k)`.
    pub fn slopes(&self) -> ArrayView2<'_, f64> {
        self.slopes.view()
    }

    /// Scales, `(k,)`.
    pub fn scales(&self) -> ArrayView1<'_, f64> {
        self.scales.view()
    }

    /// Free parameters. Adding the same to all gates changes nothing.
    pub(super) fn n_parameters(&self) -> usize {
        let (q, k) = self.slopes.dim();
        q * (k - 1) + q * k + k + self.kernel.n_parameters()
    }

    /// # Shapes
    /// `x: (n, q)`, `y: (n,)`
    pub(super) fn terms(&self, x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>) -> Terms {
        let mut residuals = x.dot(&self.slopes);
        for (mut row, y) in residuals.rows_mut().into_iter().zip(&y) {
            row.mapv_inplace(|mean| y - mean);
        }
        let norm = self.kernel.log_norm(1);
        let mut log_joint = match self.n_experts() {
            1 => Array2::zeros(residuals.dim()),
            _ => log_softmax(x.dot(&self.gates)),
        };
        for (k, &s) in self.scales.iter().enumerate() {
            let (constant, per_scale) = (norm - s.ln(), 1.0 / s);
            Zip::from(log_joint.column_mut(k)).and(residuals.column(k)).for_each(|out, r| {
                *out += constant + self.kernel.log_profile((r * per_scale).powi(2), 1);
            });
        }
        Terms { residuals, log_joint }
    }

    /// The log-density of y given x, `(n,)`.
    ///
    /// # Shapes
    /// `x: (n, q)`, `y: (n,)`
    pub(super) fn log_prob(&self, x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>) -> Array1<f64> {
        let log_joint = self.terms(x, y).log_joint;
        let row = |row: ArrayView1<'_, f64>| log_sum_exp(row.as_slice().expect("invariant: standard layout"));
        log_joint.rows().into_iter().map(row).collect()
    }

    /// Draws y given x.
    ///
    /// # Shapes
    /// `x: (q,)`
    pub(super) fn draw(&self, x: ArrayView1<'_, f64>, rng: &mut StreamRng) -> f64 {
        let logits = x.dot(&self.gates);
        let total = log_sum_exp(logits.as_slice().expect("invariant: standard layout"));
        let mut left = uniform(rng);
        let mut chosen = self.n_experts() - 1;
        for (k, logit) in logits.iter().enumerate() {
            let gate = (logit - total).exp();
            if left < gate {
                chosen = k;
                break;
            }
            left -= gate;
        }
        let noise = normal_quantile(uniform(rng)) * self.kernel.stretch(rng);
        x.dot(&self.slopes.column(chosen)) + self.scales[chosen] * noise
    }
}

/// Log-probabilities from logits, row by row.
pub(super) fn log_softmax(mut logits: Array2<f64>) -> Array2<f64> {
    for mut row in logits.rows_mut() {
        let total = log_sum_exp(row.as_slice().expect("invariant: standard layout"));
        row.mapv_inplace(|logit| logit - total);
    }
    logits
}

/// Draws a uniform number on the open interval (0, 1). Both ends are excluded because their normal quantiles
/// are infinite.
fn uniform(rng: &mut StreamRng) -> f64 {
    ((rng.next_u64() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
}
