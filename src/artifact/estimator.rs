//! What all ways to fit a model share: settings that were checked become an [`Estimator`], and an estimator
//! becomes a model. A family is described by its [`Definition`].

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ArtifactError;
use super::model::Model;
use super::tensors::Reading;
use crate::baseline::MixtureError;
use crate::error::Hint;
use crate::features::{Bundle, FeatureError, Shape};
use crate::grid::GridError;
use crate::random::Seed;
use crate::train::{HistoryRow, Preset, Progress, SettingsError, Stop, TrainError, Trained};
use crate::window::WindowError;

/// A way to fit a model whose settings were checked: that of a family, or one around another estimator.
pub trait Estimator {
    /// What it fits: a density ([`Fitted`]), or a model that is calibrated as well.
    type Model;

    /// Fits to the training records of `bundle`. The same bundle and seed give the same model for any number
    /// of threads.
    ///
    /// # Errors
    /// [`FitError`]; an interrupted fit keeps its state at the checkpoint.
    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Self::Model, FitError>;
}

impl<E: Estimator + ?Sized> Estimator for Box<E> {
    type Model = E::Model;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Self::Model, FitError> {
        (**self).fit(bundle, run)
    }
}

/// The estimator of a family's density.
pub type DensityEstimator = Box<dyn Estimator<Model = Fitted>>;

/// How one fit is run, as opposed to what is fitted.
#[derive(Clone, Copy)]
pub struct Run<'a> {
    /// Seed of everything random.
    pub seed: Seed,
    /// Wall-clock budget in seconds.
    pub time_budget: Option<f64>,
    /// Folder in which the state is kept meanwhile.
    pub checkpoint: Option<&'a Path>,
    /// Whether to continue from a state that is found there.
    pub resume: bool,
    /// Who is told how it goes, and who may interrupt.
    pub progress: &'a dyn Progress,
}

impl<'a> Run<'a> {
    /// A run without a budget and without a checkpoint.
    pub fn new(seed: Seed, progress: &'a dyn Progress) -> Self {
        Self { seed, time_budget: None, checkpoint: None, resume: false, progress }
    }
}

/// A density, and how it came about.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// What is told about the fit.
    pub account: Account,
    /// The density.
    pub model: Arc<dyn Model>,
    /// Of an ensemble, the weight and the account of every member.
    pub members: Vec<(f64, Account)>,
    /// One row per epoch of each member; empty where nothing is trained.
    pub history: Vec<HistoryRow>,
    /// Seconds of the whole fit.
    pub seconds: f64,
    /// Training rows that were seen, and the seconds this took.
    pub training_rows: f64,
    /// Seconds of training.
    pub training_seconds: f64,
}

/// What the header of a model folder tells about the fit of a density.
#[derive(Debug, Clone)]
pub struct Account {
    /// Name of its family.
    pub family: &'static str,
    /// What only this family has: its settings, its architecture, the account of a search.
    pub details: Map<String, Value>,
    /// Seed of the fit.
    pub seed: Seed,
    /// How training went; nothing where nothing is trained by epochs.
    pub training: Option<Training>,
}

/// How training by epochs went.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Training {
    /// Epochs run.
    pub epochs: u32,
    /// Epoch of the weights.
    pub best_epoch: Option<u32>,
    /// Why training ended, where the trainer says so.
    pub stop: Option<Stop>,
    /// Mean bound of the validation records in that epoch, in tensor space.
    pub validation_log_prob: Option<f64>,
}

impl Fitted {
    /// A density of the family of this name, fitted without epochs in `seconds`. The header shows `details`
    /// beside it.
    pub fn new(
        family: &'static str,
        model: Arc<dyn Model>,
        details: &impl Serialize,
        seed: Seed,
        seconds: f64,
    ) -> Self {
        let account = Account { family, details: object(details), seed, training: None };
        Self {
            account,
            model,
            members: Vec::new(),
            history: Vec::new(),
            seconds,
            training_rows: 0.0,
            training_seconds: 0.0,
        }
    }

