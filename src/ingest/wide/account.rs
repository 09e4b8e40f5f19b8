//! Where the cells of a column stand, what they say, and the account of those that say nothing.

use std::collections::BTreeMap;

use crate::ingest::source::{Batch, Cell, Place};
use crate::ingest::spelling::{Reader, Reading, Reason};

use super::table::WideFile;

/// Where a cell stands: file, row from 1, and its place for messages.
#[derive(Debug, Clone)]
pub(super) struct At {
    pub(super) file: String,
    pub(super) row: u64,
    pub(super) place: Place,
}

impl At {
    /// The place in its file: the line as an editor counts it and the row below the header, or the row alone.
    pub(super) fn shown(&self) -> String {
        match self.place {
            Place::Line(line) => format!("line {line} (row {})", self.row),
            Place::Row(row) => format!("row {row}"),
        }
    }
}

impl std::fmt::Display for At {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {}", self.place, self.file)
    }
}

/// How many cells of a column hold nothing, and how many something that is not used.
#[derive(Debug, Clone, Default)]
pub(super) struct Unused {
    pub(super) absent: u64,
    /// Rejected cells by reason, with the first of each.
    pub(super) rejected: BTreeMap<Reason, (u64, At)>,
}

impl Unused {
    /// The number of a cell, NaN where there is none, and counts the cell if so.
    pub(super) fn number(&mut self, reading: Reading, at: impl FnOnce() -> At) -> f64 {
        match reading {
            Reading::Value(x) => return x,
            Reading::Absent => self.absent += 1,
            Reading::Rejected(reason) => self.rejected.entry(reason).or_insert_with(|| (0, at())).0 += 1,
        }
        f64::NAN
    }

    /// Cells that hold something that is not used.
    pub(super) fn n_rejected(&self) -> u64 {
        self.rejected.values().map(|(n, _)| n).sum()
    }
}

/// Where the rows of a batch stand, whose first is the row `first` of its file.
pub(super) fn at<'b>(file: &'b WideFile, batch: &'b Batch, first: u64) -> impl Fn(usize) -> At + Sync + 'b {
    let name = &file.source.files[batch.file].name;
    move |row| At { file: name.clone(), row: first + row as u64, place: batch.place(row) }
}

/// What a cell says in a column of numbers.
pub(super) fn number(reader: &Reader<'_>, cell: Cell<'_>) -> Reading {
    match cell {
        Cell::Null | Cell::Text("") => Reading::Absent,
        Cell::Text(text) => reader.number(text),
        Cell::Number(x) => reader.stored(x),
        Cell::Integer(x) => reader.stored(x as f64),
        Cell::Bool(truth) => Reading::Value(f64::from(u8::from(truth))),
        Cell::Temporal => Reading::Rejected(Reason::Date),
    }
}
