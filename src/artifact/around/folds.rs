//! Cross-conformal calibration: every training record is a calibration record once, under a model fitted
//! without it.
//!
//! With K folds, K models are fitted on K − 1 folds each, encoder, trimming and scales of scores included,
//! and the records of the fold left out are scored by each. The model that is kept is fitted on all folds,
//! and new records are ranked among the scores of all of them. Compared with a split, no record is withheld
//! from the fit and many more stand behind a p-value. That it is uniform for ordinary records holds
//! approximately: the kept model saw K/(K − 1) times as many records as those behind the calibration scores,
//! so new records look, if anything, a little more ordinary.
//!
//! # References
//! Vovk (2015), Cross-conformal predictors, arXiv:1208.0806; Hennhöfer and Preisach (2024), Leave-one-out-,
//! bootstrap- and cross-conformal anomaly detectors, arXiv:2402.16388.

use std::path::Path;

use super::calibration::Calibrated;
use crate::artifact::estimator::{Estimator, FitError, Run};
use crate::features::Bundle;
use crate::random::Seed;
use crate::train::{TrainError, fold_dir, remove_checkpoint};

/// Fits on the training and calibration records together, and calibrates across folds of them.
#[derive(Debug, Clone)]
pub struct Folds<E> {
    /// What is fitted, once per fold and once on all of them.
    pub inner: E,
    /// Number of folds.
    pub folds: usize,
    /// Whom each record is about; all records of a subject are in one fold.
    pub subjects: Vec<String>,
}

impl<E: Estimator<Model = Calibrated>> Estimator for Folds<E> {
    type Model = Calibrated;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Calibrated, FitError> {
        let divided = bundle.folds(&self.subjects, self.folds)?;
        // What an earlier run left of a later fold must not be taken for this one's.
        if let Some(dir) = run.checkpoint.filter(|_| !run.resume) {
            remove_checkpoint(dir).map_err(TrainError::from)?;
        }
        // Checkpoints of all fits stay until the model is in place: one that was finished when a run was
        // interrupted is taken up at its end.
        let fit = |bundle: &Bundle, seed: Seed, fold: Option<usize>| {
            let dir = run.checkpoint.map(|dir| fold_dir(dir, fold));
            let begun = fold == Some(0) || dir.as_deref().is_some_and(Path::is_dir);
            let run = Run {
                seed,
                time_budget: run.time_budget.map(|t| t / (self.folds + 1) as f64),
                checkpoint: dir.as_deref(),
                resume: run.resume && begun,
                progress: run.progress,
            };
            Ok::<_, FitError>(self.inner.fit(bundle, &run)?.model)
        };
        let (mut parts, mut rows) = (Vec::with_capacity(self.folds), Vec::new());
        for (i, fold) in divided.iter().enumerate() {
            run.progress.note(&format!("fold {} of {}", i + 1, self.folds));
            parts.push(fit(&fold.bundle, run.seed.child("fold", i as u64), Some(i))?);
            rows.extend(&fold.held_out);
        }
        run.progress.note("fitting on all folds");
        let mut model = fit(&bundle.with_calibration_in_training(), run.seed, None)?;
        model.calibrate_across(&parts);
        Ok(Calibrated { model, rows })
    }
}
