use super::*;
use crate::ingest::find;

#[test]
fn addresses_and_missing_inputs_are_refused() {
    assert!(matches!(list(Path::new("s3://bucket/mimic")), Err(IngestError::Remote(_))));
    assert!(matches!(list(Path::new("/no/such/folder")), Err(IngestError::NoInput(_))));
}

#[test]
fn fingerprint_is_the_published_digest() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, "abc").unwrap();
    // FIPS 180-2, appendix B.1
    let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    let found = SourceFile::new(&path).unwrap().fingerprint().unwrap();
    assert_eq!((found.name.as_str(), found.bytes, found.sha256.as_str()), ("a.csv", 3, expected));
}

#[test]
fn a_file_that_is_written_to_or_replaced_while_it_is_read_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    let whole = "id,x\n1,2\n";
    fs::write(&path, whole).unwrap();
    let file = SourceFile::new(&path).unwrap();
    let changed = || match file.fingerprint() {
        Err(IngestError::Changed(name)) => name == "a.csv",
        Ok(_) => false,
        Err(e) => panic!("{e}"),
    };
    assert!(!changed());
    // It grows.
    fs::write(&path, format!("{whole}3,4\n")).unwrap();
    assert!(changed());
    // Another file of the same size and time is moved into its place.
    let time = file.path.metadata().unwrap().modified().unwrap();
    let other = dir.path().join("b.csv");
    fs::write(&other, format!("{whole}5,6\n")).unwrap();
    fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
    let file = SourceFile::new(&path).unwrap();
    fs::rename(&other, &path).unwrap();
    assert!(cfg!(not(unix)) || matches!(file.fingerprint(), Err(IngestError::Changed(_))));
}

#[test]
fn header_loses_its_byte_order_mark() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.csv");
    fs::write(&path, "\u{feff}\"id\", x\n1,2\n").unwrap();
    assert_eq!(SourceFile::new(&path).unwrap().csv_header().unwrap(), ["id", "x"]);
}

#[test]
#[cfg(unix)]
fn tables_behind_links_out_of_the_folder_are_needed_or_none_of_our_business() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    for (place, text) in [("in/a.csv", "x\n1\n"), ("out/b.csv", "x\n2\n"), ("out/c.txt", "x\n")] {
        fs::create_dir_all(dir.path().join(place).parent().unwrap()).unwrap();
        fs::write(dir.path().join(place), text).unwrap();
    }
    let input = dir.path().join("in");
    symlink("../out/c.txt", input.join("about.txt")).unwrap();
    assert_eq!(parts(&input).unwrap().len(), 1, "a link that is no table says nothing");
    symlink("../out/b.csv", input.join("b.csv")).unwrap();
    let error = parts(&input).unwrap_err().to_string();
    assert!(error.contains("b.csv") && error.contains("leads out of the folder"), "{error}");
    // Of an extract only the tables of the schema are needed.
    let files = list(&input).unwrap();
    assert_eq!(files.iter().map(|f| f.name.as_str()).collect::<Vec<_>>(), ["a.csv", "b.csv"]);
    assert_eq!(find::of_table(&files, "A", &["A".into()]).unwrap().len(), 1);
    let refused = |error: IngestError| error.to_string().contains("leads out of the folder");
    assert!(refused(find::of_table(&files, "B", &["B".into()]).unwrap_err()));
    assert!(refused(files[1].csv_header().unwrap_err()), "nothing opens it");
    // A folder behind a link counts as needed where the schema names a folder of that name.
    symlink("../out", input.join("hosp")).unwrap();
    let files = tree(&input).unwrap();
    assert!(refused(find::of_table(&files, "B", &["HOSP/B".into()]).unwrap_err()));
    assert!(find::of_table(&files, "B", &["icu/x".into()]).unwrap().is_empty());
    // The link itself, typed by the user, is what they want to read.
    assert_eq!(parts(&input.join("b.csv")).unwrap()[0].csv_header().unwrap(), ["x"]);
}
