//! New tables: the columns that a model, or another table of ours, asks for, read in the spelling that was learnt.

use std::path::Path;

use crate::ingest::{Audit, Cells, IngestError, RecordTable, Spelling};
use crate::schema::Kind;

use super::build::{self, Building, Content};
use super::declared::place;
use super::finish;
use super::keys::Keys;
use super::names::{Named, named};
use super::profile::is_sentinel;
use super::roles::{Decision, Role};
use super::table::{self, Rows, WideFile};
use crate::ingest::source::StoredType;

/// A column that is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'e> {
    /// Its name.
    pub name: &'e str,
    /// Whether it holds levels or numbers.
    pub kind: Kind,
    /// How its cells are read.
    pub spelling: &'e Spelling,
    /// Smallest and largest training value, where it is known: a code for "missing" beyond is warned of.
    pub range: Option<(f64, f64)>,
}

/// Names of the columns of a table, as written.
///
/// # Errors
/// What keeps the table from being opened.
pub fn column_names(input: &Path) -> Result<Vec<String>, IngestError> {
    Ok(table::only(input)?.header)
}

/// Reads columns that must fit: `categorical` ones as levels, others as numbers. Names are compared as written, else without
/// regard to letter case; other columns are left out with a warning. Record ids come from a column that clearly holds ids
/// (`id`, `record_id`, …), else they are row numbers.
///
/// # Errors
/// Missing columns (all at once); a cell that does not fit, with row and column.
pub fn read_columns(input: &Path, expected: &[(&str, Kind)]) -> Result<RecordTable, IngestError> {
    let plain = Spelling::undeclared();
    let truth = Spelling { truth: true, ..plain.clone() };
    let expected: Vec<Expected<'_>> = expected
        .iter()
        .map(|&(name, kind)| {
            let spelling = if kind == Kind::Binary { &truth } else { &plain };
            Expected { name, kind, spelling, range: None }
        })
        .collect();
    read(input, &expected, Strictness { nothing_else: false, every_cell: true })
}

