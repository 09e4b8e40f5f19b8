//! Missing values written as −999 or as a word, in training and at scoring.

use std::fs;
use std::path::Path;

use cohort_flow::features::Bundle;

use super::c05_codes::column;
use super::folder;
use crate::support::succeed;

/// The table with −999 and `unknown` replaced by empty cells.
fn cleaned(from: &Path, to: &Path) {
    let text = fs::read_to_string(from).unwrap();
    let clean = |cell: &str| {
        if ["-999", "-999.0", "unknown"].contains(&cell) { String::new() } else { cell.to_string() }
    };
    let row = |line: &str| line.split(',').map(clean).collect::<Vec<_>>().join(",");
    fs::write(to, text.lines().map(row).collect::<Vec<_>>().join("\n") + "\n").unwrap();
}

#[test]
fn declared_codes_are_missing_by_value_in_training_and_at_scoring() {
    let Some(tmp) = folder("09-sentinel-at-scoring") else { return };
    let dir = tmp.path();
    let mut tensors = Vec::new();
    for (input, bundle, y_missing, sex_missing) in [
        ("train.csv", "a", 120, 42),
        ("train_int.csv", "b", 117, 41),
        ("train_float.csv", "c", 117, 41),
        ("train_int.parquet", "d", 117, 41),
    ] {
        succeed(dir, &["ingest", "p.toml", "--input", input, "--output", bundle]);
        let bundle = Bundle::open(&dir.join(bundle)).unwrap();
        assert_eq!(bundle.record_ids.len(), 700);
        let missing = |name: &str| {
            let at = bundle.manifest.encoder.columns.iter().position(|c| c.meta.name == name).unwrap();
            bundle.raw.column(at).iter().filter(|x| x.is_nan()).count()
        };
        assert_eq!((missing("y"), missing("sex")), (y_missing, sex_missing), "{input}");
        let y = bundle.manifest.encoder.columns.iter().position(|c| c.meta.name == "y").unwrap();
        assert!(bundle.raw.column(y).iter().all(|x| x.is_nan() || *x > 0.0));
        tensors.push(bundle.manifest.tensor_sha256.clone());
    }
    assert!(tensors[1] == tensors[2] && tensors[1] == tensors[3], "one table in three forms");

    for (bundle, model, new) in [("b", "model", "new_int.csv"), ("a", "model-a", "new.csv")] {
        succeed(dir, &["fit", bundle, "--output", model, "--model", "gmm"]);
        cleaned(&dir.join(new), &dir.join("plain.csv"));
        let mut log_probs = Vec::new();
        let mut flags = Vec::new();
        for (input, stem) in [(new, "coded"), ("plain.csv", "plain")] {
            let (scores, flagged) = (format!("{model}-{stem}-s.csv"), format!("{model}-{stem}-f.csv"));
            succeed(dir, &["score", model, "--input", input, "--output", &scores]);
            succeed(dir, &["flag", model, "--input", input, "--output", &flagged, "--alpha", "0.05"]);
            let numbers = column(&dir.join(&scores), "log_prob");
            log_probs
                .push(numbers.into_iter().map(|t| t.unwrap().parse::<f64>().unwrap()).collect::<Vec<_>>());
            flags.push(column(&dir.join(&flagged), "flagged"));
        }
        let near = log_probs[0].iter().zip(&log_probs[1]).all(|(a, b)| (a - b).abs() < 0.05);
        assert!(near, "{log_probs:?}");
        assert_eq!(flags[0], flags[1]);
    }
}
