//! Texts as people and programs write them.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn rows(table: &Table) -> Vec<Vec<&str>> {
    table.rows.iter().map(|row| row.iter().map(|cell| cell.as_deref().unwrap()).collect()).collect()
}

#[test]
fn one_table_in_every_dialect_is_one_table() {
    let expected = [vec!["Müller", "36,8", "two\nlines"], vec!["", "37", "say \"hi\""]];
    let text = "name;temp;note\nMüller;36,8;\"two\nlines\"\n;37;\"say \"\"hi\"\"\"\n";
    let utf16 = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    let latin1 = text.chars().map(|c| c as u8).collect::<Vec<u8>>();
    let crlf = "name;temp;note\r\nMüller;36,8;\"two\nlines\"\r\n;37;\"say \"\"hi\"\"\"";
    for (name, bytes, said) in [
        ("t.csv", text.as_bytes().to_vec(), 0),
        ("t.tsv", text.replace(';', "\t").into_bytes(), 0),
        ("t.txt", text.replace(';', "|").into_bytes(), 0),
        ("T.CSV", [b"\xef\xbb\xbf", text.as_bytes()].concat(), 0),
        ("t.csv", ["sep=;\r\n", crlf].concat().into_bytes(), 0),
        ("t.csv", crlf.as_bytes().to_vec(), 0),
        ("t.csv", crlf.replace("\r\n", "\r").into_bytes(), 0),
        ("t.csv", ["\n\n", &text.replace("\n;", "\n\n;")].concat().into_bytes(), 0),
        ("t.csv", [b"\xff\xfe", &utf16(text)[..]].concat(), 0),
        ("t.csv", latin1, 1),
        ("t.csv.gz", gzip(text.as_bytes()), 0),
        ("t.csv", gzip(text.as_bytes()), 0),
        ("t.csv.gz", text.as_bytes().to_vec(), 1),
        ("t.csv.gz", [gzip(&text.as_bytes()[..20]), gzip(&text.as_bytes()[20..]), vec![0; 600]].concat(), 0),
        ("t.parquet", text.as_bytes().to_vec(), 1),
    ] {
        let read = read_as(name, &bytes).unwrap_or_else(|e| panic!("{name}, {bytes:?}: {e}"));
        assert_eq!(read.names, ["name", "temp", "note"], "{bytes:?}");
        assert_eq!(rows(&read), expected, "{bytes:?}");
        assert_eq!(read.said.len(), said, "{bytes:?}: {:?}", read.said);
    }
}

#[test]
fn rows_are_named_by_the_lines_of_the_file() {
    let read = read_as("t.csv", b"\na,b\n1,\"x\ny\r\nz\"\n\n2,w\r\n3,v").unwrap();
    assert_eq!(read.places, [3, 7, 8].map(Place::Line));
    let read = read_as("t.csv", b"sep=,\na,b\n1,2\n").unwrap();
    assert_eq!(read.places, [Place::Line(3)]);
    // Far into the file, so that the row's block is not the first.
    let long = "1,\"x\ny\"\n".repeat(100_000);
    let error = read_as("t.csv", format!("a,b\n{long}2\n").as_bytes()).unwrap_err();
    assert_eq!(error.to_string(), "t.csv: line 200002 has 1 cell where the header has 2");
    let read = read_as("t.csv", format!("a,b\n{long}2,3\n").as_bytes()).unwrap();
    assert_eq!((read.rows.len(), *read.places.last().unwrap()), (100_001, Place::Line(200_002)));
}

#[test]
fn what_is_no_table_is_refused_with_the_file_and_the_line() {
    for (name, bytes, parts) in [
        ("empty.csv", &b""[..], &["empty.csv", "empty"][..]),
        ("blank.csv", b"\n\n", &["blank.csv", "empty"]),
        ("mark.csv", b"\xef\xbb\xbf", &["mark.csv", "empty"]),
        ("short.csv", b"a,b\n1,2\n3\n", &["short.csv", "line 3", "1 cell", "2"]),
        ("long.csv", b"a,b\n1,2\n3,4,5\n", &["long.csv", "line 3", "3 cells"]),
        ("title.csv", b"# exported 2019-03-01\na,b\n1,2\n", &["title.csv", "line 2"]),
        ("stray.csv", b"a,b\n1,x\ry\n3,4\n", &["stray.csv", "line 3"]),
        ("open.csv", b"a,b\n1,2\n3,\"4\n5,6\n", &["open.csv", "line 3", "quote"]),
        ("nul.csv", b"a,b\n1,2\0\n", &["nul.csv", "line 2", "NUL"]),
        ("mixed.csv", b"a,b\n\xc3\xa9,2\n\xe9,3\n", &["mixed.csv", "line 3", "encoding"]),
        ("twice.csv", b"a,b,a\n1,2,3\n", &["twice.csv", "`a`"]),
        ("twice.csv", b"a,b, a\n1,2,3\n", &["twice.csv", "`a`"]),
        ("two.csv", b"a,b;c\n1,2;3\n", &["two.csv", "commas", "semicolons"]),
        ("book.csv", b"PK\x03\x04rest", &["book.csv", "Excel"]),
        ("packed.csv.gz", b"\x28\xb5\x2f\xfdrest", &["packed.csv.gz", "zstd"]),
        ("page.csv", b"<!DOCTYPE html><html>", &["page.csv", "HTML"]),
        ("t.parquet", b"PAR1", &["t.parquet"]),
        ("t.parquet", b"\x01\x02\x03\x04binary", &["t.parquet"]),
        ("t.arrow", b"ARROW1\0\0rest", &["t.arrow"]),
        ("t.feather", b"FEA1\0\0rest", &["t.feather", "version 1"]),
        ("t.parquet", b"PK\x03\x04\x14\0\0\0rest", &["t.parquet", "Excel"]),
    ] {
        let error = read_as(name, bytes).expect_err(name).to_string();
        assert!(parts.iter().all(|part| error.contains(part)), "{name}: {error}");
    }
    let cut = gzip("a,b\n1,2\n".repeat(10_000).as_bytes());
    for (bytes, part) in [(&cut[..cut.len() / 2], "truncated"), (&[&cut[..], b"junk"].concat(), "behind")] {
        let error = read_as("t.csv.gz", bytes).unwrap_err().to_string();
        assert!(error.contains("t.csv.gz") && error.contains(part), "{error}");
    }
}

