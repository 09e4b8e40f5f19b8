//! Five databases through one pipeline: the open extracts of each, read by their schemas.

#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use cohort_flow::features::Bundle;
use cohort_flow::ingest::{Cells, NoProgress, RecordTable, TableAudit, ingest, recognise};
use cohort_flow::schema::{
    Feature, Pipeline, Schema, dictionary, load_pipeline_on, load_schema, schema_names,
};

use crate::support::{self, shared};

fn on(pipeline: &str, schema: &str) -> (Pipeline, Schema) {
    let (pipeline, schema) = load_pipeline_on(pipeline, Some(schema)).unwrap();
    (pipeline, schema.unwrap())
}

/// Every record of the database, and every numeric concept that it has and that is measured, as it is
/// aggregated when nobody says otherwise.
fn everything(schema: &str) -> (Pipeline, Schema) {
    let (mut pipeline, schema) = on("icu-first-24h", schema);
    pipeline.rules.clear();
    pipeline.features = schema
        .variables
        .iter()
        .map(|variable| Feature {
            name: variable.name.clone(),
            variable: variable.name.clone(),
            aggregation: variable.aggregate,
            lookback_hours: 0.0,
            min_count: 0,
        })
        .collect();
    (pipeline, schema)
}

fn table((pipeline, schema): &(Pipeline, Schema), input: &Path) -> RecordTable {
    ingest(schema, pipeline, input, &NoProgress).unwrap_or_else(|e| panic!("{}: {e}", schema.name))
}

/// Values of a numeric column by record.
fn numbers(table: &RecordTable, column: &str) -> BTreeMap<String, f64> {
    let found = table.columns.iter().find(|c| c.name == column).unwrap_or_else(|| panic!("no {column}"));
    let Cells::Number(x) = &found.cells else { panic!("{column} holds texts") };
    let all = table.record_ids.iter().map(str::to_owned).zip(x.iter());
    all.filter(|(_, x)| !x.is_nan()).collect()
}

fn audit_of<'t>(table: &'t RecordTable, name: &str) -> &'t TableAudit {
    table.audit.tables.iter().find(|t| t.table == name).unwrap_or_else(|| panic!("no {name}"))
}

/// Rows read are kept or dropped by a reason.
fn rows_are_accounted_for(table: &RecordTable) {
    for t in &table.audit.tables {
        let dropped: u64 = t.dropped.values().sum();
        assert_eq!(t.rows_read, t.rows_kept + dropped, "{t:?}");
    }
}

/// `SUBJECT-1` for the first stay of a subject, as MEDS stays are called, by the stay's own id.
fn names_of_stays(dir: &Path) -> BTreeMap<String, String> {
    let mut stays = support::gzipped_rows(&dir.join("icu/icustays.csv.gz"));
    stays.sort_by_key(|stay| (stay["subject_id"].clone(), stay["intime"].clone()));
    let mut count: BTreeMap<String, usize> = BTreeMap::new();
    let mut name = |stay: &BTreeMap<String, String>| {
        let n = count.entry(stay["subject_id"].clone()).or_default();
        *n += 1;
        (stay["stay_id"].clone(), format!("{}-{n}", stay["subject_id"]))
    };
    stays.iter().map(&mut name).collect()
}

