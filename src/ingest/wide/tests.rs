use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::Hint;
use crate::ingest::Cells;
use crate::schema::load_pipeline;

fn shipped() -> Pipeline {
    load_pipeline("wide-table").unwrap().0
}

fn write(dir: &Path, name: &str, text: &str) -> PathBuf {
    let path = dir.join(name);
    fs::write(&path, text).unwrap();
    path
}

fn read(text: &str) -> Result<RecordTable, IngestError> {
    let dir = tempfile::tempdir().unwrap();
    read_wide(&shipped(), &write(dir.path(), "t.csv", text))
}

fn kinds(table: &RecordTable) -> Vec<(&str, Kind)> {
    table.columns.iter().map(|c| (c.name.as_str(), c.kind)).collect()
}

const TABLE: &str = "\
patient_id,row_id,age,dead,sex,visits,seen,note,empty,flag
1,a,51.5,0,f,3,2150-01-01,one,,True
1,b,52.5,1,m,0,2150-01-02,two,NA,false
2,c,,0,f,12,2150-01-03,three,?,true
3,d,-1.25,1,,1,2150-01-04,four,,FALSE
";

#[test]
fn roles_come_from_names_and_values() {
    let table = read(TABLE).unwrap();
    assert_eq!(table.record_ids, ["a", "b", "c", "d"]);
    assert_eq!(table.subject_ids, ["1", "1", "2", "3"]);
    assert_eq!(table.splits, None);
    let expected = [
        ("age", Kind::Continuous),
        ("dead", Kind::Binary),
        ("sex", Kind::Categorical),
        ("visits", Kind::Count),
        ("note", Kind::Categorical),
        ("flag", Kind::Binary),
    ];
    assert_eq!(kinds(&table), expected);
    assert_eq!(table.columns[5].cells, Cells::Number(vec![1.0, 0.0, 1.0, 0.0]));
    let Cells::Number(age) = &table.columns[0].cells else { panic!() };
    assert!(age[2].is_nan() && age[3] == -1.25);
    let warnings = table.audit.warnings.join("\n");
    for part in ["`seen` is ignored: it holds dates", "`empty` is ignored", "equal `patient_id` are kept"] {
        assert!(warnings.contains(part), "{warnings}");
    }
    assert_eq!(table.audit.variables[0].records_missing, 1);
    assert_eq!(table.audit.inputs.len(), 1);
}

#[test]
fn declared_roles_win() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", TABLE);
    let mut pipeline = shipped();
    let wide = pipeline.wide.as_mut().unwrap();
    wide.id = Some("ROW_ID".into());
    wide.group = Some("sex".into());
    wide.ignore = vec!["note".into()];
    wide.kinds = vec![("visits".into(), Kind::Categorical), ("patient_id".into(), Kind::Continuous)];
    let table = read_wide(&pipeline, &path).unwrap();
    let names: Vec<_> = kinds(&table);
    let expected = [
        ("patient_id", Kind::Continuous),
        ("age", Kind::Continuous),
        ("dead", Kind::Binary),
        ("visits", Kind::Categorical),
        ("flag", Kind::Binary),
    ];
    assert_eq!(names, expected);
    assert_eq!(table.subject_ids, ["f", "m", "f", "row d"]);
    wide_missing(&mut pipeline, &path);
}

fn wide_missing(pipeline: &mut Pipeline, path: &Path) {
    let wide = pipeline.wide.as_mut().unwrap();
    wide.group = Some("ward".into());
    wide.ignore = vec!["gone".into()];
    let error = read_wide(pipeline, path).unwrap_err();
    let IngestError::MissingColumns(files) = &error else { panic!("{error}") };
    assert_eq!(files[0].1, ["ward", "gone"]);
}

#[test]
fn a_split_column_divides_the_rows_and_roles_come_from_training() {
    // `x` is whole in the training rows only.
    let table = read("split,x,y\ntrain,1,0.5\ntest,2.5,0.1\nvalidation,3,0.2\ntrain,4,0.3\n").unwrap();
    let expected = [Split::Train, Split::Test, Split::Validation, Split::Train];
    assert_eq!(table.splits.as_deref(), Some(expected.as_slice()));
    assert_eq!(kinds(&table), [("x", Kind::Count), ("y", Kind::Continuous)]);
    assert!(table.audit.warnings.iter().any(|w| w.contains("`x` holds whole numbers in the training rows")));
    assert_eq!(table.record_ids, ["1", "2", "3", "4"]);
}

#[test]
fn a_column_merely_called_split_is_a_feature() {
    let table = read("split,x\n0.5,1.5\n0.25,2.5\n").unwrap();
    assert_eq!(table.splits, None);
    assert_eq!(kinds(&table), [("split", Kind::Continuous), ("x", Kind::Continuous)]);
}

#[test]
fn without_training_rows_there_is_nothing_to_read() {
    let error = read("split,x\ntest,1\n").unwrap_err();
    assert!(matches!(error, IngestError::NoRecords(_)), "{error}");
}

