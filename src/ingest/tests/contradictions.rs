//! Rows, stays and files that contradict each other: what cannot be decided is left out and told.

use super::*;
use crate::ingest::{BadRows, IngestOptions};

const STAYS_HEADER: &str = "stay_id,subject_id,intime,outtime,los";

/// The extract with other rows of some tables.
fn extract(stays: &[&str], patients: &[&str], events: &[&str]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("stays.csv"), csv_text(STAYS_HEADER, stays)).unwrap();
    fs::write(dir.path().join("patients.csv"), csv_text("subject_id,gender,dob", patients)).unwrap();
    fs::write(dir.path().join("events.csv"), csv_text(EVENTS_HEADER, events)).unwrap();
    dir
}

fn said(table: &RecordTable) -> String {
    table.audit.messages.texts().join("\n")
}

/// A schema with more variables.
fn schema_with(more: &str) -> Schema {
    parse_schema("mini.toml", &format!("{SCHEMA}{more}")).unwrap_or_else(|e| panic!("{e:?}"))
}

fn features(names: &str) -> Pipeline {
    let (head, rest) = PIPELINE.split_once("features = [").unwrap();
    let (_, rest) = rest.split_once("]\n").unwrap();
    // Without the rule on age.
    let (_, window) = rest.split_once("[window]").unwrap();
    let text = format!("{head}features = [{names}]\n\n[window]{window}");
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema_with(UNITS)) };
    parse_pipeline("mini.toml", &text, &load).unwrap_or_else(|e| panic!("{e:?}")).0
}

const UNITS: &str = r#"
[variables.mass]
label = "Weight charted in pounds"
group = "who"
unit = "kg"
range = [20, 400]
conversions = [{ unit = "lb", scale = 0.5 }, { unit = "g", scale = 0.001 }]
sources = [{ table = "EVENTS", items = [5], scale = 0.5 }]

[variables.pressure]
label = "Pressure of a source without units"
group = "vitals"
unit = "mmHg"
conversions = [{ unit = "kPa", scale = 7.5 }]
sources = [{ table = "EVENTS", items = [6] }]

[variables.ratio]
label = "Ratio"
group = "labs"
unit = "ratio"
sources = [{ table = "EVENTS", items = [7] }]

[variables.alive]
label = "Alive"
group = "outcome"
kind = "binary"
sources = [{ table = "EVENTS", items = [8] }]

[variables.ward]
label = "Ward"
group = "stay"
kind = "categorical"
aggregate = "first"
sources = [{ table = "EVENTS", items = [9] }]
"#;

fn ingested(pipeline: &Pipeline, dir: &Path) -> RecordTable {
    ingest(&schema_with(UNITS), pipeline, dir, &NoProgress).unwrap_or_else(|e| panic!("{e}"))
}

/// A row of stay 10 an hour after its start.
fn row(item: u32, value: &str, unit: &str) -> String {
    format!("10,1,{item},2150-01-01 01:00:00,{value},{value},{unit},")
}

#[test]
fn a_unit_that_contradicts_its_source_is_rejected_and_one_that_the_variable_knows_is_converted() {
    for (item, name, value, unit, expected) in [
        (5, "mass", "150", "", Some(75.0)),
        (5, "mass", "150", "lb", Some(75.0)),
        // The source converts from pounds, and the row says kilograms, or something else.
        (5, "mass", "68", "kg", None),
        (5, "mass", "68000", "g", None),
        (5, "mass", "68", "stone", None),
        (6, "pressure", "40", "", Some(40.0)),
        (6, "pressure", "40", "MMHG", Some(40.0)),
        (6, "pressure", "4", "kPa", Some(30.0)),
        (6, "pressure", "40", "cmH2O", None),
        (7, "ratio", "1.2", "INR", Some(1.2)),
    ] {
        let dir = extract(STAYS, PATIENTS, &[&row(item, value, unit)]);
        let table = ingested(&features(&format!("\"{name}\"")), dir.path());
        let found = Some(numbers(&table, name)[0]).filter(|x| !x.is_nan());
        assert_eq!(found, expected, "{name} {value} {unit}");
        let audit = &table.audit.variables[0];
        assert_eq!(audit.unknown_unit, u64::from(expected.is_none()), "{name} {value} {unit}");
        let text = said(&table);
        assert_eq!(text.contains("does not convert to"), expected.is_none(), "{text}");
        assert_eq!(text.contains("`inr` 1"), unit == "INR", "{text}");
    }
}

