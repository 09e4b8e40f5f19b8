//! `export` of a model: what whoever serves it to others needs beside the model folder.

mod card;
mod file;
mod mlflow;

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::output::Staged;
use crate::schema::words;

use super::Error;
use file::put;

words! {
    /// Forms in which a model is handed on.
    pub enum ModelFormat {
        /// A folder that `mlflow models serve` runs.
        Mlflow = "mlflow",
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
        ModelFormat::Mlflow => {
            let staged = Staged::dir(request.output, request.force)?;
            mlflow::write(&model, staged.path())?;
            staged
        }
    };
    Ok(staged.commit()?)
}
