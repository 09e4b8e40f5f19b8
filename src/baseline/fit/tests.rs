use super::*;
use std::path::Path;

use ndarray::{Array2, Array3, Axis, concatenate};
use rand::RngExt;

use crate::num::special::normal_quantile;
use crate::random::Seed;

fn array2(v: &serde_json::Value) -> Array2<f64> {
    let rows: Vec<Vec<f64>> = serde_json::from_value(v.clone()).unwrap();
    Array2::from_shape_vec((rows.len(), rows[0].len()), rows.concat()).unwrap()
}

/// `tests/golden/flow/make.py` wrote the values.
fn reference() -> serde_json::Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/flow/gaussian_mixture.json");
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// The values were computed by scikit-learn. The tolerance is 1e-9 because scikit-learn evaluates the
/// density with precisions, and this crate with Cholesky factors.
#[test]
fn log_prob_agrees_with_scikit_learn() {
    let r = reference();
    let means = array2(&r["means"]);
    let (k, d) = means.dim();
    let flat: Vec<Vec<Vec<f64>>> = serde_json::from_value(r["covariances"].clone()).unwrap();
    let covariances = Array3::from_shape_vec((k, d, d), flat.concat().concat()).unwrap();
    let weights: Vec<f64> = serde_json::from_value(r["weights"].clone()).unwrap();
    let gmm = Mixture::new(weights.into(), means, covariances).unwrap();
    let expected: Vec<f64> = serde_json::from_value(r["log_prob"].clone()).unwrap();
    for (got, want) in gmm.log_prob(array2(&r["x"]).view()).iter().zip(expected) {
        assert!((got - want).abs() <= 1e-9 * want.abs().max(1.0), "{got} {want}");
    }
}

/// The reference is the best of five starts. EM may stop slightly earlier, but a wrong optimum is 0.1 or more
/// away.
#[test]
fn fit_reaches_the_likelihood_of_scikit_learn() {
    let r = reference();
    let train = array2(&r["train"]);
    let config =
        MixtureConfig { components: vec![3], regularisation: vec![1e-6], ..MixtureConfig::default() };
    let (gmm, _) = fit_mixture(train.view(), Array2::zeros((0, 4)).view(), 1, &config).unwrap();
    let got = gmm.log_prob(train.view()).mean().unwrap();
    let want = r["mean_log_prob_train"].as_f64().unwrap();
    assert!((got - want).abs() < 0.05, "{got} {want}");
}

fn clusters(n: usize, seed: u64) -> Array2<f64> {
    let eye = Array2::<f64>::eye(3).insert_axis(Axis(0));
    let cov = concatenate![Axis(0), eye, eye.mapv(|v| 0.3 * v)];
    let means = ndarray::array![[0.0, 0.0, 0.0], [5.0, 5.0, -5.0]];
    Mixture::new(ndarray::array![0.4, 0.6], means, cov).unwrap().sample(n, Seed(seed))
}

#[test]
fn search_finds_two_clusters_and_repeats_itself_for_any_thread_count() {
    let (train, validation) = (clusters(600, 1), clusters(300, 2));
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| fit_mixture(train.view(), validation.view(), 1, &MixtureConfig::default()).unwrap())
    };
    let (gmm, trials) = run(1);
    assert_eq!((gmm.clone(), trials.clone()), run(2));
    // Noise in the validation records may let the search split a cluster, at little loss against the truth,
    // whose entropy is Σ w·(½ log|2πeΣ| − log w) = 3.8463.
    assert!((2..=4).contains(&gmm.n_components()), "{trials:?}");
    let fresh = clusters(20_000, 3);
    let loss = -3.8463 - gmm.log_prob(fresh.view()).mean().unwrap();
    assert!(loss < 0.06, "{loss}");
    assert_eq!(trials.iter().filter(|t| t.chosen).count(), 1);
    let one =
        trials.iter().filter(|t| t.components == 1).filter_map(|t| t.criterion).fold(f64::MIN, f64::max);
    assert!(gmm.log_prob(validation.view()).mean().unwrap() > one + 1.0);
}

/// The density of 600 standard normals is about e^−850, which f64 cannot hold.
#[test]
fn many_coordinates_and_few_rows_still_fit() {
    let d = 600;
    let unit = Mixture::new(
        Array1::from_elem(1, 1.0),
        Array2::zeros((1, d)),
        Array2::<f64>::eye(d).insert_axis(Axis(0)),
    )
    .unwrap();
    let (train, validation) = (unit.sample(120, Seed(1)), unit.sample(40, Seed(2)));
    let config = MixtureConfig { components: vec![1], regularisation: vec![0.2], ..MixtureConfig::default() };
    let (gmm, _) = fit_mixture(train.view(), validation.view(), 1, &config).unwrap();
    assert!(gmm.log_prob(validation.view()).iter().all(|l| l.is_finite()));
}

