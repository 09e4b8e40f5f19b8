//! AdamW over one flat buffer: Adam with bias correction, and with weight decay that is applied to the
//! weights instead of the gradient.
//!
//! ```text
//! m ← β₁m + (1−β₁)g      v ← β₂v + (1−β₂)g²
//! θ ← θ − η·r·( m̂/(√v̂ + ε) + λθ )          m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ); λ = 0 outside weight matrices
//! ```
//!
//! Loshchilov & Hutter (2019), Decoupled Weight Decay Regularization, arXiv:1711.05101.

use std::ops::Range;

use crate::num::simd::vectorized;

/// A range of the buffer whose parameters are treated alike.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Group {
    pub(crate) range: Range<usize>,
    /// Weight decay λ.
    pub(crate) weight_decay: f32,
    /// Factor r on the learning rate.
    pub(crate) rate: f32,
}

const BETA1: f32 = 0.9;
const BETA2: f32 = 0.999;
const EPSILON: f32 = 1e-8;

/// Moving averages of the gradient and of its square, and the number of steps they have seen.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct AdamW {
    pub(crate) first: Vec<f32>,
    pub(crate) second: Vec<f32>,
    pub(crate) steps: u64,
}

impl AdamW {
    pub(crate) fn new(n: usize) -> Self {
        Self { first: vec![0.0; n], second: vec![0.0; n], steps: 0 }
    }

    /// Makes one step down `gradient`. The gradient is multiplied by `scale` on the way, which clips it.
    pub(crate) fn step(
        &mut self,
        parameters: &mut [f32],
        gradient: &[f32],
        scale: f32,
        learning_rate: f64,
        groups: &[Group],
    ) {
        self.steps += 1;
        let t = i32::try_from(self.steps).unwrap_or(i32::MAX);
        let correction1 = (1.0 - f64::from(BETA1).powi(t)) as f32;
        let correction2 = (1.0 - f64::from(BETA2).powi(t)) as f32;
        for group in groups {
            let r = group.range.clone();
            let rate = learning_rate as f32 * group.rate;
            let decay = rate * group.weight_decay;
            let moments = self.first[r.clone()].iter_mut().zip(&mut self.second[r.clone()]);
            let parameters = parameters[r.clone()].iter_mut().zip(&gradient[r]);
            vectorized!(_F => for ((p, g), (m, v)) in parameters.zip(moments) {
                let g = g * scale;
                *m = BETA1 * *m + (1.0 - BETA1) * g;
                *v = BETA2 * *v + (1.0 - BETA2) * g * g;
                let update = (*m / correction1) / ((*v / correction2).sqrt() + EPSILON);
                *p -= rate * update + decay * *p;
            });
        }
    }
}

/// Returns the Euclidean norm, computed in f64. Eight partial sums in a fixed order let the compiler use
/// vector instructions.
pub(crate) fn norm(gradient: &[f32]) -> f64 {
    let mut lanes = [0.0_f64; 8];
    let mut chunks = gradient.chunks_exact(8);
    for chunk in &mut chunks {
        for (lane, g) in lanes.iter_mut().zip(chunk) {
            *lane += f64::from(*g) * f64::from(*g);
        }
    }
    let rest: f64 = chunks.remainder().iter().map(|g| f64::from(*g) * f64::from(*g)).sum();
    (lanes.iter().sum::<f64>() + rest).sqrt()
}

/// Returns the factor that brings a gradient of this norm down to `limit`.
pub(crate) fn clip_factor(norm: f64, limit: f64) -> f32 {
    if norm > limit { (limit / norm) as f32 } else { 1.0 }
}

/// How far back the average of the parameters reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Averaging {
    /// Decay factor per step.
    pub(crate) decay: f64,
    /// Whether the memory is short at first, while the parameters still move fast.
    pub(crate) short_at_first: bool,
}

/// Exponential moving average of the parameters.
///
/// ```text
/// ē ← a·ē + (1−a)·θ,    a = min(decay, (1+t)/(10+t)) with a memory that is short at first, else a = decay
/// ```
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Average {
    pub(crate) values: Vec<f32>,
    pub(crate) updates: u64,
}

