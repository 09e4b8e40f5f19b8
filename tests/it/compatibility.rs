//! A bundle and models as they were once written keep their meaning: a later program gives the same scores, or
//! refuses them and says what to do. `tests/compatibility/README.md` tells how a folder is added.

use std::fs;
use std::path::{Path, PathBuf};

use cohort_flow::artifact::ModelArtifact;
use cohort_flow::features::Bundle;

use crate::support::{fail, succeed};

const MODELS: [&str; 2] = ["gmm", "flow"];

fn whole() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility/bundle-2-model-6")
}

/// Rows of a table of scores: the id, and numbers.
fn scores(path: &Path) -> Vec<(String, Vec<f64>)> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let rows = reader.records().map(|row| {
        let row = row.unwrap();
        (row[0].to_owned(), row.iter().skip(1).map(|cell| cell.parse().unwrap()).collect())
    });
    rows.collect()
}

#[test]
fn models_and_bundles_of_the_format_score_as_they_did_when_they_were_written() {
    let tmp = tempfile::tempdir().unwrap();
    let whole = whole();
    assert_eq!(Bundle::open(&whole.join("bundle")).unwrap().manifest.n_records, 160);
    for model in MODELS {
        let (folder, table) = (whole.join(model), whole.join("table.csv"));
        ModelArtifact::load(&folder).unwrap();
        let args =
            ["score", folder.to_str().unwrap(), "--input", table.to_str().unwrap(), "--output", "s.csv"];
        succeed(tmp.path(), &[&args[..], &["--force"]].concat());
        let (then, now) =
            (scores(&whole.join(format!("{model}-scores.csv"))), scores(&tmp.path().join("s.csv")));
        assert_eq!(then.len(), 160);
        for ((id, then), (same, now)) in then.iter().zip(&now) {
            assert_eq!(id, same);
            assert_eq!(then.len(), now.len(), "{model}: other columns");
            for (then, now) in then.iter().zip(now) {
                // Other processors add in another order; the flow works in single precision.
                let allowed = 1e-5 * then.abs().max(1.0);
                assert!((then - now).abs() <= allowed, "{model}, {id}: {now}, and then {then}");
            }
        }
        // The records of the bundle are those of the table.
        let bundle = whole.join("bundle");
        succeed(
            tmp.path(),
            &["score", folder.to_str().unwrap(), bundle.to_str().unwrap(), "--output", "b.csv", "--force"],
        );
    }
}

/// Copies a folder, with one text of one file replaced.
fn altered(from: &Path, to: &Path, file: &str, text: &str, by: &str) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
    }
    let path = to.join(file);
    let before = fs::read_to_string(&path).unwrap();
    let after = before.replacen(text, by, 1);
    assert!(before != after, "{file} does not hold {text}");
    fs::write(path, after).unwrap();
}

#[test]
fn other_formats_are_refused_with_what_to_do() {
    let tmp = tempfile::tempdir().unwrap();
    let (dir, whole) = (tmp.path(), whole());
    for (name, version, remedy) in [("older", 1, "`cohort-flow ingest` again"), ("newer", 99, "upgrade")] {
        let by = format!("\"format_version\": {version}");
        altered(&whole.join("bundle"), &dir.join(name), "manifest.json", "\"format_version\": 2", &by);
        let found = format!("format version {version}");
        fail(dir, &["fit", name, "--output", "model"], &[name, &found, "hint", remedy]);
    }
    for (name, version, remedy) in [("old-model", 5, "`cohort-flow fit` again"), ("new-model", 99, "upgrade")]
    {
        let by = format!("\"format_version\": {version}");
        altered(&whole.join("gmm"), &dir.join(name), "model.json", "\"format_version\": 6", &by);
        let found = format!("format version {version}");
        let table = whole.join("table.csv");
        let args = ["score", name, "--input", table.to_str().unwrap(), "--output", "s.csv"];
        fail(dir, &args, &[name, &found, "hint", remedy]);
    }
}
