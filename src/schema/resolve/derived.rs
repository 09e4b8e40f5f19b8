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
        per_window: false,
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
                let names = variables.iter().filter(|v| v.name != one.variable);
                let hint = suggest::hint(&operand.variable, names.map(|v| v.name.as_str()));
                problems.push(span, format!("unknown variable `{}`", operand.variable), hint);
                units.push(None);
                continue;
            };
            let unit = operand.aggregation.map_or_else(|| found.unit.clone(), |a| a.unit_of(&found.unit));
            units.push(Some(units::of_unit(&unit)));
            if let Some((message, hint)) = unusable(operand, found) {
                problems.push(span, message, hint);
            } else if needs(found, &one.variable, variables, &mut Vec::new()) {
                let message =
                    format!("`{}` is computed from `{}`, and that from it", one.variable, found.name);
                problems.push(span, message, None);
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
    let exists = |i: usize| variables.iter().any(|v| v.name == expression.operands[i].variable);
    let is_possible = expression.is_possible(&exists);
    for operand in &expression.operands {
        let name = &operand.variable;
        match variables.iter().find(|v| v.name == *name) {
            None if is_possible => {}
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

/// Whether a variable is computed from another, directly or through others.
fn needs(variable: &Variable, other: &str, variables: &[Variable], seen: &mut Vec<String>) -> bool {
    if variable.name == other {
        return true;
    }
    if seen.contains(&variable.name) {
        return false;
    }
    seen.push(variable.name.clone());
    let Some(Ok(expression)) = variable.derived.as_ref().map(Derived::expression) else { return false };
    expression.operands.iter().any(|operand| {
        let found = variables.iter().find(|v| v.name == operand.variable);
        found.is_some_and(|found| needs(found, other, variables, seen))
    })
}

/// Marks the variables that are one number per window because their operands are.
pub(super) fn mark_single(variables: &mut [Variable]) {
    loop {
        let is_single = |name: &str| {
            variables
                .iter()
                .any(|v| v.name == name && (v.is_static() || v.derived.is_some() && v.is_single()))
        };
        let exists = |name: &str| variables.iter().any(|v| v.name == name);
        let found = variables.iter().position(|variable| {
            let Some(derived) = variable.derived.as_ref().filter(|d| d.at.is_none()) else { return false };
            let of = |operand: &Operand| {
                let name = operand.variable.as_str();
                operand.aggregation.is_some() || operand.past.is_none() && (is_single(name) || !exists(name))
            };
            !variable.is_single() && derived.expression().is_ok_and(|e| e.operands.iter().all(of))
        });
        match found.and_then(|at| variables[at].derived.as_mut()) {
            Some(derived) => derived.per_window = true,
            None => return,
        }
    }
}

/// Why a variable cannot be computed with, and what to do about it.
fn unusable(operand: &Operand, found: &Variable) -> Option<(String, Option<String>)> {
    let name = &found.name;
    if found.kind == Kind::Categorical {
        return Some((format!("`{name}` is categorical, there is no computing with it"), None));
    }
    let Some(aggregation) = operand.aggregation else {
        let of_past = operand.past.filter(|_| found.is_single());
        return of_past
            .map(|_| (format!("`{name}` is one number, and has no measurements of the past"), None));
    };
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
            && variables.iter().any(|v| v.name == at && !v.is_static() && !v.is_single())
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
