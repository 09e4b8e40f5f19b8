use ndarray::{Array1, Array2, array};

use super::*;
use crate::features::Cell;
use crate::outlier::conditional::Expected;
use crate::outlier::testing::{
    DIASTOLIC, GLUCOSE, HEART_RATE, HEIGHT, Normal, SYSTOLIC, TEMPERATURE, Vitals, WEIGHT, features, patients,
};

/// An ordinary patient; tests spoil one value or two.
fn ordinary() -> Array1<f64> {
    array![37.1, 88.0, 124.0, 68.0, 82.0, 172.0, 126.0]
}

/// Explains under the true density; "after" compares with the χ²₇ that minus twice the standardised
/// log-density follows, whose 95 % quantile is 14.07.
fn explain(raw: &Array1<f64>) -> Explanation {
    let (density, features) = (Normal::vitals(), features());
    let explainer = Explainer::new(&density, &Vitals, &features);
    let at = |x: &Array1<f64>| explainer.density.log_prob(rows(x).view())[0];
    let mode = explainer.density.log_prob(Array2::zeros((1, 7)).view())[0];
    let distance = 2.0 * (mode - at(raw));
    let after =
        move |_: &[(usize, f64)], gain: Gain| if distance - 2.0 * gain.vector < 14.07 { 0.5 } else { 0.001 };
    explainer.explain(raw.as_slice().unwrap(), &after, 3, Seed(5))
}

fn rows(x: &Array1<f64>) -> Array2<f64> {
    let v =
        x.iter().enumerate().map(|(j, &x)| if x.is_nan() { 0.0 } else { Vitals.cell(j, x, 0.5).v }).collect();
    Array2::from_shape_vec((1, x.len()), v).unwrap()
}

fn with(changes: &[(usize, f64)]) -> Array1<f64> {
    let mut raw = ordinary();
    for &(j, x) in changes {
        raw[j] = x;
    }
    raw
}

#[test]
fn the_corrupted_feature_and_what_happened_to_it_are_named() {
    for (column, observed, pattern, truth, tolerance) in [
        (TEMPERATURE, 98.8, "°F", 37.1, 0.5),
        (WEIGHT, 180.8, "lb", 82.0, 8.0),
        (HEIGHT, 67.7, "inch", 172.0, 6.0),
        (WEIGHT, 820.0, "×10", 82.0, 8.0),
        (HEART_RATE, 8.8, "÷10", 88.0, 8.0),
        (GLUCOSE, 7.0, "mmol/L", 126.0, 15.0),
        (HEIGHT, 1.72, "m", 172.0, 6.0),
        (SYSTOLIC, -124.0, "sign", 124.0, 8.0),
    ] {
        let e = explain(&with(&[(column, observed)]));
        let first = &e.features[0];
        assert_eq!(first.column, column, "{pattern}: {e:?}");
        assert_eq!(first.pattern.as_ref().map(Pattern::to_string).as_deref(), Some(pattern), "{first:?}");
        assert!((first.suggested - truth).abs() < tolerance, "{first:?}");
        assert!((first.corrected.unwrap() / truth - 1.0).abs() < 0.02, "{first:?}");
        assert!(first.p_after > ORDINARY && e.pair.is_none());
        assert!(e.features.windows(2).all(|w| w[0].gain >= w[1].gain) && e.features.len() == 3);
    }
}

/// For a normal density the best replacement is the conditional mean, the gain half the squared standardised
/// residual, and the interval the conditional one: μ = 65 + 9·0.9·(118 − 120)/14, σ = 9·√(1 − 0.81).
#[test]
fn suggestion_gain_and_interval_match_the_conditional_normal() {
    let e = explain(&with(&[(DIASTOLIC, 100.0), (SYSTOLIC, 118.0)]));
    let first = e.features.iter().find(|f| f.column == DIASTOLIC).unwrap();
    let (mean, sd) = (65.0 + 9.0 * 0.9 * (118.0 - 120.0) / 14.0, 9.0 * 0.19_f64.sqrt());
    assert!((first.suggested - mean).abs() < 1.5, "{first:?}");
    let gain = 0.5 * ((100.0 - mean) / sd).powi(2);
    assert!((first.gain / gain - 1.0).abs() < 0.05, "{} {gain}", first.gain);
    let Expected::Range { low, high } = first.expected else { panic!("{first:?}") };
    assert!(
        (low - (mean - 1.645 * sd)).abs() < 1.5 && (high - (mean + 1.645 * sd)).abs() < 1.5,
        "{low} {high}"
    );
}

