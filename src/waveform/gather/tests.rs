use std::fs;

use super::*;
use crate::ingest::{Cells, RecordTable};
use crate::schema::{Split, apply_settings, load_pipeline};
use crate::waveform::{Normalisation, read_windows};

/// A record of one channel A whose wandering signal depends on `seed`; `signal` is its line after the file's
/// name.
fn write(dir: &Path, name: &str, seed: usize, signal: &str, comment: &str) {
    fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    let samples: Vec<i16> = (0..100).map(|i| ((i + seed) * 7919 % 101 + i * seed % 13) as i16).collect();
    let stem = name.rsplit('/').next().unwrap();
    fs::write(
        dir.join(format!("{name}.dat")),
        samples.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<_>>(),
    )
    .unwrap();
    let text = format!("{stem} 1 125 100\n{stem}.dat {signal}\n# {comment}\n");
    fs::write(dir.join(format!("{name}.hea")), text).unwrap();
}

fn read(dir: &Path, settings: &[(&str, &str)]) -> Result<(RecordTable, Normalisation), WaveformError> {
    let mut pipeline = load_pipeline("waveform-1024").unwrap().0;
    let usual = [("channels", "A"), ("window", "10"), ("normalise", "none"), ("frequency", "125")];
    let all = [&usual, settings].concat();
    let all: Vec<_> = all.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    apply_settings(&mut pipeline, &all).unwrap();
    let settings = pipeline.waveform.clone().unwrap();
    read_windows(&pipeline, &settings, dir)
}

fn said(table: &RecordTable, part: &str) -> bool {
    table.audit.messages.iter().any(|w| w.text.contains(part))
}

#[test]
fn the_unit_of_most_windows_is_that_of_all_or_windows_are_left_out_with_a_word() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a", 1, "16 0.2/µV 16 0 0 0 0 A", "");
    write(dir.path(), "b", 2, "16 200/mV 16 0 0 0 0 A", "");
    write(dir.path(), "c", 3, "16 200/MV 16 0 0 0 0 a", "");
    write(dir.path(), "d", 4, "16 200/NU 16 0 0 0 0 A", "");
    write(dir.path(), "e", 5, "16 0/mV 16 0 0 0 0 A", "");
    let (table, scales) = read(dir.path(), &[]).unwrap();
    assert_eq!((table.n_records(), scales.channels[0].units.as_str()), (30, "mV"));
    assert!(said(&table, "10 windows in uV are converted to mV: `a`"), "{:?}", table.audit.messages);
    assert!(said(&table, "10 windows in NU are left out, since the others are in mV: `d`"));
    assert!(said(&table, "10 windows whose header states no gain are left out"));
    assert!(said(&table, "2 of 5 records give no window: `d` (another unit), `e` (another unit)"));
    assert_eq!(table.audit.tables[2].dropped["another unit"], 20);
    let audit = &table.audit.variables[0];
    assert_eq!((audit.values_kept, audit.converted, audit.unknown_unit), (30, 10, 20));
    let Cells::Number(x) = &table.columns[0].cells else { panic!("a number") };
    // The first sample of each record, at 200 steps a millivolt.
    assert!((x.get(0) - f64::from(7919 % 101) / 200.0).abs() < 1e-9, "{}", x.get(0));
    // Where all are uncalibrated, the unit says so.
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "e", 5, "16 0/mV 16 0 0 0 0 A", "");
    let (table, scales) = read(dir.path(), &[]).unwrap();
    assert!(scales.channels[0].units == "uncalibrated" && said(&table, "`A` is not calibrated"));
}

#[test]
fn windows_that_are_not_calibrated_never_outvote_those_that_are() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a", 1, "16 0 16 0 0 0 0 A", "");
    write(dir.path(), "b", 2, "16 200/mV 16 0 0 0 0 A", "");
    write(dir.path(), "c", 3, "16 0 16 0 0 0 0 A", "");
    let (table, scales) = read(dir.path(), &[]).unwrap();
    assert_eq!((table.n_records(), scales.channels[0].units.as_str()), (10, "mV"));
    let sentence =
        "`A`: 20 windows whose header states no gain are left out, since the others are in mV: `a`, `c`";
    assert!(said(&table, sentence), "{:?}", table.audit.messages);
}

#[test]
fn files_that_are_missing_are_named() {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in ["a", "b", "c"].iter().enumerate() {
        write(dir.path(), name, i + 1, "16 200/mV 16 0 0 0 0 A", "");
    }
    fs::remove_file(dir.path().join("b.dat")).unwrap();
    fs::remove_file(dir.path().join("c.hea")).unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert_eq!((table.n_records(), table.audit.tables[0].dropped["signal file missing"]), (10, 1));
    assert!(said(&table, "b.hea: its signal file `b.dat` is missing"), "{:?}", table.audit.messages);
    assert!(said(&table, "1 signal file has no header and is left out: `c.dat`"));
}

#[test]
fn times_that_jump_and_tables_that_are_no_signals_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    let rows = |from: usize, to: usize| {
        (from..to).map(|i| format!("{},{}\n", i as f64 / 125.0, i * 7919 % 101)).collect::<Vec<_>>().concat()
    };
    fs::write(&path, format!("time,'A'\n{}{}{}", rows(0, 50), rows(20, 60), rows(90, 130))).unwrap();
    let (table, _) = read(&path, &[]).unwrap();
    assert!(said(&table, "`time` does not increase in row 51"), "{:?}", table.audit.messages);
    assert!(said(&table, "`time` jumps or is missing in row 91"));
    fs::write(&path, "time,A\nseconds,mV\n0,1\n").unwrap();
    let error = read(&path, &[]).unwrap_err();
    assert!(crate::error::Hint::hint(&error).unwrap().contains("remove lines of units"), "{error}");
    fs::write(&path, "time,B\n0,1\n0.008,2\n").unwrap();
    let error = read(&path, &[]).unwrap_err().to_string();
    assert!(error.contains("not all of A are recorded, but time, B"), "{error}");
}

