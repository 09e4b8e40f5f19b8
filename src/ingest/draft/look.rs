//! What the columns of a table look like in its first rows.

use std::collections::{BTreeMap, HashSet};

use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::ingest::source::{Cell, Source};
use crate::ingest::text::{parse_quantity, shortest};
use crate::ingest::typed::calendar::parse_moment;

/// Rows that are looked at.
const ROWS: usize = 50_000;

/// A table.
#[derive(Debug)]
pub(super) struct Table {
    /// Path within the folder, without its ending and in lower case.
    pub(super) stem: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: usize,
}

/// A column.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) name: String,
    /// The cells as texts, empty where there is none.
    pub(super) cells: Vec<String>,
    pub(super) filled: usize,
    pub(super) different: usize,
    /// Cells that are numbers, with a unit behind or without.
    pub(super) numbers: usize,
    /// Of those, numbers with a unit or another sign behind.
    pub(super) quantities: usize,
    /// Cells that are whole numbers.
    pub(super) whole: usize,
    /// Cells that are dates.
    pub(super) moments: usize,
}

impl Column {
    /// The name in lower case.
    pub(super) fn lower(&self) -> String {
        self.name.to_lowercase()
    }

    /// Whether the name holds one of some words.
    pub(super) fn says(&self, words: &[&str]) -> bool {
        let lower = self.lower();
        words.iter().any(|word| lower.contains(word))
    }

    /// Whether nearly all cells are numbers.
    pub(super) fn is_number(&self) -> bool {
        self.filled > 0 && self.numbers * 20 >= self.filled * 19
    }

    /// Whether nearly all cells are dates.
    pub(super) fn is_moment(&self) -> bool {
        self.filled > 0 && self.moments * 20 >= self.filled * 19
    }

    /// Whether every row has another cell.
    pub(super) fn is_unique(&self, rows: usize) -> bool {
        rows > 1 && self.filled == rows && self.different == rows
    }

    /// The type that the schema gives it.
    pub(super) fn dtype(&self) -> &'static str {
        match self {
            _ if self.is_moment() => "datetime",
            _ if self.filled > 0 && self.whole == self.filled => "integer",
            _ if self.filled > 0 && self.numbers == self.filled && self.quantities == 0 => "float",
            _ => "text",
        }
    }
}

/// Reads the first rows of a file.
pub(super) fn table(file: SourceFile) -> Result<Table, IngestError> {
    let stem = file.stem.clone();
    let source = Source::open_parts(vec![file])?;
    let places: Vec<usize> = (0..source.columns.len()).collect();
    let mut cells: Vec<Vec<String>> = vec![Vec::new(); places.len()];
    let mut rows = 0;
    let read = source.read(&places, |batch| {
        for (column, cells) in cells.iter_mut().enumerate() {
            batch.each_cell(column, |_, cell| cells.push(written(cell)));
        }
        rows += batch.n_rows();
        if rows >= ROWS { Err(IngestError::Stopped) } else { Ok(()) }
    });
    match read {
        Ok(()) | Err(IngestError::Stopped) => {}
        Err(error) => return Err(error),
    }
    let columns = source.columns.iter().zip(cells).map(|(column, cells)| look(column.name.clone(), cells));
    Ok(Table { stem, columns: columns.collect(), rows })
}

fn written(cell: Cell<'_>) -> String {
    match cell {
        Cell::Text(text) => text.trim().to_owned(),
        Cell::Number(x) if x.is_finite() => shortest(x),
        Cell::Integer(n) => n.to_string(),
        Cell::Bool(truth) => truth.to_string(),
        // Of a column of dates it matters that they are dates; which, no concept asks.
        Cell::Temporal => "2000-01-01 00:00:00".to_owned(),
        Cell::Null | Cell::Number(_) => String::new(),
    }
}

/// Counts what the cells of a column say.
pub(super) fn look(name: String, cells: Vec<String>) -> Column {
    let (mut numbers, mut quantities, mut whole, mut moments, mut filled) = (0, 0, 0, 0, 0);
    for cell in cells.iter().filter(|cell| !cell.is_empty()) {
        filled += 1;
        if let Some((_, unit)) = parse_quantity(cell) {
            numbers += 1;
            quantities += usize::from(unit.is_some());
        }
        whole += usize::from(cell.parse::<i64>().is_ok());
        moments += usize::from(cell.len() >= 10 && parse_moment(cell).is_some());
    }
    let different = cells.iter().filter(|cell| !cell.is_empty()).collect::<HashSet<_>>().len();
    Column { name, cells, filled, different, numbers, quantities, whole, moments }
}

/// Rows of each text of a column.
pub(super) fn by_text(column: &Column) -> BTreeMap<&str, Vec<usize>> {
    let mut rows: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (row, cell) in column.cells.iter().enumerate().filter(|(_, cell)| !cell.is_empty()) {
        rows.entry(cell.as_str()).or_default().push(row);
    }
    rows
}
