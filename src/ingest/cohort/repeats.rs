//! Ids and keys that more than one row of a table of facts has: copies are dropped and counted, and rows that
//! contradict each other are refused.

use std::collections::HashSet;

use super::fact_rows::Rows;
use crate::ingest::events::reason::COPY;
use crate::ingest::typed::file::TypedFile;
use crate::ingest::{IngestError, TableAudit};

/// Rows whose id or key was met before.
#[derive(Default)]
pub(super) struct Repeats {
    /// Numbers of the ids or keys that say different things.
    contradicted: HashSet<u32>,
    /// The first row that contradicts an earlier one.
    first: Option<usize>,
}

impl Repeats {
    /// The row `at` has the id or key number `key` of an earlier row. Copies are dropped.
    pub(super) fn add(&mut self, key: u32, at: usize, is_copy: bool, audit: &mut TableAudit) {
        if is_copy {
            *audit.dropped.entry(COPY.into()).or_default() += 1;
        } else {
            self.contradicted.insert(key);
            self.first.get_or_insert(at);
        }
    }

    /// Refuses a table in which an id or a key says different things.
    pub(super) fn refuse(&self, rows: &Rows, files: &[TypedFile], column: &str) -> Result<(), IngestError> {
        self.first.map_or(Ok(()), |at| Err(rows.duplicate(files, at, self.contradicted.len(), column)))
    }
}
