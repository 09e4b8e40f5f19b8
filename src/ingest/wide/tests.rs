use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::error::Hint;
use crate::ingest::Cells;
use crate::schema::{Kind, Split, load_pipeline};

fn read_wide(pipeline: &Pipeline, input: &Path) -> Result<RecordTable, IngestError> {
    super::read_wide(pipeline, input, &crate::ingest::NoProgress)
}

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
    assert!(table.subjects().eq(["1", "1", "2", "3"]));
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
    assert_eq!(table.columns[5].cells, Cells::Number(vec![1.0, 0.0, 1.0, 0.0].into()));
    let Cells::Number(age) = &table.columns[0].cells else { panic!() };
    assert!(age.get(2).is_nan() && age.get(3) == -1.25);
    let warnings = table.audit.messages.texts().join("\n");
    for part in ["`seen` is left out: it holds dates", "`empty` is left out", "equal `patient_id` are kept"] {
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
    assert!(table.subjects().eq(["f", "m", "f", "row d"]));
    wide_missing(&mut pipeline, &path);
}

fn wide_missing(pipeline: &mut Pipeline, path: &Path) {
    let wide = pipeline.wide.as_mut().unwrap();
    wide.group = Some("ward".into());
    wide.ignore = vec!["gone".into()];
    let error = read_wide(pipeline, path).unwrap_err();
    let IngestError::MissingColumns(files) = &error else { panic!("{error}") };
    assert_eq!(files[0].1, ["gone", "ward"]);
}

#[test]
fn a_split_column_divides_the_rows_and_roles_come_from_training() {
    // `x` is whole in the training rows only.
    let table = read("split,x,y\ntrain,1,0.5\ntest,2.5,0.1\nvalidation,3,0.2\ntrain,4,0.3\n").unwrap();
    let expected = [Split::Train, Split::Test, Split::Validation, Split::Train];
    assert_eq!(table.splits.as_deref(), Some(expected.as_slice()));
    assert_eq!(kinds(&table), [("x", Kind::Count), ("y", Kind::Continuous)]);
    assert!(
        table.audit.messages.iter().any(|w| w.text.contains("`x` holds whole numbers in the training rows"))
    );
    assert_eq!(table.record_ids, ["1", "2", "3", "4"]);
}

#[test]
fn a_column_merely_called_split_is_a_feature_with_a_warning() {
    let cells: Vec<String> = (0..30).map(|i| format!("0.{i:02}5,1.5")).collect();
    let table = read(&format!("split,x\n{}\n", cells.join("\n"))).unwrap();
    assert_eq!(table.splits, None);
    assert_eq!(kinds(&table), [("split", Kind::Continuous), ("x", Kind::Continuous)]);
    assert!(
        table.audit.messages[0].text.contains("`split` holds no names of splits"),
        "{:?}",
        table.audit.messages
    );
}

#[test]
fn splits_that_are_not_named_in_every_row_are_refused() {
    // What is no slip of a name may be about a patient, and is not quoted.
    for (wrong, what) in
        [("", "empty"), ("tset", "`tset`"), ("0", "another text"), ("holdout", "another text")]
    {
        let error = read(&format!("split,x\ntrain,1.5\n{wrong},2\nvalidation,3\n")).unwrap_err();
        assert!(matches!(error, IngestError::WrongCell { row: 2, .. }), "{error}");
        let said = error.to_string();
        assert!(said.contains("`split`") && said.contains(what), "{said}");
        assert!(error.hint().unwrap().contains("role.split=ignore"));
    }
    assert!(read("split,x\n0,1.5\n1,2\n0,3\n").is_err(), "codes are no names of splits");
    let table = read("Split,x\nTrain ,1.5\nTEST,2.5\ndev,3.5\n").unwrap();
    let expected = [Split::Train, Split::Test, Split::Validation];
    assert_eq!(table.splits.as_deref(), Some(expected.as_slice()));
    assert!(table.audit.messages.iter().any(|w| w.text.contains("`dev` (1 rows) is read as validation")));
}

