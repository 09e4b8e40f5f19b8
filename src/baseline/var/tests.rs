use ndarray::{Array1, Array2, Array3, array};
use rand::RngExt;

use super::*;
use crate::num::special::normal_quantile;

/// Simulates windows of a two-channel VAR(2) whose innovations follow a two-component mixture.
fn simulate(n: usize, length: usize, seed: u64) -> Array2<f64> {
    let mut rng = Seed(seed).stream("var test", 0);
    let (a1, a2) = (array![[1.2, 0.1], [0.2, 0.9]], array![[-0.5, 0.0], [0.0, -0.3]]);
    let mut normal = move || normal_quantile(rng.random_range(1e-9..1.0 - 1e-9));
    let mut out = Array2::zeros((n, 2 * length));
    for mut row in out.rows_mut() {
        let mut past = [Array1::zeros(2), Array1::zeros(2)];
        for t in 0..length + 50 {
            let wide = if normal() > 1.0 { 4.0 } else { 0.5 };
            let e = array![wide * normal(), wide * normal()];
            let x = a1.dot(&past[0]) + a2.dot(&past[1]) + &e;
            past = [x.clone(), past[0].clone()];
            if t >= 50 {
                row[2 * (t - 50)] = x[0] + 3.0;
                row[2 * (t - 50) + 1] = x[1] + 3.0;
            }
        }
    }
    out
}

fn fitted() -> (Var, Vec<VarTrial>, Array2<f64>) {
    let train = simulate(60, 64, 1);
    let validation = simulate(20, 64, 2);
    let config = VarConfig { components: vec![1, 2, 3], ..VarConfig::default() };
    let (var, trials) = fit_var(train.view(), validation.view(), 2, &config).unwrap();
    (var, trials, simulate(40, 64, 3))
}

#[test]
fn coefficients_and_order_are_recovered() {
    let (var, trials, _) = fitted();
    assert!(trials.iter().any(|t| t.chosen && (2..=4).contains(&t.order)), "{trials:?}");
    // The impulse response to a unit step one and two samples ago is read off two constructed windows.
    let zero = Array2::zeros((64, 2));
    let base = var.window(zero.view());
    let mut v = base.clone();
    v[2 * 40] += 1.0;
    var.extend(&mut v, 41, array![0.0, 0.0].view());
    let response = [v[82] - base[82], v[83] - base[83]];
    assert!((response[0] - 1.2).abs() < 0.06 && (response[1] - 0.2).abs() < 0.06, "{response:?}");
}

#[test]
fn the_density_is_exact() {
    // With Gaussian innovations a window follows one Gaussian, whose covariance the inverse map gives column
    // by column.
    let (var, _, test) = fitted();
    let normal = Mixture::new(Array1::ones(1), Array2::zeros((1, 2)), {
        Array3::from_shape_fn((1, 2, 2), |(_, i, j)| f64::from(u8::from(i == j)))
    })
    .unwrap();
    let var = Var { length: 12, ..var.with_innovation(normal) };
    let d = 24;
    let origin = var.window(Array2::zeros((12, 2)).view());
    let mut factor = Array2::zeros((d, d));
    for j in 0..d {
        let mut e = Array2::zeros((12, 2));
        e[[j / 2, j % 2]] = 1.0;
        factor.column_mut(j).assign(&(var.window(e.view()) - &origin));
    }
    let covariance = factor.dot(&factor.t()).insert_axis(Axis(0));
    let whole = Mixture::new(Array1::ones(1), origin.insert_axis(Axis(0)), covariance).unwrap();
    let x = part(test.view(), 0..5, 10..34).to_owned();
    let (a, b) = (var.log_prob(x.view()), whole.log_prob(x.view()));
    for (a, b) in a.iter().zip(&b) {
        assert!((a - b).abs() < 1e-8 * b.abs(), "{a} {b}");
    }
}

