//! How far out a single value lies among the training values of its column.

mod onnx;

use crate::features::{FittedColumn, Noise, QUANTILE_LEVELS, Transform};

impl FittedColumn {
    /// How far out a number lies among the training values, in nats: −ln(2·min(F, 1 − F)). Beyond the 1 % and
    /// 99 % training quantiles, where the stored quantiles say nothing, the tail is the exponential through
    /// the outer two. Of a level of text, which lies nowhere, how rare it is.
    pub fn surprise(&self, x: f64) -> f64 {
        if let (Transform::Levels(levels), false) = (&self.transform, self.levels.is_empty()) {
            return levels.rarity(x);
        }
        let resolution = if let Noise::Uniform { delta } = self.noise { delta } else { 1.0 };
        surprise(&self.quantiles, x, resolution)
    }
}

/// `quantiles` at [`QUANTILE_LEVELS`]; `resolution` stands for the scale of a column without any.
fn surprise(quantiles: &[f64], x: f64, resolution: f64) -> f64 {
    let Some(&median) = quantiles.get(QUANTILE_LEVELS.len() / 2) else { return 0.0 };
    let side = if x < median { -1.0 } else { 1.0 };
    // (tail probability, distance of x beyond its quantile), from the outermost stored tail to the median.
    // This is done for every number of every record that is flagged, so that nothing is put on the heap.
    let mut tails = [(0.0, 0.0); QUANTILE_LEVELS.len()];
    let mut n = 0;
    let levels = quantiles.len().min(QUANTILE_LEVELS.len());
    for k in 0..levels {
        let at = if side > 0.0 { levels - 1 - k } else { k };
        let (p, q) = (QUANTILE_LEVELS[at], quantiles[at]);
        let tail = if side > 0.0 { 1.0 - p } else { p };
        if tail > 0.0 && tail <= 0.5 + 1e-12 {
            tails[n] = (tail, side * (x - q));
            n += 1;
        }
    }
    let tails = &tails[..n];
    let (outer, beyond) = tails[0];
    if let Some(at) = tails.iter().rposition(|t| t.1 == 0.0) {
        // On stored quantiles: of several, the largest tail.
        return -(2.0 * tails[at].0).min(1.0).ln();
    }
    if beyond < 0.0 {
        // Between two: linear in F. The median's distance is not negative.
        let next = tails.iter().position(|t| t.1 > 0.0).unwrap_or(tails.len() - 1).max(1);
        let ((a, left), (b, right)) = (tails[next - 1], tails[next]);
        return -(2.0 * (a + (b - a) * -left / (right - left))).min(1.0).ln();
    }
    // Where ties make the outer quantiles equal, the next pair inwards.
    let scale = tails[1..]
        .iter()
        .map(|(tail, distance)| (distance - beyond) / (tail / outer).ln())
        .find(|s| *s > 0.0)
        .unwrap_or(resolution);
    -(2.0 * outer).ln() + beyond / scale
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of N(0, 1), from R 4.4 `qnorm`; the ends are those of about 10,000 values.
    const NORMAL: [f64; 13] =
        [-3.8, -2.3263, -1.96, -1.6449, -1.2816, -0.6745, 0.0, 0.6745, 1.2816, 1.6449, 1.96, 2.3263, 3.8];

    #[test]
    fn surprise_is_the_log_tail_inside_and_grows_steadily_outside() {
        for (x, tail) in [(1.6449, 0.05), (-1.6449, 0.05), (2.3263, 0.01), (0.0, 0.5), (0.6745, 0.25)] {
            assert!((surprise(&NORMAL, x, 1.0) + f64::ln(2.0 * tail)).abs() < 1e-9, "{x}");
        }
        let values: Vec<f64> = (0..100).map(|i| surprise(&NORMAL, 0.1 * f64::from(i), 1.0)).collect();
        assert!(
            values.windows(2).all(|w| w[1] > w[0] && w[1] < w[0] + 1.0) && values[99] > 15.0,
            "{values:?}"
        );
        for i in 0..60 {
            let x = 0.1 * f64::from(i);
            assert!((surprise(&NORMAL, x, 1.0) - surprise(&NORMAL, -x, 1.0)).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn ties_and_constants_have_a_scale() {
        let constant = [2.0; 13];
        assert_eq!(surprise(&constant, 2.0, 0.5), 0.0);
        assert!((surprise(&constant, 3.0, 0.5) - (50_f64.ln() + 2.0)).abs() < 1e-9);
        // Nine in ten are zero.
        let mut zeros = [0.0; 13];
        zeros[9..].copy_from_slice(&[1.0, 2.0, 4.0, 9.0]);
        assert_eq!(surprise(&zeros, 0.0, 1.0), 0.0);
        assert!(surprise(&zeros, 40.0, 1.0) > surprise(&zeros, 4.0, 1.0));
        assert!((surprise(&zeros, -1.0, 1.0) - (50_f64.ln() + 1.0)).abs() < 1e-9);
        assert_eq!(surprise(&[], 1.0, 1.0), 0.0);
    }
}
