//! Labels: outcomes that are kept beside the features, that no model sees, and by which flags are judged.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use cohort_flow::features::{Bundle, LabelTable};

use crate::support::{fail, run, succeed};

/// 600 patients of two measurements; those of high values die, and one in twenty is far away.
fn table() -> String {
    let mut text = "id,pulse,pressure,died,days,ward\n".to_owned();
    for i in 0..600_u32 {
        let wave = f64::from((i * 37) % 600) / 60.0;
        let far = if i % 20 == 7 { 60.0 } else { 0.0 };
        let died = if i % 9 == 8 { String::new() } else { u32::from(far > 0.0 && i % 40 != 7).to_string() };
        let ward = ["a", "b"][i as usize % 2];
        let (pulse, pressure) = (70.0 + wave + far, 120.0 - wave * 1.3);
        writeln!(text, "r{i},{pulse:.2},{pressure:.2},{died},{},{ward}", i % 13).unwrap();
    }
    text
}

fn ingest(dir: &Path) {
    fs::write(dir.join("table.csv"), table()).unwrap();
    let roles = ["--set", "role.died=label", "--set", "role.days=label", "--set", "role.ward=label"];
    let args = ["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"];
    succeed(dir, &[args.as_slice(), &roles].concat());
}

/// What a command prints to standard output.
fn said(dir: &Path, args: &[&str]) -> String {
    let output = run(dir, args);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// The same, as JSON.
fn parsed(dir: &Path, args: &[&str]) -> serde_json::Value {
    serde_json::from_str(&said(dir, args)).unwrap()
}

#[test]
fn labels_are_kept_beside_the_features_and_judge_the_flags() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    ingest(dir);
    let bundle = Bundle::open(&dir.join("bundle")).unwrap();
    let names: Vec<_> = bundle.manifest.encoder.columns.iter().map(|c| c.meta.name.as_str()).collect();
    assert_eq!(names, ["pulse", "pressure"], "no label is a feature");
    let labels = LabelTable::open(&dir.join("bundle")).unwrap();
    assert_eq!(labels.metas.iter().map(|m| m.name.as_str()).collect::<Vec<_>>(), ["died", "days", "ward"]);
    let row = labels.row("r27").unwrap();
    assert_eq!(
        (labels.number(0, row), labels.number(1, row), labels.text(2, row)),
        (Some(1.0), Some(1.0), Some("b"))
    );

    succeed(dir, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    succeed(dir, &["flag", "model", "bundle", "--alpha", "0.06", "--output", "flags.csv"]);
    let args = ["evaluate", "flags.csv", "--labels", "bundle", "--label", "died"];
    let found: serde_json::Value = parsed(dir, &[args.as_slice(), &["--json"]].concat());
    let known = (0..600).filter(|i| i % 9 != 8).count();
    assert_eq!(found["n"], known);
    assert_eq!(found["flagged"]["n"].as_u64().unwrap() + found["rest"]["n"].as_u64().unwrap(), known as u64);
    assert!(found["auroc"].as_f64().unwrap() > 0.9, "{found}");
    assert!(found["flagged"]["value"].as_f64() > found["rest"]["value"].as_f64(), "{found}");
    assert!(said(dir, &args).contains("95 % interval"));
    // A table says the same as the bundle that was made of it.
    let of_table = ["evaluate", "flags.csv", "--labels", "table.csv", "--label", "died", "--json"];
    assert_eq!(parsed(dir, &of_table), found);
    // Scores rank as well, and say nothing of flags.
    succeed(dir, &["score", "model", "bundle", "--output", "scores.csv"]);
    let of_scores =
        ["evaluate", "scores.csv", "--labels", "bundle", "--label", "days", "--above", "6", "--json"];
    let ranked: serde_json::Value = parsed(dir, &of_scores);
    assert!(ranked["flagged"].is_null() && ranked["n"] == 600, "{ranked}");
    fail(
        dir,
        &["evaluate", "flags.csv", "--labels", "bundle", "--label", "days"],
        &["neither 1 nor 0", "--above"],
    );
    fail(
        dir,
        &["evaluate", "flags.csv", "--labels", "bundle"],
        &["no label of it is named", "died, days, ward"],
    );
    fail(dir, &["evaluate", "flags.csv", "--labels", "bundle", "--label", "dead"], &["has no label `dead`"]);

    succeed(dir, &["export", "bundle", "--output", "all.csv"]);
    let exported = fs::read_to_string(dir.join("all.csv")).unwrap();
    assert!(
        exported.lines().next().unwrap().ends_with("pulse,pressure,label.died,label.days,label.ward"),
        "{exported}"
    );
    succeed(dir, &["report", "bundle", "--model", "model", "--output", "report.html"]);
    assert!(
        fs::read_to_string(dir.join("report.html"))
            .unwrap()
            .contains("Are the flagged patients the ones who die?")
    );
    // Labels that were tampered with are refused.
    fs::write(dir.join("bundle/labels.parquet"), b"other").unwrap();
    fail(dir, &["export", "bundle", "--output", "again.csv"], &["labels.parquet", "SHA-256"]);
}

#[test]
fn the_outcomes_of_a_database_come_from_its_schema() {
    let Some(extract) = crate::support::shared("data/mimic4-demo") else { return };
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    succeed(dir, &["ingest", "icu-first-24h", "--input", extract.to_str().unwrap(), "--output", "bundle"]);
    let labels = LabelTable::open(&dir.join("bundle")).unwrap();
    let death = labels.metas.iter().position(|m| m.name == "hospital_death").unwrap();
    let died: f64 = labels.rows().filter_map(|(_, row)| labels.number(death, row)).sum();
    // Counted from hosp/admissions.csv.gz and icu/icustays.csv.gz over the first stay of each patient.
    assert_eq!(died, 11.0);
}
