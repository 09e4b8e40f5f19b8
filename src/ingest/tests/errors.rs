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
        fs::write(dir.join("events.csv"), "stay_id,item,at,text,numbr\n").unwrap();
        fs::write(dir.join("patients.csv"), "subject_id,gender\n").unwrap();
    });
    let message = error.to_string();
    assert!(matches!(error, IngestError::MissingTableColumns(ref files) if files.len() == 2), "{message}");
    for part in [
        "events.csv lacks columns",
        "`SUBJECT_ID`",
        "`NUMBER` (did you mean its `numbr`?)",
        "`UNIT`",
        "`ERROR`",
        "patients.csv lacks column `DOB`",
    ] {
        assert!(message.contains(part), "{message}");
    }
}

#[test]
fn a_cell_of_the_wrong_type_is_named_by_line_and_column_and_not_quoted() {
    for (bad, column, expected) in [
        ("10,1,1,2150-01-01 00:00:00,80,eighty-secret,bpm,", "NUMBER", 3),
        ("10,1,1,01/01/2150 00:00,80,80,bpm,", "AT", 3),
        ("10,1,x77secret,2150-01-01 00:00:00,80,80,bpm,", "ITEM", 3),
        ("ten,1,1,2150-01-01 00:00:00,80,80,bpm,", "STAY_ID", 3),
    ] {
        let error = error_after(|dir| {
            fs::write(dir.join("events.csv"), csv_text(EVENTS_HEADER, &[EVENTS[0], bad, EVENTS[1]])).unwrap();
        });
        let message = error.to_string();
        let IngestError::WrongCellInLine { line, column: c, file, .. } = &error else {
            panic!("{bad}: {error}")
        };
        assert_eq!((*line, c.as_str(), file.as_str()), (expected, column, "events.csv"));
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
        table.audit.messages.iter().any(|w| w.text.starts_with(
            "table EVENTS has no rows; 3 variables are found there alone and count as not recorded"
        )),
        "{:?}",
        table.audit.messages
    );
}

#[test]
fn a_part_without_rows_is_told_and_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let expected = run(dir.path()).unwrap();
    fs::write(dir.path().join("events_2.csv"), format!("{EVENTS_HEADER}\n")).unwrap();
    let table = run(dir.path()).unwrap();
    assert_eq!(numbers(&table, "hr_max"), numbers(&expected, "hr_max"));
    assert!(table.audit.messages.say("table EVENTS: events_2.csv has no rows"), "{:?}", table.audit.messages);
    // The same rows in a second file are copies.
    fs::copy(dir.path().join("events.csv"), dir.path().join("events_3.csv")).unwrap();
    let table = run(dir.path()).unwrap();
    assert_eq!(numbers(&table, "hr_count"), numbers(&expected, "hr_count"));
}

#[test]
fn a_record_told_twice_is_an_error_and_a_copied_row_is_none() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let expected = run(dir.path()).unwrap();
    let rows = [STAYS, &STAYS[..1]].concat();
    fs::write(dir.path().join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", &rows))
        .unwrap();
    let patients = [PATIENTS, &PATIENTS[1..2]].concat();
    fs::write(dir.path().join("patients.csv"), csv_text("subject_id,gender,dob", &patients)).unwrap();
    let table = run(dir.path()).unwrap();
    assert_eq!((table.record_ids, table.columns.len()), (expected.record_ids, expected.columns.len()));
    for name in ["STAYS", "PATIENTS"] {
        let audit = table.audit.tables.iter().find(|t| t.table == name).unwrap();
        assert_eq!(audit.dropped["copy of another row"], 1, "{name}");
        assert_eq!(audit.rows_kept + audit.dropped.values().sum::<u64>(), audit.rows_read, "{audit:?}");
        assert!(
            table.audit.messages.iter().any(|w| w.text.contains(&format!("table {name}: 1 row repeats")))
        );
    }
    let error = error_after(|dir| {
        let other = STAYS[0].replace("2150-01-03", "2150-01-04");
        let rows = [STAYS[0], STAYS[1], &other];
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
    assert!(matches!(error, IngestError::RaggedLine { line: 3, .. }), "{error}");
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