#[test]
fn mimic4_equals_meds_in_every_concept_of_all_stays() {
    let (Some(csv), Some(meds)) = (shared("data/mimic4-demo"), shared("data/mimic4-demo-meds")) else {
        return;
    };
    let (here, there) = (table(&everything("mimic4"), &csv), table(&everything("meds"), &meds));
    let names = names_of_stays(&csv);
    assert_eq!((here.n_records(), there.n_records()), (140, 140));
    let (mut compared, mut values) = (0, 0);
    for column in &there.columns {
        // A birth is the first of January in MEDS, and a whole age of a year in MIMIC-IV.
        if column.name == "age" || matches!(column.cells, Cells::Text(_)) {
            continue;
        }
        let (a, b) = (numbers(&here, &column.name), numbers(&there, &column.name));
        let a: BTreeMap<String, f64> = a.into_iter().map(|(stay, x)| (names[&stay].clone(), x)).collect();
        assert!(a.keys().eq(b.keys()), "{}: {} and {} stays have a value", column.name, a.len(), b.len());
        for (stay, x) in &a {
            // MEDS holds single precision; sums and differences of a few such numbers keep 10⁻⁶.
            let error = (x - b[stay]).abs() / x.abs().max(1.0);
            assert!(error < 1e-6, "{} of {stay}: {x} and {}", column.name, b[stay]);
        }
        compared += 1;
        values += a.len();
    }
    assert!(compared >= 90 && values > 7000, "{compared} concepts, {values} values");
    let (a, b) = (numbers(&here, "age"), numbers(&there, "age"));
    for (stay, years) in a {
        assert!((0.0..1.0).contains(&(b[&names[&stay]] - years)) || years == 91.4, "{stay}");
    }
    rows_are_accounted_for(&here);
    rows_are_accounted_for(&there);
}

#[test]
fn mimic4_is_read_in_any_layout_of_its_files() {
    let Some(dir) = shared("data/mimic4-demo") else { return };
    let (pipeline, schema) = on("icu-first-24h", "mimic4");
    let as_released = table(&(pipeline.clone(), schema.clone()), &dir);
    let flat = tempfile::tempdir().unwrap();
    for folder in ["hosp", "icu", "icu-derived"] {
        for entry in fs::read_dir(dir.join(folder)).unwrap() {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let name = if folder == "hosp" { format!("HOSP.{name}") } else { name };
            std::os::unix::fs::symlink(fs::canonicalize(entry.path()).unwrap(), flat.path().join(name))
                .unwrap();
        }
    }
    let as_laid_out = table(&(pipeline, schema), flat.path());
    assert_eq!(as_released.record_ids, as_laid_out.record_ids);
    for column in &as_released.columns {
        if matches!(column.cells, Cells::Number(_)) {
            assert_eq!(
                numbers(&as_released, &column.name),
                numbers(&as_laid_out, &column.name),
                "{}",
                column.name
            );
        }
    }
}

/// The 500 patients of the .psv files, from the table.
fn table_of_500(dir: &Path, to: &Path) {
    let psv = fs::read_dir(dir.join("psv_first500")).unwrap();
    let ids: Vec<String> = psv
        .map(|file| file.unwrap().file_name().into_string().unwrap()[1..].trim_end_matches(".psv").to_owned())
        .collect();
    let file = fs::File::open(dir.join("set_b_first10000.csv.gz")).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut flate2::read::GzDecoder::new(file), &mut text).unwrap();
    let mut out = fs::File::create(to).unwrap();
    for (i, line) in text.lines().enumerate() {
        if i == 0
            || ids.iter().any(|id| line.strip_prefix(id.as_str()).is_some_and(|rest| rest.starts_with(',')))
        {
            writeln!(out, "{line}").unwrap();
        }
    }
}

