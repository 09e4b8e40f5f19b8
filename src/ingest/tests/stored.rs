//! The small extract as Parquet, in types that other writers choose.

use polars_core::prelude as pl;
use polars_core::prelude::{DataType, PlSmallStr, TimeUnit};
use polars_io::prelude::ParquetWriter;

use super::*;

/// Columns of `events.csv` as texts.
fn texts(dir: &Path) -> Vec<(String, Vec<Option<String>>)> {
    let rows: Vec<csv::StringRecord> =
        csv::Reader::from_path(dir.join("events.csv")).unwrap().into_records().map(Result::unwrap).collect();
    let column = |(i, name): (usize, &str)| {
        let cells = rows.iter().map(|r| Some(r[i].to_string()).filter(|t| !t.is_empty())).collect();
        (name.to_uppercase(), cells)
    };
    EVENTS_HEADER.split(',').enumerate().map(column).collect()
}

fn series(name: &str, cells: &[Option<String>]) -> pl::Column {
    pl::Column::new(PlSmallStr::from(name), cells)
}

/// A column of the extract, and what its texts are stored as.
type Change<'c> = (&'c str, &'c dyn Fn(&str, &[Option<String>]) -> pl::Column);

/// What the texts of a named column are stored as; none where they stay texts.
type Stored<'c> = &'c dyn Fn(&str, &[Option<String>]) -> Option<pl::Column>;

/// Ids and results of the extract, whose column `name` is stored by `change` of its texts.
fn run_with(change: Stored<'_>) -> Result<RecordTable, IngestError> {
    let dir = tempfile::tempdir().unwrap();
    write_extract(dir.path());
    let columns: Vec<pl::Column> = texts(dir.path())
        .iter()
        .map(|(name, cells)| change(name, cells).unwrap_or_else(|| series(name, cells)))
        .collect();
    fs::remove_file(dir.path().join("events.csv")).unwrap();
    let mut frame = pl::DataFrame::new(columns[0].len(), columns).unwrap();
    let file = fs::File::create(dir.path().join("events.parquet")).unwrap();
    // Several row groups, with dictionaries of their own.
    ParquetWriter::new(file).with_row_group_size(Some(4)).finish(&mut frame).unwrap();
    run(dir.path())
}

fn values(table: &RecordTable) -> Vec<(String, Vec<String>)> {
    let cells = |c: &Column| match &c.cells {
        Cells::Number(x) => x.iter().map(|x| format!("{:?}", x.to_bits())).collect(),
        Cells::Text(t) => t.iter().map(|t| format!("{t:?}")).collect(),
    };
    table.columns.iter().map(|c| (c.name.clone(), cells(c))).collect()
}

fn cast(name: &str, cells: &[Option<String>], dtype: &DataType) -> pl::Column {
    let numbers: Vec<Option<f64>> = cells.iter().map(|t| t.as_ref().map(|t| t.parse().unwrap())).collect();
    pl::Column::new(PlSmallStr::from(name), numbers).strict_cast(dtype).unwrap()
}

fn times(name: &str, cells: &[Option<String>], unit: TimeUnit, zone: Option<pl::TimeZone>) -> pl::Column {
    let micros: Vec<Option<i64>> =
        cells.iter().map(|t| t.as_ref().map(|t| text::parse_datetime(t).unwrap() * 1_000_000)).collect();
    let naive = pl::Column::new(PlSmallStr::from(name), micros)
        .cast(&DataType::Datetime(TimeUnit::Microseconds, None))
        .unwrap();
    naive.cast(&DataType::Datetime(unit, None)).unwrap().cast(&DataType::Datetime(unit, zone)).unwrap()
}

#[test]
fn numbers_and_texts_of_any_type_give_the_same_values() {
    let plain = tempfile::tempdir().unwrap();
    write_extract(plain.path());
    let expected = values(&run(plain.path()).unwrap());
    let categories = || DataType::from_categories(pl::Categories::global());
    let changes: [Change<'_>; 11] = [
        ("ITEM", &|n, c| cast(n, c, &DataType::Int16)),
        ("ITEM", &|n, c| cast(n, c, &DataType::UInt32)),
        ("ITEM", &|n, c| cast(n, c, &DataType::UInt64)),
        ("ITEM", &|n, c| cast(n, c, &DataType::Float32)),
        ("ITEM", &|n, c| series(n, c).cast(&categories()).unwrap()),
        ("STAY_ID", &|n, c| series(n, c)),
        ("NUMBER", &|n, c| series(n, c)),
        ("NUMBER", &|n, c| cast(n, c, &DataType::Decimal(10, 1))),
        ("UNIT", &|n, c| series(n, c).cast(&categories()).unwrap()),
        ("TEXT", &|n, c| series(n, c).cast(&categories()).unwrap()),
        ("ERROR", &|n, c| cast(n, c, &DataType::Boolean)),
    ];
    for (at, (column, change)) in changes.iter().enumerate() {
        let table = run_with(&|name, cells| (name == *column).then(|| change(name, cells)));
        assert_eq!(
            values(&table.unwrap_or_else(|e| panic!("{column}, {at}: {e}"))),
            expected,
            "{column}, {at}"
        );
    }
}

