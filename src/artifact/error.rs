//! Why a model folder could not be written or used.

use std::path::PathBuf;

use crate::baseline::MixtureError;
use crate::error::{Hint, IoError};
use crate::flow::FlowError;
use crate::output::OutputError;

/// Version of the model folder this program writes and reads. Version 3 keys the noise behind a score by the
/// record's content; version 4 keeps what only one family knows about itself in a part of its own; version 5
/// says what a record is.
pub const FORMAT_VERSION: u32 = 6;

/// Failure of a model folder.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ArtifactError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Writing failed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// There is no model there.
    #[error("{} is not a model folder: it holds no model.json", .0.display())]
    NotAModel(PathBuf),
    /// Written by another version of the program.
    #[error("model {} has format version {version}, this program reads {FORMAT_VERSION}", path.display())]
    OtherVersion {
        /// Folder.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// A file is not what was written.
    #[error("model file {} is damaged: {what}", path.display())]
    Damaged {
        /// File.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The stored flow cannot be built.
    #[error("model {} describes an impossible flow", path.display())]
    Flow {
        /// Folder.
        path: PathBuf,
        /// Why.
        source: FlowError,
    },
    /// The stored mixture cannot be put together.
    #[error("model {} holds an impossible mixture", path.display())]
    Mixture {
        /// Folder.
        path: PathBuf,
        /// Why.
        source: MixtureError,
    },
    /// Model and bundle speak of different coordinates.
    #[error("the model does not fit the bundle: {}", describe(only_model, only_bundle))]
    OtherColumns {
        /// Coordinates only the model has.
        only_model: Vec<String>,
        /// Coordinates only the bundle has.
        only_bundle: Vec<String>,
    },
    /// The model cannot be calibrated for other draws of the noise.
    #[error("the model cannot be calibrated for draws that are the same for every record: {why}")]
    NoRecalibration {
        /// Why.
        why: String,
    },
    /// The records of a bundle mean something else than those of the model.
    #[error("the model was fitted on other records than those of the bundle: {}", differences.join("; "))]
    OtherTerms {
        /// What differs, each as a clause.
        differences: Vec<String>,
    },
}

fn describe(only_model: &[String], only_bundle: &[String]) -> String {
    let list = |names: &[String]| {
        let shown = names.iter().take(5).map(|n| format!("`{n}`")).collect::<Vec<_>>().join(", ");
        if names.len() > 5 { format!("{shown} and {} more", names.len() - 5) } else { shown }
    };
    match (only_model.is_empty(), only_bundle.is_empty()) {
        (true, true) => "the same coordinates in another order".into(),
        (false, true) => format!("the bundle lacks {}", list(only_model)),
        (true, false) => format!("the model does not know {}", list(only_bundle)),
        (false, false) => {
            format!("the bundle lacks {}, the model does not know {}", list(only_model), list(only_bundle))
        }
    }
}

impl Hint for ArtifactError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(e) => e.hint(),
            Self::Output(e) => e.hint(),
            Self::NotAModel(_) => Some("give the folder that `cohort-flow fit --output` wrote".into()),
            Self::OtherVersion { version, .. } if *version > FORMAT_VERSION => {
                Some("it was written by a newer cohort-flow: upgrade this one".into())
            }
            Self::OtherVersion { .. } => Some(
                "it was written by an older cohort-flow, whose model folders are laid out differently: run \
                 `cohort-flow fit` again, and `cohort-flow ingest` before it where the bundle is as old"
                    .into(),
            ),
            Self::Damaged { .. } | Self::Flow { .. } | Self::Mixture { .. } => {
                Some("copy the folder again from where it was made, or fit the model again".into())
            }
            Self::OtherTerms { .. } => Some(
                "make the bundle by the pipeline and the settings of the model's own, in the same units"
                    .into(),
            ),
            Self::NoRecalibration { .. } => Some(
                "give the bundle that the model was fitted on, with --input to `export` and with --reference \
                 to `flag`; the model must be calibrated on a split of it"
                    .into(),
            ),
            Self::OtherColumns { .. } => Some(
                "use the bundle the model was fitted on, or one of the same pipeline; or fit again".into(),
            ),
        }
    }
}
