//! The parts of a file → [`Schema`] and [`Pipeline`]: resolves what they say of each other and collects
//! everything that is wrong.

mod columns;
mod computed;
mod concepts;
mod derived;
mod episodes;
mod events;
mod features;
mod grid;
mod lacking;
mod parts;
mod pipeline;
mod record;
mod rules;
mod schema;
mod sources;
mod split;
mod tables;
#[cfg(test)]
mod tests;
mod units;
mod variables;
mod waveform;
mod wide;
mod window;

use std::sync::LazyLock;

use serde::de::DeserializeOwned;
use toml::de::DeTable;

use super::concept::{CONCEPTS, as_schema};
use super::error::SchemaError;
use super::problems::{Problems, Span};
use super::raw::{self, ConceptsFile, PipelineFile, SchemaFile};
use super::{Concept, Pipeline, Schema};

pub use units::same_unit;

pub(super) use split::{check_min_level_patients, check_min_observed, check_split};
pub(super) use window::check_window;

/// The dictionary, and behind it the scores that are computed from its concepts, a file for each family.
const CONCEPTS_TEXT: &str = concat!(
    include_str!("../../../schemas/concepts.toml"),
    include_str!("../../../schemas/scores/outcomes.toml"),
    include_str!("../../../schemas/scores/ventilation.toml"),
    include_str!("../../../schemas/scores/circulation.toml"),
    include_str!("../../../schemas/scores/sofa.toml"),
    include_str!("../../../schemas/scores/sirs.toml"),
    include_str!("../../../schemas/scores/news2.toml"),
    include_str!("../../../schemas/scores/kdigo.toml"),
    include_str!("../../../schemas/scores/oasis.toml"),
    include_str!("../../../schemas/scores/charlson.toml"),
    include_str!("../../../schemas/scores/saps2.toml"),
    include_str!("../../../schemas/scores/elixhauser.toml"),
    include_str!("../../../schemas/scores/sepsis.toml"),
);

static DICTIONARY: LazyLock<Vec<Concept>> = LazyLock::new(|| {
    parse_concepts("concepts", CONCEPTS_TEXT)
        .unwrap_or_else(|error| unreachable!("invariant: the built-in dictionary has no problem: {error}"))
});

/// The dictionary of concepts that is built in.
pub fn dictionary() -> &'static [Concept] {
    &DICTIONARY
}

/// The dictionary in the form of a schema of no database.
pub(super) fn schema_of_concepts() -> Schema {
    as_schema(CONCEPTS, "every concept of the dictionary, in no database", dictionary())
}

/// Reads and checks the text of a dictionary of concepts.
///
/// # Errors
/// [`SchemaError::Invalid`] with all problems of the text.
pub fn parse_concepts(file: &str, text: &str) -> Result<Vec<Concept>, SchemaError> {
    checked(
        file,
        text,
        "the dictionary",
        |_| None,
        |problems, raw: ConceptsFile, _| Some(concepts::concepts(problems, &raw)),
    )
}

/// Reads and checks the text of a schema file; `file` names it in messages.
///
/// # Errors
/// [`SchemaError::Invalid`] with all problems of the text.
pub fn parse_schema(file: &str, text: &str) -> Result<Schema, SchemaError> {
    let other = |has: &dyn Fn(&str) -> bool| {
        let pipeline = (has("features") || has("wide")) && !has("variables") && !has("concepts");
        pipeline.then_some(("this is a pipeline, not a schema", "name a schema file here"))
    };
    checked(file, text, "the schema", other, |problems, raw: SchemaFile, _| {
        schema::schema(problems, &raw, dictionary())
    })
}

/// Reads and checks the text of a pipeline file; `load` finds the schema it names, as written there.
///
/// # Errors
/// [`SchemaError::Invalid`] with all problems of the text; whatever `load` says of a schema that exists but
/// is invalid.
pub fn parse_pipeline(
    file: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<Schema, SchemaError>,
) -> Result<(Pipeline, Option<Schema>), SchemaError> {
    let mut broken_schema = None;
    let other = |has: &dyn Fn(&str) -> bool| {
        let schema = (has("variables") || has("record")) && !has("features");
        schema.then_some(("this is a schema, not a pipeline", "name a pipeline file here"))
    };
    let resolved = checked(file, text, "the pipeline", other, |problems, raw: PipelineFile, first_line| {
        pipeline::pipeline(problems, &raw, &first_line, (load, dictionary()), &mut broken_schema)
    });
    match broken_schema {
        // The pipeline's own problems come first: the file of the schema is another one, shown once this one
        // is right.
        Some(error) if resolved.is_ok() => Err(error),
        _ => resolved,
    }
}

/// Reads the text, runs `resolve` over what it says, and turns the problems that were left into an error.
/// `other` says, with a hint, when the keys are those of another kind of file.
fn checked<R: DeserializeOwned, T>(
    file: &str,
    text: &str,
    title: &str,
    other: impl Fn(&dyn Fn(&str) -> bool) -> Option<(&'static str, &'static str)>,
    resolve: impl FnOnce(&Problems<'_>, R, Span) -> Option<T>,
) -> Result<T, SchemaError> {
    let problems = Problems::new(text);
    let value = match DeTable::parse(text) {
        Ok(document) => match other(&|key| document.get_ref().contains_key(key)) {
            Some((message, hint)) => {
                problems.add_with_hint(0..0, message, hint);
                None
            }
            None => {
                // What is missing at the top is shown on the first line.
                let first_line = 0..text.lines().next().map_or(0, str::len);
                let raw = raw::read(&problems, title, first_line.clone(), document.get_ref());
                raw.and_then(|raw| resolve(&problems, raw, first_line))
            }
        },
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            let message = format!("not valid TOML: {}", error.message());
            problems.add_with_hint(span, message, "see https://toml.io");
            None
        }
    };
    let problems = problems.into_sorted();
    match value {
        Some(value) if problems.is_empty() => Ok(value),
        _ => {
            assert!(!problems.is_empty(), "invariant: a refused text has a problem");
            Err(SchemaError::Invalid { file: file.to_owned(), text: text.to_owned(), problems })
        }
    }
}
