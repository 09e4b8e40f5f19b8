//! The normal-score map: a smooth monotone function through training quantiles (xₖ, Φ⁻¹(pₖ)).
//!
//! Between knots it is rational-quadratic with positive slopes, so value, derivative and inverse are
//! closed-form. Beyond the last knot it is linear for [`LINEAR_TAIL`] units of the coordinate, then
//! logarithmic: 1e30 in a column of heart rates becomes a coordinate below 100, not one whose square
//! overflows the f32 a flow is trained in.
//!
//! Heavy point masses keep their probability: at the ends of the interval that the noise of one fills, the
//! map passes through the exact quantile with the slope of the mass ([`Edge`]). A spline through quantiles
//! alone rounds such a corner off: of a count that is 0 in 80 % of the records it would leave 76 % within the
//! zero's interval.
//!
//! Choices were made by held-out likelihood on 104 PhysioNet 2012 columns (mean, last, minimum per stay, the
//! per-value likelihood bounded below at −20; nats per value, IQR units), n training values:
//!
//! ```text
//! knots ≈ n = 50  100    300    1000   4000    at n = 4000 and 2 n^⅓ knots
//! 1.5 n^⅓  −1.290 −1.220 −1.179 −1.156 −1.138   slopes: harmonic mean −1.148, geometric −1.139, as here −1.130
//! 2 n^⅓    −1.290 −1.221 −1.175 −1.148 −1.132   at n = 50: quantiles not averaged −1.314, averaged −1.290
//! 3 n^⅓    −1.307 −1.227 −1.170 −1.139 −1.125   at n = 50: end slope of the last bin −1.42, matched −1.31
//! 48       −1.405 −1.298 −1.183 −1.135 −1.132   (without averaging and slope weights)
//! ```
//!
//! # References
//! Durkan et al. (2019), Neural spline flows, arXiv:1906.04032.

use serde::{Deserialize, Serialize};

use crate::num::rational_quadratic::Bin;
use crate::num::special::{normal_cdf, normal_quantile};

/// Knots per cube root of the number of training values.
const KNOTS_PER_ROOT: f64 = 2.0;
/// Fewest and most knots.
const KNOTS: (usize, usize) = (4, 64);
/// Training values beyond each outermost quantile knot; fewer make the end depend on single patients.
const BEYOND_END: f64 = 5.0;
/// Length of the linear tails in units of the coordinate.
pub(super) const LINEAR_TAIL: f64 = 6.0;
/// A training extreme this many times farther out than the slope of its tail predicts gets knots of its own.
const FAR: f64 = 8.0;

/// Monotone map from original units to normal scores; see the module.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NormalScore {
    /// Knots in original units, strictly ascending, at least two.
    pub x: Vec<f64>,
    /// Their coordinates, strictly ascending.
    pub z: Vec<f64>,
    /// dz/dx there, positive.
    pub slope: Vec<f64>,
}

/// An end of the interval of a heavy point mass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Edge {
    /// Where.
    pub(super) at: f64,
    /// Width of the interval.
    pub(super) width: f64,
}

/// Densities beside an edge that differ by more than this are a jump, which takes a knot on either side.
const JUMP: f64 = 3.0;
/// Width of a jump as a share of the interval's width.
const JUMP_WIDTH: f64 = 0.02;

impl NormalScore {
    /// Fits to dequantised training values in ascending order; `None` when they do not spread.
    pub fn fit(sorted: &[f64]) -> Option<Self> {
        Self::fit_with_edges(sorted, &[])
    }

