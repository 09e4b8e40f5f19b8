//! `ingest --part` and `--merge`: whatever the number of parts, the bundle is that of one run, byte for byte, and
//! parts that do not belong together are refused.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use crate::support::{fail, listing, shared, succeed, table};

/// Ingests in one run and in parts, and compares every file of the two bundles.
fn same_bundle(dir: &Path, ingest: &[&str], of: u32) {
    let whole = dir.join("whole");
    if !whole.exists() {
        succeed(dir, &[&["ingest"], ingest, &["--output", "whole"]].concat());
    }
    let names: Vec<String> = (1..=of).map(|number| format!("part-{number}-of-{of}")).collect();
    for (number, name) in (1..=of).zip(&names) {
        let part = format!("{number}/{of}");
        succeed(dir, &[&["ingest"], ingest, &["--part", &part, "--output", name]].concat());
    }
    let merged = format!("merged-{of}");
    // In any order.
    let backwards: Vec<&str> = names.iter().rev().map(String::as_str).collect();
    succeed(dir, &[&["ingest", "--merge"], backwards.as_slice(), &["--output", &merged]].concat());
    let files = listing(&whole);
    assert!(files.len() >= 4, "{files:?}");
    assert_eq!(files.len(), listing(&dir.join(&merged)).len());
    for (path, _) in files {
        let name = path.file_name().unwrap();
        let other = fs::read(dir.join(&merged).join(name)).unwrap();
        assert!(fs::read(&path).unwrap() == other, "{} differs for {of} parts", path.display());
    }
}

#[test]
fn parts_of_an_extract_are_merged_to_the_bytes_of_one_run() {
    for (pipeline, parts) in [("mimic3-first-24h", [1, 2, 7]), ("mimic3-hourly", [1, 2, 5])] {
        let dir = tempfile::tempdir().unwrap();
        succeed(dir.path(), &["synth", "--patients", "120", "--seed", "5", "--output", "extract"]);
        for of in parts {
            same_bundle(dir.path(), &[pipeline, "--input", "extract"], of);
        }
    }
}

/// Measurements of patients who come one after the other, in the form of the challenge.
fn long_table(patients: usize) -> String {
    let mut text = String::from("RecordID,Time,Parameter,Value\n");
    for patient in 0..patients {
        let id = 132_500 + 7 * patient;
        for (name, value) in
            [("Age", 40 + patient % 50), ("Gender", patient % 2), ("ICUType", 1 + patient % 4)]
        {
            writeln!(text, "{id},00:00,{name},{value}").unwrap();
        }
        writeln!(text, "{id},00:00,Unused,1").unwrap();
        for hour in 0..patient % 11 {
            let rate = 60 + (patient * 31 + hour * 17) % 70;
            writeln!(text, "{id},{hour:02}:{:02},HR,{rate}", (patient * 13) % 60).unwrap();
            writeln!(text, "{id},{hour:02}:30,Temp,{}.{}", 36 + hour % 3, patient % 10).unwrap();
        }
    }
    text
}

#[test]
fn more_parts_than_some_of_them_have_patients_are_merged_too() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("long.csv"), long_table(90)).unwrap();
    for of in [2, 64] {
        same_bundle(dir.path(), &["physionet2012-48h", "--input", "long.csv"], of);
    }
}

#[test]
fn parts_of_a_wide_table_are_merged_to_the_bytes_of_one_run() {
    let plain = table(150, 3);
    // Copies are kept together, rows of one patient too, and declared splits are kept.
    let copies = format!(
        "{plain}{}",
        plain
            .lines()
            .skip(3)
            .take(5)
            .fold(String::new(), |text, line| { text + &line.replacen('p', "again-", 1) + "\n" })
    );
    let with = |name: &str, cell: &dyn Fn(usize) -> String| {
        let mut lines = plain.lines();
        let header = format!("{},{name}\n", lines.next().unwrap());
        lines.enumerate().fold(header, |text, (i, line)| format!("{text}{line},{}\n", cell(i)))
    };
    let groups = with("subject_id", &|i| format!("s{}", i / 3));
    let split = with("split", &|i| ["train", "validation", "train", "test"][i % 4].to_owned());
    for text in [copies, groups, split] {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("table.csv"), text).unwrap();
        for of in [1, 2, 7] {
            same_bundle(dir.path(), &["wide-table", "--input", "table.csv"], of);
        }
    }
}