#[test]
fn physionet2019_is_the_same_from_files_and_from_a_table() {
    let Some(dir) = shared("data/physionet2019") else { return };
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("table")).unwrap();
    table_of_500(&dir, &work.path().join("table/set_b.csv"));
    let psv = fs::canonicalize(dir.join("psv_first500")).unwrap();
    for pipeline in ["icu-first-24h", "icu-hourly"] {
        for (input, output) in [(psv.to_str().unwrap(), "of_files"), ("table", "of_table")] {
            let args = ["ingest", pipeline, "--input", input, "--output", output, "--force"];
            let said = support::succeed(work.path(), &args);
            assert!(said.contains("schema physionet2019 has not all"), "{said}");
        }
        let bytes = |bundle: &str, file: &str| fs::read(work.path().join(bundle).join(file)).unwrap();
        for file in ["tensor.safetensors", "features.parquet"] {
            assert!(bytes("of_files", file) == bytes("of_table", file), "{pipeline}: {file}");
        }
        let bundle = Bundle::open(&work.path().join("of_files")).unwrap();
        assert!(bundle.manifest.encoder.n_features() >= 15);
        assert!(
            bundle.manifest.pipeline.features.iter().all(|f| !f.variable.to_lowercase().contains("sepsis"))
        );
    }
    // Hours are those of the file: each has the number of its row.
    let (mut pipeline, schema) = on("icu-hourly", "physionet2019");
    pipeline.rules.clear();
    let hours = numbers(&table(&(pipeline, schema), &psv), "heart_rate");
    for id in ["100001", "100002", "100003"] {
        let text = fs::read_to_string(psv.join(format!("p{id}.psv"))).unwrap();
        for line in text.lines().skip(1) {
            let cells: Vec<f64> = line.split('|').map(|cell| cell.parse().unwrap()).collect();
            let (rate, hour) = (cells[0], cells[39]);
            if hour <= 24.0 {
                let found = hours.get(&format!("{id}@{}", hour - 1.0)).copied();
                assert_eq!(found, Some(rate).filter(|x| !x.is_nan()), "{id} at {hour}");
            }
        }
    }
}

/// The eICU demo with the part of `lab` that is there.
fn eicu(to: &Path) -> Option<()> {
    let dir = shared("data/eicu-demo")?;
    for folder in [dir.clone(), dir.join("pyhealth-178-stays")] {
        for entry in fs::read_dir(folder).unwrap().map(Result::unwrap).filter(|e| e.path().is_file()) {
            std::os::unix::fs::symlink(fs::canonicalize(entry.path()).unwrap(), to.join(entry.file_name()))
                .unwrap();
        }
    }
    Some(())
}

#[test]
fn eicu_counts_minutes_from_the_admission_and_says_what_is_missing() {
    let work = tempfile::tempdir().unwrap();
    let Some(()) = eicu(work.path()) else { return };
    let found = table(&everything("eicu"), work.path());
    assert_eq!(found.n_records(), 2520);
    rows_are_accounted_for(&found);
    let says = |part: &str| found.audit.messages.say(part);
    assert!(says("there is no table vitalPeriodic") && says("there is no table nurseCharting"));
    // 98 stays of patients over 89 and 4 without an age.
    let ages = numbers(&found, "age");
    assert_eq!((ages.len(), ages.values().filter(|x| **x == 91.4).count()), (2516, 98));
    // The first day of one stay, by hand: 141764 has cuffs at 81 and 334 minutes, and was there for 344.
    let sbp = numbers(&found, "sbp");
    let own: Vec<f64> = support::gzipped_rows(&work.path().join("vitalAperiodic.csv.gz"))
        .iter()
        .filter(|row| row["patientunitstayid"] == "141764" && !row["noninvasivesystolic"].is_empty())
        .filter(|row| (0..=344).contains(&row["observationoffset"].parse::<i64>().unwrap()))
        .map(|row| row["noninvasivesystolic"].parse().unwrap())
        .collect();
    assert!((sbp["141764"] - own.iter().sum::<f64>() / own.len() as f64).abs() < 1e-9, "{own:?}");
    // Rates in mL/h, or without a unit, are recorded and not usable.
    let rate = found.audit.variables.iter().find(|v| v.variable == "norepinephrine_rate").unwrap();
    assert!(
        rate.unknown_units.contains_key("ml/hr") && rate.unknown_units.contains_key("notgiven"),
        "{rate:?}"
    );
    assert!(audit_of(&found, "lab").dropped.contains_key("corrected by a later row"));
    let (pipeline, schema) = on("icu-first-24h", "eicu");
    let first = table(&(pipeline, schema), work.path());
    let subjects: std::collections::BTreeSet<&str> = first.subjects().collect();
    assert_eq!(subjects.len(), first.n_records(), "one stay per patient");
}

