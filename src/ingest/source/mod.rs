//! One reader for every table file: text and Parquet come out as stretches of Polars columns in a handful of types.
//! Nothing here knows what a column means, which cells count as missing, or what a number in a text says.

mod delimited;
pub(super) mod parquet;

use polars_core::prelude::*;

use super::IngestError;
use super::files::{Format, SourceFile};
use delimited::DelimitedTable;
use parquet::ParquetTable;

/// The type in which the cells of a column arrive, whatever file they come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum StoredType {
    /// Texts as written, neither trimmed nor interpreted; of a text file every column.
    Text,
    /// Booleans.
    Boolean,
    /// Whole numbers that fit 64 bits with a sign.
    Integer,
    /// Floating-point numbers, decimals, and whole numbers beyond 63 bits.
    Number,
    /// Dates, times of day, time stamps and durations; the name of the type is for messages.
    Temporal(String),
    /// A column whose cells cannot be a feature, such as a list; it is never read, and the name is for messages.
    Unreadable(String),
}

/// A column of a table file.
#[derive(Debug, Clone)]
pub(super) struct StoredColumn {
    /// Header as written, trimmed.
    pub(super) name: String,
    pub(super) stored: StoredType,
}

/// Some rows of a table, with the columns that were asked for.
pub(super) struct Batch {
    /// Columns in the order they were asked for, as `String`, `Boolean`, `Int64`, `Float64`, or a temporal type.
    pub(super) frame: DataFrame,
    places: Places,
}

/// Where the rows of a batch stand in their file.
enum Places {
    /// Line of each row as an editor counts it.
    Lines(Vec<u64>),
    /// Number of the first row, from 1.
    Rows(u64),
}

/// Where a row stands, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Line of a text file, the header being line 1 where nothing stands before it.
    Line(u64),
    /// Row of a file without lines, from 1.
    Row(u64),
}

impl Batch {
    /// Where a row of the batch stands in its file.
    pub(super) fn place(&self, row: usize) -> Place {
        match &self.places {
            Places::Lines(lines) => Place::Line(lines[row]),
            Places::Rows(first) => Place::Row(first + row as u64),
        }
    }
}

/// A table file that has been opened: its columns are known, its rows have not been read.
pub(super) struct Source {
    pub(super) file: SourceFile,
    pub(super) columns: Vec<StoredColumn>,
    table: Table,
}

enum Table {
    Delimited(DelimitedTable),
    Parquet(ParquetTable),
}

impl Source {
    /// Reads the header.
    ///
    /// # Errors
    /// A file that cannot be opened, or is not what its name says.
    pub(super) fn open(file: SourceFile) -> Result<Self, IngestError> {
        let (table, columns) = match file.format {
            Format::Csv => {
                let (table, columns) = DelimitedTable::open(&file)?;
                (Table::Delimited(table), columns)
            }
            Format::Parquet => {
                let table = ParquetTable::open(&file)?;
                let columns = table.columns();
                (Table::Parquet(table), columns)
            }
        };
        Ok(Self { file, columns, table })
    }

    /// Calls `each` with the columns at the places `columns`, in that order and a stretch of rows at a time.
    ///
    /// # Errors
    /// Damage to the file, with the place of the row where there is one; what `each` finds wrong.
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(&Batch) -> Result<(), IngestError>,
    {
        match &self.table {
            Table::Delimited(table) => table.read(columns, each),
            Table::Parquet(table) => {
                let mut first = 1;
                table.read(columns, |frame| {
                    let rows = frame.height() as u64;
                    let frame = parquet::in_few_types(&frame).map_err(|e| parquet::engine(&self.file, e))?;
                    each(&Batch { frame, places: Places::Rows(first) })?;
                    first += rows;
                    Ok(())
                })
            }
        }
    }
}
