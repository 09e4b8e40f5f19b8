//! Whether an extract can be read, told from headers, first rows and dictionaries within a second: everything
//! that `ingest` would stop at or leave out, all at once.

mod dictionary;
mod finding;
mod rows;

use std::path::Path;

pub use finding::{CheckFinding, Checked};

use super::IngestError;
use super::cohort::lost::without;
use super::cohort::plan::Plan;
use super::cohort::related;
use super::files::{self, SourceFile};
use super::find;
use super::typed::file::{Opening, TypedFile, Wanted};
use super::typed::tables::listed;
use crate::schema::{Pipeline, Schema, Table, suggest};

/// Reads headers, the first thousand rows of each file and dictionaries of items. `known` are the schemas
/// that files may be of instead.
///
/// # Errors
/// An input that cannot be listed; a pipeline that does not go with its schema. What is wrong with the files
/// is among the findings.
pub fn check(
    schema: &Schema,
    pipeline: &Pipeline,
    input: &Path,
    known: &[Schema],
) -> Result<Checked, IngestError> {
    let mut plan = Plan::new(schema, pipeline)?;
    let listed = listed(&plan, input)?;
    let mut checked = Checked::new(&schema.name);
    match related::relate(&mut plan, &listed) {
        Ok(related) => {
            for message in related.messages {
                checked.note("", None, message.to_string());
            }
        }
        Err(error) => checked.error("", None, &error),
    }
    let mut dictionaries = None;
    for (name, wanted) in &plan.facts {
        let files = open(&plan, name, wanted, (&listed, input), known, &mut checked);
        for file in &files {
            rows::of_facts(file, &mut checked);
        }
    }
    for planned in &plan.events {
        let name = &planned.table.name;
        let files = open(&plan, name, &planned.wanted, (&listed, input), known, &mut checked);
        rows::of_events(&plan, planned, &files, &mut checked);
        if !files.is_empty() {
            let all = dictionaries.get_or_insert_with(|| dictionary::read(&listed));
            dictionary::look_up(&plan, planned, all, &mut checked);
        }
    }
    // What stops the program comes first.
    checked.findings.sort_by_key(|finding| !finding.stops);
    Ok(checked)
}

/// The schema whose tables most files of an input are called after; none where no file is.
///
/// # Errors
/// An input that cannot be listed.
pub fn nearest<'s>(schemas: &'s [Schema], input: &Path) -> Result<Option<&'s Schema>, IngestError> {
    let listed = files::tree(input)?;
    let tables_of = |schema: &Schema| {
        let is_there =
            |table: &&Table| find::of_table(&listed, &table.name, &table.files).is_ok_and(|f| !f.is_empty());
        schema.tables.iter().filter(is_there).count()
    };
    let best = schemas.iter().map(|schema| (tables_of(schema), schema)).filter(|(n, _)| *n > 0);
    // Of equals the first, since schemas are in a fixed order.
    Ok(best.rev().max_by_key(|(n, _)| *n).map(|(_, schema)| schema))
}

/// The files of a table that have its columns; what is wrong with the others is among the findings.
fn open(
    plan: &Plan<'_>,
    name: &str,
    wanted: &[Wanted],
    (listed, input): (&[SourceFile], &Path),
    known: &[Schema],
    checked: &mut Checked,
) -> Vec<TypedFile> {
    let table = plan.schema.table(name).expect("invariant: the plan names tables of the schema");
    let is_only = plan.facts.len() + plan.events.len() == 1 && input.is_file();
    let files = match find::of_table(listed, name, &table.files) {
        _ if is_only => listed.to_vec(),
        Ok(files) => files,
        Err(error) => {
            checked.error(name, None, &error);
            return Vec::new();
        }
    };
    checked.tables += usize::from(!files.is_empty());
    if files.is_empty() {
        absent(plan, table, listed, checked);
    }
    let opening = Opening { skip_bad: false, id_in_name: table.id_in_name.as_ref() };
    let mut typed = Vec::new();
    for file in files {
        let shown = file.name.clone();
        checked.files += 1;
        let separator = table.separator.and_then(|c| u8::try_from(c).ok());
        match TypedFile::open(file.clone().with_separator(separator), wanted, opening) {
            Ok(Ok(file)) => {
                for message in &file.messages {
                    checked.note(name, Some(&shown), message.to_string());
                }
                typed.push(file);
            }
            Ok(Err(columns)) => {
                let error = IngestError::MissingTableColumns(vec![(shown.clone(), columns)]);
                let other = of_other_schema(&file, plan.schema, known);
                checked.columns(name, &shown, &error, other.as_deref());
            }
            Err(error) => checked.error(name, Some(&shown), &error),
        }
    }
    typed
}

/// A table without files: what stays empty, or what would stop the program.
fn absent(plan: &Plan<'_>, table: &Table, listed: &[SourceFile], checked: &mut Checked) {
    if table.optional {
        checked.note(&table.name, None, without(plan, table));
        return;
    }
    let stems = listed.iter().map(|file| without_folder(&file.stem));
    let similar =
        table.files.iter().find_map(|wanted| suggest::closest(without_folder(wanted), stems.clone()));
    let hint = match similar {
        Some(similar) => {
            format!("did you mean its file `{similar}`? Rename it to {}", table.files.join(" or "))
        }
        None => {
            format!("it is looked for as {}, with the ending of any table file", table.files.join(" or "))
        }
    };
    checked.stop(&table.name, None, format!("there is no file of table {}", table.name), Some(hint));
}

fn without_folder(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The table of another schema that has all columns of the table in this file, which tells another release or
/// another database.
fn of_other_schema(file: &SourceFile, schema: &Schema, known: &[Schema]) -> Option<String> {
    let header = file.csv_header().ok()?;
    let has = |name: &str| header.iter().any(|own| own.eq_ignore_ascii_case(name));
    let fits = |table: &&Table| {
        let is_named = find::of_table(std::slice::from_ref(file), &table.name, &table.files)
            .is_ok_and(|f| !f.is_empty());
        is_named && !table.columns.is_empty() && table.columns.iter().all(|(column, _)| has(column))
    };
    let others = known.iter().filter(|other| other.name != schema.name);
    let mut found = others.filter_map(|other| Some((other, other.tables.iter().find(fits)?)));
    found.next().map(|(other, table)| {
        format!("its columns are those of table {} of schema {} ({})", table.name, other.name, other.title)
    })
}
