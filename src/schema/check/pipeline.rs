//! A pipeline: cohort rules, window, splits, wide tables. Its features are read by `features`.

use toml::Spanned;

use super::{features, waveform};
use crate::schema::error::SchemaError;
use crate::schema::parse::Section;
use crate::schema::{
    CohortRule, DType, Kind, Pipeline, Predicate, Schema, Split, SplitFractions, TransformKind, Variable,
    WideTable, Window, suggest,
};

/// Fractions are written with few digits, so their sum is exact up to rounding of f64.
const SUM_TOLERANCE: f64 = 1e-9;

/// Reads a whole pipeline. A schema that exists but is itself invalid is left in `broken`.
pub(super) fn pipeline(
    root: &Section<'_>,
    load: &dyn Fn(&str) -> Result<Schema, SchemaError>,
    broken: &mut Option<SchemaError>,
) -> Option<(Pipeline, Option<Schema>)> {
    let name = root.required_text("name");
    let title = root.text("title").map_or_else(String::new, |t| (*t.get_ref()).to_owned());
    let named = root.text("schema");
    let schema = named.as_ref().and_then(|name| find_schema(root, name, load, broken));
    let wide = root.section("wide", "the wide table").map(|section| {
        let wide = wide_table(&section);
        section.finish();
        wide
    });
    let waveform = root.section("waveform", "the waveforms").map(|section| {
        let waveform = waveform::waveform(&section);
        section.finish();
        waveform
    });
    if root.has("waveform") && (root.has("schema") || root.has("wide")) {
        let message = "a pipeline of `waveform` records has neither a `schema` nor a `wide` table";
        root.problems.add(root.key_span("waveform"), message);
    }
    match (root.has("schema"), root.has("wide") || root.has("waveform")) {
        (true, true) if root.has("wide") => {
            let message = "a pipeline names a `schema` or describes a `wide` table, not both";
            root.problems.add(root.key_span("wide"), message);
        }
        (false, false) => root.problems.add_with_hint(
            root.span.clone(),
            "the pipeline names no `schema`",
            "add `schema = \"NAME\"`, or a `[wide]` table when its input is one table with a column per feature",
        ),
        _ => {}
    }
    let features = features::features(root, schema.as_ref());
    let rules = rules(root, schema.as_ref(), (!features.is_empty()).then_some(features.len()));
    let window = window(root, schema.as_ref());
    let transform = root.choice("transform", &TransformKind::ALL, TransformKind::name);
    let pipeline = Pipeline {
        name: (*name?.get_ref()).to_owned(),
        title,
        schema: named.map_or_else(String::new, |n| (*n.get_ref()).to_owned()),
        rules,
        window,
        features,
        wide,
        waveform,
        transform: transform.map_or(TransformKind::NormalScore, Spanned::into_inner),
        dequantize: root.boolean("dequantize").is_none_or(Spanned::into_inner),
        min_observed: min_observed(root),
        split: split(root),
        seed: root.count("seed").map_or(0, Spanned::into_inner),
    };
    Some((pipeline, schema))
}

fn find_schema(
    root: &Section<'_>,
    name: &Spanned<&str>,
    load: &dyn Fn(&str) -> Result<Schema, SchemaError>,
    broken: &mut Option<SchemaError>,
) -> Option<Schema> {
    match load(name.get_ref()) {
        Ok(schema) => Some(schema),
        Err(SchemaError::Invalid { file, text, problems }) => {
            *broken = Some(SchemaError::Invalid { file, text, problems });
            None
        }
        Err(error) => {
            root.problems.push(name.span(), error.to_string(), crate::error::Hint::hint(&error));
            None
        }
    }
}

fn window(root: &Section<'_>, schema: Option<&Schema>) -> Window {
    let mut window = Window { start_hours: 0.0, end_hours: 0.0, until_end: false };
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
    section.finish();
    window
}

/// Says what is wrong with a window.
pub(in crate::schema) fn check_window(window: &Window) -> Result<(), String> {
    let Window { start_hours, end_hours, .. } = window;
    if start_hours < end_hours {
        return Ok(());
    }
    Err(format!("the window must end after it starts, found {start_hours} to {end_hours} hours"))
}

fn min_observed(root: &Section<'_>) -> f64 {
    let Some(given) = root.number("min_observed") else { return 0.0 };
    if let Err(message) = check_min_observed(*given.get_ref()) {
        root.problems.add(given.span(), message);
    }
    given.into_inner()
}

/// Says what is wrong with a least share of observed values.
pub(in crate::schema) fn check_min_observed(share: f64) -> Result<(), String> {
    if (0.0..=1.0).contains(&share) {
        return Ok(());
    }
    Err(format!("`min_observed` is a share from 0 to 1, found {share}"))
}

