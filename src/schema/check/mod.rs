//! TOML → [`Schema`] and [`Pipeline`]: reads, resolves references and collects everything that is wrong.

mod derived;
mod features;
mod pipeline;
mod rules;
mod sources;
mod tables;
#[cfg(test)]
mod tests;
mod units;
mod variables;
mod waveform;
mod window;

use toml::de::DeTable;

use super::error::SchemaError;
use super::parse::{Problems, Section};
use super::{Pipeline, Schema};

pub(super) use pipeline::{check_min_observed, check_split};
pub(super) use window::check_window;

/// Reads and checks the text of a schema file; `file` names it in messages.
///
/// # Errors
/// [`SchemaError::Invalid`] with all problems of the text.
pub fn parse_schema(file: &str, text: &str) -> Result<Schema, SchemaError> {
    checked(file, text, "the schema", |root| {
        if (root.has("features") || root.has("wide")) && !root.has("variables") {
            root.problems.add_with_hint(0..0, "this is a pipeline, not a schema", "name a schema file here");
            return None;
        }
        let schema = variables::schema(&root);
        root.finish();
        schema
    })
}

/// Reads and checks the text of a pipeline file; `load` finds the schema it names, as written there.
///
/// # Errors
/// [`SchemaError::Invalid`] with all problems of the text; whatever `load` says of a schema that exists but is invalid.
pub fn parse_pipeline(
    file: &str,
    text: &str,
    load: &dyn Fn(&str) -> Result<Schema, SchemaError>,
) -> Result<(Pipeline, Option<Schema>), SchemaError> {
    let mut broken_schema = None;
    let resolved = checked(file, text, "the pipeline", |root| {
        if (root.has("variables") || root.has("record")) && !root.has("features") {
            root.problems.add_with_hint(
                0..0,
                "this is a schema, not a pipeline",
                "name a pipeline file here",
            );
            return None;
        }
        let resolved = pipeline::pipeline(&root, load, &mut broken_schema);
        root.finish();
        resolved
    });
    match broken_schema {
        // The pipeline's own problems first: the schema's file is another one, shown once this one is right.
        Some(error) if resolved.is_ok() => Err(error),
        _ => resolved,
    }
}

/// Runs `read` over the text and turns the problems it left into an error.
fn checked<T>(
    file: &str,
    text: &str,
    title: &str,
    read: impl FnOnce(Section<'_>) -> Option<T>,
) -> Result<T, SchemaError> {
    let problems = Problems::new(text);
    let value = match DeTable::parse(text) {
        Ok(document) => {
            // What is missing at the top is shown on the first line.
            let first_line = 0..text.lines().next().map_or(0, str::len);
            read(Section::new(&problems, title.to_owned(), first_line, document.get_ref()))
        }
        Err(error) => {
            let span = error.span().unwrap_or(0..0);
            problems.add_with_hint(
                span,
                format!("not valid TOML: {}", error.message()),
                "see https://toml.io",
            );
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
