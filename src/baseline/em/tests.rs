use super::*;
use crate::density::Density;
use linfa_clustering::GaussianMixtureModel;
use ndarray::array;

/// Two clusters of different shapes, and a third close to the second.
fn rows(n: usize) -> Array2<f64> {
    let weights = array![0.5, 0.3, 0.2];
    let means = array![[-4.0, 0.0], [3.0, 1.0], [5.0, 3.0]];
    let covariances = array![[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]], [[0.4, -0.3], [-0.3, 0.5]]];
    let gmm = Mixture::new(weights, means, covariances).unwrap();
    gmm.sample(n, Seed(3))
}

const EM: Em = Em {
    kernel: Kernel::Gaussian,
    pooling: 0.0,
    regularisation: 1e-6,
    tolerance: 1e-10,
    max_iterations: 2000,
};

#[test]
fn the_optimum_is_that_of_linfa() {
    let rows = rows(4000);
    let ours =
        EM.run(rows.view(), EM.start(&Clusters::find(rows.view(), 3, Seed(5)).unwrap()).unwrap()).unwrap();
    let rng = Xoshiro256Plus::seed_from_u64(7);
    let theirs = GaussianMixtureModel::params_with_rng(3, rng)
        .reg_covariance(1e-6)
        .tolerance(1e-10)
        .max_n_iterations(2000)
        .fit(&DatasetBase::from(rows.view()))
        .unwrap();
    let sum = theirs.weights().sum();
    let theirs =
        Mixture::new(theirs.weights() / sum, theirs.means().clone(), theirs.covariances().clone()).unwrap();
    let (a, b) = (ours.log_prob(rows.view()).sum(), theirs.log_prob(rows.view()).sum());
    assert!((a - b).abs() < 1e-3, "{a} {b}");
    for mean in ours.means().rows() {
        let others = theirs.means();
        let near = others.rows().into_iter().map(|m| (&m - &mean).mapv(f64::abs).sum());
        assert!(near.fold(f64::INFINITY, f64::min) < 1e-3, "{mean} is no mean of {}", theirs.means());
    }
}

#[test]
fn every_step_raises_the_likelihood_and_moments_are_kept() {
    let rows = rows(1500);
    let one = Em { max_iterations: 1, ..EM };
    let mut gmm = one.start(&Clusters::find(rows.view(), 4, Seed(1)).unwrap()).unwrap();
    let mut before = f64::NEG_INFINITY;
    for _ in 0..30 {
        gmm = one.run(rows.view(), gmm).unwrap();
        let now = gmm.log_prob(rows.view()).sum();
        assert!(now >= before - 1e-6 * before.abs(), "{now} after {before}");
        before = now;
        let mean = gmm.weights().dot(&gmm.means());
        let expected = rows.mean_axis(Axis(0)).unwrap();
        assert!((&mean - &expected).mapv(f64::abs).sum() < 1e-9);
    }
}

#[test]
fn every_step_of_t_components_raises_the_likelihood_and_the_truth_is_found() {
    let truth = {
        let scales = array![[[1.0, 0.6], [0.6, 1.0]], [[0.5, 0.0], [0.0, 2.0]]];
        Mixture::with_kernel(Kernel::T(4.0), array![0.6, 0.4], array![[-4.0, 0.0], [4.0, 1.0]], scales)
            .unwrap()
    };
    let rows = truth.sample(6000, Seed(9));
    let em = Em { kernel: Kernel::T(4.0), max_iterations: 1, ..EM };
    let mut gmm = em.start(&Clusters::find(rows.view(), 2, Seed(1)).unwrap()).unwrap();
    let mut before = f64::NEG_INFINITY;
    for _ in 0..60 {
        gmm = em.run(rows.view(), gmm).unwrap();
        let now = gmm.log_prob(rows.view()).sum();
        assert!(now >= before - 1e-6 * before.abs(), "{now} after {before}");
        before = now;
    }
    // The optimum is above the truth on these rows, by about half a parameter each, of which there are 11.
    let gain = before - truth.log_prob(rows.view()).sum();
    assert!((0.0..25.0).contains(&gain), "{gain}");
    let gaussian =
        EM.run(rows.view(), EM.start(&Clusters::find(rows.view(), 2, Seed(1)).unwrap()).unwrap()).unwrap();
    assert!(before > gaussian.log_prob(rows.view()).sum() + 500.0);
}

#[test]
fn pooling_draws_the_scales_together() {
    let rows = rows(300);
    let clusters = Clusters::find(rows.view(), 3, Seed(5)).unwrap();
    let spread = |pooling: f64| {
        let em = Em { pooling, ..EM };
        let gmm = em.run(rows.view(), em.start(&clusters).unwrap()).unwrap();
        let first = gmm.covariances().index_axis(Axis(0), 0).to_owned();
        gmm.covariances().outer_iter().map(|c| (&c - &first).mapv(f64::abs).sum()).sum::<f64>()
    };
    let (apart, near, one) = (spread(0.0), spread(100.0), spread(1e12));
    assert!(apart > 1.2 * near && near > 10.0 * one && one < 1e-6, "{apart} {near} {one}");
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    let rows = rows(3000);
    let clusters = Clusters::find(rows.view(), 3, Seed(2)).unwrap();
    let fit = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| EM.run(rows.view(), EM.start(&clusters).unwrap()).unwrap())
    };
    assert_eq!(fit(1), fit(4));
}

#[test]
fn rows_at_one_place_and_far_rows_are_no_error_with_regularisation() {
    let mut rows = rows(200);
    rows.row_mut(0).fill(1e9);
    rows.slice_axis_mut(Axis(0), Slice::from(100..)).fill(2.0);
    let em = Em { regularisation: 1e-3, ..EM };
    let gmm =
        em.run(rows.view(), em.start(&Clusters::find(rows.view(), 2, Seed(2)).unwrap()).unwrap()).unwrap();
    assert!(gmm.log_prob(rows.view()).iter().all(|x| x.is_finite()));
}
