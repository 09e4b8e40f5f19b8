//! Monotone rational-quadratic splines on [−B, B] with identity tails, evaluated for many columns at once.
//!
//! A spline with K bins has 3K − 1 raw parameters: K widths, K heights and K − 1 inner slopes.
//!
//! ```text
//! w_k = 2B (ε + (1 − Kε) softmax(raw_w)_k)      h_k likewise       knots: cumulative sums from −B
//! d_k = δ + softplus(raw_d + softplus⁻¹(1 − δ))                    d_0 = d_K = 1
//! ```
//!
//! If all raw parameters are zero, the spline is the identity: equal bins on the diagonal, with slope one at
//! every knot. Inside a bin the function is that of [`crate::num::rational_quadratic`]; outside [−B, B] it is
//! z = x.
//!
//! Every loop runs over [`LANES`] neighbouring columns without branches. The bin is found by comparing with
//! each knot in turn and selecting, which costs less than a search that cannot be vectorised.
//!
//! # References
//! Durkan et al. (2019), Neural spline flows, arXiv:1906.04032, §3.

#![expect(clippy::inline_always, reason = "a call in the inner loop keeps it from being vectorised")]

mod onnx;

use super::lanes::{LANES, Lane, lane, load, store};
use crate::num::rational_quadratic::Bin;
use crate::num::real::Real;
use crate::num::simd::vectorized;
use crate::num::stable::softplus_inverse;

/// Smallest share of the interval's width, and of its height, that a bin takes (ε).
const MIN_BIN: f64 = 1e-3;
/// Smallest slope at a knot (δ).
const MIN_SLOPE: f64 = 1e-3;

/// The family of splines with `n_bins` bins on [−`bound`, `bound`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spline {
    n_bins: usize,
    bound: f64,
}

/// The constants of a family, in the number type of the computation.
struct Constants<T> {
    bound: T,
    /// Smallest width of a bin, which it has if its share of the softmax is zero: 2Bε.
    min_width: T,
    /// The width that the softmax distributes among the bins: 2B(1 − Kε).
    shared_width: T,
    min_slope: T,
    /// The offset softplus⁻¹(1 − δ), which makes the slope one for a raw slope of zero.
    slope_offset: T,
}

/// The bin that each column lies in.
struct Located<T> {
    /// Index of the bin; −1 in the tails.
    index: Lane<T>,
    x0: Lane<T>,
    y0: Lane<T>,
    width: Lane<T>,
    height: Lane<T>,
    /// Slopes at the two ends of the bin, before the softplus.
    raw0: Lane<T>,
    raw1: Lane<T>,
}

impl Spline {
    /// A family of splines with `n_bins` ≥ 1 bins on [−`bound`, `bound`].
    pub fn new(n_bins: usize, bound: f64) -> Self {
        Self { n_bins, bound }
    }

    /// Number of raw parameters of one spline: 3K − 1.
    pub fn n_raw(&self) -> usize {
        3 * self.n_bins - 1
    }

    /// Evaluates the spline with these raw parameters at one point and returns z and log dz/dx.
    pub fn evaluate(&self, raw: &[f64], x: f64) -> (f64, f64) {
        let (mut raw, mut z, mut ladj) = (raw.to_vec(), [x], [0.0]);
        self.forward(&mut raw, &mut z, &mut ladj);
        (z[0], ladj[0])
    }

    /// The raw parameters of the spline through given knots. There must be K + 1 knots; the outer ones lie at
    /// ±B and have slope one. `None` if a bin or a slope is smaller than the family allows.
    pub fn raw_from_knots(&self, knots_x: &[f64], knots_y: &[f64], slopes: &[f64]) -> Option<Vec<f64>> {
        let c = self.constants::<f64>();
        let mut raw = Vec::with_capacity(self.n_raw());
        for knots in [knots_x, knots_y] {
            for ends in knots.windows(2) {
                let share = (ends[1] - ends[0] - c.min_width) / c.shared_width;
                raw.push(if share > 0.0 { share.ln() } else { return None });
            }
        }
        for &slope in &slopes[1..self.n_bins] {
            let free = slope - c.min_slope;
            raw.push(if free > 0.0 { softplus_inverse(free) - c.slope_offset } else { return None });
        }
        Some(raw)
    }

