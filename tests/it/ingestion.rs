//! What a user relies on whatever the files look like: values equal those of SQL, the layout of the input
//! changes nothing, and held-out patients do not leak into what is fitted.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use cohort_flow::features::Bundle;
use cohort_flow::schema::Split;

use crate::support::{command, fail, listing, shared, skipped, succeed};

fn demo() -> Option<PathBuf> {
    shared("data/mimic3-demo")
}

/// `tests/duckdb/check.py` needs Python with DuckDB: `COHORT_FLOW_PYTHON`, or `python3`.
#[test]
fn values_equal_an_independent_computation_in_sql() {
    let Some(demo) = demo() else { return };
    let python = std::env::var("COHORT_FLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_duckdb = Command::new(&python).args(["-c", "import duckdb"]).output();
    if !has_duckdb.is_ok_and(|o| o.status.success()) {
        skipped("a Python with duckdb in COHORT_FLOW_PYTHON (pip install duckdb)");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/duckdb");
    let dir = tempfile::tempdir().unwrap();
    let pipeline = here.join("pipeline.toml");
    let (pipeline, input) = (pipeline.to_str().unwrap(), demo.to_str().unwrap());
    succeed(dir.path(), &["ingest", pipeline, "--input", input, "--output", "bundle"]);
    let features = dir.path().join("bundle/features.parquet");
    let output = Command::new(&python).arg(here.join("check.py")).arg(&demo).arg(features).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("136 stays"), "{text}");
}

/// Tables of a synthetic extract as (file name, header, rows).
fn tables(dir: &Path) -> Vec<(String, String, Vec<String>)> {
    let mut out = Vec::new();
    for (path, _) in listing(dir) {
        if path.extension().is_some_and(|e| e == "csv") {
            let text = fs::read_to_string(&path).unwrap();
            let mut lines = text.lines().map(ToString::to_string);
            let header = lines.next().unwrap();
            out.push((path.file_name().unwrap().to_str().unwrap().to_string(), header, lines.collect()));
        }
    }
    assert!(out.len() > 5);
    out
}

fn ingest(dir: &Path, input: &str, output: &str) {
    succeed(dir, &["ingest", "mimic3-first-24h", "--input", input, "--output", output]);
}

#[test]
fn order_parts_case_and_compression_of_the_files_change_no_byte() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    succeed(here, &["synth", "--patients", "150", "--seed", "5", "--output", "plain"]);
    ingest(here, "plain", "a");
    let other = here.join("other");
    fs::create_dir(&other).unwrap();
    for (i, (name, header, mut rows)) in tables(&here.join("plain")).into_iter().enumerate() {
        // A permutation without a fixed structure: rows by a hash of their text.
        rows.sort_by_key(|row| {
            row.bytes().fold(i as u64, |h, b| (h ^ u64::from(b)).wrapping_mul(0x100_0000_01b3))
        });
        // Event tables in two parts.
        if name.to_uppercase().contains("EVENTS") {
            let part = rows.split_off(rows.len() / 3);
            let stem = name.trim_end_matches(".csv");
            fs::write(other.join(format!("{stem}_2.csv")), format!("{header}\n{}\n", part.join("\n")))
                .unwrap();
        }
        let header = if i % 2 == 0 { header.to_uppercase() } else { header.to_lowercase() };
        let text = format!("{header}\n{}\n", rows.join("\n"));
        if i % 3 == 0 {
            fs::write(other.join(name.to_lowercase()), text).unwrap();
        } else {
            let file = fs::File::create(other.join(format!("{name}.gz"))).unwrap();
            let mut gz = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
            std::io::Write::write_all(&mut gz, text.as_bytes()).unwrap();
            gz.finish().unwrap();
        }
    }
    ingest(here, "other", "b");
    for file in ["features.parquet", "tensor.safetensors"] {
        let (a, b) =
            (fs::read(here.join("a").join(file)).unwrap(), fs::read(here.join("b").join(file)).unwrap());
        assert!(a == b, "{file} differs");
    }
    // The manifest names the inputs with their hashes, and nothing else differs.
    let manifest = |name: &str| {
        let text = fs::read_to_string(here.join(name).join("manifest.json")).unwrap();
        let mut json: serde_json::Value = serde_json::from_str(&text).unwrap();
        json.as_object_mut().unwrap().remove("inputs").unwrap();
        json
    };
    assert_eq!(manifest("a"), manifest("b"));
}