#[test]
fn heavy_tails_give_a_mixture_or_a_clear_error() {
    // Cauchy columns are the hardest case, because they have no moments.
    let z = clusters(800, 3);
    let heavy = Array2::from_shape_fn((400, 3), |(i, j)| z[[i, j]] / (z[[i + 400, j]].abs() + 1e-9));
    match fit_mixture(heavy.view(), heavy.view(), 1, &MixtureConfig::default()) {
        Ok((gmm, _)) => assert!(gmm.log_prob(heavy.view()).iter().all(|l| l.is_finite())),
        Err(e) => assert!(matches!(e, MixtureError::Collapsed { .. }), "{e}"),
    }
}

#[test]
fn unusable_rows_are_refused_by_place() {
    let config = MixtureConfig::default();
    let none = Array2::<f64>::zeros((0, 2));
    assert!(matches!(
        fit_mixture(none.view(), none.view(), 1, &config),
        Err(MixtureError::TooFewRows { rows: 0, needed: 1 })
    ));
    let mut x = Array2::<f64>::zeros((3, 2));
    x[[2, 1]] = f64::NAN;
    let e = fit_mixture(x.view(), none.view(), 1, &config).unwrap_err();
    assert_eq!(e.to_string(), "training row 2, coordinate 1: not a finite number");
    let one = Array2::<f64>::zeros((1, 2));
    let (gmm, _) = fit_mixture(one.view(), none.view(), 1, &config).unwrap();
    assert_eq!(gmm.n_components(), 1);
}

#[test]
fn many_coordinates_get_one_gaussian_in_closed_form() {
    let d = WIDE + 8;
    let gaussian = |n: usize, name: &str| {
        let mut rng = Seed(3).stream(name, 0);
        Array2::from_shape_fn((n, d), |_| normal_quantile(rng.random::<f64>().clamp(1e-12, 1.0 - 1e-12)))
    };
    let (train, validation) = (gaussian(300, "train"), gaussian(100, "validation"));
    let config = MixtureConfig { regularisation: vec![1e-3, 1.0], ..MixtureConfig::default() };
    let (gmm, trials) = fit_mixture(train.view(), validation.view(), 1, &config).unwrap();
    assert_eq!((gmm.n_components(), trials.len()), (1, 2));
    // There are fewer rows than coordinates, so the stronger ridge comes far closer to −d/2·log 2πe.
    let entropy = -0.5 * d as f64 * (2.0 * std::f64::consts::PI * std::f64::consts::E).ln();
    let reached = trials.iter().find(|t| t.chosen).and_then(|t| t.criterion).unwrap();
    assert!((reached - entropy).abs() < 0.2 * entropy.abs(), "{reached} {entropy}");
    let three = MixtureConfig { components: vec![3], ..config };
    assert!(matches!(
        fit_mixture(train.view(), validation.view(), 1, &three),
        Err(MixtureError::Setting { name: "components", .. })
    ));
}

#[test]
fn many_rows_are_taken_in_stages_and_few_all_at_once() {
    assert_eq!(stages(227_692, 66, 1), [64, 16, 4, 1]);
    assert_eq!(stages(6_000, 66, 1), [1]);
    assert_eq!(stages(227_692, 66, 2), [1], "copies of records stay together");
    assert_eq!(stages(227_692, WIDE + 1, 1), [1], "one Gaussian is quick");
}

#[test]
fn stages_end_where_all_rows_at_once_do() {
    let (train, validation) = (clusters(6_000, 1), clusters(2_000, 2));
    let config = MixtureConfig { components: vec![1, 2, 3], ..MixtureConfig::default() };
    let fitted = |stages: Vec<usize>| {
        let (gmm, trials) = fit_in_stages(train.view(), validation.view(), 1, &config, stages).unwrap();
        (gmm.log_prob(validation.view()).mean().unwrap(), trials)
    };
    let ((at_once, _), (in_stages, trials)) = (fitted(vec![1]), fitted(vec![16, 4, 1]));
    assert!((at_once - in_stages).abs() < 2e-3, "{at_once} {in_stages}");
    let taken: Vec<usize> = trials.iter().map(|t| t.every).collect();
    assert!(taken.is_sorted_by(|a, b| a >= b) && taken.first() == Some(&16) && taken.last() == Some(&1));
    assert_eq!(trials.iter().filter(|t| t.chosen).count(), 1);
}

#[test]
fn without_time_for_another_stage_the_mixture_is_that_of_some_rows() {
    let train = clusters(64, 4);
    let config = MixtureConfig {
        components: vec![2],
        regularisation: vec![1e-3],
        deadline: Some(Instant::now()),
        ..MixtureConfig::default()
    };
    let validation = clusters(50, 5);
    let (_, trials) = fit_in_stages(train.view(), validation.view(), 1, &config, vec![4, 1]).unwrap();
    assert!(trials.iter().all(|t| t.every == 4), "there was no time for another stage: {trials:?}");
}
