//! Synthetic records keep the support of the data: whole numbers, bounds, shares of zeros and of missing
//! values.

use std::path::Path;

use super::folder;
use crate::numbers::Csv;
use crate::support::succeed;

const NUMBERS: [&str; 9] = ["age", "icu_days", "transf", "spo2", "crp", "frac", "mo", "cauchy", "lact"];

fn quantile(sorted: &[f64], p: f64) -> f64 {
    sorted[(p * (sorted.len() - 1) as f64).round() as usize]
}

fn check(dir: &Path, file: &str) {
    let (table, drawn) = (Csv::read(&dir.join("table.csv")), Csv::read(&dir.join(file)));
    for name in NUMBERS {
        let (data, samples) = (table.sorted(name), drawn.sorted(name));
        let missing = 1.0 - samples.len() as f64 / 20_000.0;
        let expected = if name == "lact" { 0.35 } else { 0.0 };
        let slack = if name == "lact" { 0.02 } else { 0.0 };
        assert!((missing - expected).abs() <= slack, "{file} {name}: {missing} missing");
        assert!(samples.iter().all(|x| x.is_finite()), "{file} {name}");
        if data.iter().all(|x| x.fract() == 0.0) {
            assert!(samples.iter().all(|x| x.fract() == 0.0), "{file} {name} is no longer whole");
        }
        let (low, high) = (data[0], data[data.len() - 1]);
        let beyond = samples.iter().filter(|x| **x < low || **x > high).count();
        assert!(beyond <= 60, "{file} {name}: {beyond} of 20,000 beyond the range");
        let wide = quantile(&data, 0.99) - quantile(&data, 0.01);
        for p in [0.01, 0.5, 0.99] {
            let (want, got) = (quantile(&data, p), quantile(&samples, p));
            let near = (got - want).abs() <= (0.3 * want.abs()).max(0.03 * wide);
            assert!(near, "{file} {name}: quantile {p} is {got}, in the table {want}");
        }
    }
    for name in ["age", "icu_days", "transf", "crp", "frac", "lact"] {
        assert!(drawn.sorted(name)[0] >= 0.0, "{file} {name} is negative");
    }
    assert!(*drawn.sorted("spo2").last().unwrap() <= 100.0);
    let months = drawn.sorted("mo");
    assert!(months[0] >= 1.0 && months[months.len() - 1] <= 12.0);
    let genes = drawn.text("gene");
    assert!(genes.iter().all(|g| ["AA", "AG", "GG", ""].contains(&g.as_str())));
    assert!(genes.iter().filter(|g| g.is_empty()).count() <= 40);
    let zeros = drawn.sorted("transf").iter().filter(|x| **x == 0.0).count() as f64 / 20_000.0;
    assert!((zeros - 0.804).abs() <= 0.02, "{file}: {zeros} of transf are zero");
}

#[test]
fn samples_keep_the_support_of_the_data() {
    let Some(folder) = folder("20-sample-bounds") else { return };
    let dir = folder.path();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "mixture", "--model", "gmm"]);
    succeed(dir, &["fit", "bundle", "--output", "flow", "--preset", "small"]);
    for (model, file) in [("mixture", "a.csv"), ("flow", "b.csv")] {
        succeed(dir, &["sample", model, "--n", "20000", "--output", file]);
        check(dir, file);
    }
}
