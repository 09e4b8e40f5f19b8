//! Encodings and compression of event tables.

use super::event_bundle::ingested;
use crate::support;

#[test]
fn several_gzip_members_and_a_byte_order_mark_are_read_whole() {
    let Some(dir) = super::folder("37-encodings-and-gzip") else { return };
    for input in ["multi", "bomq"] {
        let found = ingested(dir.path(), "p.toml", input, &format!("{input}-bundle"));
        let (rates, counts) = (found.numbers("heart_rate"), found.numbers("heart_rate_count"));
        assert_eq!(rates.len(), 60, "{input}");
        assert!(counts.values().all(|n| *n == Some(2.0)), "{input}");
        assert!((found.mean("heart_rate") - 90.5).abs() < 1e-12, "{input}");
    }
}

#[test]
fn other_encodings_are_read_right_or_refused_by_the_name_of_the_file() {
    let Some(dir) = super::folder("37-encodings-and-gzip") else { return };
    let expected = ingested(dir.path(), "p.toml", "multi", "expected");
    for (input, file) in [
        ("padded", "CHARTEVENTS.csv.gz"),
        ("junk", "CHARTEVENTS.csv.gz"),
        ("utf16", "CHARTEVENTS.csv"),
        ("latin1", "CHARTEVENTS.csv"),
    ] {
        let output = format!("{input}-bundle");
        let run = support::run(dir.path(), &["ingest", "p.toml", "--input", input, "--output", &output]);
        let said = String::from_utf8_lossy(&run.stderr).into_owned();
        if run.status.success() {
            let found = ingested(dir.path(), "p.toml", input, &format!("{input}-again"));
            let whole = found.numbers("heart_rate_count").values().all(|n| *n == Some(2.0));
            // The Latin-1 character stands in the unit of a cell, which may make that one unusable, in words.
            assert!(whole || said.contains("heart_rate"), "{input}: {said}");
            assert_eq!(found.ids(), expected.ids(), "{input}");
        } else {
            assert_eq!(run.status.code(), Some(2), "{input}: {said}");
            assert!(said.contains(file) && !said.contains("panicked"), "{input}: {said}");
        }
    }
}
