//! Why a mixture could not be fitted or put together.

use crate::error::Hint;

/// Failure of a mixture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GmmError {
    /// Nothing to fit on.
    #[error("a Gaussian mixture needs at least {needed} training rows, got {rows}")]
    TooFewRows {
        /// Rows given.
        rows: usize,
        /// Rows needed.
        needed: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("{what} row {row}, coordinate {column}: not a finite number")]
    NotFinite {
        /// Which array.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Coordinate, from 0.
        column: usize,
    },
    /// Arrays disagree on the number of coordinates.
    #[error("{what} has shape {got:?}, expected {expected:?}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// What it should be.
        expected: Vec<usize>,
    },
    /// A setting outside its range.
    #[error("`{name}` must be {allowed}, got {value}")]
    Setting {
        /// Setting.
        name: &'static str,
        /// Allowed values.
        allowed: &'static str,
        /// Value given.
        value: String,
    },
    /// A covariance has no Cholesky factor.
    #[error("covariance of component {component} is not positive definite")]
    NotPositiveDefinite {
        /// Component, from 0.
        component: usize,
    },
    /// Weights are not a distribution.
    #[error("mixture weights must be finite, non-negative and sum to 1")]
    Weights,
    /// Densities of some row are not representable, or EM collapsed, whatever the regularisation tried.
    #[error("fitting {components} Gaussian components failed with regularisation up to {regularisation:e}")]
    Underflow {
        /// Components of the smallest mixture tried.
        components: usize,
        /// Strongest regularisation tried.
        regularisation: f64,
        /// linfa's answer at that strength.
        source: Box<linfa_clustering::GmmError>,
    },
}

impl Hint for GmmError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooFewRows { .. } => "check the split: the mixture is fitted on training rows only".into(),
            Self::NotFinite { .. } => {
                "coordinates come from the bundle; rebuild it with the default transform `normal-score`".into()
            }
            Self::NotPositiveDefinite { .. } | Self::Weights => {
                "the model file is damaged; fit the model again".into()
            }
            Self::Shape { .. } | Self::Setting { .. } => return None,
            Self::Underflow { .. } => "heavy tails or rows far from all others overflow the mixture's exponentials: use \
                                       `transform = \"normal-score\"`, or remove constant and duplicated columns"
                .into(),
        })
    }
}
