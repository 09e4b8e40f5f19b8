//! A small extract by hand, whose results are known, and the same extract written in every other way.

use std::fs;
use std::io::Write;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::error::Hint;
use crate::schema::{CohortRule, Pipeline, Predicate, Schema, SchemaError, parse_pipeline, parse_schema};

const SCHEMA: &str = r#"
name = "mini"
title = "a small extract"

[record]
table = "STAYS"
id = "STAY_ID"
subject = "SUBJECT_ID"
start = "INTIME"
end = "OUTTIME"

[tables.STAYS.columns]
STAY_ID = "integer"
SUBJECT_ID = "integer"
INTIME = "datetime"
OUTTIME = "datetime"
LOS = "float"

[tables.PATIENTS]
key = "SUBJECT_ID"
columns = { SUBJECT_ID = "integer", GENDER = "text", DOB = "datetime" }

[tables.EVENTS]
files = ["EVENTS", "EVENTS_*"]
drop = [{ column = "ERROR", equals = [1], reason = "charted in error" }]
columns = { STAY_ID = "integer", SUBJECT_ID = "integer", ITEM = "integer", AT = "datetime", TEXT = "text", NUMBER = "float", UNIT = "text", ERROR = "integer" }
events = { record = "STAY_ID", subject = "SUBJECT_ID", time = "AT", item = "ITEM", value = "NUMBER", text = "TEXT", unit = "UNIT" }

[variables.age]
label = "Age"
group = "who"
unit = "years"
sources = [{ table = "PATIENTS", birth = "DOB", cap = 91.4 }]

[variables.gender]
label = "Gender"
group = "who"
kind = "categorical"
levels = { female = "F", male = "M" }
sources = [{ table = "PATIENTS", column = "GENDER" }]

[variables.hr]
label = "Heart rate"
group = "vitals"
unit = "bpm"
range = [10, 300]
sources = [
  { table = "EVENTS", items = [1], units = ["bpm"] },
  { table = "EVENTS", items = [2], units = ["bpm"], precedence = 1 },
]

[variables.rhythm]
label = "Rhythm"
group = "vitals"
kind = "categorical"
levels = { sinus = "SR*", fibrillation = "AF" }
aggregate = "last"
sources = [{ table = "EVENTS", items = [3] }]

[variables.weight]
label = "Weight"
group = "who"
unit = "kg"
range = [20, 400]
aggregate = "first"
conversions = [{ unit = "lb", scale = 0.5 }]
sources = [{ table = "EVENTS", items = [4], units = ["kg"] }]
"#;

const PIPELINE: &str = r#"
name = "mini"
title = "first ten hours"
schema = "mini"
features = ["age", "gender", "hr", "hr:max", "hr:std", "hr:median", "hr:first", "hr:count", "rhythm", "weight"]

[[rules]]
name = "adults"
column = "age"
min = 18

[window]
start = 0
end = 10
until_end = true
"#;

const STAYS: &[&str] = &[
    "10,1,2150-01-01 00:00:00,2150-01-03 00:00:00,2",
    "11,2,2150-01-01 12:00:00,2150-01-01 18:00:00,0.25",
    "12,3,2150-01-01 00:00:00,,",
    "13,1,2150-02-01 00:00:00,2150-02-02 00:00:00,1",
];

const PATIENTS: &[&str] = &["1,F,2100-01-01 00:00:00", "2,M,1850-01-01 00:00:00", "3,F,2140-01-01 00:00:00"];

const EVENTS: &[&str] = &[
    "10,1,1,2150-01-01 00:00:00,80,80,BPM,",
    "10,1,1,2150-01-01 00:00:00,90,90,bpm,0",
    "10,1,1,2150-01-01 09:59:59,100.3,100.3,,",
    "10,1,1,2150-01-01 10:00:00,200,200,bpm,",
    "10,1,1,2149-12-31 23:59:59,200,200,bpm,",
    "10,1,1,2150-01-01 01:00:00,250,250,bpm,1",
    "10,1,1,2150-01-01 02:00:00,11647,11647,bpm,0",
    "10,1,1,2150-01-01 02:00:00,5,5,bpm,0",
    "10,1,1,2150-01-01 03:00:00,,,bpm,",
    "10,1,1,2150-01-01 03:00:00,80,80,per h,",
    "10,1,2,2150-01-01 04:00:00,50,50,bpm,",
    ",1,1,2150-02-01 05:00:00,61,61,bpm,",
    ",1,1,2150-01-20 05:00:00,62,62,bpm,",
    ",9,1,2150-01-20 05:00:00,62,62,bpm,",
    "99,1,1,2150-01-01 04:00:00,50,50,bpm,",
    "11,2,2,2150-01-01 13:00:00,70,70,bpm,",
    "11,2,1,2150-01-01 18:00:01,70,70,bpm,",
    "12,3,1,2150-01-01 01:00:00,70,70,bpm,",
    "10,1,3,2150-01-01 01:00:00,SR (Sinus),,,",
    "10,1,3,2150-01-01 05:00:00,AF,,,",
    "10,1,3,2150-01-01 05:00:00,SR,,,",
    "10,1,3,2150-01-01 06:00:00,\"paced, VVI\",,,",
    "10,1,4,2150-01-01 06:00:00,160,160,lb,",
    "10,1,77,2150-01-01 06:00:00,160,160,lb,",
    "10,1,1,,70,70,bpm,",
];

