//! Tables of every kind, read and compared: texts in all dialects, the files of other programs, damaged
//! files.

mod dialects;
mod fuzz;
mod hostile;
mod parts;
mod property;
mod writers;

use std::path::Path;

use super::{Batch, Cell, Place, Source};
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;

/// A table as texts: names, rows, the place of each row, and what was said.
#[derive(Debug, PartialEq)]
struct Table {
    names: Vec<String>,
    rows: Vec<Vec<Option<String>>>,
    places: Vec<Place>,
    said: Vec<String>,
}

/// Writes `bytes` to a file called `name` and reads it.
fn read_as(name: &str, bytes: &[u8]) -> Result<Table, IngestError> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    read(&path)
}

fn read(path: &Path) -> Result<Table, IngestError> {
    let file = SourceFile::new(path).unwrap_or_else(|| panic!("{} is a table by its name", path.display()));
    table(&Source::open(file)?)
}

fn table(source: &Source) -> Result<Table, IngestError> {
    let readable = |i: &usize| !matches!(source.columns[*i].stored, super::StoredType::Unreadable(_));
    let columns: Vec<usize> = (0..source.columns.len()).filter(readable).collect();
    let mut table = Table {
        names: columns.iter().map(|i| source.columns[*i].name.clone()).collect(),
        rows: Vec::new(),
        places: Vec::new(),
        said: Vec::new(),
    };
    source.read(&columns, |batch| {
        let cells: Vec<Vec<Option<String>>> = (0..columns.len()).map(|i| texts(batch, i)).collect();
        for row in 0..batch.n_rows() {
            table.rows.push(cells.iter().map(|cells| cells[row].clone()).collect());
            table.places.push(batch.place(row));
        }
        Ok(())
    })?;
    table.said = source.messages().iter().map(ToString::to_string).collect();
    Ok(table)
}

/// The cells of a column; of one with times only whether they are there.
fn texts(batch: &Batch, column: usize) -> Vec<Option<String>> {
    let mut texts = Vec::new();
    batch.each_cell(column, |_, cell| {
        texts.push(match cell {
            Cell::Null => None,
            Cell::Text(text) => Some(text.to_owned()),
            Cell::Bool(v) => Some(v.to_string()),
            Cell::Integer(v) => Some(v.to_string()),
            Cell::Number(v) => Some(format!("{v:?}")),
            Cell::Temporal => Some("temporal".to_owned()),
        });
    });
    texts
}
