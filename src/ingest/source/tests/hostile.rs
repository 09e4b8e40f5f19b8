//! Files that were made to keep the program busy.

use polars_core::prelude::*;
use polars_io::SerWriter;
use polars_io::prelude::{IpcCompression, IpcStreamWriter, IpcWriter, ParquetWriter};

use super::*;

fn rows_without_content(rows: usize) -> Result<Source, IngestError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.parquet");
    let columns = vec![
        Series::full_null("x".into(), rows, &DataType::Float64).into(),
        Series::new("y".into(), [1_i32]).new_from_index(0, rows).into(),
    ];
    let mut frame = DataFrame::new(rows, columns).unwrap();
    ParquetWriter::new(std::fs::File::create(&path).unwrap()).finish(&mut frame).unwrap();
    Source::open(SourceFile::new(&path).unwrap())
}

/// An Arrow file or stream with a compressed column of nulls, and the same rows without any buffer.
fn arrow_without_content(rows: usize, columns: usize, stream: bool) -> Result<Source, IngestError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("rows.arrow");
    let mut all: Vec<Column> = (0..columns)
        .map(|i| Series::full_null(format!("x{i}").into(), rows, &DataType::Float64).into())
        .collect();
    all.push(Series::full_null("nothing".into(), rows, &DataType::Null).into());
    let mut frame = DataFrame::new(rows, all).unwrap();
    let file = std::fs::File::create(&path).unwrap();
    #[expect(
        clippy::default_trait_access,
        reason = "the type of the level is in a crate that is not named here"
    )]
    let compression = Some(IpcCompression::ZSTD(Default::default()));
    if stream {
        IpcStreamWriter::new(file).with_compression(compression).finish(&mut frame).unwrap();
    } else {
        IpcWriter::new(file).with_compression(compression).finish(&mut frame).unwrap();
    }
    Source::open(SourceFile::new(&path).unwrap())
}

#[test]
fn arrow_rows_and_cells_of_less_than_a_bit_are_refused_before_they_are_read() {
    for stream in [false, true] {
        assert!(arrow_without_content(1_000_000, 1, stream).is_ok());
        // Rows without a buffer, rows of a compressed one, and fewer rows of more columns.
        for (rows, columns) in [(9_000_000, 0), (9_000_000, 1), (500_000, 250)] {
            match arrow_without_content(rows, columns, stream) {
                Err(IngestError::NothingInRows { rows: found, bytes, .. }) => {
                    assert!(found <= rows as u64 && bytes < 1_000_000, "{found} rows in {bytes} bytes");
                }
                Err(e) => panic!("{e}"),
                Ok(_) => panic!("{rows} rows without content are read"),
            }
        }
    }
}

#[test]
fn parquet_rows_of_less_than_a_bit_are_refused_before_they_are_read() {
    assert!(rows_without_content(1_000_000).is_ok());
    match rows_without_content(9_000_000) {
        Err(IngestError::NothingInRows { rows, bytes, .. }) => {
            assert!(rows == 9_000_000 && bytes < 1_000_000);
        }
        Err(e) => panic!("{e}"),
        Ok(_) => panic!("nine million rows without content are read"),
    }
}
