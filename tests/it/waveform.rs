//! The WFDB reader against PyPI `wfdb`, and windows through the whole program.
//!
//! Python is looked for in `COHORT_FLOW_PYTHON` (an interpreter with `wfdb` and `soundfile`), then as
//! `python3`; without `wfdb` the comparison is skipped with a line on stderr.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::path::{Path, PathBuf};
use std::process::Command;

use cohort_flow::waveform::{Record, Signal, list_records};
use serde_json::Value;

use crate::support::{fail, shared, skipped, succeed};

fn python() -> Option<String> {
    let python = std::env::var("COHORT_FLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", "import wfdb, soundfile"]).output();
    if found.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    skipped("a Python with wfdb in COHORT_FLOW_PYTHON (pip install wfdb soundfile)");
    None
}

fn peer(python: &str, args: &[&str]) -> Vec<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/wfdb_peer.py");
    let output = Command::new(python).arg(script).args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect()
}

/// Physical values of the channels called `names` over the whole record, NaN in gaps and where a segment
/// lacks one.
fn physical(record: &Record, names: &[String]) -> Vec<Vec<f64>> {
    let mut out = vec![Vec::new(); names.len()];
    for segment in &record.segments {
        let signals: Vec<Signal> = record.read_segment(segment).unwrap().unwrap_or_default();
        for (name, out) in names.iter().zip(&mut out) {
            match signals.iter().find(|s| s.name == *name) {
                Some(s) => out.extend(s.samples.iter().map(|&x| s.physical(x))),
                None => out.extend(std::iter::repeat_n(f64::NAN, segment.n_frames)),
            }
        }
    }
    out
}

fn compare(expected: &Value) -> usize {
    let path = PathBuf::from(expected["record"].as_str().unwrap());
    let names: Vec<String> = serde_json::from_value(expected["names"].clone()).unwrap();
    let record = Record::open(&path).unwrap();
    let got = physical(&record, &names);
    let mut samples = 0;
    for (c, channel) in expected["physical"].as_array().unwrap().iter().enumerate() {
        let channel = channel.as_array().unwrap();
        assert_eq!(channel.len(), got[c].len(), "{} {}", path.display(), names[c]);
        for (i, (want, got)) in channel.iter().zip(&got[c]).enumerate() {
            let same = match want.as_f64() {
                None => got.is_nan(),
                // Same formula, other order of operations at most.
                Some(want) => (want - got).abs() <= 1e-12 * want.abs().max(1.0),
            };
            assert!(same, "{} {} sample {i}: {want} {got}", path.display(), names[c]);
        }
        samples += channel.len();
    }
    samples
}

#[test]
fn every_format_is_read_as_wfdb_reads_it() {
    let Some(python) = python() else { return };
    let dir = tempfile::tempdir().unwrap();
    let records = peer(&python, &["write", dir.path().to_str().unwrap()]);
    // 13 formats in three lengths, and a record of unequal frames in two files.
    assert_eq!(records.len(), 40);
    let samples: usize = records.iter().map(compare).sum();
    assert_eq!(samples, 39 / 3 * 2 * (997 + 998 + 999) + 7 * 500);
}

fn real(path: &str) -> Option<String> {
    let header = shared(&format!("data/waveforms/{path}.hea"))?;
    Some(header.with_extension("").to_str().unwrap().to_owned())
}

#[test]
fn real_records_are_read_as_wfdb_reads_them() {
    let Some(python) = python() else { return };
    let records = ["03700181", "s25047/s25047-2704-05-04-10-44", "s25047/s25047-2704-05-04-10-44n"];
    for record in records.into_iter().filter_map(real) {
        let samples: usize = peer(&python, &["read", &record]).iter().map(compare).sum();
        assert!(samples > 500, "{record}: {samples}");
    }
}

