//! Descriptions by name or path. The compiled-in ones make the program work from any folder.

use std::path::Path;

use toml::de::DeTable;

use super::concept::CONCEPTS;
use super::error::{Description, SchemaError};
use super::resolve::{parse_pipeline, parse_schema, schema_of_concepts};
use super::{Pipeline, Schema, suggest};
use crate::error::IoError;
use crate::plain_file;

const SCHEMAS: &[(&str, &str)] = &[
    ("eicu", include_str!("../../schemas/eicu.toml")),
    ("meds", include_str!("../../schemas/meds.toml")),
    ("mimic3", include_str!("../../schemas/mimic3.toml")),
    ("mimic4", include_str!("../../schemas/mimic4.toml")),
    ("omop", include_str!("../../schemas/omop.toml")),
    ("physionet2012", include_str!("../../schemas/physionet2012.toml")),
    ("physionet2019", include_str!("../../schemas/physionet2019.toml")),
];

/// What is read beside a built-in schema where a pipeline names it, by the name of the schema. A bundle holds
/// the schema that it was made by, and those of pipelines that name nothing of this stay as they are.
const ADDITIONS: &[(&str, &str)] = &[
    (
        "mimic3",
        concat!(
            include_str!("../../schemas/mimic3.toml"),
            include_str!("../../schemas/additions/mimic3.toml")
        ),
    ),
    (
        "mimic4",
        concat!(
            include_str!("../../schemas/mimic4.toml"),
            include_str!("../../schemas/additions/mimic4.toml")
        ),
    ),
];

const PIPELINES: &[(&str, &str)] = &[
    ("icu-first-24h", include_str!("../../pipelines/icu-first-24h.toml")),
    ("icu-48h", include_str!("../../pipelines/icu-48h.toml")),
    ("icu-hourly", include_str!("../../pipelines/icu-hourly.toml")),
    ("icu-scores", include_str!("../../pipelines/icu-scores.toml")),
    ("images", include_str!("../../pipelines/images.toml")),
    ("mimic3-first-24h", include_str!("../../pipelines/mimic3-first-24h.toml")),
    ("mimic3-first-48h-benchmark", include_str!("../../pipelines/mimic3-first-48h-benchmark.toml")),
    ("mimic3-hourly", include_str!("../../pipelines/mimic3-hourly.toml")),
    ("physionet2012-48h", include_str!("../../pipelines/physionet2012-48h.toml")),
    ("waveform-1024", include_str!("../../pipelines/waveform-1024.toml")),
    ("wide-table", include_str!("../../pipelines/wide-table.toml")),
];

/// Names of the compiled-in schemas.
pub fn schema_names() -> Vec<&'static str> {
    SCHEMAS.iter().map(|(name, _)| *name).collect()
}

/// Names of the compiled-in pipelines.
pub fn pipeline_names() -> Vec<&'static str> {
    PIPELINES.iter().map(|(name, _)| *name).collect()
}

/// Text of a compiled-in schema, to start one's own from.
pub fn schema_text(name: &str) -> Option<&'static str> {
    SCHEMAS.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// Text of a compiled-in pipeline, to start one's own from.
pub fn pipeline_text(name: &str) -> Option<&'static str> {
    PIPELINES.iter().find(|(n, _)| *n == name).map(|(_, text)| *text)
}

/// The schema built in under a name, or that of a file; `concepts` is the dictionary in the form of a schema.
///
/// A built-in name wins over a file of the same name; `./name` means the file.
///
/// # Errors
/// [`SchemaError::Unknown`], [`SchemaError::Io`] or [`SchemaError::Invalid`].
pub fn load_schema(name_or_path: &str) -> Result<Schema, SchemaError> {
    if name_or_path == CONCEPTS {
        return Ok(schema_of_concepts());
    }
    let all: Vec<_> = ADDITIONS.iter().chain(SCHEMAS).copied().collect();
    load_schema_from(name_or_path, &all, Path::new(""))
}

/// The pipeline built in under a name, or that of a file, with the schema it names; wide tables have none.
///
/// A path to a schema in a pipeline file starts at the folder of that file.
///
/// # Errors
/// As [`load_schema`]; a schema that exists but is invalid is reported as itself.
pub fn load_pipeline(name_or_path: &str) -> Result<(Pipeline, Option<Schema>), SchemaError> {
    load_pipeline_on(name_or_path, None)
}

