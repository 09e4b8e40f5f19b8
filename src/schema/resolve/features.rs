//! The features and labels of a pipeline: `"variable"`, `"variable:aggregation"` or a table with a name of
//! its own.

use toml::Spanned;

use super::lacking::Lacking;
use super::variables::check_suits;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Get, List, PipelineFile, TextOr};
use crate::schema::{Aggregation, Derived, Feature, Schema, Variable, suggest};

/// Columns of every result, which features must not shadow.
const RESERVED: [&str; 3] = ["record_id", "subject_id", "split"];

/// Resolves `features`; without a schema there are none to name. What is missing is shown at `first_line`.
pub(super) fn features(
    problems: &Problems<'_>,
    raw: &PipelineFile,
    first_line: &Span,
    schema: Option<&Schema>,
    lacking: Option<&mut Lacking<'_>>,
) -> Vec<Feature> {
    let field = match (&raw.schema, &raw.features) {
        (Some(_), Some(field)) => field,
        (Some(_), None) => {
            problems.add(first_line.clone(), "the pipeline needs `features`");
            return Vec::new();
        }
        (None, Some(field)) => {
            let message = "a wide table brings its own columns, so no `features` are named";
            let hint = "leave columns out by `ignore`, declare their kinds by `[wide.kinds]`";
            problems.add_with_hint(field.key.clone(), message, hint);
            return Vec::new();
        }
        (None, None) => return Vec::new(),
    };
    let Some(list) = field.get() else { return Vec::new() };
    if list.0.is_empty() {
        problems.add(field.span.clone(), "there are no features");
    }
    columns(problems, list, schema, lacking)
}

/// Resolves `labels`. What a model is to be judged by is no part of it: no label may be a feature, or be
/// computed into one.
pub(super) fn labels(
    problems: &Problems<'_>,
    raw: &PipelineFile,
    schema: Option<&Schema>,
    lacking: Option<&mut Lacking<'_>>,
    features: &[Feature],
) -> Vec<Feature> {
    let Some(field) = &raw.labels else { return Vec::new() };
    if raw.schema.is_none() {
        let hint = "of a wide table, name its columns: `labels = [\"died\"]` under `[wide]`";
        problems.add_with_hint(field.key.clone(), "a wide table brings its own columns", hint);
        return Vec::new();
    }
    let Some(list) = field.get() else { return Vec::new() };
    let labels = columns(problems, list, schema, lacking);
    for label in &labels {
        let of = |feature: &&Feature| {
            let variables = schema.map(|schema| schema.variables.as_slice()).unwrap_or_default();
            feature.variable == label.variable || is_part_of(&label.variable, &feature.variable, variables)
        };
        if let Some(feature) = features.iter().find(of) {
            let message = format!(
                "label `{}` is a feature too, or part of one (`{}`): a model that has seen it cannot be \
                 judged by it",
                label.name, feature.name
            );
            problems.add_with_hint(field.span.clone(), message, "take one of the two out");
        } else if features.iter().any(|feature| feature.name == label.name) {
            problems.add(field.span.clone(), format!("there is a feature `{}` as well", label.name));
        }
    }
    labels
}

/// Whether a variable is part of the expression of another, directly or through others.
fn is_part_of(part: &str, whole: &str, variables: &[Variable]) -> bool {
    let found = variables.iter().find(|variable| variable.name == whole);
    let Some(Ok(expression)) = found.and_then(|found| found.derived.as_ref()).map(Derived::expression) else {
        return false;
    };
    let mut operands = expression.operands.iter();
    operands.any(|operand| operand.variable == part || is_part_of(part, &operand.variable, variables))
}

/// The columns that a list names, each by itself.
fn columns<const LEAST: usize>(
    problems: &Problems<'_>,
    list: &List<TextOr<raw::Feature>, LEAST>,
    schema: Option<&Schema>,
    mut lacking: Option<&mut Lacking<'_>>,
) -> Vec<Feature> {
    let mut columns: Vec<Feature> = Vec::new();
    for item in list.items() {
        let mut reading = Reading { problems, at: item.span(), lacking: lacking.as_deref_mut() };
        let column = match item.get_ref() {
            TextOr::Text(text) => reading.named(text, schema),
            TextOr::Table(raw) => reading.table(raw, schema),
        };
        if let Some(column) = column {
            reading.check_against(&column, &columns);
            columns.push(column);
        }
    }
    columns
}

/// A feature being resolved, with its place.
struct Reading<'a, 'd> {
    problems: &'a Problems<'a>,
    at: Span,
    /// Of a pipeline over concepts, those that the schema has not.
    lacking: Option<&'a mut Lacking<'d>>,
}

impl Reading<'_, '_> {
    /// `variable` or `variable:aggregation`.
    fn named(&mut self, text: &str, schema: Option<&Schema>) -> Option<Feature> {
        let (variable, aggregation) = match text.split_once(':') {
            Some((variable, aggregation)) => (variable, Some(self.aggregation(aggregation.trim())?)),
            None => (text, None),
        };
        let variable = self.variable(&Spanned::new(self.at.clone(), variable.trim()), schema?)?;
        Some(self.resolved(variable, aggregation.map(|a| Spanned::new(self.at.clone(), a)), None))
    }

