//! Does a layer find a hidden permutation? Run `cargo bench --bench recovery [-- D]...`.
//!
//! The density p0 is known, and the model is log p0(Bx) + log|det B| with one Beneš butterfly B. The data are
//! samples of p0 whose coordinates are permuted at random. p0 is made either of blocks of four Gaussians with
//! correlation 0.9, or of pairs (u, u²/2 + 0.3 e). The gap is the mean of log p0 at the hidden truth minus
//! the mean of the model, in nats. It is measured on records that neither the search nor the gradient has
//! seen, and 0 is perfect.
//!
//! - `gradient`: Adam starts from the identity, with the rotation parametrisation.
//! - `search`: `flow::permutation::search` on a small batch, routed through the switches of the layer.
//! - `search+gradient`: the same, and then Adam on all entries.

#![expect(clippy::print_stdout, reason = "a bench prints its table")]

use std::time::Instant;

use cohort_flow::flow::permutation::{SearchParams, search};
use cohort_flow::flow::{Bijector, ButterflyLayer, Parametrisation, Tape};
use cohort_flow::random::{Seed, StreamRng};
use rand::Rng;

#[path = "support/mod.rs"]
mod support;
use support::{Adam, normal};

/// Number of records that the search judges by.
const SEARCHED: usize = 256;
/// Number of records per gradient step.
const BATCH: usize = 256;
/// Number of records that the gap is measured on.
const HELD_OUT: usize = 4096;
/// Number of gradient steps from the identity.
const STEPS: usize = 1500;
/// Number of gradient steps after a search.
const POLISH: usize = 100;
const PERMUTATIONS: u64 = 5;
/// Correlation within a block of four.
const RHO: f32 = 0.9;
/// Standard deviation of the noise around a parabola.
const NOISE: f32 = 0.3;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Truth {
    Blocks,
    Parabolas,
}

impl Truth {
    const fn name(self) -> &'static str {
        match self {
            Self::Blocks => "gaussian blocks",
            Self::Parabolas => "parabolas",
        }
    }

    /// Draws records as `(d, n)`, feature-major.
    fn sample(self, d: usize, n: usize, rng: &mut StreamRng) -> Vec<f32> {
        let mut z = vec![0.0; d * n];
        for column in 0..n {
            match self {
                Self::Blocks => {
                    for block in 0..d / 4 {
                        let common = RHO.sqrt() * normal(rng);
                        for k in 0..4 {
                            z[(4 * block + k) * n + column] = common + (1.0 - RHO).sqrt() * normal(rng);
                        }
                    }
                }
                Self::Parabolas => {
                    for pair in 0..d / 2 {
                        let u = normal(rng);
                        z[2 * pair * n + column] = u;
                        z[(2 * pair + 1) * n + column] = 0.5 * u * u + NOISE * normal(rng);
                    }
                }
            }
        }
        z
    }

    /// Computes log p0 without its constant, which cancels in the gap, and the gradient if it is asked for.
    fn log_prob(self, z: &[f32], log_prob: &mut [f32], gradient: Option<&mut [f32]>) {
        let n = log_prob.len();
        log_prob.fill(0.0);
        let mut gradient = gradient;
        match self {
            Self::Blocks => {
                // The precision of four coordinates with equal correlation ρ is (I − ρ/(1+3ρ)·11ᵀ)/(1−ρ).
                let (outer, share) = (1.0 / (1.0 - RHO), RHO / (1.0 + 3.0 * RHO));
                for (block, rows) in z.chunks_exact(4 * n).enumerate() {
                    let (a, rest) = rows.split_at(n);
                    let (b, rest) = rest.split_at(n);
                    let (c, d) = rest.split_at(n);
                    for i in 0..n {
                        let sum = a[i] + b[i] + c[i] + d[i];
                        let squares = a[i] * a[i] + b[i] * b[i] + c[i] * c[i] + d[i] * d[i];
                        log_prob[i] -= 0.5 * outer * (squares - share * sum * sum);
                    }
                    if let Some(g) = gradient.as_deref_mut() {
                        for k in 0..4 {
                            for i in 0..n {
                                let sum = a[i] + b[i] + c[i] + d[i];
                                g[(4 * block + k) * n + i] = -outer * (rows[k * n + i] - share * sum);
                            }
                        }
                    }
                }
            }
            Self::Parabolas => {
                for (pair, rows) in z.chunks_exact(2 * n).enumerate() {
                    let (u, v) = rows.split_at(n);
                    for i in 0..n {
                        let e = (v[i] - 0.5 * u[i] * u[i]) / NOISE;
                        log_prob[i] -= 0.5 * (u[i] * u[i] + e * e);
                    }
                    if let Some(g) = gradient.as_deref_mut() {
                        for i in 0..n {
                            let e = (v[i] - 0.5 * u[i] * u[i]) / NOISE;
                            g[2 * pair * n + i] = -u[i] + e * u[i] / NOISE;
                            g[(2 * pair + 1) * n + i] = -e / NOISE;
                        }
                    }
                }
            }
        }
    }
}

fn mean(values: &[f32]) -> f64 {
    values.iter().map(|v| f64::from(*v)).sum::<f64>() / values.len() as f64
}

/// Returns the permuted records: row `hidden[i]` of the result is row i of `z`.
fn permuted(z: &[f32], n: usize, hidden: &[usize]) -> Vec<f32> {
    let mut x = vec![0.0; z.len()];
    for (i, &row) in hidden.iter().enumerate() {
        x[row * n..(row + 1) * n].copy_from_slice(&z[i * n..(i + 1) * n]);
    }
    x
}

struct Task {
    truth: Truth,
    d: usize,
    hidden: Vec<usize>,
    seed: Seed,
}

