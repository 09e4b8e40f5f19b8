//! `ingest`: source files → bundle.

use std::fs;
use std::path::Path;

use crate::error::IoError;
use crate::features::{Bundle, FeatureError, assign_splits};
use crate::ingest::{self, BadRows, IngestOptions, IngestProgress};
use crate::output::Staged;
use crate::{schema, waveform};

use super::Error;

/// What to ingest.
#[derive(Debug, Clone, Copy)]
pub struct IngestRequest<'a> {
    /// Built-in name or path of a pipeline.
    pub pipeline: &'a str,
    /// Extract folder or table.
    pub input: &'a Path,
    /// Bundle to write.
    pub output: &'a Path,
    /// Whether to replace an existing bundle.
    pub force: bool,
    /// Overrides, as `--set` gives them.
    pub settings: &'a [(String, String)],
    /// What to do about malformed rows of cohort tables.
    pub bad_rows: BadRows,
    /// Folder of event stores, if they are to be kept and used.
    pub cache: Option<&'a Path>,
}

/// Follows the rows behind one variable of one record; writes nothing.
///
/// # Errors
/// Whatever a stage reports; wide tables have no rows to follow.
pub fn explain(
    pipeline: &str,
    input: &Path,
    settings: &[(String, String)],
    variable: &str,
    record: &str,
    progress: &dyn IngestProgress,
) -> Result<ingest::Explanation, Error> {
    let (mut pipeline, schema) = schema::load_pipeline(pipeline)?;
    schema::apply_settings(&mut pipeline, settings)?;
    let schema = schema.ok_or(ingest::IngestError::NothingToExplain)?;
    Ok(ingest::explain(&schema, &pipeline, input, variable, record, progress)?)
}

/// Reads, fits transforms on the training split, and writes the bundle.
///
/// # Errors
/// Whatever a stage reports; the former output is then intact.
pub fn ingest(request: &IngestRequest<'_>, progress: &dyn IngestProgress) -> Result<Bundle, Error> {
    let staged = Staged::dir(request.output, request.force)?;
    let (mut pipeline, schema) = schema::load_pipeline(request.pipeline)?;
    schema::apply_settings(&mut pipeline, request.settings)?;
    let table = match (&schema, &pipeline.waveform) {
        (Some(schema), _) => {
            let options =
                IngestOptions { bad_rows: request.bad_rows, cache: request.cache.map(Path::to_path_buf) };
            ingest::ingest_with(schema, &pipeline, request.input, &options, progress)?
        }
        (None, Some(settings)) => {
            let (table, scales) = waveform::read_windows(&pipeline, settings, request.input)?;
            let path = staged.path().join("waveform.json");
            let mut json = serde_json::to_vec_pretty(&scales).expect("invariant: numbers and texts");
            json.push(b'\n');
            fs::write(&path, json).map_err(IoError::on("write", &path))?;
            table
        }
        (None, None) => ingest::read_wide(&pipeline, request.input)?,
    };
    // The features need the splits alone: they are compressed while the tensors are made.
    let (splits, _) = assign_splits(&table, &pipeline)?;
    let path = staged.path().join("features.parquet");
    let (written, bundle) = rayon::join(
        || ingest::write_features(&path, &table, &splits),
        || {
            let bundle = Bundle::build(&table, schema.as_ref(), &pipeline)?;
            bundle.write(staged.path())?;
            Ok::<_, FeatureError>(bundle)
        },
    );
    let bundle = bundle?;
    written?;
    staged.commit()?;
    Ok(bundle)
}
