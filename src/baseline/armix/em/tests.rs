use std::path::Path;

use ndarray::{Array1, Array2};
use serde_json::Value;

use super::*;
use crate::random::Seed;

fn golden() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/armix/optimum.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn rows(golden: &Value) -> Rows {
    let given: Vec<Vec<f64>> = golden["x"].as_array().unwrap().iter().map(numbers).collect();
    let z = Array2::from_shape_fn((given.len(), 3), |(i, j)| match j {
        2 => golden["y"][i].as_f64().unwrap(),
        _ => given[i][j],
    });
    Rows::of(z.view(), &[0, 1], 2)
}

fn em(golden: &Value) -> Em {
    Em {
        kernel: Kernel::T(golden["degrees"].as_f64().unwrap()),
        ridge: golden["ridge"].as_f64().unwrap(),
        tolerance: 1e-13,
        max_iterations: 5_000,
    }
}

#[test]
fn one_expert_is_the_regression_that_a_general_optimiser_finds() {
    let golden = golden();
    let (experts, trace) = em(&golden).one(&rows(&golden)).unwrap();
    let expected = numbers(&golden["one"]["slopes"]);
    // 1e-5: how far the optimiser's own gradient of finite differences leads.
    for (ours, theirs) in experts.slopes().iter().zip(&expected) {
        assert!((ours - theirs).abs() < 1e-5, "{ours} {theirs}");
    }
    assert!((experts.scales()[0] - golden["one"]["scale"].as_f64().unwrap()).abs() < 1e-5);
    assert!((trace[trace.len() - 1] - golden["one"]["value"].as_f64().unwrap()).abs() < 1e-9);
}

#[test]
fn two_experts_reach_the_optimum_that_a_general_optimiser_finds() {
    let golden = golden();
    let rows = rows(&golden);
    let em = em(&golden);
    let (common, _) = em.one(&rows).unwrap();
    let labels: Vec<usize> = numbers(&golden["labels"]).into_iter().map(|l| l as usize).collect();
    let (experts, trace) = em.several(&rows, &common, &labels, 2).unwrap();
    let (ours, theirs) = (trace[trace.len() - 1], golden["two"]["value"].as_f64().unwrap());
    assert!((ours - theirs).abs() < 1e-6, "{ours} {theirs}");
    let mut scales = experts.scales().to_vec();
    scales.sort_by(f64::total_cmp);
    for (ours, theirs) in scales.iter().zip(numbers(&golden["two"]["scales"])) {
        assert!((ours - theirs).abs() < 1e-3, "{ours} {theirs}");
    }
}

#[test]
fn no_step_lowers_what_is_maximised() {
    let golden = golden();
    let rows = rows(&golden);
    let n = rows.y.len();
    for (ridge, kernel, k) in
        [(0.01, Kernel::T(3.0), 4), (5.0, Kernel::T(30.0), 3), (0.3, Kernel::Gaussian, 5)]
    {
        let em = Em { kernel, ridge, tolerance: 1e-12, max_iterations: 200 };
        let (common, of_one) = em.one(&rows).unwrap();
        // Labels that have nothing to do with the rows: a long way to go.
        let labels: Vec<usize> = (0..n).map(|i| (i * i) % k).collect();
        let (_, of_several) = em.several(&rows, &common, &labels, k).unwrap();
        assert!(of_several.len() > 10, "{of_several:?}");
        for trace in [of_one, of_several] {
            // 1e-12: rounding of sums of n terms near 1, divided by n.
            assert!(trace.windows(2).all(|w| w[1] >= w[0] - 1e-12), "{kernel:?} {k}: {trace:?}");
        }
    }
}

#[test]
fn a_column_that_repeats_a_value_or_another_column_has_a_bounded_density() {
    let mut rng = Seed(4).stream("test", 0);
    let mut uniform = || {
        use rand::RngExt;
        rng.random::<f64>()
    };
    let z = Array2::from_shape_fn((200, 2), |_| uniform());
    let copied = ndarray::concatenate![Axis(1), z, z.column(0).to_owned().insert_axis(Axis(1))];
    let mut constant = copied.clone();
    constant.column_mut(2).fill(0.0);
    for z in [copied, constant] {
        let rows = Rows::of(z.view(), &[0, 1], 2);
        let em = Em { kernel: Kernel::T(4.0), ridge: 0.03, tolerance: 1e-6, max_iterations: 300 };
        let (common, _) = em.one(&rows).unwrap();
        let labels: Vec<usize> = (0..200).map(|i| i % 3).collect();
        let (several, _) = em.several(&rows, &common, &labels, 3).unwrap();
        for experts in [common, several] {
            assert!(experts.scales().iter().all(|s| *s >= LEAST_SCALE), "{experts:?}");
            let log_prob = experts.log_prob(rows.x.view(), rows.y.view());
            // The largest density of a t distribution of this scale.
            let most = Kernel::T(4.0).log_norm(1) - LEAST_SCALE.ln();
            assert!(log_prob.iter().all(|l| l.is_finite() && *l <= most + 1e-9), "{log_prob}");
        }
    }
}

#[test]
fn experts_find_two_regimes() {
    let golden = golden();
    let rows = rows(&golden);
    let em = Em { ridge: 0.3, tolerance: 1e-6, ..em(&golden) };
    let (common, _) = em.one(&rows).unwrap();
    // Every other row, whatever its regime.
    let labels: Vec<usize> = (0..rows.y.len()).map(|i| usize::from(rows.x[[i, 1]] > 0.3)).collect();
    let (two, _) = em.several(&rows, &common, &labels, 2).unwrap();
    let mean = |e: &Experts| -> f64 { e.log_prob(rows.x.view(), rows.y.view()).mean().unwrap() };
    assert!(mean(&two) > mean(&common) + 0.3, "{} {}", mean(&two), mean(&common));
    let share: Array1<f64> = two.slopes().row(2).to_owned();
    // One regime rises with the second coordinate by 0.8, the other does not.
    let (low, high) = (share[0].min(share[1]), share[0].max(share[1]));
    assert!(low.abs() < 0.2 && (high - 0.8).abs() < 0.2, "{share}");
}
