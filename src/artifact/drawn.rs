//! A model that scores with other draws of the noise than it was calibrated with, and is calibrated anew.

use super::error::ArtifactError;
use super::fitted::ModelArtifact;
use crate::evaluate::ScoreKind;
use crate::features::{Bundle, DrawsBy, level_code};
use crate::schema::Split;

impl ModelArtifact {
    /// The model that scores with draws that hang on what `by` says, without a calibration of such scores.
    /// With fixed draws it computes in double precision, as a graph does that other programs run: a flow is
    /// trained in single precision, which makes differences of up to some thousandths of a nat far out.
    #[must_use]
    pub fn scoring_by(mut self, by: DrawsBy) -> Self {
        if by == DrawsBy::Fixed
            && let Some(exact) = self.model.in_double()
        {
            self.model = exact;
        }
        self.draws_by = by;
        self
    }

    /// The model that scores with `draws` draws that hang on what `by` says. Its calibration records, those
    /// of `bundle`, are scored in the same way, so that p-values are exact conformal ones of the new scores.
    /// Without a bundle the calibration scores stay, which is right where records have no noise.
    ///
    /// # Errors
    /// [`ArtifactError::NoRecalibration`]: another bundle than the model's own, none where records have
    /// noise, or a calibration by models that were not kept.
    pub fn drawn_by(self, by: DrawsBy, draws: usize, bundle: Option<&Bundle>) -> Result<Self, ArtifactError> {
        let mut model = self.scoring_by(by);
        model.header.score_draws = draws.max(1);
        let refused = |why: &str| Err(ArtifactError::NoRecalibration { why: why.into() });
        let Some(bundle) = bundle else {
            if !model.encoder.has_noise() {
                return Ok(model);
            }
            return refused("the bundle with its calibration records is not given");
        };
        if bundle.fingerprint() != model.header.bundle_sha256 {
            return refused("the model was not fitted on that bundle");
        }
        if model.header.calibration_folds.is_some() {
            return refused("it was calibrated by folds, whose models are not kept");
        }
        let raw = bundle.raw_of(Split::Calibration);
        let scores = model.score(raw.view());
        model.calibration = model.unusualness(raw.view(), &scores);
        for kind in ScoreKind::ALL.into_iter().skip(1) {
            if let Some(score) = model.header.score.choose(kind) {
                let values = score.of_all(&model.encoder, raw.view(), &scores);
                model.other_calibrations.insert(kind, values);
            }
        }
        if let Some((column, _)) = model.grouping() {
            model.calibration_groups = raw.column(column).iter().map(|&x| level_code(x)).collect();
        }
        Ok(model)
    }
}