    fn constants<T: Real>(&self) -> Constants<T> {
        let k = self.n_bins as f64;
        Constants {
            bound: T::from_f64(self.bound),
            min_width: T::from_f64(2.0 * self.bound * MIN_BIN),
            shared_width: T::from_f64(2.0 * self.bound * (1.0 - k * MIN_BIN)),
            min_slope: T::from_f64(MIN_SLOPE),
            slope_offset: T::from_f64(softplus_inverse(1.0 - MIN_SLOPE)),
        }
    }

    /// Finds the bin of each column: by x if `by_x`, otherwise by y.
    #[inline(always)]
    fn locate<T: Real>(
        &self,
        c: &Constants<T>,
        raw: &[T],
        n: usize,
        start: usize,
        v: &Lane<T>,
        by_x: bool,
    ) -> Located<T> {
        let zero = [T::zero(); LANES];
        let k = self.n_bins;
        let row = |r: usize| load(&raw[r * n..(r + 1) * n], start);
        let mut at =
            Located { index: zero, x0: zero, y0: zero, width: zero, height: zero, raw0: zero, raw1: zero };
        let (mut knot_x, mut knot_y) = ([-c.bound; LANES], [-c.bound; LANES]);
        // At both ends the slope is one, for which the raw value is zero.
        let end = [c.slope_offset; LANES];
        let mut right = end;
        for bin in 0..k {
            let (share_x, share_y) = (row(bin), row(k + bin));
            let left = right;
            right = if bin + 1 < k { row(2 * k + bin) } else { zero };
            right = lane(|i| right[i] + c.slope_offset);
            let width = lane(|i| c.min_width + c.shared_width * share_x[i]);
            let height = lane(|i| c.min_width + c.shared_width * share_y[i]);
            let knot = if by_x { knot_x } else { knot_y };
            // There is one loop for each quantity, because a loop that writes all of them is not vectorised.
            let pick = |new: &Lane<T>, old: &Lane<T>| lane(|i| if v[i] >= knot[i] { new[i] } else { old[i] });
            at.index = pick(&[T::from_f64(bin as f64); LANES], &at.index);
            at.x0 = pick(&knot_x, &at.x0);
            at.y0 = pick(&knot_y, &at.y0);
            at.width = pick(&width, &at.width);
            at.height = pick(&height, &at.height);
            at.raw0 = pick(&left, &at.raw0);
            at.raw1 = pick(&right, &at.raw1);
            knot_x = lane(|i| knot_x[i] + width[i]);
            knot_y = lane(|i| knot_y[i] + height[i]);
        }
        let below = lane(|i| if v[i] < c.bound { at.index[i] } else { -T::one() });
        at.index = lane(|i| if v[i] > -c.bound { below[i] } else { -T::one() });
        at
    }

    /// Replaces `x` by z and adds log dz/dx to `ladj`. The raw widths and heights are replaced by their
    /// softmax, which `backward` needs.
    ///
    /// # Shapes
    /// `raw: (3K − 1, n)`, `x: (n,)`, `ladj: (n,)`
    pub(crate) fn forward<T: Real>(&self, raw: &mut [T], x: &mut [T], ladj: &mut [T]) {
        vectorized!(_F => self.forward_kernel(raw, x, ladj));
    }

