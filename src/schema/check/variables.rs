//! The variables of a schema: units, ranges, maps from text, conversions. Where they are found is `sources`.

use toml::Spanned;
use toml::de::DeValue;

use super::derived::{self, Pending};
use super::sources;
use super::tables::{self, Layout};
use crate::schema::parse::{Section, Value};
use crate::schema::{Aggregation, Conversion, Kind, Schema, Source, Variable, suggest};

/// Reads a whole schema.
pub(super) fn schema(root: &Section<'_>) -> Option<Schema> {
    let name = root.required_text("name");
    let title = root.text("title").map_or_else(String::new, |t| (*t.get_ref()).to_owned());
    let layout = tables::layout(root);
    let section = root.require("variables").then(|| root.section("variables", "the variables")).flatten();
    let mut variables: Vec<Variable> = Vec::new();
    let mut pending: Vec<Pending> = Vec::new();
    for (name, value) in section.iter().flat_map(Section::entries) {
        check_name(root, &name, &variables);
        let title = format!("variable `{}`", name.get_ref());
        if let Some(body) = root.as_section(name.get_ref(), title, name.span(), value) {
            variables.push(variable(&body, name.get_ref(), layout.as_ref(), &mut pending));
            body.finish();
        }
    }
    if let Some(section) = section.filter(|s| s.entries().is_empty()) {
        root.problems.add(section.span, "there are no variables");
    }
    derived::check(root.problems, &variables, &pending);
    let Layout { record, tables } = layout?;
    Some(Schema { name: (*name?.get_ref()).to_owned(), title, record, tables: tables.sound, variables })
}

/// Names become column names and parts of them, so they are plain words.
fn check_name(root: &Section<'_>, name: &Spanned<&str>, before: &[Variable]) {
    let word = name.get_ref();
    let plain = word.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !plain || !word.starts_with(|c: char| c.is_ascii_alphabetic()) {
        let message =
            format!("variable name `{word}` must begin with a letter and hold only letters, digits and `_`");
        root.problems.add(name.span(), message);
    }
    if let Some(other) = before.iter().find(|v| v.name.eq_ignore_ascii_case(word)) {
        let message = format!(
            "variable `{word}` is declared already, as `{}`; names differ by more than case",
            other.name
        );
        root.problems.add(name.span(), message);
    }
}

fn variable(
    section: &Section<'_>,
    name: &str,
    layout: Option<&Layout>,
    pending: &mut Vec<Pending>,
) -> Variable {
    let text = |key, default: &str| {
        section.text(key).map_or_else(|| default.to_owned(), |t| (*t.get_ref()).to_owned())
    };
    let kind = section.choice("kind", &Kind::ALL, Kind::name).map_or(Kind::Continuous, Spanned::into_inner);
    let range = range(section);
    let mut variable = Variable {
        name: name.to_owned(),
        label: text("label", &name.replace('_', " ")),
        group: text("group", "other"),
        unit: text("unit", ""),
        kind,
        range,
        clip: clip(section, range),
        resolution: resolution(section, kind, range),
        missing_codes: section.numbers("missing_codes").map(Spanned::into_inner).unwrap_or_default(),
        value_map: value_map(section, range),
        levels: levels(section, kind),
        censored: section.boolean("censored").is_some_and(Spanned::into_inner),
        absent: absent(section, range),
        conversions: Vec::new(),
        sources: Vec::new(),
        derived: None,
        aggregate: aggregate(section, kind),
    };
    if kind == Kind::Categorical {
        for key in [
            "range",
            "resolution",
            "missing_codes",
            "value_map",
            "absent",
            "conversions",
            "censored",
            "clip",
            "expression",
        ] {
            if section.has(key) {
                let message = format!("`{key}` has no meaning for kind `categorical`");
                section.problems.add_with_hint(
                    section.key_span(key),
                    message,
                    "texts become levels by `levels`",
                );
            }
        }
    }
    let conversions = conversions(section);
    if section.has("expression") {
        variable.derived = derived::read(section, name, pending);
    } else if let Some(layout) = layout {
        variable.sources = sources::sources(section, layout, &variable);
        check_units(section, &conversions, &variable.sources);
    } else {
        section.value("sources");
    }
    variable.conversions = conversions.into_iter().map(|c| c.1).collect();
    variable
}

