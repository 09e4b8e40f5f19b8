//! Typed, streaming reads of one table file: only the columns asked for, under the schema's names and types (never
//! inferred), rows of other items left behind by the reader itself. Parquet is read by Polars, CSV by `delimited/`.

use polars_core::prelude::*;

use crate::schema;

use super::IngestError;
use super::batch::BatchColumn;
use super::cache::Note;
use super::delimited::{self, Passed};
use super::files::{Format, SourceFile};
use super::locate;
use super::source::{StoredTable, described, engine, polars_type};

/// How a Parquet column arrives from Polars.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Physical {
    Integer,
    Float,
    Text,
    /// Microseconds since 1970, from a temporal Parquet column.
    Micros,
}

/// A column asked for.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Name in the schema.
    pub(super) name: String,
    /// Declared type.
    pub(super) dtype: schema::DType,
}

/// A file whose header was matched to the wanted columns.
#[derive(Debug, Clone)]
pub(super) struct TypedFile {
    pub(super) file: SourceFile,
    /// Header as stored.
    header: Vec<String>,
    pub(super) wanted: Vec<Wanted>,
    /// For each wanted column, its place in the header.
    pub(super) positions: Vec<usize>,
    /// Of a Parquet file.
    physical: Vec<Physical>,
    /// Leave malformed rows out and count them, instead of stopping at the first.
    pub(super) skip_bad: bool,
    /// Of an event store: what it was made from.
    pub(super) cached: Option<Note>,
}

/// The items an event table is filtered by.
#[derive(Debug, Clone)]
pub(super) enum ItemSet {
    Numbers(PlHashSet<i64>),
    Names(PlHashSet<String>),
}

impl TypedFile {
    /// Matches a header to the wanted columns.
    ///
    /// # Errors
    /// Outer: the file cannot be read. Inner: the wanted columns it lacks, to be reported with those of other files.
    pub(super) fn open(
        file: SourceFile,
        wanted: &[Wanted],
        skip_bad: bool,
    ) -> Result<Result<Self, Vec<String>>, IngestError> {
        let stored = match file.format {
            Format::Csv => None,
            Format::Parquet | Format::Arrow => Some(StoredTable::open(&file)?),
        };
        let header: Vec<String> = match &stored {
            None => file.csv_header()?,
            Some(stored) => stored.schema().iter_names().map(ToString::to_string).collect(),
        };
        let mut positions = Vec::new();
        let mut missing = Vec::new();
        for column in wanted {
            let mut places = (0..header.len()).filter(|&i| header[i].eq_ignore_ascii_case(&column.name));
            match (places.next(), places.next()) {
                (None, _) => missing.push(column.name.clone()),
                (Some(at), None) => positions.push(at),
                (Some(_), Some(_)) => {
                    return Err(IngestError::DuplicateColumn {
                        file: file.name,
                        column: column.name.clone(),
                    });
                }
            }
        }
        if !missing.is_empty() {
            return Ok(Err(missing));
        }
        let mut typed = Self {
            file,
            header,
            wanted: wanted.to_vec(),
            positions,
            physical: vec![Physical::Text; wanted.len()],
            skip_bad,
            cached: None,
        };
        if let Some(stored) = stored {
            typed.physical_of_parquet(stored.schema())?;
        }
        Ok(Ok(typed))
    }

    /// Number of columns of the file, those not wanted too.
    pub(super) fn n_fields(&self) -> usize {
        self.header.len()
    }

    fn physical_of_parquet(&mut self, stored: &ArrowSchema) -> Result<(), IngestError> {
        for i in 0..self.wanted.len() {
            let (_, field) =
                stored.get_at_index(self.positions[i]).expect("invariant: position is in the header");
            let found = polars_type(field);
            let physical = match (self.wanted[i].dtype, &found) {
                (schema::DType::Integer, t) if t.is_integer() => Physical::Integer,
                (schema::DType::Integer, t) if t.is_float() => Physical::Float,
                (schema::DType::Float, t) if t.is_primitive_numeric() => Physical::Float,
                (schema::DType::Text, t) if t.is_string() || t.is_primitive_numeric() => Physical::Text,
                (schema::DType::Datetime, DataType::Date | DataType::Datetime(..)) => Physical::Micros,
                (schema::DType::Datetime | schema::DType::Elapsed, t) if t.is_string() => Physical::Text,
                (_, DataType::Null) => Physical::Text,
                (expected, t) => {
                    return Err(IngestError::WrongColumnType {
                        file: self.file.name.clone(),
                        column: self.wanted[i].name.clone(),
                        found: if matches!(t, DataType::Unknown(_)) {
                            described(&field.dtype)
                        } else {
                            t.to_string()
                        },
                        expected: expected.name().into(),
                    });
                }
            };
            self.physical[i] = physical;
        }
        Ok(())
    }