#[test]
fn the_usual_rate_is_that_of_most_records_and_names_may_differ_in_case_and_blanks() {
    let dir = tempfile::tempdir().unwrap();
    for (i, name) in ["a", "b", "c"].iter().enumerate() {
        write(dir.path(), name, i, "16 200/mV 16 0 0 0 0  a ", "");
    }
    let path = dir.path().join("a.hea");
    fs::write(&path, fs::read_to_string(&path).unwrap().replace(" 125 ", " 500 ")).unwrap();
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert!(table.n_records() == 20 && said(&table, "`a` is left out: 500 Hz, others 125 Hz"));
}

#[test]
fn copies_are_kept_once_and_names_of_several_folders_stay_apart() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "x/r", 1, "16 200/mV 16 0 0 0 0 A", "");
    write(dir.path(), "y/r", 1, "16 200/mV 16 0 0 0 0 A", "");
    write(dir.path(), "z/r", 9, "16 200/mV 16 0 0 0 0 A", "");
    let (table, _) = read(dir.path(), &[]).unwrap();
    assert_eq!((table.n_records(), &table.record_ids[0]), (20, "x/r@0"));
    assert!(said(&table, "10 windows are copies"), "{:?}", table.audit.messages);
    assert!(said(&table, "`y/r` repeats `x/r`"));
    assert_eq!(table.audit.tables[2].dropped["copy of a window of another record"], 10);
}

#[test]
fn a_table_of_several_patients_is_a_record_of_each() {
    let dir = tempfile::tempdir().unwrap();
    let rows = |from: usize| {
        (from..from + 80).map(|i| format!("{},{}\n", i / 20, i * 7919 % 101 + i)).collect::<Vec<_>>().concat()
    };
    fs::write(dir.path().join("one.csv"), format!("subject_id,A\n{}", rows(0))).unwrap();
    // The fourth patient goes on in another file.
    fs::write(dir.path().join("two.csv"), format!("Patient ID,a\n{}", rows(60 + 20))).unwrap();
    fs::write(dir.path().join("three.csv"), format!("subject_id,A\n{}", "3,1\n3,2\n".repeat(20))).unwrap();
    let (table, _) = read(dir.path(), &[("split_by", "record"), ("normalise", "channel")]).unwrap();
    assert!(table.record_ids.iter().any(|id| id == "one:2@40"), "{:?}", table.record_ids);
    let of = |i: usize| (table.subject(i), &table.record_ids[i]);
    let third: Vec<_> = (0..table.n_records()).map(of).filter(|r| r.0 == "3").map(|r| r.1).collect();
    assert!(third.contains(&"one:3@60") && third.contains(&"three@0"), "{third:?}");
    assert!(!said(&table, "do not tell their patient"));
    let splits =
        crate::features::assign_subjects(table.subjects(), &load_pipeline("waveform-1024").unwrap().0).0;
    assert!(splits.contains(&Split::Train) && splits.contains(&Split::Test));
}

#[test]
fn codes_for_missing_samples_are_taken_out_of_arrays_and_tables() {
    let dir = tempfile::tempdir().unwrap();
    let samples: Vec<i16> = (0..100).map(|i| if i == 15 { i16::MIN } else { (i * 31 % 47) as i16 }).collect();
    ndarray_npy::write_npy(dir.path().join("p1.npy"), &ndarray::Array1::from(samples)).unwrap();
    let (table, _) = read(&dir.path().join("p1.npy"), &[]).unwrap();
    assert_eq!(table.n_records(), 9);
    assert!(said(&table, "1 sample of `A` is -32768, far from all others"), "{:?}", table.audit.messages);
    // A pressure of -999 among values of thousands may be one.
    let wide = (0..100)
        .map(|i| format!("{}\n", if i == 15 { -999 } else { i * 31 % 47 * 100 }))
        .collect::<Vec<_>>()
        .concat();
    fs::write(dir.path().join("p2.csv"), format!("A\n{wide}")).unwrap();
    assert_eq!(read(&dir.path().join("p2.csv"), &[]).unwrap().0.n_records(), 10);
}

#[test]
fn records_without_their_patient_are_told_of_when_patients_are_divided() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..12 {
        write(dir.path(), &format!("r{i}"), i, "16 200/mV 16 0 0 0 0 A", &format!("Age: {i}"));
    }
    let by_patient = [("split_by", "record"), ("normalise", "channel")];
    let (table, _) = read(dir.path(), &by_patient).unwrap();
    assert!(said(&table, "12 of 12 records do not tell their patient"), "{:?}", table.audit.messages);
    assert!(!said(&read(dir.path(), &[]).unwrap().0, "do not tell their patient"));
    for i in 0..12 {
        write(dir.path(), &format!("r{i}"), i, "16 200/mV 16 0 0 0 0 A", &format!("<patient>: {}", i / 2));
    }
    let (table, _) = read(dir.path(), &by_patient).unwrap();
    assert!(!said(&table, "do not tell their patient"));
    assert_eq!(table.subjects().filter(|s| *s == "5").count(), 20);
}
