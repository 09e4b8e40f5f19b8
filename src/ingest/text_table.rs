//! A table of texts that is no data of records, such as a file of labels: any format that tables may have,
//! the cells as they are written.

use std::path::Path;

use super::IngestError;
use super::files;
use super::source::{Cell, Source};
use super::text::shortest;

/// A table whose header has been read.
pub struct TextTable {
    source: Source,
    header: Vec<String>,
}

impl TextTable {
    /// Opens a table file, of whatever separator and encoding, or its Parquet or Arrow form.
    ///
    /// # Errors
    /// A file that cannot be opened, or is no table.
    pub fn open(path: &Path) -> Result<Self, IngestError> {
        let source = Source::open_parts(files::parts(path)?)?;
        let header = source.columns.iter().map(|column| column.name.clone()).collect();
        Ok(Self { source, header })
    }

    /// Names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// Calls `each` with every row: where it stands ("line 12"), and its trimmed cells in the columns at the
    /// places `columns`; a cell without a value is empty.
    ///
    /// # Errors
    /// Damage to the file, with the place of the row; what `each` finds wrong.
    pub fn each<E: From<IngestError>>(
        &self,
        columns: &[usize],
        mut each: impl FnMut(String, &[String]) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut refused = None;
        let read = self.source.read(columns, |batch| {
            let mut rows = vec![Vec::with_capacity(columns.len()); batch.n_rows()];
            for column in 0..columns.len() {
                batch.each_cell(column, |row, cell| rows[row].push(written(cell)));
            }
            for (row, cells) in rows.iter().enumerate() {
                if let Err(error) = each(batch.place(row).to_string(), cells) {
                    refused = Some(error);
                    return Err(IngestError::Stopped);
                }
            }
            Ok(())
        });
        match refused {
            Some(error) => Err(error),
            None => Ok(read?),
        }
    }
}

fn written(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Number(x) if x.is_finite() => shortest(x),
        Cell::Integer(n) => n.to_string(),
        Cell::Bool(truth) => truth.to_string(),
        Cell::Null | Cell::Temporal | Cell::Number(_) => String::new(),
    }
}
