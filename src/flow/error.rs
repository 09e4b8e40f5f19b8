//! What can go wrong in building or using a flow.

use crate::error::Hint;

/// A flow that cannot be built, or a value it cannot be applied to.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FlowError {
    /// Settings outside their range: all of them.
    #[error("the flow's configuration is not usable: {}", problems.join("; "))]
    Config {
        /// One sentence for each problem.
        problems: Vec<String>,
    },
    /// A layer whose matrix has no inverse.
    #[error("layer `{layer}` has no inverse: its matrix is singular or not finite")]
    Singular {
        /// Name of the layer, as in its parameters' names.
        layer: String,
    },
    /// A parameter buffer of another model.
    #[error("expected {expected} parameters, got {found}")]
    ParameterCount {
        /// What the configuration asks for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// Data of another width.
    #[error("expected {expected} features, got {found}")]
    FeatureCount {
        /// What the flow was built for.
        expected: usize,
        /// What was given.
        found: usize,
    },
    /// A list that is not a rearrangement of 0..n.
    #[error("expected every index below {n_features} exactly once")]
    NotAPermutation {
        /// Number of coordinates to rearrange.
        n_features: usize,
    },
    /// An operation on a block or base that this flow does not have.
    #[error("this flow has no {what}")]
    Missing {
        /// What was asked for.
        what: String,
    },
    /// A mixture that is none.
    #[error("component {component} of the mixture is not usable: {reason}")]
    Mixture {
        /// Index of the component.
        component: usize,
        /// Which of its numbers is wrong, and how.
        reason: String,
    },
}

impl Hint for FlowError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Config { .. } => Some("change the named settings, or start from a preset".into()),
            Self::Singular { .. } => {
                Some("train with the rotation parametrisation, whose layers are always invertible".into())
            }
            Self::ParameterCount { .. } | Self::FeatureCount { .. } => {
                Some("the data or parameters belong to a model with other settings".into())
            }
            Self::Mixture { .. } => {
                Some("fit the mixture with a stronger regularisation of its covariances".into())
            }
            Self::NotAPermutation { .. } | Self::Missing { .. } => None,
        }
    }
}