#[test]
fn omop_persons_visits_and_ages_equal_those_of_mimic4() {
    let (Some(omop), Some(csv)) = (shared("data/mimic4-demo-omop"), shared("data/mimic4-demo")) else {
        return;
    };
    let all = everything("omop");
    let found = table(&all, &omop);
    assert_eq!(found.n_records(), 852);
    let subjects: std::collections::BTreeSet<&str> = found.subjects().collect();
    assert_eq!(subjects.len(), 100);
    assert!(found.audit.messages.say("there is no table measurement"));
    // A hospital admission of MIMIC-IV is the visit that names it; ages are whole years in both.
    let ages = numbers(&found, "age");
    let patients: BTreeMap<String, (f64, f64)> = support::gzipped_rows(&csv.join("hosp/patients.csv.gz"))
        .into_iter()
        .map(|row| {
            (
                row["subject_id"].clone(),
                (row["anchor_age"].parse().unwrap(), row["anchor_year"].parse().unwrap()),
            )
        })
        .collect();
    let mut admissions = 0;
    for row in support::gzipped_rows(&csv.join("hosp/admissions.csv.gz")) {
        let name = format!("{}|{}", row["subject_id"], row["hadm_id"]);
        let visits = support::gzipped_rows(&omop.join("visit_occurrence.csv.gz"));
        let visit = visits.iter().find(|visit| visit["visit_source_value"] == name).expect("a visit");
        let (age, year) = patients[&row["subject_id"]];
        let start: f64 = visit["visit_start_datetime"][..4].parse().unwrap();
        let expected = age + start - year;
        let expected = if expected >= 90.0 { 91.4 } else { expected };
        assert_eq!(ages[&visit["visit_occurrence_id"]], expected, "{name}");
        admissions += 1;
        if admissions == 60 {
            break;
        }
    }
    assert_eq!(admissions, 60);
}

#[test]
fn omop_measurements_are_accounted_for_to_the_row() {
    let Some(dir) = shared("data/omop-synthea27nj") else { return };
    let work = tempfile::tempdir().unwrap();
    let zip = fs::canonicalize(dir.join("Synthea27Nj_5.4.zip")).unwrap();
    let unpacked = std::process::Command::new("unzip").arg("-qo").arg(zip).current_dir(work.path()).status();
    if !unpacked.is_ok_and(|status| status.success()) {
        support::skipped("the program unzip");
        return;
    }
    let found = table(&everything("omop"), work.path());
    assert_eq!(found.n_records(), 1791);
    let audit = audit_of(&found, "measurement");
    assert_eq!(audit.rows_read, 10_040);
    rows_are_accounted_for(&found);
    // Counted from the CSV files in SQL: of 726 pressures, 707 are of the first day of the visit that they
    // name, and the others are of later days.
    let sbp = found.audit.variables.iter().find(|v| v.variable == "sbp").unwrap();
    assert_eq!((sbp.values_kept, sbp.unknown_unit), (707, 0), "{sbp:?}");
    assert!(audit.dropped.contains_key("after window"), "{audit:?}");
}

#[test]
fn each_extract_is_recognised_as_its_database() {
    let known: Vec<Schema> = schema_names().iter().map(|name| load_schema(name).unwrap()).collect();
    let work = tempfile::tempdir().unwrap();
    let eicu = eicu(work.path()).map(|()| work.path().to_path_buf());
    for (input, expected) in [
        (shared("data/mimic3-demo"), "mimic3"),
        (shared("data/mimic4-demo"), "mimic4"),
        (shared("data/mimic4-demo-meds"), "meds"),
        (shared("data/mimic4-demo-omop"), "omop"),
        (shared("data/physionet2012"), "physionet2012"),
        (shared("data/physionet2019/psv_first500"), "physionet2019"),
        (eicu, "eicu"),
    ] {
        let Some(input): Option<PathBuf> = input else { continue };
        let found: Vec<&str> = recognise(&known, &input).unwrap().iter().map(|s| s.name.as_str()).collect();
        assert_eq!(found, [expected], "{}", input.display());
    }
}

