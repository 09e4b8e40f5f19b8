//! Tests of the whole flow: gradients, inverses, sampling, storage, and independence of the number of
//! threads.

mod picture;
mod start;

use ndarray::{Array1, Array2, Array3, Axis, Slice};

use super::draw::standard_normal;
use super::gradcheck::{assert_close, derivative};
use super::*;
use crate::density::Density;
use crate::num::moments::mean_and_standard_error;
use crate::num::quantile::median;
use crate::num::special::normal_log_pdf;
use crate::random::Seed;

fn configs() -> Vec<FlowConfig> {
    let small = FlowConfig { n_blocks: 2, hidden: 5, dropout: 0.0, ..FlowConfig::new(1) };
    let butterfly = |schedule, parametrisation| Linear::Butterfly { schedule, parametrisation };
    let mixture = |covariance| BaseKind::Mixture { n_components: 3, covariance };
    let mut all = Vec::new();
    for n_features in [1, 2, 5] {
        let small = FlowConfig { n_features, ..small.clone() };
        all.push(small.clone());
        all.push(FlowConfig {
            linear: butterfly(Schedule::Radix2, Parametrisation::Raw),
            coupling: Coupling::Affine,
            elementwise_spline: true,
            mask: Mask::Halves,
            random_start: 0.5,
            ..small.clone()
        });
        all.push(FlowConfig {
            linear: Linear::PluDense,
            base: mixture(Covariance::Diagonal),
            activation: Activation::Relu,
            ..small.clone()
        });
        all.push(FlowConfig { linear: Linear::Permutation, base: mixture(Covariance::Full), ..small });
    }
    all.extend(conditional(&small));
    all.extend(windows(&small));
    all.extend(picture::configs(&small));
    all
}

/// Flows of two channels of eight samples, with samples factored out twice, once or never.
fn windows(small: &FlowConfig) -> [FlowConfig; 6] {
    let of = |splits, reach| FlowConfig {
        n_features: 16,
        n_blocks: 3,
        window: Some(Windows { channels: 2, patch: 2, splits, reach, ..Windows::default() }),
        ..small.clone()
    };
    // The number of given samples is smaller than the order of the causal layer in one case, and larger in
    // another.
    let given = |past: usize, order| {
        let config = of(0, 1);
        let window = config.window.map(|w| Windows { order, ..w });
        FlowConfig { n_features: 16 + 2 * past, context: (0..2 * past).collect(), window, ..config }
    };
    [
        of(0, 1),
        of(2, 0),
        FlowConfig { linear: Linear::PluDense, ..of(1, 1) },
        FlowConfig { window: of(0, 1).window.map(|w| Windows { within_patches: true, ..w }), ..of(0, 1) },
        given(2, 3),
        FlowConfig { window: of(1, 1).window.map(|w| Windows { order: 1, ..w }), ..given(3, 1) },
    ]
}

/// Flows of one or two coordinates, given the others.
fn conditional(small: &FlowConfig) -> [FlowConfig; 3] {
    let given = |context: &[usize]| FlowConfig { n_features: 3, context: context.to_vec(), ..small.clone() };
    [
        given(&[1]),
        FlowConfig { linear: Linear::PluDense, elementwise_spline: true, ..given(&[0, 2]) },
        FlowConfig { conditioning: Conditioning::Autoregressive, ..given(&[2]) },
    ]
}

/// A flow whose parameters are moved at random from its start, which is the identity.
fn random_flow<T: Real>(config: &FlowConfig, seed: u64) -> Flow<T> {
    let mut flow = Flow::new(config, Seed(seed)).unwrap();
    let mut rng = Seed(seed).stream("test", 0);
    // The spread is smaller for windows and pictures: sixteen coordinates that pass through three equally
    // steep blocks lose more digits than a few coordinates do.
    let spread = if config.is_of_vectors() { 0.25 } else { 0.1 };
    flow.parameters_mut().iter_mut().for_each(|p| *p += T::from_f64(spread * standard_normal(&mut rng)));
    flow
}

