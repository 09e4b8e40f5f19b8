//! The distribution of a level, with its hand-written gradient.
//!
//! ```text
//! P = (1 − ε) Σ_j w_j p_j + ε/L        w: softmax of K + 3 logits
//! p_k = σ(b) − σ(a)                    a, b = (y ∓ h − c − m)/s, h half of a step
//!                                      a = −∞ at level 0, b = ∞ at L − 1
//! p_{K+1} = [x = 0]    p_{K+2} = [x = L−1]    p_{K+3} = 1/L
//! r_j = (1 − ε) w_j p_j/P              S = Σ r_j
//! ∂ log P/∂ logit_j = r_j − w_j S
//! ∂ log P/∂ m_k = −(1 − ε) w_k/P · (σ'(b) − σ'(a))/s
//! ∂ log P/∂ log s_k = −(1 − ε) w_k/P · (b σ'(b) − a σ'(a))
//! ```
//!
//! Right of a component's middle, σ(−a) − σ(−b) takes the place of σ(b) − σ(a): the difference of two small
//! numbers keeps its digits, that of two numbers near 1 does not.

use crate::num::real::Real;
use crate::num::simd::vectorized;

/// Share ε that is spread evenly over all levels whatever the network says. It bounds a number's cost at
/// ln(L/ε), 17 nats for 256 levels, and a picture with one impossible number can still be ranked.
const SPREAD: f64 = 1e-5;
/// Components that are no logistic: the first level, the last, and all alike.
pub(super) const FIXED: usize = 3;
/// Smallest scale in half steps, where all of a component lies in one level; and the logarithm of the
/// largest.
const NARROWEST: f64 = 0.1;
const WIDEST: f64 = 0.7;
/// Stands for −∞ under σ.
const FAR: f64 = -60.0;

/// The numbers of a network's output for `components` logistics.
pub(super) fn n_outputs(components: usize) -> usize {
    FIXED + 3 * components
}

/// Bounds of log s for so many levels.
pub(super) fn log_scale_bounds(levels: u32) -> (f64, f64) {
    ((NARROWEST / f64::from(levels - 1)).ln(), WIDEST)
}

/// What the distributions are of: `n` numbers, each with its guess.
pub(super) struct Targets<'a, T> {
    /// The numbers on the scale from −1 to 1.
    pub(super) y: &'a [T],
    /// The guesses that the means count from.
    pub(super) guess: &'a [T],
    pub(super) levels: u32,
    /// Logistic components K.
    pub(super) components: usize,
}

/// Working memory: `(K + 3 + 3K + 2, n)`.
pub(super) fn n_scratch(components: usize) -> usize {
    FIXED + 4 * components + 2
}

/// Computes log P of each number from the network's output.
///
/// # Shapes
/// `out: (3 + 3K, n)`, `scratch: (n_scratch, n)`, `log_prob: (n,)`
pub(super) fn log_prob<T: Real>(targets: &Targets<'_, T>, out: &[T], scratch: &mut [T], log_prob: &mut [T]) {
    vectorized!(_F => forward(targets, out, scratch, log_prob));
}

/// **Overwrites** `d_out` with the gradient of Σ_i weight_i log P_i by the network's output, from what
/// [`log_prob`] left in `scratch`.
pub(super) fn gradient<T: Real>(
    targets: &Targets<'_, T>,
    out: &[T],
    scratch: &mut [T],
    weight: &[T],
    d_out: &mut [T],
) {
    vectorized!(_F => backward(targets, out, scratch, weight, d_out));
}

