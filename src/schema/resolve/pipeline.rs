//! A pipeline as a whole: which of its sections go together.

use toml::Spanned;

use super::computed::{with_computed, without_unused};
use super::lacking::Lacking;
use super::split::{min_level_patients, min_observed, split};
use super::{features, grid, rules, waveform, wide, window};
use crate::error::Hint;
use crate::schema::concept::CONCEPTS;
use crate::schema::error::SchemaError;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{Get, PipelineFile, key};
use crate::schema::{Concept, Pipeline, Schema, TransformKind};

/// Finds the schema that a pipeline names.
type Load<'l> = &'l dyn Fn(&str) -> Result<Schema, SchemaError>;

/// Resolves a whole pipeline. What is missing is shown at `first_line`; a schema that exists but is itself
/// invalid is left in `broken`.
pub(super) fn pipeline(
    problems: &Problems<'_>,
    raw: &PipelineFile,
    first_line: &Span,
    (load, dictionary): (Load<'_>, &[Concept]),
    broken: &mut Option<SchemaError>,
) -> Option<(Pipeline, Option<Schema>)> {
    let found = raw.schema.text().and_then(|name| find_schema(problems, &name, load, broken));
    let n_variables = found.as_ref().map_or(0, |schema| schema.variables.len());
    // What a database lacks of a pipeline over concepts is left out and told.
    let concepts = raw.schema.get().is_some_and(|name| name.as_ref() == CONCEPTS);
    let found = found.map(|schema| if concepts { with_computed(schema, dictionary) } else { schema });
    let schema = found.as_ref();
    let mut lacking = concepts.then(|| Lacking { dictionary, names: Vec::new(), rules: Vec::new() });
    check_input(problems, raw, first_line);
    let wide = raw.wide.get().map(|raw| wide::wide(problems, raw));
    let waveform = raw.waveform.get().map(|raw| waveform::waveform(problems, raw));
    let grid = raw.grid.get().map(|raw| grid::grid(problems, raw));
    let features = features::features(problems, raw, first_line, schema, lacking.as_mut());
    let labels = features::labels(problems, raw, schema, lacking.as_mut(), &features);
    let n_features = (!features.is_empty()).then_some(features.len());
    let rules = rules::rules(problems, raw, schema, n_features, lacking.as_mut());
    let name_of = |schema: &Schema| schema.name.clone();
    let pipeline = Pipeline {
        rules,
        window: window::window(problems, raw, first_line, schema),
        episodes: episodes(problems, raw, schema),
        missing_parts: raw.missing_parts.copied().unwrap_or_default(),
        min_observed: min_observed(problems, raw),
        min_level_patients: min_level_patients(problems, raw),
        split: split(problems, raw),
        name: raw.name.owned()?,
        title: raw.title.owned().unwrap_or_default(),
        schema: if concepts { found.as_ref().map(name_of) } else { raw.schema.owned() }.unwrap_or_default(),
        left_out: lacking.map(Lacking::told).unwrap_or_default(),
        features,
        labels,
        wide,
        waveform,
        grid,
        transform: raw.transform.copied().unwrap_or(TransformKind::NormalScore),
        dequantize: raw.dequantize.copied().unwrap_or(true),
        seed: raw.seed.copied().unwrap_or(0),
    };
    let found = found.map(|schema| without_unused(schema, n_variables, &pipeline));
    Some((pipeline, found))
}

/// Whether stays are joined, which the schema has to declare. That of no database declares nothing.
fn episodes(problems: &Problems<'_>, raw: &PipelineFile, schema: Option<&Schema>) -> bool {
    let wanted = raw.episodes.copied().unwrap_or_default();
    let lacks = |schema: &Schema| schema.name != CONCEPTS && schema.record.episodes.is_none();
    if let (true, Some(at)) = (wanted && schema.is_none_or(lacks), key(&raw.episodes)) {
        let hint = "declare `episodes = { within = \"COLUMN\", gap = HOURS }` under `[record]` of the schema";
        problems.add_with_hint(at, "the schema does not say which stays make one episode", hint);
    }
    wanted
}

/// A pipeline has one kind of input.
fn check_input(problems: &Problems<'_>, raw: &PipelineFile, first_line: &Span) {
    if let Some(grid) = key(&raw.grid) {
        if [key(&raw.schema), key(&raw.wide), key(&raw.waveform)].iter().any(Option::is_some) {
            let message = "a pipeline of pictures (`grid`) has neither a `schema` nor a `wide` table nor a \
                           `waveform` section";
            problems.add(grid, message);
        }
        return;
    }
    match (key(&raw.schema), key(&raw.wide), key(&raw.waveform)) {
        (None, None, None) => problems.add_with_hint(
            first_line.clone(),
            "the pipeline names no `schema`",
            "add `schema = \"NAME\"`, or a `[wide]` table when its input is one table with a column \
             per feature",
        ),
        (Some(_), None, None) | (None, Some(_), None) | (None, None, Some(_)) => {}
        (Some(_), Some(wide), None) => {
            problems.add(wide, "a pipeline names a `schema` or describes a `wide` table, not both");
        }
        (_, _, Some(waveform)) => {
            let message = "a pipeline of `waveform` records has neither a `schema` nor a `wide` table";
            problems.add(waveform, message);
        }
    }
}

fn find_schema(
    problems: &Problems<'_>,
    name: &Spanned<&str>,
    load: &dyn Fn(&str) -> Result<Schema, SchemaError>,
    broken: &mut Option<SchemaError>,
) -> Option<Schema> {
    match load(name.get_ref()) {
        Ok(schema) => Some(schema),
        Err(error @ SchemaError::Invalid { .. }) => {
            *broken = Some(error);
            None
        }
        Err(error) => {
            problems.push(name.span(), error.to_string(), error.hint());
            None
        }
    }
}