fn split(root: &Section<'_>) -> SplitFractions {
    let Some(section) = root.section("split", "the split") else { return SplitFractions::default() };
    let share = |key| section.number(key).map_or(0.0, Spanned::into_inner);
    let split = SplitFractions {
        train: share("train"),
        validation: share("validation"),
        calibration: share("calibration"),
        test: share("test"),
    };
    for (name, message) in check_split(&split) {
        let span = name.map_or_else(|| section.span.clone(), |name| section.key_span(name));
        let hint = name.is_none().then(|| "splits not named are 0".to_owned());
        section.problems.push(span, message, hint);
    }
    section.finish();
    split
}

/// All that is wrong with the shares, with the split it concerns.
pub(in crate::schema) fn check_split(split: &SplitFractions) -> Vec<(Option<&'static str>, String)> {
    let shares = [split.train, split.validation, split.calibration, split.test];
    let mut wrong: Vec<_> = Split::ALL
        .into_iter()
        .zip(shares)
        .filter(|(_, share)| !(0.0..=1.0).contains(share))
        .map(|(s, share)| {
            (Some(s.name()), format!("share `{}` must lie between 0 and 1, found {share}", s.name()))
        })
        .collect();
    let sum: f64 = shares.iter().sum();
    if wrong.is_empty() && (sum - 1.0).abs() > SUM_TOLERANCE {
        // Rounded for reading: 0.6 + 0.3 is 0.8999999999999999.
        let sum = (sum * 1e6).round() / 1e6;
        wrong.push((None, format!("the shares of the split must sum to 1, found {sum}")));
    } else if wrong.is_empty() && split.train == 0.0 {
        wrong.push((Some("train"), "share `train` is 0; there is nothing to fit on".to_owned()));
    }
    wrong
}

fn rules(root: &Section<'_>, schema: Option<&Schema>, n_features: Option<usize>) -> Vec<CohortRule> {
    let mut rules: Vec<CohortRule> = Vec::new();
    for section in root.sections("rules", "a rule") {
        let name = section.required_text("name");
        let predicate = predicate(&section, schema, n_features);
        if let Some(name) = name {
            if rules.iter().any(|r| r.name == *name.get_ref()) {
                section.problems.add(name.span(), format!("there are two rules `{}`", name.get_ref()));
            }
            rules.extend(
                predicate.map(|predicate| CohortRule { name: (*name.get_ref()).to_owned(), predicate }),
            );
        }
        section.finish();
    }
    rules
}

fn predicate(section: &Section<'_>, schema: Option<&Schema>, n_features: Option<usize>) -> Option<Predicate> {
    let column = section.text("column");
    let (min, max) = (section.number("min"), section.number("max"));
    let values = section.texts("one_of");
    let first = section.boolean("first_per_subject");
    let count = section.count("min_features");
    let bounds = section.has("min") || section.has("max");
    let forms =
        [bounds, section.has("one_of"), section.has("first_per_subject"), section.has("min_features")];
    if forms.iter().filter(|given| **given).count() != 1 {
        section.problems.add_with_hint(
            section.span.clone(),
            "a rule tests exactly one thing",
            "`column` with `min` and `max`, `column` with `one_of`, `first_per_subject = true`, or `min_features = N`",
        );
        return None;
    }
    if !bounds && !section.has("one_of") {
        if section.has("column") {
            section.problems.add(section.key_span("column"), "`column` has no effect in this rule");
        }
        return match (first, count) {
            (Some(first), _) => first_per_subject(section, &first, schema),
            (_, Some(count)) => min_features(section, &count, n_features),
            _ => None,
        };
    }
    if !section.require("column") {
        return None;
    }
    let (column, text) = resolve(section, &column?, schema)?;
    if let Some(values) = values {
        check_values(section, &column, &values, schema.and_then(|s| s.variable(&column)));
        let values = values.into_inner().into_iter().map(|v| (*v.get_ref()).to_owned()).collect();
        return Some(Predicate::OneOf { column, values });
    }
    if text {
        let message = format!("`{column}` holds text, which has no bounds");
        section.problems.add_with_hint(section.key_span("column"), message, "use `one_of = [\"…\"]`");
    }
    let (min, max) = (min.map(Spanned::into_inner), max.map(Spanned::into_inner));
    if let (Some(low), Some(high)) = (min, max)
        && low > high
    {
        let message = format!("`min` must not be above `max`, found {low} and {high}");
        section.problems.add(section.key_span("min"), message);
    }
    Some(Predicate::Between { column, min, max })
}

