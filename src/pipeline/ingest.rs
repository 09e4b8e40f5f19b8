//! `ingest`: source files → bundle.

use std::fs;
use std::path::Path;

use crate::error::IoError;
use crate::features::{Manifest, Prepared};
use crate::ingest::{
    self, Audit, BadRows, IngestOptions, IngestProgress, OutputCells, OutputColumn, Part, RecordTable,
};
use crate::output::{Staged, keep_inputs};
use crate::schema::PipelineKind;
use crate::{picture, schema, waveform};

use super::Error;

/// What to ingest.
#[derive(Debug, Clone, Copy)]
pub struct IngestRequest<'a> {
    /// Built-in name or path of a pipeline.
    pub pipeline: &'a str,
    /// Schema of the database, for pipelines over concepts; otherwise it is recognised.
    pub schema: Option<&'a str>,
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

/// What was written.
#[derive(Debug, Clone)]
pub struct Ingested {
    /// What it was made from and what was fitted.
    pub manifest: Manifest,
    /// What happened on the way.
    pub audit: Audit,
}

/// A pipeline with its schema. One over concepts takes the schema that is named, or that of the database
/// which the input is recognised as.
pub(super) fn load(
    pipeline: &str,
    schema: Option<&str>,
    input: &Path,
) -> Result<(schema::Pipeline, Option<schema::Schema>), Error> {
    if !schema::is_over_concepts(pipeline)? {
        if let Some(name) = schema {
            return Err(Error::Usage {
                message: format!(
                    "pipeline {pipeline} names its own schema, so `--schema {name}` has no meaning"
                ),
                hint: "leave it out, or name a pipeline over concepts such as icu-first-24h".into(),
            });
        }
        return Ok(schema::load_pipeline(pipeline)?);
    }
    if schema.is_some() {
        return Ok(schema::load_pipeline_on(pipeline, schema)?);
    }
    let names = schema::schema_names();
    let known: Vec<schema::Schema> =
        names.iter().map(|name| schema::load_schema(name)).collect::<Result<_, _>>()?;
    let found: Vec<&str> = ingest::recognise(&known, input)?.into_iter().map(|s| s.name.as_str()).collect();
    match found.as_slice() {
        [only] => Ok(schema::load_pipeline_on(pipeline, Some(only))?),
        several => Err(Error::Usage {
            message: match several {
                [] => format!("{} is no extract of a database that is known here", input.display()),
                _ => format!("{} may be an extract of {}", input.display(), several.join(" or ")),
            },
            hint: format!("name its schema by `--schema`: {}, or a TOML file of your own", names.join(", ")),
        }),
    }
}

/// What an extract is found to be like from its headers and first rows; nothing is written.
#[derive(Debug, Clone)]
pub struct CheckReport {
    /// What was found.
    pub checked: ingest::Checked,
    /// Whether the schema is that of the database whose files have such names, though none was recognised.
    pub guessed: bool,
}

/// Reads headers, the first rows and dictionaries of an extract.
///
/// # Errors
/// A pipeline or schema that cannot be read, a pipeline for a table, a folder that is no extract at all.
pub fn check(
    (pipeline, schema): (&str, Option<&str>),
    input: &Path,
    settings: &[(String, String)],
) -> Result<CheckReport, Error> {
    let names = schema::schema_names();
    let known: Vec<schema::Schema> =
        names.iter().map(|name| schema::load_schema(name)).collect::<Result<_, _>>()?;
    let mut guessed = false;
    let loaded = match load(pipeline, schema, input) {
        // An extract whose records lack a column is not recognised, and that is what a check is to say.
        Err(error @ Error::Usage { .. }) if schema.is_none() && schema::is_over_concepts(pipeline)? => {
            let Some(nearest) = ingest::nearest(&known, input)? else { return Err(error) };
            guessed = true;
            schema::load_pipeline_on(pipeline, Some(&nearest.name))?
        }
        other => other?,
    };
    let (mut pipeline, Some(schema)) = loaded else {
        return Err(Error::Usage {
            message: "--check reads the tables of a database, and this pipeline is for a single table".into(),
            hint: "`schema infer TABLE` says what each column of a table is taken for".into(),
        });
    };
    schema::apply_settings(&mut pipeline, settings)?;
    Ok(CheckReport { checked: ingest::check(&schema, &pipeline, input, &known)?, guessed })
}