#[test]
fn splits_under_another_name_are_no_feature_and_no_secret() {
    let table = read("part,x\ntrain,1.5\ntest,2.5\ntrain,3.5\n").unwrap();
    assert_eq!((table.splits.clone(), kinds(&table).len()), (None, 1));
    assert!(table.audit.messages[0].text.contains("--set role.part=split"), "{:?}", table.audit.messages);
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
    assert_eq!(table.columns[0].cells, Cells::Number(vec![1.5, 2.5, 3.5].into()));
    assert_eq!(table.columns[1].cells, Cells::Number(vec![2.0, 3.0, 4.0].into()));
    assert!(
        table.audit.messages.iter().any(|w| w.text.starts_with("test.csv: ") && w.text.contains("`extra`"))
    );
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

/// A table of 200 rows with a column `y` of numbers with a fraction, whose third row holds `cell`.
fn with_cell(cell: &str) -> String {
    let y = |i: usize| if i == 2 { cell.to_string() } else { format!("{}.5", i * 7919 % 200) };
    let rows: Vec<String> = (0..200).map(|i| format!("{}.25,{}", i * 31 % 200, y(i))).collect();
    format!("x,y\n{}\n", rows.join("\n"))
}

#[test]
fn stray_cells_are_rejected_and_named_by_line_and_not_quoted() {
    for (cell, why) in [
        ("secret", "1 text"),
        ("inf", "1 infinite"),
        ("<0.5", "1 below or above a limit"),
        ("12 mg", "1 with another unit"),
        ("01/02/2019", "1 date or time"),
    ] {
        let table = read(&with_cell(cell)).unwrap();
        assert_eq!(kinds(&table), [("x", Kind::Continuous), ("y", Kind::Continuous)], "{cell}");
        let said = &table.audit.messages[0].text;
        let parts = ["column `y`", "1 of 200 cells", why, "line 4 of t.csv", "missing.y"];
        assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        assert!(!said.contains("secret"), "{said}");
        let account = &table.audit.columns[1];
        assert_eq!((account.values, account.absent, account.rejected.values().sum::<u64>()), (199, 0, 1));
    }
    // `1,5` can only be a decimal comma, and its column has decimal points otherwise: it is read, and that is
    // said.
    let mixed = read(&with_cell("\"1,5\"")).unwrap();
    let Cells::Number(y) = &mixed.columns[1].cells else { panic!("numbers") };
    assert_eq!(y.get(2), 1.5);
    assert!(mixed.audit.messages[0].text.contains("a decimal comma in others"), "{:?}", mixed.audit.messages);
    let error = read("x,y\n1.5,1\n2.5\n").unwrap_err();
    assert!(matches!(error, IngestError::RaggedLine { line: 3, found: 1, expected: 2, .. }), "{error}");
}

#[test]
fn words_for_missing_are_absent_in_numbers() {
    for cell in ["NA", "NaN", "None", "-", "<NA>", "n/a", "NULL", "?"] {
        let table = read(&with_cell(cell)).unwrap();
        let account = &table.audit.columns[1];
        assert_eq!((account.values, account.absent), (199, 1), "{cell}");
        assert!(table.audit.messages.is_empty(), "{:?}", table.audit.messages);
    }
}

#[test]
fn declared_missing_codes_are_compared_by_value_and_others_are_asked_about() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> = (0..60)
        .map(|i| {
            format!(
                "{},{}",
                [format!("{}", 40 + i % 17), "-999".into(), "-999.0".into()][i % 3],
                ["a", "unknown"][i % 2]
            )
        })
        .collect();
    let path = write(dir.path(), "t.csv", &format!("y,s\n{}\n", rows.join("\n")));
    let mut pipeline = shipped();
    let asked = read_wide(&pipeline, &path).unwrap();
    assert!(asked.audit.messages[0].text.contains("--set missing.y=-999"), "{:?}", asked.audit.messages);
    pipeline.wide.as_mut().unwrap().missing_in =
        vec![("Y".into(), vec!["-999".into()]), ("s".into(), vec!["unknown".into()])];
    let table = read_wide(&pipeline, &path).unwrap();
    assert_eq!(table.audit.variables.iter().map(|v| v.records_missing).collect::<Vec<_>>(), [40, 30]);
}

#[test]
fn a_new_table_is_read_as_the_training_table_was() {
    let dir = tempfile::tempdir().unwrap();
    let rows: Vec<String> =
        (0..60).map(|i| format!("\"{},{}\";{:02};{} %", 36 + i % 3, i % 9, i % 4, i)).collect();
    let text = format!("t,code,share\n{}\n", rows.join("\n").replace(';', ","));
    let trained = read_wide(&shipped(), &write(dir.path(), "t.csv", &text)).unwrap();
    let kinds: Vec<Kind> = trained.columns.iter().map(|c| c.kind).collect();
    assert_eq!(kinds, [Kind::Continuous, Kind::Categorical, Kind::Count]);
    let expected: Vec<Expected<'_>> = trained
        .columns
        .iter()
        .map(|c| Expected { name: &c.name, kind: c.kind, spelling: &c.spelling, range: None })
        .collect();
    // The third row alone: what the other rows hold does not matter.
    let one = write(dir.path(), "one.csv", "T,CODE,share\n\"38,2\",02,2%\n");
    let fresh = read_expected(&one, &expected).unwrap();
    let numbers = |cells: &Cells| match cells {
        Cells::Number(x) => x.to_vec(),
        Cells::Text(_) => panic!("numbers"),
    };
    for at in [0, 2] {
        assert_eq!(numbers(&fresh.columns[at].cells)[0], numbers(&trained.columns[at].cells)[2]);
    }
    assert_eq!(fresh.columns[1].cells, Cells::Text(vec![Some("02")].into()));
}

