//! The flow as a whole, and the gradient of its parts.

mod resume;

use rand::RngExt;

use super::network::Seeing;
use super::*;
use crate::density::Density;
use crate::flow::Tape;
use crate::random::Seed;
use crate::train::Silent;

const SMALL: Canvas = Canvas { height: 3, width: 4, channels: 1, levels: 4 };

/// A flow whose weights are all drawn, so that every number depends on what it sees.
fn drawn(canvas: Canvas, seed: u64) -> GridFlow {
    let sight = Sight { reach: 2, outside: -0.3 };
    let shape = GridShape { inputs: sight.n_inputs(&canvas), hidden: 5, layers: 2, components: 3 };
    let mut rng = Seed(seed).stream("drawn", 0);
    let n = canvas.channels * shape.n_parameters();
    let parameters = (0..n).map(|_| rng.random::<f32>() - 0.5).collect();
    GridFlow::new(canvas, sight, shape, parameters).unwrap()
}

fn pictures(canvas: Canvas, n: usize, seed: u64) -> Vec<u8> {
    let mut rng = Seed(seed).stream("pictures", 0);
    (0..n * canvas.n_numbers()).map(|_| rng.random_range(0..canvas.levels) as u8).collect()
}

#[test]
fn the_probabilities_of_all_pictures_sum_to_one() {
    for canvas in [
        Canvas { height: 2, width: 2, channels: 1, levels: 4 },
        Canvas { height: 1, width: 2, channels: 3, levels: 3 },
        Canvas { height: 1, width: 1, channels: 1, levels: 256 },
        Canvas { height: 3, width: 3, channels: 1, levels: 2 },
    ] {
        let flow = drawn(canvas, 1);
        let (d, levels) = (canvas.n_numbers(), canvas.levels as usize);
        let all: Vec<Vec<u8>> = (0..levels.pow(d as u32))
            .map(|i| (0..d).map(|j| (i / levels.pow(j as u32) % levels) as u8).collect())
            .collect();
        let each: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
        let total: f64 = flow.log_probs(&each).iter().map(|l| l.exp()).sum();
        // Single precision, d factors.
        assert!((total - 1.0).abs() < 2e-5, "{canvas:?}: {total}");
    }
}

#[test]
fn a_number_depends_on_those_before_it_only() {
    let canvas = Canvas { height: 4, width: 5, channels: 3, levels: 16 };
    let flow = drawn(canvas, 2);
    let picture = pictures(canvas, 1, 3);
    let before = flow.log_prob_of_each(&picture);
    for i in 0..canvas.n_numbers() {
        let mut changed = picture.clone();
        changed[i] = (changed[i] + 5) % 16;
        let after = flow.log_prob_of_each(&changed);
        assert_eq!(before[..i], after[..i], "number {i} is seen by one before it");
        let next = (i + 1..i + 4).filter(|j| *j < before.len()).any(|j| before[j] != after[j]);
        assert!(next || i + 1 == before.len(), "number {i} is not seen by those behind it");
    }
}

#[test]
fn the_gradient_is_that_of_the_log_probability() {
    let shape = GridShape { inputs: 4, hidden: 3, layers: 2, components: 3 };
    let mut rng = Seed(4).stream("gradient", 0);
    let mut draw = |n: usize, scale: f64| -> Vec<f64> {
        (0..n).map(|_| scale * (2.0 * rng.random::<f64>() - 1.0)).collect()
    };
    let n = 9;
    let (parameters, x, guess, weight) =
        (draw(shape.n_parameters(), 0.8), draw(4 * n, 1.0), draw(n, 0.5), draw(n, 2.0));
    // Both ends, and levels between them.
    let y: Vec<f64> = (0..n).map(|i| 2.0 * (i % 8) as f64 / 7.0 - 1.0).collect();
    let seeing = Seeing { x: &x, y: &y, guess: &guess, levels: 8 };
    let mut tape = Tape::default();
    let (mut log_prob, mut gradient) = (vec![0.0; n], vec![0.0; parameters.len()]);
    shape.gradient(&parameters, &seeing, &weight, &mut log_prob, &mut gradient, &mut tape);
    let mut value = |p: &[f64]| -> f64 {
        let mut each = vec![0.0; n];
        shape.log_prob(p, &seeing, &mut each, &mut tape);
        each.iter().zip(&weight).map(|(l, w)| l * w).sum()
    };
    for i in 0..parameters.len() {
        let h = 1e-5;
        let mut moved = parameters.clone();
        moved[i] += h;
        let up = value(&moved);
        moved[i] -= 2.0 * h;
        let numeric = (up - value(&moved)) / (2.0 * h);
        let allowed = 1e-6 * gradient[i].abs().max(1.0);
        assert!((gradient[i] - numeric).abs() < allowed, "{i}: {} {numeric}", gradient[i]);
    }
    assert!(gradient.iter().filter(|g| **g != 0.0).count() > parameters.len() * 3 / 4);
}

