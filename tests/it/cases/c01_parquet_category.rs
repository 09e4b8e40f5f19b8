//! Tables from pandas and Polars whose columns are dictionary-encoded.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cohort_flow::ingest::{Cells, read_columns};
use cohort_flow::schema::Kind;

use crate::cases::folder;
use crate::support::succeed;

fn ingest(dir: &Path, input: &str, output: &str) {
    succeed(dir, &["ingest", "wide-table", "--input", input, "--output", output]);
}

/// A column of the bundle's records as texts.
fn texts(dir: &Path, bundle: &str, column: &str) -> Vec<String> {
    let features = dir.join(bundle).join("features.parquet");
    let read = read_columns(&features, &[(column, Kind::Categorical)]).unwrap();
    let Cells::Text(cells) = &read.columns[0].cells else { panic!("{column} is read as text") };
    cells.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect()
}

fn counts(texts: Vec<String>) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for text in texts {
        *counts.entry(text).or_insert(0) += 1;
    }
    counts
}

#[test]
fn categories_are_read_as_the_texts_they_stand_for() {
    let Some(tmp) = folder("01-parquet-category") else { return };
    let dir = tmp.path();
    let wards = [("cardiac", 112), ("medical", 321), ("surgical", 167)];
    let expected: BTreeMap<String, usize> = wards.map(|(ward, n)| (ward.to_owned(), n)).into();
    for (input, output) in
        [("plain.csv", "plain"), ("category.parquet", "category"), ("enum.parquet", "enum")]
    {
        ingest(dir, input, output);
        assert_eq!(counts(texts(dir, output, "ward")), expected, "{input}");
    }
    let tensor = |bundle: &str| fs::read(dir.join(bundle).join("tensor.safetensors")).unwrap();
    assert!(tensor("plain") == tensor("category") && tensor("plain") == tensor("enum"));

    ingest(dir, "split_cat.parquet", "split");
    let file = dir.join("split_cat.parquet");
    let declared = read_columns(&file, &[("split", Kind::Categorical)]).unwrap();
    let Cells::Text(declared) = &declared.columns[0].cells else { panic!("splits are texts") };
    let declared: Vec<String> = declared.iter().map(|cell| cell.unwrap().to_owned()).collect();
    assert_eq!(declared.len(), 600);
    assert_eq!(texts(dir, "split", "split"), declared);

    ingest(dir, "group_cat.parquet", "group");
    let mut splits: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (patient, split) in texts(dir, "group", "subject_id").into_iter().zip(texts(dir, "group", "split")) {
        splits.entry(patient).or_default().push(split);
    }
    assert_eq!(splits.len(), 300);
    assert!(splits.values().all(|s| s.len() == 2 && s[0] == s[1]));

    succeed(dir, &["fit", "plain", "--output", "model", "--model", "gmm"]);
    for (input, output) in [("new.csv", "a.csv"), ("new_cat.parquet", "b.csv")] {
        succeed(dir, &["flag", "model", "--input", input, "--output", output, "--alpha", "0.05"]);
    }
    assert_eq!(fs::read(dir.join("a.csv")).unwrap(), fs::read(dir.join("b.csv")).unwrap());
}
