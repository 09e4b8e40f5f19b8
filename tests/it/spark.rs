//! `plan` and `spark`: the generated job is Python, runs on an engine that speaks Spark Connect and gives the
//! bundle of one run, and goes on where it was stopped. What we write opens in the programs of others.
//!
//! The engine is Sail from PyPI (`pysail`, `pyspark-client`) in `target/spark`, where `.ci/run` installs it,
//! or in the environment that `COHORT_FLOW_SPARK_PYTHON` names. Without it the tests say so and pass.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

use crate::support::{bundle, fail, run, shared, skipped, succeed};

fn interpreter() -> Option<PathBuf> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("target/spark/bin/python");
    let python = std::env::var_os("COHORT_FLOW_SPARK_PYTHON").map_or_else(default, PathBuf::from);
    let packages = "import pysail, pyspark, pyarrow, pandas, duckdb, safetensors";
    if !Command::new(&python).args(["-c", packages]).output().is_ok_and(|o| o.status.success()) {
        skipped("Sail and the client of Spark in target/spark, where `.ci/run` installs them");
        return None;
    }
    Some(python)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/spark").join(name)
}

fn told(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{out}\n{err}")
}

/// A JSON file of a bundle without the files read, which are others.
fn without_inputs(bundle: &Path, name: &str) -> Value {
    let mut value: Value = serde_json::from_slice(&fs::read(bundle.join(name)).unwrap()).unwrap();
    value.as_object_mut().unwrap().remove("inputs");
    value
}

#[test]
fn a_job_on_a_spark_engine_gives_the_bundle_of_one_run_and_goes_on_where_it_was_stopped() {
    let Some(python) = interpreter() else { return };
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    let extract = match shared("data/mimic3-demo") {
        Some(demo) => demo,
        None => {
            succeed(here, &["synth", "--patients", "120", "--seed", "5", "--output", "extract"]);
            here.join("extract")
        }
    };
    let extract = extract.to_str().unwrap();
    succeed(here, &["ingest", "mimic3-first-24h", "--input", extract, "--output", "whole"]);
    let spark = ["spark", "mimic3-first-24h", "--tables", extract, "--format", "csv", "--output", "job.py"];
    succeed(here, &spark);
    let job = || {
        let mut command = Command::new(&python);
        command.current_dir(here).arg(script("run_job.py")).arg("job.py");
        command.args(["--work", "work", "--bundle", "bundle", "--parts", "5"]);
        command.args(["--cohort-flow", env!("CARGO_BIN_EXE_cohort-flow")]);
        let output = command.output().unwrap();
        assert!(output.status.success(), "{}", told(&output));
        for name in ["features.parquet", "tensor.safetensors"] {
            let read = |bundle: &str| fs::read(here.join(bundle).join(name)).unwrap();
            assert!(read("whole") == read("bundle"), "{name} differs");
        }
        for name in ["audit.json", "manifest.json"] {
            assert_eq!(without_inputs(&here.join("whole"), name), without_inputs(&here.join("bundle"), name));
        }
        told(&output)
    };
    let said = job();
    assert!(said.contains("5 parts were made") && said.contains("committed bundle"), "{said}");
    // What is there is not made again.
    fs::remove_dir_all(here.join("bundle")).unwrap();
    fs::remove_dir_all(here.join("work/parts/3-of-5")).unwrap();
    let said = job();
    assert!(said.contains("4 of 5 parts are there, 1 are to be made"), "{said}");
}

