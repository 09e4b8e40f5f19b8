//! Butterfly layers and splines against values computed with public implementations in f64.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;

use cohort_flow::flow::butterfly::{ButterflyLayer, Parametrisation, Radix2};
use cohort_flow::flow::spline::Spline;
use cohort_flow::flow::{Bijector, Tape};
use cohort_flow::num::rational_quadratic::Bin;
use serde_json::Value;

use crate::support::shared;

/// The cases of a reference file: those of the repository, and those of the shared data where they are at
/// hand.
fn cases(name: &str) -> Vec<Value> {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flow").join(name);
    let files = std::iter::once(own).chain(shared(&format!("reference/{name}")));
    let cases = files.flat_map(|path| {
        let file: Value = serde_json::from_slice(&fs::read(path).unwrap()).unwrap();
        file["cases"].as_array().unwrap().clone()
    });
    cases.collect()
}

/// All numbers of a nested array, in order.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        other => vec![other.as_f64().unwrap()],
    }
}

/// A matrix given by rows of records, feature-major.
fn feature_major(value: &Value) -> (Vec<f64>, usize) {
    let rows: Vec<Vec<f64>> = value.as_array().unwrap().iter().map(numbers).collect();
    let (n, d) = (rows.len(), rows[0].len());
    ((0..d * n).map(|i| rows[i % n][i / n]).collect(), n)
}

#[track_caller]
fn assert_close(got: &[f64], want: &[f64], tolerance: f64, what: &str) {
    assert_eq!(got.len(), want.len(), "{what}");
    for (g, w) in got.iter().zip(want) {
        assert!((g - w).abs() <= tolerance * w.abs().max(1.0), "{what}: {g}, reference {w}");
    }
}

/// weights[block][half of input p][k][half of output q] → for each block and k: a, b, c, d, where the
/// output's first half is a·first + b·second.
fn matrices(weights: &Value) -> Vec<f64> {
    let mut out = Vec::new();
    for block in weights.as_array().unwrap() {
        for k in 0..block[0].as_array().unwrap().len() {
            let entry = |p: usize, q: usize| block[p][k][q].as_f64().unwrap();
            out.extend([entry(0, 0), entry(1, 0), entry(0, 1), entry(1, 1)]);
        }
    }
    out
}

#[test]
fn butterfly_layers_agree_with_the_reference_implementation() {
    // 1e-9 is the project's promise; sums over 5 records and 8 stages in f64 stay far below.
    let tolerance = 1e-9;
    let cases = cases("butterfly_layers.json");
    assert!(!cases.is_empty());
    for case in cases {
        let options = Radix2 {
            levels: case["layers"].as_u64().unwrap() as usize,
            coarsest_last: case["order"] == "level 0 last",
            both_directions: case["bi_direction"].as_bool().unwrap(),
            share_weights: case["share_weights"].as_bool().unwrap(),
        };
        let what = format!("dim {} {options:?}", case["dim"]);
        let d = case["dim"].as_u64().unwrap() as usize;
        let layer = ButterflyLayer::radix2(d, options, Parametrisation::Raw);
        let stages = case["stages"].as_array().unwrap();
        assert_eq!(layer.n_stages(), stages.len(), "{what}");
        let parameters: Vec<f64> = stages.iter().flat_map(|s| matrices(&s["weights"])).collect();
        assert_eq!(parameters.len(), 4 * layer.n_matrices(), "{what}");

        let (x, n) = feature_major(&case["x"]);
        let (mut z, mut ladj, mut tape) = (x.clone(), vec![0.0; n], Tape::default());
        layer.forward(&parameters, &mut z, &mut ladj, &mut tape, None);
        assert_close(&z, &feature_major(&case["y"]).0, tolerance, &format!("{what}: y"));
        assert_close(&ladj, &numbers(&case["log_abs_det"]), tolerance, &format!("{what}: log|det|"));

        let (mut gradient, _) = feature_major(&case["grad_y"]);
        let mut d_parameters = vec![0.0; parameters.len()];
        let d_ladj = numbers(&case["grad_log_abs_det"]);
        layer.backward(&parameters, &mut tape, &mut gradient, &d_ladj, &mut d_parameters);
        assert_close(&gradient, &feature_major(&case["grad_x"]).0, tolerance, &format!("{what}: ∂x"));
        let want: Vec<f64> = case["grad_weights"].as_array().unwrap().iter().flat_map(matrices).collect();
        assert_close(&d_parameters, &want, tolerance, &format!("{what}: ∂weights"));

        layer.inverse(&parameters, &mut z, &mut tape).unwrap();
        assert_close(&z, &x, tolerance, &format!("{what}: inverse"));
    }
}

#[test]
fn rational_quadratic_bins_agree_with_flowjax_and_zuko() {
    let mut n_inside = 0;
    for case in cases("rational_quadratic_spline.json") {
        let bound = case["bound"].as_f64().unwrap();
        let (x, y, ladj) = (numbers(&case["x"]), numbers(&case["y"]), numbers(&case["ladj"]));
        for i in 0..x.len() {
            let row = |name: &str| numbers(&case[name][i]);
            let (knots_x, knots_y, slopes) = (row("knots_x"), row("knots_y"), row("slopes"));
            if x[i] <= -bound || x[i] >= bound {
                // Identity tails on both sides of the comparison.
                assert_close(&[x[i], 0.0], &[y[i], ladj[i]], 1e-12, "tail");
                continue;
            }
            n_inside += 1;
            let k = knots_x.windows(2).position(|w| w[0] <= x[i] && x[i] < w[1]).unwrap();
            let bin = Bin {
                x0: knots_x[k],
                x1: knots_x[k + 1],
                y0: knots_y[k],
                y1: knots_y[k + 1],
                d0: slopes[k],
                d1: slopes[k + 1],
            };
            let (value, derivative) = bin.value_and_derivative(x[i]);
            assert_close(&[value, derivative.ln()], &[y[i], ladj[i]], 1e-9, &format!("x = {}", x[i]));
            assert_close(&[bin.inverse(y[i])], &[x[i]], 1e-9, "inverse");
        }
    }
    assert!(n_inside > 80, "{n_inside}");
}

/// The flow's vectorised kernel on the reference's knots: raw parameters are recovered from widths, heights,
/// slopes.
#[test]
fn the_flow_spline_agrees_with_flowjax_and_zuko_on_their_knots() {
    let mut n_compared = 0;
    for case in cases("rational_quadratic_spline.json") {
        let n_bins = case["bins"].as_u64().unwrap() as usize;
        let spline = Spline::new(n_bins, case["bound"].as_f64().unwrap());
        let (x, y, ladj) = (numbers(&case["x"]), numbers(&case["y"]), numbers(&case["ladj"]));
        for i in 0..x.len() {
            let row = |name: &str| numbers(&case[name][i]);
            // A knot sequence below this family's smallest bin has no raw parameters.
            let Some(raw) = spline.raw_from_knots(&row("knots_x"), &row("knots_y"), &row("slopes")) else {
                continue;
            };
            n_compared += 1;
            let (value, log_slope) = spline.evaluate(&raw, x[i]);
            assert_close(&[value, log_slope], &[y[i], ladj[i]], 1e-9, &format!("x = {}", x[i]));
        }
    }
    assert!(n_compared > 80, "{n_compared}");
}