#[test]
fn times_of_any_unit_are_the_same_and_zones_are_told() {
    let plain = tempfile::tempdir().unwrap();
    write_extract(plain.path());
    let expected = values(&run(plain.path()).unwrap());
    for unit in [TimeUnit::Nanoseconds, TimeUnit::Microseconds, TimeUnit::Milliseconds] {
        let table = run_with(&|name, cells| (name == "AT").then(|| times(name, cells, unit, None))).unwrap();
        assert_eq!(values(&table), expected, "{unit:?}");
        assert!(table.audit.messages.iter().all(|w| !w.text.contains("UTC")), "{:?}", table.audit.messages);
    }
    let iso = |cells: &[Option<String>], end: &str| -> Vec<Option<String>> {
        cells.iter().map(|t| t.as_ref().map(|t| format!("{}{end}", t.replace(' ', "T")))).collect()
    };
    for end in ["", ".000", "Z", "+00:00"] {
        let table = run_with(&|name, cells| (name == "AT").then(|| series(name, &iso(cells, end)))).unwrap();
        assert_eq!(values(&table), expected, "{end}");
        // The stays have times without a zone.
        let told =
            table.audit.messages.iter().any(|w| w.text.contains("events.parquet") && w.text.contains("UTC"));
        assert_eq!(told, end == "Z" || end == "+00:00", "{end}: {:?}", table.audit.messages);
    }
    let other =
        run_with(&|name, cells| (name == "AT").then(|| series(name, &iso(cells, "+02:00")))).unwrap_err();
    let said = other.to_string();
    assert!(said.contains("events.parquet") && said.contains("stays.csv") && said.contains("zone"), "{said}");
}

#[test]
fn what_is_not_of_its_declared_type_is_refused_with_file_row_and_column() {
    let spoiled = |cells: &[Option<String>], with: &str| -> Vec<Option<String>> {
        let mut cells = cells.to_vec();
        cells[6] = Some(with.to_string());
        cells
    };
    for (column, with) in [("NUMBER", "high"), ("ITEM", "1.5"), ("AT", "yesterday"), ("STAY_ID", "1x")] {
        let error = run_with(&|name, cells| (name == column).then(|| series(name, &spoiled(cells, with))));
        let said = error.unwrap_err().to_string();
        assert!(said.contains("events.parquet: row 7") && said.contains(column), "{said}");
        assert!(!said.contains(with), "{said}");
    }
    let beyond = run_with(&|name, cells| {
        let large = vec![Some(u64::MAX); cells.len()];
        (name == "STAY_ID").then(|| pl::Column::new(PlSmallStr::from(name), large))
    });
    assert!(beyond.unwrap_err().to_string().contains("STAY_ID"));
    let fraction = run_with(&|name, cells| {
        let halves = vec![Some(10.5); cells.len()];
        (name == "STAY_ID").then(|| pl::Column::new(PlSmallStr::from(name), halves))
    });
    let said = fraction.unwrap_err().to_string();
    assert!(said.contains("row 1") && said.contains("STAY_ID"), "{said}");
    let days = run_with(&|name, cells| {
        (name == "AT").then(|| cast(name, &vec![None; cells.len()], &DataType::Float64))
    });
    assert!(days.unwrap_err().to_string().contains("AT"), "numbers are no times");
}

#[test]
fn ids_keep_their_last_digit() {
    // Beyond 2⁵³ neighbours share a floating-point number.
    let ids = [9_007_199_254_740_993_i64, 9_007_199_254_740_992, -9_007_199_254_740_993];
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(i, id)| format!("{id},{id},2150-01-01 00:00:00,2150-01-03 00:00:00,{i}"))
        .collect();
    let rows: Vec<&str> = rows.iter().map(String::as_str).collect();
    fs::write(dir.path().join("stays.csv"), csv_text("stay_id,subject_id,intime,outtime,los", &rows))
        .unwrap();
    let patients: Vec<String> =
        ids.iter().zip(["F", "M", "F"]).map(|(id, sex)| format!("{id},{sex},2100-01-01")).collect();
    let patients: Vec<&str> = patients.iter().map(String::as_str).collect();
    fs::write(dir.path().join("patients.csv"), csv_text("subject_id,gender,dob", &patients)).unwrap();
    let mut frame = pl::DataFrame::new(
        3,
        vec![
            pl::Column::new("STAY_ID".into(), ids.to_vec()),
            pl::Column::new("SUBJECT_ID".into(), ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
            pl::Column::new("ITEM".into(), vec![1_u32; 3]),
            pl::Column::new("AT".into(), vec!["2150-01-01 01:00:00"; 3]),
            pl::Column::new("TEXT".into(), vec![None::<&str>; 3]),
            pl::Column::new("NUMBER".into(), vec![70.0, 80.0, 90.0]),
            pl::Column::new("UNIT".into(), vec!["bpm"; 3]),
            pl::Column::new("ERROR".into(), vec![None::<i32>; 3]),
        ],
    )
    .unwrap();
    let file = fs::File::create(dir.path().join("events.parquet")).unwrap();
    ParquetWriter::new(file).finish(&mut frame).unwrap();
    let table = run(dir.path()).unwrap();
    assert_eq!(table.record_ids, ["-9007199254740993", "9007199254740992", "9007199254740993"]);
    assert_eq!(numbers(&table, "hr"), [90.0, 80.0, 70.0]);
    let Cells::Text(gender) = &table.columns.iter().find(|c| c.name == "gender").unwrap().cells else {
        panic!()
    };
    let found: Vec<_> = gender.iter().flatten().collect();
    assert_eq!(found, ["female", "male", "female"]);
}