fn random_batch(d: usize, n: usize) -> Array2<f64> {
    let mut rng = Seed(77).stream("batch", n as u64);
    Array2::from_shape_simple_fn((d, n), || 1.3 * standard_normal(&mut rng))
}

#[test]
fn gradients_agree_with_central_differences() {
    for config in configs() {
        let flow = random_flow::<f64>(&config, 3);
        for n in [1, 4] {
            let x = random_batch(config.n_features, n);
            let mut gradient = vec![1.0; flow.n_parameters()];
            let log_prob = flow.log_prob_grad(x.view(), -0.5, None, &mut gradient, &mut Workspace::default());
            assert!((&log_prob - &flow.log_prob(x.view())).iter().all(|e| e.abs() < 1e-12));
            for view in flow.parameter_views() {
                for i in view.range.clone() {
                    let at = |h: f64| {
                        let mut moved = flow.clone();
                        moved.parameters_mut()[i] += h;
                        -0.5 * moved.log_prob(x.view()).sum()
                    };
                    assert_close(gradient[i] - 1.0, derivative(at), &format!("{} {config:?}", view.name));
                }
            }
        }
    }
}

#[test]
fn inverse_undoes_forward_and_log_prob_is_base_plus_ladj() {
    for config in configs() {
        let flow = random_flow::<f64>(&config, 4);
        for n in [0, 1, 300] {
            let x = random_batch(config.n_features, n);
            let (z, ladj) = flow.forward(x.view());
            let back = flow.inverse(z.view()).unwrap();
            let worst = (&back - &x).iter().fold(0.0, |m: f64, e| m.max(e.abs()));
            assert!(worst < 1e-7, "{worst} {n} {config:?}");
            if config.base == BaseKind::Normal {
                let latent = z.slice_axis(Axis(0), Slice::from(..config.n_free()));
                let base = latent.map_axis(Axis(0), |z| z.iter().map(|&v| normal_log_pdf(v)).sum::<f64>());
                assert!((base + ladj - flow.log_prob(x.view())).iter().all(|e| e.abs() < 1e-10));
            }
        }
    }
}

#[test]
fn batches_larger_than_a_tile_add_up() {
    let config = FlowConfig { hidden: 8, ..FlowConfig::new(3) };
    let flow = random_flow::<f64>(&config, 5);
    let n = 2 * TILE + 17;
    let x = random_batch(3, n);
    let mut workspace = Workspace::default();
    let mut whole = vec![0.0; flow.n_parameters()];
    let log_prob = flow.log_prob_grad(x.view(), 1.0, None, &mut whole, &mut workspace);
    let mut parts = vec![0.0; flow.n_parameters()];
    let mut single = Vec::new();
    for column in 0..n {
        let one = x.slice_axis(Axis(1), Slice::from(column..=column));
        single.extend(flow.log_prob_grad(one, 1.0, None, &mut parts, &mut workspace));
    }
    assert!((log_prob - Array1::from(single)).iter().all(|e| e.abs() < 1e-11));
    let scale = whole.iter().fold(0.0, |m: f64, g| m.max(g.abs()));
    assert!(whole.iter().zip(&parts).all(|(a, b)| (a - b).abs() < 1e-12 * scale));
}

#[test]
fn parameters_survive_storage_to_the_bit() {
    for config in configs() {
        let flow = random_flow::<f32>(&config, 6);
        let bytes: Vec<u8> = flow.parameters().iter().flat_map(|p| p.to_le_bytes()).collect();
        let stored = serde_json::to_string(flow.config()).unwrap();

        let parameters =
            bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        let again =
            Flow::<f32>::from_parameters(&serde_json::from_str(&stored).unwrap(), parameters).unwrap();
        assert_eq!(flow.parameter_views(), again.parameter_views());
        let x = random_batch(config.n_features, 9).mapv(|v| v as f32);
        let bits = |flow: &Flow<f32>| flow.log_prob(x.view()).mapv(f32::to_bits);
        assert_eq!(bits(&flow), bits(&again));
    }
    let config = FlowConfig::new(2);
    assert!(matches!(
        Flow::<f32>::from_parameters(&config, vec![0.0; 3]),
        Err(FlowError::ParameterCount { found: 3, .. })
    ));
}

