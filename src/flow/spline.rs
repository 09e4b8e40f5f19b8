//! Monotone rational-quadratic splines on [−B, B] with identity tails, for many columns at once.
//!
//! One spline of K bins has 3K − 1 raw parameters: K widths, K heights, K − 1 inner slopes.
//!
//! ```text
//! w_k = 2B (ε + (1 − Kε) softmax(raw_w)_k)      h_k likewise       knots: cumulative sums from −B
//! d_k = δ + softplus(raw_d + softplus⁻¹(1 − δ))                    d_0 = d_K = 1
//! ```
//!
//! so that raw zeros are the identity: equal bins on the diagonal with slope one at every knot. Inside a bin the
//! function is that of [`crate::num::rational_quadratic`]; outside [−B, B] it is z = x.
//!
//! Every loop runs over [`LANES`] neighbouring columns without branches: the bin is found by comparing with each knot
//! in turn and selecting, which costs less than a search that cannot be vectorised.
//!
//! # References
//! Durkan et al. (2019), Neural spline flows, arXiv:1906.04032, §3.

use super::lanes::{LANES, Lane, lane, load, store};
use crate::num::rational_quadratic::Bin;
use crate::num::real::Real;
use crate::num::stable::softplus_inverse;

/// Smallest share of a bin in the interval's width and height.
const MIN_BIN: f64 = 1e-3;
/// Smallest slope at a knot.
const MIN_SLOPE: f64 = 1e-3;

/// The family of splines with `n_bins` bins on [−`bound`, `bound`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spline {
    n_bins: usize,
    bound: f64,
}

/// The constants of a family in the number type of the computation.
struct Constants<T> {
    bound: T,
    /// Width of a bin with no share of the softmax: 2Bε.
    min_width: T,
    /// 2B(1 − Kε), what the softmax shares out.
    shared_width: T,
    min_slope: T,
    /// softplus⁻¹(1 − δ)
    slope_offset: T,
}

/// The bin each column lies in.
struct Located<T> {
    /// Number of the bin, −1 in the tails.
    index: Lane<T>,
    x0: Lane<T>,
    y0: Lane<T>,
    width: Lane<T>,
    height: Lane<T>,
    /// Raw slopes at its ends.
    raw0: Lane<T>,
    raw1: Lane<T>,
    /// Softmax shares of the width: of the bins before, of the bin.
    width_before: Lane<T>,
    width_share: Lane<T>,
    height_before: Lane<T>,
    height_share: Lane<T>,
}

impl Spline {
    /// `n_bins` ≥ 1 bins on [−`bound`, `bound`].
    pub fn new(n_bins: usize, bound: f64) -> Self {
        Self { n_bins, bound }
    }

    /// Raw parameters of one spline: 3K − 1.
    pub fn n_raw(&self) -> usize {
        3 * self.n_bins - 1
    }

    /// The spline with these raw parameters at one point: z and log dz/dx.
    pub fn evaluate(&self, raw: &[f64], x: f64) -> (f64, f64) {
        let (mut raw, mut z, mut ladj) = (raw.to_vec(), [x], [0.0]);
        self.forward(&mut raw, &mut z, &mut ladj);
        (z[0], ladj[0])
    }

    /// Raw parameters of the spline through given knots (K + 1 of them, on ±B at the ends, with slope one there), or
    /// nothing where a bin or slope is smaller than the family allows.
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

