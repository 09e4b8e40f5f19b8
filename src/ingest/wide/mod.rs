//! Tables that already have one row per record: one file with an optional `split` column, or a folder with a file per
//! split. A first pass infers what each column is from the training rows alone, a second one reads it as that.

mod build;
mod draft;
mod roles;
mod rows;
#[cfg(test)]
mod tests;

use std::path::Path;

use crate::schema::{Kind, Pipeline, Split, WideTable};

use super::files::{self, SourceFile};
use super::{Audit, IngestError, RecordTable, TableAudit};
use build::Builder;
use roles::{Profile, Role, Uniqueness, declared, names_a_subject, names_an_id};
use rows::{Cell, WideFile};

pub use draft::draft_wide;

/// Name of the column that is taken for splits without being declared.
const SPLIT_COLUMN: &str = "split";

/// Reads a wide table: a CSV, CSV.gz or Parquet file, or a folder with `train`, `validation`, `test` and
/// `calibration` files.
///
/// # Errors
/// Missing columns (all at once); a cell that does not fit its column, an infinity or NaN, each with row and column;
/// repeated ids; an empty file.
pub fn read_wide(pipeline: &Pipeline, input: &Path) -> Result<RecordTable, IngestError> {
    let undeclared = WideTable {
        id: None,
        group: None,
        split: None,
        kinds: Vec::new(),
        ignore: Vec::new(),
        missing: Vec::new(),
    };
    let wide = pipeline.wide.as_ref().unwrap_or(&undeclared);
    let files = find(input)?;
    check_declared(wide, &files)?;
    let mut warnings = Vec::new();
    let places = align(&files, &mut warnings)?;
    let (roles, n_train) = infer(wide, &files, &places, &mut warnings)?;
    if n_train == 0 {
        let name = files[0].file.name.clone();
        return Err(if roles.contains(&Role::Split) {
            IngestError::NoRecords(format!("keeping the rows of {name} whose split is train"))
        } else {
            IngestError::Empty(name)
        });
    }
    let header = &files[0].header;
    let mut builder = Builder::new(header, &roles);
    let mut audit = Audit { warnings, ..Audit::default() };
    for (file, places) in files.iter().zip(&places) {
        let mut rows = 0;
        file.rows(&wide.missing, |row, cells| {
            rows = row;
            builder.row(file, row, |column| cells[places[column]])
        })?;
        audit.tables.push(TableAudit {
            table: file.file.name.clone(),
            rows_read: rows,
            rows_kept: rows,
            ..TableAudit::default()
        });
        audit.inputs.push(file.file.fingerprint()?);
        audit.warnings.extend(file.warnings());
    }
    audit.inputs.sort_by(|a, b| a.name.cmp(&b.name));
    let splits_by_file = files[0].split.is_some();
    builder.finish(audit, splits_by_file)
}

/// Names of the columns of a table, as written.
///
/// # Errors
/// What keeps the table from being opened.
pub fn column_names(input: &Path) -> Result<Vec<String>, IngestError> {
    let listed = files::list(input)?;
    let [file] = listed.as_slice() else {
        let files = listed.iter().map(|f| f.name.clone()).collect();
        return Err(IngestError::AmbiguousFiles { table: input.display().to_string(), files });
    };
    Ok(WideFile::open(file.clone(), None)?.header)
}

/// Texts read as missing in new tables, besides the empty cell: those of the shipped `wide-table` pipeline.
const MISSING: [&str; 8] = ["NA", "N/A", "NaN", "nan", "NULL", "null", "?", "."];

/// Reads the columns of a fitted model from a new wide table, for scoring: `categorical` ones as text, others as
/// numbers. Letter case of names does not matter; other columns are ignored with a warning. Record ids come from a
/// column that clearly holds ids (`id`, `record_id`, …), else they are row numbers.
///
/// # Errors
/// Missing columns (all at once); a cell that does not fit, with row and column.
pub fn read_columns(input: &Path, expected: &[(&str, Kind)]) -> Result<RecordTable, IngestError> {
    read(input, expected, false)
}

/// The same for a table that must hold nothing else, save an id, `subject_id` and `split`: a misspelt column is not taken
/// for one to leave out.
///
/// # Errors
/// As [`read_columns`], and [`IngestError::UnknownColumns`].
pub fn read_only_columns(input: &Path, expected: &[(&str, Kind)]) -> Result<RecordTable, IngestError> {
    read(input, expected, true)
}

