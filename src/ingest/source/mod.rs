//! One reader for every table file: text, Parquet and Arrow come out as stretches of Polars columns in a
//! handful of types. Nothing here knows what a column means, which cells count as missing, or what a number
//! in a text says.
//!
//! ```text
//! gzip       stored bytes → bytes of all members         encoding   bytes → UTF-8
//! dialect    separator, lines before the header          header     names of columns
//! blocks     text → blocks of whole records              in_order   blocks side by side, results in order
//! column     types and names of columns
//! cells      block → where its cells stand               batch      rows as they are handed on
//! delimited  a text file as a table
//! parquet, arrow  files with types                       types      their types → ours
//! arrow_lengths   what Arrow files say of their lengths
//! stored     both of them, decoded ahead                 guard      panics of decoders are errors
//! fault      what is wrong with bytes                    notes      what is said about a file that is read
//! parts      several files of one table
//! ```

mod arrow;
mod arrow_lengths;
mod batch;
mod blocks;
mod cells;
mod column;
mod delimited;
mod dialect;
mod encoding;
mod fault;
mod guard;
mod gzip;
mod header;
mod in_order;
mod notes;
mod opened;
mod parquet;
mod parquet_pages;
mod parts;
mod stored;
#[cfg(test)]
mod tests;
mod types;

use super::IngestError;
use crate::ingest::files::{Format, SourceFile};
use crate::message::Message;
use batch::{Held, Places};
use delimited::DelimitedTable;
use stored::TypedColumn;

pub(super) use batch::{Batch, Cell, Place};
pub(super) use column::{StoredColumn, StoredType, engine};
pub(super) use fault::TextFault;
pub(super) use gzip::UNSUSPECTED_TIMES;
pub(super) use in_order::parse_in_order;
pub(super) use notes::{Note, Notes};
pub(super) use stored::StoredTable;
pub(super) use types::{described, polars_type};

/// A table that has been opened: its columns are known, its rows have not been read.
pub(super) struct Source {
    /// The first file.
    pub(super) file: SourceFile,
    /// All files, in the order in which their rows come.
    pub(super) files: Vec<SourceFile>,
    /// Columns of the first file; the others have them too.
    pub(super) columns: Vec<StoredColumn>,
    parts: Vec<Part>,
}

/// A file of a table.
struct Part {
    table: Table,
    /// For each column of the source, its place among the columns of this file.
    places: Vec<usize>,
    columns: Vec<StoredColumn>,
}

enum Table {
    Delimited(DelimitedTable),
    Stored(StoredTable, Vec<TypedColumn>),
}

impl Source {
    /// A table in one file.
    #[cfg(test)]
    pub(super) fn open(file: SourceFile) -> Result<Self, IngestError> {
        Self::open_parts(vec![file])
    }

    /// What a user should know about the file or files. Some of them are known only once all rows have
    /// been read.
    pub(super) fn messages(&self) -> Vec<Message> {
        self.files.iter().flat_map(|file| file.notes.messages()).collect()
    }

    /// Calls `each` with the columns at the places `columns`, in that order and a stretch of rows at a time.
    ///
    /// # Errors
    /// Damage to the file, with the place of the row where there is one; what `each` finds wrong.
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(&Batch) -> Result<(), IngestError>,
    {
        let mut before = 0;
        for (file, part) in self.parts.iter().enumerate() {
            let size = self.files[file].size();
            let places: Vec<usize> = columns.iter().map(|column| part.places[*column]).collect();
            match &part.table {
                Table::Delimited(table) => table.read(&places, |parsed, asked, first, read| {
                    let (rows, within) = (parsed.lines.len(), parsed.lines);
                    let held = Held::Text(parsed.cells, asked);
                    let (places, bytes) = (Places::Lines { first, within }, before + read);
                    each(&Batch { held, file, places, rows, bytes })
                })?,
                Table::Stored(table, typed) => {
                    let typed: Vec<&TypedColumn> = places.iter().map(|place| &typed[*place]).collect();
                    let mut first = 1;
                    table.read_converted(&typed, |frame| {
                        let (rows, places) = (frame.height(), Places::Rows(first));
                        first += rows as u64;
                        let share = table.n_rows().map_or(0.0, |n| (first - 1) as f64 / n.max(1) as f64);
                        let bytes = before + (share * size as f64) as u64;
                        let held = Held::Typed(self.as_first(file, part, columns, frame)?);
                        each(&Batch { held, file, places, rows, bytes })
                    })?;
                }
            }
            before += size;
        }
        Ok(())
    }
}

/// Opens one file, with the columns that can be asked for.
fn open_table(file: &SourceFile) -> Result<(Table, Vec<StoredColumn>), IngestError> {
    match file.format {
        Format::Csv => {
            let (table, columns) = DelimitedTable::open(file)?;
            Ok((Table::Delimited(table), columns))
        }
        Format::Parquet | Format::Arrow => {
            let table = StoredTable::open(file)?;
            let typed = table.columns()?;
            let columns = typed.iter().map(|typed| typed.column.clone()).collect();
            Ok((Table::Stored(table, typed), columns))
        }
    }
}
