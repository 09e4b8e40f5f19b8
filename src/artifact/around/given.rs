//! The density of some columns given the others.

use crate::artifact::estimator::{Estimator, FitError, Run};
use crate::features::Bundle;

/// Another estimator, given these columns: what it fits is the density of the other columns.
#[derive(Debug, Clone)]
pub struct Given<E> {
    /// What is fitted.
    pub inner: E,
    /// Positions of the columns, ascending.
    pub columns: Vec<usize>,
}

impl<E: Estimator> Estimator for Given<E> {
    type Model = E::Model;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<E::Model, FitError> {
        self.inner.fit(&bundle.clone().conditioned_on(&self.columns), run)
    }
}
