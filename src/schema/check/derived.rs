//! Derived variables: their expressions, the variables they name, and whether the units agree.

use toml::Spanned;

use super::units::{self, Dimension};
use crate::schema::parse::{Problems, Section, Span};
use crate::schema::{Derived, Expression, Kind, Variable, suggest};

/// An expression whose names are looked up once all variables are known.
pub(super) struct Pending {
    variable: String,
    /// Bytes of the text between its quotes, begin and end.
    text: Span,
    at: Option<Span>,
    expression: Expression,
}

/// Reads `expression`, `within` and `at`.
pub(super) fn read(section: &Section<'_>, name: &str, pending: &mut Vec<Pending>) -> Option<Derived> {
    for key in ["sources", "conversions", "missing_codes", "value_map", "censored", "absent"] {
        if section.value(key).is_some() {
            let message = format!("`{key}` has no meaning beside `expression`");
            section.problems.add(section.key_span(key), message);
        }
    }
    let text = section.text("expression");
    let within = section.number("within");
    let at = section.text("at");
    let text = text?;
    if let Some(within) = within.as_ref().filter(|w| *w.get_ref() < 0.0) {
        section
            .problems
            .add(within.span(), format!("`within` is hours, 0 or more, found {}", within.get_ref()));
    }
    // A TOML text begins one byte after its quote; the place within is good unless it holds escapes.
    let inner = text.span().start + 1..text.span().end;
    match Expression::parse(text.get_ref()) {
        Ok(expression) => pending.push(Pending {
            variable: name.to_owned(),
            text: inner,
            at: at.as_ref().map(Spanned::span),
            expression,
        }),
        Err(problems) => {
            for problem in problems {
                let start = (inner.start + problem.at).min(inner.end.saturating_sub(1));
                section.problems.push(start..inner.end, problem.message, problem.hint);
            }
        }
    }
    Some(Derived {
        expression: (*text.get_ref()).to_owned(),
        within_hours: within.map_or(0.0, Spanned::into_inner),
        at: at.map(|a| (*a.get_ref()).to_owned()),
    })
}

/// Reports names that are no variables, variables that cannot be computed with, and units that do not fit.
pub(super) fn check(problems: &Problems<'_>, variables: &[Variable], pending: &[Pending]) {
    for one in pending {
        let variable = variables.iter().find(|v| v.name == one.variable);
        let variable = variable.expect("invariant: pending expressions belong to variables read");
        check_at(problems, variable, variables, one);
        let mut units: Vec<Option<Dimension>> = Vec::new();
        for operand in &one.expression.operands {
            let start = one.text.start + operand.at;
            let span = start..start + operand.variable.len();
            let names = variables.iter().filter(|v| v.name != one.variable && v.derived.is_none());
            let Some(found) = variables.iter().find(|v| v.name == operand.variable) else {
                let hint = suggest::hint(&operand.variable, names.map(|v| v.name.as_str()));
                problems.push(span, format!("unknown variable `{}`", operand.variable), hint);
                units.push(None);
                continue;
            };
            units.push(Some(units::of_unit(
                &operand
                    .aggregation
                    .map_or_else(|| found.unit.clone(), |aggregation| aggregation.unit_of(&found.unit)),
            )));
            if found.derived.is_some() {
                let message = format!(
                    "`{}` is derived itself; expressions name measured variables and facts",
                    found.name
                );
                problems.push(span, message, Some("write its expression out in parentheses".into()));
            } else if found.kind == Kind::Categorical {
                problems.push(
                    span,
                    format!("`{}` is categorical, there is no computing with it", found.name),
                    None,
                );
            } else if let Some(aggregation) = operand.aggregation {
                if found.is_static() {
                    let message =
                        format!("`{}` is one fact, not measurements; it takes no aggregation", found.name);
                    problems.push(span, message, None);
                } else if aggregation.kind_of(found.kind).is_none() {
                    let message =
                        format!("`{}` has no meaning for kind `{}`", aggregation.name(), found.kind.name());
                    problems.push(span, message, None);
                }
            }
        }
        if one.expression.operands.is_empty() {
            problems.push(one.text.clone(), "the expression names no variable".into(), None);
        }
        check_units(problems, variable, one, &units);
    }
}

fn check_at(problems: &Problems<'_>, variable: &Variable, variables: &[Variable], one: &Pending) {
    let (Some(at), Some(span)) = (variable.derived.as_ref().and_then(|d| d.at.as_deref()), &one.at) else {
        return;
    };
    let fits = |o: &crate::schema::Operand| {
        o.variable == at
            && o.aggregation.is_none()
            && variables.iter().any(|v| v.name == at && !v.is_static() && v.derived.is_none())
    };
    if !one.expression.operands.iter().any(fits) {
        let message = format!(
            "`at` names a measured variable of the expression that stands there without aggregation, found `{at}`"
        );
        problems.push(span.clone(), message, None);
    }
}

fn check_units(problems: &Problems<'_>, variable: &Variable, one: &Pending, operands: &[Option<Dimension>]) {
    match units::of_node(&one.expression.root, operands) {
        Err(message) => {
            problems.push(
                one.text.clone(),
                message,
                Some("convert by a factor, as in `height / 100`".into()),
            );
        }
        Ok(Some(found)) if !variable.unit.is_empty() => {
            let declared = units::of_unit(&variable.unit);
            if found.is_certain() && !found.same(&declared) {
                problems.push(
                    one.text.clone(),
                    format!("the expression gives {}, but the `unit` is {}", found.show(), declared.show()),
                    Some("correct the unit, or convert by a factor".into()),
                );
            }
        }
        Ok(_) => {}
    }
}
