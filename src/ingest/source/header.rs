//! Names of columns: what they may be, and what is said about odd ones.

use std::collections::{HashMap, HashSet};

use super::notes::Note;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::message::{Message, Weight};

/// The names of a file's columns from the place `first` on, each different from the others; columns without a
/// name are called by their place.
///
/// # Errors
/// Two columns of one name.
pub(super) fn named(
    file: &SourceFile,
    mut names: Vec<String>,
    first: usize,
) -> Result<Vec<String>, IngestError> {
    if let Some(column) = repeated(&names) {
        return Err(IngestError::DuplicateColumn { file: file.name.clone(), column: column.to_owned() });
    }
    let mut seen = HashMap::with_capacity(names.len());
    let mut differ_by_case = Vec::new();
    for name in names.iter().filter(|name| !name.is_empty()) {
        if let Some(other) = seen.insert(name.to_lowercase(), name) {
            differ_by_case.push(format!("`{other}` and `{name}`"));
        }
    }
    let mut made_up = Vec::new();
    for i in 0..names.len() {
        if names[i].is_empty() {
            let mut name = format!("column_{}", first + i + 1);
            while names.contains(&name) {
                name.push('_');
            }
            made_up.push(format!("`{name}`"));
            names[i] = name;
        }
    }
    let say = |note: Note, columns: &[String], text: String| {
        file.notes.say(note, Message::file(Weight::Choice, &file.name, text).counting(columns.len()));
    };
    if !made_up.is_empty() {
        let are =
            if made_up.len() == 1 { "a column without a name is" } else { "columns without a name are" };
        let called = list(&made_up);
        let text = format!("{}: {are} called {called} for the place in the header", file.name);
        say(Note::Names, &made_up, text);
    }
    if !differ_by_case.is_empty() {
        let columns = list(&differ_by_case);
        let text =
            format!("{}: the columns {columns} differ in letter case only and are kept apart", file.name);
        say(Note::Case, &differ_by_case, text);
    }
    Ok(names)
}

/// The first name that stands there twice.
pub(super) fn repeated(names: &[String]) -> Option<&str> {
    let mut seen = HashSet::with_capacity(names.len());
    names.iter().filter(|name| !name.is_empty()).find(|name| !seen.insert(*name)).map(String::as_str)
}

/// Rows that are looked at to see whether a column without a name tells rows apart.
const INDEX_ROWS: usize = 1000;

/// Whether the first column is the index that pandas and R write beside a table: the only one without a name,
/// whose cells are all different and no fractions, as measurements are. Says so.
///
/// # Errors
/// What keeps the rows from being read.
pub(super) fn begins_with_index(file: &SourceFile, names: &[String]) -> Result<bool, IngestError> {
    let is_unnamed = matches!(names, [first, second, ..] if first.is_empty() && !second.is_empty());
    let is_index = is_unnamed && tells_rows_apart(file)?;
    if is_index {
        file.notes.say(
            Note::Index,
            Message::file(
                Weight::LeftOut,
                &file.name,
                format!(
                    "{}: the first column has no name and is left out, as the row numbers that pandas and R \
                     write beside a table (name it to keep it)",
                    file.name
                ),
            ),
        );
    }
    Ok(is_index)
}

fn tells_rows_apart(file: &SourceFile) -> Result<bool, IngestError> {
    let mut seen = HashSet::new();
    for record in file.records()?.into_records().skip(1).take(INDEX_ROWS) {
        // A damaged row is told by the reader of rows, with its line.
        let Ok(record) = record else { return Ok(true) };
        let cell = record.get(0).unwrap_or_default().trim();
        let is_fraction = cell.parse::<f64>().is_ok_and(|x| x.fract() != 0.0);
        if is_fraction || !seen.insert(cell.to_owned()) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Says so when the names are numbers, as the first row of a table without a header would be. Columns
/// numbered through are no such sign.
pub(super) fn note_numbers(file: &SourceFile, names: &[String]) {
    let numbers: Vec<f64> = names.iter().filter_map(|name| name.parse().ok()).collect();
    let numbered = numbers.windows(2).all(|pair| pair[1] == pair[0] + 1.0)
        && numbers.first().is_some_and(|first| *first == 0.0 || *first == 1.0);
    if 2 * numbers.len() > names.len() && !(numbered && numbers.len() > 1) {
        file.notes.say(
            Note::Header,
            Message::file(
                Weight::Wrong,
                &file.name,
                format!(
                    "{}: most names in the first line are numbers; if the file has no header, add one, or \
                     its first row is lost",
                    file.name
                ),
            ),
        );
    }
}

/// Says so when a table of one column may be one of several whose separator was not recognised.
pub(super) fn note_one_column(file: &SourceFile, names: &[String]) {
    let [name] = names else { return };
    if name.contains([' ', '\t', ',', ';', ':', '|', '^', '~']) {
        file.notes.say(
            Note::Header,
            Message::file(
                Weight::Wrong,
                &file.name,
                format!(
                    "{}: the table has one column, `{name}`; if another character than a comma, semicolon, \
                     tab or vertical bar separates its cells, or its lines are in quotes as a whole, write \
                     it again as CSV",
                    file.name
                ),
            ),
        );
    }
}

/// At most five of the names, and how many there are besides.
fn list(names: &[String]) -> String {
    let shown = names.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(5) {
        0 => shown,
        more => format!("{shown} and {more} more"),
    }
}
