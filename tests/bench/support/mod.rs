//! What the benches of learned layers share: normal numbers and Adam.

use cohort_flow::num::special::normal_quantile;
use cohort_flow::random::StreamRng;
use rand::Rng;

/// A standard normal number.
pub(crate) fn normal(rng: &mut StreamRng) -> f32 {
    normal_quantile(((rng.next_u64() >> 11) as f64 + 0.5) * 2f64.powi(-53)) as f32
}

/// Adam that climbs, with clipping at norm 5 and a learning rate that falls to zero as a cosine.
pub(crate) struct Adam {
    first: Vec<f32>,
    second: Vec<f32>,
    steps: usize,
    step: usize,
    rate: f32,
}

impl Adam {
    pub(crate) fn new(n: usize, steps: usize, rate: f32) -> Self {
        Self { first: vec![0.0; n], second: vec![0.0; n], steps, step: 0, rate }
    }

    pub(crate) fn climb(&mut self, parameters: &mut [f32], gradient: &[f32]) {
        let norm = gradient.iter().map(|g| g * g).sum::<f32>().sqrt();
        let clip = (5.0 / norm).min(1.0);
        let share = self.step as f32 / self.steps as f32;
        let rate = self.rate * 0.5 * (1.0 + (std::f32::consts::PI * share).cos());
        self.step += 1;
        let t = self.step as i32;
        let (bias1, bias2) = (1.0 - 0.9f32.powi(t), 1.0 - 0.999f32.powi(t));
        for (i, p) in parameters.iter_mut().enumerate() {
            let g = clip * gradient[i];
            self.first[i] = 0.9 * self.first[i] + 0.1 * g;
            self.second[i] = 0.999 * self.second[i] + 0.001 * g * g;
            *p += rate * (self.first[i] / bias1) / ((self.second[i] / bias2).sqrt() + 1e-8);
        }
    }
}
