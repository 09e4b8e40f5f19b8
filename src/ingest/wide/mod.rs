//! Tables that already have one row per record: one file with an optional `split` column, or a folder with a
//! file per split. A first pass learns from the training rows alone how each column is spelt and what it is,
//! a second one reads all rows by that.
//!
//! ```text
//! table     files and headers                    names     what a column's name says
//! cells     stored cells, hashes, keys           keys      how identifiers repeat
//! profile   counts of a column's cells           values    counts → spelling and kind
//! account   where cells stand, what is unused
//! splits    columns and files of splits          roles     everything → the role of each column
//! survey    the first pass                       build     the second pass
//! finish    columns → records and audit          agreement columns that behave like patients
//! fresh     new tables, read as a model asks     draft     a pipeline drafted from a table
//! ```

mod account;
mod agreement;
mod build;
mod cells;
mod declared;
mod doubts;
mod draft;
mod extremes;
mod finish;
mod fresh;
mod ids;
mod keys;
mod marks;
mod names;
mod persons;
mod profile;
mod roles;
mod splits;
mod survey;
mod table;
#[cfg(test)]
mod tests;
mod values;

use std::path::Path;

use crate::message::{Message, Weight};
use crate::schema::{Kind, Pipeline, WideTable};

use super::{Audit, IngestError, IngestProgress, RecordTable};
use build::Building;
use roles::{Decision, Role};
use survey::{ReadNumbers, survey};
use table::{Rows, WideFile};

pub use draft::draft_wide;
pub use fresh::{Expected, NewTable, column_names, read_columns, read_expected, read_only_expected};

/// Reads a wide table: a text or Parquet file, or a folder with `train`, `validation`, `test` and
/// `calibration` files.
///
/// # Errors
/// Missing columns (all at once); a cell of a declared id, split or count that does not fit, with row and
/// column; repeated ids; an empty file.
pub fn read_wide(
    pipeline: &Pipeline,
    input: &Path,
    progress: &dyn IngestProgress,
) -> Result<RecordTable, IngestError> {
    let undeclared = WideTable::undeclared();
    let wide = pipeline.wide.as_ref().unwrap_or(&undeclared);
    let separator = wide.separator.and_then(|c| u8::try_from(c).ok());
    let files = table::find(input, separator)?;
    let mut messages = Vec::new();
    let beside = table::beside(input, &files)?;
    if !beside.is_empty() {
        let text = format!("files that are called after no split are not read: {}", beside.join(", "));
        messages.push(Message::file(Weight::LeftOut, &beside[0], text).counting(beside.len()));
    }
    let places = table::align(&files, &mut messages)?;
    let mut surveyed = survey(wide, &files, &places, &mut messages, progress)?;
    if surveyed.n_train == 0 {
        let name = files[0].name().to_string();
        return Err(if surveyed.split.is_some() {
            IngestError::NoRecords(format!("keeping the rows of {name} whose split is train"))
        } else {
            IngestError::Empty(name)
        });
    }
    let header = &files[0].header;
    let numbers = std::mem::take(&mut surveyed.numbers);
    let decisions = &surveyed.decisions;
    let is_read = |at: usize| {
        decisions[at].role != Role::Ignored && !is_ready(numbers[at].as_ref(), decisions[at].role)
    };
    let unread: Vec<usize> = (0..header.len()).filter(|&at| is_read(at)).collect();
    let mut rest: Vec<Building<'_>> = unread
        .iter()
        .map(|&at| Building::new(&header[at], decisions[at].role, &decisions[at].spelling))
        .collect();
    let mut audit = Audit::default();
    let mut splits_by_file = Vec::new();
    for ((file, places), rows) in files.iter().zip(&places).zip(&surveyed.rows) {
        read_rest(file, &unread.iter().map(|&at| places[at]).collect::<Vec<_>>(), &mut rest, progress)?;
        if let Some(split) = file.split {
            splits_by_file.extend(std::iter::repeat_n(split, rows.sum() as usize));
        }
        finish::count(file, rows, &mut audit)?;
        messages.extend(file.source.messages());
    }
    let n_files = files[0].source.files.len();
    let divides = |d: &Decision| matches!(d.role, Role::Group | Role::Split);
    if n_files > 2 && files[0].split.is_none() && !decisions.iter().any(divides) {
        let text = format!(
            "{n_files} files are read as parts of one table, and from which of them a row comes is not kept: \
             if each is one patient's, the rows of a patient come into several splits; add a column that \
             names the patient"
        );
        messages.push(Message::file(Weight::Leak, files[0].name(), text).counting(n_files));
    }
    let mut rest = rest.into_iter();
    let columns = numbers.into_iter().enumerate().filter_map(|(at, numbers)| {
        let Decision { role, spelling, .. } = &decisions[at];
        match numbers.filter(|numbers| is_ready(Some(numbers), *role)) {
            Some(ReadNumbers { x, unused, .. }) => {
                Some(Building::of_numbers(&header[at], *role, spelling, x, unused))
            }
            None if *role == Role::Ignored => None,
            None => rest.next(),
        }
    });
    let splits = files[0].split.is_some().then_some(splits_by_file);
    let columns = columns.collect();
    finish::finish(header, &surveyed, columns, splits, audit, messages)
}

/// Whether the first pass has read all that is needed of a column. A declared count with a fraction is read
/// again, to find its row.
fn is_ready(numbers: Option<&ReadNumbers>, role: Role) -> bool {
    numbers.is_some_and(|numbers| match role {
        Role::Number { kind: Kind::Continuous, .. }
        | Role::Number { declared: false, .. }
        // Others were dropped by the survey.
        | Role::Id
        | Role::Group => true,
        Role::Number { .. } => numbers.x.iter().all(|x| x.is_nan() || x.fract() == 0.0),
        _ => false,
    })
}

/// Reads all rows of the columns at `wanted` of a file.
fn read_rest(
    file: &WideFile,
    wanted: &[usize],
    columns: &mut [Building<'_>],
    progress: &dyn IngestProgress,
) -> Result<(), IngestError> {
    if wanted.is_empty() {
        return Ok(());
    }
    let mut rows = Rows::new(file);
    file.read(wanted, progress, |batch| build::add(columns, file, batch, &mut rows))
}
