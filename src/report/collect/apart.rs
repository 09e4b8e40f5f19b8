//! Two cohorts beside each other: drift by feature, a classifier that tells them apart, and what by.

use std::collections::BTreeMap;

use super::context::Context;
use super::drift::drift;
use super::joint::Older;
use crate::evaluate::{Area, DOMAIN_FOLDS, DomainColumn, domain_test};
use crate::features::Bundle;
use crate::num::quantile::quantile_sorted;
use crate::random::Seed;
use crate::report::data::{Apart, FeatureApart};
use crate::report::{Privacy, ReportError};

/// Records of each cohort that the classifier is given at most: more make its error no smaller than anybody
/// needs.
const MOST: usize = 10_000;

/// A cohort to hold beside another.
#[derive(Debug)]
pub struct CohortOf<'a> {
    /// What it is called.
    pub name: String,
    /// Its records.
    pub bundle: &'a Bundle,
    /// Whose each record is.
    pub persons: Vec<u64>,
    /// Its patients, where they are fewer than its records.
    pub subjects: Option<usize>,
}

/// Holds two cohorts beside each other. `converted` are the features whose unit was made that of A before.
///
/// # Errors
/// A model of A that has no likelihood of the features that B has.
pub fn apart(
    (a, persons_a): (&Older, &[u64]),
    b: &CohortOf<'_>,
    converted: Vec<String>,
    seed: Seed,
) -> Result<Apart, ReportError> {
    let privacy = Privacy::new(false);
    let context = Context::new(b.bundle, &[], privacy, seed);
    let drift = drift(&context, a, b.subjects)?;
    let pairs = shared(&a.bundle, b.bundle);
    let (rows_a, rows_b) = (chosen(persons_a), chosen(&b.persons));
    let columns: Vec<DomainColumn> =
        pairs.iter().map(|&(k, j)| column(&a.bundle, b.bundle, (k, j), &rows_a, &rows_b)).collect();
    let of_b: Vec<bool> = rows_a.iter().map(|_| false).chain(rows_b.iter().map(|_| true)).collect();
    let persons: Vec<u64> =
        rows_a.iter().map(|r| persons_a[*r]).chain(rows_b.iter().map(|r| b.persons[*r])).collect();
    let test = domain_test(&columns, &of_b, &persons);
    let alone: Vec<Option<Area>> = match &test {
        Some(test) => test.alone.iter().copied().map(Some).collect(),
        None => vec![None; pairs.len()],
    };
    let mut features: Vec<FeatureApart> = pairs
        .iter()
        .zip(alone)
        .map(|(&(k, j), alone)| feature(privacy, &a.bundle, b.bundle, (k, j), alone))
        .collect();
    // Those that say most come first, and the order of the features decides between equals.
    features.sort_by(|x, y| strength(y).total_cmp(&strength(x)));
    let is_sampled = rows_a.len() < persons_a.len() || rows_b.len() < b.persons.len();
    Ok(Apart {
        a: a.name.clone(),
        b: b.name.clone(),
        drift,
        classifier: test.map(|test| test.all),
        folds: DOMAIN_FOLDS,
        sampled: is_sampled.then_some(MOST),
        features,
        converted,
    })
}

fn strength(feature: &FeatureApart) -> f64 {
    feature.alone.map_or(0.0, |area| area.auroc)
}

/// Places of the features that both have, in A and in B.
fn shared(a: &Bundle, b: &Bundle) -> Vec<(usize, usize)> {
    let place = |name: &str| b.manifest.encoder.columns.iter().position(|c| c.meta.name == name);
    let columns = a.manifest.encoder.columns.iter().enumerate();
    let pairs = columns.filter_map(|(k, column)| Some((k, place(&column.meta.name)?)));
    let is_text = |bundle: &Bundle, at: usize| !bundle.manifest.encoder.columns[at].levels.is_empty();
    // Numbers in the one and texts in the other have nothing in common; drift says so.
    pairs.filter(|&(k, j)| is_text(a, k) == is_text(b, j)).collect()
}

/// Rows that the classifier is given: all, or those of the persons with the smallest numbers, which are
/// hashes.
fn chosen(persons: &[u64]) -> Vec<usize> {
    let mut rows: Vec<usize> = (0..persons.len()).collect();
    if rows.len() > MOST {
        rows.sort_by_key(|row| (persons[*row], *row));
        rows.truncate(MOST);
        rows.sort_unstable();
    }
    rows
}

/// A feature of the chosen records of both cohorts; levels have the same code where they have the same name.
fn column(
    a: &Bundle,
    b: &Bundle,
    (k, j): (usize, usize),
    rows_a: &[usize],
    rows_b: &[usize],
) -> DomainColumn {
    let levels = !a.manifest.encoder.columns[k].levels.is_empty();
    let mut codes: BTreeMap<String, f64> = BTreeMap::new();
    let mut value = |bundle: &Bundle, at: usize, row: usize| {
        let x = bundle.raw[(row, at)];
        if !levels || x.is_nan() {
            return x;
        }
        let name = bundle.manifest.encoder.level_name(at, x).unwrap_or_default().to_owned();
        let next = codes.len() as f64;
        *codes.entry(name).or_insert(next)
    };
    let mut values: Vec<f64> = rows_a.iter().map(|row| value(a, k, *row)).collect();
    values.extend(rows_b.iter().map(|row| value(b, j, *row)));
    DomainColumn { values, levels }
}

