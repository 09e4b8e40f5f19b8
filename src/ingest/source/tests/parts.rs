//! Tables in several files.

use super::*;

fn open(dir: &Path, files: &[(&str, &str)]) -> Result<Source, IngestError> {
    for (name, text) in files {
        std::fs::write(dir.join(name), text).unwrap();
    }
    Source::open_parts(crate::ingest::files::list(dir)?)
}

#[test]
fn parts_follow_each_other_and_their_columns_are_matched_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let files = [
        ("part-0001.csv", "b;a\n4;3\n"),
        ("part-0000.csv", "a,b\n1,2\n"),
        ("part-0002.csv", "a,b\n"),
        ("_SUCCESS", ""),
        ("_metadata.csv", "other\n"),
        (".part-0000.csv.crc", "x"),
        (".hidden.csv", "other\n"),
    ];
    let source = open(dir.path(), &files).unwrap();
    assert_eq!(source.files.len(), 3);
    let read = table(&source).unwrap();
    let rows: Vec<Vec<&str>> =
        read.rows.iter().map(|row| row.iter().map(|c| c.as_deref().unwrap()).collect()).collect();
    assert_eq!((read.names, rows), (vec!["a".to_owned(), "b".into()], vec![vec!["1", "2"], vec!["3", "4"]]));
    assert_eq!(read.places, [Place::Line(2); 2]);
}

#[test]
fn a_part_with_other_columns_is_named() {
    for (text, parts) in [
        ("a,c\n1,2\n", ["2.csv", "lacks `b`", "has `c`"]),
        ("a\n1\n", ["2.csv", "1.csv", "lacks `b`"]),
        ("a,b,c\n1,2,3\n", ["2.csv", "1.csv", "has `c` besides"]),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let error = open(dir.path(), &[("1.csv", "a,b\n1,2\n"), ("2.csv", text)]).err().unwrap().to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{error}");
    }
}

#[test]
fn descriptions_are_no_parts_and_partitions_are_refused() {
    let dir = tempfile::tempdir().unwrap();
    let source = open(dir.path(), &[("a.csv", "x\n1\n"), ("README.txt", "About, these tables\n")]).unwrap();
    assert_eq!(source.files.len(), 1);
    std::fs::create_dir(dir.path().join("year=2019")).unwrap();
    let error = crate::ingest::files::list(dir.path()).unwrap_err().to_string();
    assert!(error.contains("year=2019"), "{error}");
}