fn schema() -> Schema {
    parse_schema("mini.toml", SCHEMA).unwrap_or_else(|e| panic!("{e:?}"))
}

fn pipeline(text: &str) -> Pipeline {
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema()) };
    parse_pipeline("mini.toml", text, &load).unwrap_or_else(|e| panic!("{e:?}")).0
}

fn csv_text(header: &str, rows: &[&str]) -> String {
    let mut text = format!("{header}\n");
    for row in rows {
        text.push_str(row);
        text.push('\n');
    }
    text
}

const EVENTS_HEADER: &str = "stay_id,subject_id,item,at,text,number,unit,error";

fn write_extract(dir: &Path) {
    fs::write(dir.join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", STAYS)).unwrap();
    fs::write(dir.join("patients.csv"), csv_text("subject_id,gender,dob", PATIENTS)).unwrap();
    fs::write(dir.join("events.csv"), csv_text(EVENTS_HEADER, EVENTS)).unwrap();
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

fn run(dir: &Path) -> Result<RecordTable, IngestError> {
    ingest(&schema(), &pipeline(PIPELINE), dir, &NoProgress)
}

fn numbers(table: &RecordTable, name: &str) -> Vec<f64> {
    match &table.columns.iter().find(|c| c.name == name).unwrap().cells {
        Cells::Number(x) => x.clone(),
        Cells::Text(_) => panic!("{name} is text"),
    }
}

#[test]
fn a_small_extract_gives_the_values_computed_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let table = run(dir.path()).unwrap();
    // Stay 12 is of a ten-year-old.
    assert_eq!(table.record_ids, ["10", "11", "13"]);
    assert_eq!(table.subject_ids, ["1", "2", "1"]);
    let steps: Vec<_> = table.audit.cohort.iter().map(|s| (s.rule.as_str(), s.before, s.after)).collect();
    assert_eq!(steps, [("all records", 4, 4), ("adults", 4, 3)]);

    let hr = numbers(&table, "hr");
    assert!((hr[0] - 270.3 / 3.0).abs() < 1e-13);
    assert_eq!(hr[1..], [70.0, 61.0], "stay 11 has precedence 1 only; stay 13 by subject and time");
    assert_eq!(numbers(&table, "hr_max"), [100.3, 70.0, 61.0]);
    assert_eq!(numbers(&table, "hr_median"), [90.0, 70.0, 61.0]);
    assert_eq!(numbers(&table, "hr_first"), [85.0, 70.0, 61.0]);
    assert_eq!(numbers(&table, "hr_count"), [3.0, 1.0, 1.0]);
    let std = numbers(&table, "hr_std");
    // Python: statistics.stdev([80, 90, 100.3])
    assert!((std[0] - 10.150_369_451_404_218).abs() < 1e-12 && std[1].is_nan() && std[2].is_nan(), "{std:?}");
    let weight = numbers(&table, "weight");
    assert!(weight[0] == 80.0 && weight[1].is_nan() && weight[2].is_nan());
    let age = numbers(&table, "age");
    assert!((age[0] - 50.0).abs() < 0.01 && age[1] == 91.4, "{age:?}");
    let text = |name: &str| table.columns.iter().find(|c| c.name == name).unwrap().cells.clone();
    let some = |s: &str| Some(s.to_string());
    assert_eq!(text("gender"), Cells::Text(vec![some("female"), some("male"), some("female")]));
    assert_eq!(
        text("rhythm"),
        Cells::Text(vec![some("fibrillation"), None, None]),
        "of tied levels the first by name"
    );
}

#[test]
fn every_row_is_kept_or_dropped_by_a_reason() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let table = run(dir.path()).unwrap();
    let events = table.audit.tables.iter().find(|t| t.table == "EVENTS").unwrap();
    assert_eq!(events.rows_read, EVENTS.len() as u64);
    let dropped: Vec<_> = events.dropped.iter().map(|(r, n)| (r.as_str(), *n)).collect();
    let expected = [
        ("above range", 1),
        ("after record end", 1),
        ("after window", 1),
        ("before window", 1),
        ("below range", 1),
        ("charted in error", 1),
        ("no number", 1),
        ("no such record", 2),
        ("no time", 1),
        ("not in cohort", 1),
        ("other item", 1),
        ("outside every stay", 1),
        ("unknown unit", 1),
        ("unmapped text", 1),
    ];
    assert_eq!(dropped, expected);
    assert_eq!(events.rows_kept, 10);
    assert_eq!(events.rows_kept + dropped.iter().map(|(_, n)| n).sum::<u64>(), events.rows_read);

    let hr = table.audit.variables.iter().find(|v| v.variable == "hr").unwrap();
    // Precedence 0 of stay 10 hides its one value of precedence 1.
    assert_eq!((hr.values_kept, hr.records_missing, hr.duplicate_keys), (5, 0, 1));
    assert_eq!((hr.above_range, hr.below_range, hr.unknown_unit, hr.not_a_number), (1, 1, 1, 1));
    assert_eq!((hr.units["bpm"], hr.units[""], hr.units["perh"]), (8, 1, 1));
    let weight = table.audit.variables.iter().find(|v| v.variable == "weight").unwrap();
    assert_eq!((weight.converted, weight.records_missing), (1, 2));
}