/// Needs Python with DuckDB: `COHORT_FLOW_PYTHON`, or `python3`.
#[test]
fn concepts_equal_an_independent_computation_in_sql() {
    let python = std::env::var("COHORT_FLOW_PYTHON").unwrap_or_else(|_| "python3".into());
    let has_duckdb = std::process::Command::new(&python).args(["-c", "import duckdb"]).output();
    if !has_duckdb.is_ok_and(|o| o.status.success()) {
        support::skipped("a Python with duckdb in COHORT_FLOW_PYTHON (pip install duckdb)");
        return;
    }
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/duckdb");
    let work = tempfile::tempdir().unwrap();
    let extract = tempfile::tempdir().unwrap();
    let eicu = eicu(extract.path()).map(|()| (extract.path().to_path_buf(), extract.path().to_path_buf()));
    let pair = |folder: &str, given: &str| Some((shared(folder)?, shared(given)?));
    let hours = "data/physionet2019/set_b_first10000.csv.gz";
    for (script, inputs) in [
        ("mimic4", pair("data/mimic4-demo", "data/mimic4-demo")),
        ("meds", pair("data/mimic4-demo-meds", "data/mimic4-demo-meds/mimic_iv_demo_meds_events.parquet")),
        ("physionet2019", pair(hours, hours)),
        ("eicu", eicu),
    ] {
        let Some((input, given)) = inputs else { continue };
        let (pipeline, input) = (here.join("concepts.toml"), fs::canonicalize(input).unwrap());
        let args =
            ["ingest", pipeline.to_str().unwrap(), "--input", input.to_str().unwrap(), "--output", script];
        support::succeed(work.path(), &args);
        let features = work.path().join(script).join("features.parquet");
        let mut check = std::process::Command::new(&python);
        let output = check.arg(here.join(format!("{script}.py"))).arg(given).arg(features).output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{script}: {text}\n{}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn a_folder_of_something_else_is_not_recognised() {
    let work = tempfile::tempdir().unwrap();
    fs::create_dir(work.path().join("in")).unwrap();
    fs::write(work.path().join("in/table.csv"), "a,b\n1,2\n").unwrap();
    let args = ["ingest", "icu-first-24h", "--input", "in", "--output", "out"];
    support::fail(work.path(), &args, &["no extract of a database that is known", "--schema"]);
    let args = ["ingest", "mimic3-first-24h", "--schema", "mimic4", "--input", "in", "--output", "out"];
    support::fail(work.path(), &args, &["names its own schema"]);
}

#[test]
fn schemas_are_compared_concept_by_concept() {
    let work = tempfile::tempdir().unwrap();
    let output = support::run(work.path(), &["schema", "compare", "mimic4", "eicu"]);
    let text = String::from_utf8(output.stdout).unwrap();
    for part in [
        "# in mimic4 and in eicu: ",
        "lactate [mmol/L]\n  mimic4: labevents 50813 in mEq/L or mmol/L\n  eicu: lab lactate in mmol/L",
        "# in mimic4 alone: ",
        "calcium_ionized [mmol/L]",
        "# in eicu alone: ",
    ] {
        assert!(text.contains(part), "`{part}` is not in\n{text}");
    }
    let both = |name: &str| {
        let (schema, all) = (load_schema(name).unwrap(), dictionary());
        all.iter().filter(|c| schema.variable(&c.variable.name).is_some()).count()
    };
    assert!(both("mimic4") >= 110 && both("eicu") >= 90, "{} {}", both("mimic4"), both("eicu"));
    assert!(dictionary().len() >= 127);
}