/// Reads the columns of a fitted model from a new table. A cell that holds something that is no number counts as missing, with
/// a warning that counts them.
///
/// # Errors
/// Missing columns (all at once); a column of which more than half of the cells are no numbers.
pub fn read_expected(input: &Path, expected: &[Expected<'_>]) -> Result<RecordTable, IngestError> {
    read(input, expected, Strictness { nothing_else: false, every_cell: false })
}

/// The same for a table that must hold nothing else, save an id, `subject_id` and `split`, and whose every cell must fit: a
/// misspelt column is not taken for one to leave out, nor a misspelt cell for an empty one.
///
/// # Errors
/// As [`read_columns`], and [`IngestError::UnknownColumns`].
pub fn read_only_expected(input: &Path, expected: &[Expected<'_>]) -> Result<RecordTable, IngestError> {
    read(input, expected, Strictness { nothing_else: true, every_cell: true })
}

#[derive(Clone, Copy)]
struct Strictness {
    nothing_else: bool,
    every_cell: bool,
}

fn read(input: &Path, expected: &[Expected<'_>], strict: Strictness) -> Result<RecordTable, IngestError> {
    let file = table::only(input)?;
    let places = places(&file, expected)?;
    let mut header: Vec<String> = expected.iter().map(|e| e.name.to_string()).collect();
    let mut wanted = places.clone();
    let mut decisions: Vec<Decision> = expected
        .iter()
        .map(|e| Decision {
            role: match e.kind {
                Kind::Categorical => Role::Levels,
                kind => Role::Number { kind, declared: false },
            },
            spelling: e.spelling.clone(),
            why: String::new(),
        })
        .collect();
    if let Some(at) = clear_id(&file, &places)? {
        header.push(file.header[at].clone());
        wanted.push(at);
        decisions.push(Decision { role: Role::Id, spelling: Spelling::default(), why: String::new() });
    }
    let mut audit = Audit::default();
    let extra: Vec<String> = (0..file.header.len())
        .filter(|at| !wanted.contains(at))
        // `features.parquet` of a bundle brings these along; they are no surprise to anybody.
        .filter(|at| !["subject_id", "split"].contains(&file.header[*at].as_str()))
        .map(|at| file.header[at].clone())
        .collect();
    if !extra.is_empty() && strict.nothing_else {
        let columns = finish::listed(&extra);
        return Err(IngestError::UnknownColumns { file: file.name().to_string(), columns });
    }
    if !extra.is_empty() {
        audit
            .warnings
            .push(format!("columns the model does not know are ignored: {}", finish::listed(&extra)));
    }
    let mut columns: Vec<Building<'_>> =
        header.iter().zip(&decisions).map(|(name, d)| Building::new(name, d.role, &d.spelling)).collect();
    let mut counted = Rows::new(&file);
    file.source.read(&wanted, |batch| build::add(&mut columns, &file, batch, &mut counted))?;
    let rows = counted.sum();
    if rows == 0 {
        return Err(IngestError::Empty(file.name().to_string()));
    }
    finish::count(&file, &counted, &mut audit)?;
    audit.warnings.splice(0..0, file.source.warnings());
    for column in &columns {
        build::check(
            column,
            rows,
            strict.every_cell,
            "write the cells as in the table the model was fitted on, or leave them empty",
        )?;
    }
    let mut warnings: Vec<String> =
        expected.iter().zip(&columns).filter_map(|(expected, column)| sentinel(expected, column)).collect();
    // Ours came first; what follows is about single columns.
    warnings.splice(0..0, std::mem::take(&mut audit.warnings));
    let mut table = finish::finish_new(&header, &decisions, columns, audit)?;
    warnings.append(&mut table.audit.warnings);
    table.audit.warnings = warnings;
    Ok(table)
}

/// The places of the expected columns in a file.
fn places(file: &WideFile, expected: &[Expected<'_>]) -> Result<Vec<usize>, IngestError> {
    let exact: Vec<usize> =
        expected.iter().filter_map(|e| file.header.iter().position(|h| h == e.name)).collect();
    let (mut places, mut absent) = (Vec::with_capacity(expected.len()), Vec::new());
    for e in expected {
        match place(&file.header, e.name) {
            // A column that is called exactly like another one that is expected is that one.
            Some(at) if file.header[at] == e.name || !exact.contains(&at) => places.push(at),
            _ => absent.push(e.name.to_string()),
        }
    }
    if !absent.is_empty() {
        return Err(IngestError::MissingColumns(vec![(file.name().to_string(), absent)]));
    }
    for (&at, e) in places.iter().zip(expected) {
        let expected = if e.kind == Kind::Categorical { "text" } else { "numbers" };
        if let StoredType::Unreadable(found) = &file.source.columns[at].stored {
            return Err(IngestError::WrongColumnType {
                file: file.name().to_string(),
                column: e.name.to_string(),
                found: found.clone(),
                expected: expected.to_string(),
            });
        }
    }
    Ok(places)
}

/// Warns of a number that looks like a code for "missing" and is taken as a number.
fn sentinel(expected: &Expected<'_>, column: &Building<'_>) -> Option<String> {
    let Content::Features(Cells::Number(x)) = &column.content else { return None };
    let (low, high) = expected.range?;
    let known = &expected.spelling.suspected;
    let mut met: Vec<(f64, usize)> = Vec::new();
    for x in x.iter().filter(|x| known.contains(x) || is_sentinel(**x, low, high)) {
        match met.iter_mut().find(|(code, _)| code == x) {
            Some((_, count)) => *count += 1,
            None => met.push((*x, 1)),
        }
    }
    if met.is_empty() {
        return None;
    }
    met.sort_by(|a, b| a.0.total_cmp(&b.0));
    let codes: Vec<String> = met.iter().map(|(code, n)| format!("{code} ({n} cells)")).collect();
    Some(format!(
        "column `{}`: {} looks like a code for \"missing\" and is taken as a number; if it means missing, leave these cells empty, \
         or fit on a bundle made with --set missing.{}=CODE",
        expected.name,
        codes.join(" and "),
        expected.name
    ))
}

/// A column outside `taken` that clearly holds record ids.
fn clear_id(file: &WideFile, taken: &[usize]) -> Result<Option<usize>, IngestError> {
    let mut candidates: Vec<(Named, usize)> = (0..file.header.len())
        .filter(|at| !taken.contains(at))
        .filter(|at| !matches!(file.source.columns[*at].stored, StoredType::Unreadable(_)))
        .filter_map(|at| Some((named(&file.header[at]).filter(|what| *what != Named::Place)?, at)))
        .collect();
    if candidates.is_empty() {
        return Ok(None);
    }
    candidates.sort_by_key(|(what, at)| {
        (
            match what {
                Named::Record => 0,
                Named::Stay => 1,
                Named::Patient | Named::Place => 2,
            },
            *at,
        )
    });
    let wanted: Vec<usize> = candidates.iter().map(|(_, at)| *at).collect();
    let mut keys = vec![Keys::new(true); wanted.len()];
    file.source.read(&wanted, |batch| {
        keys.iter_mut().zip(batch.frame.columns()).for_each(|(keys, cells)| keys.add(cells));
        Ok(())
    })?;
    Ok(wanted.iter().zip(&keys).find(|(_, keys)| keys.is_unique()).map(|(at, _)| *at))
}
