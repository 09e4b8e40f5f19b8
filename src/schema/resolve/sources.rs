//! Where a variable is found: rows of an event table, a column of facts, or a date of birth.

use toml::Spanned;

use super::columns::find_column;
use super::record::Layout;
use super::units::same_unit;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{
    self, AgeSource, ColumnSource, EventsSource, Field, Get, List, Text, YearsSource, key,
};
use crate::schema::{DType, EventColumns, Item, Kind, Source, Table, TableKind, Variable, Years};

/// MIMIC-III shifts ages above 89 to about 300; the median of those it hides is 91.4.
const AGE_CAP: f64 = 91.4;

/// Resolves the `sources` of a variable, which stands at `at`, and checks them against each other.
pub(super) fn sources(
    problems: &Problems<'_>,
    field: &Option<Field<List<raw::Source, 1>>>,
    at: &Span,
    layout: &Layout,
    variable: &Variable,
) -> Vec<Source> {
    let title = format!("variable `{}`", variable.name);
    let Some(field) = field else {
        problems.add(at.clone(), format!("{title} needs `sources`"));
        return Vec::new();
    };
    let Some(list) = field.get() else { return Vec::new() };
    if list.0.is_empty() {
        problems.add(field.key.clone(), format!("{title} has no sources"));
    }
    let mut items = Vec::new();
    let mut found = Vec::new();
    for entry in &list.0 {
        let Some(source) = entry.get() else { continue };
        let reading = Reading { problems, layout, variable };
        found.extend(match source {
            raw::Source::Items(raw) => reading.events(raw, &mut items),
            raw::Source::Column(raw) => reading.column(raw),
            raw::Source::Birth(raw) => reading.age(raw),
            raw::Source::Years(raw) => reading.years(raw),
        });
    }
    let is_event = |source: &Source| matches!(source, Source::Events { .. });
    let is_listed = |source: &Source| matches!(source, Source::Listed { .. });
    if found.len() > 1 && !found.iter().all(is_event) && !found.iter().all(is_listed) {
        let message = format!("{title} mixes columns with other sources; a fact has one source");
        problems.add_with_hint(field.key.clone(), message, "make it two variables");
    }
    found
}

/// The items seen so far in the sources of a variable, by table.
type Seen = Vec<(String, Item)>;

/// The sources of a variable being resolved.
struct Reading<'a> {
    problems: &'a Problems<'a>,
    layout: &'a Layout,
    variable: &'a Variable,
}