fn read(input: &Path, expected: &[(&str, Kind)], nothing_else: bool) -> Result<RecordTable, IngestError> {
    let missing = MISSING.map(ToString::to_string);
    let listed = files::list(input)?;
    let [file] = listed.as_slice() else {
        let files = listed.iter().map(|f| f.name.clone()).collect();
        return Err(IngestError::AmbiguousFiles { table: input.display().to_string(), files });
    };
    let file = WideFile::open(file.clone(), None)?;
    let wanted = expected.iter().map(|(name, _)| *name);
    let absent: Vec<String> =
        wanted.filter(|name| file.place(name).is_none()).map(ToString::to_string).collect();
    if !absent.is_empty() {
        return Err(IngestError::MissingColumns(vec![(file.file.name.clone(), absent)]));
    }
    // The expected columns in their own order, then the id.
    let mut header: Vec<String> = expected.iter().map(|(name, _)| (*name).to_string()).collect();
    let mut places: Vec<usize> = header.iter().filter_map(|name| file.place(name)).collect();
    let mut roles: Vec<Role> = expected
        .iter()
        .map(|(_, kind)| match kind {
            Kind::Categorical => Role::Levels,
            kind => Role::Number { kind: *kind, declared: false },
        })
        .collect();
    if let Some(place) = clear_id(&file, &places, &missing)? {
        header.push(file.header[place].clone());
        places.push(place);
        roles.push(Role::Id);
    }
    let mut audit = Audit::default();
    let extra: Vec<String> = (0..file.header.len())
        .filter(|place| !places.contains(place))
        // `features.parquet` of a bundle brings these along; they are no surprise to anybody.
        .filter(|place| !["subject_id", "split"].contains(&file.header[*place].as_str()))
        .map(|place| format!("`{}`", file.header[place]))
        .collect();
    if !extra.is_empty() && nothing_else {
        return Err(IngestError::UnknownColumns { file: file.file.name.clone(), columns: extra.join(", ") });
    }
    if !extra.is_empty() {
        audit.warnings.push(format!("columns the model does not know are ignored: {}", extra.join(", ")));
    }
    let mut builder = Builder::new(&header, &roles);
    let mut rows = 0;
    file.rows(&missing, |row, cells| {
        rows = row;
        builder.row(&file, row, |column| cells[places[column]])
    })?;
    if rows == 0 {
        return Err(IngestError::Empty(file.file.name.clone()));
    }
    let table = TableAudit {
        table: file.file.name.clone(),
        rows_read: rows,
        rows_kept: rows,
        ..TableAudit::default()
    };
    audit.tables.push(table);
    audit.inputs.push(file.file.fingerprint()?);
    builder.finish(audit, false)
}

/// The files of the input with the split each stands for.
fn find(input: &Path) -> Result<Vec<WideFile>, IngestError> {
    let listed = files::list(input)?;
    if let [only] = listed.as_slice()
        && (input.is_file() || split_named(&only.stem).is_none())
    {
        return Ok(vec![WideFile::open(only.clone(), None)?]);
    }
    let mut found: Vec<(Split, SourceFile)> = Vec::new();
    for file in listed {
        let Some(split) = split_named(&file.stem) else { continue };
        if let Some((_, other)) = found.iter().find(|(s, _)| *s == split) {
            let files = vec![other.name.clone(), file.name];
            return Err(IngestError::AmbiguousFiles { table: split.name().into(), files });
        }
        found.push((split, file));
    }
    found.sort_by_key(|(split, _)| *split);
    if found.first().is_none_or(|(split, _)| *split != Split::Train) {
        return Err(IngestError::NoTrain { folder: input.display().to_string() });
    }
    found.into_iter().map(|(split, file)| WideFile::open(file, Some(split))).collect()
}

/// The split a file stem or a cell names.
fn split_named(text: &str) -> Option<Split> {
    match text.trim().to_lowercase().as_str() {
        "train" | "training" => Some(Split::Train),
        "validation" | "valid" | "val" => Some(Split::Validation),
        "calibration" | "calib" => Some(Split::Calibration),
        "test" => Some(Split::Test),
        _ => None,
    }
}

/// Every declared column has to exist.
fn check_declared(wide: &WideTable, files: &[WideFile]) -> Result<(), IngestError> {
    // The shipped pipeline names the column `split` for tables that have one.
    let split = wide.split.as_ref().filter(|name| !name.eq_ignore_ascii_case(SPLIT_COLUMN));
    let declared = [wide.id.as_ref(), wide.group.as_ref(), split].into_iter().flatten();
    let absent: Vec<String> = declared
        .chain(wide.kinds.iter().map(|(name, _)| name))
        .chain(&wide.ignore)
        .filter(|name| files[0].place(name).is_none())
        .cloned()
        .collect();
    if absent.is_empty() {
        return Ok(());
    }
    Err(IngestError::MissingColumns(vec![(files[0].file.name.clone(), absent)]))
}

/// For each file, the places of the first file's columns.
fn align(files: &[WideFile], warnings: &mut Vec<String>) -> Result<Vec<Vec<usize>>, IngestError> {
    let header = &files[0].header;
    let mut all = vec![(0..header.len()).collect::<Vec<_>>()];
    let mut lacking = Vec::new();
    for file in &files[1..] {
        let found: Vec<Option<usize>> = header.iter().map(|name| file.place(name)).collect();
        let missing: Vec<String> =
            header.iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(name, _)| name.clone()).collect();
        if !missing.is_empty() {
            lacking.push((file.file.name.clone(), missing));
        }
        let places: Vec<usize> = found.into_iter().flatten().collect();
        for extra in (0..file.header.len()).filter(|at| !places.contains(at)) {
            warnings.push(format!("{}: column `{}` is ignored", file.file.name, file.header[extra]));
        }
        all.push(places);
    }
    if lacking.is_empty() { Ok(all) } else { Err(IngestError::MissingColumns(lacking)) }
}