    /// Finds each column's bin: by x where `by_x`, else by y.
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
        let mut at = Located {
            index: zero,
            x0: zero,
            y0: zero,
            width: zero,
            height: zero,
            raw0: zero,
            raw1: zero,
            width_before: zero,
            width_share: zero,
            height_before: zero,
            height_share: zero,
        };
        let (mut knot_x, mut knot_y) = ([-c.bound; LANES], [-c.bound; LANES]);
        let (mut width_before, mut height_before) = (zero, zero);
        let mut right = zero;
        for bin in 0..k {
            let (width_share, height_share) = (row(bin), row(k + bin));
            let left = right;
            right = if bin + 1 < k { row(2 * k + bin) } else { zero };
            let index = T::from_f64(bin as f64);
            for i in 0..LANES {
                let width = c.min_width + c.shared_width * width_share[i];
                let height = c.min_width + c.shared_width * height_share[i];
                let knot = if by_x { knot_x[i] } else { knot_y[i] };
                let here = v[i] >= knot;
                let pick = |new: T, old: T| if here { new } else { old };
                at.index[i] = pick(index, at.index[i]);
                at.x0[i] = pick(knot_x[i], at.x0[i]);
                at.y0[i] = pick(knot_y[i], at.y0[i]);
                at.width[i] = pick(width, at.width[i]);
                at.height[i] = pick(height, at.height[i]);
                at.raw0[i] = pick(left[i], at.raw0[i]);
                at.raw1[i] = pick(right[i], at.raw1[i]);
                at.width_before[i] = pick(width_before[i], at.width_before[i]);
                at.width_share[i] = pick(width_share[i], at.width_share[i]);
                at.height_before[i] = pick(height_before[i], at.height_before[i]);
                at.height_share[i] = pick(height_share[i], at.height_share[i]);
                knot_x[i] += width;
                knot_y[i] += height;
                width_before[i] += width_share[i];
                height_before[i] += height_share[i];
            }
        }
        for i in 0..LANES {
            let inside = v[i] > -c.bound && v[i] < c.bound;
            at.index[i] = if inside { at.index[i] } else { -T::one() };
        }
        at
    }

    /// Replaces `x` by z and adds log dz/dx to `ladj`. The raw widths and heights are replaced by their softmax,
    /// which is what `backward` wants.
    ///
    /// # Shapes
    /// `raw: (3K − 1, n)`, `x: (n,)`, `ladj: (n,)`
    pub(crate) fn forward<T: Real>(&self, raw: &mut [T], x: &mut [T], ladj: &mut [T]) {
        let n = x.len();
        let c = self.constants::<T>();
        for start in (0..n).step_by(LANES) {
            self.softmax(raw, n, start);
            let mut v = load(x, start);
            let mut l = load(ladj, start);
            let at = self.locate(&c, raw, n, start, &v, true);
            for i in 0..LANES {
                let d0 = c.min_slope + (at.raw0[i] + c.slope_offset).softplus();
                let d1 = c.min_slope + (at.raw1[i] + c.slope_offset).softplus();
                let (z, log_slope) = evaluate(v[i] - at.x0[i], at.width[i], at.height[i], d0, d1);
                let inside = at.index[i] >= T::zero();
                v[i] = if inside { at.y0[i] + z } else { v[i] };
                l[i] += if inside { log_slope } else { T::zero() };
            }
            store(x, start, &v);
            store(ladj, start, &l);
        }
    }

    /// Replaces `z` by x; destroys `raw`.
    pub(crate) fn inverse<T: Real>(&self, raw: &mut [T], z: &mut [T]) {
        let n = z.len();
        let c = self.constants::<T>();
        for start in (0..n).step_by(LANES) {
            self.softmax(raw, n, start);
            let mut v = load(z, start);
            let at = self.locate(&c, raw, n, start, &v, false);
            for i in 0..LANES {
                if at.index[i] >= T::zero() {
                    let bin = Bin {
                        x0: at.x0[i],
                        x1: at.x0[i] + at.width[i],
                        y0: at.y0[i],
                        y1: at.y0[i] + at.height[i],
                        d0: c.min_slope + (at.raw0[i] + c.slope_offset).softplus(),
                        d1: c.min_slope + (at.raw1[i] + c.slope_offset).softplus(),
                    };
                    v[i] = bin.inverse(v[i]);
                }
            }
            store(z, start, &v);
        }
    }

    /// Replaces `gradient` = ∂L/∂z by ∂L/∂x and **overwrites** `d_raw` with ∂L/∂raw.
    ///
    /// # Shapes
    /// `raw: (3K − 1, n)` as `forward` left it, `x: (n,)` what `forward` was given, `ladj_gradient: (n,)`,
    /// `d_raw: (3K − 1, n)`
    pub(crate) fn backward<T: Real>(
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
            let zero = [T::zero(); LANES];
            let (mut g_x0, mut g_width, mut g_y0, mut g_height) = (zero, zero, zero, zero);
            let (mut g_raw0, mut g_raw1) = (zero, zero);
            for i in 0..LANES {
                let (r0, r1) = (at.raw0[i] + c.slope_offset, at.raw1[i] + c.slope_offset);
                let (d0, d1) = (c.min_slope + r0.softplus(), c.min_slope + r1.softplus());
                let p = differentiate(v[i] - at.x0[i], at.width[i], at.height[i], d0, d1, g[i], g_ladj[i]);
                let inside = at.index[i] >= T::zero();
                let only_inside = |value: T| if inside { value } else { T::zero() };
                g_y0[i] = only_inside(g[i]) * c.shared_width;
                g_x0[i] = -only_inside(p.t) * c.shared_width;
                g_width[i] = only_inside(p.width) * c.shared_width;
                g_height[i] = only_inside(p.height) * c.shared_width;
                g_raw0[i] = only_inside(p.d0) * r0.sigmoid();
                g_raw1[i] = only_inside(p.d1) * r1.sigmoid();
                g[i] = if inside { p.t } else { g[i] };
            }
            store(gradient, start, &g);
            // Through the softmax: ∂L/∂raw_j = s_j (g_j − Σ_m s_m g_m), where bins before the column's move its left
            // end and the bin itself its width.
            let mean_x = lane(|i| at.width_before[i] * g_x0[i] + at.width_share[i] * g_width[i]);
            let mean_y = lane(|i| at.height_before[i] * g_y0[i] + at.height_share[i] * g_height[i]);
            for bin in 0..k {
                let index = T::from_f64(bin as f64);
                let (share_x, share_y) = (load(&raw[row(bin)], start), load(&raw[row(k + bin)], start));
                let choose = |i: usize, before: T, own: T| {
                    let later = if index < at.index[i] { before } else { T::zero() };
                    if index == at.index[i] { own } else { later }
                };
                let dx = lane(|i| share_x[i] * (choose(i, g_x0[i], g_width[i]) - mean_x[i]));
                let dy = lane(|i| share_y[i] * (choose(i, g_y0[i], g_height[i]) - mean_y[i]));
                store(&mut d_raw[row(bin)], start, &dx);
                store(&mut d_raw[row(k + bin)], start, &dy);
                if bin + 1 < k {
                    // The knot between this bin and the next.
                    let ds = lane(|i| {
                        let as_left = if index + T::one() == at.index[i] { g_raw0[i] } else { T::zero() };
                        if index == at.index[i] { g_raw1[i] } else { as_left }
                    });
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

/// z − y₀ and log dz/dx at t = x − x₀; symbols as in [`crate::num::rational_quadratic`].
#[inline(always)]
fn evaluate<T: Real>(t: T, w: T, h: T, d0: T, d1: T) -> (T, T) {
    let s = h / w;
    let xi = t / w;
    let rest = T::one() - xi;
    let zeta = xi * rest;
    let inverse_denominator = T::one() / (s + (d0 + d1 - s - s) * zeta);
    let numerator = s * xi * xi + d0 * zeta;
    let slope_numerator = d1 * xi * xi + (s + s) * zeta + d0 * rest * rest;
    let ratio = s * inverse_denominator;
    (h * numerator * inverse_denominator, (ratio * ratio * slope_numerator).fast_ln())
}

/// ∂L/∂ of t, w, h, d₀, d₁.
struct Partials<T> {
    t: T,
    width: T,
    height: T,
    d0: T,
    d1: T,
}

/// Derivatives of L through z − y₀ = hN/D and ladj = 2 ln s + ln M − 2 ln D, where
///
/// ```text
/// s = h/w   ξ = t/w   ζ = ξ(1 − ξ)   N = sξ² + d₀ζ   D = s + (d₀ + d₁ − 2s)ζ   M = d₁ξ² + 2sζ + d₀(1 − ξ)²
/// ```
///
/// `g` = ∂L/∂z, `g_ladj` = ∂L/∂ladj.
#[inline(always)]
fn differentiate<T: Real>(t: T, w: T, h: T, d0: T, d1: T, g: T, g_ladj: T) -> Partials<T> {
    let two = T::one() + T::one();
    let inverse_w = T::one() / w;
    let s = h * inverse_w;
    let xi = t * inverse_w;
    let rest = T::one() - xi;
    let zeta = xi * rest;
    let bend = d0 + d1 - two * s;
    let inverse_d = T::one() / (s + bend * zeta);
    let n = s * xi * xi + d0 * zeta;
    let m = d1 * xi * xi + two * s * zeta + d0 * rest * rest;

    let g_n = g * h * inverse_d;
    let g_d = -g_n * n * inverse_d - two * g_ladj * inverse_d;
    let g_m = g_ladj / m;
    let g_s = two * g_ladj / s + g_n * xi * xi + g_d * (T::one() - two * zeta) + two * g_m * zeta;
    let g_zeta = g_n * d0 + g_d * bend + two * g_m * s;
    let g_xi = two * (g_n * s * xi + g_m * (d1 * xi - d0 * rest)) + g_zeta * (T::one() - two * xi);
    Partials {
        t: g_xi * inverse_w,
        width: -(g_s * s + g_xi * xi) * inverse_w,
        height: g * n * inverse_d + g_s * inverse_w,
        d0: g_n * zeta + g_d * zeta + g_m * rest * rest,
        d1: g_d * zeta + g_m * xi * xi,
    }
}
