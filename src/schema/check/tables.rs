//! The record and the tables of a schema.

use toml::Spanned;
use toml::de::DeValue;

use crate::schema::parse::{Problems, Section, Value, integer, number};
use crate::schema::{DType, DropRule, EventColumns, Record, Table, TableKind, suggest};

/// Record and tables, resolved against each other.
pub(super) struct Layout {
    pub(super) record: Record,
    pub(super) tables: Tables,
}

/// The tables of a schema.
#[derive(Default)]
pub(super) struct Tables {
    pub(super) sound: Vec<Table>,
    /// Names of those with problems of their own; what refers to them is not blamed as well.
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

/// Reads `[record]` and `[tables.*]`.
pub(super) fn layout(root: &Section<'_>) -> Option<Layout> {
    let record = root.require("record").then(|| root.section("record", "the record")).flatten();
    let record_table = record.as_ref().and_then(|r| r.text("table"));
    let tables = read_tables(root, record_table.as_ref().map(|t| *t.get_ref()));
    let record = record.and_then(|section| {
        let record = read_record(&section, record_table.as_ref(), &tables);
        section.finish();
        record
    })?;
    check_times(root, &record, &tables);
    Some(Layout { record, tables })
}

fn read_record(section: &Section<'_>, table: Option<&Spanned<&str>>, tables: &Tables) -> Option<Record> {
    let id = section.required_text("id");
    let subject = section.text("subject");
    let start = section.text("start");
    let end = section.text("end");
    let problems = section.problems;
    if let Some(name) = table {
        let table = tables.find(problems, name)?;
        let resolve =
            |key: Option<Spanned<&str>>| key.and_then(|key| find_column(problems, table, &key)).map(|c| c.0);
        let time = |key: Option<Spanned<&str>>| {
            let key = key?;
            // One that is not declared stays as written, so that the record is not taken for one without times.
            let Some((name, dtype)) = find_column(problems, table, &key) else {
                return Some((*key.get_ref()).to_owned());
            };
            if dtype != DType::Datetime {
                problems.add_with_hint(
                    key.span(),
                    format!("column `{name}` is {}, a record's start and end are `datetime`", dtype.name()),
                    format!("declare it under `[tables.{}]`", table.name),
                );
            }
            Some(name)
        };
        let id = resolve(id)?;
        let subject = subject.map_or_else(|| Some(id.clone()), |s| resolve(Some(s)))?;
        let (start, end) = (time(start), time(end));
        return Some(Record { table: Some(table.name.clone()), id, subject, start, end });
    }
    for (key, given) in [("start", &start), ("end", &end)] {
        if given.is_some() {
            problems.add_with_hint(
                section.key_span(key),
                format!("`{key}` is a column of a table of records, but no `table` is named"),
                "name the table, or leave it out when event times are elapsed already",
            );
        }
    }
    let id = id?;
    let has = |table: &Table, name: &str| table.columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name));
    for key in std::iter::once(&id).chain(&subject) {
        for table in tables.sound.iter().filter(|t| !has(t, key.get_ref())) {
            problems.add_with_hint(
                key.span(),
                format!("table `{}` has no column `{}`", table.name, key.get_ref()),
                "without a table of records, every table carries the record's id",
            );
        }
    }
    let id = (*id.get_ref()).to_owned();
    let subject = subject.map_or_else(|| id.clone(), |s| (*s.get_ref()).to_owned());
    Some(Record { table: None, id, subject, start: None, end: None })
}

/// Event times are dates where records have a start, and elapsed where they have none.
fn check_times(root: &Section<'_>, record: &Record, tables: &Tables) {
    let wanted = if record.start.is_some() { DType::Datetime } else { DType::Elapsed };
    for table in &tables.sound {
        let TableKind::Events(events) = &table.kind else { continue };
        let Some((name, dtype)) = table.columns.iter().find(|(c, _)| *c == events.time) else { continue };
        if *dtype != wanted {
            let why =
                if record.start.is_some() { "records have a `start`" } else { "records have no `start`" };
            root.problems.add(
                table_span(root, &table.name),
                format!(
                    "time column `{name}` of table `{}` is {}, but as {why} it has to be `{}`",
                    table.name,
                    dtype.name(),
                    wanted.name()
                ),
            );
        }
    }
}

fn table_span(root: &Section<'_>, name: &str) -> std::ops::Range<usize> {
    let tables = root.section("tables", "the tables");
    tables.map_or_else(|| root.span.clone(), |t| t.key_span(name))
}

