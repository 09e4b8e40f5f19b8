//! Source files → one row per record in original units, with everything that happened on the way accounted for.
//! Polars lives here and nowhere else.
//!
//! ```text
//! files     which files make a table; hashes            plan     schema + pipeline compiled for one pass
//! scan      typed streaming reads                       delimited  CSV by blocks, side by side
//! batch     cells of a batch by row                     cache    the event store
//! facts     records and static tables, joined           records  ids, subjects, times; events → records
//! events    the pass over event tables                  measure  row → value in the variable's unit
//! lookup    items and drop rules of a table             reason   why a row gave no value
//! gathered  what was measured in each window            finding  a value, absent, or not usable
//! duplicates  copies and second measurements            stored   Parquet types → declared types
//! calendar  dates, times with a zone                    age      years by the calendar
//! accumulate  order-independent aggregates              cohort   rules in order
//! bins      windows of a record, one or many            anchor   what windows count from
//! derive    variables computed from others              columns  windows → features
//! explain   one cell with all its rows                  trace    what it follows
//! fact_rows rows of small tables                        warnings  sentences about tables and variables
//! wide      tables with one row per record already      write    Parquet and CSV outputs
//! source    table files as stretches of columns         spelling what a cell says, as learnt on training rows
//! ```

mod accumulate;
mod age;
mod anchor;
mod audit;
mod batch;
mod bins;
mod cache;
mod calendar;
mod cohort;
mod columns;
mod delimited;
mod derive;
mod duplicates;
mod error;
mod events;
mod explain;
mod fact_rows;
mod facts;
mod files;
mod finding;
mod gathered;
mod locate;
mod lookup;
mod measure;
mod plan;
mod progress;
mod reason;
mod records;
mod run;
mod scan;
mod source;
mod spelling;
mod stored;
mod table;
mod table_writer;
#[cfg(test)]
mod tests;
mod text;
mod trace;
mod warnings;
mod wide;
mod write;

pub use audit::{Audit, CohortStep, ColumnAudit, InputFile, TableAudit, VariableAudit};
pub use error::{IngestError, MissingColumn};
pub use explain::{Explanation, explain};
pub use progress::{IngestProgress, NoProgress};
pub use run::{BadRows, IngestOptions, ingest, ingest_with};
pub use spelling::{Codes, Marks, Spelling};
pub use table::{Cells, Column, Names, RecordTable, Subjects, Texts};
pub use table_writer::TableWriter;
pub use trace::TracedRow;
pub use wide::{
    Expected, NewTable, column_names, draft_wide, read_columns, read_expected, read_only_expected, read_wide,
};
pub use write::{OutputCells, OutputColumn, find_our_name, write_features, write_table};
