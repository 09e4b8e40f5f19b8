//! Where a variable is found: rows of an event table, a column of facts, or a date of birth.

use toml::Spanned;
use toml::de::DeValue;

use super::tables::{Layout, find_column};
use super::variables::same_unit;
use crate::schema::parse::{Section, integer};
use crate::schema::{DType, EventColumns, Item, Kind, Rule, Source, Table, TableKind, Variable};

/// MIMIC-III shifts ages above 89 to about 300; the median of those it hides is 91.4.
const AGE_CAP: f64 = 91.4;

/// Reads `sources` of a variable and checks them against each other.
pub(super) fn sources(section: &Section<'_>, layout: &Layout, variable: &Variable) -> Vec<Source> {
    if !section.require("sources") {
        return Vec::new();
    }
    let entries = section.sections("sources", &format!("a source of {}", section.title));
    if entries.is_empty() && section.value("sources").is_some_and(|v| v.get_ref().is_array()) {
        section.problems.add(section.key_span("sources"), format!("{} has no sources", section.title));
    }
    let mut found = Vec::new();
    let mut items = Vec::new();
    for entry in entries {
        found.extend(source(&entry, layout, variable, &mut items));
        entry.finish();
    }
    let is_event = |source: &Source| matches!(source, Source::Events { .. });
    if found.len() > 1 && !found.iter().all(is_event) {
        section.problems.add_with_hint(
            section.key_span("sources"),
            format!("{} mixes columns with other sources; a fact has one source", section.title),
            "make it two variables",
        );
    }
    if found.iter().any(|s| !is_event(s)) && section.has("aggregate") {
        let message = format!("`aggregate` has no meaning: {} is one fact, not measurements", section.title);
        section.problems.add(section.key_span("aggregate"), message);
    }
    found
}

/// Items seen so far in the sources of a variable, by table.
type Seen = Vec<(String, Item)>;

fn source(entry: &Section<'_>, layout: &Layout, variable: &Variable, seen: &mut Seen) -> Option<Source> {
    let table = entry.required_text("table").and_then(|name| layout.tables.find(entry.problems, &name));
    let given: Vec<&str> = ["items", "column", "birth"].into_iter().filter(|key| entry.has(key)).collect();
    let &[form] = given.as_slice() else {
        let message = format!("{} needs exactly one of `items`, `column` and `birth`", entry.title);
        let hint = "`items` for measurements, `column` for a fact, `birth` for the age at the record's start";
        entry.problems.add_with_hint(entry.span.clone(), message, hint);
        // What the other forms would read is not unknown, there is just no telling which is meant.
        for key in ["items", "column", "birth", "units", "scale", "offset", "rule", "precedence", "cap"] {
            entry.value(key);
        }
        return None;
    };
    match form {
        "items" => {
            let (scale_, offset_) = (scale(entry), offset(entry));
            let rule = entry
                .choice("rule", &[Rule::MixedFraction, Rule::NotConvertible], rule_name)
                .map(Spanned::into_inner);
            if rule.is_some() {
                for key in ["scale", "offset"].into_iter().filter(|key| entry.has(key)) {
                    entry.problems.add(entry.key_span(key), format!("`{key}` has no effect beside `rule`"));
                }
            }
            let precedence = entry.count("precedence").map_or(0, Spanned::into_inner);
            let units = units(entry);
            let items = entry.list("items");
            let table = table?;
            let TableKind::Events(columns) = &table.kind else {
                let message = format!("table `{}` holds facts, not events", table.name);
                entry.problems.add_with_hint(entry.key_span("items"), message, "name a `column` instead");
                return None;
            };
            check_event_columns(entry, table, columns, variable, !units.is_empty());
            let items = read_items(entry, table, columns, items?, seen);
            Some(Source::Events {
                table: table.name.clone(),
                items,
                units,
                scale: scale_,
                offset: offset_,
                rule,
                precedence: u32::try_from(precedence).unwrap_or(u32::MAX),
            })
        }
        "column" => {
            let column = entry.text("column");
            let table = facts(entry, "column", table?)?;
            let (column, dtype) = find_column(entry.problems, table, &column?)?;
            if variable.kind != Kind::Categorical && variable.value_map.is_empty() && dtype == DType::Text {
                entry.problems.add_with_hint(
                    entry.key_span("column"),
                    format!("column `{column}` is text, but the variable is {}", variable.kind.name()),
                    "make the variable `categorical`, or give it a `value_map`",
                );
            }
            Some(Source::Column { table: table.name.clone(), column })
        }
        _ => {
            let birth = entry.text("birth");
            let cap = entry.number("cap").map_or(AGE_CAP, Spanned::into_inner);
            let table = facts(entry, "birth", table?)?;
            let birth = birth?;
            let (column, dtype) = find_column(entry.problems, table, &birth)?;
            if dtype != DType::Datetime {
                let message =
                    format!("column `{column}` is `{}`, a date of birth is `datetime`", dtype.name());
                entry.problems.add(birth.span(), message);
            }
            if layout.record.start.is_none() {
                entry.problems.add(birth.span(), "an age needs a record with a `start`");
            }
            Some(Source::Age { table: table.name.clone(), birth: column, cap })
        }
    }
}

