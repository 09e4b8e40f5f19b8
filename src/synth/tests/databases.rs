//! Tests of the extracts in the shape of other databases.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Record, config, read};
use crate::synth::{Database, SynthConfig, SynthError, synthesize};

const OTHERS: [Database; 5] =
    [Database::Mimic4, Database::Eicu, Database::Omop, Database::Meds, Database::Physionet2019];

fn written(database: Database, patients: u64) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x");
    synthesize(&SynthConfig { database, ..config(patients) }, &path, &|_| {}).unwrap();
    (folder, path)
}

/// Every file of a folder and of those in it, by its path within.
fn files(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut out = BTreeMap::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            out.extend(files(&path).into_iter().map(|(inner, bytes)| (format!("{name}/{inner}"), bytes)));
        } else {
            out.insert(name, std::fs::read(&path).unwrap());
        }
    }
    out
}

#[test]
fn same_seed_same_bytes_in_every_database_and_few_patients_are_a_prefix() {
    for database in OTHERS {
        let [once, again, more] = [12, 12, 20].map(|n| files(&written(database, n).1));
        assert_eq!(once, again, "{}", database.name());
        for (name, bytes) in &once {
            // A Parquet file ends in an account of its rows.
            if !name.ends_with("parquet") {
                assert!(more[name].starts_with(bytes), "{}: {name}", database.name());
            }
        }
    }
}

#[test]
fn headers_are_those_of_the_releases() {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !data.exists() {
        eprintln!("skipped: no {}", data.display());
        return;
    }
    for (database, folder) in [
        (Database::Mimic4, "mimic4-demo"),
        (Database::Eicu, "eicu-demo"),
        (Database::Omop, "mimic4-demo-omop"),
        (Database::Physionet2019, "physionet2019/psv_first500"),
    ] {
        let (_held, path) = written(database, 3);
        let mut compared = 0;
        for (name, bytes) in files(&path) {
            let theirs = [data.join(folder).join(&name), data.join(folder).join(format!("{name}.gz"))];
            let Some(theirs) = theirs.into_iter().find(|p| p.exists()) else { continue };
            let mut header = String::new();
            let file = std::fs::File::open(&theirs).unwrap();
            let plain: Box<dyn std::io::Read> = match theirs.extension().unwrap().to_str() {
                Some("gz") => Box::new(flate2::read::GzDecoder::new(file)),
                _ => Box::new(file),
            };
            std::io::BufRead::read_line(&mut std::io::BufReader::new(plain), &mut header).unwrap();
            let ours = String::from_utf8_lossy(&bytes).lines().next().unwrap().to_owned();
            assert_eq!(ours, header.trim_end(), "{} {name}", database.name());
            compared += 1;
        }
        // p100000.psv is not among the files of the challenge, which begin at p100001.
        assert!(compared >= 2, "{}: {compared} files", database.name());
    }
}

#[test]
fn mistakes_are_planted_where_their_variables_are_written() {
    for database in OTHERS {
        let (_held, path) = written(database, 240);
        let planted = read(&path, "anomalies");
        assert!(planted.len() > 20, "{}: {}", database.name(), planted.len());
        let actions: BTreeSet<&str> = planted.iter().map(|row| row["action"].as_str()).collect();
        assert!(actions.len() >= 15, "{}: {actions:?}", database.name());
        assert!(planted.iter().all(|row| !row["variables"].is_empty()));
        let coma = "coma score 3 with eyes open and oriented answers";
        let has_coma_scale = !matches!(database, Database::Omop | Database::Physionet2019);
        assert_eq!(actions.contains(coma), has_coma_scale, "{}", database.name());
    }
}

#[test]
fn a_planted_mistake_shows_in_the_rows_of_eicu() {
    let (_held, path) = written(Database::Eicu, 240);
    let labs = read(&path, "lab");
    let mean = |stay: &str, name: &str| {
        let of = |row: &&Record| row["patientunitstayid"] == stay && row["labname"] == name;
        let x: Vec<f64> = labs.iter().filter(of).filter_map(|row| row["labresult"].parse().ok()).collect();
        x.iter().sum::<f64>() / x.len() as f64
    };
    let mut checked = 0;
    for row in read(&path, "anomalies") {
        let stay = row["record_id"].as_str();
        match row["action"].as_str() {
            "creatinine times 10" => assert!(mean(stay, "creatinine") > 4.0),
            "sodium and chloride exchanged" => assert!(mean(stay, "sodium") < mean(stay, "chloride")),
            "platelets times 10" => assert!(mean(stay, "platelets x 1000") > 900.0),
            _ => continue,
        }
        checked += 1;
    }
    assert!(checked >= 3, "{checked}");
}

#[test]
fn traps_of_eicu_are_there() {
    let (_held, path) = written(Database::Eicu, 120);
    let vitals = read(&path, "vitalPeriodic");
    assert!(vitals.windows(2).all(|w| {
        let key = |row: &Record| {
            (
                row["patientunitstayid"].parse::<u64>().unwrap(),
                row["observationoffset"].parse::<i64>().unwrap(),
            )
        };
        key(&w[0]) < key(&w[1])
    }));
    assert!(vitals.iter().any(|row| row["observationoffset"].starts_with('-')));
    assert!(vitals.iter().any(|row| row["systemicmean"].is_empty()));
    let patients = read(&path, "patient");
    assert!(patients.iter().any(|row| row["age"] == "> 89"));
    assert!(patients.iter().any(|row| row["unitvisitnumber"] == "2"));
    let hospitals: BTreeSet<&str> = patients.iter().map(|row| row["hospitalid"].as_str()).collect();
    assert!(hospitals.len() > 10, "{}", hospitals.len());
    let nurses = read(&path, "nurseCharting");
    for scale in ["Temperature (C)", "Temperature (F)"] {
        assert!(nurses.iter().any(|row| row["nursingchartcelltypevalname"] == scale), "{scale}");
    }
    let labs = read(&path, "lab");
    let corrected = labs.windows(2).filter(|w| {
        ["patientunitstayid", "labname", "labresultoffset"].iter().all(|c| w[0][*c] == w[1][*c])
            && w[0]["labresultrevisedoffset"] != w[1]["labresultrevisedoffset"]
    });
    let share = corrected.count() as f64 / labs.len() as f64;
    assert!((0.003..0.03).contains(&share), "{share}");
}

#[test]
fn what_a_database_has_not_is_refused() {
    let tmp = tempfile::tempdir().unwrap();
    let to = tmp.path().join("x");
    let omop = SynthConfig { database: Database::Omop, chart_rows: 10, ..config(3) };
    assert!(matches!(synthesize(&omop, &to, &|_| {}), Err(SynthError::NoChart(Database::Omop))));
    let meds = SynthConfig { database: Database::Meds, gzip: true, ..config(3) };
    assert!(matches!(synthesize(&meds, &to, &|_| {}), Err(SynthError::NoGzip(Database::Meds))));
    assert!(!to.exists());
    let filled = SynthConfig { database: Database::Eicu, chart_rows: 5_000, ..config(3) };
    synthesize(&filled, &to, &|_| {}).unwrap();
    assert_eq!(read(&to, "vitalPeriodic").len(), 5_000);
}
