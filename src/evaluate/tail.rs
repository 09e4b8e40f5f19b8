//! The upper tail of a measure among reference records, so that measures of unlike nature become comparable.

mod onnx;

use serde::{Deserialize, Serialize};

use crate::num::quantile::quantile_sorted;

/// Probabilities of the upper tail at which the reference is read, largest first.
const LEVELS: [f64; 18] =
    [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.15, 0.1, 0.07, 0.05, 0.03, 0.02, 0.01, 0.005, 0.002, 0.001];
/// A quantile with fewer reference records above it is chance.
const FEWEST: f64 = 10.0;
/// Where the arithmetic of a measure has left its range, a record is as unusual as this says, in nats.
const MOST: f64 = 1e9;

/// −ln P(a reference record has at least this value), by linear interpolation of quantiles. Beyond the last
/// of them the tail is taken for exponential, with a scale known from k reference records only, which makes
/// the next value's tail a Lomax distribution:
///
/// ```text
/// −ln P(excess ≥ x) = k ln(1 + x / (k m))        m: mean excess of the k reference records beyond
/// ```
///
/// With many of them it is x/m, and with few a large excess says less.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tail {
    /// (value, nats), both increasing; the first has 0 nats.
    knots: Vec<(f64, f64)>,
    /// Mean excess over the last value, above 0.
    excess: f64,
    /// Reference records beyond the last value, at least 1.
    beyond: f64,
}

impl Tail {
    /// Reads the tail off reference values, of which there is at least one.
    pub fn fit(mut reference: Vec<f64>) -> Self {
        reference.sort_by(f64::total_cmp);
        let n = reference.len() as f64;
        let mut knots = vec![(reference[0], 0.0)];
        let levels = LEVELS.iter().filter(|&&level| level * n >= FEWEST);
        let fallback = LEVELS[4];
        for &level in levels.chain((0.9 * n < FEWEST).then_some(&fallback)) {
            let value = quantile_sorted(&reference, 1.0 - level);
            match knots.last_mut() {
                // Of several levels with one value, the largest tail holds.
                Some(last) if value <= last.0 => {}
                _ => knots.push((value, -level.ln())),
            }
        }
        let last = knots[knots.len() - 1].0;
        let above = &reference[reference.partition_point(|&v| v <= last)..];
        let excess = above.iter().map(|v| v - last).sum::<f64>() / above.len() as f64;
        let excess = if excess > 0.0 && excess.is_finite() { excess } else { 1.0 };
        Self { knots, excess, beyond: above.len().max(1) as f64 }
    }

    /// How far up a value lies, in nats: 0 for the least reference value and below, 3 where one reference
    /// record in twenty has as much.
    pub fn nats(&self, value: f64) -> f64 {
        let next = self.knots.partition_point(|k| k.0 < value);
        let Some(&(right, upper)) = self.knots.get(next) else {
            let (last, nats) = self.knots[self.knots.len() - 1];
            let excess = (value - last) / self.excess / self.beyond;
            return (nats + self.beyond * excess.ln_1p()).min(MOST);
        };
        let Some(&(left, lower)) = next.checked_sub(1).map(|i| &self.knots[i]) else { return 0.0 };
        lower + (upper - lower) * (value - left) / (right - left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nats_are_minus_the_log_of_the_upper_tail() {
        let tail = Tail::fit((0..=1000).map(f64::from).collect());
        for (value, share) in [(500.0, 0.5), (900.0, 0.1), (990.0, 0.01)] {
            assert!((tail.nats(value) + f64::ln(share)).abs() < 1e-9, "{value}");
        }
        assert_eq!((tail.nats(0.0), tail.nats(-5.0)), (0.0, 0.0));
        // Above 990, the last quantile with ten records above it, those ten exceed it by 5.5 on average.
        assert!((tail.nats(1045.0) - (100.0_f64.ln() + 10.0 * 2.0_f64.ln())).abs() < 1e-9);
    }

    #[test]
    fn nats_never_fall_and_stay_finite() {
        for reference in [vec![1.0], vec![2.0; 30], vec![0.0, 0.0, 0.0, 5.0], vec![-1e12, 3.0, 4.0]] {
            let tail = Tail::fit(reference.clone());
            let values = [-1e300, -2.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 1e12, f64::INFINITY];
            let nats: Vec<f64> = values.iter().map(|&v| tail.nats(v)).collect();
            assert!(nats.windows(2).all(|w| w[1] >= w[0]), "{reference:?} {nats:?}");
            assert!(nats.iter().all(|n| (0.0..=MOST).contains(n)), "{reference:?} {nats:?}");
        }
    }
}
