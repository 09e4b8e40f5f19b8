//! The text of a drafted schema.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::keys::{Keys, is_offset};
use super::look::{Column, Table};
use super::sources::{Found, Where};

/// The schema file, with what was seen as comments.
pub(super) fn schema(name: &str, tables: &[Table], keys: &Keys, found: &[Found]) -> String {
    let mut out = String::new();
    // Writing to a String cannot fail.
    let mut line = |text: String| {
        let _ = writeln!(out, "{text}");
    };
    let records = &tables[keys.records];
    let plain: String = name.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    line(format!(
        "# Drafted from the tables of {plain} by names, synonyms and plausible ranges, from their first rows."
    ));
    for comment in [
        "# Check every line against the documentation of the tables: a name may mean something else.",
        "# Then: cohort-flow schema check THIS-FILE",
        "# and:  cohort-flow ingest icu-first-24h --schema THIS-FILE --input DIR --check",
    ] {
        line(comment.into());
    }
    line(String::new());
    line(format!("name = {}", quoted(&key(name))));
    line(format!("title = {}", quoted(&format!("{plain}, drafted"))));
    line(String::new());
    line("[record]".into());
    line(format!("table = {}", quoted(&name_of(records))));
    let id =
        records.columns.iter().find(|c| c.lower() == keys.id).map_or(keys.id.as_str(), |c| c.name.as_str());
    line(format!("id = {}", quoted(id)));
    match keys.subject {
        Some(at) => line(format!("subject = {}", quoted(&records.columns[at].name))),
        None => line(format!(
            "subject = {}   # no column of patients was found: each record is one of its own",
            quoted(id)
        )),
    }
    for (what, at) in [("start", keys.start), ("end", keys.end), ("order", keys.order)] {
        if let Some(at) = at {
            line(format!("{what} = {}", quoted(&records.columns[at].name)));
        }
    }
    line(String::new());
    record_table(&mut line, records, keys, found);
    let mut of_table: BTreeMap<usize, Vec<&Found>> = BTreeMap::new();
    for source in found.iter().filter(|f| !matches!(f.place, Where::Fact { .. })) {
        of_table.entry(source.table).or_default().push(source);
    }
    for (at, sources) in &of_table {
        event_table(&mut line, &tables[*at], keys, sources);
    }
    let mut from = 0;
    while from < found.len() {
        let to = from + found[from..].iter().take_while(|f| f.concept == found[from].concept).count();
        concept(&mut line, tables, &found[from..to]);
        from = to;
    }
    out
}

fn record_table(line: &mut impl FnMut(String), table: &Table, keys: &Keys, found: &[Found]) {
    let mut columns: Vec<(String, &str)> = Vec::new();
    for column in &table.columns {
        let is_key = column.lower() == keys.id;
        if is_key {
            columns.push((column.name.clone(), id_type(column)));
        }
    }
    let mut add = |at: usize, dtype: Option<&'static str>| {
        let column = &table.columns[at];
        if !columns.iter().any(|(name, _)| *name == column.name) {
            columns.push((column.name.clone(), dtype.unwrap_or_else(|| id_type(column))));
        }
    };
    if let Some(at) = keys.subject {
        add(at, None);
    }
    for at in keys.start.into_iter().chain(keys.end) {
        add(at, Some(time_type(&table.columns[at])));
    }
    if let Some(at) = keys.order {
        add(at, Some("integer"));
    }
    for source in found {
        if let Where::Fact { column } = source.place {
            let is_text = ["age", "gender", "ethnicity"].contains(&source.concept.as_str());
            add(column, Some(if is_text { "text" } else { "float" }));
        }
    }
    header(line, table, &columns);
    line(String::new());
}

fn event_table(line: &mut impl FnMut(String), table: &Table, keys: &Keys, sources: &[&Found]) {
    let id = table.columns.iter().find(|c| c.lower() == keys.id);
    let mut columns: Vec<(String, &str)> = id.iter().map(|c| (c.name.clone(), id_type(c))).collect();
    let record = id.map_or(keys.id.as_str(), |c| c.name.as_str());
    let mut events: Vec<String> = Vec::new();
    for source in sources {
        let mut add = |what: &str, at: usize, dtype: &'static str| {
            let column = &table.columns[at];
            if !columns.iter().any(|(name, _)| *name == column.name) {
                columns.push((column.name.clone(), dtype));
            }
            format!("{what} = {}", quoted(&column.name))
        };
        let record = format!("record = {}", quoted(record));
        events = match &source.place {
            Where::Fact { .. } => continue,
            Where::Signal { time, column } => {
                add("item", *column, number_type(&table.columns[*column]));
                vec![record, add("time", *time, time_type(&table.columns[*time])), "wide = true".into()]
            }
            Where::Items { time, item, value, unit, .. } => {
                let of_item = if table.columns[*item].is_number() { "integer" } else { "text" };
                let mut parts = vec![
                    record,
                    add("time", *time, time_type(&table.columns[*time])),
                    add("item", *item, of_item),
                    add("value", *value, number_type(&table.columns[*value])),
                ];
                parts.extend(unit.map(|unit| add("unit", unit, "text")));
                parts
            }
        };
    }
    header(line, table, &columns);
    line(format!("[tables.{}.events]", name_of(table)));
    events.into_iter().for_each(&mut *line);
    line(String::new());
}

