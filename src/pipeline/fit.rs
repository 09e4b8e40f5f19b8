//! `fit`: bundle → model folder.

use std::path::{Path, PathBuf};
use std::time::Instant;

use crate::artifact::{
    Calibrated, Calibration, Estimator, Family, FitError, Folds, Given, ModelArtifact, Options, Run, Trimmed,
};
use crate::error::IoError;
use crate::features::{Bundle, Shape, StoredRecords};
use crate::ingest;
use crate::output::{OutputError, keep_inputs};
use crate::random::Seed;
use crate::schema::Kind;
use crate::train::{self, Progress, TrainError};

use super::Error;
use super::names::positions;

/// What to fit.
#[derive(Debug, Clone)]
pub struct FitRequest<'a> {
    /// Bundle folder.
    pub bundle: &'a Path,
    /// Model folder to write.
    pub output: &'a Path,
    /// Whether to replace an existing model.
    pub force: bool,
    /// Family.
    pub model: Family,
    /// What the user chose about its density.
    pub options: Options,
    /// Seed of everything random.
    pub seed: Seed,
    /// Wall-clock budget in seconds.
    pub time_budget: Option<f64>,
    /// Continue from the checkpoint beside `output`.
    pub resume: bool,
    /// Share of the training records, the most unusual under a first fit, that the model is fitted without.
    pub trim: Option<f64>,
    /// Text column whose levels are calibrated each by themselves.
    pub calibrate_by: Option<&'a str>,
    /// Features the density of the others is conditioned on.
    pub condition_on: &'a [String],
    /// Folds of a cross-conformal calibration; by default the calibration split is set aside.
    pub folds: Option<u32>,
}

/// The family that serves the records of a bundle best.
///
/// # Errors
/// Where the bundle cannot be read.
pub fn default_model(bundle: &Path) -> Result<Family, Error> {
    Ok(Family::best_for(&StoredRecords::open(bundle)?.manifest.shape))
}

/// Fits and writes the model; the checkpoint beside it is removed once the model is in place.
///
/// # Errors
/// Whatever training reports; an interrupted run leaves its checkpoint and no model.
pub fn fit(request: &FitRequest<'_>, progress: &dyn Progress) -> Result<ModelArtifact, Error> {
    let begun = Instant::now();
    keep_inputs(request.output, [request.bundle])?;
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    let bundle = Bundle::open(request.bundle)?;
    let column = request.calibrate_by.map(|name| group_column(&bundle, name)).transpose()?;
    let trained = request.model.definition().trained;
    let checkpoint = trained.then(|| checkpoint_beside(request.output)).transpose()?;
    let run = Run {
        seed: request.seed,
        // Reading a large bundle is part of what the user waits for.
        time_budget: request.time_budget.map(|budget| (budget - begun.elapsed().as_secs_f64()).max(0.05)),
        checkpoint: checkpoint.as_deref(),
        resume: request.resume,
        progress,
    };
    let Calibrated { mut model, rows } = estimator(request, &bundle, &run)?.fit(&bundle, &run)?;
    if let Some(column) = column {
        model.calibrate_by(&bundle, column, &rows);
    }
    model.save(request.output, request.force)?;
    if let Some(checkpoint) = &checkpoint {
        train::remove_checkpoint(checkpoint).map_err(|e| FitError::from(TrainError::from(e)))?;
    }
    Ok(model)
}

/// The estimator of the family, with the estimators around it that the options ask for.
fn estimator(
    request: &FitRequest<'_>,
    bundle: &Bundle,
    run: &Run<'_>,
) -> Result<Box<dyn Estimator<Model = Calibrated>>, Error> {
    let shape = &bundle.manifest.shape;
    let columns = context_columns(bundle, shape, request.model, request.condition_on)?;
    let density = request.model.estimator(shape, &request.options, run)?;
    let mut estimator: Box<dyn Estimator<Model = Calibrated>> = Box::new(Calibration(density));
    if let Some(share) = request.trim {
        estimator = Box::new(Trimmed { inner: estimator, share });
    }
    if let Some(folds) = request.folds {
        let subjects = exchangeable_subjects(bundle, shape, request.bundle)?;
        estimator = Box::new(Folds { inner: estimator, folds: folds as usize, subjects });
    }
    // Windows bring their context with them.
    if !columns.is_empty() {
        estimator = Box::new(Given { inner: estimator, columns });
    }
    Ok(estimator)
}

