//! A fit without the most unusual training records, for training data that hold errors.

use super::calibration::Calibrated;
use crate::artifact::estimator::{Estimator, FitError, Run};
use crate::artifact::fitted::ModelArtifact;
use crate::features::Bundle;
use crate::schema::Split;

/// Fits twice: the first fit finds the most unusual training records, and the second is made without them.
/// Calibration records stay, whatever they are.
#[derive(Debug, Clone)]
pub struct Trimmed<E> {
    /// What is fitted.
    pub inner: E,
    /// Share of the training records that is left out.
    pub share: f64,
}

impl<E: Estimator<Model = Calibrated>> Estimator for Trimmed<E> {
    type Model = Calibrated;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Calibrated, FitError> {
        run.progress.note("fitting once to find the most unusual training records");
        // The budget of time is that of both fits together.
        let run = &Run { time_budget: run.time_budget.map(|budget| 0.5 * budget), ..*run };
        let first = self.inner.fit(bundle, &Run { resume: false, checkpoint: None, ..*run })?.model;
        let rows = most_unusual(&first, bundle, self.share);
        run.progress.note(&format!(
            "fitting again without the {} most unusual of {} training records",
            rows.len(),
            bundle.manifest.splits.train
        ));
        let mut model = self.inner.fit(&bundle.without(&rows), run)?.model;
        model.metrics.trimmed = Some(rows.len());
        // Its own rows are counted without those that were left out.
        Ok(Calibrated { model, rows: bundle.rows(Split::Calibration) })
    }
}

/// Rows of the training records with the largest scores: the given share of them, and always at least one.
fn most_unusual(first: &ModelArtifact, bundle: &Bundle, share: f64) -> Vec<usize> {
    let rows = bundle.rows(Split::Train);
    let raw = bundle.raw_of(Split::Train);
    let scores = first.unusualness(raw.view(), &first.score(raw.view()));
    let mut order: Vec<usize> = (0..rows.len()).collect();
    order.sort_by(|&a, &b| scores[b].total_cmp(&scores[a]).then(a.cmp(&b)));
    let n = ((share * rows.len() as f64).round() as usize).max(1);
    order.into_iter().take(n).map(|i| rows[i]).collect()
}
