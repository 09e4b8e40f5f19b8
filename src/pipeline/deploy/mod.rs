//! `export` of a model: what whoever serves it to others needs beside the model folder.

mod card;
mod file;
mod mlflow;
mod onnx;

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::evaluate::ScoreKind;
use crate::features::{Bundle, DrawsBy};
use crate::output::Staged;
use crate::schema::words;

use super::Error;
use file::put;

words! {
    /// Forms in which a model is handed on.
    pub enum ModelFormat {
        /// A folder that `mlflow models serve` runs.
        Mlflow = "mlflow",
        /// A graph that ONNX Runtime runs, in one file.
        Onnx = "onnx",
        /// A page about the model for people, in Markdown.
        Card = "card",
    }
}

/// What to hand on.
#[derive(Debug, Clone, Copy)]
pub struct DeployRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// File or folder to write.
    pub output: &'a Path,
    /// Whether to replace what is there.
    pub force: bool,
    /// In which form.
    pub format: ModelFormat,
    /// The bundle that the model was fitted on, whose calibration records a graph of ONNX is calibrated by.
    pub bundle: Option<&'a Path>,
    /// Draws per record of a graph of ONNX; by default as many as the model has.
    pub draws: Option<usize>,
    /// Score of a graph of ONNX.
    pub score: ScoreKind,
}

/// Whether a folder holds a model, so that [`deploy`] is meant and not the export of records.
pub fn is_model(path: &Path) -> bool {
    path.join("model.json").is_file()
}

/// Writes a model in another form.
///
/// # Errors
/// A model that cannot be read or served, an output that cannot be written.
pub fn deploy(request: &DeployRequest<'_>) -> Result<(), Error> {
    let model = ModelArtifact::load(request.model)?;
    let staged = match request.format {
        ModelFormat::Card => {
            let staged = Staged::file(request.output, request.force)?;
            put(staged.path(), card::render(&model).as_bytes())?;
            staged
        }
        ModelFormat::Onnx => {
            let bundle = request.bundle.map(Bundle::open).transpose()?;
            let draws = request.draws.unwrap_or(model.header.score_draws);
            let model = model.drawn_by(DrawsBy::Fixed, draws, bundle.as_ref())?;
            let bytes = onnx::render(&model, request.score)?;
            let staged = Staged::file(request.output, request.force)?;
            put(staged.path(), &bytes)?;
            staged
        }
        ModelFormat::Mlflow => {
            let staged = Staged::dir(request.output, request.force)?;
            mlflow::write(&model, staged.path())?;
            staged
        }
    };
    Ok(staged.commit()?)
}