    /// As [`fit`](Self::fit), exact at the edges of heavy point masses.
    pub(super) fn fit_with_edges(sorted: &[f64], edges: &[Edge]) -> Option<Self> {
        let n = sorted.len();
        let (first, last) = (*sorted.first()?, *sorted.last()?);
        if first >= last {
            return None;
        }
        let (mut x, mut z) = quantile_knots(sorted);
        merge_ties(&mut x, &mut z, sorted);
        if x.len() < 2 {
            // Nearly everything sits at one place: a line through the extremes is what the data say.
            let end = normal_quantile(0.5 / n as f64);
            (x, z) = (vec![first, last], vec![end, -end]);
        }
        let mut exact = Vec::new();
        for knot in edges.iter().flat_map(|edge| edge.knots(sorted)) {
            insert_exact(&mut x, &mut z, &mut exact, knot);
        }
        let mut lower = Tail::fit(sorted.iter().rev().map(|v| -v), -x[0], -z[0], secant(&x, &z, 0), n);
        let mut upper =
            Tail::fit(sorted.iter().copied(), x[x.len() - 1], z[z.len() - 1], secant(&x, &z, x.len() - 2), n);
        let (n_lower, n_upper) = (lower.far.len(), upper.far.len());
        for (far_x, far_z) in lower.far.drain(..) {
            x.insert(0, -far_x);
            z.insert(0, -far_z);
        }
        for (far_x, far_z) in upper.far.drain(..) {
            x.push(far_x);
            z.push(far_z);
        }
        let k = x.len();
        let exact_slope = |at: f64| exact.iter().find(|e: &&Knot| e.x == at).map(|e| e.slope);
        let slope = (0..k)
            .map(|i| match i {
                i if exact_slope(x[i]).is_some() => exact_slope(x[i]).unwrap_or(1.0),
                0 => lower.end_slope,
                i if i == k - 1 => upper.end_slope,
                i => {
                    let (before, after) = (secant(&x, &z, i - 1).ln(), secant(&x, &z, i).ln());
                    let (w0, w1) = (x[i] - x[i - 1], x[i + 1] - x[i]);
                    // log-density interpolated between the middles of the bins; beside the knots of an
                    // outlier the widths differ by any number of decades and would leave a cliff, so there
                    // they count alike.
                    let weight = if i <= n_lower || i + 1 >= k - n_upper { 0.5 } else { w1 / (w0 + w1) };
                    (before * weight + after * (1.0 - weight)).exp()
                }
            })
            .collect();
        Some(Self { x, z, slope })
    }

    /// Coordinate of `y` and log dz/dy.
    #[inline]
    pub fn forward(&self, y: f64) -> (f64, f64) {
        let last = self.x.len() - 1;
        if y <= self.x[0] {
            let (t, log) = tail_forward(self.slope[0] * (self.x[0] - y));
            return (self.z[0] - t, self.slope[0].ln() + log);
        }
        if y >= self.x[last] {
            let (t, log) = tail_forward(self.slope[last] * (y - self.x[last]));
            return (self.z[last] + t, self.slope[last].ln() + log);
        }
        let i = self.x.partition_point(|&knot| knot <= y) - 1;
        let (bin, width, height) = self.bin(i);
        let (t, derivative) = bin.value_and_derivative((y - self.x[i]) / width);
        // Two logarithms would cost more than the rest; the product stays within range, being dz/dy.
        (self.z[i] + height * t, (derivative * (height / width)).ln())
    }

    /// The y whose coordinate is `v`.
    #[inline]
    pub fn inverse(&self, v: f64) -> f64 {
        let last = self.x.len() - 1;
        if v <= self.z[0] {
            return self.x[0] - tail_inverse(self.z[0] - v) / self.slope[0];
        }
        if v >= self.z[last] {
            return self.x[last] + tail_inverse(v - self.z[last]) / self.slope[last];
        }
        let i = self.z.partition_point(|&knot| knot <= v) - 1;
        let (bin, width, height) = self.bin(i);
        self.x[i] + width * bin.inverse((v - self.z[i]) / height)
    }

    /// Bin i scaled to the unit square: slopes relative to the secant neither over- nor underflow when
    /// squared.
    #[inline]
    fn bin(&self, i: usize) -> (Bin<f64>, f64, f64) {
        let (width, height) = (self.x[i + 1] - self.x[i], self.z[i + 1] - self.z[i]);
        let secant = height / width;
        let (d0, d1) = (self.slope[i] / secant, self.slope[i + 1] / secant);
        (Bin { x0: 0.0, x1: 1.0, y0: 0.0, y1: 1.0, d0, d1 }, width, height)
    }
}

