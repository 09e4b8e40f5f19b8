//! An output table written block by block, so that memory does not grow with its rows.

use std::fs::File;
use std::path::Path;

use polars_core::prelude as pl;

use super::IngestError;
use super::arrow_stream::ArrowStream;
use super::parquet_out;
use crate::error::IoError;
use crate::ingest::write::{OutputColumn, csv_record, formula_safe, frame};
use crate::output::Staged;

/// A CSV, Parquet or Arrow file under construction beside its target.
pub struct TableWriter {
    staged: Staged,
    file: String,
    to: Format,
}

enum Format {
    Csv(Box<csv::Writer<File>>, bool),
    Parquet(Parquet),
    Arrow(ArrowStream),
}

enum Parquet {
    Empty(File),
    Begun(Box<polars_io::parquet::write::BatchedWriter<File>>),
}

impl TableWriter {
    /// Begins `path`, a `.csv`, `.parquet` or `.arrow` file; `force` allows [`finish`](Self::finish) to
    /// replace an existing one.
    ///
    /// # Errors
    /// Another extension; an existing file without `force`; I/O failures.
    pub fn begin(path: &Path, force: bool) -> Result<Self, IngestError> {
        let extension = path.extension().map(|e| e.to_string_lossy().to_lowercase());
        let begin: fn(File) -> Format = match extension.as_deref() {
            Some("csv") => |file| Format::Csv(Box::new(csv::Writer::from_writer(file)), false),
            Some("parquet") => |file| Format::Parquet(Parquet::Empty(file)),
            Some("arrow") => |file| Format::Arrow(ArrowStream::new(file)),
            _ => return Err(IngestError::OutputFormat(path.display().to_string())),
        };
        let staged = Staged::file(path, force)?;
        let to = begin(File::create(staged.path()).map_err(IoError::on("create", staged.path()))?);
        Ok(Self { file: path.display().to_string(), staged, to })
    }

    /// Appends rows. Every block has the same columns; a table without rows is one block without any.
    ///
    /// # Errors
    /// I/O failures.
    ///
    /// # Panics
    /// If the columns differ in length.
    pub fn write(&mut self, columns: &[OutputColumn]) -> Result<(), IngestError> {
        let rows = columns.first().map_or(0, |c| c.cells.len());
        assert!(columns.iter().all(|c| c.cells.len() == rows), "columns of one length");
        let name = self.file.clone();
        let refused = |e: pl::PolarsError| IngestError::Write { file: name.clone(), source: Box::new(e) };
        match &mut self.to {
            Format::Csv(writer, begun) => {
                let failed = |e: csv::Error| IngestError::Write { file: name.clone(), source: Box::new(e) };
                if !std::mem::replace(begun, true) {
                    writer.write_record(columns.iter().map(|c| formula_safe(&c.name))).map_err(failed)?;
                }
                for row in 0..rows {
                    writer.write_record(csv_record(columns, row)).map_err(failed)?;
                }
            }
            Format::Parquet(parquet) => {
                let frame = frame(columns, rows).map_err(refused)?;
                if let Parquet::Empty(file) = parquet {
                    let file = file.try_clone().map_err(IoError::on("write", self.staged.path()))?;
                    let schema = frame.schema();
                    let writer = parquet_out::parquet(file, schema).batched(schema).map_err(refused)?;
                    *parquet = Parquet::Begun(Box::new(writer));
                }
                if let Parquet::Begun(writer) = parquet {
                    writer.write_batch(&frame).map_err(refused)?;
                }
            }
            Format::Arrow(stream) => {
                let mut frame = frame(columns, rows).map_err(refused)?;
                stream.write(&mut frame).map_err(refused)?;
            }
        }
        Ok(())
    }

    /// Puts the file in its place.
    ///
    /// # Errors
    /// I/O failures.
    pub fn finish(self) -> Result<(), IngestError> {
        let Self { staged, file, to } = self;
        let failed = |e: pl::PolarsError| IngestError::Write { file, source: Box::new(e) };
        match to {
            Format::Csv(mut writer, _) => writer.flush().map_err(IoError::on("write", staged.path()))?,
            Format::Parquet(Parquet::Begun(writer)) => {
                writer.finish().map_err(failed)?;
            }
            Format::Parquet(Parquet::Empty(_)) => {}
            Format::Arrow(stream) => stream.finish().map_err(failed)?,
        }
        Ok(staged.commit()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::{Cells, OutputCells, write_table};
    use crate::schema::Kind;

    fn columns(rows: std::ops::Range<usize>) -> Vec<OutputColumn> {
        let ids = rows.clone().map(|i| Some(format!("r{i}"))).collect();
        let numbers = rows.map(|i| if i % 3 == 1 { f64::NAN } else { i as f64 * 0.1 }).collect();
        vec![
            OutputColumn::new("record_id", OutputCells::Text(ids)),
            OutputColumn::new("score", OutputCells::Number(numbers)),
        ]
    }

    #[test]
    fn blocks_make_the_file_that_the_whole_makes() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for name in ["blocks.csv", "blocks.parquet", "blocks.arrow"] {
            let mut writer = TableWriter::begin(&at(name), false).unwrap();
            for rows in [0..7, 7..8, 8..30] {
                writer.write(&columns(rows)).unwrap();
            }
            assert!(!at(name).exists());
            writer.finish().unwrap();
        }
        write_table(&at("whole.csv"), &columns(0..30), false).unwrap();
        assert_eq!(std::fs::read(at("blocks.csv")).unwrap(), std::fs::read(at("whole.csv")).unwrap());
        let expected = [("score", Kind::Continuous)];
        for name in ["blocks.parquet", "blocks.arrow"] {
            let table = crate::ingest::read_columns(&at(name), &expected).unwrap();
            assert_eq!(table.record_ids.len(), 30);
            let Cells::Number(x) = &table.columns[0].cells else { panic!() };
            assert!(x.get(1).is_nan() && x.get(29) == 29.0 * 0.1);
        }
        assert!(TableWriter::begin(&at("x.xlsx"), false).is_err());
        assert!(TableWriter::begin(&at("whole.csv"), false).is_err());
    }
}