fn header(line: &mut impl FnMut(String), table: &Table, columns: &[(String, &str)]) {
    let name = name_of(table);
    line(format!("[tables.{name}]"));
    line(format!("files = [{}]", quoted(&table.stem)));
    line(format!("[tables.{name}.columns]   # {} rows were looked at", table.rows));
    for (column, dtype) in columns {
        line(format!("{} = \"{dtype}\"", quoted(column)));
    }
}

fn concept(line: &mut impl FnMut(String), tables: &[Table], sources: &[Found]) {
    let Some(first) = sources.first() else { return };
    // Its levels in this hospital are not known from their names.
    if first.concept == "ethnicity" {
        return;
    }
    line(format!("[concepts.{}]", first.concept));
    if first.concept == "gender"
        && let Where::Fact { column } = first.place
    {
        line(genders(&tables[first.table].columns[column]));
    }
    line("sources = [".into());
    for (precedence, source) in sources.iter().enumerate() {
        let table = &tables[source.table];
        let mut text = format!("  {{ table = {}", quoted(&name_of(table)));
        match &source.place {
            Where::Fact { column } => {
                let what = if source.concept == "age" { "age" } else { "column" };
                let _ = write!(text, ", {what} = {}", quoted(&table.columns[*column].name));
            }
            Where::Signal { column, .. } => {
                let _ = write!(text, ", items = [{}]", quoted(&table.columns[*column].name));
            }
            Where::Items { item, items, .. } => {
                let is_number = table.columns[*item].is_number();
                let items = items.iter().map(|text| if is_number { text.clone() } else { quoted(text) });
                let _ = write!(text, ", items = [{}]", items.collect::<Vec<_>>().join(", "));
            }
        }
        if source.fraction {
            text += ", rule = \"mixed-fraction\"";
        }
        if let Some((scale, offset)) = source.line {
            let _ = write!(text, ", scale = {scale:?}, offset = {offset:?}");
        }
        if !source.units.is_empty() {
            let units: Vec<String> = source.units.iter().map(|unit| quoted(unit)).collect();
            let _ = write!(text, ", units = [{}]", units.join(", "));
        }
        if precedence > 0 {
            let _ = write!(text, ", precedence = {precedence}");
        }
        let (seen, plausible) = source.values;
        line(format!("{text} }},   # {plausible} of {seen} values are plausible"));
    }
    line("]".into());
    line(String::new());
}

/// The levels of a column of genders, by their first letters.
fn genders(column: &Column) -> String {
    let mut texts: Vec<&str> =
        column.cells.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    texts.sort_unstable();
    texts.dedup();
    let of = |letters: [char; 2]| {
        let texts = texts.iter().filter(|text| text.to_lowercase().starts_with(letters));
        texts.map(|text| quoted(text)).collect::<Vec<_>>().join(", ")
    };
    format!("levels = {{ female = [{}], male = [{}] }}", of(['f', 'w']), of(['m', 'm']))
}

fn id_type(column: &Column) -> &'static str {
    if column.dtype() == "integer" { "integer" } else { "text" }
}

fn time_type(column: &Column) -> &'static str {
    if is_offset(column) { "minutes" } else { "datetime" }
}

fn number_type(column: &Column) -> &'static str {
    match column.dtype() {
        "integer" | "float" => "float",
        _ => "quantity",
    }
}

/// The name of a table in the schema.
fn name_of(table: &Table) -> String {
    key(table.stem.rsplit('/').next().unwrap_or(&table.stem))
}

/// A name that needs no quotes.
fn key(name: &str) -> String {
    let key: String = name.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
    if key.is_empty() { "folder".into() } else { key }
}

/// A TOML text.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            c if c.is_control() => {
                let _ = write!(out, "\\u{:04X}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