fn range(section: &Section<'_>) -> Option<(f64, f64)> {
    let list = section.numbers("range")?;
    let &[low, high] = list.get_ref().as_slice() else {
        section.problems.add(
            list.span(),
            "`range` must be two finite numbers, the lowest and the highest plausible value",
        );
        return None;
    };
    if low >= high {
        let message = format!("`range` must run from low to high, found {low} to {high}");
        section.problems.add_with_hint(list.span(), message, format!("write `range = [{high}, {low}]`"));
        return None;
    }
    Some((low, high))
}

fn clip(section: &Section<'_>, range: Option<(f64, f64)>) -> Option<(f64, f64)> {
    let list = section.numbers("clip")?;
    let &[low, high] = list.get_ref().as_slice() else {
        section
            .problems
            .add(list.span(), "`clip` must be two finite numbers, the lowest and the highest value kept");
        return None;
    };
    if low >= high {
        section.problems.add(list.span(), format!("`clip` must run from low to high, found {low} to {high}"));
    } else if range.is_some_and(|(least, most)| low < least || high > most) {
        section
            .problems
            .add(list.span(), "`clip` has to lie within `range`, outside of which nothing is left to clip");
    }
    Some((low, high))
}

/// Counts and levels are whole numbers; continuous values declare what they are rounded to.
fn resolution(section: &Section<'_>, kind: Kind, range: Option<(f64, f64)>) -> Option<f64> {
    let whole = matches!(kind, Kind::Count | Kind::Ordinal | Kind::Binary);
    let Some(given) = section.number("resolution") else { return whole.then_some(1.0) };
    let (span, value) = (given.span(), given.into_inner());
    if value <= 0.0 {
        section.problems.add(span, format!("`resolution` must be above 0, found {value}"));
    } else if whole && value != 1.0 {
        section.problems.add(span, format!("`resolution` of kind `{}` is 1, found {value}", kind.name()));
    } else if range.is_some_and(|(low, high)| value > high - low) {
        section.problems.add(span, format!("`resolution` {value} is wider than the range"));
    }
    Some(value)
}

fn aggregate(section: &Section<'_>, kind: Kind) -> Aggregation {
    let default = match kind {
        Kind::Continuous => Aggregation::Mean,
        Kind::Binary => Aggregation::Max,
        Kind::Count | Kind::Ordinal | Kind::Categorical => Aggregation::Last,
    };
    let Some(given) = section.choice("aggregate", &Aggregation::ALL, Aggregation::name) else {
        return default;
    };
    check_suits(section, &given, kind);
    given.into_inner()
}

/// Reports an aggregation without meaning for a kind, with those that have one.
pub(super) fn check_suits(section: &Section<'_>, given: &Spanned<Aggregation>, kind: Kind) {
    let aggregation = *given.get_ref();
    if aggregation.kind_of(kind).is_none() {
        let suited: Vec<_> = Aggregation::ALL
            .into_iter()
            .filter(|a| a.kind_of(kind).is_some())
            .map(Aggregation::name)
            .collect();
        section.problems.add_with_hint(
            given.span(),
            format!("`{}` has no meaning for kind `{}`", aggregation.name(), kind.name()),
            format!("allowed are {}", suggest::quoted(&suited)),
        );
    }
}

fn absent(section: &Section<'_>, range: Option<(f64, f64)>) -> Option<f64> {
    let given = section.number("absent")?;
    if range.is_some_and(|(low, high)| !(low..=high).contains(given.get_ref())) {
        section.problems.add(given.span(), format!("`absent` {} lies outside the range", given.get_ref()));
    }
    Some(given.into_inner())
}

/// Entries of `{ text = value, … }` or of `[[text, value], …]`, in order.
fn pairs<'a>(section: &Section<'a>, key: &'static str) -> Vec<(Spanned<&'a str>, Value<'a>)> {
    let Some(value) = section.value(key) else { return Vec::new() };
    let DeValue::Array(items) = value.get_ref() else {
        let body = section.as_section(key, format!("`{key}`"), value.span(), value);
        return body.map(|b| b.entries()).unwrap_or_default();
    };
    let mut pairs = Vec::new();
    for item in items {
        match item.get_ref().as_array().map(|pair| &**pair) {
            Some([first, second]) => pairs.extend(section.as_text(key, first).map(|text| (text, second))),
            _ => {
                section.problems.add(item.span(), format!("each entry of `{key}` is a pair `[text, value]`"));
            }
        }
    }
    pairs
}

