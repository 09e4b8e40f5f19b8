//! Drift of binaries, of counts with many zeros and of constants.

use std::fs;

use serde_json::Value;

use super::folder;
use crate::support::succeed;

#[test]
fn drift_of_binaries_counts_and_constants_is_seen_and_none_where_there_is_none() {
    let Some(dir) = folder("08-psi-binary") else { return };
    let dir = dir.path();
    for name in ["old", "new"] {
        let input = format!("{name}.csv");
        succeed(dir, &["ingest", "wide-table", "--input", &input, "--output", name]);
        let model = format!("model-{name}");
        succeed(dir, &["fit", name, "--output", &model, "--model", "gmm"]);
    }
    let args = [
        "report",
        "new",
        "--model",
        "model-new",
        "--model",
        "model-old",
        "--compare",
        "old",
        "--format",
        "json",
        "--output",
        "drift.json",
    ];
    succeed(dir, &args);
    let report: Value = serde_json::from_slice(&fs::read(dir.join("drift.json")).unwrap()).unwrap();
    let drift = &report["drift"];
    assert_eq!(
        (drift["n_beyond_chance"].as_u64(), drift["features"].as_array().unwrap().len()),
        (Some(4), 5)
    );
    let of = |label: &str| {
        drift["features"]
            .as_array()
            .unwrap()
            .iter()
            .find(|f| f["label"] == label)
            .unwrap_or_else(|| panic!("{label}"))
    };
    let psi = |label: &str| of(label)["psi"].as_f64().unwrap();
    for (label, expected) in [("died", 0.99), ("vented", 0.57), ("pressors", 1.05)] {
        assert!((psi(label) - expected).abs() < 0.06, "{label}: {}", psi(label));
        assert_eq!(of(label)["values_beyond_chance"], true);
        assert_eq!(of(label)["missing_beyond_chance"], false);
    }
    assert!(psi("charlson") > 5.0);
    assert!(of("charlson")["note"].as_str().unwrap().contains("no value in common"));
    assert!(psi("age") < 0.05 && of("age")["beyond_chance"] == false, "{}", of("age"));
}