/// t ↦ t for t ≤ L, L + ln(1 + t − L) beyond, with the logarithm of its derivative.
#[inline]
fn tail_forward(t: f64) -> (f64, f64) {
    if t <= LINEAR_TAIL {
        (t, 0.0)
    } else {
        let log = (t - LINEAR_TAIL).ln_1p();
        (LINEAR_TAIL + log, -log)
    }
}

#[inline]
fn tail_inverse(t: f64) -> f64 {
    // A model may draw any number; e^300 stays finite after division by every slope met in practice.
    if t <= LINEAR_TAIL { t } else { LINEAR_TAIL + (t - LINEAR_TAIL).min(300.0).exp_m1() }
}

fn secant(x: &[f64], z: &[f64], i: usize) -> f64 {
    (z[i + 1] - z[i]) / (x[i + 1] - x[i])
}

/// Quantiles at coordinates spaced evenly between the ends, each an average over the ranks that belong to its
/// knot.
fn quantile_knots(sorted: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let n = sorted.len() as f64;
    let k = ((KNOTS_PER_ROOT * n.cbrt()).round() as usize).clamp(KNOTS.0, KNOTS.1);
    let end = -normal_quantile(BEYOND_END.min(n / 6.0) / n);
    let step = 2.0 * end / (k - 1) as f64;
    let z: Vec<f64> = (0..k).map(|i| -end + step * i as f64).collect();
    let x = z
        .iter()
        .map(|&z| {
            // Mid-ranks: the r-th of n values (from 0) sits at probability (r + ½)/n.
            let rank = (normal_cdf(z) * n - 0.5).clamp(0.0, n - 1.0);
            let owned = 0.5 * n * (normal_cdf(z + 0.5 * step) - normal_cdf(z - 0.5 * step));
            // Half the ranks to the nearer end at most, so that the extremes never enter a quantile.
            let reach = owned.min(0.5 * rank).min(0.5 * (n - 1.0 - rank));
            (-4..=4).map(|j| at_rank(sorted, rank + reach * f64::from(j) / 4.0)).sum::<f64>() / 9.0
        })
        .collect();
    (x, z)
}

fn at_rank(sorted: &[f64], rank: f64) -> f64 {
    let below = (rank.floor() as usize).min(sorted.len() - 1);
    let (lo, hi) = (sorted[below], sorted[(below + 1).min(sorted.len() - 1)]);
    lo + (rank - below as f64) * (hi - lo)
}

/// Knots closer than rounding, or than a billionth of the spread, become one at the middle of their
/// coordinates.
fn merge_ties(x: &mut Vec<f64>, z: &mut Vec<f64>, sorted: &[f64]) {
    let n = sorted.len() as f64;
    let spread = at_rank(sorted, 0.95 * (n - 1.0)) - at_rank(sorted, 0.05 * (n - 1.0));
    let (mut merged_x, mut merged_z) = (Vec::with_capacity(x.len()), Vec::with_capacity(z.len()));
    let mut i = 0;
    while i < x.len() {
        let limit = x[i] + (1e-9 * spread).max(4.0 * f64::EPSILON * x[i].abs());
        let j = i + x[i..].iter().take_while(|&&v| v <= limit).count();
        let count = (j - i) as f64;
        merged_x.push(x[j - 1]);
        merged_z.push(z[i..j].iter().sum::<f64>() / count);
        i = j;
    }
    (*x, *z) = (merged_x, merged_z);
}

/// A knot that other knots make room for.
#[derive(Debug, Clone, Copy)]
struct Knot {
    x: f64,
    z: f64,
    slope: f64,
}