#[test]
fn values_of_test_patients_reach_nothing_that_is_fitted() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    succeed(here, &["synth", "--patients", "200", "--seed", "6", "--output", "plain"]);
    ingest(here, "plain", "a");
    let before = Bundle::open(&here.join("a")).unwrap();
    let test: Vec<String> =
        before.rows(Split::Test).into_iter().map(|r| before.record_ids[r].clone()).collect();
    assert!(!test.is_empty());
    // Every measurement of every test stay is changed.
    let changed = here.join("changed");
    fs::create_dir(&changed).unwrap();
    let mut n = 0;
    for (name, header, rows) in tables(&here.join("plain")) {
        let names: Vec<String> = header.split(',').map(|h| h.trim_matches('"').to_uppercase()).collect();
        let place = |wanted: &str| names.iter().position(|h| h == wanted);
        let mut text = format!("{header}\n");
        for row in rows {
            let mut cells: Vec<String> = row.split(',').map(ToString::to_string).collect();
            let chart = name.to_uppercase().starts_with("CHARTEVENTS") && cells.len() == names.len();
            if let (true, Some(stay), Some(value)) = (chart, place("ICUSTAY_ID"), place("VALUENUM"))
                && test.contains(&cells[stay])
                && let Ok(x) = cells[value].parse::<f64>()
            {
                cells[value] = (x + 1.0).to_string();
                n += 1;
            }
            text += &cells.join(",");
            text.push('\n');
        }
        fs::write(changed.join(name), text).unwrap();
    }
    assert!(n > 100, "{n}");
    ingest(here, "changed", "b");
    let after = Bundle::open(&here.join("b")).unwrap();
    assert_eq!(before.manifest.encoder, after.manifest.encoder);
    assert_eq!(before.record_ids, after.record_ids);
    let (a, b) = (before.stored_draw(), after.stored_draw());
    let bits = |x: f64| x.to_bits();
    for row in before.rows(Split::Train) {
        assert!(a.values.row(row).iter().copied().map(bits).eq(b.values.row(row).iter().copied().map(bits)));
    }
    let moved = |row: &usize| a.values.row(*row) != b.values.row(*row);
    assert!(before.rows(Split::Test).iter().any(moved), "the change shows where it was made");
}

#[test]
fn a_cell_is_explained_on_stdout_and_nothing_is_written() {
    let Some(demo) = demo() else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = demo.to_str().unwrap();
    let base = ["ingest", "mimic3-first-24h", "--input", input, "--explain"];
    let args = [&base[..], &["weight", "--stay", "201006"]].concat();
    let output = command(dir.path(), &args).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(output.status.success(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains("201006  weight_first = "), "{text}");
    assert!(listing(dir.path()).is_empty());
    fail(dir.path(), &[&base[..], &["wieght", "--stay", "201006"]].concat(), &["wieght", "unknown"]);
    fail(dir.path(), &[&base[..], &["weight", "--stay", "1"]].concat(), &["record `1`", "unknown"]);
}

#[test]
fn a_drafted_pipeline_ingests_its_table() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("t.csv"), crate::support::table(300, 3)).unwrap();
    let output = command(dir.path(), &["schema", "infer", "t.csv"]).output().unwrap();
    assert!(output.status.success());
    fs::write(dir.path().join("p.toml"), &output.stdout).unwrap();
    succeed(dir.path(), &["ingest", "p.toml", "--input", "t.csv", "--output", "b"]);
}

#[test]
fn hours_of_a_stay_are_records_of_one_split() {
    let Some(demo) = demo() else { return };
    let dir = tempfile::tempdir().unwrap();
    let input = demo.to_str().unwrap();
    succeed(dir.path(), &["ingest", "mimic3-hourly", "--input", input, "--output", "b"]);
    let bundle = Bundle::open(&dir.path().join("b")).unwrap();
    let mut of: std::collections::HashMap<&str, Split> = std::collections::HashMap::new();
    for (id, split) in bundle.record_ids.iter().zip(&bundle.splits) {
        let (stay, hour) = id.split_once('@').unwrap();
        assert!((0..24).contains(&hour.parse::<i32>().unwrap()), "{id}");
        assert_eq!(of.entry(stay).or_insert(*split), split, "{id}");
    }
    assert_eq!(of.len(), 99);
    assert!(bundle.record_ids.len() > 99 * 20 && bundle.record_ids.len() <= 99 * 24);
}
