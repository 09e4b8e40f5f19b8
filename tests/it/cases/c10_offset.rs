//! Columns with an offset that single precision cannot hold.

use serde_json::Value;

use super::folder;
use crate::support::succeed;

/// The mean test log-likelihood of the Gaussian with the training mean and covariance, for any offset.
const GAUSSIAN: f64 = -2.848;

fn test_log_prob(dir: &std::path::Path, model: &str) -> f64 {
    let text = std::fs::read(dir.join(model).join("metrics.json")).unwrap();
    let metrics: Value = serde_json::from_slice(&text).unwrap();
    metrics["splits"]["test"]["mean_log_prob_original_units"].as_f64().unwrap()
}

fn check(file: &str) {
    let Some(folder) = folder("10-f32-offset") else { return };
    let dir = folder.path();
    let ingest = ["ingest", "wide-table", "--input", file, "--output", "bundle"];
    let said =
        succeed(dir, &[&ingest[..], &["--set", "transform=none", "--set", "dequantize=none"]].concat());
    assert_eq!(said.contains("`x` lies so far from zero"), file != "small.csv", "{said}");
    succeed(dir, &["fit", "bundle", "--output", "mixture", "--model", "gmm"]);
    succeed(dir, &["fit", "bundle", "--output", "flow", "--preset", "small", "--epochs", "60"]);
    succeed(dir, &["fit", "bundle", "--output", "default"]);
    for model in ["mixture", "flow", "default"] {
        let found = test_log_prob(dir, model);
        assert!((found - GAUSSIAN).abs() < 0.05, "{file} {model}: {found}");
    }
}

#[test]
fn an_offset_of_a_time_stamp_changes_no_density() {
    check("large.csv");
}

#[test]
fn smaller_offsets_change_no_density() {
    for file in ["small.csv", "off1e4.csv", "off1e5.csv", "off1e6.csv", "mid.csv"] {
        check(file);
    }
}