impl Average {
    pub(crate) fn new(parameters: &[f32]) -> Self {
        Self { values: parameters.to_vec(), updates: 0 }
    }

    pub(crate) fn update(&mut self, parameters: &[f32], averaging: Averaging) {
        let t = self.updates as f64;
        let longest = if averaging.short_at_first { (1.0 + t) / (10.0 + t) } else { 1.0 };
        let weight = (1.0 - averaging.decay.min(longest)) as f32;
        let pairs = self.values.iter_mut().zip(parameters);
        vectorized!(_F => for (e, p) in pairs {
            *e += weight * (p - *e);
        });
        self.updates += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(n: usize, weight_decay: f32) -> Vec<Group> {
        vec![Group { range: 0..n, weight_decay, rate: 1.0 }]
    }

    /// The first two steps are worked out by hand from the formulas above. With bias correction the first
    /// step is η·sign(g).
    #[test]
    fn steps_agree_with_the_formula() {
        let mut adam = AdamW::new(2);
        let mut p = [1.0_f32, -2.0];
        adam.step(&mut p, &[0.5, -4.0], 1.0, 0.1, &group(2, 0.0));
        assert!((p[0] - 0.9).abs() < 1e-6 && (p[1] + 1.9).abs() < 1e-6, "{p:?}");
        adam.step(&mut p, &[0.1, 0.0], 1.0, 0.1, &group(2, 0.0));
        // m̂ = (0.9·0.05 + 0.01)/0.19 = 0.289474, v̂ = (0.999·0.00025 + 0.00001)/0.001999 = 0.129940.
        assert!((p[0] - (0.9 - 0.1 * 0.289_474 / 0.129_940_f32.sqrt())).abs() < 1e-5, "{p:?}");
    }

    #[test]
    fn decay_shrinks_weights_without_gradient_and_spares_the_rest() {
        let mut adam = AdamW::new(2);
        let mut p = [1.0_f32, 1.0];
        let groups = [
            Group { range: 0..1, weight_decay: 0.5, rate: 1.0 },
            Group { range: 1..2, weight_decay: 0.0, rate: 1.0 },
        ];
        adam.step(&mut p, &[0.0, 0.0], 1.0, 0.1, &groups);
        assert_eq!(p, [0.95, 1.0]);
    }

    #[test]
    fn a_quadratic_is_minimised() {
        let mut adam = AdamW::new(3);
        let mut p = [3.0_f32, -1.0, 0.5];
        for _ in 0..2000 {
            let g: Vec<f32> = p.iter().enumerate().map(|(i, x)| (i + 1) as f32 * (x - 1.0)).collect();
            adam.step(&mut p, &g, 1.0, 0.01, &group(3, 0.0));
        }
        assert!(p.iter().all(|x| (x - 1.0).abs() < 1e-3), "{p:?}");
    }

    #[test]
    fn clipping_keeps_direction_and_bounds_length() {
        let g = [3.0_f32, 4.0];
        assert!((norm(&g) - 5.0).abs() < 1e-12);
        assert!((f64::from(clip_factor(norm(&g), 1.0)) * norm(&g) - 1.0).abs() < 1e-6);
        assert_eq!(clip_factor(norm(&g), 10.0), 1.0);
        assert!(norm(&[1.0, f32::NAN]).is_nan());
    }

    #[test]
    fn average_follows_at_once_and_smooths_later() {
        let averaging = Averaging { decay: 0.999, short_at_first: true };
        let mut a = Average::new(&[0.0]);
        a.update(&[1.0], averaging);
        assert!((a.values[0] - 0.9).abs() < 1e-6);
        a.updates = 1_000_000;
        a.update(&[1.9], averaging);
        assert!((a.values[0] - 0.901).abs() < 1e-6);
        let mut steady = Average::new(&[0.0]);
        steady.update(&[1.0], Averaging { short_at_first: false, ..averaging });
        assert!((steady.values[0] - 0.001).abs() < 1e-6);
    }
}
