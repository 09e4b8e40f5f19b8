//! Several bedside records of one patient.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use cohort_flow::features::Bundle;

use super::folder;
use crate::support::succeed;

/// Patient of every record: the folder or the part of the name that the case is made with.
fn patients(dir: &Path, patient: &mut BTreeMap<String, String>, of: &dyn Fn(&Path) -> String) {
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            patients(&path, patient, of);
        } else if path.extension().is_some_and(|e| e == "hea") {
            patient.insert(path.file_stem().unwrap().to_string_lossy().into_owned(), of(&path));
        }
    }
}

#[test]
fn records_of_one_patient_are_in_one_split() {
    let Some(dir) = folder("32-wfdb-patient-folders") else { return };
    let dir = dir.path();
    let part = |path: &Path, back: usize| {
        path.components().rev().nth(back).unwrap().as_os_str().to_string_lossy().into_owned()
    };
    // The patient is named by the record, by its folder, or by the folder above that.
    for (input, back) in [("matched", 0), ("ptb", 1), ("mimic4", 2)] {
        let of = |path: &Path| {
            let name = part(path, back);
            if back == 0 { name[..7].to_owned() } else { name }
        };
        let args = [
            "ingest",
            "waveform-1024",
            "--input",
            input,
            "--output",
            "bundle",
            "--force",
            "--set",
            "channels=II",
            "--set",
            "window=64",
            "--set",
            "stride=64",
            "--set",
            "split_by=record",
            "--set",
            "normalise=channel",
        ];
        let said = succeed(dir, &args);
        assert!(!said.contains("do not tell their patient"), "{said}");
        let bundle = Bundle::open(&dir.join("bundle")).unwrap();
        assert_eq!(bundle.raw.nrows(), 720, "{input}");
        let mut patient = BTreeMap::new();
        patients(&dir.join(input), &mut patient, &of);
        let mut splits: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
        for (id, split) in bundle.record_ids.iter().zip(&bundle.splits) {
            let record = id.rsplit_once('@').unwrap().0;
            splits.entry(&patient[record]).or_default().insert(*split);
        }
        assert!(splits.len() == 12 && splits.values().all(|s| s.len() == 1), "{input}: {splits:?}");
        let all: BTreeSet<_> = splits.values().flatten().collect();
        assert_eq!(all.len(), 4, "{input}");
    }
}
