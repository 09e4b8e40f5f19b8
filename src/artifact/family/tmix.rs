//! Mixtures of multivariate t distributions, whose tails are heavier than those of Gaussians. They are fitted
//! twice, in the coordinates of the encoder and in straight ones ([`Straight`]), since no table says
//! beforehand in which its columns depend on each other more simply.

use std::sync::Arc;
use std::time::Instant;

use super::gmm::{DEGREES_OF_FREEDOM, MixtureDetails, MixtureEstimator, given, read};
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::straight::{Straight, Straightened};
use crate::artifact::tensors::Reading;
use crate::baseline::{Kernel, MixtureConfig, MixtureError};
use crate::features::Bundle;
use crate::random::Seed;

pub(super) static TMIX: Definition = Definition {
    name: "tmix",
    help: "mixture of t distributions, whose tails are heavier than those of Gaussians",
    role: Role::Mixture,
    noun: "t mixture",
    trained: false,
    options: &[],
    estimator: |_, _| Ok(Box::new(TMixture { config: MixtureConfig::of_t() })),
    read: read_density,
};

/// A mixture of t distributions on the training records. The validation records choose its settings, and
/// whether its coordinates are the encoder's or straight.
#[derive(Debug, Clone)]
pub struct TMixture {
    /// What is tried. Its seed and its context are those of the run and of the bundle.
    pub config: MixtureConfig,
}

/// A mixture that was found, with the value by which it was chosen.
pub(super) struct Found {
    pub(super) fitted: Fitted,
    criterion: f64,
}

impl Estimator for TMixture {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let mut found = self.encoded(bundle, run.seed)?;
        match self.straight(bundle, run.seed) {
            Some(Ok(straight)) if straight.criterion > found.criterion => found = straight,
            Some(Err(e)) => run.progress.note(&format!("no mixture in straight coordinates: {e}")),
            Some(Ok(_)) | None => {}
        }
        found.fitted.seconds = started.elapsed().as_secs_f64();
        Ok(found.fitted)
    }
}

impl TMixture {
    /// A shorter search, for members of an ensemble.
    pub(super) fn quick() -> Self {
        Self { config: MixtureConfig::of_t_quick() }
    }

    /// The mixture in the coordinates of the encoder.
    pub(super) fn encoded(&self, bundle: &Bundle, seed: Seed) -> Result<Found, MixtureError> {
        let (mixture, details) = self.mixture().search(bundle, seed)?;
        Ok(found(Arc::new(mixture), &details))
    }

    /// The mixture in straight coordinates; nothing where those of the encoder are straight.
    pub(super) fn straight(&self, bundle: &Bundle, seed: Seed) -> Option<Result<Found, MixtureError>> {
        let map = Straight::of(&bundle.manifest.encoder)?;
        let searched = self.mixture().search_in(Some(&map), bundle, seed);
        Some(searched.map(|(mixture, details)| found(Arc::new(Straightened::new(map, mixture)), &details)))
    }

    fn mixture(&self) -> MixtureEstimator {
        MixtureEstimator { config: self.config.clone() }
    }
}

fn found(model: Arc<dyn Model>, details: &MixtureDetails) -> Found {
    let fitted = Fitted::new(TMIX.name, model, details, details.search.seed, 0.0);
    Found { fitted, criterion: details.criterion() }
}

fn read_density(reading: &Reading<'_>) -> Result<Arc<dyn Model>, ArtifactError> {
    let details: MixtureDetails = reading.details()?;
    let degrees = reading.doubles(DEGREES_OF_FREEDOM, &[1])?[0];
    let mixture = given(reading, read(reading, reading.n_coordinates(), Kernel::T(degrees))?)?;
    if !details.straight {
        return Ok(Arc::new(mixture));
    }
    let map = Straight::of(reading.encoder()).ok_or_else(|| ArtifactError::Damaged {
        path: reading.folder().to_path_buf(),
        what: "its mixture is said to have straight coordinates, and its encoder bends none".into(),
    })?;
    Ok(Arc::new(Straightened::new(map, mixture)))
}