fn read_tables(root: &Section<'_>, record_table: Option<&str>) -> Tables {
    let Some(section) = root.require("tables").then(|| root.section("tables", "the tables")).flatten() else {
        return Tables::default();
    };
    // A misspelt `[record] table` is one problem: the table meant by it is not blamed for lacking a kind.
    let record_is_lost = record_table
        .is_some_and(|r| section.entries().iter().all(|(name, _)| !r.eq_ignore_ascii_case(name.get_ref())));
    let mut tables = Tables::default();
    for (name, value) in section.entries() {
        let title = format!("table `{}`", name.get_ref());
        let Some(body) = section.as_section(name.get_ref(), title, name.span(), value) else { continue };
        if let Some(other) = tables.sound.iter().find(|t| t.name.eq_ignore_ascii_case(name.get_ref())) {
            root.problems.add(
                name.span(),
                format!(
                    "table `{}` is declared already, as `{}`; names differ by more than case",
                    name.get_ref(),
                    other.name
                ),
            );
        }
        let is_record = record_table.is_some_and(|r| r.eq_ignore_ascii_case(name.get_ref()));
        match read_table(&body, name.get_ref(), is_record, record_is_lost) {
            Some(table) => tables.sound.push(table),
            None => tables.broken.push((*name.get_ref()).to_owned()),
        }
        body.finish();
    }
    tables
}

fn read_table(section: &Section<'_>, name: &str, is_record: bool, record_is_lost: bool) -> Option<Table> {
    let problems = section.problems;
    let files = match section.texts("files") {
        Some(files) => {
            if files.get_ref().is_empty() {
                problems.add(files.span(), "`files` is empty; leave it out for a file named like the table");
            }
            for file in files.get_ref() {
                check_stem(problems, file);
            }
            files.get_ref().iter().map(|f| (*f.get_ref()).to_owned()).collect()
        }
        None => vec![name.to_owned()],
    };
    let columns = read_columns(section);
    let mut table = Table { name: name.to_owned(), files, columns: columns?, kind: TableKind::Records };
    let key = section.text("key");
    let many = section.boolean("many");
    let events = section.section("events", &format!("`events` of {}", section.title));
    table.kind = match (is_record, key, events) {
        (true, None, None) => TableKind::Records,
        (false, Some(key), None) => {
            let key = find_column(problems, &table, &key)?.0;
            let many = many.as_ref().is_some_and(|m| *m.get_ref());
            if many { TableKind::Lists { key } } else { TableKind::Static { key } }
        }
        (false, None, Some(events)) => {
            let drop = read_drop(section, &table);
            let columns = read_events(&events, &table, drop);
            events.finish();
            TableKind::Events(columns?)
        }
        (true, ..) => {
            let message = format!("{} holds the records, it takes neither `key` nor `events`", section.title);
            problems.add(section.span.clone(), message);
            return None;
        }
        (false, Some(_), Some(_)) => {
            problems.add(section.span.clone(), format!("{} has both `key` and `events`", section.title));
            return None;
        }
        (false, None, None) if record_is_lost => return None,
        (false, None, None) => {
            problems.add_with_hint(
                section.span.clone(),
                format!("{} says neither `key` nor `events`", section.title),
                "`key = \"COLUMN\"` joins facts to the records, `events = { time = …, item = …, value = … }` declares \
                 measurements, `[record] table` names the table of records",
            );
            return None;
        }
    };
    if !matches!(table.kind, TableKind::Static { .. } | TableKind::Lists { .. })
        && let Some(many) = many
    {
        problems.add(many.span(), "`many` applies to tables with a `key`");
    }
    if !matches!(table.kind, TableKind::Events(_)) && section.value("drop").is_some() {
        problems.add(section.key_span("drop"), "`drop` applies to tables with `events`");
    }
    Some(table)
}

/// A stem names a file in the folder given on the command line, nothing else.
fn check_stem(problems: &Problems<'_>, file: &Spanned<&str>) {
    let stem = file.get_ref();
    if stem.contains(['/', '\\']) {
        let hint = "the folder is given on the command line, by `--input`";
        problems.add_with_hint(file.span(), format!("file `{stem}` names a folder"), hint);
    }
    let lower = stem.to_lowercase();
    if let Some(ending) = [".csv.gz", ".csv", ".parquet"].iter().find(|e| lower.ends_with(**e)) {
        let hint = "`.parquet`, `.csv` and `.csv.gz` are looked for";
        problems.add_with_hint(
            file.span(),
            format!("file `{stem}` ends in `{ending}`, name it without"),
            hint,
        );
    }
}