#[test]
fn innovations_and_windows_are_inverse() {
    let (var, _, test) = fitted();
    let e = var.innovations(test.view());
    for (i, row) in test.rows().into_iter().take(3).enumerate() {
        let back = var.window(part(e.view(), i * 64..(i + 1) * 64, 0..2));
        assert!((&back - &row).iter().all(|x| x.abs() < 1e-9));
    }
}

#[test]
fn given_its_past_a_window_has_the_density_of_the_whole_over_that_of_the_past() {
    let (var, _, test) = fitted();
    for past in [1, var.order(), 20] {
        let before = Var { length: past.max(var.order() + 1), ..var.clone() };
        let conditional = var.clone().given(past).unwrap();
        assert_eq!(conditional.context(), (0..2 * past).collect::<Vec<_>>());
        let given = conditional.log_prob(test.view());
        if past > var.order() {
            let first = part(test.view(), 0..test.nrows(), 0..2 * past).to_owned();
            let gap = &var.log_prob(test.view()) - &before.log_prob(first.view()) - &given;
            assert!(gap.iter().all(|x| x.abs() < 1e-8), "{past}");
        }
        // Draws begin with the samples they are given, and their likelihoods are like those of real windows.
        let context = part(test.view(), 0..40, 0..2 * past).to_owned();
        let drawn = conditional.sample_given(context.view(), Seed(5));
        assert_eq!(part(drawn.view(), 0..40, 0..2 * past), context);
        let (own, real) = (conditional.log_prob(drawn.view()), given);
        let (own, real) = (own.mean().unwrap() / 128.0, real.mean().unwrap() / 128.0);
        assert!((own - real).abs() < 0.1, "{own} {real}");
    }
    assert!(var.clone().given(64).is_err());
    // This model is fitted for windows that are given all the samples it looks back on. It therefore counts
    // no parameters for the start of a window.
    let config = VarConfig { past: 20, components: vec![2], orders: vec![2], ..VarConfig::default() };
    let (train, none) = (simulate(20, 64, 1), Array2::zeros((0, 128)));
    let fitted = fit_var(train.view(), none.view(), 2, &config).unwrap().0;
    assert_eq!((fitted.past(), fitted.n_parameters()), (20, 2 + 8 + 3 + fitted.innovation().n_parameters()));
}

#[test]
fn mixture_innovations_explain_held_out_windows_better() {
    let (var, trials, test) = fitted();
    let one = VarConfig { components: vec![1], ..VarConfig::default() };
    let (train, validation) = (simulate(60, 64, 1), simulate(20, 64, 2));
    let gaussian = fit_var(train.view(), validation.view(), 2, &one).unwrap().0;
    let gaussian = gaussian.log_prob(test.view()).mean().unwrap() / 128.0;
    assert!(trials.iter().all(|t| t.criterion.is_some()));
    let mixture = var.log_prob(test.view()).mean().unwrap() / 128.0;
    // The entropy of this mixture is about 0.2 nats per coordinate below that of its Gaussian.
    assert!(mixture > gaussian + 0.1, "{mixture} {gaussian}");
    let sampled = var.sample(300, Seed(4));
    assert_eq!(sampled, var.sample(300, Seed(4)));
    let own = var.log_prob(sampled.view()).mean().unwrap() / 128.0;
    assert!((own - mixture).abs() < 0.05, "{own} {mixture}");
}

#[test]
fn windows_that_cannot_be_fitted_are_refused() {
    let config = VarConfig::default();
    let none = Array2::zeros((0, 8));
    assert!(matches!(fit_var(none.view(), none.view(), 2, &config), Err(MixtureError::TooFewRows { .. })));
    let odd = Array2::zeros((3, 7));
    assert!(matches!(fit_var(odd.view(), none.view(), 2, &config), Err(MixtureError::Shape { .. })));
    let mut x = simulate(5, 8, 1);
    x[[2, 3]] = f64::NAN;
    let error = fit_var(x.view(), none.view(), 2, &config).unwrap_err();
    assert!(matches!(error, MixtureError::NotFinite { row: 2, column: 3, .. }));
}