#[test]
fn inputs_are_named_and_hashed_in_name_order() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let inputs = run(dir.path()).unwrap().audit.inputs;
    let names: Vec<_> = inputs.iter().map(|f| f.name.as_str()).collect();
    assert_eq!(names, ["events.csv", "patients.csv", "stays.csv"]);
    assert!(inputs.iter().all(|f| f.sha256.len() == 64 && f.bytes > 0));
}

/// What must not change, to the bit.
fn essence(table: &RecordTable) -> (Vec<String>, Vec<String>, Vec<String>, String) {
    let cells = table.columns.iter().map(|c| match &c.cells {
        Cells::Number(x) => format!("{} {:?}", c.name, x.iter().map(|x| x.to_bits()).collect::<Vec<_>>()),
        Cells::Text(t) => format!("{} {t:?}", c.name),
    });
    let audit =
        serde_json::to_string(&(&table.audit.cohort, &table.audit.tables, &table.audit.variables)).unwrap();
    (table.record_ids.clone(), table.subject_ids.clone(), cells.collect(), audit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Rows in any order, in any number of files, compressed or not, headers in any case, columns in any order.
    #[test]
    fn the_result_is_a_function_of_the_set_of_rows(
        order in Just((0..EVENTS.len()).collect::<Vec<_>>()).prop_shuffle(),
        stays in Just((0..STAYS.len()).collect::<Vec<_>>()).prop_shuffle(),
        cuts in proptest::collection::vec(0..EVENTS.len(), 0..3),
        upper in any::<bool>(),
        compressed in any::<bool>(),
    ) {
        let plain = tempfile::tempdir().unwrap();
        write_extract(plain.path());
        let expected = essence(&run(plain.path()).unwrap());

        let dir = tempfile::tempdir().unwrap();
        write_extract(dir.path());
        fs::remove_file(dir.path().join("events.csv")).unwrap();
        let shuffled: Vec<_> = stays.iter().map(|i| STAYS[*i]).collect();
        fs::write(dir.path().join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", &shuffled)).unwrap();
        let header = if upper { EVENTS_HEADER.to_uppercase() } else { EVENTS_HEADER.to_string() };
        let mut bounds = vec![0, order.len()];
        bounds.extend(&cuts);
        bounds.sort_unstable();
        for (part, pair) in bounds.windows(2).enumerate() {
            let rows: Vec<_> = order[pair[0]..pair[1]].iter().map(|i| EVENTS[*i]).collect();
            let text = csv_text(&header, &rows);
            if compressed {
                fs::write(dir.path().join(format!("Events_{part}.csv.gz")), gzip(&text)).unwrap();
            } else {
                fs::write(dir.path().join(format!("EVENTS_{part}.CSV")), text).unwrap();
            }
        }
        prop_assert_eq!(expected, essence(&run(dir.path()).unwrap()));
    }
}

#[test]
fn parquet_gives_the_same_as_csv() {
    use polars::prelude::*;
    let plain = tempfile::tempdir().unwrap();
    write_extract(plain.path());
    let expected = essence(&run(plain.path()).unwrap());
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    fs::remove_file(dir.path().join("events.csv")).unwrap();
    let cells: Vec<Vec<String>> = csv::Reader::from_path(plain.path().join("events.csv"))
        .unwrap()
        .into_records()
        .map(|r| r.unwrap().iter().map(ToString::to_string).collect())
        .collect();
    let texts =
        |i: usize| cells.iter().map(|r| Some(r[i].clone()).filter(|t| !t.is_empty())).collect::<Vec<_>>();
    let columns = EVENTS_HEADER.split(',').enumerate().map(|(i, name)| {
        let name: PlSmallStr = name.to_uppercase().into();
        let texts = texts(i);
        match i {
            // Ids as pandas stores nullable ones: floats.
            0 | 5 | 7 => polars::prelude::Column::new(
                name,
                texts.iter().map(|t| t.as_ref().map(|t| t.parse::<f64>().unwrap())).collect::<Vec<_>>(),
            ),
            1 | 2 => polars::prelude::Column::new(
                name,
                texts.iter().map(|t| t.as_ref().map(|t| t.parse::<i32>().unwrap())).collect::<Vec<_>>(),
            ),
            3 => {
                let us: Vec<Option<i64>> = texts
                    .iter()
                    .map(|t| t.as_ref().map(|t| text::parse_datetime(t).unwrap() * 1_000_000))
                    .collect();
                polars::prelude::Column::new(name, us)
                    .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
                    .unwrap()
            }
            _ => polars::prelude::Column::new(name, texts),
        }
    });
    let mut frame = DataFrame::new(cells.len(), columns.collect()).unwrap();
    let file = fs::File::create(dir.path().join("events.parquet")).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    assert_eq!(expected, essence(&run(dir.path()).unwrap()));
}

#[test]
fn ids_written_with_a_decimal_point_are_ids() {
    let plain = tempfile::tempdir().unwrap();
    write_extract(plain.path());
    let expected = essence(&run(plain.path()).unwrap());
    let rows: Vec<String> = EVENTS
        .iter()
        .map(|r| match r.split_once(',').unwrap() {
            ("", rest) => format!(",{rest}"),
            (id, rest) => format!("{id}.0,{rest}"),
        })
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    fs::write(plain.path().join("events.csv"), csv_text(EVENTS_HEADER, &rows)).unwrap();
    assert_eq!(expected, essence(&run(plain.path()).unwrap()));
}

#[test]
fn rules_that_need_measurements_come_after_them() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let mut rules = pipeline(PIPELINE);
    let between = Predicate::Between { column: "hr".into(), min: Some(65.0), max: None };
    rules.rules.push(CohortRule { name: "fast".into(), predicate: between });
    rules.rules.push(CohortRule { name: "enough".into(), predicate: Predicate::MinFeatures { count: 8 } });
    let table = ingest(&schema(), &rules, dir.path(), &NoProgress).unwrap();
    let steps: Vec<_> = table.audit.cohort.iter().map(|s| (s.rule.as_str(), s.before, s.after)).collect();
    assert_eq!(steps, [("all records", 4, 4), ("adults", 4, 3), ("fast", 3, 2), ("enough", 2, 1)]);
    assert_eq!(table.record_ids, ["10"]);
    for t in &table.audit.tables {
        assert_eq!(t.rows_kept + t.dropped.values().sum::<u64>(), t.rows_read, "{t:?}");
    }
}

#[test]
fn first_stay_of_a_subject_is_the_earliest() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let rules =
        PIPELINE.replace("[window]", "[[rules]]\nname = \"first\"\nfirst_per_subject = true\n[window]");
    let table = ingest(&schema(), &pipeline(&rules), dir.path(), &NoProgress).unwrap();
    assert_eq!(table.record_ids, ["10", "11"]);
}

