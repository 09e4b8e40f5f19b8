//! A model is asked about the records of a bundle in which a column of the same name means something else.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use crate::support::{fail, succeed};

/// A record of one channel in a folder of its own, of `unit` with `gain` steps in one.
fn record(dir: &Path, name: &str, unit: &str, gain: f64, frequency: u32) {
    fs::create_dir_all(dir.join(name)).unwrap();
    let samples: Vec<i16> = (0..4000_i32).map(|i| (i * 7919 % 101 + i * 31 % 57) as i16).collect();
    let bytes: Vec<u8> = samples.iter().flat_map(|x| x.to_le_bytes()).collect();
    fs::write(dir.join(name).join("r.dat"), bytes).unwrap();
    let text = format!("r 1 {frequency} 4000\nr.dat 16 {gain}/{unit} 16 0 0 0 0 II\n");
    fs::write(dir.join(name).join("r.hea"), text).unwrap();
}

fn ingest(dir: &Path, input: &str, output: &str, more: &[&str]) {
    let usual = ["ingest", "waveform-1024", "--input", input, "--output", output];
    let settings = ["channels=II", "window=8", "stride=8", "normalise=none"];
    let settings: Vec<&str> = settings.iter().chain(more).flat_map(|setting| ["--set", setting]).collect();
    succeed(dir, &[&usual[..], &settings].concat());
}

#[test]
fn records_in_other_units_or_of_other_windows_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    record(dir, "a", "mV", 200.0, 125);
    record(dir, "same", "mV", 100.0, 125);
    record(dir, "micro", "uV", 0.2, 125);
    record(dir, "fast", "mV", 200.0, 250);
    ingest(dir, "a", "bundle", &[]);
    succeed(dir, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    ingest(dir, "same", "b-same", &[]);
    succeed(dir, &["score", "model", "b-same", "--output", "same.csv"]);
    for (input, output, more, said) in [
        ("micro", "b-micro", vec![], "`II` is in mV, and in uV in the bundle"),
        ("fast", "b-fast", vec![], "its signals have 125 samples per second, and those of the bundle 250"),
        (
            "a",
            "b-long",
            vec!["window=16"],
            "windows of 8 samples of II, and those of the bundle are windows of 16",
        ),
        ("a", "b-scaled", vec!["normalise=channel"], "fitted with normalise=none"),
    ] {
        ingest(dir, input, output, &more);
        fail(dir, &["score", "model", output, "--output", "other.csv"], &[said]);
        fail(dir, &["flag", "model", output, "--output", "other.csv"], &[said]);
    }
}