#[test]
fn a_folder_holds_one_file_per_split() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "train.csv", "a,b\n1.5,2\n2.5,3\n");
    write(dir.path(), "test.csv", "B,extra,A\n4,9,3.5\n");
    write(dir.path(), "notes.txt", "");
    let table = read_wide(&shipped(), dir.path()).unwrap();
    assert_eq!(table.splits.as_deref(), Some([Split::Train, Split::Train, Split::Test].as_slice()));
    assert_eq!(table.columns[0].cells, Cells::Number(vec![1.5, 2.5, 3.5]));
    assert_eq!(table.columns[1].cells, Cells::Number(vec![2.0, 3.0, 4.0]));
    assert!(table.audit.warnings.iter().any(|w| w == "test.csv: column `extra` is ignored"));
    write(dir.path(), "validation.csv", "a\n1\n");
    let error = read_wide(&shipped(), dir.path()).unwrap_err();
    assert!(matches!(error, IngestError::MissingColumns(ref f) if f[0].0 == "validation.csv"), "{error}");
}

#[test]
fn a_folder_without_training_rows_or_tables_is_an_error() {
    let dir = tempfile::tempdir().unwrap();
    assert!(matches!(read_wide(&shipped(), dir.path()), Err(IngestError::NoFiles(_))));
    write(dir.path(), "test.csv", "a\n1\n");
    assert!(matches!(read_wide(&shipped(), dir.path()), Err(IngestError::NoTrain { .. })));
    write(dir.path(), "other.csv", "a\n1\n");
    assert!(matches!(read_wide(&shipped(), dir.path()), Err(IngestError::NoTrain { .. })));
}

#[test]
fn wrong_cells_are_named_by_row_and_column_and_not_quoted() {
    let error = read("x,y\n1.5,1\n2.5,2\n3.5,secret\n").unwrap_err();
    let IngestError::WrongType { row: 3, ref column, .. } = error else { panic!("{error}") };
    assert_eq!(column, "y");
    assert!(!error.to_string().contains("secret") && error.hint().unwrap().contains("role.y=categorical"));
    let error = read("x,y\n1.5,1\n2.5,inf\n").unwrap_err();
    assert!(matches!(error, IngestError::NonFinite { row: 2, .. }), "{error}");
    let error = read("x,y\n1.5,1\n2.5\n").unwrap_err();
    assert!(matches!(error, IngestError::RaggedLine { line: 3, found: 1, expected: 2, .. }), "{error}");
}

#[test]
fn nan_is_an_error_unless_listed_as_missing() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", "x,y\n1.5,1\nNaN,2\n");
    let mut pipeline = shipped();
    pipeline.wide.as_mut().unwrap().missing = vec![];
    let error = read_wide(&pipeline, &path).unwrap_err();
    assert!(matches!(error, IngestError::NonFinite { row: 2, ref column, .. } if column == "x"), "{error}");
    pipeline.wide.as_mut().unwrap().missing = vec!["NaN".into()];
    assert!(read_wide(&pipeline, &path).is_ok());
}

#[test]
fn a_declared_count_refuses_fractions() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", "x,y\n1,1\n2.5,2\n");
    let mut pipeline = shipped();
    pipeline.wide.as_mut().unwrap().kinds = vec![("x".into(), Kind::Count)];
    let error = read_wide(&pipeline, &path).unwrap_err();
    assert!(matches!(error, IngestError::WrongType { row: 2, .. }), "{error}");
}

#[test]
fn repeated_declared_ids_and_empty_tables_are_errors() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", "key,x\na,1\nb,2\na,3\n");
    let mut pipeline = shipped();
    pipeline.wide.as_mut().unwrap().id = Some("key".into());
    let error = read_wide(&pipeline, &path).unwrap_err();
    assert!(matches!(error, IngestError::DuplicateIds { row: 3, count: 1, .. }), "{error}");
    assert!(matches!(read("a,b\n"), Err(IngestError::Empty(_))));
    assert!(matches!(read(""), Err(IngestError::Empty(_))));
    assert!(matches!(read("a,a\n1,2\n"), Err(IngestError::DuplicateColumn { .. })));
}

#[test]
fn new_tables_are_read_by_the_names_of_the_model() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", "Sex,extra,AGE,id\nf,1,50,7\n,2,51.5,8\n");
    let expected = [("age", Kind::Continuous), ("sex", Kind::Categorical)];
    let table = read_columns(&path, &expected).unwrap();
    assert_eq!(table.record_ids, ["7", "8"]);
    assert_eq!(kinds(&table), expected);
    assert_eq!(table.columns[0].cells, Cells::Number(vec![50.0, 51.5]));
    assert_eq!(table.columns[1].cells, Cells::Text(vec![Some("f".into()), None]));
    assert!(table.audit.warnings[0].contains("`extra`"));

    let more = [("bmi", Kind::Continuous), ("age", Kind::Continuous), ("pulse", Kind::Count)];
    let error = read_columns(&path, &more).unwrap_err();
    assert!(matches!(error, IngestError::MissingColumns(ref f) if f[0].1 == ["bmi", "pulse"]), "{error}");
    let error = read_columns(&path, &[("sex", Kind::Continuous)]).unwrap_err();
    assert!(matches!(error, IngestError::WrongType { row: 1, ref column, .. } if column == "sex"), "{error}");
}

#[test]
fn compressed_and_truncated_tables() {
    use std::io::Write;
    let dir = tempfile::tempdir().unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(TABLE.as_bytes()).unwrap();
    let whole = encoder.finish().unwrap();
    let path = dir.path().join("t.csv.gz");
    fs::write(&path, &whole).unwrap();
    assert_eq!(read_wide(&shipped(), &path).unwrap().n_records(), 4);
    fs::write(&path, &whole[..whole.len() - 4]).unwrap();
    assert!(matches!(read_wide(&shipped(), &path), Err(IngestError::Truncated(_))));
}
