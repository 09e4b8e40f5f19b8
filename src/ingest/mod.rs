//! Source files → one row per record in original units, with everything that happened on the way accounted
//! for. Polars lives here and nowhere else.
//!
//! ```text
//! source    table files as stretches of columns              spelling  what a cell says, as learnt on training rows
//! typed     the same under the types of a schema             files     files of tables and their formats; hashes
//! find      which files make a table
//! wide      tables with one row per record already           cohort    extracts of a database → one row per record
//! events    event tables → measurements in windows           audit     the account of what was read and left out
//! recognise which database a folder is from      check     whether an extract can be read, from its first rows
//! draft     a schema drafted from a folder of tables
//! npz       arrays for NumPy
//! write     Parquet, CSV and Arrow outputs                   table     records in original units
//! text_table  tables of texts that are no data               spool     a stream of bytes → a file that can be read
//! part      which patients are ingested                  parts     what one part comes to, as a folder
//! gather    rows of tables in a new order                      reading_plan  what an ingestion reads
//! parquet_out  Parquet as other programs read it
//! ```

mod arrow_stream;
mod audit;
mod check;
mod cohort;
mod draft;
mod error;
mod event_file;
mod events;
mod files;
mod find;
mod gather;
mod npz;
mod parquet_out;
mod part;
mod parts;
mod progress;
mod reading_plan;
mod recognise;
mod source;
mod spelling;
mod spool;
mod table;
mod table_writer;
#[cfg(test)]
mod tests;
mod text;
mod text_table;
mod typed;
mod wide;
mod write;

pub use audit::{Audit, CohortStep, ColumnAudit, InputFile, TableAudit, VariableAudit};
pub use check::{CheckFinding, Checked, check, nearest};
pub use cohort::{BadRows, Explanation, IngestOptions, explain, ingest, ingest_with};
pub use draft::{FolderDraft, draft_folder};
pub use error::{IngestError, MissingColumn};
pub use event_file::{EventBlock, EventFile, write_codes};
pub use events::TracedRow;
pub use npz::{NpzArray, write_npz};
pub use part::Part;
pub use parts::{Merged, PartBundle, PartError, PartSummary, merge};
pub use progress::{IngestProgress, NoProgress};
pub use reading_plan::{Items, PartitionKey, ReadingPlan, TablePlan, reading_plan};
pub use recognise::recognise;
pub use spelling::{Codes, Marks, Spelling};
pub use spool::spool;
pub use table::{Cells, Column, Names, RecordTable, Subjects, Texts};
pub use table_writer::TableWriter;
pub use text_table::TextTable;
pub use wide::{
    Expected, NewTable, column_names, draft_wide, read_columns, read_expected, read_only_expected, read_wide,
};
pub use write::{OutputCells, OutputColumn, find_our_name, write_features, write_labels, write_table};
