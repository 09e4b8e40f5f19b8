//! Rows of a wide table in file order, from CSV or Parquet.

use polars_core::prelude::*;

use crate::ingest::IngestError;
use crate::ingest::files::{Format, SourceFile};
use crate::ingest::source::{StoredTable, engine};
use crate::schema::Split;

/// A cell as it is stored; texts are trimmed and never empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Number(f64),
    Integer(i64),
    Bool(bool),
    /// A temporal Parquet value.
    Date,
}

/// A file of a wide table.
#[derive(Debug)]
pub(super) struct WideFile {
    pub(super) file: SourceFile,
    /// The split its rows belong to, in a folder of splits.
    pub(super) split: Option<Split>,
    pub(super) header: Vec<String>,
}

impl WideFile {
    /// Reads the header.
    ///
    /// # Errors
    /// An empty file; a name met twice.
    pub(super) fn open(file: SourceFile, split: Option<Split>) -> Result<Self, IngestError> {
        let header = match file.format {
            Format::Csv => file.csv_header()?,
            Format::Parquet | Format::Arrow => {
                StoredTable::open(&file)?.schema().iter_names().map(ToString::to_string).collect()
            }
        };
        for (i, name) in header.iter().enumerate() {
            if !name.is_empty() && header[..i].contains(name) {
                return Err(IngestError::DuplicateColumn { file: file.name, column: name.clone() });
            }
        }
        Ok(Self { file, split, header })
    }

    /// Place of a column: by name, else by name without regard to letter case.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let exact = self.header.iter().position(|h| h == name);
        exact.or_else(|| self.header.iter().position(|h| h.eq_ignore_ascii_case(name)))
    }

    /// Calls `each` with the row's number, from 1, and its cells in header order. Texts of `missing` are missing.
    pub(super) fn rows<F>(&self, missing: &[String], each: F) -> Result<(), IngestError>
    where
        F: FnMut(u64, &[Cell<'_>]) -> Result<(), IngestError>,
    {
        match self.file.format {
            Format::Csv => self.csv_rows(missing, each),
            Format::Parquet | Format::Arrow => self.parquet_rows(missing, each),
        }
    }

    fn csv_rows<F>(&self, missing: &[String], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(u64, &[Cell<'_>]) -> Result<(), IngestError>,
    {
        let file = &self.file;
        let mut records = file.records()?;
        let mut header = csv::ByteRecord::new();
        records.read_byte_record(&mut header).map_err(|e| file.csv_error(e, 0))?;
        let mut record = csv::StringRecord::new();
        for row in 1.. {
            if !records.read_record(&mut record).map_err(|e| file.csv_error(e, row))? {
                break;
            }
            if record.len() != self.header.len() {
                let (found, expected) = (record.len() as u64, self.header.len() as u64);
                return Err(IngestError::Ragged { file: file.name.clone(), row, found, expected });
            }
            let cells: Vec<Cell<'_>> = record.iter().map(|text| text_cell(Some(text), missing)).collect();
            each(row, &cells)?;
        }
        Ok(())
    }

    fn parquet_rows<F>(&self, missing: &[String], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(u64, &[Cell<'_>]) -> Result<(), IngestError>,
    {
        let mut before = 0;
        let all: Vec<usize> = (0..self.header.len()).collect();
        StoredTable::open(&self.file)?.read(&all, |df| {
            let columns = df.columns().iter().map(Stored::new).collect::<PolarsResult<Vec<_>>>();
            let columns = columns.map_err(|e| engine(&self.file, e))?;
            for row in 0..df.height() {
                let cells: Vec<Cell<'_>> = columns.iter().map(|c| c.cell(row, missing)).collect();
                each(before + row as u64 + 1, &cells)?;
            }
            before += df.height() as u64;
            Ok(())
        })
    }
}

/// A Parquet column of one batch.
enum Stored {
    Text(StringChunked),
    Number(Float64Chunked),
    Integer(Int64Chunked),
    Bool(BooleanChunked),
    /// A temporal or nested column, of which only the nulls matter.
    Other(BooleanChunked, bool),
}

impl Stored {
    fn new(column: &Column) -> PolarsResult<Self> {
        let series = column.as_materialized_series().rechunk();
        Ok(match series.dtype() {
            DataType::String => Self::Text(series.str()?.clone()),
            DataType::Boolean => Self::Bool(series.bool()?.clone()),
            // Whole numbers beyond 2⁵³ are ids, whose digits must survive.
            t if t.is_integer() && !matches!(t, DataType::UInt64) => {
                Self::Integer(series.cast(&DataType::Int64)?.i64()?.clone())
            }
            t if t.is_primitive_numeric() => Self::Number(series.cast(&DataType::Float64)?.f64()?.clone()),
            t => Self::Other(series.is_null(), t.is_temporal()),
        })
    }

    fn cell<'s>(&'s self, row: usize, missing: &[String]) -> Cell<'s> {
        match self {
            Self::Text(c) => text_cell(c.get(row), missing),
            Self::Number(c) => match c.get(row) {
                None => Cell::Missing,
                Some(x) if x.is_nan() && missing.iter().any(|m| m.eq_ignore_ascii_case("nan")) => {
                    Cell::Missing
                }
                Some(x) => Cell::Number(x),
            },
            Self::Integer(c) => c.get(row).map_or(Cell::Missing, Cell::Integer),
            Self::Bool(c) => c.get(row).map_or(Cell::Missing, Cell::Bool),
            Self::Other(is_null, temporal) => match (is_null.get(row), temporal) {
                (Some(false), true) => Cell::Date,
                // Lists and structs are free text to us; their content is never looked at.
                (Some(false), false) => Cell::Text("\u{fffd}"),
                _ => Cell::Missing,
            },
        }
    }
}

fn text_cell<'t>(text: Option<&'t str>, missing: &[String]) -> Cell<'t> {
    match text.map(str::trim) {
        None | Some("") => Cell::Missing,
        Some(text) if missing.iter().any(|m| m == text) => Cell::Missing,
        Some(text) => Cell::Text(text),
    }
}
