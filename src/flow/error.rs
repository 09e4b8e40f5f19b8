//! The errors that building or using a flow can give.

use crate::error::Hint;

/// A flow that cannot be built, or a value that a flow cannot be applied to.
#[non_exhaustive]
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum FlowError {
    /// Settings that are outside their allowed ranges. All of them are reported at once.
    #[error("the flow's configuration is not usable: {}", problems.join("; "))]
    Config {
        /// One sentence for each problem.
        problems: Vec<String>,
    },
    /// A layer whose matrix has no inverse.
    #[error("layer `{layer}` has no inverse: its matrix is singular or not finite")]
    Singular {
        /// Name of the layer, as in the names of its parameters.
        layer: String,
    },
    /// A parameter buffer whose length belongs to another model.
    #[error("expected {expected} parameters, got {found}")]
    ParameterCount {
        /// Number of parameters that the configuration asks for.
        expected: usize,
        /// Number of parameters that were given.
        found: usize,
    },
    /// Data with another number of features.
    #[error("expected {expected} features, got {found}")]
    FeatureCount {
        /// Number of features that the flow was built for.
        expected: usize,
        /// Number of features that were given.
        found: usize,
    },
    /// A list that is not a permutation of 0..n.
    #[error("expected every index below {n_features} exactly once")]
    NotAPermutation {
        /// Number of coordinates to rearrange.
        n_features: usize,
    },
    /// An operation on a block or a base that this flow does not have.
    #[error("this flow has no {what}")]
    Missing {
        /// Description of what this flow does not have.
        what: String,
    },
    /// A mixture with an unusable component.
    #[error("component {component} of the mixture is not usable: {reason}")]
    Mixture {
        /// Index of the component.
        component: usize,
        /// Which value of the component is wrong, and how.
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
