//! The tables of a schema.

use toml::Spanned;

use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Cell, Entries, Field, Get};
use crate::schema::{DType, DropRule, EventColumns, Table, TableKind, suggest};

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
        let mut table = Table { name: self.name.to_owned(), files, columns, kind: TableKind::Records };
        table.kind = match (is_record, &raw.key, &raw.events) {
            (true, None, None) => TableKind::Records,
            (false, Some(key), None) => {
                let key = find_column(problems, &table, &key.text()?)?.0;
                let many = raw.many.copied().unwrap_or(false);
                if many { TableKind::Lists { key } } else { TableKind::Static { key } }
            }
            (false, None, Some(events)) => {
                let drop = drop_rules(problems, raw, &table);
                TableKind::Events(self.events(events, &table, drop)?)
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

    fn events(&self, field: &Field<raw::Events>, table: &Table, drop: Vec<DropRule>) -> Option<EventColumns> {
        let (problems, raw) = (self.problems, field.get()?);
        let column = |name: Option<Spanned<&str>>, allowed: &[DType]| {
            let name = name?;
            let (column, dtype) = find_column(problems, table, &name)?;
            if !allowed.contains(&dtype) {
                let names: Vec<_> = allowed.iter().map(|d| d.name()).collect();
                let message = format!(
                    "column `{column}` is `{}`, allowed here are {}",
                    dtype.name(),
                    suggest::quoted(&names)
                );
                problems.add(name.span(), message);
            }
            Some(column)
        };
        if raw.record.is_none() && raw.subject.is_none() {
            let message = format!("`events` of table `{}` needs `record`, `subject` or both", self.name);
            problems.add(field.key.clone(), message);
        }
        let (id, moment) = ([DType::Integer, DType::Text], [DType::Datetime, DType::Elapsed]);
        let record = column(raw.record.text(), &id);
        let subject = column(raw.subject.text(), &id);
        let time = column(raw.time.text(), &moment);
        let end = column(raw.end.text(), &moment);
        let item = column(raw.item.text(), &id);
        let value = column(raw.value.text(), &[DType::Float, DType::Integer]);
        let text = column(raw.text.text(), &[DType::Text]);
        let unit = column(raw.unit.text(), &[DType::Text]);
        Some(EventColumns { record, subject, time: time?, end, item: item?, value: value?, text, unit, drop })
    }
}

/// A stem names a file in the folder given on the command line, nothing else.
fn check_stem(problems: &Problems<'_>, file: &Spanned<&String>) {
    let stem = file.get_ref();
    if stem.contains(['/', '\\']) {
        let hint = "the folder is given on the command line, by `--input`";
        problems.add_with_hint(file.span(), format!("file `{stem}` names a folder"), hint);
    }
    let lower = stem.to_lowercase();
    if let Some(ending) = [".csv.gz", ".csv", ".parquet"].iter().find(|e| lower.ends_with(**e)) {
        let message = format!("file `{stem}` ends in `{ending}`, name it without");
        problems.add_with_hint(file.span(), message, "`.parquet`, `.csv` and `.csv.gz` are looked for");
    }
}

fn drop_rules(problems: &Problems<'_>, raw: &raw::Table, table: &Table) -> Vec<DropRule> {
    let mut rules = Vec::new();
    for rule in raw.drop.get().into_iter().flat_map(|list| list.items()).map(Spanned::into_inner) {
        let column = rule.column.text().and_then(|c| find_column(problems, table, &c));
        let (Some((column, dtype)), Some(list)) = (column, rule.equals.spanned()) else { continue };
        if list.get_ref().0.is_empty() {
            problems.add(list.span(), "`equals` is empty");
        }
        let values = list.get_ref().items();
        let equals: Vec<String> =
            values.filter_map(|value| drop_value(problems, &column, dtype, &value)).collect();
        let reason = rule.reason.owned().unwrap_or_else(|| format!("{column} is {}", equals.join(" or ")));
        rules.push(DropRule { column, equals, reason });
    }
    rules
}

fn drop_value(problems: &Problems<'_>, column: &str, dtype: DType, value: &Spanned<&Cell>) -> Option<String> {
    let numeric = matches!(dtype, DType::Integer | DType::Float);
    match value.get_ref() {
        Cell::Text(text) if !numeric || text.trim().parse::<f64>().is_ok() => Some(text.trim().to_owned()),
        Cell::Text(text) => {
            let message = format!("column `{column}` is `{}`, it never equals `{text}`", dtype.name());
            problems.add(value.span(), message);
            None
        }
        Cell::Integer(i) => Some(i.to_string()),
        Cell::Number(x) => Some(x.to_string()),
    }
}

/// The declared column a name refers to, in its declared spelling.
pub(super) fn find_column(
    problems: &Problems<'_>,
    table: &Table,
    name: &Spanned<&str>,
) -> Option<(String, DType)> {
    let found = table.columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name.get_ref()));
    if found.is_none() {
        let hint = suggest::hint(name.get_ref(), table.columns.iter().map(|(c, _)| c.as_str()));
        let message = format!("table `{}` has no column `{}`", table.name, name.get_ref());
        problems.push(name.span(), message, hint);
    }
    found.cloned()
}
