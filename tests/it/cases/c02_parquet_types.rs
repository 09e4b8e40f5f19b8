//! Decimals, half floats and small integers in Parquet tables.

use std::path::Path;

use cohort_flow::ingest::{Cells, read_columns};
use cohort_flow::schema::Kind;

use crate::cases::folder;
use crate::support::run;

/// A column of numbers; booleans are 0 and 1.
fn numbers(file: &Path, column: &str) -> Vec<f64> {
    let read = read_columns(file, &[(column, Kind::Continuous)]).unwrap();
    let Cells::Number(cells) = &read.columns[0].cells else { panic!("{column} is read as numbers") };
    cells.to_vec()
}

/// Ingests a table; the standard error, and whether it was accepted.
fn ingest(dir: &Path, input: &str, output: &str, more: &[&str]) -> (bool, String) {
    let ended = run(dir, &[&["ingest", "wide-table", "--input", input, "--output", output], more].concat());
    let said = String::from_utf8_lossy(&ended.stderr).into_owned();
    assert!(ended.status.success() || ended.status.code() == Some(2), "{input}: {said}");
    (ended.status.success(), said)
}

#[test]
fn decimals_are_the_numbers_that_their_digits_say() {
    let Some(tmp) = folder("02-parquet-decimal") else { return };
    let dir = tmp.path();
    for (input, output, more) in [
        ("plain.csv", "plain", &[][..]),
        ("decimal.parquet", "decimal", &[]),
        ("decimal.parquet", "declared", &["--set", "role.lactate=continuous"]),
    ] {
        let (read, said) = ingest(dir, input, output, more);
        assert!(read, "{said}");
    }
    let of = |bundle: &str| numbers(&dir.join(bundle).join("features.parquet"), "lactate");
    let plain = of("plain");
    for bundle in ["plain", "decimal", "declared"] {
        let lactate = of(bundle);
        let mean = lactate.iter().sum::<f64>() / lactate.len() as f64;
        assert!(lactate.len() == 600 && (mean - 2.08035).abs() < 5e-6, "{bundle}: {mean}");
        assert!(lactate.iter().zip(&plain).all(|(a, b)| (a - b).abs() < 1e-9), "{bundle}");
    }
}

#[test]
fn every_type_keeps_its_values_or_is_left_out_by_name() {
    let Some(tmp) = folder("02-parquet-decimal") else { return };
    let dir = tmp.path();
    // The first four cells of `z` and the sum of all 300, by Polars 1.35.
    for (kind, first) in [
        ("float16", [0.740234375, 1.25, 8.2734375, 7.51953125]),
        ("decimal", [0.74, 1.25, 8.27, 7.52]),
        ("large_string", [0.74, 1.25, 8.27, 7.52]),
        ("int8", [47.0, 51.0, 75.0, 95.0]),
        ("int16", [47.0, 51.0, 75.0, 95.0]),
        ("int32", [47.0, 51.0, 75.0, 95.0]),
        ("uint8", [7.0, 12.0, 82.0, 75.0]),
        ("uint16", [47.0, 51.0, 75.0, 95.0]),
        ("uint32", [47.0, 51.0, 75.0, 95.0]),
        ("bool", [0.0, 1.0, 1.0, 1.0]),
    ] {
        let (read, said) = ingest(dir, &format!("types/{kind}.parquet"), kind, &[]);
        assert!(read, "{kind}: {said}");
        let z = numbers(&dir.join(kind).join("features.parquet"), "z");
        assert!(z.len() == 300 && z.iter().all(|z| z.is_finite()), "{kind}");
        assert!(z.iter().zip(first).all(|(z, first)| (z - first).abs() < 1e-9), "{kind}: {:?}", &z[..4]);
        let file = numbers(&dir.join(format!("types/{kind}.parquet")), "z");
        assert!(z.iter().zip(&file).all(|(a, b)| (a - b).abs() < 1e-9), "{kind}");
    }
    for kind in ["date32", "time32", "duration", "null"] {
        let (_, said) = ingest(dir, &format!("types/{kind}.parquet"), kind, &[]);
        assert!(said.contains("`z`"), "{kind}: {said}");
    }
}
