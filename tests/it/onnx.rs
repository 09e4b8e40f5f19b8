//! `export --format onnx`: graphs that ONNX Runtime scores records by as the program does, and what is
//! refused.
//!
//! The comparison needs onnxruntime and numpy in `target/python`, where `.ci/run` installs them, or in the
//! interpreter that `COHORT_FLOW_PYTHON` names.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::support::{fail, skipped, succeed};

fn sample(name: &str) -> String {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sample").join(name).display().to_string()
}

fn interpreter() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    let python = std::env::var_os("COHORT_FLOW_PYTHON").map_or_else(default, PathBuf::from);
    if !Command::new(&python)
        .args(["-c", "import onnxruntime, numpy"])
        .output()
        .is_ok_and(|o| o.status.success())
    {
        skipped("onnxruntime in target/python, where `.ci/run` installs it");
        return None;
    }
    Some(python)
}

/// Compares by `tests/python/onnx_check.py`, which fails where log-likelihoods or p-values differ.
fn compare(python: &Path, model: &str, bundle: &str) {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/python/onnx_check.py");
    let output = Command::new(python)
        .arg(script)
        .args([env!("CARGO_BIN_EXE_cohort-flow"), model, bundle, "--records", "100"])
        .output()
        .unwrap();
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{model}\n{told}\n{why}");
}

/// Every kind of column: numbers with and without a resolution, counts, ordered levels, two levels, texts
/// with rare ones, codes with leading zeros, a pile of zeros, a constant, values missing alone and together.
fn table(rows: u32) -> String {
    let mut out = String::from("age,crp,pain,smoker,site,ward,flat,lab_a,lab_b,share\n");
    for i in 0..rows {
        let part = |k: u32| f64::from((i * 7919 + k * 104_729) % 9973) / 9973.0;
        let crp = if part(1) < 0.3 { 0.0 } else { (4.0 * part(2)).exp() };
        let smoker = ["yes", "no", "no", ""][(i % 4) as usize];
        let site = if i % 97 == 0 { "elsewhere" } else { ["north", "south", "west"][(i % 3) as usize] };
        let labs = if i % 6 == 0 {
            ",".to_owned()
        } else {
            format!("{:.0},{:.1}", 140.0 + 9.0 * part(3), 4.0 + part(4))
        };
        let (age, pain, ward) = ((50.0 + 40.0 * part(5)).round(), (6.0 * part(6)).floor(), i % 12);
        writeln!(out, "{age},{crp:.6},{pain},{smoker},{site},{ward:02},5,{labs},{}", part(7)).unwrap();
    }
    out
}

#[test]
fn onnx_runtime_scores_as_the_program_does() {
    let Some(python) = interpreter() else { return };
    for model in ["flow", "gmm"] {
        compare(&python, &sample(model), &sample("cohort"));
    }
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).display().to_string();
    fs::write(dir.path().join("table.csv"), table(400)).unwrap();
    let ingest = ["ingest", "wide-table", "--input", "table.csv", "--output", "bundle", "--set"];
    succeed(dir.path(), &[&ingest[..], &["role.pain=ordinal"]].concat());
    succeed(dir.path(), &["fit", "bundle", "--model", "tmix", "--calibrate-by", "site", "--output", "model"]);
    compare(&python, &at("model"), &at("bundle"));
}

#[test]
fn the_same_model_is_the_same_graph() {
    let dir = tempfile::tempdir().unwrap();
    let bundle = sample("cohort");
    for name in ["a.onnx", "b.onnx"] {
        let from = ["export", &sample("gmm"), "--format", "onnx", "--input", &bundle, "--output", name];
        succeed(dir.path(), &from);
    }
    let bytes = |name: &str| fs::read(dir.path().join(name)).unwrap();
    assert!(bytes("a.onnx").len() > 10_000);
    assert_eq!(bytes("a.onnx"), bytes("b.onnx"));
}

#[test]
fn what_cannot_be_calibrated_or_does_not_apply_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let (model, bundle) = (sample("gmm"), sample("cohort"));
    let export = |more: &[&str], said: &[&str]| {
        fail(dir.path(), &[&["export", &model, "--output", "model.onnx", "--format"], more].concat(), said);
        assert!(!dir.path().join("model.onnx").exists());
    };
    export(&["onnx"], &["calibration records is not given", "--input"]);
    export(&["card", "--input", &bundle], &["do not apply to --format card"]);
    export(&["onnx", "--input", &bundle, "--score", "dependence"], &["not written as a graph", "dependence"]);
    let flag = ["flag", &model, &bundle, "--output", "flags.csv"];
    let draws = [&flag[..], &["--draws-by", "record", "--draws", "4"]].concat();
    fail(dir.path(), &draws, &["--draws applies to fixed draws alone"]);
    let fixed = [&flag[..], &["--draws-by", "fixed"]].concat();
    fail(dir.path(), &fixed, &["calibration records is not given", "--reference"]);
}
