//! Typed, streaming reads of one table file: only the columns asked for, under the schema's names and types (never
//! inferred), rows of other items left behind by the reader itself. Parquet is read by Polars, CSV by `delimited/`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::sync_channel;

use polars::prelude::*;

use crate::schema;

use super::IngestError;
use super::batch::BatchColumn;
use super::cache::Note;
use super::delimited::{self, Passed};
use super::files::{Format, SourceFile};
use super::locate;

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
            Format::Parquet => Some(parquet_schema(&file)?),
        };
        let header: Vec<String> = match &stored {
            None => file.csv_header()?,
            Some(stored) => stored.iter_names().map(ToString::to_string).collect(),
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
            typed.physical_of_parquet(&stored)?;
        }
        Ok(Ok(typed))
    }

    /// Number of columns of the file, those not wanted too.
    pub(super) fn n_fields(&self) -> usize {
        self.header.len()
    }

    fn physical_of_parquet(&mut self, stored: &Schema) -> Result<(), IngestError> {
        for i in 0..self.wanted.len() {
            let (_, found) =
                stored.get_at_index(self.positions[i]).expect("invariant: position is in the header");
            let physical = match (self.wanted[i].dtype, found) {
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
                        found: t.to_string(),
                        expected: expected.name().into(),
                    });
                }
            };
            self.physical[i] = physical;
        }
        Ok(())
    }

    /// The wanted columns of a Parquet file as a lazy frame, named by their place among the wanted.
    fn frame(&self) -> PolarsResult<LazyFrame> {
        let path = PlRefPath::try_from_path(&self.file.path)?;
        let options = ScanArgsParquet { glob: false, cache: false, ..Default::default() };
        let select: Vec<_> = self
            .positions
            .iter()
            .zip(&self.physical)
            .enumerate()
            .map(|(i, (at, physical))| {
                let column = col(self.header[*at].as_str());
                let stored = if *physical == Physical::Micros {
                    column.cast(DataType::Datetime(TimeUnit::Microseconds, None)).cast(DataType::Int64)
                } else {
                    column.cast(physical.dtype())
                };
                stored.alias(wanted_name(i))
            })
            .collect();
        Ok(LazyFrame::scan_parquet(path, options)?.select(select))
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
        let frame = self.frame().map_err(|e| self.error(e))?;
        let mut passed = Passed::default();
        self.run(frame, true, |df| {
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
        let seen = Arc::new(AtomicU64::new(0));
        let (set, counted) = (items.clone(), Arc::clone(&seen));
        // A predicate of our own counts the rows it sees and tests them in one pass over the item column; Polars runs
        // it in its worker threads on every decoded chunk, before the other columns leave the reader.
        let predicate = col(wanted_name(item)).map(
            move |column| {
                counted.fetch_add(column.len() as u64, Ordering::Relaxed);
                set.mask(&column)
            },
            |_, field| Ok(Field::new(field.name().clone(), DataType::Boolean)),
        );
        let frame = self.frame().map_err(|e| self.error(e))?.filter(predicate);
        let passed = || Passed { rows: seen.load(Ordering::Relaxed), ..Passed::default() };
        self.run(frame, false, |df| each(&self.columns(&df)?, passed()))?;
        // A store has left behind what its source has besides.
        let passed = self.cached.as_ref().map_or_else(passed, Note::passed);
        Ok(Passed { bytes: self.file.size(), ..passed })
    }

    fn run<F>(&self, frame: LazyFrame, ordered: bool, each: F) -> Result<(), IngestError>
    where
        F: FnMut(DataFrame) -> Result<(), IngestError>,
    {
        stream(frame, ordered, each)?.map_err(|e| self.error(e))
    }

    fn columns(&self, df: &DataFrame) -> Result<Vec<BatchColumn>, IngestError> {
        let build =
            |(i, physical): (usize, &Physical)| BatchColumn::new(df.column(&wanted_name(i))?, *physical);
        self.physical.iter().enumerate().map(build).collect::<PolarsResult<_>>().map_err(|e| self.error(e))
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
        if let PolarsError::IO { error, .. } = &error {
            return self.file.io_error(std::io::Error::from(error.kind()));
        }
        locate::wrong_cell(self, None).unwrap_or_else(|| {
            tracing::debug!(file = self.file.name, %error, "reader failed");
            IngestError::Engine { file: self.file.name.clone(), reason: Box::new(error) }
        })
    }
}

/// Runs a query in the streaming engine. Batches are handed over through a short queue, so that what is in memory does
/// not grow with the file.
///
/// # Errors
/// Outer: what `each` found wrong. Inner: what the engine did.
pub(super) fn stream<F>(frame: LazyFrame, ordered: bool, mut each: F) -> Result<PolarsResult<()>, IngestError>
where
    F: FnMut(DataFrame) -> Result<(), IngestError>,
{
    let (send, receive) = sync_channel::<DataFrame>(2);
    std::thread::scope(|scope| {
        let engine = scope.spawn(move || {
            let callback = PlanCallback::new(move |df| Ok(send.send(df).is_err()));
            frame.sink_batches(callback, ordered, None)?.collect_with_engine(Engine::Streaming).map(drop)
        });
        let mut ours = Ok(());
        for df in &receive {
            ours = each(df);
            if ours.is_err() {
                break;
            }
        }
        // A closed queue tells the engine to stop.
        drop(receive);
        let theirs = engine.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        ours.map(|()| theirs)
    })
}

impl Physical {
    fn dtype(self) -> DataType {
        match self {
            Self::Integer | Self::Micros => DataType::Int64,
            Self::Float => DataType::Float64,
            Self::Text => DataType::String,
        }
    }
}

impl ItemSet {
    /// Names are compared trimmed.
    fn mask(&self, column: &Column) -> PolarsResult<Column> {
        let series = column.as_materialized_series();
        let mask: BooleanChunked = match (self, series.dtype()) {
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
        };
        Ok(mask.with_name(column.name().clone()).into_column())
    }
}

fn parquet_schema(file: &SourceFile) -> Result<Schema, IngestError> {
    let open = || {
        let path = PlRefPath::try_from_path(&file.path)?;
        let mut frame = LazyFrame::scan_parquet(path, ScanArgsParquet { glob: false, ..Default::default() })?;
        frame.collect_schema().map(|s| s.as_ref().clone())
    };
    open().map_err(|e: PolarsError| IngestError::Engine { file: file.name.clone(), reason: Box::new(e) })
}

fn wanted_name(i: usize) -> PlSmallStr {
    format!("wanted{i}").into()
}
