//! Where it is asked for, names of levels that one or two patients have stay in the bundle: no model, sample or
//! list of reasons holds one.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{listing, succeed};

/// 240 records of 120 patients; each name that begins with `village` is of one patient, who has two records.
fn table(dir: &Path) {
    let mut text = String::from("record_id,patient,age,place\n");
    for i in 0..240 {
        let patient = i / 2;
        let place = match patient % 12 {
            0 => format!("village {patient}"),
            1..=4 => "town".to_owned(),
            _ => "city".to_owned(),
        };
        writeln!(text, "r{i},p{patient},{},{place}", 40 + (i * 37) % 45).unwrap();
    }
    fs::write(dir.join("table.csv"), text).unwrap();
}

fn holds(dir: &Path, output: &str, word: &str) -> bool {
    let place = dir.join(output);
    let files = if place.is_dir() { listing(&place).into_iter().map(|f| f.0).collect() } else { vec![place] };
    files.iter().any(|file| String::from_utf8_lossy(&fs::read(file).unwrap()).contains(word))
}

#[test]
fn names_that_few_patients_have_are_in_no_model() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    table(dir);
    let ingest = ["ingest", "wide-table", "--input", "table.csv", "--set", "role.patient=group"];
    let without = ["--output", "bundle", "--set", "min_level_patients=3"];
    let said = succeed(dir, &[&ingest[..], &without].concat());
    assert!(said.contains("`place`") && said.contains("fewer than 3 training patients"), "{said}");
    succeed(dir, &["fit", "bundle", "--output", "model", "--model", "gmm"]);
    succeed(dir, &["sample", "model", "--n", "400", "--output", "sample.csv"]);
    succeed(dir, &["flag", "model", "--input", "table.csv", "--output", "flags.csv", "--json", "flags.json"]);
    for output in ["model", "sample.csv", "bundle/audit.json"] {
        assert!(!holds(dir, output, "village"), "{output} names a level of one patient");
    }
    assert!(holds(dir, "model", "town") && holds(dir, "sample.csv", "town"));
    assert!(holds(dir, "sample.csv", "(rare)"), "samples have rare levels at their frequency, without names");
    // Otherwise each level has its own name and frequency.
    let every = ["--output", "every"];
    let said = succeed(dir, &[&ingest[..], &every].concat());
    assert!(!said.contains("fewer than"), "{said}");
    succeed(dir, &["fit", "every", "--output", "named", "--model", "gmm"]);
    assert!(holds(dir, "named", "village"));
}
