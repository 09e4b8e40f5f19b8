//! `ingest --part` and `ingest --merge`: a bundle that several machines make, each of some of the patients.

use std::path::{Path, PathBuf};

use crate::ingest::{self, IngestOptions, IngestProgress, Part, PartBundle, PartSummary};
use crate::output::{Staged, keep_inputs};
use crate::schema::{self, PipelineKind};

use super::Error;
use super::ingest::{IngestRequest, Ingested, load, write_bundle};

/// Reads the rows of one part of the patients and writes them with their account; nothing is fitted.
///
/// # Errors
/// Whatever a stage reports; the former output is then intact.
pub fn ingest_part(
    request: &IngestRequest<'_>,
    part: Part,
    progress: &dyn IngestProgress,
) -> Result<PartSummary, Error> {
    let inputs = [Some(request.input), Some(Path::new(request.pipeline)), request.cache];
    keep_inputs(request.output, inputs.into_iter().flatten())?;
    let staged = Staged::dir(request.output, request.force)?;
    let (mut pipeline, schema) = load(request.pipeline, request.schema, request.input)?;
    schema::apply_settings(&mut pipeline, request.settings)?;
    let undivided = |what: &str| {
        Err(Error::Usage {
            message: format!("{what} cannot be divided into parts"),
            hint: "ingest all of it in one run, without --part".into(),
        })
    };
    let mut bundle = match pipeline.kind() {
        PipelineKind::Cohort => {
            let schema =
                schema.as_ref().expect("invariant: the pipeline of a cohort is read with its schema");
            let cache = request.cache.map(Path::to_path_buf);
            let options = IngestOptions { bad_rows: request.bad_rows, cache, part };
            PartBundle::of_cohort(schema, &pipeline, request.input, &options, progress)?
        }
        PipelineKind::Windows(_) => return undivided("records of signals"),
        PipelineKind::Grid(_) => return undivided("pictures"),
        PipelineKind::Table(_) if part.divided => {
            return undivided(
                "a wide table whose rows were divided before (what a column is follows from all)",
            );
        }
        PipelineKind::Table(_) => PartBundle::of_table(&pipeline, request.input, part, progress)?,
    };
    bundle.write(staged.path())?;
    staged.commit()?;
    Ok(bundle.summary())
}

/// Puts all parts together, fits transforms on the training split, and writes the bundle that one run would
/// write. `left_behind` counts rows of items not in use by their event table, that were left behind before
/// the tables were divided.
///
/// # Errors
/// Parts that do not belong together, are missing or there twice; whatever a stage reports.
pub fn merge_parts(
    parts: &[PathBuf],
    left_behind: &[(String, u64)],
    output: &Path,
    force: bool,
) -> Result<Ingested, Error> {
    keep_inputs(output, parts.iter().map(PathBuf::as_path))?;
    let staged = Staged::dir(output, force)?;
    let merged = ingest::merge(parts, left_behind)?;
    write_bundle(staged, &merged.table, merged.schema.as_ref(), &merged.pipeline)
}
