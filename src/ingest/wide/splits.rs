//! Splits that a table declares: by a column of names, or by a file for each.

use std::collections::BTreeMap;

use crate::ingest::IngestError;
use crate::ingest::source::Cell;
use crate::message::{Message, Weight};
use crate::schema::Split;

use super::account::{self, At};
use super::names::{names_a_split, names_splits, split_of};
use super::table::{Rows, WideFile};

/// Different cells that are looked at in a column that may hold splits.
const MOST_NAMES: usize = 64;

/// The column of splits of a single file: the one that is declared, or one that is called `split` and holds
/// the names of splits. A column of that name that holds something else is refused if it looks as if it were
/// meant for splits, and is a feature, with a warning, if it does not.
///
/// # Errors
/// [`IngestError::WrongCell`] with the first row whose cell is no name of a split.
pub(super) fn find(
    file: &WideFile,
    declared: Option<usize>,
    has_other_role: impl Fn(usize) -> bool,
    messages: &mut Vec<Message>,
) -> Result<Option<usize>, IngestError> {
    let called = (0..file.header.len()).find(|&at| names_splits(&file.header[at]) && !has_other_role(at));
    let Some(at) = declared.or(called) else { return Ok(None) };
    let name = &file.header[at];
    let cells = Cells::read(file, at)?;
    let named = cells.names.keys().filter(|text| names_a_split(text).is_some()).count();
    let Some((at, what)) = &cells.wrong else {
        messages.extend(cells.spelt_otherwise(name));
        return Ok(Some(at));
    };
    // Some names of splits, or a few codes without a name: it is meant for splits.
    let is_meant = declared.is_some() || named > 0 || (cells.names.len() <= 10 && !cells.too_many);
    if !is_meant {
        messages.push(Message::column(
            Weight::Leak,
            name,
            format!(
                "column `{name}` holds no names of splits and is used as a feature, and the rows are divided \
                 by chance; --set role.{name}=ignore leaves it out"
            ),
        ));
        return Ok(None);
    }
    Err(IngestError::WrongCell {
        file: at.file.clone(),
        place: at.shown(),
        row: at.row,
        column: name.clone(),
        expected: format!("one of train, validation, calibration, test: {what}").into(),
        remedy: format!(
            "correct the cell, or pass --set role.{name}=ignore to divide the rows by chance; --set \
             role.{name}=categorical makes it a feature"
        ),
    })
}

/// Whether a text is a name with one letter left out, added, wrong or in its neighbour's place.
fn one_slip_apart(text: &str, name: &str) -> bool {
    strsim::osa_distance(&text.to_lowercase(), name) <= 1
}

/// The cells of a column that may hold splits.
struct Cells {
    names: BTreeMap<String, u64>,
    too_many: bool,
    /// The first cell that names no split, and what it holds.
    wrong: Option<(At, String)>,
}

impl Cells {
    fn read(file: &WideFile, at: usize) -> Result<Self, IngestError> {
        let mut cells = Self { names: BTreeMap::new(), too_many: false, wrong: None };
        let mut rows = Rows::new(file);
        file.source.read(&[at], |batch| {
            let at = account::at(file, batch, rows.count(batch));
            batch.each_cell(0, |row, cell| cells.add(cell, || at(row)));
            Ok(())
        })?;
        Ok(cells)
    }

    fn add(&mut self, cell: Cell<'_>, at: impl FnOnce() -> At) {
        let text = match cell {
            Cell::Text(text) => text.to_string(),
            Cell::Number(x) => x.to_string(),
            Cell::Integer(x) => x.to_string(),
            Cell::Bool(x) => x.to_string(),
            Cell::Null | Cell::Temporal => String::new(),
        };
        if split_of(cell).is_none() && self.wrong.is_none() {
            let text = text.trim();
            let what = if text.is_empty() {
                "it is empty".into()
            } else if Split::ALL.iter().any(|split| one_slip_apart(text, split.name())) {
                format!("it is `{text}`")
            } else {
                // Whatever else stands there may be about a patient: the place is told, and not the text.
                "it is another text".into()
            };
            self.wrong = Some((at(), what));
        }
        if self.names.len() < MOST_NAMES || self.names.contains_key(&text) {
            *self.names.entry(text).or_default() += 1;
        } else {
            self.too_many = true;
        }
    }

    /// What to say of cells that name a split in another spelling.
    fn spelt_otherwise(&self, column: &str) -> Option<Message> {
        let read = |(text, rows): (&String, &u64)| {
            let split = names_a_split(text)?;
            (split.name() != text).then(|| format!("`{text}` ({rows} rows) is read as {}", split.name()))
        };
        let read: Vec<String> = self.names.iter().filter_map(read).collect();
        (!read.is_empty()).then(|| {
            let text = format!("column `{column}`: {}", read.join(", "));
            Message::column(Weight::Choice, column, text).counting(read.len())
        })
    }
}
