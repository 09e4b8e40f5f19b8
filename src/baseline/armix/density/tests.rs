use std::path::Path;

use ndarray::{Slice, array};
use serde_json::Value;

use super::*;
use crate::baseline::kernel::Kernel;

fn matrix(value: &Value) -> Array2<f64> {
    let rows = value.as_array().unwrap();
    let width = rows[0].as_array().unwrap().len();
    let number = |(i, j): (usize, usize)| rows[i][j].as_f64().unwrap();
    Array2::from_shape_fn((rows.len(), width), number)
}

fn vector(value: &Value) -> Array1<f64> {
    value.as_array().unwrap().iter().map(|x| x.as_f64().unwrap()).collect()
}

fn golden() -> (AutoregressiveMixture, Array2<f64>, Array1<f64>) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/armix/density.json");
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let links = json["links"].as_array().unwrap().iter().map(|link| Link {
        coordinate: link["coordinate"].as_u64().unwrap() as usize,
        given: link["given"].as_array().unwrap().iter().map(|j| j.as_u64().unwrap() as usize).collect(),
        experts: Experts::new(
            Kernel::T(link["degrees"].as_f64().unwrap()),
            matrix(&link["gates"]),
            matrix(&link["slopes"]),
            vector(&link["scales"]),
        )
        .unwrap(),
    });
    let density =
        AutoregressiveMixture::new(vector(&json["centre"]), vector(&json["scale"]), vec![], links.collect());
    (density.unwrap(), matrix(&json["rows"]), vector(&json["log_prob"]))
}

/// The golden density of the last coordinate given the first and the second.
fn conditional() -> AutoregressiveMixture {
    let (density, _, _) = golden();
    let gates = array![[0.3, -0.3], [1.0, -1.0], [0.0, 0.5]];
    let slopes = array![[1.0, -1.0], [0.5, 0.0], [0.0, -0.5]];
    let experts = Experts::new(Kernel::T(6.0), gates, slopes, array![0.5, 0.3]).unwrap();
    let link = Link { coordinate: 2, given: vec![0, 1], experts };
    let (centre, scale) = (density.centre().to_owned(), density.scale().to_owned());
    AutoregressiveMixture::new(centre, scale, vec![0, 1], vec![link]).unwrap()
}

#[test]
fn log_densities_are_those_of_scipy() {
    let (density, rows, expected) = golden();
    for (ours, theirs) in density.log_prob(rows.view()).iter().zip(&expected) {
        // Some forty logarithms in double precision.
        assert!((ours - theirs).abs() < 1e-11 * theirs.abs().max(1.0), "{ours} {theirs}");
    }
}

#[test]
fn a_row_far_out_has_a_finite_log_density() {
    let (density, _, _) = golden();
    let log_prob = density.log_prob(array![[1e12, -1e12, 1e12], [0.0, 1e150, 0.0]].view());
    assert!(log_prob.iter().all(|l| l.is_finite()), "{log_prob}");
}

#[test]
fn the_density_of_a_coordinate_given_the_others_integrates_to_one() {
    let density = conditional();
    let (h, n) = (0.01, 12_000);
    let grid = Array2::from_shape_fn((n, 3), |(i, j)| match j {
        2 => h * (i as f64 - 6_000.0),
        _ => 0.7,
    });
    let mass: f64 = density.log_prob(grid.view()).iter().map(|l| l.exp()).sum::<f64>() * h;
    assert!((mass - 1.0).abs() < 1e-6, "{mass}");
}