impl<'a> Reading<'a> {
    fn table(&self, name: &Field<Text>) -> Option<&'a Table> {
        self.layout.tables.find(self.problems, &name.text()?)
    }

    fn events(&self, raw: &EventsSource, seen: &mut Seen) -> Option<Source> {
        let table = self.table(&raw.table);
        let scale = scale(self.problems, &raw.scale);
        let rule = raw.rule.copied();
        for (name, at) in [("scale", key(&raw.scale)), ("offset", key(&raw.offset))] {
            if let Some(at) = at.filter(|_| rule.is_some()) {
                self.problems.add(at, format!("`{name}` has no effect beside `rule`"));
            }
        }
        let units = self.units(raw);
        let table = table?;
        let TableKind::Events(columns) = &table.kind else {
            let message = format!("table `{}` holds facts, not events", table.name);
            self.problems.add_with_hint(raw.items.key.clone(), message, "name a `column` instead");
            return None;
        };
        self.check_event_columns(raw, table, columns, !units.is_empty());
        let items = self.items(raw, table, columns, seen);
        let precedence = raw.precedence.copied().unwrap_or(0);
        Some(Source::Events {
            table: table.name.clone(),
            items,
            units,
            scale,
            offset: raw.offset.copied().unwrap_or(0.0),
            rule,
            precedence: u32::try_from(precedence).unwrap_or(u32::MAX),
        })
    }

    fn items(&self, raw: &EventsSource, table: &Table, columns: &EventColumns, seen: &mut Seen) -> Vec<Item> {
        let dtype = |name: &String| table.columns.iter().find(|(c, _)| c == name).map(|(_, d)| *d);
        let numeric = columns.item.as_ref().and_then(dtype) == Some(DType::Integer);
        // A number is as good a text as any, where it stands between others.
        let of_form = columns.item_form.is_some();
        let Some(list) = raw.items.spanned() else { return Vec::new() };
        if list.get_ref().0.is_empty() {
            let message = format!("a source of variable `{}` lists no items", self.variable.name);
            self.problems.add(list.span(), message);
        }
        let mut items = Vec::new();
        for given in list.get_ref().items() {
            let item = match given.get_ref() {
                Item::Id(id) if numeric => Item::Id(*id),
                Item::Id(id) if of_form => Item::Name(id.to_string()),
                Item::Name(name) if columns.item.is_none() => {
                    let column = find_column(self.problems, table, &Spanned::new(given.span(), name.trim()));
                    let Some((column, dtype)) = column else { continue };
                    if !matches!(dtype, DType::Float | DType::Integer | DType::Quantity) {
                        let message = format!("column `{column}` is `{}`, an item is a number", dtype.name());
                        self.problems.add(given.span(), message);
                    }
                    Item::Name(column)
                }
                // A code, which a relation turns into numbers.
                Item::Name(name) if !columns.related.is_empty() => Item::Name(name.trim().to_owned()),
                Item::Name(name) if !numeric => Item::Name(name.trim().to_owned()),
                other => {
                    let wanted = if numeric {
                        "item numbers, as the column is integer"
                    } else {
                        "item names, as the column is text"
                    };
                    let found = if matches!(other, Item::Id(_)) { "a whole number" } else { "a text" };
                    self.problems.add(given.span(), format!("`items` must be {wanted}, found {found}"));
                    continue;
                }
            };
            let key = (table.name.clone(), item.clone());
            if seen.contains(&key) {
                let shown = match &item {
                    Item::Id(id) => id.to_string(),
                    Item::Name(name) => name.clone(),
                };
                let message =
                    format!("item `{shown}` of table `{}` is listed twice; it would count twice", table.name);
                self.problems.add(given.span(), message);
            }
            seen.push(key);
            items.push(item);
        }
        items
    }

    fn units(&self, raw: &EventsSource) -> Vec<String> {
        let mut units: Vec<String> = Vec::new();
        for unit in raw.units.get().into_iter().flat_map(|list| list.items()) {
            if units.iter().any(|u| same_unit(u, unit.get_ref())) {
                let message =
                    format!("unit `{}` is listed twice; case and spaces do not matter", unit.get_ref());
                self.problems.add(unit.span(), message);
            }
            units.push((*unit.get_ref()).clone());
        }
        units
    }

    /// Reports what the variable needs of the event table and the table has not.
    fn check_event_columns(
        &self,
        raw: &EventsSource,
        table: &Table,
        columns: &EventColumns,
        has_units: bool,
    ) {
        let needs = |what: &str, column: &str| {
            let message =
                format!("{what} needs the `{column}` of table `{}`, which is not declared", table.name);
            let hint = format!("add `{column} = \"COLUMN\"` to its `events`");
            self.problems.add_with_hint(raw.table.key.clone(), message, hint);
        };
        let in_item = columns.item_form.as_ref().is_some_and(|form| form.contains("{unit}"));
        let in_value = columns
            .value
            .as_ref()
            .is_some_and(|value| table.columns.iter().any(|(c, d)| c == value && *d == DType::Quantity));
        if has_units && columns.unit.is_none() && !in_item && !in_value {
            needs("`units`", "unit");
        }
        if columns.text.is_none() && !self.variable.value_map.is_empty() {
            needs("`value_map`", "text");
        }
        if columns.text.is_none() && columns.operator.is_none() && !in_value && self.variable.censored {
            needs("`censored`", "text");
        }
    }

    fn column(&self, raw: &ColumnSource) -> Option<Source> {
        let given = [("any_of", key(&raw.any_of)), ("hours", key(&raw.hours)), ("next", key(&raw.next))];
        let mut given = given.into_iter().filter_map(|(name, at)| Some((name, at?)));
        if let (Some((first, _)), Some((second, at))) = (given.next(), given.next()) {
            self.problems.add(at, format!("`{second}` has no effect beside `{first}`"));
        }
        if raw.any_of.is_some() {
            return self.listed(raw);
        }
        if raw.hours.copied() == Some(true) {
            return self.hours(raw);
        }
        if raw.next.copied() == Some(true) {
            return self.next(raw);
        }
        let table = self.facts(&raw.column.key, self.table(&raw.table)?)?;
        let (column, dtype) = find_column(self.problems, table, &raw.column.text()?)?;
        let kind = self.variable.kind;
        if kind != Kind::Categorical && self.variable.value_map.is_empty() && dtype == DType::Text {
            let message = format!("column `{column}` is text, but the variable is {}", kind.name());
            let hint = "make the variable `categorical`, or give it a `value_map`";
            self.problems.add_with_hint(raw.column.key.clone(), message, hint);
        }
        Some(Source::Column { table: table.name.clone(), column })
    }

    /// The hours to a time.
    fn hours(&self, raw: &ColumnSource) -> Option<Source> {
        let table = self.facts(&raw.column.key, self.table(&raw.table)?)?;
        let (column, dtype) = find_column(self.problems, table, &raw.column.text()?)?;
        if dtype != DType::Datetime {
            let message = format!("column `{column}` is `{}`, hours run to a `datetime`", dtype.name());
            self.problems.add(raw.column.span.clone(), message);
        }
        if self.layout.record.start.is_none() {
            self.problems.add(raw.column.key.clone(), "hours need a record with a `start`");
        }
        Some(Source::Hours { table: table.name.clone(), column })
    }

    /// The hours to the next record, whose table and start are those of the records.
    fn next(&self, raw: &ColumnSource) -> Option<Source> {
        let table = self.facts(&raw.column.key, self.table(&raw.table)?)?;
        let (column, _) = find_column(self.problems, table, &raw.column.text()?)?;
        let record = &self.layout.record;
        let is_start = table.kind == TableKind::Records && record.start.as_ref() == Some(&column);
        if !is_start || record.end.is_none() {
            let message = "`next` names the column of the records in which they start, and needs their `end`";
            self.problems.add(raw.column.span.clone(), message);
        }
        Some(Source::Next { table: table.name.clone(), column })
    }

    /// Whether a list of many rows holds one of some values.
    fn listed(&self, raw: &ColumnSource) -> Option<Source> {
        let list = raw.any_of.as_ref()?;
        let table = self.table(&raw.table)?;
        let (column, _) = find_column(self.problems, table, &raw.column.text()?)?;
        if !matches!(table.kind, TableKind::Lists { .. }) {
            let message = format!("table `{}` has not many rows per record", table.name);
            self.problems.add_with_hint(list.key.clone(), message, "name the `column` alone, with `levels`");
        }
        if self.variable.kind != Kind::Binary {
            let message =
                format!("`any_of` says yes or no, and the variable is {}", self.variable.kind.name());
            self.problems.add_with_hint(list.key.clone(), message, "make the variable `binary`");
        }
        let values = list.get().map(List::cloned).unwrap_or_default();
        if values.is_empty() {
            self.problems.add(list.span.clone(), "`any_of` is empty");
        }
        Some(Source::Listed { table: table.name.clone(), column, values })
    }

    fn age(&self, raw: &AgeSource) -> Option<Source> {
        let table = self.facts(&raw.birth.key, self.table(&raw.table)?)?;
        let birth: Spanned<&str> = raw.birth.text()?;
        let (column, dtype) = find_column(self.problems, table, &birth)?;
        if dtype != DType::Datetime {
            let message = format!("column `{column}` is `{}`, a date of birth is `datetime`", dtype.name());
            self.problems.add(birth.span(), message);
        }
        if self.layout.record.start.is_none() {
            self.problems.add(birth.span(), "an age needs a record with a `start`");
        }
        Some(Source::Age {
            table: table.name.clone(),
            birth: column,
            cap: raw.cap.copied().unwrap_or(AGE_CAP),
        })
    }

    fn years(&self, raw: &YearsSource) -> Option<Source> {
        let at = [&raw.age, &raw.anchor_age, &raw.birth_year].into_iter().find_map(|field| field.as_ref())?;
        let table = self.facts(&at.key, self.table(&raw.table)?)?;
        for (part, of, given, needed) in [
            ("anchor_year", "anchor_age", &raw.anchor_year, &raw.anchor_age),
            ("anchor_age", "anchor_year", &raw.anchor_age, &raw.anchor_year),
            ("month", "birth_year", &raw.month, &raw.birth_year),
            ("day", "birth_year", &raw.day, &raw.birth_year),
            ("month", "day", &raw.month, &raw.day),
            ("day", "month", &raw.day, &raw.month),
        ] {
            if let Some(given) = given.as_ref().filter(|_| needed.is_none()) {
                self.problems.add(given.key.clone(), format!("`{part}` needs `{of}` beside it"));
            }
        }
        let column = |field: &Option<Field<Text>>, text: bool| {
            let name = field.text()?;
            let (column, dtype) = find_column(self.problems, table, &name)?;
            if !(matches!(dtype, DType::Integer | DType::Float) || text && dtype == DType::Text) {
                let message = format!("column `{column}` is `{}`, years are numbers", dtype.name());
                self.problems.add(name.span(), message);
            }
            Some(column)
        };
        let from = if raw.age.is_some() {
            Years::Age { column: column(&raw.age, true)? }
        } else if raw.anchor_age.is_some() {
            Years::Anchor { age: column(&raw.anchor_age, false)?, year: column(&raw.anchor_year, false)? }
        } else {
            let (month, day) = (column(&raw.month, false), column(&raw.day, false));
            Years::BirthYear { year: column(&raw.birth_year, false)?, month, day }
        };
        if self.layout.record.start.is_none() && !matches!(from, Years::Age { .. }) {
            self.problems.add(at.span.clone(), "an age in another year needs a record with a `start`");
        }
        Some(Source::Years { table: table.name.clone(), from, cap: raw.cap.copied().unwrap_or(AGE_CAP) })
    }

    /// The table, when it holds facts.
    fn facts(&self, at: &Span, table: &'a Table) -> Option<&'a Table> {
        let (message, hint) = match table.kind {
            TableKind::Records | TableKind::Static { .. } => return Some(table),
            TableKind::Lists { .. } => {
                ("has many rows per record, a fact has one", "test it in a cohort rule of the pipeline")
            }
            TableKind::Events(_) => ("holds events, not facts", "name `items` instead"),
        };
        self.problems.add_with_hint(at.clone(), format!("table `{}` {message}", table.name), hint);
        None
    }
}

/// The factor of a conversion, 1 when it is left out.
pub(super) fn scale(problems: &Problems<'_>, field: &Option<Field<f64>>) -> f64 {
    let Some(given) = field.spanned() else { return 1.0 };
    if **given.get_ref() == 0.0 {
        problems.add(given.span(), "`scale` must not be 0");
    }
    *given.into_inner()
}
