//! Patient columns under other names.

use std::collections::HashMap;
use std::fs;

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

#[test]
fn the_rows_of_a_patient_are_in_one_split_whatever_the_column_is_called() {
    let Some(tmp) = folder("31-subject-names") else { return };
    let dir = tmp.path();
    let mut n = 0;
    for entry in fs::read_dir(dir.join("in")).unwrap() {
        let path = entry.unwrap().path();
        let output = format!("bundle-{}", path.file_stem().unwrap().to_string_lossy());
        let said =
            succeed(dir, &["ingest", "wide-table", "--input", path.to_str().unwrap(), "--output", &output]);
        let bundle = Bundle::open(&dir.join(&output)).unwrap();
        let names: Vec<&str> = bundle.manifest.encoder.columns.iter().map(|c| c.meta.name.as_str()).collect();
        assert_eq!(names, ["x", "y"], "{output}");
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let name = reader.headers().unwrap()[0].to_string();
        assert!(said.contains(&name), "{said}");
        let mut of_patient = HashMap::new();
        for (row, split) in reader.records().zip(&bundle.splits) {
            let patient = row.unwrap()[0].to_string();
            assert_eq!(of_patient.entry(patient).or_insert(*split), split, "{output}");
        }
        assert_eq!(of_patient.len(), 300, "{output}");
        n += 1;
    }
    assert_eq!(n, 13);
}
