//! Inputs that are refused, and how.

use super::*;
use crate::error::Hint;

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
        let mut bytes = csv_text(EVENTS_HEADER, &["10,1,3,2150-01-01 00:00:00,été,,,"]).into_bytes();
        bytes.extend(b"10,1,3,2150-01-01 00:00:00,\xe9t\xe9,,,\n");
        fs::write(dir.join("events.csv"), bytes).unwrap();
    });
    assert!(matches!(error, IngestError::MixedEncodings { line: 3, .. }), "{error}");
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