#[test]
fn odd_tables_are_read_and_what_is_odd_is_said() {
    for (bytes, n_rows, part) in [
        (&b"x\n1\n\n3\n"[..], 2, "1 blank line is left out"),
        (b"1.5,2,0.3\n4,5,6\n", 1, "header"),
        (b"a,,b\n1,2,3\n", 1, "`column_2`"),
        (b"a,b,\n1,2,\n", 1, "`column_3`"),
        (b",a,b\n0,1,2\n1,3,4\n", 2, "first column"),
        (b"hr,HR\n1,2\n", 1, "letter case"),
        (b"a,b\n1,2\r3,4\n5,6\n", 3, "carriage return"),
        (b"a,b\nx,\xfc\n", 1, "Windows-1252"),
        (b"x y\n1 2\n3 4\n", 2, "one column"),
        (b"x y z\n1 2 3\n3 4 5\n", 2, "separated by spaces"),
        (b"x^y\n1^2\n3^4\n", 2, "separated by `^`"),
        (b"\"x,y\"\n\"1,2\"\n", 1, "one column"),
    ] {
        let read = read_as("t.csv", bytes).unwrap();
        assert_eq!(read.rows.len(), n_rows, "{bytes:?}");
        assert!(read.said.len() == 1 && read.said[0].contains(part), "{bytes:?}: {:?}", read.said);
    }
    for bytes in [
        &b"x\n\"\"\n1\n"[..],
        b"0,1,2\n5,6,7\n",
        b"a,b\r\n1,2\r\n",
        b"a,b\r1,2\r",
        b"a,b\n",
        b"id,a1,2\n1,2,3\n",
    ] {
        assert_eq!(read_as("t.csv", bytes).unwrap().said, [""; 0], "{bytes:?}");
    }
}

#[test]
fn a_declared_separator_is_taken() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("t.csv");
    std::fs::write(&path, "a,b;c\n1,2;3\n").unwrap();
    for (separator, names) in [(b',', vec!["a", "b;c"]), (b';', vec!["a,b", "c"]), (b'^', vec!["a,b;c"])] {
        let file = SourceFile::new(&path).unwrap().with_separator(Some(separator));
        assert_eq!(table(&Source::open(file).unwrap()).unwrap().names, names);
    }
}

#[test]
fn an_index_without_a_name_is_left_out_and_the_others_keep_their_cells() {
    let read = read_as("t.csv", b"\"\",\"x\",\"y\"\n\"1\",5,6\n\"2\",7,8\n").unwrap();
    assert_eq!(read.names, ["x", "y"]);
    assert_eq!(rows(&read), [["5", "6"], ["7", "8"]]);
}

#[test]
fn a_header_of_absurd_length_is_refused_however_well_it_is_packed() {
    // Thirty million columns in a file of 60 KB: a bomb that is told after sixteen million bytes.
    let mut packed = GzEncoder::new(Vec::new(), Compression::best());
    for _ in 0..60 {
        packed.write_all(&b"a,".repeat(1 << 19)).unwrap();
    }
    let bomb = packed.finish().unwrap();
    assert!(bomb.len() < 100_000);
    assert!(matches!(read_as("t.csv.gz", &bomb), Err(IngestError::TooManyColumns { .. })));
    let names: Vec<String> = (0..100_001).map(|i| format!("c{i}")).collect();
    let wide = names.join(",") + "\n";
    assert!(matches!(read_as("t.csv", wide.as_bytes()), Err(IngestError::TooManyColumns { .. })));
}