/// The table, when it holds facts.
fn facts<'t>(entry: &Section<'_>, key: &str, table: &'t Table) -> Option<&'t Table> {
    if let TableKind::Lists { .. } = table.kind {
        let message = format!("table `{}` has many rows per record, a fact has one", table.name);
        entry.problems.add_with_hint(
            entry.key_span(key),
            message,
            "test it in a cohort rule of the pipeline",
        );
        return None;
    }
    if matches!(table.kind, TableKind::Events(_)) {
        let message = format!("table `{}` holds events, not facts", table.name);
        entry.problems.add_with_hint(entry.key_span(key), message, "name `items` instead");
        return None;
    }
    Some(table)
}

fn read_items(
    entry: &Section<'_>,
    table: &Table,
    columns: &EventColumns,
    list: Spanned<Vec<&Spanned<DeValue<'_>>>>,
    seen: &mut Seen,
) -> Vec<Item> {
    let numeric = table.columns.iter().any(|(c, d)| *c == columns.item && *d == DType::Integer);
    if list.get_ref().is_empty() {
        entry.problems.add(list.span(), format!("{} lists no items", entry.title));
    }
    let mut items = Vec::new();
    for value in list.into_inner() {
        let item = match value.get_ref() {
            DeValue::Integer(_) if numeric => integer(value).map(Item::Id),
            DeValue::String(name) if !numeric => Some(Item::Name(name.trim().to_owned())),
            _ if numeric => entry.wrong("items", value, "item numbers, as the column is integer"),
            _ => entry.wrong("items", value, "item names, as the column is text"),
        };
        let Some(item) = item else { continue };
        let key = (table.name.clone(), item.clone());
        if seen.contains(&key) {
            let shown = match &item {
                Item::Id(id) => id.to_string(),
                Item::Name(name) => name.clone(),
            };
            let message =
                format!("item `{shown}` of table `{}` is listed twice; it would count twice", table.name);
            entry.problems.add(value.span(), message);
        }
        seen.push(key);
        items.push(item);
    }
    items
}

fn units(entry: &Section<'_>) -> Vec<String> {
    let mut units: Vec<String> = Vec::new();
    for unit in entry.texts("units").map(Spanned::into_inner).unwrap_or_default() {
        if units.iter().any(|u| same_unit(u, unit.get_ref())) {
            let message = format!("unit `{}` is listed twice; case and spaces do not matter", unit.get_ref());
            entry.problems.add(unit.span(), message);
        }
        units.push((*unit.get_ref()).to_owned());
    }
    units
}

/// What the variable needs of the event table.
fn check_event_columns(
    entry: &Section<'_>,
    table: &Table,
    columns: &EventColumns,
    variable: &Variable,
    has_units: bool,
) {
    let needs = |what: &str, column: &str| {
        entry.problems.add_with_hint(
            entry.key_span("table"),
            format!("{what} needs the `{column}` of table `{}`, which is not declared", table.name),
            format!("add `{column} = \"COLUMN\"` to its `events`"),
        );
    };
    if has_units && columns.unit.is_none() {
        needs("`units`", "unit");
    }
    if columns.text.is_none() && !variable.value_map.is_empty() {
        needs("`value_map`", "text");
    }
    if columns.text.is_none() && variable.censored {
        needs("`censored`", "text");
    }
}

/// `scale`, 1 when absent.
pub(super) fn scale(section: &Section<'_>) -> f64 {
    let Some(given) = section.number("scale") else { return 1.0 };
    if *given.get_ref() == 0.0 {
        section.problems.add(given.span(), "`scale` must not be 0");
    }
    given.into_inner()
}

/// `offset`, 0 when absent.
pub(super) fn offset(section: &Section<'_>) -> f64 {
    section.number("offset").map_or(0.0, Spanned::into_inner)
}

/// Name in files.
pub(super) const fn rule_name(rule: Rule) -> &'static str {
    match rule {
        Rule::MixedFraction => "mixed-fraction",
        Rule::NotConvertible => "not-convertible",
    }
}
