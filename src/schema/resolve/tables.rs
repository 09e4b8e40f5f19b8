//! The tables of a schema.

use toml::Spanned;

use super::columns::find_column;
use super::{events, parts};
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Entries, Field, Get};
use crate::schema::{DType, Table, TableKind, suggest};

/// The tables of a schema.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) sound: Vec<Table>,
    /// The names of those with problems of their own. What refers to them is not blamed as well.
    broken: Vec<String>,
}

impl Tables {
    /// The declared table a name refers to, the exact spelling first.
    pub(super) fn find(&self, problems: &Problems<'_>, name: &Spanned<&str>) -> Option<&Table> {
        let wanted = name.get_ref();
        let exact = self.sound.iter().find(|t| t.name == *wanted);
        let found = exact.or_else(|| self.sound.iter().find(|t| t.name.eq_ignore_ascii_case(wanted)));
        if found.is_none() && !self.broken.iter().any(|b| b.eq_ignore_ascii_case(wanted)) {
            let names = self.sound.iter().map(|t| &t.name).chain(&self.broken);
            let hint = suggest::hint(wanted, names.map(String::as_str));
            problems.push(name.span(), format!("unknown table `{wanted}`"), hint);
        }
        found
    }
}

/// Resolves `[tables.*]`.
pub(super) fn tables(
    problems: &Problems<'_>,
    entries: &Field<Entries<raw::Table>>,
    record_table: Option<&str>,
) -> Tables {
    let mut tables = Tables::default();
    let Some(entries) = entries.get() else { return tables };
    let is_record = |name: &str| record_table.is_some_and(|r| r.eq_ignore_ascii_case(name));
    // A misspelt `[record] table` is one problem: the table meant by it is not blamed for lacking a kind.
    let record_is_lost = record_table.is_some() && entries.0.iter().all(|(name, _)| !is_record(name));
    for (name, field) in &entries.0 {
        if let Some(other) = tables.sound.iter().find(|t| t.name.eq_ignore_ascii_case(name)) {
            let message = format!(
                "table `{name}` is declared already, as `{}`; names differ by more than case",
                other.name
            );
            problems.add(field.key.clone(), message);
        }
        let reading = Reading { problems, name, at: &field.key };
        let table = field.get().and_then(|raw| reading.table(raw, is_record(name), record_is_lost));
        match table {
            Some(table) => tables.sound.push(table),
            None => tables.broken.push(name.clone()),
        }
    }
    tables
}

/// A table being resolved.
struct Reading<'a> {
    problems: &'a Problems<'a>,
    name: &'a str,
    at: &'a Span,
}

impl Reading<'_> {
    fn table(&self, raw: &raw::Table, is_record: bool, record_is_lost: bool) -> Option<Table> {
        let (problems, title) = (self.problems, format!("table `{}`", self.name));
        let files = self.files(raw);
        let columns = self.columns(raw)?;
        let mut table = Table {
            name: self.name.to_owned(),
            files,
            columns,
            kind: TableKind::Records,
            separator: parts::separator(problems, raw),
            other_names: Vec::new(),
            optional: raw.optional.copied().unwrap_or(false),
            id_in_name: None,
            keep: Vec::new(),
            between: None,
        };
        table.id_in_name = parts::id_in_name(problems, raw, &table);
        table.other_names = parts::other_names(problems, raw, &table);
        table.keep = parts::keep(problems, raw, &table);
        table.between = parts::between(problems, raw, &mut table, is_record);
        table.kind = match (is_record, &raw.key, &raw.events) {
            (true, None, None) => TableKind::Records,
            (false, Some(key), None) => {
                let key = find_column(problems, &table, &key.text()?)?.0;
                let many = raw.many.copied().unwrap_or(false);
                if many { TableKind::Lists { key } } else { TableKind::Static { key } }
            }
            (false, None, Some(events)) => {
                let drop = events::drop_rules(problems, raw, &table);
                TableKind::Events(events::events(problems, events, &table, drop)?)
            }
            (true, ..) => {
                let message = format!("{title} holds the records, it takes neither `key` nor `events`");
                problems.add(self.at.clone(), message);
                return None;
            }
            (false, Some(_), Some(_)) => {
                problems.add(self.at.clone(), format!("{title} has both `key` and `events`"));
                return None;
            }
            (false, None, None) if record_is_lost => return None,
            (false, None, None) => {
                let message = format!("{title} says neither `key` nor `events`");
                let hint = "`key = \"COLUMN\"` joins facts to the records, `events = { time = …, item = …, \
                            value = … }` declares measurements, `[record] table` names the table of records";
                problems.add_with_hint(self.at.clone(), message, hint);
                return None;
            }
        };
        if raw.key.is_none()
            && let Some(many) = &raw.many
        {
            problems.add(many.span.clone(), "`many` applies to tables with a `key`");
        }
        if raw.events.is_none()
            && let Some(drop) = &raw.drop
        {
            problems.add(drop.key.clone(), "`drop` applies to tables with `events`");
        }
        if let Some(optional) = raw.optional.spanned().filter(|_| is_record && table.optional) {
            problems
                .add(optional.span(), "without the table of records there are none; it is never `optional`");
        }
        Some(table)
    }

    fn files(&self, raw: &raw::Table) -> Vec<String> {
        let Some(files) = raw.files.spanned() else { return vec![self.name.to_owned()] };
        if files.get_ref().0.is_empty() {
            let message = "`files` is empty; leave it out for a file named like the table";
            self.problems.add(files.span(), message);
        }
        files.get_ref().items().for_each(|file| check_stem(self.problems, &file));
        files.get_ref().cloned()
    }

    fn columns(&self, raw: &raw::Table) -> Option<Vec<(String, DType)>> {
        let mut columns: Vec<(String, DType)> = Vec::new();
        for (name, dtype) in &raw.columns.get()?.0 {
            if columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name)) {
                let message = format!(
                    "column `{name}` is declared already; headers are matched without regard to case"
                );
                self.problems.add(dtype.key.clone(), message);
            } else {
                // One of unknown type is known by name: there is no second complaint where it is referred to.
                columns.push((name.clone(), dtype.copied().unwrap_or(DType::Text)));
            }
        }
        if columns.is_empty() {
            self.problems.add(raw.columns.key.clone(), format!("table `{}` declares no columns", self.name));
        }
        Some(columns)
    }
}

/// A stem names a file in the folder given on the command line, or in a folder within it.
fn check_stem(problems: &Problems<'_>, file: &Spanned<&String>) {
    let stem = file.get_ref();
    if stem.starts_with('/') || stem.contains('\\') || stem.split('/').any(|part| part == "..") {
        let hint = "the folder is given on the command line, by `--input`; folders within it are written \
                    `hosp/labevents`";
        problems.add_with_hint(
            file.span(),
            format!("file `{stem}` leads out of the folder of the extract"),
            hint,
        );
    }
    let lower = stem.to_lowercase();
    if let Some(ending) = [".csv.gz", ".csv", ".psv", ".parquet"].iter().find(|e| lower.ends_with(**e)) {
        let message = format!("file `{stem}` ends in `{ending}`, name it without");
        problems.add_with_hint(
            file.span(),
            message,
            "`.parquet`, `.csv`, `.csv.gz` and `.psv` are looked for",
        );
    }
}
