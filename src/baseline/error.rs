//! Reasons why a mixture could not be fitted or put together.

use ndarray::ArrayView2;

use crate::error::Hint;

/// An error of fitting or assembling a mixture.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MixtureError {
    /// There are too few rows to fit on.
    #[error("a mixture needs at least {needed} training rows, got {rows}")]
    TooFewRows {
        /// Number of rows given.
        rows: usize,
        /// Number of rows needed.
        needed: usize,
    },
    /// A coordinate is NaN or infinite.
    #[error("{what} row {row}, coordinate {column}: not a finite number")]
    NotFinite {
        /// Name of the array.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Coordinate, from 0.
        column: usize,
    },
    /// Arrays disagree on the number of coordinates.
    #[error("{what} has shape {got:?}, expected {expected:?}")]
    Shape {
        /// Name of the array.
        what: &'static str,
        /// Its shape.
        got: Vec<usize>,
        /// The shape it should have.
        expected: Vec<usize>,
    },
    /// A setting lies outside its range.
    #[error("`{name}` must be {allowed}, got {value}")]
    Setting {
        /// Name of the setting.
        name: &'static str,
        /// Allowed values.
        allowed: &'static str,
        /// The value given.
        value: String,
    },
    /// A covariance matrix has no Cholesky factor.
    #[error("covariance of component {component} is not positive definite")]
    NotPositiveDefinite {
        /// Component, from 0.
        component: usize,
    },
    /// The weights are not a probability distribution.
    #[error("mixture weights must be finite, non-negative and sum to 1")]
    Weights,
    /// Degrees of freedom of t components.
    #[error("degrees of freedom must be finite and above 0")]
    Degrees,
    /// The scale of an expert.
    #[error("the scale of expert {expert} must be finite and above 0")]
    Scale {
        /// Expert, from 0.
        expert: usize,
    },
    /// The factors of an autoregressive mixture do not make a density.
    #[error("coordinate {coordinate} has no factor, or one that is given what has not come before it")]
    Order {
        /// Coordinate, from 0.
        coordinate: usize,
    },
    /// A component that is responsible for no row.
    #[error("component {component} is left without rows")]
    EmptyComponent {
        /// Component, from 0.
        component: usize,
    },
    /// k-means, which provides the starts, failed.
    #[error("there is no start for EM: {0}")]
    NoStart(String),
    /// No mixture has a finite density on the rows by which it is chosen.
    #[error("no mixture has a finite density on the rows by which it is chosen")]
    NotFiniteDensity,
    /// EM collapsed with every regularisation tried.
    #[error("fitting {components} Gaussian components failed with regularisation up to {regularisation:e}")]
    Collapsed {
        /// Number of components of the smallest mixture tried.
        components: usize,
        /// Strongest regularisation tried.
        regularisation: f64,
        /// What went wrong at that strength.
        source: Box<MixtureError>,
    },
}

/// Whether a mixture can be fitted to `train` and chosen by `validation`, whose numbers have to be finite.
///
/// # Errors
/// No training rows; validation rows of another width; a number that is not finite.
pub(super) fn check_rows<'a>(
    train: ArrayView2<'a, f64>,
    validation: ArrayView2<'a, f64>,
) -> Result<(), MixtureError> {
    let (n, d) = train.dim();
    if n == 0 {
        return Err(MixtureError::TooFewRows { rows: 0, needed: 1 });
    }
    if validation.nrows() > 0 && validation.ncols() != d {
        let (got, expected) = (validation.shape().to_vec(), vec![validation.nrows(), d]);
        return Err(MixtureError::Shape { what: "validation rows", got, expected });
    }
    for (what, x) in [("training", train), ("validation", validation)] {
        if let Some(((row, column), _)) = x.indexed_iter().find(|(_, v)| !v.is_finite()) {
            return Err(MixtureError::NotFinite { what, row, column });
        }
    }
    Ok(())
}

impl Hint for MixtureError {
    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::TooFewRows { .. } => "check the split: the mixture is fitted on training rows only".into(),
            Self::NotFinite { .. } => {
                "coordinates come from the bundle; rebuild it with the default transform \
                 `normal-score`"
                    .into()
            }
            Self::NotPositiveDefinite { .. }
            | Self::Weights
            | Self::Degrees
            | Self::Scale { .. }
            | Self::Order { .. } => "the model file is damaged; fit the model again".into(),
            Self::Shape { .. } | Self::Setting { .. } => return None,
            Self::EmptyComponent { .. }
            | Self::NoStart(_)
            | Self::NotFiniteDensity
            | Self::Collapsed { .. } => {
                "heavy tails, or rows far from all others, leave a component without a covariance: use \
                 `transform = \"normal-score\"`, or remove constant and duplicated columns"
                    .into()
            }
        })
    }
}
