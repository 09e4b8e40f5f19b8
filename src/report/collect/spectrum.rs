//! Power spectra of windows.

use std::f64::consts::TAU;

/// Bands of a spectrum: more cannot be told apart on a screen.
pub(super) const BANDS: usize = 128;

/// One-sided power spectral density of the values less their mean under a Hann window, without the constant.
/// A direct transform: of a few dozen windows a fast one would save less than a second.
pub(super) fn periodogram(x: &[f64], rate: f64) -> Vec<f64> {
    let n = x.len();
    let mean = x.iter().sum::<f64>() / n.max(1) as f64;
    let cosines: Vec<f64> = (0..n).map(|i| (TAU * i as f64 / n as f64).cos()).collect();
    let sines: Vec<f64> = (0..n).map(|i| (TAU * i as f64 / n as f64).sin()).collect();
    let hann = |i: usize| 0.5 - 0.5 * cosines[i];
    let tapered: Vec<f64> = x.iter().enumerate().map(|(i, v)| (v - mean) * hann(i)).collect();
    let norm = rate * (0..n).map(|i| hann(i) * hann(i)).sum::<f64>();
    (1..=n / 2)
        .map(|k| {
            let (mut re, mut im) = (0.0, 0.0);
            for (i, v) in tapered.iter().enumerate() {
                let at = i * k % n;
                re += v * cosines[at];
                im += v * sines[at];
            }
            // Frequencies below the highest stand for their negatives too.
            let sides = if 2 * k == n { 1.0 } else { 2.0 };
            sides * (re * re + im * im) / norm.max(f64::MIN_POSITIVE)
        })
        .collect()
}

/// Means over neighbouring frequencies.
pub(super) fn bands(power: &[f64]) -> Vec<f64> {
    let width = power.len().div_ceil(BANDS).max(1);
    power.chunks(width).map(|c| c.iter().sum::<f64>() / c.len() as f64).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sine_has_its_power_at_its_frequency() {
        // 8 Hz at 64 Hz over 4 s: bin 32 of 128; the density sums to the variance.
        let x: Vec<f64> = (0..256).map(|i| 3.0 * (TAU * 8.0 * f64::from(i) / 64.0).sin() + 5.0).collect();
        let p = periodogram(&x, 64.0);
        let peak = (0..p.len()).max_by(|&a, &b| p[a].total_cmp(&p[b])).unwrap();
        assert_eq!(peak + 1, 32);
        let power: f64 = p.iter().sum::<f64>() * 64.0 / 256.0;
        assert!((power - 4.5).abs() < 1e-6, "{power}");
    }
}
