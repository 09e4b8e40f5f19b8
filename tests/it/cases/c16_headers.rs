//! Bedside records with unusual headers.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

fn ingest(dir: &Path, input: &str, settings: &[&str]) -> (Bundle, String) {
    let output = format!("{input}-bundle");
    let mut args = vec![
        "ingest",
        "waveform-1024",
        "--input",
        input,
        "--output",
        &output,
        "--set",
        "channels=II",
        "--set",
        "window=64",
        "--set",
        "stride=64",
    ];
    settings.iter().for_each(|s| args.extend(["--set", s]));
    let said = succeed(dir, &args);
    (Bundle::open(&dir.join(output)).unwrap(), said)
}

/// Windows equal the samples of a signal file from byte 24 on, of which II is the second of two.
fn equals(bundle: &Bundle, bytes: &[u8], channels: usize, position: usize, gain: f64) {
    let samples: Vec<f64> = bytes
        .as_chunks::<2>()
        .0
        .iter()
        .skip(position)
        .step_by(channels)
        .map(|b| f64::from(i16::from_le_bytes(*b)) / gain)
        .collect();
    for (id, row) in bundle.record_ids.iter().zip(bundle.raw.rows()) {
        let start: usize = id.rsplit_once('@').unwrap().1.parse().unwrap();
        assert!(row.iter().zip(&samples[start..]).all(|(x, y)| (x - y).abs() < 1e-9), "{id}");
    }
}

#[test]
fn odd_headers_are_read_right_with_a_word_where_something_is_not_checked() {
    let Some(dir) = folder("16-wfdb-odd-headers") else { return };
    let dir = dir.path();
    let none = ["normalise=none"];
    let (bundle, _) = ingest(dir, "date-first", &none);
    assert_eq!(bundle.raw.nrows(), 78);
    let text = fs::read_to_string(dir.join("date-first-bundle/waveform.json")).unwrap();
    assert!(text.contains("\"frequency\": 500.0"), "{text}");
    equals(&bundle, &fs::read(dir.join("date-first/E00001.mat")).unwrap()[24..], 2, 1, 1000.0);

    let (bundle, said) = ingest(dir, "checksum-zero", &none);
    assert!(said.contains("A00001.hea: every checksum of the header is 0"), "{said}");
    equals(&bundle, &fs::read(dir.join("checksum-zero/A00001.mat")).unwrap()[24..], 2, 1, 1000.0);

    let (bundle, said) = ingest(dir, "short-list", &none);
    assert!(said.contains("p.hea: 3 segments are announced, found 1 lines"), "{said}");
    assert_eq!(bundle.raw.nrows(), 117);
    equals(&bundle, &fs::read(dir.join("short-list/p_1.dat")).unwrap(), 1, 0, 200.0);

    for (input, file) in [("slash", "s1.dat"), ("length-zero", "z1.dat")] {
        let (bundle, _) = ingest(dir, input, &none);
        assert_eq!(bundle.raw.nrows(), 117, "{input}");
        equals(&bundle, &fs::read(dir.join(input).join(file)).unwrap(), 1, 0, 200.0);
    }
}

#[test]
fn patients_stay_in_one_split_whatever_their_headers_announce() {
    let Some(dir) = folder("16-wfdb-odd-headers") else { return };
    for (input, warned) in [("matched0", false), ("matched1", true)] {
        let (bundle, said) = ingest(dir.path(), input, &["split_by=record", "normalise=channel"]);
        assert_eq!(bundle.raw.nrows(), 720);
        assert_eq!(said.contains("4 segments are announced, found 3 lines"), warned, "{said}");
        let mut splits: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
        for (id, split) in bundle.record_ids.iter().zip(&bundle.splits) {
            splits.entry(&id[..7]).or_default().insert(*split);
        }
        assert!(splits.len() == 12 && splits.values().all(|s| s.len() == 1), "{splits:?}");
    }
}
