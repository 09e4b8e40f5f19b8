//! `ingest --check`: every problem of an extract at once, from headers and first rows; nothing is written.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::fs;
use std::path::Path;

use crate::support::{run, succeed};

/// Status and lines on stdout of a check of a folder.
fn check(dir: &Path, more: &[&str]) -> (i32, String) {
    let usual = ["ingest", "icu-first-24h", "--input", "extract", "--check"];
    let output = run(dir, &[&usual[..], more].concat());
    (output.status.code().unwrap(), String::from_utf8(output.stdout).unwrap())
}

fn change(dir: &Path, file: &str, change: impl Fn(&str) -> String) {
    let path = dir.join("extract").join(file);
    fs::write(&path, change(&fs::read_to_string(&path).unwrap())).unwrap();
}

#[test]
fn an_extract_is_checked_without_being_read_whole() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    succeed(dir, &["synth", "--patients", "30", "--output", "extract"]);
    let (status, said) = check(dir, &[]);
    assert_eq!(status, 0, "{said}");
    assert!(said.contains("schema mimic3: ") && said.contains("0 problems would stop"), "{said}");
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "nothing was written");

    // A column under another name, a wrong cell with its line, a table that is not there, and a unit that
    // nothing converts: all of them at once.
    change(dir, "LABEVENTS.csv", |text| text.replacen("VALUEUOM", "VALUE_UOM", 1));
    change(dir, "PATIENTS.csv", |text| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let row = &mut lines[3];
        let date = row.split(',').find(|cell| cell.contains('-')).unwrap().to_owned();
        *row = row.replacen(&date, "yesterday", 1);
        lines.join("\n") + "\n"
    });
    change(dir, "CHARTEVENTS.csv", |text| text.replace("mmHg", "bar"));
    let from = dir.join("extract/OUTPUTEVENTS.csv");
    fs::rename(from, dir.join("extract/OUTPUT_EVENTS.csv")).unwrap();
    let (status, said) = check(dir, &[]);
    assert_eq!(status, 2, "{said}");
    for part in [
        "LABEVENTS.csv lacks column `VALUEUOM` (did you mean its `VALUE_UOM`?)",
        "PATIENTS.csv: line 4, column `DOB` is not ",
        "there is no file of table OUTPUTEVENTS",
        "did you mean its file `output_events`?",
        "are in the unit `bar`, from which nothing leads to mmHg",
        "3 problems would stop `ingest`",
    ] {
        assert!(said.contains(part), "`{part}` is not in\n{said}");
    }
    let (status, json) = check(dir, &["--json"]);
    let findings: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((status, findings["schema"].as_str()), (2, Some("mimic3")));
    assert_eq!(findings["findings"][0]["stops"], true, "what stops comes first");
    assert_eq!(fs::read_dir(dir).unwrap().count(), 1, "nothing was written");
}

#[test]
fn another_release_is_told_from_its_columns() {
    let work = tempfile::tempdir().unwrap();
    let dir = work.path();
    succeed(dir, &["synth", "--patients", "20", "--output", "extract"]);
    let (status, said) = check(dir, &["--schema", "mimic4"]);
    assert_eq!(status, 2, "{said}");
    assert!(said.contains("its columns are those of table ICUSTAYS of schema mimic3"), "{said}");
    // A table alone has no schema to be held against.
    fs::write(dir.join("t.csv"), "a,b\n1,2\n").unwrap();
    let output = run(dir, &["ingest", "wide-table", "--input", "t.csv", "--check"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8(output.stderr).unwrap().contains("schema infer TABLE"));
}