/// Roles of the first file's columns, and the number of training rows they rest on.
fn infer(
    wide: &WideTable,
    files: &[WideFile],
    places: &[Vec<usize>],
    warnings: &mut Vec<String>,
) -> Result<(Vec<Role>, u64), IngestError> {
    let header = &files[0].header;
    let by_file = files[0].split.is_some();
    let named_split = header.iter().position(|name| {
        let undeclared = matches!(declared(wide, name), None | Some(Role::Split));
        undeclared && !by_file && name.eq_ignore_ascii_case(SPLIT_COLUMN)
    });
    let declared_split = wide.split.as_deref().and_then(|name| files[0].place(name)).filter(|_| !by_file);
    let mut split = named_split.or(declared_split);
    loop {
        let mut profiles: Vec<Profile> = header.iter().map(|_| Profile::default()).collect();
        let mut unique: Vec<Option<Uniqueness>> =
            header.iter().map(|name| names_an_id(name).then(Uniqueness::default)).collect();
        let (mut n_train, mut is_split) = (0, true);
        for (file, places) in files.iter().zip(places) {
            file.rows(&wide.missing, |_, cells| {
                for (column, unique) in unique.iter_mut().enumerate() {
                    if let Some(unique) = unique {
                        unique.add(cells[places[column]]);
                    }
                }
                let of = match split {
                    Some(column) => match cells[places[column]] {
                        Cell::Text(text) => split_named(text),
                        _ => None,
                    },
                    None => Some(file.split.unwrap_or(Split::Train)),
                };
                is_split &= of.is_some();
                if of == Some(Split::Train) {
                    n_train += 1;
                    for (column, profile) in profiles.iter_mut().enumerate() {
                        profile.add(cells[places[column]]);
                    }
                }
                Ok(())
            })?;
        }
        // A column that is merely called so may be a feature; a declared one is read as splits or refused (build.rs).
        if split.is_some() && split == named_split && !is_split {
            split = None;
            continue;
        }
        let unique: Vec<bool> = unique.iter().map(|u| u.as_ref().is_some_and(Uniqueness::holds)).collect();
        return Ok((assign(wide, header, split, by_file, &profiles, &unique, warnings), n_train));
    }
}

/// Declared roles, then ids and patients by name, then what the values say.
fn assign(
    wide: &WideTable,
    header: &[String],
    split: Option<usize>,
    by_file: bool,
    profiles: &[Profile],
    unique: &[bool],
    warnings: &mut Vec<String>,
) -> Vec<Role> {
    let is_declared = |role| header.iter().any(|name| declared(wide, name) == Some(role));
    let (mut has_id, mut has_group) = (is_declared(Role::Id), is_declared(Role::Group));
    let mut roles = Vec::new();
    for (column, name) in header.iter().enumerate() {
        let ignored = |why: &str| (Role::Ignored, Some(format!("column `{name}` is ignored: {why}")));
        let (role, warning) = match declared(wide, name) {
            _ if split == Some(column) => (Role::Split, None),
            Some(Role::Split) if by_file => ignored("the files name the splits"),
            // Named `split` without holding any: a feature like others.
            Some(Role::Split) => profiles[column].role(name),
            Some(role) => (role, None),
            None if by_file && name.eq_ignore_ascii_case(SPLIT_COLUMN) => {
                ignored("the files name the splits")
            }
            None if unique[column] && !has_id => {
                has_id = true;
                (Role::Id, None)
            }
            None if names_a_subject(name) && !has_group => {
                has_group = true;
                (Role::Group, Some(format!("rows of equal `{name}` are kept in one split; it is no feature")))
            }
            None if unique[column] => ignored("it looks like another id"),
            None => match profiles[column].role(name) {
                (role, None) if role != Role::Ignored && names_an_id(name) => (
                    role,
                    Some(format!(
                        "column `{name}` is used as a feature though it is named like an id; declare it group, \
                         categorical or ignore if it is one"
                    )),
                ),
                found => found,
            },
        };
        warnings.extend(warning);
        roles.push(role);
    }
    roles
}

/// A column outside `taken` that clearly holds record ids.
fn clear_id(file: &WideFile, taken: &[usize], missing: &[String]) -> Result<Option<usize>, IngestError> {
    let free = |place: &usize| !taken.contains(place) && names_an_id(&file.header[*place]);
    let mut candidates: Vec<(usize, Uniqueness)> =
        (0..file.header.len()).filter(free).map(|place| (place, Uniqueness::default())).collect();
    if candidates.is_empty() {
        return Ok(None);
    }
    file.rows(missing, |_, cells| {
        for (place, unique) in &mut candidates {
            unique.add(cells[*place]);
        }
        Ok(())
    })?;
    Ok(candidates.iter().find(|(_, unique)| unique.holds()).map(|(place, _)| *place))
}