#[test]
fn patients_repeat_and_rows_are_numbered() {
    let mix = |i: usize| (i * 7919 + 13) % 10_007;
    let table = |head: &str, id: &dyn Fn(usize) -> String| {
        let rows: Vec<String> =
            (0..300).map(|i| format!("{},{}.5,{}", id(i), mix(i) % 97, mix(i * 31) % 50)).collect();
        read(&format!("{head},x,y\n{}\n", rows.join("\n"))).unwrap()
    };
    let names = |table: &RecordTable| table.columns.iter().map(|c| c.name.clone()).collect::<Vec<_>>();
    // Three rows each, under a name that says nothing.
    let visits = table("zz", &|i| (5000 + i * 7 % 100).to_string());
    assert_eq!(names(&visits), ["x", "y"]);
    assert_eq!(visits.subject(0), visits.subject(100));
    assert!(
        visits.audit.messages[0].text.contains("`zz` is taken for the patient"),
        "{:?}",
        visits.audit.messages
    );
    let text = table("zz", &|i| format!("ST01-{}", i * 7 % 100));
    assert_eq!(text.subject(0), text.subject(100));
    for head in ["Unnamed: 0", "", "index", "whatever"] {
        let numbered = table(head, &|i| i.to_string());
        assert_eq!(names(&numbered), ["x", "y"], "{head}");
        assert!(
            numbered
                .audit
                .messages
                .iter()
                .any(|w| w.text.contains("numbers the rows") || w.text.contains("row numbers")),
            "{:?}",
            numbered.audit.messages
        );
    }
    let case = table("case", &|i| (i % 2).to_string());
    assert_eq!(names(&case), ["case", "x", "y"], "an indicator");
    assert!(case.audit.messages[0].text.contains("role.case=group"), "{:?}", case.audit.messages);
}

#[test]
fn the_patient_is_the_group_where_stays_are_there_too() {
    let rows: Vec<String> =
        (0..90).map(|i| format!("{},{},{},{}.5", i + 700, i / 2, i / 6, i * 31 % 83)).collect();
    let table = read(&format!("stay_id,hadm_id,subject_id,x\n{}\n", rows.join("\n"))).unwrap();
    assert_eq!((&table.record_ids[0], table.subject(6)), ("700", "1"));
    assert_eq!(kinds(&table), [("x", Kind::Continuous)]);
    assert!(table.audit.messages.iter().any(|w| w.text.contains("`hadm_id` is left out")));
}

#[test]
fn copies_of_a_row_stay_together() {
    let rows: Vec<String> =
        (0..300).map(|i| format!("{}.5,{}.25", i % 280 * 7919 % 10_007, i % 280)).collect();
    let table = read(&format!("x,y\n{}\n", rows.join("\n"))).unwrap();
    assert_eq!(table.subject(285), table.subject(5));
    assert!(
        table.audit.messages[0].text.starts_with("20 rows are exact copies"),
        "{:?}",
        table.audit.messages
    );
}

#[test]
fn a_declared_count_refuses_fractions() {
    let dir = tempfile::tempdir().unwrap();
    let path = write(dir.path(), "t.csv", "x,y\n1,1\n2.5,2\n");
    let mut pipeline = shipped();
    pipeline.wide.as_mut().unwrap().kinds = vec![("x".into(), Kind::Count)];
    let error = read_wide(&pipeline, &path).unwrap_err();
    assert!(matches!(error, IngestError::WrongCell { row: 2, .. }), "{error}");
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
    assert_eq!(table.columns[0].cells, Cells::Number(vec![50.0, 51.5].into()));
    assert_eq!(table.columns[1].cells, Cells::Text(vec![Some("f"), None].into()));
    assert!(table.audit.messages[0].text.contains("`extra`"));

    let more = [("bmi", Kind::Continuous), ("age", Kind::Continuous), ("pulse", Kind::Count)];
    let error = read_columns(&path, &more).unwrap_err();
    assert!(matches!(error, IngestError::MissingColumns(ref f) if f[0].1 == ["bmi", "pulse"]), "{error}");
    let error = read_columns(&path, &[("extra", Kind::Continuous), ("sex", Kind::Continuous)]).unwrap_err();
    assert!(matches!(error, IngestError::WrongCell { row: 1, ref column, .. } if column == "sex"), "{error}");
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