impl Edge {
    /// The knots that make the map exact here: one, or two where the density jumps.
    fn knots(&self, sorted: &[f64]) -> Vec<Knot> {
        let n = sorted.len() as f64;
        let below = |y: f64| sorted.partition_point(|&v| v < y) as f64 / n;
        let reach = 0.5 * self.width;
        let p = below(self.at);
        // Half a value where there is none: slopes have to be positive.
        let density = |share: f64| share.max(0.5 / n) / reach;
        let (left, right) = (density(p - below(self.at - reach)), density(below(self.at + reach) - p));
        let knot = |x: f64, p: f64, density: f64| {
            let z = normal_quantile(p);
            let slope = density / crate::num::special::normal_log_pdf(z).exp();
            (z.is_finite() && slope.is_finite() && slope > 0.0).then_some(Knot { x, z, slope })
        };
        let aside = JUMP_WIDTH * self.width;
        let pair = if left > JUMP * right {
            [knot(self.at, p, left), knot(self.at + aside, p + right * aside, right)]
        } else if right > JUMP * left {
            [knot(self.at - aside, p - left * aside, left), knot(self.at, p, right)]
        } else {
            [knot(self.at, p, (left * right).sqrt()), None]
        };
        pair.into_iter().flatten().collect()
    }
}

/// Puts a knot between the outermost ones and takes away those it leaves no room; not beyond the ends, nor in
/// disorder with another exact one.
fn insert_exact(x: &mut Vec<f64>, z: &mut Vec<f64>, exact: &mut Vec<Knot>, knot: Knot) {
    let last = x.len() - 1;
    let inside = knot.x > x[0] && knot.x < x[last] && knot.z > z[0] && knot.z < z[last];
    // A fifth of the usual distance of knots in z; in x whatever is not a rounding error.
    let near = 0.2 * (z[last] - z[0]) / last as f64;
    let in_order = |ax: f64, az: f64| (knot.x < ax && knot.z < az) || (knot.x > ax && knot.z > az);
    if !inside || exact.iter().any(|e| !in_order(e.x, e.z)) {
        return;
    }
    let is_exact = |at: f64| exact.iter().any(|e| e.x == at);
    let keep: Vec<usize> = (0..x.len())
        .filter(|&i| {
            let roomy = in_order(x[i], z[i]) && (knot.z - z[i]).abs() > near;
            roomy || i == 0 || i == last || is_exact(x[i])
        })
        .collect();
    *x = keep.iter().map(|&i| x[i]).collect();
    *z = keep.iter().map(|&i| z[i]).collect();
    let at = x.partition_point(|&v| v < knot.x);
    x.insert(at, knot.x);
    z.insert(at, knot.z);
    exact.push(knot);
}

/// The upper tail beyond the last quantile knot; the lower one is fitted to negated values.
struct Tail {
    /// Slope beyond the outermost knot.
    end_slope: f64,
    /// Knots for gross outliers among the training values, ascending.
    far: Vec<(f64, f64)>,
}

impl Tail {
    fn fit(ascending: impl Iterator<Item = f64>, x: f64, z: f64, secant: f64, n: usize) -> Self {
        let excess: Vec<f64> = ascending.map(|v| v - x).filter(|&t| t > 0.0).collect();
        let Some(&largest) = excess.last() else { return Self { end_slope: secant, far: Vec::new() } };
        let (m, n) = (excess.len() as f64, n as f64);
        // The median of the values beyond the knot is put at its own normal score: half of them may be
        // anything.
        let middle = -normal_quantile((0.5 * m / n).min(0.5)) - z;
        let typical = crate::num::quantile::quantile_sorted(&excess, 0.5);
        let slope = if middle > 0.05 && typical > 0.0 { middle / typical } else { secant };
        let top = -normal_quantile(0.5 / n);
        let reaching_top = (top - z) / largest;
        if reaching_top.is_nan() || reaching_top <= 0.0 || reaching_top >= slope {
            return Self { end_slope: slope, far: Vec::new() };
        }
        // Heavier than normal: the largest training value lands at its normal score.
        let knee = x + (top + 1.0 - z) / slope;
        if reaching_top >= slope / FAR || knee >= x + 0.5 * largest {
            return Self { end_slope: reaching_top, far: Vec::new() };
        }
        // Gross outliers: the ordinary slope up to one unit above the top score, then a flat bin out to the
        // extreme.
        let end_slope = 1.0 / (x + largest - knee);
        Self { end_slope, far: vec![(knee, top + 1.0), (x + largest, top + 2.0)] }
    }
}

#[cfg(test)]
mod tests;
