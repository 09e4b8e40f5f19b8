use std::time::Duration;

use ndarray::array;
use rand::RngExt;

use super::*;
use crate::baseline::armix::settings::ArmixOrder;
use crate::density::Density;
use crate::random::Seed;

/// Three coordinates: noise, a kink of it, and their sum with a little noise.
fn kinked(n: usize, seed: u64) -> Array2<f64> {
    let mut rng = Seed(seed).stream("test", 0);
    let mut rows = Array2::zeros((n, 3));
    for mut row in rows.rows_mut() {
        let mut noise = || (0..6).map(|_| rng.random::<f64>()).sum::<f64>() - 3.0;
        let x = noise();
        let kink = 2.0 * x.abs() + 0.2 * noise();
        row.assign(&array![x, kink, x + kink + 0.1 * noise()]);
    }
    rows
}

fn quick() -> ArmixConfig {
    ArmixConfig { seed: Seed(5), ..ArmixConfig::quick() }
}

fn mean(density: &AutoregressiveMixture, rows: &Array2<f64>) -> f64 {
    density.log_prob(rows.view()).mean().unwrap()
}

#[test]
fn validation_asks_for_experts_where_a_regression_is_not_enough() {
    let (train, validation, test) = (kinked(600, 1), kinked(200, 2), kinked(400, 3));
    let fitted = |config: &ArmixConfig| fit_armix(train.view(), validation.view(), 1, config).unwrap();
    let columns = ArmixConfig { order: ArmixOrder::Columns, ..quick() };
    let (many, trials) = fitted(&columns);
    let (one, _) = fitted(&ArmixConfig { experts: vec![1], ..columns.clone() });
    assert!(trials[1].coordinate == 1 && trials[1].experts > 1, "{trials:?}");
    assert_eq!(trials[2].experts, 1, "the sum is a regression: {trials:?}");
    assert!(mean(&many, &test) > mean(&one, &test) + 0.5);
    // The criteria add up to the validation value, in the units of the coordinates.
    let sum: f64 = trials.iter().map(|t| t.criterion).sum();
    assert!((sum - mean(&many, &validation)).abs() < 1e-9);
}

#[test]
fn every_order_is_a_density_of_all_coordinates() {
    let (train, validation) = (kinked(200, 1), kinked(80, 2));
    let mut seen = std::collections::BTreeSet::new();
    for order in ArmixOrder::ALL {
        let config = ArmixConfig { order, experts: vec![1, 2], ..quick() };
        let (density, trials) = fit_armix(train.view(), validation.view(), 1, &config).unwrap();
        seen.insert(trials.iter().map(|t| t.coordinate).collect::<Vec<_>>());
        assert_eq!(density.links().len(), 3);
        assert!(mean(&density, &validation).is_finite());
    }
    // Of three coordinates there are six orders, and some of the five may be the same.
    assert!(seen.len() >= 3, "{seen:?}");
}

#[test]
fn the_unit_of_a_coordinate_changes_nothing_and_constants_are_no_trouble() {
    let (mut train, mut validation) = (kinked(150, 1), kinked(60, 2));
    let (plain, _) = fit_armix(train.view(), validation.view(), 1, &quick()).unwrap();
    let before = mean(&plain, &validation);
    for rows in [&mut train, &mut validation] {
        rows.column_mut(1).mapv_inplace(|x| 1e9 + 1e6 * x);
    }
    let (scaled, _) = fit_armix(train.view(), validation.view(), 1, &quick()).unwrap();
    // 1e-3: subtracting 1e9 leaves ten digits, and EM ends by a tolerance.
    assert!((mean(&scaled, &validation) + 1e6_f64.ln() - before).abs() < 1e-3);
    for rows in [&mut train, &mut validation] {
        rows.column_mut(0).fill(7.0);
    }
    let (constant, _) = fit_armix(train.view(), validation.view(), 1, &quick()).unwrap();
    assert!(mean(&constant, &validation).is_finite());
}

#[test]
fn a_context_is_given_and_not_judged() {
    let (train, validation) = (kinked(200, 1), kinked(80, 2));
    let config = ArmixConfig { context: vec![0], ..quick() };
    let (density, trials) = fit_armix(train.view(), validation.view(), 1, &config).unwrap();
    assert_eq!(density.context(), [0]);
    assert_eq!(trials.len(), 2);
    assert!(trials.iter().all(|t| t.coordinate != 0 && t.given.contains(&0)));
}

#[test]
fn one_coordinate_a_handful_of_rows_and_no_validation_rows_are_enough() {
    let none = Array2::zeros((0, 1));
    let train = kinked(12, 1).select(Axis(1), &[0]);
    let (density, trials) = fit_armix(train.view(), none.view(), 1, &quick()).unwrap();
    assert_eq!(trials[0].experts, 1);
    assert!(mean(&density, &train).is_finite());
    let few = kinked(5, 1);
    let none = Array2::zeros((0, 3));
    let (density, _) = fit_armix(few.view(), none.view(), 1, &quick()).unwrap();
    assert!(mean(&density, &kinked(50, 9)).is_finite());
}

#[test]
fn coordinates_have_no_more_predecessors_than_are_allowed() {
    let (train, validation) = (kinked(200, 1), kinked(80, 2));
    for most_given in [0, 1] {
        let config = ArmixConfig { most_given, ..quick() };
        let (_, trials) = fit_armix(train.view(), validation.view(), 1, &config).unwrap();
        assert!(trials.iter().all(|t| t.given.len() <= most_given));
    }
}

#[test]
fn after_the_deadline_there_is_a_regression_of_every_coordinate() {
    let (train, validation) = (kinked(600, 1), kinked(200, 2));
    let over = Instant::now().checked_sub(Duration::from_secs(1));
    let config = ArmixConfig { deadline: over, ..quick() };
    let (density, trials) = fit_armix(train.view(), validation.view(), 1, &config).unwrap();
    assert!(over.is_some() && trials.iter().all(|t| t.experts == 1));
    assert!(mean(&density, &validation).is_finite());
}

#[test]
fn more_rows_than_the_search_looks_at_are_fitted_in_the_end() {
    let (train, validation, test) = (kinked(3_000, 1), kinked(300, 2), kinked(1_000, 3));
    let some = ArmixConfig { search_rows: 150, rows: 150, ..quick() };
    let all = ArmixConfig { rows: 3_000, ..some.clone() };
    let fitted = |config| fit_armix(train.view(), validation.view(), 1, config).unwrap().0;
    assert!(mean(&fitted(&all), &test) > mean(&fitted(&some), &test));
}

#[test]
fn rows_that_cannot_be_fitted_are_refused() {
    let good = kinked(30, 1);
    let mut bad = good.clone();
    bad[[3, 1]] = f64::NAN;
    let refused = |train: &Array2<f64>, validation: &Array2<f64>| {
        fit_armix(train.view(), validation.view(), 1, &quick()).unwrap_err().to_string()
    };
    assert!(refused(&bad, &good).contains("training row 3, coordinate 1"));
    assert!(refused(&good, &bad).contains("validation row 3, coordinate 1"));
    assert!(refused(&Array2::zeros((0, 3)), &good).contains("at least 1 training rows"));
    assert!(refused(&good, &Array2::zeros((4, 2))).contains("validation rows has shape [4, 2]"));
    let config = ArmixConfig { experts: vec![2, 3], ..quick() };
    let error = fit_armix(good.view(), good.view(), 1, &config).unwrap_err().to_string();
    assert!(error.contains("`experts` must be an ascending list that begins with 1"), "{error}");
}
