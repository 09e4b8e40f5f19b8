//! Part of a bundle: the rows of some of the patients, aggregated and counted, with nothing fitted. Parts
//! that are put together give what one run over all patients gives, to the bit.
//!
//! Of a database, every part reads the tables of records and facts in whole and the event rows of its own
//! patients. Of a wide table, every part reads all rows, since what a column is follows from all of them, and
//! keeps those of its own patients.
//!
//! ```text
//! manifest  part.json: what a part is of, and its account     rows   rows.parquet
//! merge     parts → the table of one run                      error  what can be wrong with parts
//! ```

mod error;
mod manifest;
mod merge;
mod rows;

use std::fs;
use std::path::Path;

use crate::error::IoError;
use crate::num::hex::sha256;
use crate::plain_file;
use crate::schema::{Pipeline, Schema};

use super::cohort::run::share;
use super::gather::{RowAt, gather};
use super::{IngestError, IngestOptions, IngestProgress, Part, RecordTable, Subjects, read_wide};
pub use error::PartError;
use manifest::{Content, FORMAT_VERSION, Head, MANIFEST, PartManifest, TableAccount, Whose};
pub use merge::{Merged, merge};
use rows::{PartRows, Places, ROWS};

/// The rows of a part with their account.
#[derive(Debug, Clone)]
pub struct PartBundle {
    manifest: PartManifest,
    rows: PartRows,
}

/// What a part has come to, in numbers.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct PartSummary {
    /// Which part it is, as `K/N`.
    pub part: String,
    /// Rows of the bundle: records, or windows of them.
    pub rows: usize,
    /// Of each table the rows that were read and are accounted for here; those of other parts are not.
    pub accounted: Vec<(String, u64)>,
}

impl PartBundle {
    /// Reads a database for one part of its patients.
    ///
    /// # Errors
    /// As for [`super::ingest`]; a pipeline that cannot be divided.
    pub fn of_cohort(
        schema: &Schema,
        pipeline: &Pipeline,
        input: &Path,
        options: &IngestOptions,
        progress: &dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let found = share(schema, pipeline, input, options, progress)?;
        let content = Content::Cohort(Box::new(found.account));
        let places = Places::Records(found.records);
        Ok(Self::new((pipeline, Some(schema)), options.part, found.table, places, content))
    }

    /// Reads a wide table, and keeps the rows of one part of its patients.
    ///
    /// # Errors
    /// As for [`read_wide`].
    pub fn of_table(
        pipeline: &Pipeline,
        input: &Path,
        part: Part,
        progress: &dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let all = read_wide(pipeline, input, progress)?;
        let rows: Vec<usize> = (0..all.n_records()).filter(|row| part.holds(all.subject(*row))).collect();
        let number = |row: usize| u32::try_from(row);
        let numbers = rows.iter().map(|row| number(*row)).collect::<Result<Vec<u32>, _>>();
        let too_many = || PartError::NotDivisible("the table has more than 2³² rows".into());
        let numbers = numbers.map_err(|_| too_many())?;
        let copies = numbers.iter().map(|row| match &all.subjects {
            Subjects::Copies(copies) => {
                copies.binary_search_by_key(row, |(copy, _)| *copy).ok().map(|at| copies[at].1)
            }
            Subjects::Records | Subjects::Named(_) => None,
        });
        let places = Places::Rows(numbers.clone(), copies.collect());
        let content = Content::Table(Box::new(TableAccount {
            n_rows: all.n_records(),
            subjects: Whose::of(&all.subjects),
            declares_splits: all.splits.is_some(),
            audit: all.audit.clone(),
        }));
        let places_in_all: Vec<RowAt> = rows.into_iter().map(|row| (0, row)).collect();
        let table = gather(std::slice::from_ref(&all), &places_in_all);
        Ok(Self::new((pipeline, None), part, table, places, content))
    }

    fn new(
        (pipeline, schema): (&Pipeline, Option<&Schema>),
        part: Part,
        table: RecordTable,
        places: Places,
        content: Content,
    ) -> Self {
        let subjects = match table.subjects {
            Subjects::Named(names) => Some(names),
            Subjects::Records | Subjects::Copies(_) => None,
        };
        let manifest = PartManifest {
            part_format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").into(),
            part,
            pipeline: pipeline.clone(),
            schema: schema.cloned(),
            n_rows: table.record_ids.len(),
            rows_sha256: String::new(),
            columns: table.columns.iter().map(Head::of).collect(),
            labels: table.labels.iter().map(Head::of).collect(),
            content,
        };
        let rows = PartRows {
            record_ids: table.record_ids,
            places,
            subjects,
            splits: table.splits,
            columns: table.columns,
            labels: table.labels,
        };
        Self { manifest, rows }
    }

    /// Writes `rows.parquet` and `part.json` into an existing, staged folder; the same part gives the same
    /// bytes.
    ///
    /// # Errors
    /// I/O failures.
    pub fn write(&mut self, dir: &Path) -> Result<(), IngestError> {
        let path = dir.join(ROWS);
        self.rows.write(&path)?;
        let bytes = plain_file::read(&path).map_err(IoError::on("read", &path))?;
        self.manifest.rows_sha256 = sha256(&bytes);
        let mut json =
            serde_json::to_vec_pretty(&self.manifest).expect("invariant: plain structs with text keys");
        json.push(b'\n');
        let path = dir.join(MANIFEST);
        Ok(fs::write(&path, json).map_err(IoError::on("write", &path))?)
    }

    /// Reads a part.
    ///
    /// # Errors
    /// A folder that is no part, that is damaged, or that another version of the program made.
    pub fn read(dir: &Path) -> Result<Self, PartError> {
        let manifest = PartManifest::read(dir)?;
        let path = dir.join(ROWS);
        plain_file::within(dir, &path)?;
        let bytes = plain_file::read(&path).map_err(IoError::on("read", &path))?;
        if sha256(&bytes) != manifest.rows_sha256 {
            let what = format!("its SHA-256 is not the one in {MANIFEST}");
            return Err(PartError::Damaged { path, what });
        }
        let rows = PartRows::read(&path, bytes, (&manifest.columns, &manifest.labels))?;
        Ok(Self { manifest, rows })
    }

    /// The part in numbers.
    pub fn summary(&self) -> PartSummary {
        let accounted = match &self.manifest.content {
            Content::Cohort(account) => {
                let mut account = account.clone();
                account.leave_other_parts();
                account.tables.into_iter().map(|table| (table.audit.table, table.audit.rows_read)).collect()
            }
            Content::Table(_) => vec![(self.manifest.pipeline.name.clone(), self.manifest.n_rows as u64)],
        };
        PartSummary { part: self.manifest.part.to_string(), rows: self.manifest.n_rows, accounted }
    }
}
