//! Can butterflies represent what is periodic? Run `cargo bench --bench periodicity`.
//!
//! A record is a template of D points, rotated by a random shift, plus noise. Its covariance is circulant, so
//! the discrete Fourier transform, which is a butterfly, makes it diagonal. The model is one linear layer B
//! before N(0, I), that is, a Gaussian with precision BᵀB. The bench compares these models on held-out
//! records, in nats per record above independent coordinates:
//!
//! - a Beneš butterfly with 2D log₂ D − D entries, trained by Adam;
//! - dense matrices on blocks of neighbours with at least as many free numbers, at maximum likelihood in
//!   closed form;
//! - one dense matrix on everything with D(D+1)/2 free numbers, at maximum likelihood in closed form;
//! - the best model of the class, which is the Gaussian with the exact covariance.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use cohort_flow::flow::{Bijector, ButterflyLayer, Parametrisation, Tape};
use cohort_flow::num::triangular::{cholesky, solve_lower};
use cohort_flow::random::Seed;
use ndarray::{Array1, Array2, Axis, Slice};
use rand::Rng;

#[path = "support/mod.rs"]
mod support;
use support::{Adam, normal};

const NOISE: f32 = 0.3;
const HELD_OUT: usize = 4000;
const BATCH: usize = 256;
const STEPS: usize = 3000;

/// Draws records `(d, n)`, feature-major: two bumps of different width and sign, rotated by a uniform shift.
fn sample(d: usize, n: usize, name: &str) -> Vec<f32> {
    let mut rng = Seed(1).stream(name, d as u64);
    let bump = |at: f32, width: f32| (-0.5 * (at / width).powi(2)).exp();
    let template: Vec<f32> = (0..d)
        .map(|i| {
            let t = i as f32 / d as f32;
            2.0 * bump(t - 0.3, 0.03) - bump(t - 0.6, 0.1)
        })
        .collect();
    let mean = template.iter().sum::<f32>() / d as f32;
    let mut x = vec![0.0; d * n];
    for column in 0..n {
        let shift = (rng.next_u64() % d as u64) as usize;
        for i in 0..d {
            x[i * n + column] = template[(i + shift) % d] - mean + NOISE * normal(&mut rng);
        }
    }
    x
}

fn covariance(x: &[f32], d: usize) -> Array2<f64> {
    let n = x.len() / d;
    let x = Array2::from_shape_vec((d, n), x.iter().map(|v| f64::from(*v)).collect()).expect("d rows");
    x.dot(&x.t()) / n as f64
}

/// Mean log-density of records under N(0, Σ), without its constant. Σ keeps the covariances within blocks of
/// `size` neighbours.
fn gaussian(covariance: &Array2<f64>, size: usize, x: &[f32]) -> f64 {
    let d = covariance.nrows();
    let n = x.len() / d;
    let mut total = 0.0;
    for start in (0..d).step_by(size) {
        let block = Slice::from(start..(start + size).min(d));
        let part = covariance.slice_axis(Axis(0), block);
        let part = part.slice_axis(Axis(1), block);
        let factor = cholesky(part.view()).expect("positive definite");
        let log_det: f64 = factor.diag().iter().map(|v| v.ln()).sum();
        for column in 0..n {
            let v: Array1<f64> =
                (start..(start + size).min(d)).map(|i| f64::from(x[i * n + column])).collect();
            let z = solve_lower(factor.view(), v.view());
            total -= 0.5 * z.dot(&z) + log_det;
        }
    }
    total / n as f64
}

fn butterfly(d: usize, train: &[f32], held_out: &[f32]) -> (usize, f64) {
    let layer = ButterflyLayer::benes(d, Parametrisation::Rotation);
    let mut parameters = vec![0.0f32; Bijector::<f32>::n_parameters(&layer)];
    layer.reset(&mut parameters, &mut Seed(1).stream("start", 0));
    // The start moves off the saddle at the identity, by angles of the order of a quarter turn.
    let mut rng = Seed(1).stream("start", 1);
    parameters[..layer.n_matrices()].iter_mut().for_each(|p| *p += 0.5 * normal(&mut rng));
    let n = train.len() / d;
    let mut adam = Adam::new(parameters.len(), STEPS, 0.02);
    let (mut gradient, mut tape) = (vec![0.0; parameters.len()], Tape::default());
    let (mut ladj, weights) = (vec![0.0; BATCH], vec![1.0 / BATCH as f32; BATCH]);
    let mut z = vec![0.0; d * BATCH];
    for _ in 0..STEPS {
        for column in 0..BATCH {
            let from = (rng.next_u64() % n as u64) as usize;
            (0..d).for_each(|i| z[i * BATCH + column] = train[i * n + from]);
        }
        layer.forward(&parameters, &mut z, &mut ladj, &mut tape, None);
        for v in &mut z {
            *v *= -1.0 / BATCH as f32;
        }
        gradient.fill(0.0);
        layer.backward(&parameters, &mut tape, &mut z, &weights, &mut gradient);
        adam.climb(&mut parameters, &gradient);
    }
    let n = held_out.len() / d;
    let (mut z, mut ladj) = (held_out.to_vec(), vec![0.0; n]);
    layer.forward(&parameters, &mut z, &mut ladj, &mut Tape::default(), None);
    let squares: f64 = z.iter().map(|v| 0.5 * f64::from(*v) * f64::from(*v)).sum();
    (parameters.len(), (ladj.iter().map(|l| f64::from(*l)).sum::<f64>() - squares) / n as f64)
}

fn main() {
    println!("| D | records | layer | free numbers | nats per record over independence |");
    println!("| --- | --- | --- | --- | --- |");
    for d in [64, 128] {
        for n in [500, 5000] {
            let (train, held_out) = (sample(d, n, "train"), sample(d, HELD_OUT, "held-out"));
            let found = covariance(&train, d);
            let independent = gaussian(&found, 1, &held_out);
            let print = |name: &str, numbers: String, value: f64| {
                println!("| {d} | {n} | {name} | {numbers} | {:.2} |", value - independent);
            };
            let (numbers, value) = butterfly(d, &train, &held_out);
            print("butterfly", numbers.to_string(), value);
            // These are the smallest blocks that together have at least as many free numbers.
            let triangle = |s: usize| s * (s + 1) / 2;
            let free = |s: usize| (d / s) * triangle(s) + triangle(d % s);
            let size = (1..=d).find(|&s| free(s) >= numbers).unwrap_or(d);
            let blocks = free(size);
            print(&format!("dense, blocks of {size}"), blocks.to_string(), gaussian(&found, size, &held_out));
            print("dense", (d * (d + 1) / 2).to_string(), gaussian(&found, d, &held_out));
            let exact = covariance(&sample(d, 200_000, "exact"), d);
            print("exact covariance", "–".into(), gaussian(&exact, d, &held_out));
        }
    }
}
