//! The random draws that the simulation needs, on top of one ChaCha stream.

use rand::RngExt;

use crate::random::StreamRng;

/// A random stream with the distributions that the simulation uses.
#[derive(Debug)]
pub(super) struct Draw {
    rng: StreamRng,
    spare: Option<f64>,
}

impl Draw {
    pub(super) fn new(rng: StreamRng) -> Self {
        Self { rng, spare: None }
    }

    /// Draws a uniform number on [0, 1).
    pub(super) fn unit(&mut self) -> f64 {
        self.rng.random::<f64>()
    }

    /// Draws a uniform number on [low, high).
    pub(super) fn between(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Draws a uniform whole number below `n`.
    pub(super) fn below(&mut self, n: u64) -> u64 {
        (self.unit() * n as f64) as u64
    }

    /// Returns true with probability `p`.
    pub(super) fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Draws a standard normal number by the Box–Muller method. The second number of each pair is kept for
    /// the next call.
    pub(super) fn normal(&mut self) -> f64 {
        if let Some(z) = self.spare.take() {
            return z;
        }
        // 1 − u lies in (0, 1], so the logarithm is finite.
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        let (sin, cos) = (std::f64::consts::TAU * self.unit()).sin_cos();
        self.spare = Some(radius * sin);
        radius * cos
    }

    /// Draws one entry. All entries are equally likely.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.below(items.len() as u64) as usize]
    }

    /// Draws one entry with the given relative weights.
    pub(super) fn weighted<'a, T>(&mut self, items: &'a [T], weight: impl Fn(&T) -> f64) -> &'a T {
        let total: f64 = items.iter().map(&weight).sum();
        let mut left = self.unit() * total;
        for item in items {
            left -= weight(item);
            if left < 0.0 {
                return item;
            }
        }
        &items[items.len() - 1]
    }
}

/// A stationary first-order autoregression that is sampled at irregular times.
#[derive(Debug, Clone)]
pub(super) struct Drift {
    sd: f64,
    value: f64,
    hour: f64,
}

impl Drift {
    /// Hours after which the correlation has fallen to 1/e.
    const MEMORY_HOURS: f64 = 4.0;

    pub(super) fn new(sd: f64, draw: &mut Draw) -> Self {
        Self { sd, value: sd * draw.normal(), hour: 0.0 }
    }

    /// Returns the value at `hour`. The hours must not decrease between calls.
    pub(super) fn at(&mut self, hour: f64, draw: &mut Draw) -> f64 {
        let rho = (-(hour - self.hour).abs() / Self::MEMORY_HOURS).exp();
        self.value = rho * self.value + self.sd * (1.0 - rho * rho).sqrt() * draw.normal();
        self.hour = hour;
        self.value
    }
}

/// 1 / (1 + e^-x).
pub(super) fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// A smooth positive part, which is near 0 for x ≪ 0 and near x for x ≫ 0.
pub(super) fn positive(x: f64) -> f64 {
    (1.0 + (1.5 * x).exp()).ln() / 1.5
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Seed;

    #[test]
    fn normal_draws_have_unit_moments() {
        let mut draw = Draw::new(Seed(1).stream("test", 0));
        let x: Vec<f64> = (0..20_000).map(|_| draw.normal()).collect();
        let mean = x.iter().sum::<f64>() / 20_000.0;
        let variance = x.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
        // The bounds are four standard errors, 4/sqrt(n) and 4·sqrt(2/n).
        assert!(mean.abs() < 0.029 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }

    #[test]
    fn drift_keeps_its_spread_and_its_memory() {
        let mut draw = Draw::new(Seed(2).stream("test", 0));
        let mut drift = Drift::new(3.0, &mut draw);
        let x: Vec<f64> = (1..20_000).map(|h| drift.at(f64::from(h), &mut draw)).collect();
        let variance = x.iter().map(|v| v * v).sum::<f64>() / x.len() as f64;
        let lagged = x.windows(2).map(|w| w[0] * w[1]).sum::<f64>() / x.len() as f64;
        assert!((variance - 9.0).abs() < 1.2, "{variance}");
        assert!((lagged / variance - (-0.25f64).exp()).abs() < 0.05, "{lagged} {variance}");
    }

    #[test]
    fn weighted_choice_follows_the_weights() {
        let mut draw = Draw::new(Seed(3).stream("test", 0));
        let hits = (0..10_000).filter(|_| *draw.weighted(&[1.0, 3.0], |w| *w) == 3.0).count();
        assert!((7300..7700).contains(&hits), "{hits}");
    }
}
