use rand::RngExt;

use super::*;
use crate::random::Seed;

fn normals(n: usize, name: &str) -> Vec<f64> {
    let mut rng = Seed(27).stream(name, 0);
    // The sum of twelve uniforms is near enough to a normal.
    (0..n).map(|_| (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0).collect()
}

fn persons(n: usize) -> Vec<u64> {
    (0..n as u64).map(|i| i.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 7).collect()
}

#[test]
fn the_area_of_shifted_normals_is_the_one_that_theory_gives() {
    let n = 4000;
    let of_b: Vec<bool> = (0..n).map(|i| i % 2 == 1).collect();
    let shifted = normals(n, "x").iter().zip(&of_b).map(|(x, b)| x + f64::from(u8::from(*b))).collect();
    let columns = [
        DomainColumn { values: shifted, levels: false },
        DomainColumn { values: normals(n, "noise"), levels: false },
    ];
    let test = domain_test(&columns, &of_b, &persons(n)).unwrap();
    // Φ(1/√2)
    let expected = 0.760_249_938_906_523;
    assert!((test.all.auroc - expected).abs() < 3.0 * test.all.standard_error, "{test:?}");
    // With 2,000 records each DeLong's error of such an area is 0.0075.
    assert!((0.006..0.009).contains(&test.all.standard_error), "{test:?}");
    assert!((test.alone[1].auroc - 0.5).abs() < 3.0 * test.alone[1].standard_error, "{test:?}");
}

#[test]
fn spread_levels_and_what_is_missing_tell_cohorts_apart_too() {
    let n = 1200;
    let of_b: Vec<bool> = (0..n).map(|i| i % 2 == 1).collect();
    let x = normals(n, "x");
    let wider = x.iter().zip(&of_b).map(|(x, b)| if *b { 3.0 * x } else { *x }).collect();
    let levels = (0..n).map(|i| if of_b[i] { (i / 2 % 3) as f64 } else { (i / 2 % 2) as f64 }).collect();
    let missing = x.iter().zip(&of_b).map(|(x, b)| if *b && *x > 0.0 { f64::NAN } else { x.abs() }).collect();
    let column = |values, levels| DomainColumn { values, levels };
    let columns = [column(wider, false), column(levels, true), column(missing, false)];
    let test = domain_test(&columns, &of_b, &persons(n)).unwrap();
    for (area, least) in test.alone.iter().zip([0.7, 0.6, 0.7]) {
        assert!(area.auroc > least, "{test:?}");
    }
    assert!(test.all.auroc > test.alone.iter().map(|a| a.auroc).fold(0.0, f64::max), "{test:?}");
}

#[test]
fn records_that_lie_apart_give_an_area_of_one_and_copies_of_a_patient_do_not_count_as_more() {
    let n = 200;
    let of_b: Vec<bool> = (0..n).map(|i| i % 2 == 1).collect();
    let apart =
        DomainColumn { values: of_b.iter().map(|b| f64::from(u8::from(*b))).collect(), levels: false };
    let test = domain_test(&[apart], &of_b, &persons(n)).unwrap();
    assert_eq!((test.all.auroc, test.all.standard_error), (1.0, 0.0));

    let scores = normals(n, "scores");
    let once = of_scores(&scores, &of_b, &persons(n));
    let twice = |v: &[f64]| [v, v].concat();
    let labels = [of_b.clone(), of_b.clone()].concat();
    let people = [persons(n), persons(n)].concat();
    let copied = of_scores(&twice(&scores), &labels, &people);
    assert!((copied.auroc - once.auroc).abs() < 1e-12);
    assert!((copied.standard_error - once.standard_error).abs() < 1e-12, "{copied:?} {once:?}");
}

#[test]
fn few_patients_are_not_judged() {
    let of_b: Vec<bool> = (0..100).map(|i| i % 2 == 1).collect();
    let column = DomainColumn { values: normals(100, "x"), levels: false };
    let one_patient: Vec<u64> = vec![7; 100];
    assert!(domain_test(std::slice::from_ref(&column), &of_b, &one_patient).is_none());
    assert!(domain_test(&[], &of_b, &persons(100)).is_none());
}
