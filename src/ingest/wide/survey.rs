//! The first pass: what the columns of a wide table are, learnt from its training rows.

use rayon::prelude::*;

use crate::ingest::source::{Batch, Cell, StoredType};
use crate::ingest::spelling::{Marks, Reader, Reading, Spelling};
use crate::ingest::{IngestError, IngestProgress};
use crate::message::{Message, Weight};
use crate::num::packed::Numbers;
use crate::schema::{Split, WideTable};

use super::account::{At, Unused, at, number};
use super::cells::is_plain_id;
use super::declared::{Declaration, Declared, declarations};
use super::keys::Keys;
use super::marks::best_marks;
use super::names::{SPLIT_COLUMN, named, names_splits, split_of};
use super::profile::Profile;
use super::roles::{Decision, Known, Role, decide};
use super::splits;
use super::table::{Rows, WideFile};
use super::values::learn_marks;

/// Training rows with a value after which a column must have shown that it holds numbers.
const TRIAL: u64 = 1 << 10;

/// What the first pass found.
pub(super) struct Surveyed {
    /// One for each column of the first file.
    pub(super) decisions: Vec<Decision>,
    /// The column of splits.
    pub(super) split: Option<usize>,
    pub(super) n_train: u64,
    /// Columns whose values repeat and are many, as those of persons with several rows.
    pub(super) may_be_persons: Vec<usize>,
    /// The numbers of columns that need no other reading than the first pass gave them, at the place of the
    /// column.
    pub(super) numbers: Vec<Option<ReadNumbers>>,
    /// Rows of each file, by its parts.
    pub(super) rows: Vec<Rows>,
}

/// The numbers of a column that is spelt plainly, with the account of its cells.
#[derive(Debug, Clone, Default)]
pub(super) struct ReadNumbers {
    pub(super) x: Numbers,
    pub(super) unused: Unused,
    /// Whether all are whole numbers that stand for the texts of identifiers.
    pub(super) are_ids: bool,
}

/// What the first pass gathers of a column.
struct Looked {
    profile: Profile,
    keys: Keys,
    /// Kept as long as most cells are numbers, so that such columns need not be read again.
    numbers: Option<ReadNumbers>,
}

impl Looked {
    /// `divided` says that the table tells which its training rows are.
    fn new(named: bool, divided: bool) -> Self {
        let numbers = Some(ReadNumbers { are_ids: true, ..ReadNumbers::default() });
        let mut profile = Profile::default();
        profile.of_training = divided;
        Self { profile, keys: Keys::new(named), numbers }
    }

    fn add(
        &mut self,
        reader: &Reader<'_>,
        batch: &Batch,
        column: usize,
        in_training: &[bool],
        at: &(dyn Fn(usize) -> At + Sync),
    ) {
        let Self { profile, keys, numbers } = self;
        batch.each_cell(column, |row, cell| {
            let reading = number(reader, cell);
            if let Some(ReadNumbers { x, unused, are_ids }) = numbers {
                x.push(unused.number(reading, || at(row)));
                *are_ids = *are_ids
                    && match reading {
                        Reading::Value(_) => is_plain_id(cell),
                        // A text that is listed as missing may still be an identifier.
                        _ => matches!(cell, Cell::Null | Cell::Text("")),
                    };
            }
            if in_training[row] && !matches!(cell, Cell::Text("")) {
                profile.cell(reader, cell, reading);
            }
        });
        if profile.seen > TRIAL && profile.numbers * 2 < profile.seen {
            *numbers = None;
        }
        keys.add(batch, column);
    }
}

