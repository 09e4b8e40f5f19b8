//! Some rows of a table, with the cells of the columns that were asked for.

use polars_core::prelude::*;

/// A cell as it is stored.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::ingest) enum Cell<'a> {
    Null,
    Text(&'a str),
    Number(f64),
    Integer(i64),
    Bool(bool),
    Temporal,
}

/// Some rows of a table.
pub(in crate::ingest) struct Batch {
    pub(super) held: Held,
    /// Which of [`super::Source::files`] the rows stand in.
    pub(in crate::ingest) file: usize,
    pub(super) places: Places,
    pub(super) rows: usize,
    /// Stored bytes of the table that are read by now, as well as that is known.
    pub(in crate::ingest) bytes: u64,
}

/// The columns of a batch, in the order they were asked for.
pub(super) enum Held {
    /// Cells of a text, and for each column its place among them: one that was asked for twice is there once.
    Text(TextCells, Vec<usize>),
    /// Columns as `String`, `Boolean`, `Int64`, `Float64`, or a temporal type.
    Typed(DataFrame),
}

/// Where cells stand in a text.
#[derive(Debug)]
pub(super) struct TextCells {
    text: String,
    columns: Vec<Vec<(u32, u32)>>,
}

/// Where the rows of a batch stand in their file.
pub(super) enum Places {
    /// Line of each row as an editor counts it, from that of the first block.
    Lines { first: u64, within: Vec<u32> },
    /// Number of the first row, from 1.
    Rows(u64),
}

/// Where a row stands, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Place {
    /// Line of a text file, the header being line 1 where nothing stands before it.
    Line(u64),
    /// Row of a file without lines, from 1.
    Row(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row}"),
        }
    }
}

impl TextCells {
    /// The cells at the spans of `columns` in a text.
    pub(super) fn new(text: String, columns: Vec<Vec<(u32, u32)>>) -> Self {
        Self { text, columns }
    }

    fn cell(&self, (from, to): (u32, u32)) -> &str {
        &self.text[from as usize..to as usize]
    }

    /// The cells of a row.
    #[cfg(test)]
    pub(super) fn row(&self, row: usize) -> impl Iterator<Item = &str> {
        self.columns.iter().map(move |column| self.cell(column[row]))
    }
}

impl Batch {
    /// Number of rows.
    pub(in crate::ingest) fn n_rows(&self) -> usize {
        self.rows
    }

    /// Where a row of the batch stands in its file.
    pub(in crate::ingest) fn place(&self, row: usize) -> Place {
        match &self.places {
            Places::Lines { first, within } => Place::Line(first + u64::from(within[row])),
            Places::Rows(first) => Place::Row(first + row as u64),
        }
    }

    /// Calls `each` with every cell of a column and its row in the batch.
    pub(in crate::ingest) fn each_cell(&self, column: usize, mut each: impl FnMut(usize, Cell<'_>)) {
        match &self.held {
            Held::Text(cells, places) => {
                let spans = &cells.columns[places[column]];
                spans.iter().enumerate().for_each(|(row, span)| each(row, Cell::Text(cells.cell(*span))));
            }
            Held::Typed(frame) => each_typed(&frame.columns()[column], each),
        }
    }
}

fn each_typed(column: &Column, mut each: impl FnMut(usize, Cell<'_>)) {
    let series = column.as_materialized_series();
    match series.dtype() {
        DataType::String => {
            let Ok(texts) = series.str() else { return };
            texts.iter().enumerate().for_each(|(row, text)| each(row, text.map_or(Cell::Null, Cell::Text)));
        }
        DataType::Float64 => {
            let Ok(numbers) = series.f64() else { return };
            numbers.iter().enumerate().for_each(|(row, x)| each(row, x.map_or(Cell::Null, Cell::Number)));
        }
        DataType::Int64 => {
            let Ok(numbers) = series.i64() else { return };
            numbers.iter().enumerate().for_each(|(row, x)| each(row, x.map_or(Cell::Null, Cell::Integer)));
        }
        DataType::Boolean => {
            let Ok(truths) = series.bool() else { return };
            truths.iter().enumerate().for_each(|(row, x)| each(row, x.map_or(Cell::Null, Cell::Bool)));
        }
        // Of dates and times only their presence matters here.
        _ => {
            let nulls = series.is_null();
            let cell = |null: Option<bool>| if null == Some(true) { Cell::Null } else { Cell::Temporal };
            nulls.iter().enumerate().for_each(|(row, null)| each(row, cell(null)));
        }
    }
}
