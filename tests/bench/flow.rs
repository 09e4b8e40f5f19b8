//! Benchmarks of the kernels of a flow, and of whole steps. Run `cargo bench --bench flow` for all of them,
//! or for example `cargo bench --bench flow -- butterfly` for some.
//!
//! The data are made from fixed seeds, outside the measured loop. The rates are columns (records) per second.

use std::hint::black_box;
use std::time::Duration;

use cohort_flow::flow::butterfly::Radix2;
use cohort_flow::flow::schedule::radix2_levels;
use cohort_flow::flow::{
    Bijector, ButterflyLayer, Coupling, Flow, FlowConfig, Linear, Parametrisation, TILE, Tape, Workspace,
};
use cohort_flow::random::Seed;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};
use ndarray::Array2;

/// Number of records in a batch.
const BATCH: usize = 256;

fn numbers(n: usize) -> Vec<f32> {
    (0..n).map(|i| ((i as f32 * 0.618_034).fract() - 0.5) * 3.4).collect()
}

fn radix2(d: usize, share_weights: bool) -> ButterflyLayer {
    let options =
        Radix2 { levels: radix2_levels(d), coarsest_last: false, both_directions: false, share_weights };
    ButterflyLayer::radix2(d, options, Parametrisation::Raw)
}

/// Forward pass, log-determinant, gradients and inverse of one butterfly layer.
fn butterfly(c: &mut Criterion) {
    let mut group = c.benchmark_group("butterfly");
    for d in [64, 256, 1024, 2048, 4096, 8192, 16_384] {
        for (name, layer) in [
            ("radix2-raw", radix2(d, false)),
            ("radix2-raw-shared", radix2(d, true)),
            ("benes-rotation", ButterflyLayer::benes(d, Parametrisation::Rotation)),
        ] {
            let mut parameters = vec![0.0f32; Bijector::<f32>::n_parameters(&layer)];
            layer.reset(&mut parameters, &mut Seed(1).stream("bench", 0));
            for (p, noise) in parameters.iter_mut().zip(numbers(1 << 20).iter().cycle()) {
                *p += 0.05 * noise;
            }
            let x = numbers(d * BATCH);
            let size = d * TILE;
            let (mut z, mut ladj, mut tape) = (vec![0.0; size], vec![0.0; TILE], Tape::default());
            let (mut gradient, d_ladj) = (vec![0.0; size], vec![1.0; TILE]);
            let mut d_parameters = vec![0.0; parameters.len()];
            group.throughput(Throughput::Elements(BATCH as u64));
            group.bench_function(BenchmarkId::new("step", format!("{name}/d={d}/n={BATCH}")), |b| {
                b.iter(|| {
                    d_parameters.fill(0.0);
                    // As in the flow, one tile of columns goes through everything before the next one starts.
                    for tile in x.chunks_exact(size) {
                        z.copy_from_slice(tile);
                        layer.forward(&parameters, &mut z, &mut ladj, &mut tape, None);
                        gradient.copy_from_slice(&z);
                        layer.backward(&parameters, &mut tape, &mut gradient, &d_ladj, &mut d_parameters);
                        layer.inverse(&parameters, &mut z, &mut tape).expect("near the identity");
                        black_box((&z, &gradient));
                    }
                    black_box(&d_parameters);
                });
            });
        }
    }
    group.finish();
}

/// Builds a flow as large as the public RQ-NSF with LU layers at d = 10, which has 124 thousand parameters.
fn nsf(linear: Linear, coupling: Coupling) -> Flow<f32> {
    let config = FlowConfig {
        n_blocks: 5,
        linear,
        coupling,
        hidden: 64,
        n_hidden_layers: 5,
        dropout: 0.0,
        ..FlowConfig::new(10)
    };
    let mut flow = Flow::new(&config, Seed(3)).expect("a valid configuration");
    for (p, noise) in flow.parameters_mut().iter_mut().zip(numbers(1 << 18).iter().cycle()) {
        *p += 0.02 * noise;
    }
    flow
}

/// The density of a whole flow, and the density together with its gradient.
fn flow(c: &mut Criterion) {
    let mut group = c.benchmark_group("flow");
    let spline = Coupling::Spline { n_bins: 8, bound: 5.0 };
    let x = Array2::from_shape_vec((10, BATCH), numbers(10 * BATCH)).expect("ten rows");
    for (name, flow) in [
        ("glow-lu-spline", nsf(Linear::PluDense, spline)),
        ("butterfly-spline", nsf(Linear::default(), spline)),
        ("butterfly-affine", nsf(Linear::default(), Coupling::Affine)),
    ] {
        let id = format!("{name}/d=10/parameters={}/n={BATCH}", flow.n_parameters());
        let mut workspace = Workspace::default();
        let mut gradient = vec![0.0; flow.n_parameters()];
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::new("log_prob", &id), |b| {
            b.iter(|| black_box(flow.log_prob_with(x.view(), &mut workspace)));
        });
        group.bench_function(BenchmarkId::new("gradient", &id), |b| {
            b.iter(|| {
                gradient.fill(0.0);
                black_box(flow.log_prob_grad(x.view(), 1.0, None, &mut gradient, &mut workspace))
            });
        });
    }
    group.finish();
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(300))
        .measurement_time(Duration::from_secs(2))
        .sample_size(20);
    targets = butterfly, flow
}
criterion_main!(benches);