fn read_columns(section: &Section<'_>) -> Option<Vec<(String, DType)>> {
    let body = section.require("columns").then(|| section.section("columns", "columns")).flatten()?;
    let mut columns: Vec<(String, DType)> = Vec::new();
    for (name, value) in body.entries() {
        let Some(text) = body.as_text(name.get_ref(), value) else { continue };
        if columns.iter().any(|(c, _)| c.eq_ignore_ascii_case(name.get_ref())) {
            let message = format!(
                "column `{}` is declared already; headers are matched without regard to case",
                name.get_ref()
            );
            section.problems.add(name.span(), message);
        } else if let Some(dtype) = body.one_of("column type", &text, &DType::ALL, DType::name) {
            columns.push(((*name.get_ref()).to_owned(), dtype));
        } else {
            // Known, of unknown type: no second complaint where it is referred to.
            columns.push(((*name.get_ref()).to_owned(), DType::Text));
        }
    }
    if columns.is_empty() {
        section.problems.add(body.span.clone(), format!("{} declares no columns", section.title));
    }
    Some(columns)
}

fn read_events(section: &Section<'_>, table: &Table, drop: Vec<DropRule>) -> Option<EventColumns> {
    let problems = section.problems;
    let column = |key: Option<Spanned<&str>>, allowed: &[DType]| {
        let key = key?;
        let (name, dtype) = find_column(problems, table, &key)?;
        if !allowed.contains(&dtype) {
            let names: Vec<_> = allowed.iter().map(|d| d.name()).collect();
            let message = format!(
                "column `{name}` is `{}`, allowed here are {}",
                dtype.name(),
                suggest::quoted(&names)
            );
            problems.add(key.span(), message);
        }
        Some(name)
    };
    let id = [DType::Integer, DType::Text];
    let record = column(section.text("record"), &id);
    let subject = column(section.text("subject"), &id);
    if !section.has("record") && !section.has("subject") {
        problems.add(section.span.clone(), format!("{} needs `record`, `subject` or both", section.title));
    }
    let time = column(section.required_text("time"), &[DType::Datetime, DType::Elapsed]);
    let end = column(section.text("end"), &[DType::Datetime, DType::Elapsed]);
    let item = column(section.required_text("item"), &id);
    let value = column(section.required_text("value"), &[DType::Float, DType::Integer]);
    let text = column(section.text("text"), &[DType::Text]);
    let unit = column(section.text("unit"), &[DType::Text]);
    Some(EventColumns { record, subject, time: time?, end, item: item?, value: value?, text, unit, drop })
}

fn read_drop(section: &Section<'_>, table: &Table) -> Vec<DropRule> {
    let mut rules = Vec::new();
    for rule in section.sections("drop", &format!("a `drop` of {}", section.title)) {
        let column = rule.required_text("column").and_then(|c| find_column(rule.problems, table, &c));
        let equals = if rule.require("equals") { rule.list("equals") } else { None };
        let reason = rule.text("reason");
        if let (Some((column, dtype)), Some(list)) = (column, equals) {
            if list.get_ref().is_empty() {
                rule.problems.add(list.span(), "`equals` is empty");
            }
            let equals: Vec<String> =
                list.get_ref().iter().filter_map(|value| drop_value(&rule, &column, dtype, value)).collect();
            let reason = reason.map_or_else(
                || format!("{column} is {}", equals.join(" or ")),
                |r| (*r.get_ref()).to_owned(),
            );
            rules.push(DropRule { column, equals, reason });
        }
        rule.finish();
    }
    rules
}

fn drop_value(rule: &Section<'_>, column: &str, dtype: DType, value: Value<'_>) -> Option<String> {
    let numeric = matches!(dtype, DType::Integer | DType::Float);
    match value.get_ref() {
        DeValue::String(text) if !numeric || text.trim().parse::<f64>().is_ok() => {
            Some(text.trim().to_owned())
        }
        DeValue::String(text) => {
            let message = format!("column `{column}` is `{}`, it never equals `{text}`", dtype.name());
            rule.problems.add(value.span(), message);
            None
        }
        DeValue::Integer(_) => integer(value).map(|i| i.to_string()),
        DeValue::Float(_) => number(value).map(|x| x.to_string()),
        _ => rule.wrong("equals", value, "a text or a number"),
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
        problems.push(
            name.span(),
            format!("table `{}` has no column `{}`", table.name, name.get_ref()),
            hint,
        );
    }
    found.cloned()
}