#[test]
fn a_row_that_names_the_stay_of_another_patient_is_not_used() {
    let events = ["10,1,1,2150-01-01 01:00:00,80,80,bpm,", "10,2,1,2150-01-01 02:00:00,120,120,bpm,"];
    let dir = extract(STAYS, PATIENTS, &events);
    let table = ingested(&features("\"hr\", \"hr:count\""), dir.path());
    assert_eq!((numbers(&table, "hr")[0], numbers(&table, "hr_count")[0]), (80.0, 1.0));
    let audit = table.audit.tables.iter().find(|t| t.table == "EVENTS").unwrap();
    assert_eq!((audit.dropped["another patient's record"], audit.rows_kept), (1, 1));
    assert!(
        said(&table).contains("table EVENTS: 1 row names a record and a patient who is not that record's")
    );
}

#[test]
fn stays_of_which_nothing_tells_the_time_are_left_out_and_told() {
    let stays = [
        STAYS[0],
        "11,2,,2150-01-01 18:00:00,0.25",
        "12,3,2150-01-02 00:00:00,2150-01-01 00:00:00,",
        STAYS[3],
    ];
    let dir = extract(&stays, PATIENTS, EVENTS);
    let table = ingested(&features("\"hr:count\""), dir.path());
    assert!(table.record_ids.iter().eq(["10", "13"]));
    let steps: Vec<_> =
        table.audit.cohort.iter().map(|s| (s.rule.as_str(), s.before, s.after, s.failed_null)).collect();
    let expected =
        [("all records", 4, 4, 0), ("INTIME is known", 4, 3, 1), ("OUTTIME is not before INTIME", 3, 2, 0)];
    assert_eq!(steps, expected);
    let text = said(&table);
    assert!(text.contains("table STAYS: 1 of 4 records has no `INTIME`"), "{text}");
    assert!(text.contains("table STAYS: 1 of 4 records has an `OUTTIME` before the `INTIME`"), "{text}");
    // Without measurements, nothing depends on the time.
    let table = ingested(&features("\"gender\""), dir.path());
    assert_eq!(table.n_records(), 4);
}

#[test]
fn a_stay_without_a_patient_is_not_the_patient_of_its_number() {
    let stays = ["2,,2150-01-01 00:00:00,2150-01-03 00:00:00,2", "11,2,2150-01-01 12:00:00,,", ",3,,,"];
    let dir = extract(&stays, PATIENTS, &["2,2,1,2150-01-01 01:00:00,80,80,bpm,"]);
    let table = ingested(&features("\"gender\", \"hr\""), dir.path());
    let Cells::Text(gender) = &table.columns[0].cells else { panic!("gender is text") };
    assert_eq!((gender.get(0), gender.get(1)), (None, Some("male")));
    assert_eq!(numbers(&table, "hr")[0], 80.0);
    let text = said(&table);
    assert!(text.contains("1 of 2 records has no `SUBJECT_ID`"), "{text}");
    assert!(text.contains("table STAYS: 1 of 3 rows has no `STAY_ID` and is left out"), "{text}");
}

#[test]
fn malformed_rows_that_are_left_out_are_told_on_the_terminal() {
    let stays = [STAYS[0], "11,2,yesterday,2150-01-01 18:00:00,0.25"];
    let dir = extract(&stays, PATIENTS, &[EVENTS[0], "10,1,1,2150-01-01 00:00:00,90", EVENTS[24]]);
    let options = IngestOptions { bad_rows: BadRows::Skip, ..IngestOptions::default() };
    let pipeline = features("\"hr\"");
    let schema = schema_with(UNITS);
    let table = ingest_with(&schema, &pipeline, dir.path(), &options, &NoProgress).unwrap();
    let text = said(&table);
    assert!(text.contains("table STAYS: 1 of 2 rows is malformed and is left out"), "{text}");
    assert!(text.contains("the record that it names is not in the cohort"), "{text}");
    assert!(text.contains("table EVENTS: 1 of 3 rows is malformed"), "{text}");
    assert!(text.contains("table EVENTS: 1 row of the items in use is left out (no time 1)"), "{text}");
    let error = ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap_err();
    assert!(crate::error::Hint::hint(&error).unwrap().contains("--on-bad-row skip"), "{error}");
}

