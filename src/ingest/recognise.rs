//! Which database a folder is an extract of, told from its files and their headers.

use std::path::Path;

use crate::schema::{Schema, TableKind};

use super::IngestError;
use super::cohort::plan_events::wanted;
use super::files::{self, SourceFile};
use super::find;
use super::typed::file::{Opening, TypedFile, Wanted};

/// The schemas that a folder or file fits: the table of records is there with its columns, or, where records
/// are the ids of events, a table of events is.
///
/// # Errors
/// An input that cannot be read, or that holds no table; one that fits no schema and has tables that are not read,
/// such as links out of the folder.
pub fn recognise<'s>(schemas: &'s [Schema], input: &Path) -> Result<Vec<&'s Schema>, IngestError> {
    let (here, below) = (files::list(input), files::tree(input));
    // A folder may hold tables in folders alone.
    let here = here.unwrap_or_default();
    let below = below?;
    let fits = |schema: &&Schema| {
        let in_folders = schema.tables.iter().flat_map(|t| &t.files).any(|stem| stem.contains('/'));
        is_extract(schema, if in_folders { &below } else { &here }, input)
    };
    let found: Vec<&Schema> = schemas.iter().filter(fits).collect();
    if found.is_empty() {
        // It may well be an extract whose tables lie elsewhere.
        here.iter().chain(&below).try_for_each(SourceFile::readable)?;
    }
    Ok(found)
}

fn is_extract(schema: &Schema, files: &[SourceFile], input: &Path) -> bool {
    let record = &schema.record;
    schema.tables.iter().any(|table| {
        let mut columns: Vec<&str> = match (&record.table, &table.kind) {
            (Some(records), _) if *records == table.name => {
                let times = record.start.iter().chain(&record.end);
                [&record.id, &record.subject].into_iter().chain(times).map(String::as_str).collect()
            }
            (None, TableKind::Events(events)) => {
                let what = events.item.iter().chain(&events.value);
                let cells = table.columns.iter().map(|(name, _)| name).filter(|_| events.item.is_none());
                [&record.id, &events.time].into_iter().chain(what).chain(cells).map(String::as_str).collect()
            }
            _ => return false,
        };
        columns.sort_unstable();
        columns.dedup();
        let made = |name: &str| {
            table.between.is_some()
                && [crate::schema::Between::ID, crate::schema::Between::END].contains(&name)
        };
        let asked: Vec<Wanted> = columns
            .into_iter()
            .filter(|name| !made(name))
            .filter_map(|name| wanted(table, name).ok())
            .collect();
        let found = if input.is_file() {
            Ok(files.to_vec())
        } else {
            find::of_table(files, &table.name, &table.files)
        };
        let Some(file) = found.ok().and_then(|found| found.into_iter().next()) else { return false };
        let opening = Opening { skip_bad: false, id_in_name: table.id_in_name.as_ref() };
        matches!(TypedFile::open(file, &asked, opening), Ok(Ok(_)))
    })
}
