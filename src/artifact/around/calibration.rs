//! A density, evaluated and calibrated on the splits of its bundle.

use crate::artifact::effort::{self, Effort};
use crate::artifact::estimator::{Estimator, FitError, Fitted, Run};
use crate::artifact::fitted::ModelArtifact;
use crate::features::Bundle;
use crate::schema::Split;

/// A model, with the records it is calibrated on.
#[derive(Debug, Clone)]
pub struct Calibrated {
    /// The model.
    pub model: ModelArtifact,
    /// Rows of the calibration records in the bundle it was fitted on, in the order of their scores.
    pub rows: Vec<usize>,
}

/// Calibrates the density of another estimator on the calibration split.
#[derive(Debug, Clone)]
pub struct Calibration<E>(pub E);

impl<E: Estimator<Model = Fitted>> Estimator for Calibration<E> {
    type Model = Calibrated;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Calibrated, FitError> {
        let Some(budget) = run.time_budget else {
            let model = ModelArtifact::of(bundle, self.0.fit(bundle, run)?);
            return Ok(Calibrated { model, rows: bundle.rows(Split::Calibration) });
        };
        // The budget is that of the whole fit, scoring included.
        let deadline = effort::deadline(budget);
        let training = budget - Effort::kept_back(budget, bundle);
        let fitted = self.0.fit(bundle, &Run { time_budget: Some(training), ..*run })?;
        let model = ModelArtifact::of_until(bundle, fitted, deadline);
        Ok(Calibrated { model, rows: bundle.rows(Split::Calibration) })
    }
}
