//! What a program that uses this crate as a library needs most of the time.

pub use crate::artifact::{
    Calibration, Estimator, Family, Folds, Given, MixtureEstimator, ModelArtifact, Options, Run, TMixture,
    Trimmed,
};
pub use crate::density::Density;
pub use crate::evaluate::{Score, ScoreKind};
pub use crate::features::Bundle;
pub use crate::outlier::{FlagOptions, Flags, Rule, flag};
pub use crate::random::Seed;
pub use crate::schema::Split;
pub use crate::train::{Preset, Silent};
