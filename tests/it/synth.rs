//! Synthetic extracts of every database are read by the pipelines of the databases.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use cohort_flow::ingest::{Cells, NoProgress, RecordTable, ingest};
use cohort_flow::random::Seed;
use cohort_flow::schema::load_pipeline_on;
use cohort_flow::synth::{Database, SynthConfig, synthesize};

use crate::support::{fail, succeed};

const PATIENTS: u64 = 60;

fn first_day(database: Database, at: &Path) -> RecordTable {
    let dir = at.join(database.name());
    let config = SynthConfig { database, patients: PATIENTS, seed: Seed(4), ..SynthConfig::default() };
    synthesize(&config, &dir, &|_| {}).unwrap();
    let (pipeline, schema) = load_pipeline_on("icu-first-24h", Some(database.name())).unwrap();
    ingest(&schema.unwrap(), &pipeline, &dir, &NoProgress)
        .unwrap_or_else(|error| panic!("{}: {error}", database.name()))
}

fn numbers(table: &RecordTable, column: &str) -> Vec<f64> {
    let found = table.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("no {column}"));
    let Cells::Number(x) = &found.cells else { panic!("{column} holds texts") };
    x.iter().collect()
}

fn filled(table: &RecordTable) -> usize {
    let has = |cells: &Cells| match cells {
        Cells::Number(x) => x.iter().any(|x| !x.is_nan()),
        Cells::Text(x) => (0..table.n_records()).any(|i| x.get(i).is_some()),
    };
    table.columns.iter().filter(|c| has(&c.cells)).count()
}

#[test]
fn every_database_is_read_by_one_pipeline() {
    let tmp = tempfile::tempdir().unwrap();
    // Features of icu-first-24h that hold a value: of 61, only troponin I is not simulated.
    let wanted = BTreeMap::from([
        (Database::Mimic4.name(), 60),
        (Database::Meds.name(), 60),
        (Database::Eicu.name(), 59),
        (Database::Omop.name(), 35),
        (Database::Physionet2019.name(), 36),
    ]);
    let mut tables = BTreeMap::new();
    for database in Database::ALL.into_iter().filter(|d| *d != Database::Mimic3) {
        let table = first_day(database, tmp.path());
        let name = database.name();
        assert!((50..=60).contains(&table.n_records()), "{name}: {}", table.n_records());
        assert!(filled(&table) >= wanted[name], "{name}: {} features", filled(&table));
        for t in &table.audit.tables {
            assert_eq!(t.rows_read, t.rows_kept + t.dropped.values().sum::<u64>(), "{name}: {t:?}");
        }
        tables.insert(name, table);
    }
    // One simulation: the same patients have the same values wherever they are written with the same decimals.
    let close = |a: &[f64], b: &[f64], tolerance: f64| {
        a.len() == b.len()
            && a.iter()
                .zip(b)
                .all(|(a, b)| (a.is_nan() && b.is_nan()) || (a - b).abs() <= tolerance * a.abs())
    };
    for column in ["heart_rate", "sbp_min", "temperature_max", "creatinine_max", "ph_min", "urine_output"] {
        let (a, b) = (numbers(&tables["mimic4"], column), numbers(&tables["meds"], column));
        assert!(close(&a, &b, 1e-6), "{column}");
    }
    for column in ["heart_rate", "sodium", "platelets_min", "hemoglobin_min"] {
        let (a, b) = (numbers(&tables["mimic4"], column), numbers(&tables["omop"], column));
        assert!(close(&a, &b, 1e-9), "{column}");
    }
    // A monitor that writes every five minutes, and a nurse who writes every hour, see one patient.
    let mean = |name: &str| {
        let x: Vec<f64> = numbers(&tables[name], "heart_rate").into_iter().filter(|x| !x.is_nan()).collect();
        x.iter().sum::<f64>() / x.len() as f64
    };
    assert!((mean("eicu") - mean("mimic4")).abs() < 4.0, "{} {}", mean("eicu"), mean("mimic4"));
}

#[test]
fn synth_writes_the_database_that_is_named() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let synth = |database: &'static str, to: &'static str| {
        vec!["synth", "--database", database, "--patients", "25", "--output", to]
    };
    succeed(dir, &synth("eicu", "eicu"));
    assert!(dir.join("eicu/vitalPeriodic.csv").exists());
    succeed(dir, &["ingest", "icu-first-24h", "--input", "eicu", "--check"]);
    fail(dir, &synth("mimic5", "x"), &["mimic5", "eicu", "physionet2019"]);
    let meds = [synth("meds", "x"), vec!["--gzip"]].concat();
    fail(dir, &meds, &["meds", "not compressed", "Parquet"]);
    let omop = [synth("omop", "x"), vec!["--chart-rows", "9"]].concat();
    fail(dir, &omop, &["chart_rows", "omop"]);
    assert!(!dir.join("x").exists());
}

