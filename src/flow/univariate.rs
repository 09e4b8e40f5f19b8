//! The one-dimensional maps that a coupling applies to each transformed coordinate. Their parameters come
//! from the coupling's network.

mod onnx;

use super::spline::Spline;
use crate::num::real::Real;
use crate::num::simd::vectorized;

/// A monotone map of ℝ with `n_raw` raw parameters. If all of them are zero, it is the identity.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Univariate {
    /// z = x eˢ + t with raw parameters t and r, where s = c·tanh(r/c). The scale cannot leave [e⁻ᶜ, eᶜ].
    Affine {
        /// The bound c.
        log_scale_bound: f64,
    },
    /// A rational-quadratic spline with identity tails.
    Spline(Spline),
}

impl Univariate {
    /// Number of raw parameters.
    pub fn n_raw(&self) -> usize {
        match self {
            Self::Affine { .. } => 2,
            Self::Spline(spline) => spline.n_raw(),
        }
    }

    /// Replaces `x` by z and adds log dz/dx to `ladj`. Replaces `raw` by what `backward` needs.
    ///
    /// # Shapes
    /// `raw: (n_raw, n)`, `x: (n,)`, `ladj: (n,)`
    pub(crate) fn forward<T: Real>(&self, raw: &mut [T], x: &mut [T], ladj: &mut [T]) {
        match self {
            Self::Affine { log_scale_bound } => {
                let (shift, log_scale) = raw.split_at_mut(x.len());
                let c = T::from_f64(*log_scale_bound);
                vectorized!(_F => for (((x, l), &t), r) in
                    x.iter_mut().zip(ladj).zip(&*shift).zip(log_scale)
                {
                    let s = c * (*r / c).fast_tanh();
                    *x = *x * s.fast_exp() + t;
                    *l += s;
                    *r = s;
                });
            }
            Self::Spline(spline) => spline.forward(raw, x, ladj),
        }
    }

    /// Replaces `z` by x. The contents of `raw` are lost.
    pub(crate) fn inverse<T: Real>(&self, raw: &mut [T], z: &mut [T]) {
        match self {
            Self::Affine { log_scale_bound } => {
                let (shift, log_scale) = raw.split_at(z.len());
                let c = T::from_f64(*log_scale_bound);
                for ((z, &t), &r) in z.iter_mut().zip(shift).zip(log_scale) {
                    *z = (*z - t) * (-c * (r / c).fast_tanh()).fast_exp();
                }
            }
            Self::Spline(spline) => spline.inverse(raw, z),
        }
    }

    /// Replaces `gradient` = ∂L/∂z by ∂L/∂x and **overwrites** `d_raw` with ∂L/∂raw.
    ///
    /// `raw` must be as `forward` has left it, and `x` must be the input of `forward`.
    pub(crate) fn backward<T: Real>(
        &self,
        raw: &[T],
        x: &[T],
        gradient: &mut [T],
        ladj_gradient: &[T],
        d_raw: &mut [T],
    ) {
        match self {
            // ∂L/∂t = g    ∂L/∂s = g x eˢ + ∂L/∂ladj    ds/dr = 1 − (s/c)²    ∂L/∂x = g eˢ
            Self::Affine { log_scale_bound } => {
                let n = x.len();
                let inverse_c = T::from_f64(1.0 / log_scale_bound);
                let (d_shift, d_log_scale) = d_raw.split_at_mut(n);
                d_shift.copy_from_slice(gradient);
                let rows = gradient.iter_mut().zip(ladj_gradient).zip(x).zip(&raw[n..]).zip(d_log_scale);
                vectorized!(_F => for ((((g, &gl), &x), &s), dr) in rows {
                    *g *= s.fast_exp();
                    let ratio = s * inverse_c;
                    *dr = (*g * x + gl) * (T::one() - ratio * ratio);
                });
            }
            Self::Spline(spline) => spline.backward(raw, x, gradient, ladj_gradient, d_raw),
        }
    }
}
