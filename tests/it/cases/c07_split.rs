//! A declared split with a blank cell, an unknown name, or another name for validation.

use cohort_flow::features::Bundle;
use cohort_flow::schema::Split;

use super::folder;
use crate::support::{fail, succeed};

#[test]
fn declared_splits_are_respected_or_the_table_is_refused() {
    let Some(tmp) = folder("07-split-blank") else { return };
    let dir = tmp.path();
    let args = |input, output| ["ingest", "wide-table", "--input", input, "--output", output];
    succeed(dir, &args("clean.csv", "clean"));
    let clean = Bundle::open(&dir.join("clean")).unwrap();
    let of_file: Vec<Split> = csv::Reader::from_path(dir.join("clean.csv"))
        .unwrap()
        .records()
        .map(|row| Split::ALL.into_iter().find(|s| s.name() == &row.as_ref().unwrap()[2]).unwrap())
        .collect();
    assert_eq!(clean.splits, of_file);
    let count = |split| clean.manifest.splits.get(split);
    assert_eq!(Split::ALL.map(count), [360, 60, 90, 90]);
    let names: Vec<&str> = clean.manifest.encoder.columns.iter().map(|c| c.meta.name.as_str()).collect();
    assert_eq!(names, ["x", "y"]);

    fail(dir, &args("one_blank.csv", "blank"), &["`split`", "row 101", "empty"]);
    fail(dir, &args("typo.csv", "typo"), &["`split`", "row 591", "`tset`"]);
    let declared = [&args("one_blank.csv", "declared")[..], &["--set", "role.split=split"]].concat();
    fail(dir, &declared, &["`split`", "row 101"]);

    let said = succeed(dir, &args("dev.csv", "dev"));
    assert!(said.contains("`dev` (60 rows) is read as validation"), "{said}");
    assert_eq!(Bundle::open(&dir.join("dev")).unwrap().splits, of_file);
}
