//! Cross-conformal calibration: every training record is calibration record once, under a model fitted without it.
//!
//! With K folds, K models are fitted on K − 1 folds each, encoder, trimming and scales of scores included, and the records
//! of the fold left out are scored by each. The model that is kept is fitted on all folds, and new records are ranked among
//! the scores of all of them. Compared with a split, no record is withheld from the fit and many more stand behind a
//! p-value; that it is uniform for ordinary records holds approximately, as the kept model saw K/(K − 1) times as many records as
//! those behind the calibration scores, so that new records look, if anything, a little more ordinary.
//!
//! # References
//! Vovk (2015), Cross-conformal predictors, arXiv:1208.0806; Hennhöfer and Preisach (2024), Leave-one-out-, bootstrap- and
//! cross-conformal anomaly detectors, arXiv:2402.16388.

use std::path::Path;

use super::fit::fit_trimmed;
use super::{Error, FitRequest};
use crate::artifact::ModelArtifact;
use crate::features::Bundle;
use crate::ingest;
use crate::random::Seed;
use crate::schema::Kind;
use crate::train::{self, Progress, TrainError};

/// Fits on the training and calibration records together and calibrates across `folds` of them. Returns the rows of the
/// records behind the calibration scores as well, in their order.
pub(super) fn fit(
    bundle: &Bundle,
    request: &FitRequest<'_>,
    folds: usize,
    checkpoint: Option<&Path>,
    progress: &dyn Progress,
) -> Result<(ModelArtifact, Vec<usize>), Error> {
    if bundle.manifest.pipeline.waveform.is_some() {
        return Err(Error::Usage {
            message: "--calibration cross does not apply to windows of signals".into(),
            hint: "windows follow each other in time and are no exchangeable folds; calibrate on the split"
                .into(),
        });
    }
    let subjects = subjects(bundle, request.bundle)?;
    let divided = bundle.folds(&subjects, folds)?;
    // What an earlier run left of a later fold must not be taken for this one's.
    if let Some(dir) = checkpoint.filter(|_| !request.resume) {
        train::remove_checkpoint(dir).map_err(TrainError::from)?;
    }
    // Checkpoints of all fits stay until the model is in place: one that was finished when a run was interrupted is
    // taken up at its end.
    let fit = |bundle: &Bundle, seed: Seed, fold: Option<usize>| {
        let dir = checkpoint.map(|dir| train::fold_dir(dir, fold));
        let begun = fold == Some(0) || dir.as_deref().is_some_and(Path::is_dir);
        let request = FitRequest {
            seed,
            resume: request.resume && begun,
            time_budget: request.time_budget.map(|t| t / (folds + 1) as f64),
            ..*request
        };
        fit_trimmed(bundle, &request, dir.as_deref(), progress)
    };
    let (mut parts, mut calibrated) = (Vec::with_capacity(folds), Vec::new());
    for (i, fold) in divided.iter().enumerate() {
        progress.note(&format!("fold {} of {folds}", i + 1));
        parts.push(fit(&fold.bundle, request.seed.child("fold", i as u64), Some(i))?);
        calibrated.extend(&fold.held_out);
    }
    progress.note("fitting on all folds");
    let mut artifact = fit(&bundle.with_calibration_in_training(), request.seed, None)?;
    artifact.calibrate_across(&parts);
    Ok((artifact, calibrated))
}

/// Whom each record is about.
fn subjects(bundle: &Bundle, dir: &Path) -> Result<Vec<String>, Error> {
    let path = dir.join("features.parquet");
    let subject = ingest::find_our_name("subject_id", &ingest::column_names(&path)?);
    let table = ingest::read_columns(&path, &[(&subject, Kind::Categorical)])?;
    let ingest::Cells::Text(cells) = &table.columns[0].cells else {
        unreachable!("a categorical column is read as text")
    };
    if table.record_ids != bundle.record_ids {
        return Err(Error::Usage {
            message: format!("the records of {} are not those of the bundle it is in", path.display()),
            hint: "ingest again".into(),
        });
    }
    Ok(cells.iter().map(|cell| cell.unwrap_or_default().to_owned()).collect())
}
