//! Percentages of a category when half the rows are missing.

use std::fs;

use serde_json::Value;

use super::folder;
use crate::support::succeed;

#[test]
fn shares_of_a_category_are_of_the_known_and_of_all_and_say_which() {
    let Some(dir) = folder("30-report-percent-missing") else { return };
    let dir = dir.path();
    succeed(dir, &["ingest", "wide-table", "--input", "table.csv", "--output", "bundle"]);
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    succeed(dir, &["report", "bundle", "--model", "model", "--format", "json", "--output", "report.json"]);
    let report: Value = serde_json::from_slice(&fs::read(dir.join("report.json")).unwrap()).unwrap();
    let feature = |name: &str| {
        report["features"].as_array().unwrap().iter().find(|f| f["name"] == name).unwrap().clone()
    };
    let ward = feature("ward");
    let all = &ward["splits"][0];
    assert_eq!((all["split"].as_str(), all["observed"].as_u64()), (Some("all"), Some(450)));
    assert_eq!(all["missing_percent"].as_f64(), Some(50.0));
    let levels: Vec<_> = ward["levels"].as_array().unwrap().iter().collect();
    assert_eq!(levels.len(), 2);
    for (level, (name, n, known, of_all)) in
        levels.iter().zip([("A", 270, 60.0, 30.0), ("B", 180, 40.0, 20.0)])
    {
        assert_eq!((level["level"].as_str(), level["n"].as_u64()), (Some(name), Some(n)));
        assert_eq!(
            (level["percent"].as_f64(), level["percent_of_all"].as_f64()),
            (Some(known), Some(of_all))
        );
    }
    let flag = &feature("flag")["splits"][0];
    assert_eq!(flag["observed"].as_u64(), Some(447));
    assert!((flag["mean"].as_f64().unwrap() - 85.0 / 447.0).abs() < 1e-6, "{flag}");
    succeed(dir, &["report", "bundle", "--model", "model", "--output", "report.html"]);
    let page = fs::read_to_string(dir.join("report.html")).unwrap();
    assert!(page.contains("60.0 % of records with a value, 30.0 % of all records"));
}