#[test]
fn views_cover_the_buffer_in_order() {
    let config = FlowConfig {
        base: BaseKind::Mixture { n_components: 2, covariance: Covariance::Full },
        ..FlowConfig::new(5)
    };
    let flow = Flow::<f32>::new(&config, Seed(0)).unwrap();
    let mut end = 0;
    for view in flow.parameter_views() {
        assert_eq!(view.range.start, end);
        assert_eq!(view.shape.iter().product::<usize>(), view.range.len());
        assert_eq!(view.weight_decay, view.name.contains("coupling.w"));
        end = view.range.end;
    }
    assert_eq!(end, flow.n_parameters());
    assert!(flow.parameter_views().iter().any(|v| v.name == "block.3.coupling.w1"));
    assert!(flow.parameter_views().iter().any(|v| v.name == "block.0.linear.angle"));
}

#[test]
fn f32_agrees_with_f64() {
    for config in configs() {
        let flow = random_flow::<f64>(&config, 8);
        let x = random_batch(config.n_features, 64);
        let (wide, narrow) =
            (flow.log_prob(x.view()), flow.cast::<f32>().log_prob(x.mapv(|v| v as f32).view()));
        for (a, b) in wide.iter().zip(&narrow) {
            assert!((a - f64::from(*b)).abs() < 1e-3 * a.abs().max(1.0), "{a} {b}: {config:?}");
        }
    }
}

#[test]
fn density_is_the_same_for_any_number_of_threads() {
    let flow = random_flow::<f32>(&FlowConfig::new(7), 9);
    let rows = random_batch(7, 1000).reversed_axes();
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| (Density::log_prob(&flow, rows.view()), flow.sample(1000, Seed(4))))
    };
    let (one, three) = (with(1), with(3));
    assert_eq!(one, three);
    assert_eq!(one.0.len(), 1000);
    let direct = flow.log_prob(rows.t().mapv(|v| v as f32).view());
    assert!(one.0.iter().zip(&direct).all(|(a, b)| *a == f64::from(*b)));
    assert_eq!(Density::log_prob(&flow, rows.slice_axis(Axis(0), Slice::from(..0))).len(), 0);
    assert_eq!(flow.sample(0, Seed(4)).dim(), (0, 7));
}

/// For a proposal q inside the support of p, E_p[q(x)/p(x)] = 1. Wrong samples or a wrong normalisation give
/// another mean.
#[test]
fn samples_follow_the_density() {
    for config in configs().into_iter().filter(|c| c.n_features == 2) {
        let flow = random_flow::<f64>(&config, 10);
        let x = flow.sample(20_000, Seed(5));
        let log_prob = Density::log_prob(&flow, x.view());
        let centre: Vec<f64> = x.columns().into_iter().map(|c| median(&c.to_vec())).collect();
        let ratios: Vec<f64> = x
            .rows()
            .into_iter()
            .zip(&log_prob)
            .map(|(row, l)| {
                let q: f64 =
                    row.iter().zip(&centre).map(|(v, c)| normal_log_pdf((v - c) / 0.3) - 0.3f64.ln()).sum();
                (q - l).exp()
            })
            .collect();
        let (mean, error) = mean_and_standard_error(&ratios);
        assert!((mean - 1.0).abs() < 5.0 * error && error < 0.1, "{mean} ± {error}: {config:?}");
    }
}

