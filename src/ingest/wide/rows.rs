//! Rows of a wide table in file order, whatever the file.

use polars_core::prelude::*;

use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::ingest::source::{Batch, Source, StoredType};
use crate::schema::Split;

/// A cell as it is stored; texts are trimmed and never empty.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Text(&'a str),
    Number(f64),
    Integer(i64),
    Bool(bool),
    /// A temporal value.
    Date,
}

/// A file of a wide table.
pub(super) struct WideFile {
    pub(super) file: SourceFile,
    /// The split its rows belong to, in a folder of splits.
    pub(super) split: Option<Split>,
    pub(super) header: Vec<String>,
    source: Source,
}

impl WideFile {
    /// Reads the header.
    ///
    /// # Errors
    /// An empty file; a name met twice.
    pub(super) fn open(file: SourceFile, split: Option<Split>) -> Result<Self, IngestError> {
        let source = Source::open(file.clone())?;
        let header = source.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Self { file, split, header, source })
    }

    /// Place of a column: by name, else by name without regard to letter case.
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let exact = self.header.iter().position(|h| h == name);
        exact.or_else(|| self.header.iter().position(|h| h.eq_ignore_ascii_case(name)))
    }

    /// Sentences on the file that a user should know, once its rows have been read.
    pub(super) fn warnings(&self) -> Vec<String> {
        let mut said = self.source.warnings();
        for column in &self.source.columns {
            if let StoredType::Unreadable(what) = &column.stored {
                said.push(format!("column `{}` is ignored: its cells are of the type {what}", column.name));
            }
        }
        said
    }

    /// Calls `each` with the row's number, from 1, and its cells in header order. Texts of `missing` are missing.
    pub(super) fn rows<F>(&self, missing: &[String], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(u64, &[Cell<'_>]) -> Result<(), IngestError>,
    {
        let readable = |i: &usize| !matches!(self.source.columns[*i].stored, StoredType::Unreadable(_));
        let asked: Vec<usize> = (0..self.header.len()).filter(readable).collect();
        let mut before = 0;
        self.source.read(&asked, |batch| {
            let columns = stored(batch);
            let mut cells = vec![Cell::Missing; self.header.len()];
            for row in 0..batch.frame.height() {
                for (column, place) in columns.iter().zip(&asked) {
                    cells[*place] = column.cell(row, missing);
                }
                each(before + row as u64 + 1, &cells)?;
            }
            before += batch.frame.height() as u64;
            Ok(())
        })
    }
}

fn stored(batch: &Batch) -> Vec<Stored> {
    batch.frame.columns().iter().map(Stored::new).collect()
}

/// A column of one batch.
enum Stored {
    Text(StringChunked),
    Number(Float64Chunked),
    Integer(Int64Chunked),
    Bool(BooleanChunked),
    /// A column of times, of which only the nulls matter.
    Times(BooleanChunked),
}

impl Stored {
    fn new(column: &Column) -> Self {
        let series = column.as_materialized_series().rechunk();
        let typed = match series.dtype() {
            DataType::String => series.str().cloned().map(Self::Text),
            DataType::Boolean => series.bool().cloned().map(Self::Bool),
            DataType::Int64 => series.i64().cloned().map(Self::Integer),
            DataType::Float64 => series.f64().cloned().map(Self::Number),
            _ => Ok(Self::Times(series.is_null())),
        };
        typed.unwrap_or_else(|_| Self::Times(series.is_null()))
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
            Self::Times(is_null) => {
                if is_null.get(row) == Some(false) {
                    Cell::Date
                } else {
                    Cell::Missing
                }
            }
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
