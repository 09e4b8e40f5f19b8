//! Cells of known roles and spellings → columns of records.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use rayon::prelude::*;

use crate::ingest::source::{Batch, Cell};
use crate::ingest::spelling::{Reader, Reason, Spelling};
use crate::ingest::text::shortest;
use crate::ingest::{Cells, Column, IngestError, Names, Texts};
use crate::message::{Message, Weight, counted, plural};
use crate::num::packed::Numbers;
use crate::num::repeated::Repeated;
use crate::schema::{Kind, Split};

use super::account::{At, Unused, at, number};
use super::cells::{Hashes, hash_text, id_text};
use super::names::split_of;
use super::roles::Role;
use super::table::{Rows, WideFile};

/// What one column holds, under construction.
#[derive(Debug)]
pub(super) enum Content {
    Features(Cells),
    /// Identifiers of the records.
    Ids(Names),
    /// Identifiers of groups of records.
    Groups(Texts),
    Splits(Vec<Split>),
    Nothing,
}

impl Content {
    /// Nothing yet.
    fn of(role: Role) -> Self {
        match role {
            Role::Number { .. } => Self::Features(Cells::Number(Numbers::default())),
            Role::Levels => Self::Features(Cells::Text(Texts::default())),
            Role::Id => Self::Ids(Names::default()),
            Role::Group => Self::Groups(Texts::default()),
            Role::Split => Self::Splits(Vec::new()),
            Role::Ignored => Self::Nothing,
        }
    }
}

/// A column under construction, with the account of its cells.
#[derive(Debug)]
pub(super) struct Building<'b> {
    pub(super) name: &'b str,
    pub(super) role: Role,
    reader: Reader<'b>,
    pub(super) content: Content,
    pub(super) unused: Unused,
    /// Fractions met in a column that was inferred to be whole, with the first of them.
    pub(super) fractions: u64,
    /// Whether a record without an id is called after its row; else the table is refused.
    names_rows: bool,
    /// The first cell for which the table has to be refused.
    refused: Option<IngestError>,
}

impl<'b> Building<'b> {
    pub(super) fn new(name: &'b str, role: Role, spelling: &'b Spelling) -> Self {
        Self {
            name,
            role,
            reader: spelling.reader(),
            content: Content::of(role),
            unused: Unused::default(),
            fractions: 0,
            names_rows: false,
            refused: None,
        }
    }

    /// The same; a record without an id is called after its row.
    pub(super) fn naming_rows(self) -> Self {
        Self { names_rows: true, ..self }
    }

    /// A column whose numbers were read already; those of identifiers are whole and stand for their texts.
    pub(super) fn of_numbers(
        name: &'b str,
        role: Role,
        spelling: &'b Spelling,
        x: Numbers,
        unused: Unused,
    ) -> Self {
        let whole = !matches!(role, Role::Number { kind: Kind::Continuous, .. });
        let fractions = if whole { x.iter().filter(|x| !x.is_nan() && x.fract() != 0.0).count() } else { 0 };
        let content = match role {
            Role::Id => Content::Ids(x.iter().map(shortest).collect()),
            Role::Group => Content::Groups(x.iter().map(|x| (!x.is_nan()).then(|| shortest(x))).collect()),
            _ => Content::Features(Cells::Number(x)),
        };
        Self { fractions: fractions as u64, content, unused, ..Self::new(name, role, spelling) }
    }

    /// Takes out what was read so far; the account of the cells goes on.
    pub(super) fn take(&mut self) -> Content {
        std::mem::replace(&mut self.content, Content::of(self.role))
    }

    /// The column as it is handed on.
    pub(super) fn finished(&self, cells: Cells, spelling: Spelling) -> Column {
        Column {
            label: self.name.to_string(),
            name: self.name.to_string(),
            group: String::new(),
            unit: spelling.unit.clone().unwrap_or_default(),
            kind: if let Role::Number { kind, .. } = self.role { kind } else { Kind::Categorical },
            resolution: None,
            range: None,
            spelling,
            cells,
        }
    }

    fn add(&mut self, batch: &Batch, at_column: usize, at: &(dyn Fn(usize) -> At + Sync)) {
        let Self { name, role, reader, content, unused, fractions, names_rows, refused } = self;
        let wrong = |row: usize, expected: &str, remedy: String| {
            let at = at(row);
            let place = at.shown();
            let At { file, row, .. } = at;
            IngestError::WrongCell {
                place,
                file,
                row,
                column: (*name).to_string(),
                expected: expected.into(),
                remedy,
            }
        };
        match content {
            Content::Features(Cells::Number(out)) => batch.each_cell(at_column, |row, cell| {
                let x = unused.number(number(reader, cell), || at(row));
                if let Role::Number { kind, declared } = *role
                    && kind != Kind::Continuous
                    && x.fract() != 0.0
                    && !x.is_nan()
                {
                    *fractions += 1;
                    if declared && refused.is_none() {
                        let remedy = format!("correct the cell, or pass --set role.{name}=continuous");
                        *refused = Some(wrong(row, "a whole number", remedy));
                    }
                }
                out.push(x);
            }),
            Content::Features(Cells::Text(out)) => batch.each_cell(at_column, |_, cell| {
                let level = level(reader, cell);
                unused.absent += u64::from(level.is_none());
                out.push(level.as_deref());
            }),
            Content::Ids(out) => batch.each_cell(at_column, |row, cell| match id_text(cell) {
                Some(id) => out.push(&id),
                None if *names_rows => out.push(&format!("row {}", at(row).row)),
                None if refused.is_none() => {
                    let remedy = "give every row an id, or declare another column".to_string();
                    *refused = Some(wrong(row, "an id: it is empty", remedy));
                }
                None => {}
            }),
            Content::Groups(out) => batch.each_cell(at_column, |_, cell| {
                let id = id_text(cell);
                unused.absent += u64::from(id.is_none());
                out.push(id.as_deref());
            }),
            Content::Splits(out) => batch.each_cell(at_column, |row, cell| match split_of(cell) {
                Some(split) => out.push(split),
                None if refused.is_none() => {
                    let remedy = "correct the cell".to_string();
                    *refused = Some(wrong(row, "one of train, validation, calibration, test", remedy));
                }
                None => {}
            }),
            Content::Nothing => {}
        }
    }
}

