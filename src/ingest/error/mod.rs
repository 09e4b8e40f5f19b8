//! What can be wrong with an input, said with file, row, column and remedy and never with a patient's value.

mod hint;
mod message;

use polars_core::error::PolarsError;

use super::PartError;
use super::source::UNSUSPECTED_TIMES;
use crate::error::IoError;
use crate::output::OutputError;
pub use message::MissingColumn;
use message::{duplicate_ids, missing_columns, missing_table_columns, missing_tables};
use message::{part_columns, plural, unknown_format};

/// Why an input could not be read, or an output table not be written. Rows are counted from 1 at the first
/// line below the header.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum IngestError {
    /// Whoever reads a table wants no more of its rows; why is their own error.
    #[error("reading was stopped")]
    Stopped,
    /// The file system refused.
    #[error(transparent)]
    Io(#[from] IoError),
    /// An output could not be staged or committed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// A URL was given as a path.
    #[error("`{0}` is an address, not a file")]
    Remote(String),
    /// The input does not exist.
    #[error("there is no file or folder {0}")]
    NoInput(String),
    /// The input is neither a file nor a folder.
    #[error("{0} is a pipe or a device and no file")]
    NoFile(String),
    /// A folder without any table file.
    #[error("folder {0} holds no table: no .csv, .tsv, .txt (also with .gz), .parquet or .arrow file")]
    NoFiles(String),
    /// A wide folder without its training table.
    #[error("folder {folder} holds no train.csv, train.csv.gz or train.parquet")]
    NoTrain {
        /// The folder.
        folder: String,
    },
    /// A file of another type.
    #[error("{}", unknown_format(.0))]
    UnknownFormat(String),
    /// An output of another type.
    #[error("{0}: tables are written as .csv, .parquet or .arrow")]
    OutputFormat(String),
    /// Tables without a file.
    #[error("{}", missing_tables(.tables, .folder))]
    MissingTables {
        /// Table names with the file stems looked for.
        tables: Vec<(String, Vec<String>)>,
        /// Where they were looked for.
        folder: String,
    },
    /// The same table twice under one stem.
    #[error("table `{table}` is there more than once: {}", .files.join(", "))]
    AmbiguousFiles {
        /// Table name.
        table: String,
        /// Files with the same stem.
        files: Vec<String>,
    },
    /// Columns that files have not.
    #[error("{}", missing_columns(.0))]
    MissingColumns(
        /// File names with the columns each lacks.
        Vec<(String, Vec<String>)>,
    ),
    /// Columns that files of event tables and tables of facts have not.
    #[error("{}", missing_table_columns(.0))]
    MissingTableColumns(
        /// File names with the columns each lacks.
        Vec<(String, Vec<MissingColumn>)>,
    ),
    /// Columns that a table must not have.
    #[error("{file} has columns the model does not know: {columns}")]
    UnknownColumns {
        /// The file.
        file: String,
        /// Their names.
        columns: String,
    },
    /// Two columns of one name.
    #[error("{file} has the column `{column}` more than once")]
    DuplicateColumn {
        /// File.
        file: String,
        /// Column.
        column: String,
    },
    /// No header, or no row below it.
    #[error("{0} is empty")]
    Empty(String),
    /// A compressed file that ends early, or is damaged.
    #[error("{0} is truncated or damaged: its compressed data end before they are complete")]
    Truncated(String),
    /// A cell that is not of the declared type.
    #[error("{file}: row {row}, column `{column}` is not {expected}")]
    WrongType {
        /// File.
        file: String,
        /// Row, from 1 below the header.
        row: u64,
        /// Column.
        column: String,
        /// What is allowed there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// A cell of a wide table that does not fit its column.
    #[error("{file}: {place}, column `{column}` is not {expected}")]
    WrongCell {
        /// File.
        file: String,
        /// Line of the file as an editor counts it, with the row, or the row alone.
        place: String,
        /// Row, from 1 below the header.
        row: u64,
        /// Column.
        column: String,
        /// What is allowed there.
        expected: Box<str>,
        /// What to do about it.
        remedy: String,
    },
    /// A Parquet column of another type.
    #[error("{file}: column `{column}` is stored as {found}, not as {expected}")]
    WrongColumnType {
        /// File.
        file: String,
        /// Column.
        column: String,
        /// Stored type.
        found: String,
        /// Declared type.
        expected: String,
    },
    /// Times that cannot be subtracted from each other.
    #[error("{zoned} has times with a time zone other than UTC, and {plain} has times without a zone")]
    MixedZones {
        /// A file with zones.
        zoned: String,
        /// A file without.
        plain: String,
    },
    /// An infinity or NaN written as such.
    #[error("{file}: row {row}, column `{column}` holds an infinity or NaN")]
    NonFinite {
        /// File.
        file: String,
        /// Row, from 1 below the header.
        row: u64,
        /// Column.
        column: String,
    },
    /// A row with another number of fields than the header.
    #[error("{file}: row {row} has {found} fields where the header has {expected}")]
    Ragged {
        /// File.
        file: String,
        /// Row, from 1 below the header.
        row: u64,
        /// Fields found.
        found: u64,
        /// Fields of the header.
        expected: u64,
    },
    /// A line of a text file with another number of cells than the header.
    #[error("{file}: line {line} has {found} {} where the header has {expected}", plural(*.found as usize, "cell", "cells"))]
    RaggedLine {
        /// File.
        file: String,
        /// Line of the file, from 1, in which the row begins.
        line: u64,
        /// Cells found.
        found: u64,
        /// Cells of the header.
        expected: u64,
    },
    /// A quote without its partner, where its line is known.
    #[error("{file}: a quote is opened in the row of line {line} and never closed")]
    OpenQuoteInLine {
        /// File.
        file: String,
        /// Line of the file, from 1, in which the row begins.
        line: u64,
    },
    /// A cell of a text file that is not of the declared type.
    #[error("{file}: line {line}, column `{column}` is not {expected}")]
    WrongCellInLine {
        /// File.
        file: String,
        /// Line of the file, from 1, in which the row begins.
        line: u64,
        /// Column.
        column: String,
        /// What is allowed there.
        expected: String,
        /// What to do about it.
        remedy: String,
    },
    /// A line of a text file that is not UTF-8.
    #[error("{file}: line {line} is not UTF-8 text")]
    NotUtf8Line {
        /// File.
        file: String,
        /// Line of the file, from 1, in which the row begins.
        line: u64,
    },
    /// Bytes that mean nothing in the encoding of the file.
    #[error("{file}: line {line} holds bytes that are no text, neither in UTF-8 nor in Windows-1252")]
    UnknownEncoding {
        /// File.
        file: String,
        /// Line of the file, from 1.
        line: u64,
    },
    /// Lines in more than one encoding.
    #[error(
        "{file}: line {line} is in another encoding than the lines before it, so that one of them would be \
         misread"
    )]
    MixedEncodings {
        /// File.
        file: String,
        /// Line of the file, from 1.
        line: u64,
    },
    /// A NUL byte.
    #[error("{file}: line {line} holds a NUL byte, which no text does")]
    Nul {
        /// File.
        file: String,
        /// Line of the file, from 1.
        line: u64,
    },
    /// Bytes behind the compressed data.
    #[error("{0}: behind its compressed data stand bytes that are neither compressed data nor padding")]
    BehindGzip(String),
    /// Far more rows or cells than a file of its size can tell apart.
    #[error(
        "{file} has {rows} rows of {columns} columns in {bytes} bytes, which is less than a file that holds values has"
    )]
    NothingInRows {
        /// File.
        file: String,
        /// Rows that it says it has.
        rows: u64,
        /// Columns.
        columns: u64,
        /// Its size.
        bytes: u64,
    },
    /// A file that another program wrote to while it was read.
    #[error("{0} was changed or replaced while it was read")]
    Changed(String),
    /// Compressed data that unpack to far more than a table would.
    #[error(
        "{0} unpacks to more than {UNSUSPECTED_TIMES} times its size, and to more rows or cells than a file of \
         its size can tell apart"
    )]
    Bomb(String),
    /// A file that is something else than a table.
    #[error("{file} is no table: it is {what}")]
    Foreign {
        /// File.
        file: String,
        /// What it is.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A file of a kind that is not read, by its name.
    #[error("{file}: files that end in {extension} are not read")]
    UnreadableFormat {
        /// File.
        file: String,
        /// Its extension.
        extension: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A folder whose rows are divided over folders of its own.
    #[error("folder {folder} is partitioned into folders such as `{partition}`, which are not read")]
    Partitioned {
        /// The folder.
        folder: String,
        /// One of the folders in it.
        partition: String,
    },
    /// Two separators that divide a text equally well.
    #[error("{file}: its cells may be separated by {one} or by {other}, since both divide every row alike")]
    TwoSeparators {
        /// File.
        file: String,
        /// The one.
        one: String,
        /// The other.
        other: String,
    },
    /// Two columns of one name, where the name cannot be told.
    #[error("{file} has two columns of one name")]
    DuplicateColumns {
        /// File.
        file: String,
    },
    /// A file of a table in several files that has other columns.
    #[error("{}", part_columns(.file, .first, .lacks, .adds))]
    PartColumns {
        /// File.
        file: String,
        /// The first file, whose columns are expected.
        first: String,
        /// Columns it lacks.
        lacks: String,
        /// Columns it has besides.
        adds: String,
    },
    /// A file of a table in several files whose column has another type.
    #[error("{file}: column `{column}` holds {found}, and in {first} it holds {expected}")]
    PartType {
        /// File.
        file: String,
        /// Column.
        column: String,
        /// Its type there.
        found: Box<str>,
        /// The first file.
        first: String,
        /// The type in it.
        expected: Box<str>,
    },
    /// A cell of a file with types that cannot be handed on.
    #[error("{file}: column `{column}` holds a value that cannot be read without losing digits or text")]
    UnreadableCell {
        /// File.
        file: String,
        /// Column.
        column: String,
        /// Its message may quote the cell, so it is not part of ours.
        reason: Box<PolarsError>,
    },
    /// A header of absurd length.
    #[error("{file}: its first line has more than {most} columns")]
    TooManyColumns {
        /// File.
        file: String,
        /// The largest number that is read.
        most: usize,
    },
    /// A quote without its partner.
    #[error("{0}: a quote is opened and never closed, or a line does not end, within 64 MB")]
    OpenQuote(String),
    /// Bytes that are not UTF-8.
    #[error("{file}: row {row} is not UTF-8 text")]
    NotUtf8 {
        /// File.
        file: String,
        /// Row, from 1 below the header.
        row: u64,
    },
    /// An item the table cannot hold.
    #[error(
        "variable `{variable}` names the item `{item}`, which the {kind} column of `{table}` cannot hold"
    )]
    UnknownItem {
        /// Variable.
        variable: String,
        /// Item.
        item: String,
        /// Type of the item column.
        kind: &'static str,
        /// Table.
        table: String,
    },
    /// A name the schema or the table has not.
    #[error("{what} `{name}` is unknown to {place}")]
    UnknownName {
        /// Kind of thing: variable, table, column.
        what: &'static str,
        /// The name.
        name: String,
        /// Where it was looked for.
        place: String,
    },
    /// Stays are to be joined, and nothing says which.
    #[error("the pipeline joins stays into episodes, and schema `{schema}` does not say which make one")]
    NoEpisodes {
        /// The schema.
        schema: String,
    },
    /// A cell of a wide table is what the table says.
    #[error("a wide table has one cell per record and column, there is nothing to explain")]
    NothingToExplain,
    /// Parts that cannot be read or put together.
    #[error(transparent)]
    Part(#[from] PartError),
    /// Nothing left of the cohort.
    #[error("no record is left after {0}")]
    NoRecords(String),
    /// Ids that should be unique.
    #[error("{}", duplicate_ids(.file, .column, *.count, *.row, *.line))]
    DuplicateIds {
        /// File.
        file: String,
        /// Column.
        column: String,
        /// Ids met more than once.
        count: usize,
        /// First row that repeats an id; 0 where rows have no number.
        row: u64,
        /// Line of the file in which that row begins, where it is known.
        line: Option<u64>,
    },
    /// The reader gave up for a reason of its own.
    #[error("cannot read {file}")]
    Engine {
        /// File.
        file: String,
        /// Its message may quote cells, so it is not part of ours.
        reason: Box<PolarsError>,
    },
    /// The writer gave up.
    #[error("cannot write {file}")]
    Write {
        /// File.
        file: String,
        /// The cause.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}