    /// Rows of the file, all of them, in its own order.
    ///
    /// # Errors
    /// Malformed rows, unless they are skipped; what `each` finds.
    pub(super) fn scan<F>(&self, mut each: F) -> Result<Passed, IngestError>
    where
        F: FnMut(&[BatchColumn], Passed) -> Result<(), IngestError>,
    {
        if self.file.format == Format::Csv {
            return delimited::scan(self, None, each);
        }
        let mut passed = Passed::default();
        StoredTable::open(&self.file)?.read(&self.positions, |df| {
            passed.rows += df.height() as u64;
            each(&self.columns(&df)?, passed)
        })?;
        passed.bytes = self.file.size();
        Ok(passed)
    }

    /// Rows whose wanted column `item` is in the set; what has passed counts all rows, those left behind too.
    ///
    /// # Errors
    /// As for [`Self::scan`].
    pub(super) fn scan_items<F>(
        &self,
        item: usize,
        items: &ItemSet,
        mut each: F,
    ) -> Result<Passed, IngestError>
    where
        F: FnMut(&[BatchColumn], Passed) -> Result<(), IngestError>,
    {
        if self.file.format == Format::Csv {
            return delimited::scan(self, Some((item, items)), each);
        }
        let mut passed = Passed::default();
        StoredTable::open(&self.file)?.read(&self.positions, |df| {
            passed.rows += df.height() as u64;
            let kept = items.mask(&df.columns()[item], self.physical[item]).and_then(|mask| df.filter(&mask));
            each(&self.columns(&kept.map_err(|e| self.error(e))?)?, passed)
        })?;
        // A store has left behind what its source has besides.
        let passed = self.cached.as_ref().map_or(passed, Note::passed);
        Ok(Passed { bytes: self.file.size(), ..passed })
    }

    fn columns(&self, df: &DataFrame) -> Result<Vec<BatchColumn>, IngestError> {
        let stored = self.physical.iter().zip(df.columns());
        let build = stored.map(|(physical, column)| BatchColumn::new(&physical.of(column)?, *physical));
        build.collect::<PolarsResult<_>>().map_err(|e| self.error(e))
    }

    /// The first cell that is not of its declared type, when a batch has met one.
    pub(super) fn wrong_cell(&self, column: usize) -> IngestError {
        locate::wrong_cell(self, Some(column)).unwrap_or_else(|| IngestError::WrongType {
            file: self.file.name.clone(),
            row: 0,
            column: self.wanted[column].name.clone(),
            expected: locate::expected(self.wanted[column].dtype).into(),
            remedy: locate::remedy(self.wanted[column].dtype).into(),
        })
    }

    /// The reader's error in our words. Its messages quote cells and name no row, so the file is read again by other
    /// means to find the place; that costs time only once something is wrong.
    fn error(&self, error: PolarsError) -> IngestError {
        locate::wrong_cell(self, None).unwrap_or_else(|| {
            tracing::debug!(file = self.file.name, %error, "reader failed");
            engine(&self.file, error)
        })
    }
}

impl Physical {
    /// A column as it was stored, in the type that it arrives in.
    fn of(self, column: &Column) -> PolarsResult<Column> {
        match self {
            Self::Integer => column.cast(&DataType::Int64),
            Self::Float => column.cast(&DataType::Float64),
            Self::Text => column.cast(&DataType::String),
            Self::Micros => {
                column.cast(&DataType::Datetime(TimeUnit::Microseconds, None))?.cast(&DataType::Int64)
            }
        }
    }
}

impl ItemSet {
    /// Names are compared trimmed.
    fn mask(&self, column: &Column, physical: Physical) -> PolarsResult<BooleanChunked> {
        let column = physical.of(column)?;
        let series = column.as_materialized_series();
        Ok(match (self, series.dtype()) {
            (Self::Numbers(set), DataType::Int64) => {
                series.i64()?.iter().map(|v| v.is_some_and(|v| set.contains(&v))).collect()
            }
            (Self::Numbers(set), _) => {
                let whole = |v: f64| v.fract() == 0.0 && set.contains(&(v as i64));
                series.f64()?.iter().map(|v| v.is_some_and(whole)).collect()
            }
            (Self::Names(set), _) => {
                series.str()?.iter().map(|v| v.is_some_and(|v| set.contains(v.trim()))).collect()
            }
        })
    }
}