#[test]
fn samples_follow_the_probabilities() {
    let canvas = Canvas { height: 1, width: 2, channels: 1, levels: 4 };
    let flow = drawn(canvas, 5);
    let n = 40_000;
    let samples = flow.sample(n, Seed(6));
    let mut counts = [0.0; 16];
    for row in samples.rows() {
        let levels = flow.levels_of_row(row.iter());
        counts[usize::from(levels[0]) * 4 + usize::from(levels[1])] += 1.0 / n as f64;
    }
    for (i, count) in counts.iter().enumerate() {
        let p = flow.log_prob_of_each(&[(i / 4) as u8, (i % 4) as u8]).iter().sum::<f64>().exp();
        // Five standard errors.
        let allowed = 5.0 * (p * (1.0 - p) / n as f64).sqrt() + 1e-5;
        assert!((count - p).abs() < allowed, "{i}: {count} drawn, {p} expected");
    }
    assert_eq!(flow.sample(70, Seed(7)), flow.sample(70, Seed(7)));
}

#[test]
fn the_density_is_constant_within_a_level_and_nothing_beyond_all() {
    let flow = drawn(SMALL, 8);
    let one = flow.sample(1, Seed(9));
    let mut moved = one.clone();
    // A level is one coordinate wide here: 4/L.
    let level = |v: f64| (v + 1.5).round() - 1.5;
    moved.mapv_inplace(|v| level(v) + 0.49);
    assert_eq!(flow.log_prob(one.view()), flow.log_prob(moved.view()));
    moved[[0, 5]] = 2.01;
    assert_eq!(flow.log_prob(moved.view())[0], f64::NEG_INFINITY);
}

#[test]
fn training_finds_what_a_number_follows_from() {
    // Every second pixel repeats the one above it; the rest is noise of two levels.
    let canvas = Canvas { height: 6, width: 6, channels: 1, levels: 4 };
    let make = |n: usize, seed: u64| {
        let mut all = pictures(Canvas { levels: 2, ..canvas }, n, seed);
        for picture in all.chunks_exact_mut(36) {
            for i in (6..36).filter(|i| i % 2 == 0) {
                picture[i] = picture[i - 6];
            }
        }
        all
    };
    let (train, validation) = (make(1000, 1), make(100, 2));
    let config =
        GridConfig { hidden: 16, max_epochs: 20, batch_numbers: 512, seed: Seed(3), ..GridConfig::default() };
    let trained = fit_grid(canvas, &train, &validation, &config, None, &Silent).unwrap();
    let each: Vec<&[u8]> = validation.chunks_exact(36).collect();
    let bits: f64 = trained.model.log_probs(&each).iter().sum::<f64>() / -(2.0_f64.ln() * 100.0 * 36.0);
    // 21 of 36 numbers have one bit each.
    let entropy = 21.0 / 36.0;
    assert!(bits > entropy - 1e-3 && bits < entropy + 0.06, "{bits} bits, the entropy is {entropy}");
    // The same bytes for another number of threads.
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let again = pool.install(|| fit_grid(canvas, &train, &validation, &config, None, &Silent)).unwrap();
    assert_eq!(trained.model.parameters(), again.model.parameters());
}

#[test]
fn settings_out_of_range_and_damaged_parameters_are_refused() {
    let picture = pictures(SMALL, 2, 1);
    let wrong = GridConfig { flat_share: 0.0, ..GridConfig::default() };
    let error = fit_grid(SMALL, &picture, &picture, &wrong, None, &Silent).unwrap_err();
    assert!(error.to_string().contains("`flat_share` must be above 0"), "{error}");
    let none = fit_grid(SMALL, &[], &picture, &GridConfig::default(), None, &Silent).unwrap_err();
    assert!(none.to_string().contains("at least 1"), "{none}");
    let flow = drawn(SMALL, 1);
    let mut parameters = flow.parameters().to_vec();
    parameters[7] = f32::NAN;
    assert!(GridFlow::new(SMALL, flow.sight(), flow.shape(), parameters).is_err());
    assert!(GridFlow::new(SMALL, flow.sight(), flow.shape(), vec![0.0; 3]).is_err());
}