    #[inline(always)]
    fn forward_kernel<T: Real>(&self, raw: &mut [T], x: &mut [T], ladj: &mut [T]) {
        let n = x.len();
        let c = self.constants::<T>();
        for start in (0..n).step_by(LANES) {
            self.softmax(raw, n, start);
            let mut v = load(x, start);
            let mut l = load(ladj, start);
            let at = self.locate(&c, raw, n, start, &v, true);
            let d0 = lane(|i| c.min_slope + at.raw0[i].softplus());
            let d1 = lane(|i| c.min_slope + at.raw1[i].softplus());
            let moved = lane(|i| at.y0[i] + value(v[i] - at.x0[i], at.width[i], at.height[i], d0[i], d1[i]));
            let log_slope =
                lane(|i| slope(v[i] - at.x0[i], at.width[i], at.height[i], d0[i], d1[i]).fast_ln());
            v = lane(|i| if at.index[i] >= T::zero() { moved[i] } else { v[i] });
            l = lane(|i| l[i] + if at.index[i] >= T::zero() { log_slope[i] } else { T::zero() });
            store(x, start, &v);
            store(ladj, start, &l);
        }
    }

    /// Replaces `z` by x. The contents of `raw` are lost.
    pub(crate) fn inverse<T: Real>(&self, raw: &mut [T], z: &mut [T]) {
        vectorized!(_F => self.inverse_kernel(raw, z));
    }

    #[inline(always)]
    fn inverse_kernel<T: Real>(&self, raw: &mut [T], z: &mut [T]) {
        let n = z.len();
        let c = self.constants::<T>();
        for start in (0..n).step_by(LANES) {
            self.softmax(raw, n, start);
            let mut v = load(z, start);
            let at = self.locate(&c, raw, n, start, &v, false);
            for (i, v) in v.iter_mut().enumerate().filter(|(i, _)| at.index[*i] >= T::zero()) {
                let bin = Bin {
                    x0: at.x0[i],
                    x1: at.x0[i] + at.width[i],
                    y0: at.y0[i],
                    y1: at.y0[i] + at.height[i],
                    d0: c.min_slope + at.raw0[i].softplus(),
                    d1: c.min_slope + at.raw1[i].softplus(),
                };
                *v = bin.inverse(*v);
            }
            store(z, start, &v);
        }
    }

    /// Replaces `gradient` = ∂L/∂z by ∂L/∂x and **overwrites** `d_raw` with ∂L/∂raw.
    ///
    /// # Shapes
    /// `raw: (3K − 1, n)` as `forward` has left it; `x: (n,)` as `forward` received it;
    /// `ladj_gradient: (n,)`; `d_raw: (3K − 1, n)`
    pub(crate) fn backward<T: Real>(
        &self,
        raw: &[T],
        x: &[T],
        gradient: &mut [T],
        ladj_gradient: &[T],
        d_raw: &mut [T],
    ) {
        vectorized!(_F => self.backward_kernel(raw, x, gradient, ladj_gradient, d_raw));
    }

