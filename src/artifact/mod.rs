//! Models: the families that are fitted, what is done around a fit, and the model folder with
//! `model.safetensors`, `model.json`, `history.csv` and `metrics.json`.
//!
//! The first three files are a function of data, settings and seed, to the byte and for any number of
//! threads; everything a clock or the machine has a say in is in `metrics.json` alone.

mod around;
mod drawn;
mod effort;
mod ensemble;
mod error;
mod estimator;
mod family;
mod fitted;
mod folder;
mod header;
mod metrics;
mod model;
mod sample;
mod standardised;
mod straight;
mod tensors;
mod terms;

pub use around::{Calibrated, Calibration, Folds, Given, Trimmed};
pub use ensemble::Ensemble;
pub use error::{ArtifactError, FORMAT_VERSION};
pub use estimator::{
    Account, Definition, DensityEstimator, Estimator, FitError, Fitted, Options, Role, Run, Training,
};
pub use family::{
    ArmixDetails, ArmixEstimator, Autoregression, CausalFlow, EnsembleConfig, Family, FlowDetails,
    FlowEnsemble, MixtureDetails, MixtureEstimator, PatchFlow, TMixture, TrainedFlow,
};
pub use fitted::ModelArtifact;
pub use header::{FamilyPart, Header, MemberHeader};
pub use metrics::{FamilyShare, Metrics, peak_memory_bytes};
pub use model::{Member, Model};
pub use tensors::{Reading, Tensor};
pub use terms::Terms;
