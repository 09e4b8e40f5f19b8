//! The features of a pipeline: `"variable"`, `"variable:aggregation"` or a table with a name of its own.

use toml::Spanned;
use toml::de::DeValue;

use super::variables::check_suits;
use crate::schema::parse::{Section, Value};
use crate::schema::{Aggregation, Feature, Schema, Variable, suggest};

/// Columns of every result, which features must not shadow.
const RESERVED: [&str; 3] = ["record_id", "subject_id", "split"];

/// Reads `features`; without a schema there are none to name.
pub(super) fn features(root: &Section<'_>, schema: Option<&Schema>) -> Vec<Feature> {
    if !root.has("schema") {
        if root.value("features").is_some() {
            let message = "a wide table brings its own columns, so no `features` are named";
            let hint = "leave columns out by `ignore`, declare their kinds by `[wide.kinds]`";
            root.problems.add_with_hint(root.key_span("features"), message, hint);
        }
        return Vec::new();
    }
    let list = if root.require("features") { root.list("features") } else { None };
    let Some(list) = list else { return Vec::new() };
    if list.get_ref().is_empty() {
        root.problems.add(list.span(), "there are no features");
    }
    let mut features: Vec<Feature> = Vec::new();
    for value in list.into_inner() {
        if let Some(feature) = feature(root, value, schema) {
            check_against(root, value, &feature, &features);
            features.push(feature);
        }
    }
    features
}

fn feature(root: &Section<'_>, value: Value<'_>, schema: Option<&Schema>) -> Option<Feature> {
    let (variable, aggregation, name, lookback_hours, min_count) = match value.get_ref() {
        DeValue::String(text) => {
            let (variable, aggregation) = match text.split_once(':') {
                Some((variable, aggregation)) => {
                    (variable, Some(Spanned::new(value.span(), aggregation.trim())))
                }
                None => (text.as_ref(), None),
            };
            let aggregation = aggregation
                .map(|a| root.one_of("aggregation", &a, &Aggregation::ALL, Aggregation::name).ok_or(()))
                .transpose()
                .ok()?
                .map(|a| Spanned::new(value.span(), a));
            (Spanned::new(value.span(), variable.trim()), aggregation, None, 0.0, 0)
        }
        DeValue::Table(_) => {
            let section = root.as_section("features", "a feature".into(), value.span(), value)?;
            let variable = section.required_text("variable");
            let aggregation = section.choice("aggregation", &Aggregation::ALL, Aggregation::name);
            let name = section.text("name");
            let lookback = section.number("lookback");
            if let Some(given) = lookback.as_ref().filter(|hours| *hours.get_ref() < 0.0) {
                let message = format!("`lookback` is hours, 0 or more, found {}", given.get_ref());
                section.problems.add(given.span(), message);
            }
            let min_count = section.count("min_count").map_or(0, Spanned::into_inner);
            section.finish();
            let min_count = u32::try_from(min_count).unwrap_or(u32::MAX);
            (variable?, aggregation, name, lookback.map_or(0.0, Spanned::into_inner), min_count)
        }
        _ => return root.wrong("features", value, "a text like \"heart_rate:max\" or a table"),
    };
    // Without the schema nothing can be said about the variable; its absence is a problem of its own.
    let schema = schema?;
    let Some(found) = schema.variable(variable.get_ref()) else {
        let hint = suggest::hint(variable.get_ref(), schema.variables.iter().map(|v| v.name.as_str()))
            .unwrap_or_else(|| format!("`cohort-flow schema show {}` lists them", schema.name));
        let message = format!("schema `{}` has no variable `{}`", schema.name, variable.get_ref());
        root.problems.add_with_hint(variable.span(), message, hint);
        return None;
    };
    if found.is_static() && (lookback_hours != 0.0 || min_count != 0) {
        let message = format!("`{}` is one fact: neither `lookback` nor `min_count` applies", found.name);
        root.problems.add(value.span(), message);
    }
    Some(Feature { lookback_hours, min_count, ..resolved(root, found, aggregation, name) })
}

fn resolved(
    root: &Section<'_>,
    variable: &Variable,
    aggregation: Option<Spanned<Aggregation>>,
    name: Option<Spanned<&str>>,
) -> Feature {
    if let Some(given) = &aggregation {
        if variable.is_single() {
            let what = if variable.is_static() { "one fact" } else { "computed once per window" };
            let message = format!("`{}` is {what}, not measurements; it takes no aggregation", variable.name);
            root.problems.add(given.span(), message);
        } else {
            check_suits(root, given, variable.kind);
        }
    }
    let name = match (name, &aggregation) {
        (Some(name), _) => (*name.get_ref()).to_owned(),
        (None, Some(aggregation)) => format!("{}_{}", variable.name, aggregation.get_ref().column_suffix()),
        (None, None) => variable.name.clone(),
    };
    let aggregation = aggregation.map_or(variable.aggregate, Spanned::into_inner);
    Feature { name, variable: variable.name.clone(), aggregation, lookback_hours: 0.0, min_count: 0 }
}

fn check_against(root: &Section<'_>, value: Value<'_>, feature: &Feature, before: &[Feature]) {
    if RESERVED.contains(&feature.name.as_str()) {
        root.problems.add(
            value.span(),
            format!("feature name `{}` is taken by a column of every result", feature.name),
        );
    }
    if let Some(same) = before.iter().find(|f| f.name == feature.name) {
        root.problems.add(value.span(), format!("there are two features `{}`", same.name));
    } else if let Some(same) = before.iter().find(|f| {
        (&f.variable, f.aggregation, f.lookback_hours, f.min_count)
            == (&feature.variable, feature.aggregation, feature.lookback_hours, feature.min_count)
    }) {
        // Two equal columns make the density degenerate: its likelihood has no bound.
        let message = format!("feature `{}` would equal feature `{}`", feature.name, same.name);
        root.problems.add_with_hint(
            value.span(),
            message,
            format!(
                "`{}` is aggregated by `{}` unless said otherwise",
                feature.variable,
                feature.aggregation.name()
            ),
        );
    }
}
