//! The time window of a pipeline: when, in which steps, and counted from what.

use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Get, PipelineFile, key};
use crate::schema::{Anchor, DType, Schema, TableKind, Window, suggest};

/// More windows per record than an hour of any stay has minutes is a slip of the unit.
const MOST_WINDOWS: f64 = 10_000.0;

/// Resolves `[window]`. Where it has to be there and is not, that is shown at `first_line`.
pub(super) fn window(
    problems: &Problems<'_>,
    raw: &PipelineFile,
    first_line: &Span,
    schema: Option<&Schema>,
) -> Window {
    let mut window = Window::default();
    let Some(field) = &raw.window else {
        if raw.schema.is_some() {
            problems.add(first_line.clone(), "the pipeline needs `window`");
        }
        return window;
    };
    let Some(section) = field.get() else { return window };
    if raw.schema.is_none() {
        problems.add(field.key.clone(), "a wide table has no times, so no `window` either");
    }
    window.start_hours = section.start.copied().unwrap_or(0.0);
    window.step_hours = section.step.copied();
    window.width_hours = section.width.copied();
    if let Some(at) = key(&section.width).filter(|_| section.step.is_none()) {
        let hint = "add `step`, or say `start` and `end` alone";
        problems.add_with_hint(at, "`width` has no meaning without `step`", hint);
    }
    if let Some(end) = section.end.copied() {
        window.end_hours = end;
        if let Err(message) = check_window(&window) {
            problems.add(section.end.span.clone(), message);
        }
    }
    let has_end = schema.is_none_or(|s| s.record.end.is_some());
    if let Some(given) = section.until_end.spanned().filter(|given| **given.get_ref() && !has_end) {
        problems.add(given.span(), "records of this schema have no `end`");
    }
    window.until_end = section.until_end.copied().unwrap_or(has_end);
    window.relative_to = anchor(problems, section, schema);
    window
}

/// `relative_to = "ADMITTIME"`, or `relative_to = "first lactate"`.
fn anchor(problems: &Problems<'_>, section: &raw::Window, schema: Option<&Schema>) -> Option<Anchor> {
    let given = section.relative_to.text()?;
    let schema = schema?;
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
                "a step of {step} hours from {start_hours} to {end_hours} is more than {MOST_WINDOWS} \
                 windows per record"
            ));
        }
        if width_hours.is_some_and(|width| width <= 0.0) {
            return Err("the `width` of a window is hours, above 0".into());
        }
    }
    Ok(())
}