    fn aggregation(&self, text: &str) -> Option<Aggregation> {
        let found = Aggregation::ALL.into_iter().find(|a| a.name() == text);
        if found.is_none() {
            let names = Aggregation::ALL.map(Aggregation::name);
            let similar = suggest::closest(text, names);
            self.problems.push(
                self.at.clone(),
                format!("unknown aggregation `{text}`; allowed are {}", suggest::quoted(&names)),
                similar.map(|s| format!("did you mean `{s}`?")),
            );
        }
        found
    }

    fn table(&mut self, raw: &raw::Feature, schema: Option<&Schema>) -> Option<Feature> {
        if let Some(given) = raw.lookback.spanned().filter(|hours| **hours.get_ref() < 0.0) {
            let message = format!("`lookback` is hours, 0 or more, found {}", given.get_ref());
            self.problems.add(given.span(), message);
        }
        let variable = self.variable(&raw.variable.text()?, schema?)?;
        let lookback_hours = raw.lookback.copied().unwrap_or(0.0);
        let min_count = u32::try_from(raw.min_count.copied().unwrap_or(0)).unwrap_or(u32::MAX);
        if variable.is_static() && self.lacking.is_some() {
            // Measured in one database, a fact in another: it has no time to look back from.
            return Some(self.resolved(variable, None, raw.name.owned()));
        }
        if variable.is_static() && (lookback_hours != 0.0 || min_count != 0) {
            let message =
                format!("`{}` is one fact: neither `lookback` nor `min_count` applies", variable.name);
            self.problems.add(self.at.clone(), message);
        }
        let aggregation = raw.aggregation.spanned().map(|a| Spanned::new(a.span(), **a.get_ref()));
        let feature = self.resolved(variable, aggregation, raw.name.owned());
        Some(Feature { lookback_hours, min_count, ..feature })
    }

    fn variable<'s>(&mut self, name: &Spanned<&str>, schema: &'s Schema) -> Option<&'s Variable> {
        if let Some(lacking) = &mut self.lacking
            && let Ok(found) = lacking.find(schema, name.get_ref())
        {
            return found;
        }
        let found = schema.variable(name.get_ref()).filter(|_| self.lacking.is_none());
        if found.is_none() {
            let hint = suggest::hint(name.get_ref(), schema.variables.iter().map(|v| v.name.as_str()))
                .unwrap_or_else(|| format!("`cohort-flow schema show {}` lists them", schema.name));
            let message = format!("schema `{}` has no variable `{}`", schema.name, name.get_ref());
            self.problems.add_with_hint(name.span(), message, hint);
        }
        found
    }

    fn resolved(
        &self,
        variable: &Variable,
        aggregation: Option<Spanned<Aggregation>>,
        name: Option<String>,
    ) -> Feature {
        // What is measured in one database is a fact in another: there its one value is the first, last and
        // mean.
        let one_value = self.lacking.is_some() && variable.is_single();
        if let Some(given) = aggregation.as_ref().filter(|_| !one_value) {
            if variable.is_single() {
                let what = if variable.is_static() { "one fact" } else { "computed once per window" };
                let message =
                    format!("`{}` is {what}, not measurements; it takes no aggregation", variable.name);
                self.problems.add(given.span(), message);
            } else {
                check_suits(self.problems, *given.get_ref(), given.span(), variable.kind);
            }
        }
        let aggregation = aggregation.map(Spanned::into_inner);
        let name = name.unwrap_or_else(|| match aggregation {
            Some(aggregation) => format!("{}_{}", variable.name, aggregation.column_suffix()),
            None => variable.name.clone(),
        });
        let aggregation = aggregation.unwrap_or(variable.aggregate);
        Feature { name, variable: variable.name.clone(), aggregation, lookback_hours: 0.0, min_count: 0 }
    }

    fn check_against(&self, feature: &Feature, before: &[Feature]) {
        let at = self.at.clone();
        if RESERVED.contains(&feature.name.as_str()) {
            let message = format!("feature name `{}` is taken by a column of every result", feature.name);
            self.problems.add(at.clone(), message);
        }
        let meaning = |f: &Feature| (f.variable.clone(), f.aggregation, f.lookback_hours, f.min_count);
        if let Some(same) = before.iter().find(|f| f.name == feature.name) {
            self.problems.add(at, format!("there are two features `{}`", same.name));
        } else if let Some(same) = before.iter().find(|f| meaning(f) == meaning(feature)) {
            // Two equal columns make the density degenerate: its likelihood has no bound.
            let message = format!("feature `{}` would equal feature `{}`", feature.name, same.name);
            let aggregation = feature.aggregation.name();
            let hint =
                format!("`{}` is aggregated by `{aggregation}` unless said otherwise", feature.variable);
            self.problems.add_with_hint(at, message, hint);
        }
    }
}