    #[inline(always)]
    fn backward_kernel<T: Real>(
        &self,
        raw: &[T],
        x: &[T],
        gradient: &mut [T],
        ladj_gradient: &[T],
        d_raw: &mut [T],
    ) {
        let n = x.len();
        let k = self.n_bins;
        let c = self.constants::<T>();
        let row = |r: usize| r * n..(r + 1) * n;
        for start in (0..n).step_by(LANES) {
            let v = load(x, start);
            let mut g = load(gradient, start);
            let g_ladj = load(ladj_gradient, start);
            let at = self.locate(&c, raw, n, start, &v, true);
            let d0 = lane(|i| c.min_slope + at.raw0[i].softplus());
            let d1 = lane(|i| c.min_slope + at.raw1[i].softplus());
            let p = differentiate(&lane(|i| v[i] - at.x0[i]), &at.width, &at.height, &d0, &d1, &g, &g_ladj);
            let only_inside = |x: &Lane<T>| lane(|i| if at.index[i] >= T::zero() { x[i] } else { T::zero() });
            let (dt, dy) = (only_inside(&p.t), only_inside(&g));
            let (d_width, d_height) = (only_inside(&p.width), only_inside(&p.height));
            let (d_slope0, d_slope1) = (only_inside(&p.d0), only_inside(&p.d1));
            let g_raw0 = lane(|i| d_slope0[i] * at.raw0[i].sigmoid());
            let g_raw1 = lane(|i| d_slope1[i] * at.raw1[i].sigmoid());
            g = lane(|i| if at.index[i] >= T::zero() { p.t[i] } else { g[i] });
            store(gradient, start, &g);
            // The gradient through the softmax is ∂L/∂raw_j = s_j (g_j − Σ_m s_m g_m). Bins before the
            // column's own bin move the left end of that bin; the bin itself changes its width. Up to a
            // factor, the sums of the shares follow from x₀ and w.
            let before_x = lane(|i| at.x0[i] + c.bound - at.index[i] * c.min_width);
            let before_y = lane(|i| at.y0[i] + c.bound - at.index[i] * c.min_width);
            let mean_x = lane(|i| (at.width[i] - c.min_width) * d_width[i] - before_x[i] * dt[i]);
            let mean_y = lane(|i| (at.height[i] - c.min_width) * d_height[i] + before_y[i] * dy[i]);
            let (g_x0, g_y0) = (lane(|i| -dt[i] * c.shared_width), lane(|i| dy[i] * c.shared_width));
            let (g_width, g_height) =
                (lane(|i| d_width[i] * c.shared_width), lane(|i| d_height[i] * c.shared_width));
            for bin in 0..k {
                let index = T::from_f64(bin as f64);
                let (share_x, share_y) = (load(&raw[row(bin)], start), load(&raw[row(k + bin)], start));
                let choose = |before: &Lane<T>, own: &Lane<T>| {
                    let later = lane(|i| if index < at.index[i] { before[i] } else { T::zero() });
                    lane(|i| if index == at.index[i] { own[i] } else { later[i] })
                };
                let (to_x, to_y) = (choose(&g_x0, &g_width), choose(&g_y0, &g_height));
                let dx = lane(|i| share_x[i] * (to_x[i] - mean_x[i]));
                let dy = lane(|i| share_y[i] * (to_y[i] - mean_y[i]));
                store(&mut d_raw[row(bin)], start, &dx);
                store(&mut d_raw[row(k + bin)], start, &dy);
                if bin + 1 < k {
                    // The slope at the knot between this bin and the next.
                    let next = index + T::one();
                    let left = lane(|i| if next == at.index[i] { g_raw0[i] } else { T::zero() });
                    let ds = lane(|i| if index == at.index[i] { g_raw1[i] } else { left[i] });
                    store(&mut d_raw[row(2 * k + bin)], start, &ds);
                }
            }
        }
    }

    /// Replaces the raw widths and heights of `LANES` columns by their softmax.
    #[inline(always)]
    fn softmax<T: Real>(&self, raw: &mut [T], n: usize, start: usize) {
        let k = self.n_bins;
        for first in [0, k] {
            let mut max = load(&raw[first * n..(first + 1) * n], start);
            for r in first + 1..first + k {
                let v = load(&raw[r * n..(r + 1) * n], start);
                max = lane(|i| if v[i] > max[i] { v[i] } else { max[i] });
            }
            let mut total = [T::zero(); LANES];
            for r in first..first + k {
                let row = &mut raw[r * n..(r + 1) * n];
                let v = load(row, start);
                let e = lane(|i| (v[i] - max[i]).fast_exp());
                total = lane(|i| total[i] + e[i]);
                store(row, start, &e);
            }
            let scale = lane(|i| T::one() / total[i]);
            for r in first..first + k {
                let row = &mut raw[r * n..(r + 1) * n];
                let e = load(row, start);
                store(row, start, &lane(|i| e[i] * scale[i]));
            }
        }
    }
}

/// The value z − y₀ at t = x − x₀. The symbols are those of [`crate::num::rational_quadratic`].
#[inline(always)]
fn value<T: Real>(t: T, w: T, h: T, d0: T, d1: T) -> T {
    let s = h / w;
    let xi = t / w;
    let zeta = xi * (T::one() - xi);
    h * (s * xi * xi + d0 * zeta) / (s + (d0 + d1 - s - s) * zeta)
}

