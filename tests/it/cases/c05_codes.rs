//! Integer codes that one blank cell turned into 1.0, 2.0, 3.0.

use std::fs;
use std::path::Path;

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

/// A column of a CSV by name, empty cells as none.
pub(super) fn column(path: &Path, name: &str) -> Vec<Option<String>> {
    let mut reader = csv::Reader::from_path(path).unwrap();
    let at = reader.headers().unwrap().iter().position(|h| h == name).expect(name);
    reader.records().map(|r| Some(r.unwrap()[at].to_string()).filter(|t| !t.is_empty())).collect()
}

fn numbers(path: &Path, name: &str) -> Vec<f64> {
    column(path, name).into_iter().map(|t| t.unwrap().parse().unwrap()).collect()
}

#[test]
fn codes_written_as_1_and_as_1_point_0_are_one_level() {
    let Some(tmp) = folder("05-codes-1-vs-1.0") else { return };
    let dir = tmp.path();
    fs::create_dir(dir.join("integers")).unwrap();
    for entry in fs::read_dir(dir.join("folder")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let text = if path.ends_with("test.csv") {
            let whole = |l: &str| {
                l.split_once(".0,").filter(|(c, _)| c.len() == 1).map(|(c, rest)| format!("{c},{rest}"))
            };
            text.lines().map(|l| whole(l).unwrap_or_else(|| l.to_string())).collect::<Vec<_>>().join("\n")
                + "\n"
        } else {
            text
        };
        fs::write(dir.join("integers").join(path.file_name().unwrap()), text).unwrap();
    }
    let mut means = Vec::new();
    for (input, bundle, model) in [("folder", "a", "model-a"), ("integers", "b", "model-b")] {
        let role = ["--set", "role.admit_code=categorical"];
        succeed(dir, &[&["ingest", "wide-table", "--input", input, "--output", bundle][..], &role].concat());
        succeed(dir, &["fit", bundle, "--output", model, "--model", "gmm"]);
        let metrics: serde_json::Value =
            serde_json::from_slice(&fs::read(dir.join(model).join("metrics.json")).unwrap()).unwrap();
        means.push(metrics["splits"]["test"]["mean_log_prob_original_units"].as_f64().unwrap());
    }
    assert!((means[0] - means[1]).abs() < 0.1 && (means[0] + 6.07).abs() < 0.3, "{means:?}");
    // Beyond the case: the bundles hold the same numbers.
    let raw = |name: &str| Bundle::open(&dir.join(name)).unwrap().raw;
    let equal = |(a, b): (&f64, &f64)| a == b || (a.is_nan() && b.is_nan());
    assert!(raw("a").iter().zip(&raw("b")).all(equal));

    for (input, output) in [("new_int.csv", "int.csv"), ("new_float.csv", "float.csv")] {
        succeed(dir, &["flag", "model-b", "--input", input, "--output", output, "--alpha", "0.05"]);
    }
    let flagged =
        |file: &str| column(&dir.join(file), "flagged").iter().flatten().filter(|t| *t == "true").count();
    assert!(flagged("int.csv").abs_diff(flagged("float.csv")) <= 2);
    let mean = |file: &str| numbers(&dir.join(file), "log_prob")[1..].iter().sum::<f64>() / 199.0;
    assert!((mean("int.csv") - mean("float.csv")).abs() < 0.1);
}
