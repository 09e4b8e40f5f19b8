//! Links out of a folder of records, links within it, and files that change while they are read.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use super::*;
use crate::schema::{apply_settings, load_pipeline};
use crate::waveform::account::fingerprints;

/// A record of one channel A.
fn write(dir: &Path, name: &str, seed: usize) {
    fs::create_dir_all(dir).unwrap();
    let samples = (0..100).map(|i| ((i + seed) * 7919 % 101 + i * seed % 13) as i16);
    fs::write(dir.join(format!("{name}.dat")), samples.flat_map(i16::to_le_bytes).collect::<Vec<_>>())
        .unwrap();
    let text = format!("{name} 1 125 100\n{name}.dat 16 200/mV 16 0 0 0 0 A\n");
    fs::write(dir.join(format!("{name}.hea")), text).unwrap();
}

fn settings() -> Waveform {
    let mut pipeline = load_pipeline("waveform-1024").unwrap().0;
    let all = [("channels", "A"), ("window", "10")].map(|(k, v)| (k.to_owned(), v.to_owned()));
    apply_settings(&mut pipeline, &all).unwrap();
    pipeline.waveform.unwrap()
}

fn said(gathered: &Gathered, part: &str) -> bool {
    gathered.messages.iter().any(|m| m.text.contains(part))
}

#[test]
fn links_out_of_a_folder_of_records_are_left_out_with_their_names() {
    let dir = tempfile::tempdir().unwrap();
    let (input, out) = (dir.path().join("in"), dir.path().join("out"));
    write(&input, "a", 1);
    write(&input, "b", 2);
    write(&out, "c", 3);
    assert_eq!(gather(&settings(), &input).unwrap().records.len(), 2);
    symlink("../out/c.hea", input.join("c.hea")).unwrap();
    symlink("../out", input.join("p2")).unwrap();
    let gathered = gather(&settings(), &input).unwrap();
    assert_eq!(gathered.records.len(), 2);
    assert!(
        said(&gathered, "2 links lead out of the folder, and are left out: `c.hea`, `p2` (a folder);"),
        "{:?}",
        gathered.messages
    );
    // Samples that a header of the folder names.
    fs::remove_file(input.join("b.dat")).unwrap();
    symlink("../out/c.dat", input.join("b.dat")).unwrap();
    let gathered = gather(&settings(), &input).unwrap();
    assert_eq!(gathered.records.len(), 1);
    assert!(said(&gathered, "b.dat: it is a link that leads out of the folder"), "{:?}", gathered.messages);
    let alone = gather(&settings(), &input.join("b")).err().unwrap().to_string();
    assert!(alone.contains("leads out of the folder"), "{alone}");
    // A folder behind a link that the user typed.
    symlink("out", dir.path().join("named")).unwrap();
    assert_eq!(gather(&settings(), &dir.path().join("named")).unwrap().records.len(), 1);
    // Nothing else is there.
    let only = dir.path().join("only");
    fs::create_dir(&only).unwrap();
    symlink("../out/c.hea", only.join("c.hea")).unwrap();
    let error = gather(&settings(), &only).err().unwrap().to_string();
    assert!(error.contains("leads out of the folder"), "{error}");
}

#[test]
fn a_record_that_is_linked_within_its_folder_is_one_record() {
    let dir = tempfile::tempdir().unwrap();
    write(&dir.path().join("2024"), "a", 1);
    write(&dir.path().join("2024"), "b", 2);
    symlink("2024", dir.path().join("1-latest")).unwrap();
    symlink("2024/a.hea", dir.path().join("a.hea")).unwrap();
    symlink("..", dir.path().join("2024/up")).unwrap();
    let gathered = gather(&settings(), dir.path()).unwrap();
    assert_eq!(gathered.records.len(), 2);
    assert!(!said(&gathered, "cop"), "{:?}", gathered.messages);
}

#[test]
fn a_record_whose_files_change_while_it_is_read_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a", 1);
    for file in ["a.dat", "a.hea"] {
        let gathered = gather(&settings(), dir.path()).unwrap();
        assert_eq!(fingerprints(&gathered.records).unwrap().len(), 2);
        let mut bytes = fs::read(dir.path().join(file)).unwrap();
        bytes.push(b'\n');
        fs::write(dir.path().join(file), bytes).unwrap();
        let error = fingerprints(&gathered.records).unwrap_err().to_string();
        assert!(error.contains(file) && error.contains("changed or replaced"), "{error}");
        write(dir.path(), "a", 1);
    }
}