#[expect(clippy::inline_always, reason = "must become part of each copy for an instruction set")]
#[inline(always)]
fn forward<T: Real>(targets: &Targets<'_, T>, out: &[T], scratch: &mut [T], log_prob: &mut [T]) {
    let (n, k) = (targets.y.len(), targets.components);
    if n == 0 {
        return;
    }
    let j = k + FIXED;
    let (weights, rest) = scratch.split_at_mut(j * n);
    let (parts, rest) = rest.split_at_mut(3 * k * n);
    let (total, norm) = rest.split_at_mut(n);
    let norm = &mut norm[..n];
    let zero = T::zero();
    // Softmax.
    total.copy_from_slice(&out[..n]);
    for row in out[n..j * n].chunks_exact(n) {
        for (top, &logit) in total.iter_mut().zip(row) {
            *top = if logit > *top { logit } else { *top };
        }
    }
    norm.fill(zero);
    for (w, logits) in weights.chunks_exact_mut(n).zip(out.chunks_exact(n)) {
        for (((w, &logit), &top), norm) in w.iter_mut().zip(logits).zip(&*total).zip(norm.iter_mut()) {
            *w = (logit - top).fast_exp();
            *norm += *w;
        }
    }
    let kept = T::from_f64(1.0 - SPREAD);
    for norm in norm.iter_mut() {
        *norm = kept / *norm;
    }
    // From here on `weights` holds (1 − ε) w.
    for w in weights.chunks_exact_mut(n) {
        for (w, &norm) in w.iter_mut().zip(&*norm) {
            *w *= norm;
        }
    }
    let uniform = T::from_f64(1.0 / f64::from(targets.levels));
    let spread = T::from_f64(SPREAD / f64::from(targets.levels));
    let half = T::from_f64(1.0 / f64::from(targets.levels - 1));
    let (lowest, highest) = (half - T::one(), T::one() - half);
    {
        let fixed = &weights[k * n..];
        let (first, last, all) = (&fixed[..n], &fixed[n..2 * n], &fixed[2 * n..3 * n]);
        for i in 0..n {
            let y = targets.y[i];
            let of_first = if y < lowest { first[i] } else { zero };
            let of_last = if y > highest { last[i] } else { zero };
            total[i] = spread + of_first + of_last + all[i] * uniform;
        }
    }
    let (low, high) = log_scale_bounds(targets.levels);
    let (low, high) = (T::from_f64(low), T::from_f64(high));
    let far = T::from_f64(FAR);
    for c in 0..k {
        let mean = &out[(j + c) * n..(j + c + 1) * n];
        let log_scale = &out[(j + k + c) * n..(j + k + c + 1) * n];
        let w = &weights[c * n..(c + 1) * n];
        let (p, slopes) = parts[3 * c * n..3 * (c + 1) * n].split_at_mut(n);
        let (by_mean, by_scale) = slopes.split_at_mut(n);
        for i in 0..n {
            let y = targets.y[i];
            let s = log_scale[i];
            let s = if s < low { low } else { s };
            let s = if s > high { high } else { s };
            let inverse = (zero - s).fast_exp();
            let middle = (y - targets.guess[i] - mean[i]) * inverse;
            let width = half * inverse;
            let (is_first, is_last) = (y < lowest, y > highest);
            let turned = is_last || (!is_first && middle > zero);
            let sign = if turned { zero - T::one() } else { T::one() };
            let b = sign * middle + width;
            let a = sign * middle - width;
            let a = if is_first || is_last { far } else { a };
            let (above, below) = (b.sigmoid(), a.sigmoid());
            let (f_b, f_a) = (above * (T::one() - above), below * (T::one() - below));
            p[i] = above - below;
            by_mean[i] = sign * (f_a - f_b) * inverse;
            by_scale[i] = a * f_a - b * f_b;
            total[i] += w[i] * p[i];
        }
    }
    for (log_prob, &total) in log_prob.iter_mut().zip(&*total) {
        *log_prob = total.fast_ln();
    }
}

#[expect(clippy::inline_always, reason = "must become part of each copy for an instruction set")]
#[inline(always)]
fn backward<T: Real>(targets: &Targets<'_, T>, out: &[T], scratch: &mut [T], weight: &[T], d_out: &mut [T]) {
    let (n, k) = (targets.y.len(), targets.components);
    if n == 0 {
        return;
    }
    let j = k + FIXED;
    let (weights, rest) = scratch.split_at_mut(j * n);
    let (parts, rest) = rest.split_at_mut(3 * k * n);
    let (total, sum) = rest.split_at_mut(n);
    let sum = &mut sum[..n];
    let (zero, one) = (T::zero(), T::one());
    let uniform = T::from_f64(1.0 / f64::from(targets.levels));
    let spread = T::from_f64(SPREAD / f64::from(targets.levels));
    let half = T::from_f64(1.0 / f64::from(targets.levels - 1));
    let (lowest, highest) = (half - one, one - half);
    // S = (P − ε/L)/P; from here on `total` holds weight/P.
    for ((sum, total), &weight) in sum.iter_mut().zip(total.iter_mut()).zip(weight) {
        *sum = (*total - spread) / *total * weight;
        *total = weight / *total;
    }
    let kept = T::from_f64(1.0 / (1.0 - SPREAD));
    let (low, high) = log_scale_bounds(targets.levels);
    let (low, high) = (T::from_f64(low), T::from_f64(high));
    for c in 0..k {
        let w = &weights[c * n..(c + 1) * n];
        let (p, slopes) = parts[3 * c * n..3 * (c + 1) * n].split_at(n);
        let (by_mean, by_scale) = slopes.split_at(n);
        let log_scale = &out[(j + k + c) * n..(j + k + c + 1) * n];
        for i in 0..n {
            d_out[c * n + i] = w[i] * (p[i] * total[i] - kept * sum[i]);
        }
        for i in 0..n {
            d_out[(j + c) * n + i] = w[i] * total[i] * by_mean[i];
        }
        for i in 0..n {
            let inside = log_scale[i] > low && log_scale[i] < high;
            d_out[(j + k + c) * n + i] = if inside { w[i] * total[i] * by_scale[i] } else { zero };
        }
    }
    for (f, p) in [(k, 0), (k + 1, 1), (k + 2, 2)] {
        let w = &weights[f * n..(f + 1) * n];
        for i in 0..n {
            let y = targets.y[i];
            let of_first = if y < lowest { one } else { zero };
            let of_last = if y > highest { one } else { zero };
            let p = match p {
                0 => of_first,
                1 => of_last,
                _ => uniform,
            };
            d_out[f * n + i] = w[i] * (p * total[i] - kept * sum[i]);
        }
    }
}