impl Task {
    fn new(truth: Truth, d: usize, number: u64) -> Self {
        let seed = Seed(number);
        let mut rng = seed.stream("hidden", d as u64);
        let mut hidden: Vec<usize> = (0..d).collect();
        for i in (1..d).rev() {
            hidden.swap(i, (rng.next_u64() % (i as u64 + 1)) as usize);
        }
        Self { truth, d, hidden, seed }
    }

    fn data(&self, name: &str, index: u64, n: usize) -> Vec<f32> {
        permuted(&self.truth.sample(self.d, n, &mut self.seed.stream(name, index)), n, &self.hidden)
    }

    fn gap(&self, layer: &ButterflyLayer, parameters: &[f32]) -> f64 {
        let z = self.truth.sample(self.d, HELD_OUT, &mut self.seed.stream("held-out", 0));
        let mut x = permuted(&z, HELD_OUT, &self.hidden);
        let mut best = vec![0.0; HELD_OUT];
        self.truth.log_prob(&z, &mut best, None);
        let (mut ladj, mut reached) = (vec![0.0; HELD_OUT], vec![0.0; HELD_OUT]);
        layer.forward(parameters, &mut x, &mut ladj, &mut Tape::default(), None);
        self.truth.log_prob(&x, &mut reached, None);
        mean(&best) - mean(&reached) - mean(&ladj)
    }

    /// Runs Adam on fresh batches, with a learning rate that falls to zero.
    fn adam(&self, layer: &ButterflyLayer, parameters: &mut [f32], steps: usize, rate: f32) {
        let mut adam = Adam::new(parameters.len(), steps, rate);
        let mut gradient = vec![0.0f32; parameters.len()];
        let (mut ladj, mut log_prob) = (vec![0.0; BATCH], vec![0.0; BATCH]);
        let mut dx = vec![0.0; self.d * BATCH];
        let weights = vec![1.0 / BATCH as f32; BATCH];
        let mut tape = Tape::default();
        for step in 0..steps {
            let mut x = self.data("train", step as u64, BATCH);
            ladj.fill(0.0);
            layer.forward(parameters, &mut x, &mut ladj, &mut tape, None);
            self.truth.log_prob(&x, &mut log_prob, Some(&mut dx));
            for g in &mut dx {
                *g /= BATCH as f32;
            }
            gradient.fill(0.0);
            layer.backward(parameters, &mut tape, &mut dx, &weights, &mut gradient);
            adam.climb(parameters, &gradient);
        }
    }

    fn gradient(&self) -> f64 {
        let layer = ButterflyLayer::benes(self.d, Parametrisation::Rotation);
        let mut parameters = vec![0.0f32; Bijector::<f32>::n_parameters(&layer)];
        layer.reset(&mut parameters, &mut self.seed.stream("start", 0));
        // The start moves off the saddle at the identity.
        let mut rng = self.seed.stream("start", 1);
        let m = layer.n_matrices();
        parameters[..m].iter_mut().for_each(|p| *p += 0.3 * normal(&mut rng));
        self.adam(&layer, &mut parameters, STEPS, 0.02);
        self.gap(&layer, &parameters)
    }

    /// Returns the gap after the search, the seconds it took, and the gap after gradient steps from there.
    fn search(&self) -> (f64, f64, f64) {
        let started = Instant::now();
        let layer = ButterflyLayer::benes(self.d, Parametrisation::Raw);
        let x = self.data("search", 0, SEARCHED);
        let identity: Vec<usize> = (0..self.d).collect();
        let objective = |z: &[f32], log_prob: &mut [f32]| self.truth.log_prob(z, log_prob, None);
        let params = SearchParams { seed: self.seed, ..SearchParams::default() };
        let found = search(&objective, &x, &identity, &params).expect("a permutation to start from");
        let mut parameters = vec![0.0f32; Bijector::<f32>::n_parameters(&layer)];
        layer.set_permutation(&mut parameters, &found.permutation).expect("a Beneš layer");
        let seconds = started.elapsed().as_secs_f64();
        let searched = self.gap(&layer, &parameters);
        self.adam(&layer, &mut parameters, POLISH, 1e-4);
        (searched, seconds, self.gap(&layer, &parameters))
    }
}

fn row(d: usize, truth: Truth, method: &str, gaps: &[f64], seconds: f64) {
    let most = gaps.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let average = gaps.iter().sum::<f64>() / gaps.len() as f64;
    println!(
        "| {d} | {} | {method} | {average:.4} | {most:.4} | {:.2} |",
        truth.name(),
        seconds / gaps.len() as f64
    );
}

fn main() {
    let asked: Vec<usize> = std::env::args().filter_map(|a| a.parse().ok()).collect();
    let sizes = if asked.is_empty() { vec![16, 64, 256] } else { asked };
    println!("| D | p0 | method | gap, mean of {PERMUTATIONS} | gap, largest | seconds each |");
    println!("| --- | --- | --- | --- | --- | --- |");
    for d in sizes {
        for truth in [Truth::Blocks, Truth::Parabolas] {
            let tasks: Vec<Task> = (1..=PERMUTATIONS).map(|k| Task::new(truth, d, k)).collect();
            if d <= 64 {
                let started = Instant::now();
                let gaps: Vec<f64> = tasks.iter().map(Task::gradient).collect();
                row(d, truth, "gradient", &gaps, started.elapsed().as_secs_f64());
            }
            let found: Vec<_> = tasks.iter().map(Task::search).collect();
            let seconds = found.iter().map(|f| f.1).sum();
            row(d, truth, "search", &found.iter().map(|f| f.0).collect::<Vec<_>>(), seconds);
            row(d, truth, "search+gradient", &found.iter().map(|f| f.2).collect::<Vec<_>>(), seconds);
        }
    }
}
