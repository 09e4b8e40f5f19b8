use super::*;
use crate::num::moments::mean;

fn skewed(n: usize) -> Vec<f64> {
    (0..n).map(|i| (0.8 * normal_quantile((i as f64 + 0.5) / n as f64)).exp()).collect()
}

fn check(g: &NormalScore, at: impl IntoIterator<Item = f64>) {
    assert!(g.x.is_sorted_by(|a, b| a < b) && g.z.is_sorted_by(|a, b| a < b), "{g:?}");
    assert!(g.slope.iter().all(|s| *s > 0.0 && s.is_finite()), "{g:?}");
    for y in at {
        let (v, log) = g.forward(y);
        assert!(v.is_finite() && log.is_finite(), "{y}: {v} {log}");
        let back = g.inverse(v);
        let slack = 1e-9 * y.abs().max(1e-3) + 1e-12 * v.abs().max(1.0) / log.exp();
        assert!((back - y).abs() <= slack, "{y} → {v} → {back}");
        let e = 1e-5 * y.abs().max(1e-2);
        let numeric = (g.forward(y + e).0 - g.forward(y - e).0) / (2.0 * e);
        // Second derivatives jump at knots, hence the loose bound.
        assert!((numeric.ln() - log).abs() < 1e-3, "{y}: {} against {log}", numeric.ln());
    }
}

#[test]
fn derivative_and_inverse_agree_everywhere() {
    for n in [7, 100, 5_000] {
        let g = NormalScore::fit(&skewed(n)).unwrap();
        check(&g, (-50..200).map(|i| f64::from(i) * 0.113));
        check(&g, [-1e4, 1e3, 1e6]);
    }
}

#[test]
fn scores_of_the_training_values_are_standard_normal() {
    let values = skewed(2_000);
    let g = NormalScore::fit(&values).unwrap();
    let v: Vec<f64> = values.iter().map(|&y| g.forward(y).0).collect();
    let second: Vec<f64> = v.iter().map(|v| v * v).collect();
    assert!(mean(&v).abs() < 0.01 && (mean(&second) - 1.0).abs() < 0.02, "{} {}", mean(&v), mean(&second));
    assert!(v.iter().all(|v| v.abs() < 4.5));
}

#[test]
fn one_gross_outlier_moves_nothing_else() {
    for n in [60, 1_000] {
        let clean = skewed(n);
        let mut dirty = clean.clone();
        dirty[n - 1] = 1e30;
        let (a, b) = (NormalScore::fit(&clean).unwrap(), NormalScore::fit(&dirty).unwrap());
        for &y in &clean[..n - 1] {
            let ((va, la), (vb, lb)) = (a.forward(y), b.forward(y));
            assert!((va - vb).abs() < 0.5 && (la - lb).abs() < 3.0, "n {n}, {y}: {va} {vb} {la} {lb}");
        }
        let (v, log) = b.forward(1e30);
        assert!(v < 7.0 && log > -80.0, "{v} {log}");
        // Never met in training: far out, but nothing overflows.
        let (v, log) = a.forward(1e30);
        assert!(v > 20.0 && v < 120.0 && log > -80.0, "{v} {log}");
        assert!(b.forward(1e30).0 > b.forward(1e6).0 && b.forward(1e6).0 > b.forward(50.0).0);
    }
}

#[test]
fn heavy_point_masses_keep_their_probability() {
    // 0 in 80.4 % of 3,000, else 1 to 59; twelve months; 70 % at 100 and a tail below.
    let counts =
        (0..3_000).map(|i| if i < 2_412 { 0.0 } else { 1.0 + f64::from(i % 59) }).collect::<Vec<_>>();
    let months = (0..3_000).map(|i| f64::from(1 + i % 12)).collect::<Vec<_>>();
    let tops =
        (0..3_000).map(|i| if i < 2_100 { 100.0 } else { 100.0 - f64::from(1 + i % 30) }).collect::<Vec<_>>();
    for mut values in [counts, months, tops] {
        values.sort_by(f64::total_cmp);
        let tally = crate::features::noise::tally(&values);
        let noise = crate::features::Noise::Uniform { delta: 1.0 };
        let spread = noise.spread(&tally);
        let edges = noise.edges(&tally);
        assert!(!edges.is_empty());
        let g = NormalScore::fit_with_edges(&spread, &edges).unwrap();
        check(&g, []);
        for &(value, count) in tally.iter().filter(|t| t.1 >= 150) {
            let share = normal_cdf(g.forward(value + 0.5).0) - normal_cdf(g.forward(value - 0.5).0);
            let expected = count as f64 / 3_000.0;
            assert!((share - expected).abs() < 0.005, "{value}: {share} for {expected}");
        }
    }
}

#[test]
fn ties_without_noise_keep_the_map_strictly_monotone() {
    let mut values = vec![0.0; 600];
    values.extend((1..=300).map(|i| f64::from(i) / 30.0));
    values.extend([10.0; 100]);
    check(&NormalScore::fit(&values).unwrap(), (-20..130).map(|i| f64::from(i) * 0.1 + 0.013));
    let mut nearly_constant = vec![5.0; 999];
    nearly_constant.push(6.0);
    check(&NormalScore::fit(&nearly_constant).unwrap(), [4.0, 5.5, 7.0]);
    assert!(NormalScore::fit(&[3.0; 10]).is_none() && NormalScore::fit(&[]).is_none());
    check(&NormalScore::fit(&[1.0, 2.0]).unwrap(), [0.0, 1.2, 1.7, 3.0]);
}