#[test]
fn given_its_context_a_flow_is_a_density_and_is_sampled() {
    let small = FlowConfig { n_blocks: 3, hidden: 6, dropout: 0.0, ..FlowConfig::new(1) };
    for config in conditional(&small) {
        // The spread is smaller than in `random_flow`, whose flows have ridges that are finer than the grid.
        let mut flow = Flow::<f64>::new(&config, Seed(12)).unwrap();
        let mut rng = Seed(12).stream("test", 0);
        flow.parameters_mut().iter_mut().for_each(|p| *p += 0.1 * standard_normal(&mut rng));
        let free: Vec<usize> = (0..3).filter(|i| !config.context.contains(i)).collect();
        let (h, n) = (0.05, 800_usize);
        let mut masses = Vec::new();
        for context in [-1.0, 0.8] {
            let points = n.pow(free.len() as u32);
            let mut grid = Array2::from_elem((points, 3), context);
            for (i, mut row) in grid.rows_mut().into_iter().enumerate() {
                for (k, &j) in free.iter().enumerate() {
                    row[j] = h * ((i / n.pow(k as u32) % n) as f64 - 400.0);
                }
            }
            let p = Density::log_prob(&flow, grid.view()).mapv(f64::exp);
            let mass = p.sum() * h.powi(free.len() as i32);
            assert!((mass - 1.0).abs() < 1e-3, "{mass}: {config:?}");
            let mean = (&p * &grid.column(free[0])).sum() / p.sum();
            let drawn = flow.sample_given(Array2::from_elem((6000, 3 - free.len()), context).view(), Seed(6));
            assert!(config.context.iter().all(|&j| drawn.column(j).iter().all(|x| *x == context)));
            let (found, error) = mean_and_standard_error(&drawn.column(free[0]).to_vec());
            assert!((found - mean).abs() < 5.0 * error + 1e-3, "{found} ± {error}, {mean}: {config:?}");
            masses.push(mean);
        }
        assert!((masses[0] - masses[1]).abs() > 1e-3, "the context changes nothing: {config:?}");
    }
}

#[test]
fn samples_that_are_factored_out_are_left_alone_from_then_on() {
    let small = FlowConfig { hidden: 5, dropout: 0.0, ..FlowConfig::new(1) };
    let [_, config, ..] = windows(&small);
    let mut flow = Flow::<f64>::new(&config, Seed(1)).unwrap();
    let moved: Vec<_> = flow
        .parameter_views()
        .iter()
        .filter(|v| !v.name.starts_with("block.0."))
        .map(|v| v.range.clone())
        .collect();
    moved.into_iter().flatten().for_each(|i| flow.parameters_mut()[i] += 0.3);
    let x = random_batch(16, 3);
    let (z, _) = flow.forward(x.view());
    // After all blocks the layout is channel-major. Every other sample is factored out after the first block,
    // and every other one of the rest after the second.
    for t in 0..8 {
        for c in 0..2 {
            let same = z.row(c * 8 + t).iter().zip(x.row(2 * t + c)).all(|(a, b)| (a - b).abs() < 1e-12);
            assert_eq!(same, t % 2 == 1, "sample {t} of channel {c}");
        }
    }
}

#[test]
fn dropout_changes_training_only_and_follows_its_stream() {
    let config = FlowConfig { dropout: 0.4, ..FlowConfig::new(4) };
    let flow = random_flow::<f32>(&config, 11);
    let x = random_batch(4, 30).mapv(|v| v as f32);
    let run = |stream: Option<u64>| {
        let mut gradient = vec![0.0; flow.n_parameters()];
        let mut rng = stream.map(|i| Seed(1).stream("dropout", i));
        let log_prob =
            flow.log_prob_grad(x.view(), 1.0, rng.as_mut(), &mut gradient, &mut Workspace::default());
        (log_prob, gradient)
    };
    assert_eq!(run(Some(0)), run(Some(0)));
    assert_ne!(run(Some(0)).0, run(Some(1)).0);
    assert_eq!(run(None).0, flow.log_prob(x.view()));
}

#[test]
fn values_beyond_all_numbers_give_no_panic() {
    let flow = random_flow::<f32>(&FlowConfig::new(3), 12);
    let x = ndarray::arr2(&[[f32::NAN, 1e30, f32::INFINITY], [0.0, 0.0, 0.0], [1.0, -1e30, 1.0]]);
    assert!(flow.log_prob(x.view()).iter().all(|l| !l.is_finite() || *l < -1e10));
}
