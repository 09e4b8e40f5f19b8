//! Why a report could not be made.

use plotters::drawing::DrawingAreaErrorKind;

use crate::error::Hint;
use crate::partial::PartialError;

/// Why a report could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// The drawing library refused; figures are drawn into memory, so this is a fault of the layout.
    #[error("a figure could not be drawn: {0}")]
    Draw(String),
    /// A template named something the report data do not hold.
    #[error("the report template could not be filled: {0}")]
    Template(#[from] minijinja::Error),
    /// The models or flags do not belong to the bundle.
    #[error("{what} belongs to another bundle")]
    OtherBundle {
        /// The model or file meant, by name.
        what: String,
    },
    /// Models of different features.
    #[error("model `{first}` and model `{second}` are conditioned on different features")]
    OtherContext {
        /// One of them, by name.
        first: String,
        /// The other.
        second: String,
    },
    /// A model that has no likelihood of a part of a record.
    #[error(transparent)]
    Partial(#[from] PartialError),
    /// No model was given.
    #[error("a report needs at least one model")]
    NoModel,
}

impl Hint for ReportError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Draw(_) | Self::Template(_) => {
                Some("this is a fault of the program, not of your data; please report it".into())
            }
            Self::OtherBundle { .. } => {
                Some("fit the model on this bundle, or give the bundle it was fitted on".into())
            }
            Self::OtherContext { .. } => Some(
                "their likelihoods are of different features; report on models with the same --condition-on"
                    .into(),
            ),
            Self::Partial(e) => e.hint(),
            Self::NoModel => Some("pass --model MODEL, once for each model to compare".into()),
        }
    }
}

impl<E: std::error::Error + Send + Sync> From<DrawingAreaErrorKind<E>> for ReportError {
    fn from(error: DrawingAreaErrorKind<E>) -> Self {
        Self::Draw(error.to_string())
    }
}
