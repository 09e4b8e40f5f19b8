//! Values, accounts and forms of the small extract.

use proptest::prelude::*;

use super::*;
use crate::schema::{CohortRule, Predicate};

#[test]
fn a_small_extract_gives_the_values_computed_by_hand() {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let table = run(dir.path()).unwrap();
    // Stay 12 is of a ten-year-old.
    assert_eq!(table.record_ids, ["10", "11", "13"]);
    assert!(table.subjects().eq(["1", "2", "1"]));
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
    assert_eq!(text("gender"), Cells::Text(vec![some("female"), some("male"), some("female")].into()));
    assert_eq!(
        text("rhythm"),
        Cells::Text(vec![some("fibrillation"), None, None].into()),
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
        Cells::Number(x) => format!("{} {:?}", c.name, x.iter().map(f64::to_bits).collect::<Vec<_>>()),
        Cells::Text(t) => format!("{} {:?}", c.name, t.iter().collect::<Vec<_>>()),
    });
    let audit =
        serde_json::to_string(&(&table.audit.cohort, &table.audit.tables, &table.audit.variables)).unwrap();
    let owned = |name: &str| name.to_owned();
    let subjects = table.subjects().map(owned).collect();
    (table.record_ids.iter().map(owned).collect(), subjects, cells.collect(), audit)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// Rows in any order, in any number of files, compressed or not, headers in any case, columns in any
    /// order.
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
    use polars_core::prelude::*;
    use polars_io::prelude::ParquetWriter;
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
            0 | 5 | 7 => polars_core::prelude::Column::new(
                name,
                texts.iter().map(|t| t.as_ref().map(|t| t.parse::<f64>().unwrap())).collect::<Vec<_>>(),
            ),
            1 | 2 => polars_core::prelude::Column::new(
                name,
                texts.iter().map(|t| t.as_ref().map(|t| t.parse::<i32>().unwrap())).collect::<Vec<_>>(),
            ),
            3 => {
                let us: Vec<Option<i64>> = texts
                    .iter()
                    .map(|t| t.as_ref().map(|t| text::parse_datetime(t).unwrap() * 1_000_000))
                    .collect();
                polars_core::prelude::Column::new(name, us)
                    .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
                    .unwrap()
            }
            _ => polars_core::prelude::Column::new(name, texts),
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

// --- what can be wrong
// ---------------------------------------------------------------------------------------