fn usage(message: impl Into<String>, hint: impl Into<String>) -> Error {
    Error::Usage { message: message.into(), hint: hint.into() }
}

/// Positions of the features to condition on.
fn context_columns(
    bundle: &Bundle,
    shape: &Shape,
    model: Family,
    names: &[String],
) -> Result<Vec<usize>, Error> {
    match shape {
        Shape::Windows { .. } if !names.is_empty() => {
            return Err(usage(
                "--condition-on does not apply to windows of signals",
                "ingest with --set past=N for windows given the N samples before them",
            ));
        }
        Shape::Grid { .. } if !names.is_empty() && model == Family::Causal => {
            return Err(usage(
                "--condition-on does not apply to the causal flow of pictures",
                "it has an order of its own, in which each number is given those before it",
            ));
        }
        Shape::Windows { .. } | Shape::Grid { .. } | Shape::Table => {}
    }
    let columns = &bundle.manifest.encoder.columns;
    let mut context = positions("--condition-on", "bundle", columns, names)?;
    if context.len() == columns.len() {
        return Err(usage(
            "--condition-on: no column is left that a density could be of",
            "leave out at least one column of the bundle",
        ));
    }
    context.sort_unstable();
    Ok(context)
}

/// Position of a text column by name.
fn group_column(bundle: &Bundle, name: &str) -> Result<usize, Error> {
    let columns = &bundle.manifest.encoder.columns;
    let text: Vec<&str> =
        columns.iter().filter(|c| !c.levels.is_empty()).map(|c| c.meta.name.as_str()).collect();
    let wrong = |message: String| {
        let hint = if text.is_empty() {
            "the bundle has no text columns".into()
        } else {
            format!("text columns are {}", text.join(", "))
        };
        usage(message, hint)
    };
    match columns.iter().position(|c| c.meta.name == name) {
        None => Err(wrong(format!("--calibrate-by: the bundle has no column `{name}`"))),
        Some(i) if columns[i].levels.is_empty() => {
            Err(wrong(format!("--calibrate-by: `{name}` holds numbers, and groups are levels of text")))
        }
        Some(i) => Ok(i),
    }
}

/// Where the state of a run is kept, its parent made.
fn checkpoint_beside(output: &Path) -> Result<PathBuf, Error> {
    let checkpoint = train::checkpoint_dir(output);
    if let Some(parent) = checkpoint.parent().filter(|p| !p.as_os_str().is_empty()) {
        std::fs::create_dir_all(parent).map_err(IoError::on("create", parent))?;
    }
    Ok(checkpoint)
}

/// Whom each record is about, where records are exchangeable, so that any of them may be in any fold.
fn exchangeable_subjects(bundle: &Bundle, shape: &Shape, dir: &Path) -> Result<Vec<String>, Error> {
    match shape {
        Shape::Table | Shape::Grid { .. } => {}
        Shape::Windows { .. } => {
            return Err(usage(
                "--calibration cross does not apply to windows of signals",
                "windows follow each other in time and are no exchangeable folds; calibrate on the split",
            ));
        }
    }
    let path = dir.join("features.parquet");
    let subject = ingest::find_our_name("subject_id", &ingest::column_names(&path)?);
    let table = ingest::read_columns(&path, &[(&subject, Kind::Categorical)])?;
    let ingest::Cells::Text(cells) = &table.columns[0].cells else {
        unreachable!("a categorical column is read as text")
    };
    if table.record_ids != bundle.record_ids {
        let message = format!("the records of {} are not those of the bundle it is in", path.display());
        return Err(usage(message, "ingest again"));
    }
    Ok(cells.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect())
}
