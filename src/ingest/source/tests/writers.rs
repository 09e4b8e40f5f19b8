//! Files of pandas, pyarrow, DuckDB and Polars (`tests/golden/writers`): the cells come back, or the column
//! is refused.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::ingest::source::StoredType;

type Expected = BTreeMap<String, Option<Vec<Option<String>>>>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/writers")
}

fn expected() -> Expected {
    serde_json::from_str(&std::fs::read_to_string(folder().join("expected.json")).unwrap()).unwrap()
}

fn open(name: &str) -> Source {
    Source::open(SourceFile::new(&folder().join(name)).unwrap()).unwrap_or_else(|e| panic!("{name}: {e}"))
}

/// Equal texts, or two spellings of one floating-point number.
fn same(one: Option<&str>, other: Option<&str>) -> bool {
    let float =
        |text: Option<&str>| text.filter(|t| t.contains(['.', 'e'])).and_then(|t| t.parse::<f64>().ok());
    one == other || float(one).is_some() && float(one) == float(other)
}

/// The cells of every readable column.
fn columns(source: &Source) -> BTreeMap<String, Vec<Option<String>>> {
    let read = table(source).unwrap_or_else(|e| panic!("{}: {e}", source.file.name));
    let cells = |i: usize| read.rows.iter().map(|row| row[i].clone()).collect();
    read.names.iter().enumerate().map(|(i, name)| (name.clone(), cells(i))).collect()
}

#[test]
fn all_types_of_all_writers_come_back_or_are_refused_by_name() {
    let expected = expected();
    for (name, n_columns) in [
        ("pyarrow.parquet", 33),
        ("pyarrow-plain.parquet", 32),
        ("pyarrow-groups.parquet", 33),
        ("pyarrow-none.parquet", 2),
        ("pyarrow-gzip.parquet", 2),
        ("pyarrow-brotli.parquet", 2),
        ("pyarrow-lz4.parquet", 2),
        ("pyarrow.arrow", 33),
        ("stream.arrow", 33),
        ("lz4.feather", 33),
        ("zstd.feather", 33),
        ("views.arrow", 2),
        ("pandas.parquet", 31),
        ("pandas-index.parquet", 2),
        ("duckdb.parquet", 27),
        ("polars.parquet", 31),
        ("polars.arrow", 31),
        ("polars-stream.arrow", 31),
    ] {
        let source = open(name);
        assert_eq!(source.columns.len(), n_columns, "{name}");
        let read = columns(&source);
        for column in &source.columns {
            let (cells, wanted) = (read.get(&column.name), &expected[&column.name]);
            match (&column.stored, wanted, cells) {
                (StoredType::Unreadable(_), None, None) => {}
                // Without the Arrow schema, Parquet has whole numbers for a duration; pandas stores it so as
                // well.
                (StoredType::Integer, Some(wanted), Some(cells)) if column.name == "duration" => {
                    assert!(cells.iter().zip(wanted).all(|(a, b)| a.is_none() == b.is_none()));
                }
                (stored, Some(wanted), Some(cells)) => {
                    let same = cells.iter().zip(wanted).all(|(a, b)| same(a.as_deref(), b.as_deref()));
                    assert!(same && cells.len() == 30, "{name}, {}, {stored:?}: {cells:?}", column.name);
                }
                other => panic!("{name}, {}: {other:?}", column.name),
            }
        }
    }
}

#[test]
fn integers_beyond_the_reach_of_numbers_keep_their_digits_and_types_are_told() {
    let source = open("duckdb-types.parquet");
    let kinds: BTreeMap<&str, &StoredType> =
        source.columns.iter().map(|c| (c.name.as_str(), &c.stored)).collect();
    assert!(
        matches!(kinds["uuid"], StoredType::Unreadable(_))
            && matches!(kinds["interval"], StoredType::Unreadable(_))
    );
    let read = columns(&source);
    let cells = |name: &str| read[name].iter().flatten().map(String::as_str).collect::<Vec<_>>();
    assert_eq!(cells("enum"), ["0", "1", "2"]);
    assert_eq!(cells("utinyint"), ["0", "1", "2"]);
    assert_eq!(cells("decimal"), ["0.0", "1.0", "2.0"]);
    let source = open("pyarrow.parquet");
    for (name, stored) in [
        ("timestamp_zone", StoredType::Temporal("time stamp in the zone Europe/Berlin".into())),
        ("duration", StoredType::Temporal("duration".into())),
        ("list", StoredType::Unreadable("list".into())),
        ("float16", StoredType::Number),
        ("uint64", StoredType::Text),
        ("decimal_18_0", StoredType::Integer),
    ] {
        assert_eq!(source.columns.iter().find(|c| c.name == name).unwrap().stored, stored, "{name}");
    }
}