#[test]
fn exchanged_values_are_recognised() {
    let e = explain(&with(&[(SYSTOLIC, 68.0), (DIASTOLIC, 124.0)]));
    let mut columns = [e.features[0].column, e.features[1].column];
    columns.sort_unstable();
    assert_eq!(columns, [SYSTOLIC, DIASTOLIC]);
    for f in &e.features[..2] {
        assert!(matches!(f.pattern, Some(Pattern::Swapped(_))), "{f:?}");
        assert_eq!(f.suggested, if f.column == SYSTOLIC { 124.0 } else { 68.0 });
    }
    assert_eq!(e.features[0].gain, e.features[1].gain);
    let e = explain(&with(&[(WEIGHT, 172.0), (HEIGHT, 82.0)]));
    assert!(e.features[..2].iter().all(|f| matches!(f.pattern, Some(Pattern::Swapped(_)))), "{e:?}");
}

#[test]
fn possible_values_in_an_impossible_combination_are_reported_as_a_pair() {
    // Both within two standard deviations, together 4.9 off their regression line.
    let e = explain(&with(&[(SYSTOLIC, 145.0), (DIASTOLIC, 51.0)]));
    let pair = e.pair.expect("a pair");
    assert!(pair.either, "{pair:?}");
    let mut columns = pair.columns;
    columns.sort_unstable();
    assert_eq!(columns, [SYSTOLIC, DIASTOLIC]);
}

#[test]
fn two_independent_errors_are_reported_as_a_pair() {
    let e = explain(&with(&[(TEMPERATURE, 42.0), (GLUCOSE, 420.0)]));
    let pair = e.pair.expect("a pair");
    let mut columns = pair.columns;
    columns.sort_unstable();
    assert!(!pair.either && columns == [TEMPERATURE, GLUCOSE] && pair.p_after > ORDINARY, "{pair:?}");
}

#[test]
fn missing_features_are_never_named_and_empty_records_have_nothing_to_name() {
    let e = explain(&with(&[(TEMPERATURE, f64::NAN), (SYSTOLIC, f64::NAN), (WEIGHT, 800.0)]));
    assert_eq!(e.features[0].column, WEIGHT);
    assert!(e.features.iter().all(|f| f.column != TEMPERATURE && f.column != SYSTOLIC));
    assert_eq!(explain(&Array1::from_elem(7, f64::NAN)), Explanation::default());
    let one = Array1::from_shape_fn(7, |j| if j == WEIGHT { 800.0 } else { f64::NAN });
    assert_eq!(explain(&one).features.len(), 1);
}

/// Ordinary patients give no reason to name a pattern: of 100, few may be named by accident.
#[test]
fn patterns_are_rarely_named_on_ordinary_records() {
    let rows = patients(100, Seed(11));
    let named =
        rows.rows().into_iter().filter(|r| explain(&r.to_owned()).features[0].pattern.is_some()).count();
    assert!(named <= 5, "{named}");
}

#[test]
fn the_same_seed_gives_the_same_explanation() {
    let raw = with(&[(TEMPERATURE, 98.8)]);
    assert_eq!(explain(&raw), explain(&raw));
}