/// Follows the rows behind one variable of one record; writes nothing.
///
/// # Errors
/// Whatever a stage reports; wide tables have no rows to follow.
pub fn explain(
    (pipeline, schema): (&str, Option<&str>),
    input: &Path,
    settings: &[(String, String)],
    variable: &str,
    record: &str,
    bad_rows: BadRows,
    progress: &dyn IngestProgress,
) -> Result<ingest::Explanation, Error> {
    let (mut pipeline, schema) = load(pipeline, schema, input)?;
    schema::apply_settings(&mut pipeline, settings)?;
    let schema = schema.ok_or(ingest::IngestError::NothingToExplain)?;
    Ok(ingest::explain(&schema, &pipeline, input, variable, record, bad_rows, progress)?)
}

/// Reads, fits transforms on the training split, and writes the bundle.
///
/// # Errors
/// Whatever a stage reports; the former output is then intact.
pub fn ingest(request: &IngestRequest<'_>, progress: &dyn IngestProgress) -> Result<Ingested, Error> {
    let inputs = [Some(request.input), Some(Path::new(request.pipeline)), request.cache];
    keep_inputs(request.output, inputs.into_iter().flatten())?;
    let staged = Staged::dir(request.output, request.force)?;
    let (mut pipeline, schema) = load(request.pipeline, request.schema, request.input)?;
    schema::apply_settings(&mut pipeline, request.settings)?;
    let (mut frequency, mut grid) = (None, None);
    let table = match pipeline.kind() {
        PipelineKind::Cohort => {
            let schema =
                schema.as_ref().expect("invariant: the pipeline of a cohort is read with its schema");
            let cache = request.cache.map(Path::to_path_buf);
            let options = IngestOptions { bad_rows: request.bad_rows, cache, part: Part::WHOLE };
            ingest::ingest_with(schema, &pipeline, request.input, &options, progress)?
        }
        PipelineKind::Windows(settings) => {
            let (table, scales) = waveform::read_windows(&pipeline, settings, request.input)?;
            let path = staged.path().join("waveform.json");
            let mut json = serde_json::to_vec_pretty(&scales).expect("invariant: numbers and texts");
            json.push(b'\n');
            fs::write(&path, json).map_err(IoError::on("write", &path))?;
            frequency = Some(scales.frequency).filter(|f| *f > 0.0);
            table
        }
        PipelineKind::Grid(settings) => {
            let found = picture::read_pictures(&pipeline, settings, request.input)?;
            let column = |name: &str, i: usize| {
                let cells =
                    found.listed.iter().map(|row| Some(row[i].clone()).filter(|cell| !cell.is_empty()));
                OutputColumn::new(name, OutputCells::Text(cells.collect()))
            };
            let listed = [column("picture", 0), column("reason", 1), column("copy_of", 2)];
            ingest::write_table(&staged.path().join("pictures.csv"), &listed, false)?;
            grid = Some(found.grid);
            found.table
        }
        PipelineKind::Table(_) => ingest::read_wide(&pipeline, request.input, progress)?,
    };
    // The rate that WFDB records say of themselves: samples at another one are other records.
    if let Some(settings) = &mut pipeline.waveform {
        settings.frequency = settings.frequency.or(frequency);
    }
    // The size that the pictures turned out to have.
    if grid.is_some() {
        pipeline.grid = grid;
    }
    write_bundle(staged, &table, schema.as_ref(), &pipeline)
}

/// Fits transforms on the training split of a table, and writes its bundle.
pub(super) fn write_bundle(
    staged: Staged,
    table: &RecordTable,
    schema: Option<&schema::Schema>,
    pipeline: &schema::Pipeline,
) -> Result<Ingested, Error> {
    let prepared = Prepared::new(table, schema, pipeline)?;
    ingest::write_features(&staged.path().join("features.parquet"), table, prepared.splits())?;
    let (manifest, audit) = prepared.write(staged.path())?;
    staged.commit()?;
    Ok(Ingested { manifest, audit })
}