/// Adds a batch of rows to columns under construction, side by side.
///
/// # Errors
/// The first cell in the order of the columns for which the table has to be refused.
pub(super) fn add(
    columns: &mut [Building<'_>],
    file: &WideFile,
    batch: &Batch,
    rows: &mut Rows,
) -> Result<(), IngestError> {
    let at = at(file, batch, rows.count(batch));
    columns.par_iter_mut().enumerate().for_each(|(i, column)| column.add(batch, i, &at));
    columns.iter_mut().find_map(|c| c.refused.take()).map_or(Ok(()), Err)
}

fn level<'c>(reader: &Reader<'_>, cell: Cell<'c>) -> Option<Cow<'c, str>> {
    match cell {
        Cell::Null | Cell::Temporal => None,
        Cell::Text(text) => reader.level(text),
        Cell::Number(x) => reader.level_of(x).map(Cow::Owned),
        // Codes beyond 2⁵³ keep their digits.
        Cell::Integer(x) if x.unsigned_abs() > 1 << 53 => Some(x.to_string().into()),
        Cell::Integer(x) => reader.level_of(x as f64).map(Cow::Owned),
        Cell::Bool(truth) => Some(if truth { "true" } else { "false" }.into()),
    }
}

/// What to say of the cells of a column, of `rows` rows, that hold something that is not used. In a new table
/// nothing is learnt, so no setting is named there.
pub(super) fn rejection(column: &Building<'_>, rows: u64, is_new: bool) -> Option<Message> {
    let n = column.unused.n_rejected();
    let first = column.unused.rejected.values().map(|(_, at)| at).min_by_key(|at| at.row)?;
    let reasons: Vec<String> =
        column.unused.rejected.iter().map(|(reason, (n, _))| format!("{n} {}", reason.name())).collect();
    let name = column.name;
    let mut said = format!(
        "column `{name}`: {n} of {} {} ({}; first in {first})",
        counted(rows - column.unused.absent, "cell", "cells"),
        plural(
            n,
            "holds something that is not read as a number and counts as missing",
            "hold something that is not read as a number and count as missing"
        ),
        reasons.join(", ")
    );
    if !is_new {
        let _ = write!(
            said,
            "; --set role.{name}=categorical keeps them as levels, --set missing.{name}=TEXT says that a \
             text means missing"
        );
    }
    Some(Message::column(Weight::Wrong, name, said).counting(n))
}

/// How many cells of a column may hold something that is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tolerance {
    /// None.
    EveryCell,
    /// Half of those that hold something.
    Half,
    /// Half of those that hold something, where there are so many that the column must be written otherwise.
    /// A row that training counted with a missing value is scored with one when it comes alone.
    HalfOfMany,
}

/// Cells from which on [`Tolerance::HalfOfMany`] refuses a column.
const MANY: u64 = 20;

/// Refuses a column of which more cells are not used than it may have. Limits such as `<0.5` count among
/// those that are used, except where every cell has to fit: they are of the kind that the column holds.
///
/// # Errors
/// The first such cell.
pub(super) fn check(
    column: &Building<'_>,
    rows: u64,
    tolerance: Tolerance,
    remedy: &str,
) -> Result<(), IngestError> {
    let Unused { absent, rejected } = &column.unused;
    let limits = rejected.get(&Reason::Censored).map_or(0, |(n, _)| *n);
    let (all, held) = (column.unused.n_rejected(), rows - absent);
    let n = all - if tolerance == Tolerance::EveryCell { 0 } else { limits };
    let is_tolerated = match tolerance {
        Tolerance::EveryCell => false,
        Tolerance::Half => n * 2 <= held,
        Tolerance::HalfOfMany => n * 2 <= held || held < MANY,
    };
    if n == 0 || is_tolerated {
        return Ok(());
    }
    let first = rejected
        .iter()
        .filter(|(reason, _)| tolerance == Tolerance::EveryCell || **reason != Reason::Censored)
        .min_by_key(|(_, (_, at))| at.row);
    let Some((reason, (_, at))) = first else { return Ok(()) };
    Err(IngestError::WrongCell {
        file: at.file.clone(),
        place: at.shown(),
        row: at.row,
        column: column.name.to_string(),
        expected: format!(
            "a number as the column has them: {n} of {} {} not, and this one is {}",
            counted(held, "cell", "cells"),
            plural(n, "is", "are"),
            reason.described()
        )
        .into(),
        remedy: remedy.to_string(),
    })
}

/// Ids met more than once, with the position of the first repetition.
pub(super) fn repeated(ids: &Names) -> Option<(usize, usize)> {
    let mut hashes = Repeated::default();
    ids.iter().for_each(|id| hashes.insert(hash_text(id)));
    let suspected = hashes.found();
    if suspected.is_empty() {
        return None;
    }
    let mut first = None;
    let (mut met, mut repeated) = (BTreeMap::new(), Hashes::default());
    for (i, id) in ids.iter().enumerate().filter(|(_, id)| suspected.contains(hash_text(id))) {
        if met.insert(id, i).is_some() {
            repeated.insert(hash_text(id));
            first.get_or_insert(i);
        }
    }
    first.map(|at| (repeated.len(), at))
}