/// A density without support at the record: the gain is finite and the culprit still first.
#[test]
fn records_of_density_zero_are_explained() {
    struct Truncated(Normal);
    impl Density for Truncated {
        fn n_features(&self) -> usize {
            7
        }
        fn n_parameters(&self) -> usize {
            0
        }
        fn log_prob(&self, v: ndarray::ArrayView2<'_, f64>) -> Array1<f64> {
            let mut l = self.0.log_prob(v);
            for (l, row) in l.iter_mut().zip(v.rows()) {
                if row[GLUCOSE] > 6.0 {
                    *l = f64::NEG_INFINITY;
                }
            }
            l
        }
        fn sample(&self, n: usize, seed: Seed) -> Array2<f64> {
            self.0.sample(n, seed)
        }
    }
    let (density, features) = (Truncated(Normal::vitals()), features());
    let explainer = Explainer::new(&density, &Vitals, &features);
    let e = explainer.explain(with(&[(GLUCOSE, 1260.0)]).as_slice().unwrap(), &|_, _| 0.5, 2, Seed(1));
    assert_eq!(e.features[0].column, GLUCOSE);
    assert!(e.features[0].gain.is_finite());
    assert_eq!(e.features[0].pattern, Some(Pattern::Times(10.0)));
}

/// Mean, maximum and minimum of one thermometer, an independent pulse. The aggregates are so close to each
/// other that changing one alone gains nothing.
mod aggregates {
    use super::*;
    use crate::outlier::versions::Cells;

    struct Affine(Vec<(f64, f64)>);

    impl Cells for Affine {
        fn record(&self, raw: &[f64], _: Seed, _: u64) -> Vec<f64> {
            raw.iter()
                .enumerate()
                .map(|(j, &x)| if x.is_nan() { 0.0 } else { self.cell(j, x, 0.5).v })
                .collect()
        }
        fn cell(&self, feature: usize, x: f64, _: f64) -> Cell {
            let (mean, sd) = self.0[feature];
            Cell { v: (x - mean) / sd, log_det: -f64::ln(sd), log_noise: 0.0 }
        }
    }

    fn explain(raw: &[f64]) -> Explanation {
        let scales = vec![(37.6, 0.6), (36.4, 0.6), (37.0, 0.6), (110.0, 20.0), (95.0, 20.0)];
        let names = ["temperature_max", "temperature_min", "temperature_mean", "pulse_max", "pulse_mean"];
        let features: Vec<Feature> = features()
            .into_iter()
            .zip(names)
            .enumerate()
            .map(|(j, (f, name))| {
                let (mean, sd) = scales[j];
                let z = [-3.8, -2.33, -1.64, -1.28, -0.67, 0.0, 0.67, 1.28, 1.64, 2.33, 3.8];
                Feature {
                    name: name.into(),
                    unit: if j < 3 { "°C" } else { "/min" }.into(),
                    quantiles: f.quantiles.iter().zip(z).map(|(q, z)| (q.0, mean + sd * z)).collect(),
                    ..f
                }
            })
            .collect();
        let mut covariance = Array2::eye(5);
        for (i, j) in [(0, 1), (0, 2), (1, 2), (3, 4)] {
            covariance[(i, j)] = 0.95;
            covariance[(j, i)] = 0.95;
        }
        let density = Normal::new(&covariance);
        let cells = Affine(scales);
        let explainer = Explainer::new(&density, &cells, &features);
        explainer.explain(raw, &|_, gain| if gain.vector > 100.0 { 0.5 } else { 0.001 }, 3, Seed(2))
    }

    #[test]
    fn the_aggregates_of_a_variable_are_changed_together() {
        let e = explain(&[99.7, 97.5, 98.6, 112.0, 96.0]);
        let first = &e.features[0];
        assert_eq!(first.feature, "temperature_mean", "{e:?}");
        assert_eq!(first.pattern, Some(Pattern::Unit("°F".into())));
        assert!((first.corrected.unwrap() - 37.0).abs() < 0.06 && (first.suggested - 37.0).abs() < 0.5);
        assert_eq!(first.together, ["temperature_max", "temperature_min"]);
        // Its members are not listed again.
        assert!(e.features[1..].iter().all(|f| f.feature.starts_with("pulse")), "{e:?}");
    }

    #[test]
    fn one_wrong_aggregate_is_named_alone() {
        let e = explain(&[42.0, 36.4, 37.0, 112.0, 96.0]);
        assert_eq!(e.features[0].feature, "temperature_max");
        assert!(e.features[0].together.is_empty(), "{e:?}");
    }
}
