//! Delimited text: every column arrives as text, as written.

use polars_core::prelude::*;

use super::parquet::wanted_name;
use super::{Batch, Places, StoredColumn, StoredType};
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// Rows that are handed on at once.
const STRETCH: usize = 1 << 14;

/// A text file whose header has been read.
pub(super) struct DelimitedTable {
    file: SourceFile,
    n_columns: usize,
}

impl DelimitedTable {
    /// Reads the header.
    pub(super) fn open(file: &SourceFile) -> Result<(Self, Vec<StoredColumn>), IngestError> {
        let header = file.csv_header()?;
        let n_columns = header.len();
        let columns = header.into_iter().map(|name| StoredColumn { name, stored: StoredType::Text });
        Ok((Self { file: file.clone(), n_columns }, columns.collect()))
    }

    /// See [`super::Source::read`].
    pub(super) fn read<F>(&self, columns: &[usize], mut each: F) -> Result<(), IngestError>
    where
        F: FnMut(&Batch) -> Result<(), IngestError>,
    {
        let mut records = self.file.records()?;
        let mut record = csv::StringRecord::new();
        records.read_record(&mut record).map_err(|e| self.file.csv_error(e, 0))?;
        for row in (1..).step_by(STRETCH) {
            let mut texts = vec![StringChunkedBuilder::new("".into(), STRETCH); columns.len()];
            let mut lines = Vec::with_capacity(STRETCH);
            for row in row..row + STRETCH as u64 {
                if !records.read_record(&mut record).map_err(|e| self.file.csv_error(e, row))? {
                    break;
                }
                if record.len() != self.n_columns {
                    let (found, expected) = (record.len() as u64, self.n_columns as u64);
                    return Err(IngestError::Ragged { file: self.file.name.clone(), row, found, expected });
                }
                lines.push(record.position().map_or(0, csv::Position::line));
                for (texts, &column) in texts.iter_mut().zip(columns) {
                    texts.append_value(&record[column]);
                }
            }
            if lines.is_empty() {
                break;
            }
            let named = texts.into_iter().enumerate();
            let named = named.map(|(i, texts)| texts.finish().with_name(wanted_name(i)).into_column());
            let frame = DataFrame::new(lines.len(), named.collect())
                .expect("invariant: columns of one length and different names");
            each(&Batch { frame, places: Places::Lines(lines) })?;
        }
        Ok(())
    }
}