#[test]
fn a_model_of_one_database_flags_the_bundle_of_another() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    let synth = |database: &'static str, seed: &'static str| {
        let patients = ["--patients", "260", "--anomalies", "0.05"];
        succeed(
            dir,
            &[&["synth", "--database", database, "--seed", seed, "--output", database][..], &patients]
                .concat(),
        );
    };
    synth("mimic4", "1");
    synth("physionet2019", "2");
    for name in ["mimic4", "physionet2019"] {
        let bundle = format!("{name}-bundle");
        succeed(dir, &["ingest", "icu-first-24h", "--input", name, "--output", &bundle]);
    }
    succeed(dir, &["fit", "mimic4-bundle", "--output", "model", "--model", "gmm"]);
    let flag = ["flag", "model", "physionet2019-bundle", "--output", "flags.csv"];
    // Without calibration records that are judged by the same features, there is no p-value.
    fail(dir, &flag, &["lacks the features", "`gcs_eye_min`", "--reference"]);
    let with = [&flag[..], &["--reference", "mimic4-bundle", "--alpha", "0.05"]].concat();
    let said = succeed(dir, &with);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        said.contains("integrated out: ") && said.contains("gcs_eye_min") && said.contains("peep_max"),
        "{said}"
    );
    assert!(said.contains("calibration and test splits"), "{said}");
    let rows: Vec<BTreeMap<String, String>> =
        csv::Reader::from_path(dir.join("flags.csv")).unwrap().deserialize().map(Result::unwrap).collect();
    assert!(rows.len() > 240, "{}", rows.len());
    let flagged: Vec<_> = rows.iter().filter(|row| row["flagged"] == "true").collect();
    assert!(!flagged.is_empty() && flagged.len() < rows.len() / 3, "{}", flagged.len());
    assert!(flagged.iter().all(|row| !row["explanation"].is_empty()), "{flagged:?}");
    assert!(rows.iter().all(|row| !row["feature_1"].starts_with("gcs")));
    // Planted mistakes are among what is most unusual: their mean p-value is below that of the others.
    let planted: Vec<String> = csv::Reader::from_path(dir.join("physionet2019/anomalies.csv"))
        .unwrap()
        .records()
        .map(|record| record.unwrap()[0].to_owned())
        .collect();
    let mean = |of: &dyn Fn(&str) -> bool| {
        let p: Vec<f64> =
            rows.iter().filter(|r| of(&r["record_id"])).map(|r| r["p_value"].parse().unwrap()).collect();
        p.iter().sum::<f64>() / p.len() as f64
    };
    let (bad, good) =
        (mean(&|id| planted.iter().any(|p| p == id)), mean(&|id| planted.iter().all(|p| p != id)));
    assert!(planted.len() >= 8 && bad < 0.6 * good, "{} planted: {bad} {good}", planted.len());
    // The same command on the model's own bundle needs no reference, and says so.
    let own = ["flag", "model", "mimic4-bundle", "--reference", "mimic4-bundle", "--output", "own.csv"];
    assert!(succeed(dir, &own).contains("--reference is not used"));
}

/// The numbers of a column of a table of records; empty cells are left out.
fn values(dir: &Path, table: &str, column: &str) -> Vec<f64> {
    let text = fs::read_to_string(dir.join(table)).unwrap();
    let header: Vec<&str> = text.lines().next().unwrap().split(',').collect();
    let at =
        header.iter().position(|name| *name == column).unwrap_or_else(|| panic!("no {column}: {header:?}"));
    text.lines().skip(1).filter_map(|line| line.split(',').nth(at)?.parse().ok()).collect()
}

#[test]
fn scores_have_doses_cultures_and_antibiotics_to_find() {
    let tmp = tempfile::tempdir().unwrap();
    let dir = tmp.path();
    for name in ["mimic3", "mimic4", "eicu"] {
        succeed(dir, &["synth", "--database", name, "--patients", "90", "--output", name]);
        let ingest = |pipeline: &str| {
            let to = format!("{name}-{pipeline}");
            succeed(dir, &["ingest", pipeline, "--schema", name, "--input", name, "--output", &to]);
            let table = format!("{to}.csv");
            succeed(dir, &["export", &to, "--output", &table]);
            table
        };
        let scores = ingest("icu-scores");
        let dose = values(dir, &scores, "norepinephrine_equivalent");
        let given = dose.iter().filter(|dose| **dose > 0.0).count();
        assert!(given > 5 && given < dose.len(), "{name}: {given} of {}", dose.len());
        // A drug that nobody charts is not given: one that is charted counts beside it.
        let circulation = values(dir, &scores, "sofa_circulation");
        assert!(circulation.iter().any(|points| *points >= 3.0), "{name}: {circulation:?}");
        if name == "eicu" {
            continue;
        }
        let sepsis = values(dir, &ingest("icu-48h"), "label.sepsis3");
        let septic = sepsis.iter().filter(|x| **x == 1.0).count();
        assert!(septic > 5 && septic < sepsis.len(), "{name}: {septic} of {}", sepsis.len());
    }
}
