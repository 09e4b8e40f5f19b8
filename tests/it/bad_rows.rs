//! Malformed rows of cohort tables: named with file and row, or skipped and counted; compressed files that
//! end early.

use std::fs;
use std::io::Write as _;
use std::path::Path;

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::support::{fail, succeed};

const PIPELINE: &str = "mimic3-first-24h";

fn extract(dir: &Path) {
    succeed(dir, &["synth", "--patients", "60", "--chart-rows", "30000", "--output", "extract"]);
}

/// Rewrites line `at` (the header is line 0) of a table.
fn spoil(dir: &Path, table: &str, at: usize, spoil: impl Fn(&str) -> String) {
    let path = dir.join("extract").join(table);
    let text = fs::read_to_string(&path).unwrap();
    let lines: Vec<String> = text
        .lines()
        .enumerate()
        .map(|(i, line)| if i == at { spoil(line) } else { line.to_owned() })
        .collect();
    fs::write(path, lines.join("\n") + "\n").unwrap();
}

fn ingest(more: &[&'static str]) -> Vec<&'static str> {
    [&["ingest", PIPELINE, "--input", "extract", "--output", "bundle", "--json"], more].concat()
}

fn audit(dir: &Path) -> serde_json::Value {
    serde_json::from_str(&fs::read_to_string(dir.join("bundle/audit.json")).unwrap()).unwrap()
}

#[test]
fn short_long_and_mistyped_rows_are_named_or_counted() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    extract(dir);
    // Far into the file, so that its block is not the first.
    spoil(dir, "CHARTEVENTS.csv", 20_000, |line| line.rsplit_once(',').unwrap().0.to_owned());
    fail(dir, &ingest(&[]), &["CHARTEVENTS.csv", "line 20001", "14 cells", "15"]);
    spoil(dir, "CHARTEVENTS.csv", 12_345, |line| format!("{line},x"));
    fail(dir, &ingest(&[]), &["CHARTEVENTS.csv", "line 12346", "16 cells"]);
    spoil(dir, "PATIENTS.csv", 7, |line| format!("{line},"));
    fail(dir, &ingest(&[]), &["PATIENTS.csv", "line 8"]);
    spoil(dir, "ICUSTAYS.csv", 9, |line| line.replacen(',', ",x", 3));
    fail(dir, &ingest(&[]), &["ICUSTAYS.csv", "line 10", "whole number"]);

    succeed(dir, &ingest(&["--on-bad-row", "skip"]));
    let audit = audit(dir);
    let malformed = |table: &str| {
        let tables = audit["tables"].as_array().unwrap();
        tables.iter().find(|t| t["table"] == table).unwrap()["dropped"]["malformed row"].as_u64()
    };
    assert_eq!(malformed("CHARTEVENTS"), Some(2));
    assert_eq!(malformed("PATIENTS"), Some(1));
    assert_eq!(malformed("ICUSTAYS"), Some(1));
    for table in audit["tables"].as_array().unwrap() {
        let dropped: u64 = table["dropped"].as_object().unwrap().values().map(|n| n.as_u64().unwrap()).sum();
        let (read, kept) = (table["rows_read"].as_u64().unwrap(), table["rows_kept"].as_u64().unwrap());
        assert_eq!(read, kept + dropped, "{table}");
    }
}

#[test]
fn gzip_that_ends_in_the_middle_is_no_short_table() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    extract(dir);
    let plain = dir.join("extract/CHARTEVENTS.csv");
    let text = fs::read(&plain).unwrap();
    let compress = |text: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    };
    succeed(dir, &ingest(&[]));
    let expected = fs::read(dir.join("bundle/tensor.safetensors")).unwrap();
    fs::remove_dir_all(dir.join("bundle")).unwrap();
    fs::remove_file(&plain).unwrap();

    let whole = compress(&text);
    fs::write(dir.join("extract/CHARTEVENTS.csv.gz"), &whole[..whole.len() / 2]).unwrap();
    fail(dir, &ingest(&[]), &["CHARTEVENTS.csv.gz", "truncated"]);
    // Skipping rows is no licence to lose half a file.
    fail(dir, &ingest(&["--on-bad-row", "skip"]), &["CHARTEVENTS.csv.gz", "truncated"]);

    // Several members one after the other are one file.
    let (head, tail) = text.split_at(text.len() / 3);
    fs::write(dir.join("extract/CHARTEVENTS.csv.gz"), [compress(head), compress(tail)].concat()).unwrap();
    succeed(dir, &ingest(&[]));
    assert_eq!(fs::read(dir.join("bundle/tensor.safetensors")).unwrap(), expected);
}

#[test]
fn an_event_store_changes_no_byte_and_is_made_anew_when_stale_or_damaged() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    extract(dir);
    let files = ["audit.json", "features.parquet", "manifest.json", "tensor.safetensors"];
    let bundle = |more: &[&'static str]| {
        succeed(dir, &ingest(&[&["--force"], more].concat()));
        files.map(|name| fs::read(dir.join("bundle").join(name)).unwrap())
    };
    let store = || {
        let found = fs::read_dir(dir.join("store")).unwrap().map(|e| e.unwrap().path());
        found.filter(|p| p.to_string_lossy().contains("chartevents")).collect::<Vec<_>>()
    };
    let parquet = || store().into_iter().find(|p| p.extension().unwrap() == "parquet").unwrap();
    let cached = ["--cache", "store"];

    let plain = bundle(&[]);
    assert!(bundle(&cached) == plain, "the first run makes the store");
    assert_eq!(store().len(), 2);
    let made = fs::metadata(parquet()).unwrap().modified().unwrap();
    assert!(bundle(&cached) == plain, "the second run reads it");
    assert_eq!(fs::metadata(parquet()).unwrap().modified().unwrap(), made, "it was not written again");
    // Another window reads the same store.
    bundle(&["--cache", "store", "--set", "window.end=12"]);
    assert_eq!((store().len(), fs::metadata(parquet()).unwrap().modified().unwrap()), (2, made));

    let mut bytes = fs::read(parquet()).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 0x55;
    fs::write(parquet(), &bytes).unwrap();
    assert!(bundle(&cached) == plain, "a damaged store is made anew");

    spoil(dir, "CHARTEVENTS.csv", 1, |line| line.replacen(",20", ",21", 1));
    assert!(bundle(&cached) == bundle(&[]), "a changed source makes the store stale");

    // What there is to say about the source is said by the store as well.
    let source = dir.join("extract/CHARTEVENTS.csv");
    let mut bytes = fs::read(&source).unwrap();
    let unit = bytes.windows(4).position(|b| b == b"mmHg").unwrap();
    bytes[unit] = 0xb5;
    fs::write(source, bytes).unwrap();
    let plain = bundle(&[]);
    assert!(audit(dir)["warnings"].to_string().contains("Windows-1252"));
    assert!(bundle(&cached) == plain, "the run that makes the store");
    assert!(bundle(&cached) == plain, "the run that reads it");
}
