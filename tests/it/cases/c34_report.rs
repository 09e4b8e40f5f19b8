//! What the report says of levels that were never met in training.

use std::fs;

use serde_json::Value;

use super::folder;
use crate::support::succeed;

#[test]
fn the_report_shows_what_no_training_record_had() {
    let Some(dir) = folder("34-rare-level") else { return };
    let dir = dir.path();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    succeed(dir, &["report", "bundle", "--model", "model", "--format", "json", "--output", "report.json"]);
    let report: Value = serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    let features = report["features"].as_array().unwrap();
    let organism = features.iter().find(|f| f["name"] == "organism").unwrap();
    let levels = organism["levels"].as_array().unwrap();
    let unmet = levels.iter().find(|l| l["level"] == "not met in training").unwrap();
    assert_eq!(unmet["n"].as_u64(), Some(12), "{levels:?}");
    let named: Vec<_> = levels.iter().map(|l| l["level"].as_str().unwrap()).collect();
    assert!(named.contains(&"none") && named.contains(&"e.coli") && named.contains(&"s.aureus"), "{named:?}");
}