#[test]
fn a_real_record_becomes_windows_and_a_model_scores_them() {
    let Some(record) = real("s25047/s25047-2704-05-04-10-44") else { return };
    let folder = Path::new(&record).parent().unwrap();
    // The record and its numerics; segments are part of the record.
    assert_eq!(list_records(folder).unwrap().len(), 2);
    let dir = tempfile::tempdir().unwrap();
    let ingest = |channels: &str| {
        vec![
            "ingest".to_owned(),
            "waveform-1024".into(),
            "--input".into(),
            record.clone(),
            "--output".into(),
            "bundle".into(),
            "--set".into(),
            format!("channels={channels}"),
            "--set".into(),
            "window=64".into(),
            "--set".into(),
            "stride=512".into(),
        ]
    };
    let args = ingest("II,PLETH");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    fail(dir.path(), &args, &["no window of 64 samples of II and PLETH", "a channel is not recorded"]);
    let args = ingest("II,V");
    let args: Vec<&str> = args.iter().map(String::as_str).collect();
    let said = succeed(dir.path(), &args);
    assert!(said.contains("coarse") || said.contains("ADC step"), "{said}");
    let audit = std::fs::read_to_string(dir.path().join("bundle/audit.json")).unwrap();
    let audit: Value = serde_json::from_str(&audit).unwrap();
    let windows = &audit["tables"][2];
    let dropped: u64 = windows["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
    assert_eq!(windows["rows_read"].as_u64().unwrap(), windows["rows_kept"].as_u64().unwrap() + dropped);
    succeed(dir.path(), &["fit", "bundle", "--model", "var", "--output", "model"]);
    succeed(dir.path(), &["score", "model", "bundle", "--output", "scores.csv"]);
    let causal =
        ["fit", "bundle", "--model", "causal", "--output", "causal", "--epochs", "2", "--set", "hidden=16"];
    succeed(dir.path(), &causal);
    // A copy read back scores as the model did when it was fitted.
    succeed(dir.path(), &["score", "causal", "bundle", "--output", "causal.csv"]);
    // Without a checkpoint a run begins anew, and ends in the same bytes.
    let again = [&causal[..4], &["--output", "again"], &causal[6..], &["--resume"]].concat();
    succeed(dir.path(), &again);
    let weights = |model: &str| std::fs::read(dir.path().join(model).join("model.safetensors")).unwrap();
    assert!(weights("causal") == weights("again"));
    assert!(!dir.path().join("again.checkpoint").exists());
    fail(
        dir.path(),
        &["fit", "bundle", "--model", "causal", "--output", "x", "--set", "depth=3"],
        &["depth"],
    );
    succeed(dir.path(), &["flag", "model", "bundle", "--alpha", "0.05", "--output", "flags.csv"]);
    let metrics = std::fs::read_to_string(dir.path().join("model/metrics.json")).unwrap();
    let metrics: Value = serde_json::from_str(&metrics).unwrap();
    let per_dimension = metrics["splits"]["test"]["mean_log_prob"].as_f64().unwrap() / 128.0;
    // White noise of variance 1 would be −1.42; neighbouring samples of an electrocardiogram tell much of
    // each other.
    let causal = std::fs::read_to_string(dir.path().join("causal/metrics.json")).unwrap();
    let causal: Value = serde_json::from_str(&causal).unwrap();
    let better = causal["splits"]["validation"]["mean_log_prob"].as_f64().unwrap();
    let worse = metrics["splits"]["validation"]["mean_log_prob"].as_f64().unwrap();
    // Training starts at the autoregression and stops at the best epoch on validation.
    assert!(better > worse - 1.0, "{better} {worse}");
    assert!(per_dimension > 0.0, "{per_dimension}");
}

#[test]
fn windows_given_the_samples_before_them_go_through_every_command() {
    let dir = tempfile::tempdir().unwrap();
    let at = dir.path();
    succeed(at, &["synth", "--waveform", "--patients", "2", "--minutes", "3", "--output", "waves"]);
    let ingest = ["ingest", "waveform-1024", "--input", "waves", "--output", "bundle", "--set", "window=64"];
    succeed(at, &[&ingest[..], &["--set", "past=32"]].concat());
    fail(
        at,
        &["fit", "bundle", "--output", "x", "--condition-on", "ABP[0001]"],
        &["--condition-on", "past=N"],
    );
    let models = ["var", "gmm", "causal", "butterfly"];
    for model in models {
        let mut args = vec!["fit", "bundle", "--model", model, "--output", model];
        if model == "causal" || model == "butterfly" {
            args.extend(["--epochs", "2"]);
        }
        succeed(at, &args);
        let scores = format!("{model}.csv");
        succeed(at, &["score", model, "bundle", "--output", &scores]);
        fail(at, &["sample", model, "--n", "2", "--output", "x.csv"], &["PLETH[-0032]", "--given"]);
    }
    let metrics = |model: &str| -> Value {
        let text = std::fs::read_to_string(at.join(model).join("metrics.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    };
    let test = |model: &str| metrics(model)["splits"]["test"]["mean_log_prob"].as_f64().unwrap() / 128.0;
    // Layers start at the autoregression's likelihood of the window given its past.
    assert!(models.iter().all(|m| test(m) > 0.5), "{:?}", models.map(test));
    assert!((test("butterfly") - test("var")).abs() < 0.5, "{} {}", test("butterfly"), test("var"));
    succeed(at, &["flag", "causal", "bundle", "--alpha", "0.05", "--output", "flags.csv"]);
    let report = ["report", "bundle", "--output", "r.html", "--model", "var", "--model", "causal", "--model"];
    succeed(at, &[&report[..], &["butterfly"]].concat());
    let page = std::fs::read_to_string(at.join("r.html")).unwrap();
    assert!(page.contains("given the 32 samples before each"));
}
