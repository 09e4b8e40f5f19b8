//! Files of events in the form of MEDS: subject, time, code and number, in Parquet, written block by block.

use std::fs::File;
use std::path::{Path, PathBuf};

use polars_core::prelude as pl;
use polars_io::parquet::write::{BatchedWriter, ParquetWriter};

use crate::error::IoError;

/// Rows that are written together.
#[derive(Debug, Default)]
pub struct EventBlock {
    /// Whose event it is.
    pub subject: Vec<i64>,
    /// Seconds since 1970; `None` for a static fact.
    pub time: Vec<Option<i64>>,
    /// Place of the code in a list of codes.
    pub code: Vec<u32>,
    /// The number, in single precision as the standard has it.
    pub number: Vec<Option<f32>>,
}

impl EventBlock {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.subject.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.subject.is_empty()
    }
}

/// A file of events under construction.
pub struct EventFile {
    path: PathBuf,
    writer: BatchedWriter<File>,
}

/// An error of the Parquet writer, which is one of writing the file.
fn refused(path: &Path) -> impl FnOnce(pl::PolarsError) -> IoError + '_ {
    |error| IoError::on("write", path)(std::io::Error::other(error))
}

impl EventFile {
    /// Creates the file.
    ///
    /// # Errors
    /// A file that cannot be created or written.
    pub fn create(path: &Path) -> Result<Self, IoError> {
        let schema = pl::Schema::from_iter([
            pl::Field::new("subject_id".into(), pl::DataType::Int64),
            pl::Field::new("time".into(), pl::DataType::Datetime(pl::TimeUnit::Microseconds, None)),
            pl::Field::new("code".into(), pl::DataType::String),
            pl::Field::new("numeric_value".into(), pl::DataType::Float32),
        ]);
        let file = File::create(path).map_err(IoError::on("create", path))?;
        let writer = ParquetWriter::new(file).batched(&schema).map_err(refused(path))?;
        Ok(Self { path: path.to_owned(), writer })
    }

    /// Appends rows, whose codes are places in `codes`.
    ///
    /// # Errors
    /// A full or read-only disk.
    pub fn write(&mut self, block: EventBlock, codes: &[String]) -> Result<(), IoError> {
        let rows = block.len();
        let micros: Vec<Option<i64>> = block.time.into_iter().map(|t| t.map(|t| t * 1_000_000)).collect();
        let texts: Vec<&str> = block.code.iter().map(|c| codes[*c as usize].as_str()).collect();
        let time =
            <pl::Int64Chunked as pl::NewChunkedArray<_, _>>::from_slice_options("time".into(), &micros);
        let columns = vec![
            pl::Column::new("subject_id".into(), block.subject),
            pl::IntoSeries::into_series(time.into_datetime(pl::TimeUnit::Microseconds, None)).into(),
            pl::Column::new("code".into(), texts),
            pl::Column::new("numeric_value".into(), block.number),
        ];
        let frame = pl::DataFrame::new(rows, columns).map_err(refused(&self.path))?;
        self.writer.write_batch(&frame).map_err(refused(&self.path))
    }

    /// Closes the file.
    ///
    /// # Errors
    /// A full or read-only disk.
    pub fn finish(self) -> Result<(), IoError> {
        let Self { path, writer } = self;
        writer.finish().map(drop).map_err(refused(&path))
    }
}

/// Writes the table of what codes mean, `codes.parquet`.
///
/// # Errors
/// A file that cannot be written.
pub fn write_codes(path: &Path, codes: &[&str], descriptions: &[Option<&str>]) -> Result<(), IoError> {
    let columns =
        vec![pl::Column::new("code".into(), codes), pl::Column::new("description".into(), descriptions)];
    let mut frame = pl::DataFrame::new(codes.len(), columns).map_err(refused(path))?;
    let file = File::create(path).map_err(IoError::on("create", path))?;
    ParquetWriter::new(file).finish(&mut frame).map(drop).map_err(refused(path))
}
