//! `model.json`: what a model is and how it came about.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::baseline::{GmmConfig, GmmTrial, VarConfig, VarTrial};
use crate::evaluate::Score;
use crate::flow::FlowConfig;
use crate::random::Seed;
use crate::train::{FlowKind, Stop, TrainConfig};
use crate::window::{Context, Lattice, Shape, WindowConfig};

/// Version of the model folder this program writes and reads. Version 3 keys the noise behind a score by the record's content.
pub const FORMAT_VERSION: u32 = 3;

/// Family of a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum ModelKind {
    /// Butterfly linear layers and couplings.
    #[default]
    #[serde(rename = "butterfly")]
    Butterfly,
    /// Dense PLU linear layers and couplings.
    #[serde(rename = "glow-lu")]
    GlowLu,
    /// Fixed permutations and couplings.
    #[serde(rename = "realnvp")]
    RealNvp,
    /// Gaussian mixture.
    #[serde(rename = "gmm")]
    Gmm,
    /// Vector autoregression of waveform windows.
    #[serde(rename = "var")]
    Var,
    /// Causal flow of waveform windows.
    #[serde(rename = "causal")]
    Causal,
}

impl ModelKind {
    /// All families.
    pub const ALL: [Self; 6] =
        [Self::Butterfly, Self::GlowLu, Self::RealNvp, Self::Gmm, Self::Var, Self::Causal];

    /// Name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Butterfly => "butterfly",
            Self::GlowLu => "glow-lu",
            Self::RealNvp => "realnvp",
            Self::Gmm => "gmm",
            Self::Var => "var",
            Self::Causal => "causal",
        }
    }

    /// The flow of this family; `None` for the others.
    pub const fn flow(self) -> Option<FlowKind> {
        match self {
            Self::Butterfly => Some(FlowKind::Butterfly),
            Self::GlowLu => Some(FlowKind::GlowLu),
            Self::RealNvp => Some(FlowKind::RealNvp),
            Self::Gmm | Self::Var | Self::Causal => None,
        }
    }
}

impl From<FlowKind> for ModelKind {
    fn from(kind: FlowKind) -> Self {
        match kind {
            FlowKind::Butterfly => Self::Butterfly,
            FlowKind::GlowLu => Self::GlowLu,
            FlowKind::RealNvp => Self::RealNvp,
        }
    }
}

impl fmt::Display for ModelKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ModelKind {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|k| k.name() == s).ok_or_else(|| {
            format!("unknown model `{s}`, expected one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// Architecture of a causal flow and how it was trained.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Window {
    /// What its network sees.
    pub context: Context,
    /// Sizes of its network.
    pub shape: Shape,
    /// Values its signals can take; absent where they are not digitised, and in models of earlier versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lattice: Option<Lattice>,
    /// Trainer settings.
    pub train: WindowConfig,
}

/// Everything about a model that is neither a tensor nor a measurement of the clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Header {
    /// Version of the folder's format.
    pub format_version: u32,
    /// Program that wrote it.
    pub program_version: String,
    /// Family.
    pub kind: ModelKind,
    /// Seed of the fit.
    pub seed: Seed,
    /// SHA-256 of the bundle's manifest and tensors.
    pub bundle_sha256: String,
    /// Names of the coordinates, in order.
    pub coordinates: Vec<String>,
    /// Free parameters.
    pub n_parameters: usize,
    /// Noise draws behind each score.
    pub score_draws: usize,
    /// How calibration and new records are scored for flagging; models of earlier versions have the default.
    #[serde(default)]
    pub score: Score,
    /// Features the density of the others is conditioned on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub condition_on: Vec<String>,
    /// Text column whose levels are calibrated each by themselves.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibrate_by: Option<String>,
    /// Folds of the training and calibration records, for a cross-conformal calibration; absent for that on a split.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calibration_folds: Option<u32>,
    /// Architecture, for flows.
    pub flow: Option<FlowConfig>,
    /// Trainer settings, for flows.
    pub train: Option<TrainConfig>,
    /// Search settings, for mixtures.
    pub gmm: Option<GmmConfig>,
    /// The search, for mixtures.
    pub trials: Vec<GmmTrial>,
    /// Search settings, for vector autoregressions and the causal flows on top of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub var: Option<VarConfig>,
    /// Architecture and trainer settings, for causal flows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Window>,
    /// Orders tried, for the same.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<VarTrial>,
    /// Epochs run, for flows.
    pub epochs: Option<u32>,
    /// Epoch of the weights, for flows.
    pub best_epoch: Option<u32>,
    /// Why training ended, for flows.
    pub stop: Option<Stop>,
    /// Its members, for an ensemble; the fields above are those of the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub members: Vec<MemberHeader>,
}

/// One member of an ensemble.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberHeader {
    /// Its share of the density.
    pub weight: f64,
    /// Architecture; absent for a mixture of Gaussians.
    pub flow: Option<FlowConfig>,
    /// Seed of its fit.
    pub seed: Seed,
    /// Epochs run, for flows.
    pub epochs: Option<u32>,
    /// Epoch of the weights, for flows.
    pub best_epoch: Option<u32>,
    /// Why training ended, for flows.
    pub stop: Option<Stop>,
    /// Mean bound of the validation records, tensor space: what weights were chosen by.
    pub validation_log_prob: Option<f64>,
}