#[test]
fn samples_have_the_density_and_repeat() {
    let (density, _, _) = golden();
    let drawn = density.sample(30_000, Seed(1));
    assert_eq!(drawn, density.sample(30_000, Seed(1)));
    // The cells of the first coordinate to be drawn, whose distribution is known: a mixture of two.
    let first = drawn.column(2);
    let fine: Vec<f64> = (0..20_000).map(|i| -60.0 + 0.006 * (f64::from(i) + 0.5)).collect();
    let link = &density.links()[0];
    let x = Array2::ones((fine.len(), 1));
    let z: Array1<f64> = fine.iter().map(|v| (v - density.centre()[2]) / density.scale()[2]).collect();
    let p = link.experts.log_prob(x.view(), z.view()).mapv(f64::exp) / density.scale()[2] * 0.006;
    for edge in [-1.0, 0.0, 0.5, 1.0, 2.0] {
        let expected: f64 = fine.iter().zip(&p).filter(|(v, _)| **v < edge).map(|(_, p)| p).sum();
        let found = first.iter().filter(|v| **v < edge).count() as f64 / 30_000.0;
        // Five standard errors of a share.
        assert!((found - expected).abs() < 5.0 * (0.25_f64 / 30_000.0).sqrt(), "{edge}: {found} {expected}");
    }
    // The entropies of two independent samples agree.
    let other = density.sample(30_000, Seed(2));
    let of = |x: &Array2<f64>| density.log_prob(x.view());
    let (a, b) = (of(&drawn), of(&other));
    let error = ((a.var(1.0) + b.var(1.0)) / 30_000.0).sqrt();
    assert!((a.mean().unwrap() - b.mean().unwrap()).abs() < 5.0 * error);
}

#[test]
fn a_context_comes_back_as_it_was_and_decides_about_the_rest() {
    let density = conditional();
    assert_eq!(density.context(), [0, 1]);
    let context = Array2::from_shape_fn((4_000, 2), |(i, j)| if (i + j) % 2 == 0 { 1.3 } else { -3.7 });
    let drawn = density.sample_given(context.view(), Seed(3));
    assert_eq!(drawn.slice_axis(Axis(1), Slice::from(..2)), context);
    let mean = |parity: usize| {
        let rows = drawn.rows().into_iter().enumerate().filter(|(i, _)| i % 2 == parity);
        rows.map(|(_, row)| row[2]).sum::<f64>() / 2_000.0
    };
    assert!((mean(0) - mean(1)).abs() > 0.5, "{} {}", mean(0), mean(1));
}

#[test]
fn scores_do_not_hang_on_the_company_of_a_row() {
    let (density, _, _) = golden();
    let rows = density.sample(700, Seed(6));
    let all = density.log_prob(rows.view());
    for i in [0, 255, 256, 699] {
        let alone = density.log_prob(rows.slice_axis(Axis(0), Slice::from(i..=i)));
        // A product of one row may be summed in another order than that of many.
        assert!((alone[0] - all[i]).abs() < 1e-10 * all[i].abs().max(1.0));
    }
}

#[test]
fn factors_that_are_no_density_are_refused() {
    let (density, _, _) = golden();
    let (centre, scale) = (density.centre().to_owned(), density.scale().to_owned());
    let made = |links: Vec<Link>, context: Vec<usize>| {
        AutoregressiveMixture::new(centre.clone(), scale.clone(), context, links)
    };
    let links = density.links().to_vec();
    let backwards: Vec<Link> = links.iter().rev().cloned().collect();
    assert!(matches!(made(backwards, vec![]), Err(MixtureError::Order { coordinate: 1 })));
    assert!(matches!(made(links[..2].to_vec(), vec![]), Err(MixtureError::Order { coordinate: 1 })));
    assert!(matches!(made(links.clone(), vec![1]), Err(MixtureError::Order { coordinate: 1 })));
    assert!(matches!(made(links.clone(), vec![9]), Err(MixtureError::Order { coordinate: 9 })));
    let none = AutoregressiveMixture::new(centre.clone(), array![1.0, 0.0, 1.0], vec![], links);
    assert!(matches!(none, Err(MixtureError::NotFinite { what: "scale", column: 1, .. })));
    let scales = Experts::new(Kernel::T(3.0), array![[0.0]], array![[0.0]], array![0.0]);
    assert!(matches!(scales, Err(MixtureError::Scale { expert: 0 })));
}