/// Learns spellings and roles of the first file's columns.
///
/// # Errors
/// Declared columns that are not there; a column of splits with a cell that names none; what reading reports.
pub(super) fn survey(
    wide: &WideTable,
    files: &[WideFile],
    places: &[Vec<usize>],
    messages: &mut Vec<Message>,
    progress: &dyn IngestProgress,
) -> Result<Surveyed, IngestError> {
    let header = &files[0].header;
    let mut declared = {
        let mut wide = wide.clone();
        // A pipeline may name the column `split` for tables that have one.
        if wide.split.as_deref() == Some(SPLIT_COLUMN) && !header.iter().any(|h| h == SPLIT_COLUMN) {
            wide.split = None;
        }
        declarations(&wide, header, files[0].name())?
    };
    let split = split_column(files, &mut declared, messages)?;
    let divided = split.is_some() || files[0].split.is_some();
    let mut spellings: Vec<Spelling> = declared.iter().map(|d| d.spelling.clone()).collect();
    let is_readable = |at: &usize| !matches!(stored_as(files, places, *at), StoredType::Unreadable(_));
    let readable: Vec<usize> = (0..header.len()).filter(is_readable).collect();
    let mut columns: Vec<Looked> =
        readable.iter().map(|&at| Looked::new(named(&header[at]).is_some(), divided)).collect();
    let (n_train, rows) = pass(files, places, split, &readable, &spellings, &mut columns, progress)?;
    let mut profiles = vec![Profile::default(); header.len()];
    let mut keys = vec![Keys::new(false); header.len()];
    let mut numbers = vec![None; header.len()];
    for (&at, looked) in readable.iter().zip(columns) {
        (profiles[at], keys[at], numbers[at]) = (looked.profile, looked.keys, looked.numbers);
    }

    // Columns that are not written with plain decimal points are looked at again under the spelling that was
    // learnt.
    let comma_elsewhere = profiles.iter().any(|profile| {
        let (marks, sure) = best_marks(&profile.marks, false);
        sure && marks.has_decimal_comma() && profile.number_like() * 2 > profile.seen
    });
    let mut again = Vec::new();
    for (at, name) in header.iter().enumerate() {
        let decimal = declared[at].decimal;
        let takes_no_numbers = matches!(
            declared[at].role,
            Some(
                Declared::Id
                    | Declared::Group
                    | Declared::Split
                    | Declared::Ignore
                    | Declared::Kind(crate::schema::Kind::Categorical)
            )
        );
        if takes_no_numbers {
            continue;
        }
        let doubt = learn_marks(name, &profiles[at], decimal, comma_elsewhere, &mut spellings[at]);
        messages.extend(doubt);
        if spellings[at].marks != Marks::Point || spellings[at].unit.is_some() {
            again.push(at);
        }
    }
    if !again.is_empty() {
        let mut columns: Vec<Looked> = again.iter().map(|_| Looked::new(false, divided)).collect();
        pass(files, places, split, &again, &spellings, &mut columns, progress)?;
        for (&at, looked) in again.iter().zip(columns) {
            (profiles[at], numbers[at]) = (looked.profile, looked.numbers);
        }
    }
    let known: Vec<Known<'_>> = (0..header.len())
        .map(|at| Known {
            name: &header[at],
            stored: stored_as(files, places, at),
            declared: declared[at].role,
            profile: &profiles[at],
            keys: &keys[at],
        })
        .collect();
    let decisions = decide(&known, spellings, split, divided, messages);
    let may_be_persons = (0..header.len()).filter(|&at| keys[at].may_be_persons()).collect();
    // Words that turned out to be truth values were read as strays.
    for (numbers, decision) in numbers.iter_mut().zip(&decisions) {
        let has_strays = numbers.as_ref().is_some_and(|n| n.unused.n_rejected() > 0);
        let is_kept = match decision.role {
            Role::Number { .. } => !(decision.spelling.truth && has_strays),
            Role::Group => numbers.as_ref().is_some_and(|n| n.are_ids),
            Role::Id => numbers.as_ref().is_some_and(|n| n.are_ids && n.unused.absent == 0),
            _ => false,
        };
        if !is_kept {
            *numbers = None;
        }
    }
    Ok(Surveyed { decisions, split, n_train, may_be_persons, numbers, rows })
}

/// How a column is stored: unreadable if it is in any of the files.
fn stored_as<'f>(files: &'f [WideFile], places: &[Vec<usize>], at: usize) -> &'f StoredType {
    let mut stored = files.iter().zip(places).map(|(file, places)| &file.source.columns[places[at]].stored);
    let first = &files[0].source.columns[at].stored;
    stored.find(|stored| matches!(stored, StoredType::Unreadable(_))).unwrap_or(first)
}

/// Reads the training rows of the columns at `wanted` into their profiles, and all rows into their keys and
/// numbers. Returns the number of training rows, and of all rows of each file.
fn pass(
    files: &[WideFile],
    places: &[Vec<usize>],
    split: Option<usize>,
    wanted: &[usize],
    spellings: &[Spelling],
    columns: &mut [Looked],
    progress: &dyn IngestProgress,
) -> Result<(u64, Vec<Rows>), IngestError> {
    let readers: Vec<_> = wanted.iter().map(|&at| spellings[at].reader()).collect();
    let (mut n_train, mut all) = (0, Vec::new());
    for (file, places) in files.iter().zip(places) {
        let mut read: Vec<usize> = wanted.iter().map(|&at| places[at]).collect();
        // The column of splits comes last; it may be among the others as well.
        read.extend(split.map(|at| places[at]));
        let mut rows = Rows::new(file);
        file.read(&read, progress, |batch| {
            let in_training: Vec<bool> = match split {
                Some(_) => {
                    let mut of = Vec::with_capacity(batch.n_rows());
                    batch.each_cell(wanted.len(), |_, cell| {
                        of.push(split_of(cell) == Some(Split::Train));
                    });
                    of
                }
                None => vec![file.split.is_none_or(|split| split == Split::Train); batch.n_rows()],
            };
            n_train += in_training.iter().filter(|t| **t).count() as u64;
            let at = at(file, batch, rows.count(batch));
            columns.par_iter_mut().zip(&readers).enumerate().for_each(|(i, (looked, reader))| {
                looked.add(reader, batch, i, &in_training, &at);
            });
            Ok(())
        })?;
        all.push(rows);
    }
    Ok((n_train, all))
}

/// The column of splits, where the files do not stand for the splits.
fn split_column(
    files: &[WideFile],
    declared: &mut [Declaration],
    messages: &mut Vec<Message>,
) -> Result<Option<usize>, IngestError> {
    let declared_split = declared.iter().position(|d| d.role == Some(Declared::Split));
    if files[0].split.is_none() {
        let has_other_role = |at: usize| declared[at].role.is_some_and(|role| role != Declared::Split);
        return splits::find(&files[0], declared_split, has_other_role, messages);
    }
    let named = files[0].header.iter().position(|name| names_splits(name));
    for at in [declared_split, named.filter(|&at| declared[at].role.is_none())].into_iter().flatten() {
        declared[at].role = Some(Declared::Ignore);
        let name = &files[0].header[at];
        messages.push(Message::column(
            Weight::LeftOut,
            name,
            format!("column `{name}` is left out: the files name the splits"),
        ));
    }
    Ok(None)
}
