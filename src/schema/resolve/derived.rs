//! Derived variables: their expressions, the variables they name, and whether the units agree.

use super::units::{self, Dimension};
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Field, Get, Text, key};
use crate::schema::{Derived, Expression, Kind, Operand, Variable, suggest};

/// An expression whose names are looked up once all variables are known.
pub(super) struct Pending {
    variable: String,
    /// Bytes of the text between its quotes, begin and end.
    text: Span,
    at: Option<Span>,
    expression: Expression,
}

/// Resolves `expression`, `within` and `at`.
pub(super) fn read(
    problems: &Problems<'_>,
    raw: &raw::Variable,
    expression: &Field<Text>,
    name: &str,
    pending: &mut Vec<Pending>,
) -> Option<Derived> {
    for (name, at) in [
        ("sources", key(&raw.sources)),
        ("conversions", key(&raw.conversions)),
        ("missing_codes", key(&raw.missing_codes)),
        ("value_map", key(&raw.value_map)),
        ("censored", key(&raw.censored)),
        ("absent", key(&raw.absent)),
    ] {
        if let Some(at) = at {
            problems.add(at, format!("`{name}` has no meaning beside `expression`"));
        }
    }
    let text = expression.text()?;
    let within = raw.within.spanned();
    if let Some(within) = within.as_ref().filter(|w| **w.get_ref() < 0.0) {
        problems.add(within.span(), format!("`within` is hours, 0 or more, found {}", within.get_ref()));
    }
    // A TOML text begins one byte after its quote; the place within is good unless it holds escapes.
    let inner = text.span().start + 1..text.span().end;
    match Expression::parse(text.get_ref()) {
        Ok(expression) => pending.push(Pending {
            variable: name.to_owned(),
            text: inner,
            at: raw.at.spanned().map(|at| at.span()),
            expression,
        }),
        Err(found) => {
            for problem in found {
                let start = (inner.start + problem.at).min(inner.end.saturating_sub(1));
                problems.push(start..inner.end, problem.message, problem.hint);
            }
        }
    }
    Some(Derived {
        expression: (*text.get_ref()).to_owned(),
        within_hours: within.map_or(0.0, |within| *within.into_inner()),
        at: raw.at.owned(),
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
            let Some(found) = variables.iter().find(|v| v.name == operand.variable) else {
                let names = variables.iter().filter(|v| v.name != one.variable && v.derived.is_none());
                let hint = suggest::hint(&operand.variable, names.map(|v| v.name.as_str()));
                problems.push(span, format!("unknown variable `{}`", operand.variable), hint);
                units.push(None);
                continue;
            };
            let unit = operand.aggregation.map_or_else(|| found.unit.clone(), |a| a.unit_of(&found.unit));
            units.push(Some(units::of_unit(&unit)));
            if let Some((message, hint)) = unusable(operand, found) {
                problems.push(span, message, hint);
            }
        }
        if one.expression.operands.is_empty() {
            problems.push(one.text.clone(), "the expression names no variable".into(), None);
        }
        check_units(problems, variable, one, &units);
    }
}

/// Reports, at a place, that the parts of a computed concept are not there, or not as its expression needs
/// them.
pub(super) fn check_parts(problems: &Problems<'_>, variable: &Variable, variables: &[Variable], at: &Span) {
    let Some(Ok(expression)) = variable.derived.as_ref().map(Derived::expression) else { return };
    for operand in &expression.operands {
        let name = &operand.variable;
        match variables.iter().find(|v| v.name == *name) {
            None => {
                let message =
                    format!("concept `{}` is computed from `{name}`, which is not here", variable.name);
                problems.add_with_hint(
                    at.clone(),
                    message,
                    "say where that is found, or leave this concept out",
                );
            }
            Some(found) => {
                if let Some((message, hint)) = unusable(operand, found) {
                    problems.push(at.clone(), message, hint);
                }
            }
        }
    }
}

/// Why a variable cannot be computed with, and what to do about it.
fn unusable(operand: &Operand, found: &Variable) -> Option<(String, Option<String>)> {
    let name = &found.name;
    if found.derived.is_some() {
        let message = format!("`{name}` is derived itself; expressions name measured variables and facts");
        return Some((message, Some("write its expression out in parentheses".into())));
    }
    if found.kind == Kind::Categorical {
        return Some((format!("`{name}` is categorical, there is no computing with it"), None));
    }
    let aggregation = operand.aggregation?;
    if found.is_static() {
        return Some((format!("`{name}` is one fact, not measurements; it takes no aggregation"), None));
    }
    let meaningless = aggregation.kind_of(found.kind).is_none();
    meaningless
        .then(|| (format!("`{}` has no meaning for kind `{}`", aggregation.name(), found.kind.name()), None))
}

fn check_at(problems: &Problems<'_>, variable: &Variable, variables: &[Variable], one: &Pending) {
    let (Some(at), Some(span)) = (variable.derived.as_ref().and_then(|d| d.at.as_deref()), &one.at) else {
        return;
    };
    let fits = |o: &Operand| {
        o.variable == at
            && o.aggregation.is_none()
            && variables.iter().any(|v| v.name == at && !v.is_static() && v.derived.is_none())
    };
    if !one.expression.operands.iter().any(fits) {
        let message = format!(
            "`at` names a measured variable of the expression that stands there without \
             aggregation, found `{at}`"
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
