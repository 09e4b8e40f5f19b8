use super::*;
use ndarray::array;

fn two() -> Mixture {
    let covariances =
        Array3::from_shape_vec((2, 2, 2), vec![1.0, 0.5, 0.5, 2.0, 0.25, 0.0, 0.0, 0.25]).unwrap();
    Mixture::new(array![0.3, 0.7], array![[0.0, 0.0], [4.0, -1.0]], covariances).unwrap()
}

#[test]
fn far_rows_have_a_finite_log_density() {
    let lp = two().log_prob(array![[1e6, -1e6], [0.0, 0.0]].view());
    assert!(lp.iter().all(|l| l.is_finite()), "{lp}");
    assert!(lp[0] < -1e11);
}

#[test]
fn density_integrates_to_one() {
    let gmm = two();
    let (h, n) = (0.05, 400);
    let grid = Array2::from_shape_fn((n * n, 2), |(i, j)| {
        let cell = if j == 0 { i / n } else { i % n };
        -8.0 + h * (cell as f64 + 0.5) + if j == 0 { 2.0 } else { -2.0 }
    });
    let mass: f64 = gmm.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h * h;
    assert!((mass - 1.0).abs() < 1e-6, "{mass}");
}

#[test]
fn samples_have_the_mixture_mean_and_are_reproducible() {
    let gmm = two();
    let x = gmm.sample(20_000, Seed(1));
    assert_eq!(x, gmm.sample(20_000, Seed(1)));
    let mean = x.mean_axis(Axis(0)).unwrap();
    // The standard errors are about 0.014 and 0.007.
    assert!((mean[0] - 2.8).abs() < 0.07 && (mean[1] + 0.7).abs() < 0.05, "{mean}");
    // The mean log-density of a sample estimates minus the entropy, so it must agree with that of a fresh
    // sample.
    let other = gmm.sample(20_000, Seed(2));
    let gap = gmm.log_prob(x.view()).mean().unwrap() - gmm.log_prob(other.view()).mean().unwrap();
    assert!(gap.abs() < 0.05, "{gap}");
}

fn heavy() -> Mixture {
    let gmm = two();
    let (weights, means) = (gmm.weights.clone(), gmm.means.clone());
    Mixture::with_kernel(Kernel::T(5.0), weights, means, gmm.covariances.clone()).unwrap()
}

#[test]
fn a_mixture_of_t_integrates_to_one_and_draws_what_it_says() {
    let gmm = heavy();
    let (h, n) = (0.1, 1200);
    let grid = Array2::from_shape_fn((n * n, 2), |(i, j)| {
        let cell = if j == 0 { i / n } else { i % n };
        -60.0 + h * (cell as f64 + 0.5)
    });
    let p = gmm.log_prob(grid.view()).mapv(f64::exp);
    let mass: f64 = p.sum() * h * h;
    // Outside the grid lies about 1e-6.
    assert!((mass - 1.0).abs() < 1e-4, "{mass}");
    let x = gmm.sample(40_000, Seed(4));
    for threshold in [3.0, 8.0] {
        let far = |v: f64| (v - 4.0).abs() > threshold;
        let expected: f64 =
            grid.column(0).iter().zip(&p).filter(|(v, _)| far(**v)).map(|(_, p)| p).sum::<f64>() * h * h;
        let share = x.column(0).iter().filter(|v| far(**v)).count() as f64 / 40_000.0;
        // Five standard errors.
        let error = 5.0 * (expected * (1.0 - expected) / 40_000.0).sqrt();
        assert!((share - expected).abs() < error, "{threshold}: {share} {expected}");
    }
}

#[test]
fn a_mixture_of_t_given_a_coordinate_integrates_to_one_and_draws_accordingly() {
    let gmm = heavy().conditioned_on(&[0]).unwrap();
    let h = 0.01;
    for context in [-9.0, 0.7] {
        let grid =
            Array2::from_shape_fn(
                (24_000, 2),
                |(i, j)| {
                    if j == 0 { context } else { h * (i as f64 - 12_000.0) }
                },
            );
        let p = gmm.log_prob(grid.view()).mapv(f64::exp);
        assert!((p.sum() * h - 1.0).abs() < 1e-3, "{context}: {}", p.sum() * h);
        let drawn = gmm.sample_given(Array2::from_elem((8000, 1), context).view(), Seed(3));
        for threshold in [-2.0, 0.0, 2.0] {
            let below = grid.rows().into_iter().map(|r| r[1]).zip(&p).filter(|(v, _)| *v < threshold);
            let expected = below.map(|(_, p)| p).sum::<f64>() * h;
            let share = drawn.column(1).iter().filter(|v| **v < threshold).count() as f64 / 8000.0;
            let error = 5.0 * (expected * (1.0 - expected) / 8000.0).sqrt() + 1e-3;
            assert!((share - expected).abs() < error, "{context} {threshold}: {share} {expected}");
        }
    }
    let wrong = |degrees| {
        let gmm = two();
        let kernel = Kernel::T(degrees);
        Mixture::with_kernel(kernel, gmm.weights.clone(), gmm.means.clone(), gmm.covariances.clone())
    };
    assert!([0.0, -1.0, f64::NAN, f64::INFINITY].into_iter().all(|d| wrong(d).is_err()));
}

#[test]
fn damaged_parameters_are_refused() {
    let eye = Array3::from_shape_vec((1, 1, 1), vec![1.0]).unwrap();
    let mean = array![[0.0]];
    assert!(matches!(Mixture::new(array![0.5], mean.clone(), eye.clone()), Err(MixtureError::Weights)));
    assert!(matches!(
        Mixture::new(array![1.0], mean.clone(), -&eye),
        Err(MixtureError::NotPositiveDefinite { component: 0 })
    ));
    assert!(matches!(Mixture::new(array![1.0, 0.0], mean, eye), Err(MixtureError::Shape { .. })));
}

#[test]
fn a_conditional_mixture_integrates_to_one_given_its_context_and_draws_accordingly() {
    let gmm = two().conditioned_on(&[0]).unwrap();
    assert_eq!(gmm.context(), [0]);
    let h = 0.01;
    for context in [-2.0, 0.7] {
        let grid =
            Array2::from_shape_fn((4000, 2), |(i, j)| if j == 0 { context } else { h * (i as f64 - 2000.0) });
        let p = gmm.log_prob(grid.view()).mapv(f64::exp);
        assert!((p.sum() * h - 1.0).abs() < 1e-6, "{context}: {}", p.sum() * h);
        let mean = (&p * &grid.column(1)).sum() * h;
        let spread = ((&p * &grid.column(1).mapv(|x| x * x)).sum() * h - mean * mean).sqrt();
        let drawn = gmm.sample_given(Array2::from_elem((4000, 1), context).view(), Seed(3));
        assert!(drawn.column(0).iter().all(|x| *x == context));
        // The tolerance is five standard errors.
        let error = 5.0 * spread / 4000.0_f64.sqrt();
        assert!((drawn.column(1).mean().unwrap() - mean).abs() < error, "{context}");
    }
}
