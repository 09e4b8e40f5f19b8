//! The page of a bundle of waveform windows.

use std::fs;

use serde_json::Value;

use crate::support::{fail, run, succeed};

#[test]
fn windows_have_sections_of_their_own_and_stay_anonymous() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    succeed(dir, &["synth", "--waveform", "--patients", "2", "--minutes", "3", "--output", "records"]);
    let window = ["--set", "window=64"];
    let ingest = ["ingest", "waveform-1024", "--input", "records", "--output", "bundle"];
    succeed(dir, &[&ingest[..], &window].concat());
    succeed(dir, &["fit", "bundle", "--model", "var", "--output", "var"]);
    // No model is named: windows get the causal flow.
    succeed(dir, &["fit", "bundle", "--epochs", "2", "--output", "flow"]);
    let header: Value = serde_json::from_slice(&fs::read(dir.join("flow/model.json")).unwrap()).unwrap();
    assert_eq!(header["family"]["kind"], "causal");

    // Layers over patches; the same bytes for any number of threads, and inspected by level.
    for (threads, output) in [("1", "patches"), ("2", "again")] {
        succeed(
            dir,
            &[
                "fit",
                "bundle",
                "--model",
                "butterfly",
                "--epochs",
                "3",
                "--threads",
                threads,
                "--output",
                output,
            ],
        );
    }
    for file in ["model.json", "model.safetensors", "history.csv"] {
        let of = |folder: &str| fs::read(dir.join(folder).join(file)).unwrap();
        assert_eq!(of("patches"), of("again"), "{file}");
    }
    let levels = run(dir, &["inspect", "patches"]);
    let levels = String::from_utf8_lossy(&levels.stdout).into_owned();
    assert!(
        levels.contains("4 samples") && levels.contains("1 channel") && levels.contains("block 6"),
        "{levels}"
    );
    succeed(dir, &["sample", "patches", "--n", "3", "--output", "samples.csv"]);
    succeed(dir, &["flag", "patches", "bundle", "--explain", "0", "--output", "flags.csv"]);
    fail(
        dir,
        &["fit", "bundle", "--model", "butterfly", "--set", "patch=48", "--output", "x"],
        &["`patch`", "must divide the 64 samples"],
    );
    for model in ["glow-lu", "realnvp"] {
        succeed(
            dir,
            &["fit", "bundle", "--model", model, "--epochs", "1", "--set", "whiten=false", "--output", model],
        );
    }

    let report = ["report", "bundle", "--model", "flow", "--model", "var", "--model", "patches", "--output"];
    for page in ["a.html", "b.html"] {
        succeed(dir, &[&report[..], &[page]].concat());
    }
    let page = fs::read_to_string(dir.join("a.html")).unwrap();
    assert_eq!(page, fs::read_to_string(dir.join("b.html")).unwrap());
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    for section in [
        "Windows: real and sampled",
        "Traces",
        "Power spectra",
        "Likelihood over time",
        "Least likely windows",
        "What the butterflies learned",
    ] {
        assert!(page.contains(section), "no section `{section}`");
    }
    assert!(!page.contains("w00001"), "a record is named");
    assert!(!page.contains("PLETH[0001]"), "samples of a curve are tabulated one by one");

    succeed(dir, &[&report[..], &["r.json", "--format", "json"]].concat());
    let numbers: Value = serde_json::from_slice(&fs::read(dir.join("r.json")).unwrap()).unwrap();
    let windows = &numbers["waveform"];
    assert_eq!(windows["n_dimensions"], 128);
    for (row, model) in windows["models"].as_array().unwrap().iter().zip(["flow", "var", "patches"]) {
        let metrics = fs::read(dir.join(model).join("metrics.json")).unwrap();
        let metrics: Value = serde_json::from_slice(&metrics).unwrap();
        let per_record = metrics["splits"]["test"]["mean_log_prob"].as_f64().unwrap();
        let shown = row["mean"].as_f64().unwrap() * 128.0;
        assert!(
            (shown - per_record).abs() < 1e-6 * per_record.abs().max(1.0),
            "{model}: {shown} {per_record}"
        );
    }

    succeed(dir, &[&report[..], &["open.html", "--identifiable"]].concat());
    assert!(fs::read_to_string(dir.join("open.html")).unwrap().contains("w00001"));
}
