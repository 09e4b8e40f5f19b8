//! The time window of a pipeline: when, in which steps, and counted from what.

use toml::Spanned;

use crate::schema::parse::Section;
use crate::schema::{Anchor, DType, Schema, TableKind, Window, suggest};

/// More windows per record than an hour of any stay has minutes is a slip of the unit.
const MOST_WINDOWS: f64 = 10_000.0;

pub(super) fn window(root: &Section<'_>, schema: Option<&Schema>) -> Window {
    let mut window = Window::default();
    let needed = root.has("schema");
    if needed && !root.require("window") {
        return window;
    }
    let Some(section) = root.section("window", "the window") else { return window };
    if !needed {
        root.problems.add(root.key_span("window"), "a wide table has no times, so no `window` either");
    }
    window.start_hours = section.number("start").map_or(0.0, Spanned::into_inner);
    let end = if section.require("end") { section.number("end") } else { None };
    window.step_hours = section.number("step").map(Spanned::into_inner);
    window.width_hours = section.number("width").map(Spanned::into_inner);
    if window.width_hours.is_some() && window.step_hours.is_none() {
        let message = "`width` has no meaning without `step`";
        section.problems.add_with_hint(
            section.key_span("width"),
            message,
            "add `step`, or say `start` and `end` alone",
        );
    }
    if let Some(end) = end {
        window.end_hours = *end.get_ref();
        if let Err(message) = check_window(&window) {
            section.problems.add(end.span(), message);
        }
    }
    let has_end = schema.is_none_or(|s| s.record.end.is_some());
    let until_end = section.boolean("until_end");
    if let Some(given) = until_end.as_ref().filter(|given| *given.get_ref() && !has_end) {
        section.problems.add(given.span(), "records of this schema have no `end`");
    }
    window.until_end = until_end.map_or(has_end, Spanned::into_inner);
    window.relative_to = anchor(&section, schema);
    section.finish();
    window
}

/// `relative_to = "ADMITTIME"`, or `relative_to = "first lactate"`.
fn anchor(section: &Section<'_>, schema: Option<&Schema>) -> Option<Anchor> {
    let given = section.text("relative_to")?;
    let schema = schema?;
    let problems = section.problems;
    if schema.record.start.is_none() {
        problems.add(
            given.span(),
            "event times of this schema are elapsed already, since the start of the record",
        );
        return None;
    }
    if let Some(name) = given.get_ref().strip_prefix("first ").map(str::trim) {
        let measured = |v: &&crate::schema::Variable| !v.is_static() && v.derived.is_none();
        if let Some(found) = schema.variables.iter().filter(measured).find(|v| v.name == name) {
            return Some(Anchor::FirstEvent { variable: found.name.clone() });
        }
        let hint = suggest::hint(name, schema.variables.iter().filter(measured).map(|v| v.name.as_str()));
        problems.push(
            given.span(),
            format!("`{name}` is no measured variable of schema `{}`", schema.name),
            hint,
        );
        return None;
    }
    let facts =
        schema.tables.iter().filter(|t| matches!(t.kind, TableKind::Records | TableKind::Static { .. }));
    let times: Vec<_> = facts
        .flat_map(|t| t.columns.iter().filter(|(_, d)| *d == DType::Datetime).map(move |(c, _)| (t, c)))
        .collect();
    let found = times.iter().find(|(table, column)| {
        column.eq_ignore_ascii_case(given.get_ref())
            || format!("{}.{column}", table.name).eq_ignore_ascii_case(given.get_ref())
    });
    let Some((table, column)) = found else {
        let hint = suggest::hint(given.get_ref(), times.iter().map(|(_, column)| column.as_str()));
        let hint = hint.unwrap_or_else(|| "or an event, as in `relative_to = \"first lactate\"`".into());
        let message =
            format!("`{}` is no time column of the records or of a table joined to them", given.get_ref());
        problems.add_with_hint(given.span(), message, hint);
        return None;
    };
    Some(Anchor::Column { table: table.name.clone(), column: (*column).clone() })
}

/// Says what is wrong with a window.
pub(in crate::schema) fn check_window(window: &Window) -> Result<(), String> {
    let Window { start_hours, end_hours, step_hours, width_hours, .. } = window;
    if start_hours >= end_hours {
        return Err(format!("the window must end after it starts, found {start_hours} to {end_hours} hours"));
    }
    if let Some(step) = step_hours {
        // Events are placed by the second.
        if *step < 1.0 / 3600.0 || (end_hours - start_hours) / step > MOST_WINDOWS {
            return Err(format!(
                "a step of {step} hours from {start_hours} to {end_hours} is more than {MOST_WINDOWS} windows per record"
            ));
        }
        if width_hours.is_some_and(|width| width <= 0.0) {
            return Err("the `width` of a window is hours, above 0".into());
        }
    }
    Ok(())
}
