//! The test that every layer must pass. It checks shapes, the inverse, the log-determinant against the
//! numerical Jacobian, the backward pass against central differences, and batches of 0 and 1 columns.

use super::bijector::{Bijector, Tape};
use super::draw::{standard_normal, uniform};
use crate::random::{Seed, StreamRng};

/// Step of the differences. Their truncation error is of order h⁴; their rounding error is about 1e-11 of the
/// scale of the function.
const STEP: f64 = 2e-5;
/// Tolerance of the comparison, which allows for functions with a scale of some thousands.
const TOLERANCE: f64 = 1e-6;

/// Computes f′(0) by the five-point formula (−f(2h) + 8f(h) − 8f(−h) + f(−2h)) / 12h.
pub(crate) fn derivative(f: impl Fn(f64) -> f64) -> f64 {
    (8.0 * (f(STEP) - f(-STEP)) - f(2.0 * STEP) + f(-2.0 * STEP)) / (12.0 * STEP)
}

/// Computes log|det| of a row-major matrix, by elimination with partial pivoting.
pub(crate) fn log_abs_det(mut a: Vec<f64>, d: usize) -> f64 {
    let mut log_det = 0.0;
    for k in 0..d {
        let pivot = (k..d).max_by(|&i, &j| a[i * d + k].abs().total_cmp(&a[j * d + k].abs())).unwrap();
        for c in 0..d {
            a.swap(k * d + c, pivot * d + c);
        }
        log_det += a[k * d + k].abs().ln();
        for i in k + 1..d {
            let factor = a[i * d + k] / a[k * d + k];
            for c in k..d {
                a[i * d + c] -= factor * a[k * d + c];
            }
        }
    }
    log_det
}

/// Fails if two derivatives differ by more than the tolerance, relative to the expected one or to 1,
/// whichever is larger.
#[track_caller]
pub(crate) fn assert_close(got: f64, want: f64, what: &str) {
    assert!((got - want).abs() <= TOLERANCE * want.abs().max(1.0), "{what}: {got} but numerically {want}");
}

/// Tests `layer` with parameters that are moved at random from their starting values.
pub(crate) fn check_bijector(layer: &dyn Bijector<f64>, seed: u64) {
    let d = layer.n_features();
    let mut rng = Seed(seed).stream("gradcheck", d as u64);
    let specs = layer.specs();
    assert_eq!(specs.iter().map(|s| s.shape.iter().product::<usize>()).sum::<usize>(), layer.n_parameters());
    let mut parameters = vec![f64::NAN; layer.n_parameters()];
    layer.reset(&mut parameters, &mut rng);
    assert!(parameters.iter().all(|p| p.is_finite()), "reset left a parameter unset");
    for p in &mut parameters {
        *p += 0.3 * standard_normal(&mut rng);
    }
    for n in [0, 1, 5, 19] {
        // Some points lie far out, where splines have their tails.
        let x: Vec<f64> = (0..d * n)
            .map(|_| standard_normal(&mut rng) * if uniform(&mut rng) < 0.15 { 4.0 } else { 1.2 })
            .collect();
        check_values(layer, &parameters, &x, n);
        if n > 0 && n < 10 {
            check_gradients(layer, &parameters, &x, n, &mut rng);
        }
    }
}

fn forward(
    layer: &dyn Bijector<f64>,
    parameters: &[f64],
    x: &[f64],
    n: usize,
) -> (Vec<f64>, Vec<f64>, Tape<f64>) {
    // `ladj` starts from a number other than 0, because `forward` must add to it. The tape has already been
    // used for another batch.
    let (mut z, mut ladj, mut tape) = (x.to_vec(), vec![0.25; n], Tape::default());
    layer.forward(parameters, &mut vec![0.1; layer.n_features() * 3], &mut [0.0; 3], &mut tape, None);
    layer.forward(parameters, &mut z, &mut ladj, &mut tape, None);
    for l in &mut ladj {
        *l -= 0.25;
    }
    (z, ladj, tape)
}

fn check_values(layer: &dyn Bijector<f64>, parameters: &[f64], x: &[f64], n: usize) {
    let d = layer.n_features();
    let (z, ladj, mut tape) = forward(layer, parameters, x, n);
    let mut back = z.clone();
    layer.inverse(parameters, &mut back, &mut tape).expect("an inverse exists");
    for (b, x) in back.iter().zip(x) {
        assert!((b - x).abs() < 1e-8 * x.abs().max(1.0), "{layer:?}: inverse gives {b} for {x}");
    }
    for column in 0..n.min(2) {
        let point: Vec<f64> = (0..d).map(|i| x[i * n + column]).collect();
        let mut jacobian = vec![0.0; d * d];
        for j in 0..d {
            let moved = |by: f64| {
                let mut p = point.clone();
                p[j] += by;
                forward(layer, parameters, &p, 1).0
            };
            for i in 0..d {
                jacobian[i * d + j] = derivative(|by| moved(by)[i]);
            }
        }
        assert_close(ladj[column], log_abs_det(jacobian, d), &format!("{layer:?}: ladj"));
        // The result for a column must not depend on its neighbours.
        let alone = forward(layer, parameters, &point, 1);
        assert!((alone.1[0] - ladj[column]).abs() < 1e-12);
        assert!((0..d).all(|i| (alone.0[i] - z[i * n + column]).abs() < 1e-12));
    }
}

fn check_gradients(layer: &dyn Bijector<f64>, parameters: &[f64], x: &[f64], n: usize, rng: &mut StreamRng) {
    let d = layer.n_features();
    let weights: Vec<f64> = (0..d * n).map(|_| standard_normal(rng)).collect();
    let ladj_weights: Vec<f64> = (0..n).map(|_| standard_normal(rng)).collect();
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let loss = |parameters: &[f64], x: &[f64]| {
        let (z, ladj, _) = forward(layer, parameters, x, n);
        dot(&weights, &z) + dot(&ladj_weights, &ladj)
    };
    let (_, _, mut tape) = forward(layer, parameters, x, n);
    let mut dx = weights.clone();
    let mut gradient = vec![0.5; parameters.len()];
    layer.backward(parameters, &mut tape, &mut dx, &ladj_weights, &mut gradient);
    for i in 0..d * n {
        let want = derivative(|h| {
            let mut x = x.to_vec();
            x[i] += h;
            loss(parameters, &x)
        });
        assert_close(dx[i], want, &format!("{layer:?}: ∂/∂x[{i}] of {n} columns"));
    }
    for i in 0..parameters.len() {
        let want = derivative(|h| {
            let mut parameters = parameters.to_vec();
            parameters[i] += h;
            loss(&parameters, x)
        });
        assert_close(gradient[i] - 0.5, want, &format!("{layer:?}: ∂/∂θ[{i}] of {n} columns"));
    }
}
