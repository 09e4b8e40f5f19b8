//! `inspect`: what the linear layers of a flow learned.

use std::path::Path;

use serde::Serialize;

use crate::artifact::{Family, ModelArtifact};
use crate::flow::LayerInspection;
use crate::flow::window::LevelMixing;

use super::Error;

/// The layers of a model, with names for their coordinates.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Inspection {
    /// Family of the model.
    pub model: Family,
    /// Names of the coordinates that the layers' numbers refer to.
    pub coordinates: Vec<String>,
    /// One per linear layer; empty for flows of waveform windows and of pictures, whose matrices are
    /// thousands of coordinates wide.
    pub layers: Vec<LayerInspection>,
    /// Of flows of waveform windows, every level of every butterfly.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub levels: Vec<LevelMixing>,
}

/// Looks at every linear layer of a model; of an ensemble, those of its first flow.
///
/// # Errors
/// A model that cannot be loaded, is no flow, or has a singular layer.
pub fn inspect(model: &Path) -> Result<Inspection, Error> {
    let artifact = ModelArtifact::load(model)?;
    let flow = artifact.model.first_flow().ok_or(Error::NoLayers { kind: artifact.header.family.kind })?;
    Ok(Inspection {
        model: artifact.header.family.kind,
        layers: if flow.config().is_of_vectors() { flow.inspect()? } else { Vec::new() },
        levels: flow.level_mixing(),
        coordinates: artifact.header.coordinates,
    })
}