fn value_map(section: &Section<'_>, range: Option<(f64, f64)>) -> Vec<(String, f64)> {
    let mut map: Vec<(String, f64)> = Vec::new();
    for (text, value) in pairs(section, "value_map") {
        let Some(number) = section.as_number("value_map", value) else { continue };
        if range.is_some_and(|(low, high)| !(low..=high).contains(&number)) {
            let message =
                format!("`value_map` gives `{}` the value {number}, outside the range", text.get_ref());
            section.problems.add(value.span(), message);
        }
        push_text(section, "value_map", &mut map, &text, number);
    }
    map
}

fn levels(section: &Section<'_>, kind: Kind) -> Vec<(String, String)> {
    let mut map: Vec<(String, String)> = Vec::new();
    for (level, value) in pairs(section, "levels") {
        let texts = match value.get_ref() {
            DeValue::Array(items) => items.iter().collect(),
            _ => vec![value],
        };
        if texts.is_empty() {
            section.problems.add(value.span(), format!("level `{}` names no text", level.get_ref()));
        }
        for text in texts.into_iter().filter_map(|text| section.as_text("levels", text)) {
            push_text(section, "levels", &mut map, &text, (*level.get_ref()).to_owned());
        }
    }
    if kind != Kind::Categorical && section.has("levels") {
        let message = format!("`levels` has no meaning for kind `{}`", kind.name());
        section.problems.add_with_hint(
            section.key_span("levels"),
            message,
            "texts become numbers by `value_map`",
        );
    }
    map
}

/// Texts are matched trimmed and without regard to case, so two that differ in nothing else are one.
fn push_text<T>(section: &Section<'_>, key: &str, map: &mut Vec<(String, T)>, text: &Spanned<&str>, to: T) {
    let trimmed = text.get_ref().trim();
    if map.iter().any(|(other, _)| other.to_lowercase() == trimmed.to_lowercase()) {
        section.problems.add(text.span(), format!("`{key}` maps `{trimmed}` twice; case does not matter"));
    }
    map.push((trimmed.to_owned(), to));
}

fn conversions<'a>(section: &Section<'a>) -> Vec<(Spanned<&'a str>, Conversion)> {
    let mut conversions: Vec<(Spanned<&str>, Conversion)> = Vec::new();
    for entry in section.sections("conversions", &format!("a conversion of {}", section.title)) {
        let unit = entry.required_text("unit");
        let (scale, offset) = (sources::scale(&entry), sources::offset(&entry));
        if let Some(unit) = unit {
            if conversions.iter().any(|(_, c)| same_unit(&c.unit, unit.get_ref())) {
                let message =
                    format!("unit `{}` is converted twice; case and spaces do not matter", unit.get_ref());
                entry.problems.add(unit.span(), message);
            }
            let conversion = Conversion { unit: (*unit.get_ref()).to_owned(), scale, offset };
            conversions.push((unit, conversion));
        }
        entry.finish();
    }
    conversions
}

/// A unit that the scale of every source applies to is never converted. Where one source has it as its own and another has
/// not, the conversion is for the other: a number in Fahrenheit under the Celsius item.
fn check_units(section: &Section<'_>, conversions: &[(Spanned<&str>, Conversion)], sources: &[Source]) {
    let lists = |source: &Source, unit: &str| match source {
        // Without units of its own, a source takes every unit for its own.
        Source::Events { units, .. } => units.is_empty() || units.iter().any(|u| same_unit(u, unit)),
        Source::Column { .. } | Source::Age { .. } => true,
    };
    let named = |source: &Source, unit: &str| {
        matches!(source, Source::Events { units, .. } if !units.is_empty()) && lists(source, unit)
    };
    for (span, conversion) in conversions {
        let unit = conversion.unit.as_str();
        if sources.iter().any(|source| named(source, unit))
            && sources.iter().all(|source| lists(source, unit))
        {
            let message = format!("unit `{unit}` is converted, but a source lists it in `units` too");
            section.problems.add_with_hint(span.span(), message, "keep it in one of the two");
        }
    }
}

/// Units are compared without regard to case and spaces.
pub(super) fn same_unit(a: &str, b: &str) -> bool {
    let plain = |unit: &str| {
        unit.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect::<String>()
    };
    plain(a) == plain(b)
}
