//! The record of a schema: its identity, and when it begins and ends.

use toml::Spanned;

use super::columns::find_column;
use super::episodes::episodes;
use super::tables::{Tables, tables};
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Get, key};
use crate::schema::{DType, Record, Table, TableKind};

/// The record and the tables, resolved against each other.
pub(super) struct Layout {
    pub(super) record: Record,
    pub(super) tables: Tables,
}

/// Resolves `[record]` and `[tables.*]`.
pub(super) fn layout(problems: &Problems<'_>, schema: &raw::SchemaFile) -> Option<Layout> {
    let record_table = schema.record.get().and_then(|record| record.table.owned());
    let tables = tables(problems, &schema.tables, record_table.as_deref());
    let record = record(problems, schema.record.get()?, &tables)?;
    check_times(problems, schema, &record, &tables);
    Some(Layout { record, tables })
}

fn record(problems: &Problems<'_>, raw: &raw::Record, tables: &Tables) -> Option<Record> {
    if let Some(name) = raw.table.text() {
        return of_table(problems, raw, tables.find(problems, &name)?);
    }
    let of_table =
        [("start", key(&raw.start)), ("end", key(&raw.end)), ("order", key(&raw.order))].into_iter();
    for (name, at) in of_table.chain([("episodes", key(&raw.episodes))]) {
        if let Some(at) = at {
            let message = format!("`{name}` is about columns of a table of records, but no `table` is named");
            let hint = "name the table, or leave it out when event times are elapsed already";
            problems.add_with_hint(at, message, hint);
        }
    }
    let (id, subject) = (raw.id.text()?, raw.subject.text());
    let has = |table: &Table, name: &str| table.columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
    for key in std::iter::once(&id).chain(&subject) {
        for table in tables.sound.iter().filter(|t| !has(t, key.get_ref())) {
            let message = format!("table `{}` has no column `{}`", table.name, key.get_ref());
            let hint = "without a table of records, every table carries the record's id";
            problems.add_with_hint(key.span(), message, hint);
        }
    }
    let id = (*id.get_ref()).to_owned();
    let subject = subject.map_or_else(|| id.clone(), |s| (*s.get_ref()).to_owned());
    Some(Record { table: None, id, subject, start: None, end: None, order: None, episodes: None })
}

/// The record with a row of its own in a table.
fn of_table(problems: &Problems<'_>, raw: &raw::Record, table: &Table) -> Option<Record> {
    let resolve = |name: &Spanned<&str>| find_column(problems, table, name).map(|c| c.0);
    let since_start = raw.start.is_none();
    let time = |name: Option<Spanned<&str>>| {
        let name = name?;
        // One that is not declared stays as written, so that the record is not taken for one without times.
        let Some((column, dtype)) = find_column(problems, table, &name) else {
            return Some((*name.get_ref()).to_owned());
        };
        if if since_start { !dtype.is_since_start() } else { dtype != DType::Datetime } {
            let wanted = if since_start {
                "without a `start`, a record's end is `minutes`, `hour` or `elapsed` since it"
            } else {
                "a record's start and end are `datetime`"
            };
            let message = format!("column `{column}` is {}, {wanted}", dtype.name());
            problems.add_with_hint(
                name.span(),
                message,
                format!("declare it under `[tables.{}]`", table.name),
            );
        }
        Some(column)
    };
    let id = resolve(&raw.id.text()?)?;
    let subject = raw.subject.text().map_or_else(|| Some(id.clone()), |subject| resolve(&subject))?;
    let (start, end) = (time(raw.start.text()), time(raw.end.text()));
    let order = raw.order.text().and_then(|name| {
        let (column, dtype) = find_column(problems, table, &name)?;
        if !matches!(dtype, DType::Integer | DType::Float) {
            let message = format!("column `{column}` is `{}`, an order is a number", dtype.name());
            problems.add(name.span(), message);
        }
        Some(column)
    });
    if let Some(at) = key(&raw.order).filter(|_| raw.start.is_some()) {
        problems.add(at, "`order` has no meaning beside `start`, which tells the order of records");
    }
    let episodes = raw.episodes.get().and_then(|episodes_of| episodes(problems, raw, episodes_of, table));
    Some(Record { table: Some(table.name.clone()), id, subject, start, end, order, episodes })
}

/// Event times are dates where records have a start, and elapsed where they have none.
fn check_times(problems: &Problems<'_>, schema: &raw::SchemaFile, record: &Record, tables: &Tables) {
    let (wanted, why) = if record.start.is_some() {
        (DType::Datetime, "records have a `start`")
    } else {
        (DType::Elapsed, "records have no `start`")
    };
    let place = |name: &str| -> Span {
        let entry = schema.tables.get().and_then(|t| t.0.iter().find(|(n, _)| n == name));
        entry.map_or_else(|| schema.tables.key.clone(), |(_, field)| field.key.clone())
    };
    for table in &tables.sound {
        let TableKind::Events(events) = &table.kind else { continue };
        let Some((name, dtype)) = table.columns.iter().find(|(c, _)| *c == events.time) else { continue };
        let right = if record.start.is_some() { *dtype == wanted } else { dtype.is_since_start() };
        if !right {
            let message = format!(
                "time column `{name}` of table `{}` is {}, but as {why} it has to be `{}`",
                table.name,
                dtype.name(),
                wanted.name()
            );
            problems.add(place(&table.name), message);
        }
    }
}