// --- what can be wrong ---------------------------------------------------------------------------------------

fn error_after(change: impl FnOnce(&Path)) -> IngestError {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    change(dir.path());
    let error = run(dir.path()).unwrap_err();
    assert!(error.hint().is_some_and(|h| !h.ends_with('.')), "{error}");
    error
}

#[test]
fn missing_tables_are_named_all_at_once() {
    let error = error_after(|dir| {
        fs::remove_file(dir.join("events.csv")).unwrap();
        fs::remove_file(dir.join("patients.csv")).unwrap();
    });
    let IngestError::MissingTables { tables, .. } = &error else { panic!("{error}") };
    let names: Vec<_> = tables.iter().map(|(t, _)| t.as_str()).collect();
    assert_eq!(names, ["PATIENTS", "EVENTS"]);
}

#[test]
fn missing_columns_are_named_all_at_once() {
    let error = error_after(|dir| {
        fs::write(dir.join("events.csv"), "stay_id,item,at,text\n").unwrap();
        fs::write(dir.join("patients.csv"), "subject_id,gender\n").unwrap();
    });
    let message = error.to_string();
    assert!(matches!(error, IngestError::MissingColumns(ref files) if files.len() == 2), "{message}");
    for part in [
        "events.csv lacks columns",
        "`SUBJECT_ID`",
        "`NUMBER`",
        "`UNIT`",
        "`ERROR`",
        "patients.csv lacks column `DOB`",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_cell_of_the_wrong_type_is_named_by_row_and_column_and_not_quoted() {
    for (bad, column, row) in [
        ("10,1,1,2150-01-01 00:00:00,80,eighty-secret,bpm,", "NUMBER", 2),
        ("10,1,1,01/01/2150 00:00,80,80,bpm,", "AT", 2),
        ("10,1,x77secret,2150-01-01 00:00:00,80,80,bpm,", "ITEM", 2),
        ("ten,1,1,2150-01-01 00:00:00,80,80,bpm,", "STAY_ID", 2),
    ] {
        let error = error_after(|dir| {
            fs::write(dir.join("events.csv"), csv_text(EVENTS_HEADER, &[EVENTS[0], bad, EVENTS[1]])).unwrap();
        });
        let message = error.to_string();
        let IngestError::WrongType { row: r, column: c, file, .. } = &error else { panic!("{bad}: {error}") };
        assert_eq!((*r, c.as_str(), file.as_str()), (row, column, "events.csv"));
        assert!(!message.contains("secret") && !message.contains("01/01"), "{message}");
    }
}

#[test]
fn a_truncated_file_is_an_error_and_no_short_read() {
    let rows: Vec<&str> = EVENTS.iter().copied().cycle().take(20_000).collect();
    let whole = gzip(&csv_text(EVENTS_HEADER, &rows));
    for keep in [whole.len() - 1, whole.len() - 9, whole.len() / 2, 40, 3] {
        let error = error_after(|dir| {
            fs::remove_file(dir.join("events.csv")).unwrap();
            fs::write(dir.join("events.csv.gz"), &whole[..keep]).unwrap();
        });
        assert!(matches!(error, IngestError::Truncated(ref f) if f == "events.csv.gz"), "{keep}: {error:?}");
    }
}

#[test]
fn empty_files_and_empty_cohorts_are_errors() {
    let error = error_after(|dir| fs::write(dir.join("events.csv"), "").unwrap());
    assert!(matches!(error, IngestError::Empty(ref f) if f == "events.csv"), "{error}");
    let error =
        error_after(|dir| fs::write(dir.join("stays.csv"), "stay_id,subject_id,intime,outtime\n").unwrap());
    assert!(matches!(error, IngestError::NoRecords(_)), "{error}");
    let error = error_after(|dir| fs::write(dir.join("patients.csv"), "subject_id,gender,dob\n").unwrap());
    assert!(matches!(error, IngestError::NoRecords(ref rule) if rule.contains("adults")), "{error}");
}

#[test]
fn an_event_table_without_rows_is_a_warning() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    fs::write(dir.path().join("events.csv"), format!("{EVENTS_HEADER}\n")).unwrap();
    let table = run(dir.path()).unwrap();
    assert_eq!(numbers(&table, "hr_count"), [0.0; 3]);
    assert!(
        table.audit.warnings.iter().any(|w| w == "table EVENTS has no rows"),
        "{:?}",
        table.audit.warnings
    );
}

#[test]
fn repeated_record_ids_are_an_error() {
    let error = error_after(|dir| {
        let rows = [STAYS[0], STAYS[1], STAYS[0]];
        fs::write(dir.join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", &rows)).unwrap();
    });
    assert!(matches!(error, IngestError::DuplicateIds { row: 3, count: 1, .. }), "{error}");
}

#[test]
fn rows_with_too_many_fields_and_other_encodings_are_named() {
    let error = error_after(|dir| {
        let rows = [EVENTS[0], "10,1,1,2150-01-01 00:00:00,a,b,80,bpm,,"];
        fs::write(dir.join("events.csv"), csv_text(EVENTS_HEADER, &rows)).unwrap();
    });
    assert!(matches!(error, IngestError::Ragged { row: 2, .. }), "{error}");
    let error = error_after(|dir| {
        let mut bytes = csv_text(EVENTS_HEADER, &[EVENTS[0]]).into_bytes();
        bytes.extend(b"10,1,3,2150-01-01 00:00:00,\xe9t\xe9,,,\n");
        fs::write(dir.join("events.csv"), bytes).unwrap();
    });
    assert!(matches!(error, IngestError::NotUtf8 { row: 2, .. }), "{error}");
}

#[test]
fn items_the_table_cannot_hold_and_unknown_names_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let mut wrong = schema();
    let hr = wrong.variables.iter_mut().find(|v| v.name == "hr").unwrap();
    if let crate::schema::Source::Events { items, .. } = &mut hr.sources[0] {
        items.push(crate::schema::Item::Name("HR".into()));
    }
    let error = ingest(&wrong, &pipeline(PIPELINE), dir.path(), &NoProgress).unwrap_err();
    assert!(matches!(error, IngestError::UnknownItem { .. }), "{error}");
    let mut wrong = pipeline(PIPELINE);
    wrong.features[0].variable = "nothing".into();
    let error = ingest(&schema(), &wrong, dir.path(), &NoProgress).unwrap_err();
    assert!(matches!(error, IngestError::UnknownName { what: "variable", .. }), "{error}");
}

#[test]
fn addresses_are_refused() {
    let input = Path::new("https://example.org/mimic");
    let error = ingest(&schema(), &pipeline(PIPELINE), input, &NoProgress).unwrap_err();
    assert!(matches!(error, IngestError::Remote(_)), "{error}");
}

// --- long tables ---------------------------------------------------------------------------------------------

const LONG: &str = r#"
name = "long"
title = "a long table"
[record]
id = "RecordID"
[tables.measurements]
files = ["set_*"]
columns = { RecordID = "integer", Time = "elapsed", Parameter = "text", Value = "float" }
events = { record = "RecordID", time = "Time", item = "Parameter", value = "Value" }
[variables.hr]
label = "Heart rate"
group = "vitals"
unit = "bpm"
range = [10, 300]
sources = [{ table = "measurements", items = ["HR"] }]
[variables.vent]
label = "Ventilated"
group = "vitals"
kind = "binary"
absent = 0
aggregate = "max"
sources = [{ table = "measurements", items = ["MechVent"] }]
"#;

#[test]
fn records_of_a_long_table_are_its_distinct_ids() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(
        dir.path().join("set_a.csv"),
        "RecordID,Time,Parameter,Value\n9,00:00,Other,3\n10,00:07,HR,70\n10,01:00,HR,80\n",
    )
    .unwrap();
    fs::write(
        dir.path().join("set_b.csv"),
        "RecordID,Time,Parameter,Value\n11,48:00,HR,70\n10,02:00,MechVent,1\n",
    )
    .unwrap();
    let schema = parse_schema("long.toml", LONG).unwrap_or_else(|e| panic!("{e:?}"));
    let text = "name = \"l\"\ntitle = \"l\"\nschema = \"long\"\nfeatures = [\"hr\", \"vent\"]\n[window]\nstart = 0\nend = 48\n";
    let load = |_: &str| -> Result<Schema, SchemaError> { Ok(schema.clone()) };
    let pipeline = parse_pipeline("l.toml", text, &load).unwrap_or_else(|e| panic!("{e:?}")).0;
    let table = ingest(&schema, &pipeline, dir.path(), &NoProgress).unwrap();
    assert_eq!(table.record_ids, ["9", "10", "11"]);
    assert_eq!(table.subject_ids, table.record_ids);
    let hr = numbers(&table, "hr");
    assert!(hr[0].is_nan() && hr[1] == 75.0 && hr[2].is_nan(), "48:00 is outside the window");
    assert_eq!(numbers(&table, "vent"), [0.0, 1.0, 0.0], "absence is a finding");
    let audit = &table.audit.tables[0];
    assert_eq!((audit.rows_read, audit.rows_kept), (5, 3));
    assert_eq!((audit.dropped["other item"], audit.dropped["after window"]), (1, 1));
}