#[test]
fn the_index_of_pandas_is_left_out_and_that_is_said() {
    let source = open("pandas-index.parquet");
    assert_eq!(source.messages().len(), 1);
    assert!(source.messages()[0].text.contains("__index_level_0__"), "{:?}", source.messages());
}

#[test]
fn a_table_without_rows_has_its_columns() {
    let source = open("no-rows.parquet");
    assert!(source.columns.len() == 32 && columns(&source).values().all(Vec::is_empty));
}

#[test]
fn one_table_as_text_is_the_same_by_all_writers() {
    let expected = expected();
    for writer in ["pandas", "duckdb", "polars", "pyarrow"] {
        let read = columns(&open(&format!("{writer}.csv")));
        for (name, cells) in read {
            let wanted = expected[&name].as_ref().unwrap();
            for (cell, wanted) in cells.iter().zip(wanted) {
                let (cell, wanted) = (cell.as_deref().unwrap(), wanted.as_deref().unwrap_or(""));
                let equal = cell == wanted
                    || cell.parse::<f64>().ok().is_some_and(|x| wanted.parse() == Ok(x)) && name == "float64";
                assert!(equal, "{writer}, {name}: {cell:?} is not {wanted:?}");
            }
        }
    }
}

#[test]
fn damaged_files_are_errors_and_no_panics() {
    for name in ["pyarrow.parquet", "polars.parquet", "pyarrow.arrow", "stream.arrow", "zstd.feather"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        for cut in [1, 9, whole.len() / 2, whole.len() - 30] {
            // A stream that is cut between two messages is read to there, and that is said.
            match read_as(name, &whole[..cut]) {
                Ok(read) => assert!(!read.said.is_empty(), "{name}, {cut}"),
                Err(error) => assert!(error.to_string().contains(name), "{error}"),
            }
        }
        for seed in 0..40_usize {
            let mut damaged = whole.clone();
            for k in 0..5 {
                let at = (seed * 7919 + k * 104_729) % damaged.len();
                damaged[at] ^= 1 << (seed % 8);
            }
            // Pages without a checksum may come back changed; what matters here is that nothing panics or
            // hangs.
            let _ = read_as(name, &damaged);
        }
    }
}

/// Every length in an Arrow file that reaches beyond it is noticed before memory is asked for. All eight
/// bytes of a word are changed, as the words of a flat buffer are lengths and offsets.
#[test]
fn lengths_beyond_an_arrow_file_are_errors() {
    for name in ["polars.arrow", "pyarrow.arrow", "stream.arrow", "zstd.feather", "lz4.feather"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        let mut refused = 0;
        for at in (0..whole.len() - 8).step_by(8) {
            for length in [i64::MAX / 2, 1 << 44, 1 << 31, -2] {
                let mut damaged = whole.clone();
                damaged[at..at + 8].copy_from_slice(&length.to_le_bytes());
                refused += usize::from(read_as(name, &damaged).is_err());
            }
        }
        assert!(refused > 100, "{name}: {refused}");
    }
}

/// A page header whose number of values is −59 made the decoder ask for 2⁶¹ bytes, which ends a process.
#[test]
fn page_headers_of_a_parquet_file_that_contradict_its_footer_are_errors() {
    for name in ["pandas-index.parquet", "pyarrow-plain.parquet", "duckdb.parquet", "pyarrow-none.parquet"] {
        let whole = std::fs::read(folder().join(name)).unwrap();
        assert!(read_as(name, &whole).is_ok(), "{name}");
        let mut refused = 0;
        // The first header lies behind the four bytes that begin every Parquet file.
        for at in 4..40 {
            for byte in [0x01, 0x75, 0x7f] {
                let mut damaged = whole.clone();
                damaged[at] = byte;
                refused += usize::from(read_as(name, &damaged).is_err());
            }
        }
        assert!(refused > 20, "{name}: {refused}");
    }
}
