//! The rows of the records table or of a static table, read whole.

use super::fact::Fact;
use crate::ingest::events::reason::MALFORMED;
use crate::ingest::typed::batch::{BatchColumn, WrongCell};
use crate::ingest::typed::calendar::Zones;
use crate::ingest::typed::file::TypedFile;
use crate::ingest::{IngestError, TableAudit};

/// The rows of a small table in file order, with the files they came from.
#[derive(Debug)]
pub(in crate::ingest) struct Rows {
    pub(in crate::ingest) facts: Vec<Vec<Fact>>,
    /// Name of each file and the index of its first row.
    files: Vec<(String, usize)>,
    names: Vec<String>,
}

impl Rows {
    /// Reads the files of a table, and begins the account of its rows.
    ///
    /// # Errors
    /// A wrong cell; times that are written in several ways.
    pub(in crate::ingest) fn read(
        table: &str,
        files: &[TypedFile],
        zones: &mut Zones,
    ) -> Result<(Self, TableAudit), IngestError> {
        let mut all = Self { facts: Vec::new(), files: Vec::new(), names: Vec::new() };
        let mut skipped = 0;
        for file in files {
            all.files.push((file.file.name.clone(), all.facts.len()));
            all.names = file.wanted.iter().map(|w| w.name.clone()).collect();
            let passed = file.scan(|columns, _| {
                for row in 0..columns.first().map_or(0, BatchColumn::len) {
                    let mut facts = Vec::with_capacity(columns.len());
                    for (i, column) in columns.iter().enumerate() {
                        facts.push(
                            Fact::read(column, file.wanted[i].dtype, row)
                                .map_err(|WrongCell| file.wrong_cell(i))?,
                        );
                    }
                    all.facts.push(facts);
                }
                Ok(())
            })?;
            zones.add(passed.zones, &file.file.name)?;
            skipped += passed.skipped;
        }
        let rows_read = all.facts.len() as u64 + skipped;
        let mut audit = TableAudit { table: table.to_string(), rows_read, ..TableAudit::default() };
        if skipped > 0 {
            audit.dropped.insert(MALFORMED.into(), skipped);
        }
        Ok((all, audit))
    }

    pub(in crate::ingest) fn wanted(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    pub(in crate::ingest) fn place(&self, name: &str) -> usize {
        let found = self.names.iter().position(|n| n.eq_ignore_ascii_case(name));
        found.expect("invariant: the plan asks for keys and record columns")
    }

    pub(in crate::ingest) fn duplicate(&self, at: usize, count: usize, column: &str) -> IngestError {
        let (file, first) =
            self.files.iter().rfind(|(_, first)| *first <= at).expect("invariant: a row is in a file");
        let row = (at - first) as u64 + 1;
        IngestError::DuplicateIds { file: file.clone(), column: column.to_string(), count, row }
    }
}