/// [`load_pipeline`] of a pipeline over concepts on a schema: one that is built in, or a file.
///
/// Without a schema, such a pipeline is held against the dictionary of concepts, and can be looked at but not
/// run.
///
/// # Errors
/// As [`load_pipeline`].
pub fn load_pipeline_on(
    name_or_path: &str,
    schema: Option<&str>,
) -> Result<(Pipeline, Option<Schema>), SchemaError> {
    let (text, file) = find(Description::Pipeline, name_or_path, PIPELINES, Path::new(""))?;
    let folder = Path::new(&file).parent().unwrap_or(Path::new("")).to_path_buf();
    parse_pipeline(&file, &text, &|named| match (named, schema) {
        (CONCEPTS, Some(schema)) => load_schema(schema),
        (CONCEPTS, None) => Ok(schema_of_concepts()),
        (named, _) => load_schema_from(named, SCHEMAS, &folder),
    })
    .or_else(|error| {
        // A pipeline that names what is read beside its schema takes the whole of it.
        let whole = parse_pipeline(&file, &text, &|named| match named {
            CONCEPTS => Err(SchemaError::Unknown {
                what: Description::Schema,
                name: CONCEPTS.to_owned(),
                known: Vec::new(),
                similar: None,
            }),
            named => load_schema_from(named, ADDITIONS, &folder),
        });
        whole.or(Err(error))
    })
}

/// Whether a pipeline runs on every database that has its concepts.
///
/// # Errors
/// [`SchemaError::Unknown`] or [`SchemaError::Io`].
pub fn is_over_concepts(name_or_path: &str) -> Result<bool, SchemaError> {
    let (text, _) = find(Description::Pipeline, name_or_path, PIPELINES, Path::new(""))?;
    let Ok(document) = DeTable::parse(&text) else { return Ok(false) };
    Ok(document.get_ref().get("schema").and_then(|schema| schema.get_ref().as_str()) == Some(CONCEPTS))
}

/// Whether a name or path is that of a pipeline, for commands that take both. A file that is not even TOML
/// counts as a schema: loading it says what is wrong.
///
/// # Errors
/// [`SchemaError::Unknown`] or [`SchemaError::Io`].
pub fn is_pipeline(name_or_path: &str) -> Result<bool, SchemaError> {
    if name_or_path == CONCEPTS {
        return Ok(false);
    }
    let both: Vec<_> = SCHEMAS.iter().chain(PIPELINES).copied().collect();
    let (text, _) = find(Description::Any, name_or_path, &both, Path::new(""))?;
    let Ok(document) = DeTable::parse(&text) else { return Ok(false) };
    let has = |key: &str| document.get_ref().contains_key(key);
    Ok(!has("variables")
        && !has("record")
        && !has("concepts")
        && ["features", "wide", "waveform", "grid", "schema"].into_iter().any(has))
}

fn load_schema_from(
    name_or_path: &str,
    built_in: &[(&'static str, &'static str)],
    folder: &Path,
) -> Result<Schema, SchemaError> {
    let (text, file) = find(Description::Schema, name_or_path, built_in, folder)?;
    parse_schema(&file, &text)
}

/// Text and name of a description.
fn find(
    what: Description,
    name: &str,
    built_in: &[(&'static str, &'static str)],
    folder: &Path,
) -> Result<(String, String), SchemaError> {
    if let Some((name, text)) = built_in.iter().find(|(n, _)| *n == name) {
        return Ok(((*text).to_owned(), (*name).to_owned()));
    }
    let path = folder.join(name);
    let looks_like_path = name.contains(['/', '\\']) || name.to_lowercase().ends_with(".toml");
    if !looks_like_path && !path.is_file() {
        let known: Vec<_> = built_in.iter().map(|(n, _)| *n).collect();
        let similar = suggest::closest(name, known.iter().copied())
            .and_then(|s| known.iter().copied().find(|n| *n == s));
        return Err(SchemaError::Unknown { what, name: name.to_owned(), known, similar });
    }
    let text = plain_file::read_to_string(&path).map_err(IoError::on("read", &path))?;
    Ok((text, path.display().to_string()))
}
