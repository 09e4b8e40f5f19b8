//! Weighted candidates: how many they are worth, and a choice of some of them.

use super::stable::log_sum_exp;

/// (Σw)²/Σw² of weights given by their logarithms: 0 where no candidate has weight.
pub fn effective_samples(log_weight: &[f64]) -> f64 {
    let largest = log_weight.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if !largest.is_finite() {
        return 0.0;
    }
    // Shifted first: of weights far out, sums and squares of logarithms would lose the difference.
    let (sum, squares) = log_weight.iter().fold((0.0, 0.0), |(sum, squares), w| {
        let w = (w - largest).exp();
        (sum + w, squares + w * w)
    });
    sum * sum / squares
}

/// k positions by weight, systematically, from a `start` that is uniform between 0 and 1: each is chosen as
/// often as its share of k, rounded up or down. Candidates are independent, so their order carries nothing.
pub fn systematic(log_weight: &[f64], k: usize, start: f64) -> Vec<usize> {
    let total = log_sum_exp(log_weight);
    let share = |w: f64| {
        if total.is_finite() { (w - total).exp() } else { 1.0 / log_weight.len() as f64 }
    };
    let mut chosen = Vec::with_capacity(k);
    let mut sum = 0.0;
    for (s, &w) in log_weight.iter().enumerate() {
        sum += share(w) * k as f64;
        while chosen.len() < k && start + (chosen.len() as f64) < sum {
            chosen.push(s);
        }
    }
    // Rounding may leave the sum a little below k.
    let last = log_weight.iter().rposition(|w| w.is_finite()).unwrap_or(0);
    chosen.resize(k, last);
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resampling_follows_the_weights() {
        let weights = [0.5_f64.ln(), f64::NEG_INFINITY, 0.125_f64.ln(), 0.375_f64.ln()];
        assert_eq!(systematic(&weights, 8, 0.3), [0, 0, 0, 0, 2, 3, 3, 3]);
        assert_eq!(effective_samples(&[0.0; 7]).round(), 7.0);
        assert_eq!(effective_samples(&[f64::NEG_INFINITY; 3]), 0.0);
    }
}
