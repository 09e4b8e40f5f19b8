//! `inspect`: what the linear layers of a flow learned.

use std::path::Path;

use serde::Serialize;

use crate::artifact::{ModelArtifact, ModelKind};
use crate::flow::LayerInspection;

use super::Error;

/// The layers of a model, with names for their coordinates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Family of the model.
    pub model: ModelKind,
    /// Names of the coordinates that the layers' numbers refer to.
    pub coordinates: Vec<String>,
    /// One per linear layer.
    pub layers: Vec<LayerInspection>,
}

/// Looks at every linear layer of a model; of an ensemble, those of its first flow.
///
/// # Errors
/// A model that cannot be loaded, is no flow, or has a singular layer.
pub fn inspect(model: &Path) -> Result<Inspection, Error> {
    let artifact = ModelArtifact::load(model)?;
    let flow = artifact.model.flow().ok_or(Error::NoLayers { kind: artifact.header.kind })?;
    Ok(Inspection {
        model: artifact.header.kind,
        layers: flow.inspect()?,
        coordinates: artifact.header.coordinates,
    })
}