fn first_per_subject(
    section: &Section<'_>,
    first: &Spanned<bool>,
    schema: Option<&Schema>,
) -> Option<Predicate> {
    if !first.get_ref() {
        section.problems.add(first.span(), "`first_per_subject` is true, or the rule is left out");
        return None;
    }
    if schema.is_some_and(|s| s.record.start.is_none()) {
        section
            .problems
            .add(first.span(), "the first record is the earliest by start, and records have no start here");
    }
    Some(Predicate::FirstPerSubject)
}

/// `n_features` is unknown for wide tables, whose columns are those of the file.
fn min_features(section: &Section<'_>, count: &Spanned<u64>, n_features: Option<usize>) -> Option<Predicate> {
    let wanted = usize::try_from(*count.get_ref()).ok()?;
    if let Some(n_features) = n_features.filter(|n| wanted > *n) {
        let message = format!("no record can have {wanted} features, there are {n_features}");
        section.problems.add(count.span(), message);
    }
    Some(Predicate::MinFeatures { count: wanted })
}

/// The static variable or column of the records table a rule tests, and whether it holds text.
fn resolve(section: &Section<'_>, name: &Spanned<&str>, schema: Option<&Schema>) -> Option<(String, bool)> {
    let Some(schema) = schema else { return Some(((*name.get_ref()).to_owned(), false)) };
    if let Some(variable) = schema.variable(name.get_ref()) {
        if !variable.is_static() {
            section.problems.add_with_hint(
                name.span(),
                format!("`{}` is measured many times; a rule tests one fact of the record", variable.name),
                "test a fact of the record, or `min_features`",
            );
            return None;
        }
        return Some((variable.name.clone(), variable.kind == Kind::Categorical));
    }
    let columns =
        schema.record.table.as_deref().and_then(|t| schema.table(t)).map_or(&[][..], |t| &t.columns);
    if let Some((column, dtype)) = columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name.get_ref())) {
        return Some((column.clone(), *dtype == DType::Text));
    }
    let facts = schema.variables.iter().filter(|v| v.is_static()).map(|v| v.name.as_str());
    let hint = suggest::hint(name.get_ref(), facts.chain(columns.iter().map(|(c, _)| c.as_str())));
    let message = format!(
        "unknown column `{}`: neither a fact of schema `{}` nor a column of its records",
        name.get_ref(),
        schema.name
    );
    section.problems.push(name.span(), message, hint);
    None
}

fn check_values(
    section: &Section<'_>,
    column: &str,
    values: &Spanned<Vec<Spanned<&str>>>,
    variable: Option<&Variable>,
) {
    if values.get_ref().is_empty() {
        section.problems.add(values.span(), "`one_of` is empty, no record would pass");
    }
    let Some(variable) = variable.filter(|v| !v.levels.is_empty()) else { return };
    for value in values.get_ref() {
        if !variable.levels.iter().any(|(_, level)| level == value.get_ref()) {
            let hint =
                suggest::hint(value.get_ref(), variable.levels.iter().map(|(_, level)| level.as_str()));
            section.problems.push(
                value.span(),
                format!("`{column}` has no level `{}`", value.get_ref()),
                hint,
            );
        }
    }
}

fn wide_table(section: &Section<'_>) -> WideTable {
    let one = |key| section.text(key).map(|t| (t.span(), (*t.get_ref()).to_owned()));
    let (id, group, split) = (one("id"), one("group"), one("split"));
    let many = |key| section.texts(key).map(Spanned::into_inner).unwrap_or_default();
    let ignore: Vec<_> = many("ignore").into_iter().map(|t| (t.span(), (*t.get_ref()).to_owned())).collect();
    let missing = many("missing").into_iter().map(|t| (*t.get_ref()).to_owned()).collect();
    let mut kinds = Vec::new();
    if let Some(body) = section.section("kinds", "`kinds`") {
        for (column, value) in body.entries() {
            let kind = body.as_text(column.get_ref(), value);
            if let Some(kind) = kind.and_then(|kind| body.one_of("kind", &kind, &Kind::ALL, Kind::name)) {
                kinds.push((column.span(), (*column.get_ref()).to_owned(), kind));
            }
        }
    }
    let roles = id.iter().chain(&group).chain(&split).chain(&ignore).map(|(span, name)| (span, name));
    let mut seen: Vec<&str> = Vec::new();
    for (span, name) in roles.chain(kinds.iter().map(|(span, name, _)| (span, name))) {
        if seen.contains(&name.as_str()) {
            section.problems.add(span.clone(), format!("column `{name}` has two roles"));
        }
        seen.push(name);
    }
    WideTable {
        id: id.map(|c| c.1),
        group: group.map(|c| c.1),
        split: split.map(|c| c.1),
        kinds: kinds.into_iter().map(|(_, name, kind)| (name, kind)).collect(),
        ignore: ignore.into_iter().map(|c| c.1).collect(),
        missing,
    }
}