fn feature(
    privacy: Privacy,
    a: &Bundle,
    b: &Bundle,
    (k, j): (usize, usize),
    alone: Option<Area>,
) -> FeatureApart {
    let meta = &a.manifest.encoder.columns[k].meta;
    let is_number = a.manifest.encoder.columns[k].levels.is_empty();
    let (x, y) = (Context::sorted(&a.raw, k), Context::sorted(&b.raw, j));
    let told = privacy.allows(x.len() as u64) && privacy.allows(y.len() as u64) && is_number;
    let median = |of: &[f64]| told.then(|| quantile_sorted(of, 0.5));
    let missing = |bundle: &Bundle, known: usize| {
        let n = bundle.raw.nrows();
        privacy.percent((n - known) as u64, n as u64).exact()
    };
    FeatureApart {
        name: meta.name.clone(),
        unit: meta.unit.clone(),
        alone,
        median_a: median(&x),
        median_b: median(&y),
        missing_a: missing(a, x.len()),
        missing_b: missing(b, y.len()),
        looks_like: if told { looks_like(&x, &y, &meta.unit) } else { None },
    }
}

/// Factors between units in which the same quantity is written.
const FACTORS: [(f64, &str); 9] = [
    (10.0, "10 times"),
    (100.0, "100 times"),
    (1000.0, "1000 times"),
    (7.500_6, "7.5 times, as mmHg are of kPa"),
    (18.016, "18 times, as mg/dL of glucose are of mmol/L"),
    (88.42, "88 times, as µmol/L of creatinine are of mg/dL"),
    (17.104, "17 times, as µmol/L of bilirubin are of mg/dL"),
    (2.204_622_6, "2.2 times, as pounds are of kilograms"),
    (2.54, "2.54 times, as centimetres are of inches"),
];

/// What values look like whose median lies where hardly any value of the other cohort does.
fn looks_like(a: &[f64], b: &[f64], unit: &str) -> Option<String> {
    let (low, high) = (quantile_sorted(a, 0.01), quantile_sorted(a, 0.99));
    let (of_a, of_b) = (quantile_sorted(a, 0.5), quantile_sorted(b, 0.5));
    if of_b >= low && of_b <= high {
        return None;
    }
    let celsius = |x: f64| (30.0..45.0).contains(&x);
    let fahrenheit = |x: f64| (86.0..113.0).contains(&x);
    let may_be_degrees = unit.is_empty() || unit.starts_with('°') || ["C", "F"].contains(&unit);
    match (celsius(of_a) && fahrenheit(of_b), fahrenheit(of_a) && celsius(of_b)) {
        _ if !may_be_degrees => {}
        (true, _) => return Some("B looks like °F under °C".into()),
        (_, true) => return Some("B looks like °C under °F".into()),
        _ => {}
    }
    let ratio = of_b / of_a;
    // Medians of different patients differ by a tenth before units do.
    let near = |ratio: f64, factor: f64| (ratio / factor - 1.0).abs() < 0.1;
    let times = FACTORS.iter().find(|(factor, _)| near(ratio, *factor));
    let parts = FACTORS.iter().find(|(factor, _)| near(1.0 / ratio, *factor));
    let of = if unit.is_empty() { String::new() } else { format!(" {unit}") };
    Some(match (times, parts) {
        (Some((_, text)), _) => format!("B is {text}: another unit than{of}?"),
        (_, Some((_, text))) => format!("A is {text}: another unit than{of} in B?"),
        _ => "hardly any value of A is where half of B is".into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn around(middle: f64, spread: f64) -> Vec<f64> {
        (0..200).map(|i| middle + spread * (f64::from(i) - 99.5) / 100.0).collect()
    }

    #[test]
    fn other_units_are_recognised_and_shifts_are_not_taken_for_them() {
        let says = |a: &[f64], b: &[f64]| looks_like(a, b, "u").unwrap_or_default();
        let degrees = |a: &[f64], b: &[f64]| looks_like(a, b, "°C").unwrap_or_default();
        assert_eq!(degrees(&around(36.9, 1.5), &around(98.4, 3.0)), "B looks like °F under °C");
        assert_eq!(degrees(&around(98.4, 3.0), &around(36.9, 1.5)), "B looks like °C under °F");
        assert!(!says(&around(36.9, 1.5), &around(98.4, 3.0)).contains('°'), "a haematocrit, say");
        assert!(says(&around(80.0, 30.0), &around(176.0, 60.0)).contains("pounds"));
        assert!(says(&around(176.0, 60.0), &around(80.0, 30.0)).starts_with("A is 2.2 times"));
        assert!(says(&around(5.5, 2.0), &around(99.0, 30.0)).contains("glucose"));
        assert_eq!(looks_like(&around(80.0, 30.0), &around(90.0, 30.0), "bpm"), None);
        assert!(says(&around(1.0, 0.5), &around(4.9, 1.0)).contains("hardly any value"));
    }
}