#[test]
fn measurements_that_cannot_be_used_are_summed_up_in_one_sentence() {
    let ward = |name: &str| format!("10,1,9,2150-01-01 01:00:00,{name},,,");
    let events: Vec<String> =
        [row(1, "900", "bpm"), row(1, "", "bpm"), row(8, "2", ""), ward("icu"), ward("ICU")].into();
    let dir = extract(STAYS, PATIENTS, &events.iter().map(String::as_str).collect::<Vec<_>>());
    let table = ingested(&features("\"hr\", \"alive\", \"ward\""), dir.path());
    assert!(numbers(&table, "alive")[0].is_nan(), "2 is neither yes nor no");
    let text = said(&table);
    let sum = "3 measurements cannot be used and are rejected: hr 2 (above range 1, no number 1); alive 1 \
               (above range 1)";
    assert!(text.contains(sum), "{text}");
    assert!(text.contains("variable ward: the levels `ICU`, `icu` differ in letter case alone"), "{text}");
}

#[test]
fn starts_without_a_time_of_day_and_events_in_two_stays_are_told() {
    let stays = ["10,1,2150-01-01,2150-01-03 00:00:00,2", "13,1,2150-01-02 00:00:00,2150-02-02 00:00:00,1"];
    let dir = extract(&stays, PATIENTS, &[",1,1,2150-01-02 05:00:00,61,61,bpm,"]);
    let text = said(&ingested(&features("\"hr\""), dir.path()));
    assert!(text.contains("column `INTIME` of stays.csv has dates without a time of day"), "{text}");
    assert!(
        text.contains("table EVENTS: 1 row names no record and is at a time that lies in several"),
        "{text}"
    );
    // A date of birth has no time of day, and needs none.
    let born = ["1,F,2100-01-01"];
    let dir = extract(&STAYS[..1], &born, EVENTS);
    let text = said(&ingested(&features("\"age\", \"hr\""), dir.path()));
    assert!(!text.contains("time of day"), "{text}");
}

#[test]
fn an_age_that_the_cap_stands_for_and_parts_of_a_table_are_told_as_they_are() {
    let dir = extract(STAYS, PATIENTS, EVENTS);
    fs::rename(dir.path().join("stays.csv"), dir.path().join("stays_1.csv")).unwrap();
    let text = said(&ingested(&features("\"age\", \"hr\""), dir.path()));
    assert!(text.contains("variable age: 1 age of 90 years and more is the schema's cap instead"), "{text}");
    assert!(!text.contains("there is no file"), "{text}");
}

#[test]
fn a_contradicted_id_is_told_with_its_line() {
    let again = STAYS[0].replace("2150-01-03", "2150-01-04");
    let dir = extract(&[STAYS[0], "\n", STAYS[1], &again], PATIENTS, EVENTS);
    let error = ingest(&schema(), &pipeline(PIPELINE), dir.path(), &NoProgress).unwrap_err().to_string();
    assert_eq!(error, "stays.csv: column `STAY_ID` holds 1 id more than once, first again in line 6");
}

#[test]
#[cfg(unix)]
fn a_file_that_took_the_place_of_one_of_its_size_and_time_is_read_anew() {
    let dir = extract(STAYS, PATIENTS, &["10,1,1,2150-01-01 01:00:00,75,75,bpm,"]);
    let store = tempfile::tempdir().unwrap();
    let options = IngestOptions { cache: Some(store.path().to_path_buf()), ..IngestOptions::default() };
    let (schema, pipeline) = (schema_with(UNITS), features("\"hr\""));
    let mean = || {
        let table = ingest_with(&schema, &pipeline, dir.path(), &options, &NoProgress).unwrap();
        numbers(&table, "hr")[0]
    };
    assert_eq!((mean(), mean()), (75.0, 75.0));
    // As `cp -p` and `rsync -t` do.
    let path = dir.path().join("events.csv");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    let text = fs::read_to_string(&path).unwrap().replace("75", "85");
    fs::write(&path, text).unwrap();
    fs::File::options().write(true).open(&path).unwrap().set_modified(time).unwrap();
    assert_eq!(mean(), 85.0);
}