#[test]
fn tables_and_tensors_open_in_the_programs_of_others() {
    let Some(python) = interpreter() else { return };
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    bundle(here, 200);
    succeed(here, &["fit", "bundle", "--model", "gmm", "--output", "model"]);
    succeed(here, &["score", "model", "bundle", "--output", "scores.parquet"]);
    succeed(here, &["flag", "model", "bundle", "--output", "flags.parquet"]);
    succeed(here, &["sample", "model", "--n", "50", "--output", "samples.parquet"]);
    succeed(here, &["export", "bundle", "--output", "table.parquet"]);
    succeed(here, &["ingest", "wide-table", "--input", "table.csv", "--part", "1/2", "--output", "part"]);
    succeed(here, &["synth", "--patients", "60", "--seed", "5", "--output", "extract"]);
    let ingest =
        ["ingest", "mimic3-first-24h", "--input", "extract", "--cache", "cache", "--output", "cohort"];
    succeed(here, &ingest);
    let output = Command::new(python).arg(script("open_files.py")).arg(here).output().unwrap();
    assert!(output.status.success(), "{}", told(&output));
}

/// Pipelines with the schema that each is tried on.
const PIPELINES: [(&str, Option<&str>); 6] = [
    ("mimic3-first-24h", None),
    ("mimic3-hourly", None),
    ("physionet2012-48h", None),
    ("icu-first-24h", Some("mimic4")),
    ("icu-first-24h", Some("eicu")),
    ("icu-first-24h", Some("omop")),
];

#[test]
fn jobs_are_python_for_every_database() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path();
    for (i, (pipeline, schema)) in PIPELINES.into_iter().enumerate() {
        let name = format!("job-{i}.py");
        let mut args = vec!["spark", pipeline, "--tables", "lake", "--set", "seed=9", "--output", &name];
        args.extend(schema.into_iter().flat_map(|schema| ["--schema", schema]));
        succeed(here, &args);
        let job = fs::read_to_string(here.join(&name)).unwrap();
        assert!(job.contains("\"seed=9\"") && job.contains("\"lake."), "{job}");
        assert_eq!(job.contains("\"--schema\""), schema.is_some());
        let mut parse = Command::new("python3");
        parse.args(["-c", "import ast, sys; ast.parse(open(sys.argv[1]).read())"]);
        match parse.arg(here.join(&name)).output() {
            Ok(output) => assert!(output.status.success(), "{}", told(&output)),
            Err(_) => skipped("python3, which reads the generated jobs"),
        }
    }
}

#[test]
fn a_plan_names_what_is_read_and_what_divides_it() {
    let dir = tempfile::tempdir().unwrap();
    let output = run(dir.path(), &["plan", "mimic3-first-24h", "--json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["partition"]["part"], "crc32(CAST(SUBJECT_ID AS STRING)) % N");
    let tables = plan["tables"].as_array().unwrap();
    let table = |name: &str| tables.iter().find(|table| table["name"] == name).unwrap();
    assert_eq!(table("ICUSTAYS")["role"], "records");
    assert_eq!(table("ADMISSIONS")["key"], "HADM_ID");
    let charts = table("CHARTEVENTS");
    assert_eq!((&charts["record"], &charts["patient"]), (&"ICUSTAY_ID".into(), &"SUBJECT_ID".into()));
    assert_eq!(charts["items"]["column"], "ITEMID");
    assert!(charts["items"]["numbers"].as_array().unwrap().contains(&211.into()), "heart rate is read");
    assert!(plan["stages"].as_array().unwrap().len() >= 4);
    // Records of a long table are the ids of all rows.
    let output = run(dir.path(), &["plan", "physionet2012-48h", "--json"]);
    let plan: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(plan["partition"]["part"], "crc32(CAST(RecordID AS STRING)) % N");
    assert!(plan["tables"][0]["items"].is_null());
    let text = run(dir.path(), &["plan", "mimic3-first-24h"]).stdout;
    assert!(String::from_utf8_lossy(&text).contains("record    ICUSTAY_ID"));
    fail(dir.path(), &["plan", "wide-table"], &["reads no tables of a database"]);
    fail(dir.path(), &["plan", "icu-first-24h"], &["reads any database", "--schema"]);
    let meds = ["spark", "icu-first-24h", "--schema", "meds", "--tables", "lake"];
    fail(dir.path(), &meds, &["rows of the same files"]);
}