/// The demo of MIMIC-III, with all its oddities.
#[test]
fn parts_of_a_real_extract_are_merged_to_the_bytes_of_one_run() {
    let Some(demo) = shared("data/mimic3-demo") else { return };
    let dir = tempfile::tempdir().unwrap();
    same_bundle(dir.path(), &["mimic3-first-24h", "--input", demo.to_str().unwrap()], 7);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("table.csv"), table(80, 3)).unwrap();
    fs::write(here.join("other.csv"), table(80, 4)).unwrap();
    let part = |input: &str, part: &str, output: &str, more: &[&str]| {
        let ingest = ["ingest", "wide-table", "--input", input, "--part", part, "--output", output];
        succeed(here, &[&ingest, more].concat());
    };
    part("table.csv", "1/3", "p1", &[]);
    part("table.csv", "2/3", "p2", &[]);
    part("table.csv", "3/3", "p3", &[]);
    part("table.csv", "3/3", "seed", &["--set", "seed=8"]);
    part("table.csv", "3/3", "setting", &["--set", "transform=robust"]);
    part("other.csv", "3/3", "input", &[]);
    part("table.csv", "3/4", "number", &[]);
    let merge = |last: &[&str], says: &[&str]| {
        fail(here, &[&["ingest", "--merge", "p1", "p2"], last, &["--output", "bundle"]].concat(), says);
    };
    merge(&[], &["1 of 3 parts is missing: 3"]);
    merge(&["p3", "p2"], &["part 2/3 is there more than once", "p2"]);
    merge(&["seed"], &["p1 and seed are parts of different seeds"]);
    merge(&["setting"], &["different pipelines or settings"]);
    merge(&["input"], &["p1 and input are parts of different inputs"]);
    merge(&["number"], &["different numbers of parts"]);
    merge(&["."], &["is no part of a bundle", "part.json"]);
    merge(&["nothing"], &["cannot read nothing"]);
    // A part whose rows were cut short, and one of another version of the program.
    let rows = here.join("p3/rows.parquet");
    let bytes = fs::read(&rows).unwrap();
    fs::write(&rows, &bytes[..bytes.len() / 2]).unwrap();
    merge(&["p3"], &["rows.parquet is damaged"]);
    fs::write(&rows, bytes).unwrap();
    let manifest = here.join("p3/part.json");
    let text = fs::read_to_string(&manifest).unwrap();
    let version = format!("\"program_version\": \"{}\"", env!("CARGO_PKG_VERSION"));
    assert!(text.contains(&version));
    fs::write(&manifest, text.replace(&version, "\"program_version\": \"0.0.0\"")).unwrap();
    merge(&["p3"], &["was made by version 0.0.0 of the program"]);
    let wrong = ["ingest", "wide-table", "--input", "table.csv", "--output", "x", "--part", "4/3"];
    let output = crate::support::run(here, &wrong);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("K from 1 to N"));
}

#[test]
fn tables_that_were_divided_hold_one_part_alone() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    fs::write(here.join("long.csv"), long_table(40)).unwrap();
    succeed(here, &["ingest", "physionet2012-48h", "--input", "long.csv", "--output", "whole"]);
    let args = ["ingest", "physionet2012-48h", "--input", "long.csv", "--part", "1/3", "--divided"];
    fail(here, &[&args[..], &["--output", "p"]].concat(), &["rows of other parts than 1/3", "crc32(id)"]);
    let mut names = Vec::new();
    for number in 1..=3_u32 {
        let is_mine = |line: &&str| {
            let id = line.split(',').next().unwrap();
            crc32fast::hash(id.as_bytes()) % 3 == number - 1
        };
        let text = long_table(40);
        let mut lines = text.lines();
        let header = lines.next().unwrap();
        let own: Vec<&str> = lines.filter(is_mine).filter(|line| !line.contains("Unused")).collect();
        let folder = here.join(format!("own-{number}"));
        fs::create_dir(&folder).unwrap();
        fs::write(folder.join("long.csv"), format!("{header}\n{}\n", own.join("\n"))).unwrap();
        let (input, part) = (format!("own-{number}/long.csv"), format!("{number}/3"));
        names.push(format!("part-{number}"));
        let ingest = ["ingest", "physionet2012-48h", "--input", &input, "--divided", "--part", &part];
        succeed(here, &[&ingest[..], &["--output", &names[names.len() - 1]]].concat());
    }
    let parts: Vec<&str> = names.iter().map(String::as_str).collect();
    // The rows that no feature needs were left behind, and are counted all the same.
    let more = ["--left-behind", "measurements=40", "--output", "merged"];
    succeed(here, &[&["ingest", "--merge"], parts.as_slice(), &more].concat());
    let read = |bundle: &str, name: &str| fs::read(here.join(bundle).join(name)).unwrap();
    for name in ["features.parquet", "tensor.safetensors"] {
        assert!(read("whole", name) == read("merged", name), "{name}");
    }
    let audit = |bundle: &str| {
        let mut audit: serde_json::Value = serde_json::from_slice(&read(bundle, "audit.json")).unwrap();
        // Other files were read.
        audit.as_object_mut().unwrap().remove("inputs");
        audit
    };
    assert_eq!(audit("whole"), audit("merged"));
    let unknown = ["--left-behind", "charts=40", "--output", "again"];
    fail(here, &[&["ingest", "--merge"], parts.as_slice(), &unknown].concat(), &["charts"]);
}
