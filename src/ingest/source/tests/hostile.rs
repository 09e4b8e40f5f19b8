//! Files that were made to keep the program busy.

use polars_core::prelude::*;
use polars_io::prelude::ParquetWriter;

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
