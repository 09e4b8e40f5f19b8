//! A pipeline: cohort rules, window, splits, wide tables. Its features are read by `features`.

use toml::Spanned;

use super::{features, rules, waveform, window};
use crate::schema::error::SchemaError;
use crate::schema::parse::Section;
use crate::schema::pipeline::separator;
use crate::schema::{DecimalMark, Kind, Pipeline, Schema, Split, SplitFractions, TransformKind, WideTable};

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
    let rules = rules::rules(root, schema.as_ref(), (!features.is_empty()).then_some(features.len()));
    let window = window::window(root, schema.as_ref());
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

fn wide_table(section: &Section<'_>) -> WideTable {
    let one = |key| section.text(key).map(|t| (t.span(), (*t.get_ref()).to_owned()));
    let (id, group, split) = (one("id"), one("group"), one("split"));
    let many = |key| section.texts(key).map(Spanned::into_inner).unwrap_or_default();
    let ignore: Vec<_> = many("ignore").into_iter().map(|t| (t.span(), (*t.get_ref()).to_owned())).collect();
    let missing = many("missing").into_iter().map(|t| (*t.get_ref()).to_owned()).collect();
    let separator = section.text("separator").and_then(|text| {
        let found = separator(text.get_ref());
        if found.is_none() {
            let what = "`separator` is one character or comma, semicolon, tab, pipe or space";
            section.problems.add(text.span(), format!("{what}, found `{}`", text.get_ref()));
        }
        found
    });
    let decimal = section
        .text("decimal")
        .and_then(|t| section.one_of("decimal mark", &t, &DecimalMark::ALL, DecimalMark::name));
    let (mut missing_in, mut decimal_in) = (Vec::new(), Vec::new());
    if let Some(body) = section.section("missing_in", "`missing_in`") {
        for (column, value) in body.entries() {
            let name = *column.get_ref();
            let codes = Section::one_or_many(value).into_iter().filter_map(|code| body.as_text(name, code));
            missing_in.push((name.to_owned(), codes.map(|t| (*t.get_ref()).to_owned()).collect()));
        }
    }
    if let Some(body) = section.section("decimal_in", "`decimal_in`") {
        for (column, value) in body.entries() {
            let mark = body.as_text(column.get_ref(), value);
            let mark =
                mark.and_then(|m| body.one_of("decimal mark", &m, &DecimalMark::ALL, DecimalMark::name));
            decimal_in.extend(mark.map(|mark| ((*column.get_ref()).to_owned(), mark)));
        }
    }
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
        missing_in,
        separator,
        decimal,
        decimal_in,
    }
}