    /// A density that was trained by epochs. `preparation` is the number of seconds before training that
    /// count as training as well.
    pub fn trained<M: Model + 'static>(
        family: &'static str,
        details: &impl Serialize,
        seed: Seed,
        trained: Trained<M>,
        preparation: f64,
    ) -> Self {
        let training = Training {
            epochs: trained.epochs,
            best_epoch: Some(trained.best_epoch),
            stop: Some(trained.stop),
            validation_log_prob: trained.validation_log_prob(),
        };
        let seconds = preparation + trained.seconds;
        let mut fitted = Self::new(family, Arc::new(trained.model), details, seed, seconds);
        fitted.account.training = Some(training);
        fitted.training_rows = trained.rows_per_second * trained.seconds;
        fitted.training_seconds = seconds;
        fitted.history = trained.history;
        fitted
    }
}

fn object(details: &impl Serialize) -> Map<String, Value> {
    match serde_json::to_value(details).expect("invariant: settings hold plain values") {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

/// What a family is in a comparison of models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// A normalising flow.
    Flow,
    /// A baseline that a flow should be better than.
    Mixture,
}

/// A family of models: what it is called, what it says about itself, and how it is fitted and read back. Each
/// family has one value of this type in a file of its own.
#[derive(Debug)]
pub struct Definition {
    /// Name in files and on the command line.
    pub name: &'static str,
    /// What it is, for `--help`.
    pub help: &'static str,
    /// What it is in a comparison.
    pub role: Role,
    /// What a sentence of the report calls such a model.
    pub noun: &'static str,
    /// Whether it is trained by epochs, which can be bounded, interrupted and resumed.
    pub trained: bool,
    /// The options of `fit` that it understands, among those that not every family does.
    pub options: &'static [&'static str],
    /// Checks the options and makes the estimator for records of a shape.
    pub estimator: fn(&Shape, &Options) -> Result<DensityEstimator, FitError>,
    /// Reads a density of this family back.
    pub read: fn(&Reading<'_>) -> Result<Arc<dyn Model>, ArtifactError>,
}

/// What a user may choose about the density of any family.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Size and regularisation.
    pub preset: Preset,
    /// Upper bound on epochs.
    pub epochs: Option<u32>,
    /// Flows of an ensemble; by default the preset decides.
    pub ensemble: Option<u32>,
    /// Overrides, as `--set` gives them.
    pub settings: Vec<(String, String)>,
}

/// Why a model could not be fitted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FitError {
    /// Training failed.
    #[error(transparent)]
    Train(#[from] TrainError),
    /// The mixture or autoregression failed.
    #[error(transparent)]
    Mixture(#[from] MixtureError),
    /// The bundle cannot be divided into folds.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// Settings that the family does not have.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// An option that does not go with the family or the bundle.
    #[error("{message}")]
    Usage {
        /// What does not fit.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl FitError {
    /// An option that does not fit, and what to do about it.
    pub fn usage(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage { message: message.into(), hint: hint.into() }
    }
}

impl From<WindowError> for FitError {
    fn from(error: WindowError) -> Self {
        match error {
            WindowError::Mixture(e) => Self::Mixture(e),
            WindowError::Train(e) => Self::Train(e),
        }
    }
}

impl From<GridError> for FitError {
    fn from(error: GridError) -> Self {
        match error {
            GridError::Mixture(e) => Self::Mixture(e),
            GridError::Train(e) => Self::Train(e),
        }
    }
}

impl Hint for FitError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Train(e) => e.hint(),
            Self::Mixture(e) => e.hint(),
            Self::Feature(e) => e.hint(),
            Self::Settings(e) => e.hint(),
            Self::Usage { hint, .. } => Some(hint.clone()),
        }
    }
}