/// The slope dz/dx at t = x − x₀.
#[inline(always)]
fn slope<T: Real>(t: T, w: T, h: T, d0: T, d1: T) -> T {
    let s = h / w;
    let xi = t / w;
    let rest = T::one() - xi;
    let zeta = xi * rest;
    let ratio = s / (s + (d0 + d1 - s - s) * zeta);
    ratio * ratio * (d1 * xi * xi + (s + s) * zeta + d0 * rest * rest)
}

/// The gradients of L with respect to t, w, h, d₀ and d₁.
struct Partials<T> {
    t: Lane<T>,
    width: Lane<T>,
    height: Lane<T>,
    d0: Lane<T>,
    d1: Lane<T>,
}

/// The derivatives of L through z − y₀ = hN/D and ladj = 2 ln s + ln M − 2 ln D, where
///
/// ```text
/// s = h/w   ξ = t/w   ζ = ξ(1 − ξ)   N = sξ² + d₀ζ   D = s + (d₀ + d₁ − 2s)ζ   M = d₁ξ² + 2sζ + d₀(1 − ξ)²
/// ```
///
/// The arguments `g` and `g_ladj` are ∂L/∂z and ∂L/∂ladj.
#[inline(always)]
fn differentiate<T: Real>(
    t: &Lane<T>,
    w: &Lane<T>,
    h: &Lane<T>,
    d0: &Lane<T>,
    d1: &Lane<T>,
    g: &Lane<T>,
    g_ladj: &Lane<T>,
) -> Partials<T> {
    let (one, two) = (T::one(), T::one() + T::one());
    let inverse_w = lane(|i| one / w[i]);
    let s = lane(|i| h[i] * inverse_w[i]);
    let xi = lane(|i| t[i] * inverse_w[i]);
    let rest = lane(|i| one - xi[i]);
    let zeta = lane(|i| xi[i] * rest[i]);
    let bend = lane(|i| d0[i] + d1[i] - two * s[i]);
    let inverse_d = lane(|i| one / (s[i] + bend[i] * zeta[i]));
    let n = lane(|i| s[i] * xi[i] * xi[i] + d0[i] * zeta[i]);
    let m = lane(|i| d1[i] * xi[i] * xi[i] + two * s[i] * zeta[i] + d0[i] * rest[i] * rest[i]);

    let g_n = lane(|i| g[i] * h[i] * inverse_d[i]);
    let g_d = lane(|i| -(g_n[i] * n[i] + two * g_ladj[i]) * inverse_d[i]);
    let g_m = lane(|i| g_ladj[i] / m[i]);
    let g_s = lane(|i| {
        let direct = two * g_ladj[i] / s[i] + g_n[i] * xi[i] * xi[i];
        direct + g_d[i] * (one - two * zeta[i]) + two * g_m[i] * zeta[i]
    });
    let g_zeta = lane(|i| g_n[i] * d0[i] + g_d[i] * bend[i] + two * g_m[i] * s[i]);
    let g_xi = lane(|i| {
        let direct = g_n[i] * s[i] * xi[i] + g_m[i] * (d1[i] * xi[i] - d0[i] * rest[i]);
        two * direct + g_zeta[i] * (one - two * xi[i])
    });
    Partials {
        t: lane(|i| g_xi[i] * inverse_w[i]),
        width: lane(|i| -(g_s[i] * s[i] + g_xi[i] * xi[i]) * inverse_w[i]),
        height: lane(|i| g[i] * n[i] * inverse_d[i] + g_s[i] * inverse_w[i]),
        d0: lane(|i| (g_n[i] + g_d[i]) * zeta[i] + g_m[i] * rest[i] * rest[i]),
        d1: lane(|i| g_d[i] * zeta[i] + g_m[i] * xi[i] * xi[i]),
    }
}
