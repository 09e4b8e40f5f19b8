//! The configuration of a flow: everything that is needed to build it, except the values of its parameters.

use serde::{Deserialize, Serialize};

use super::butterfly::Parametrisation;
use super::error::FlowError;
use super::mlp::{Activation, NetworkShape};
use super::picture::Pictures;
use super::window::Windows;

/// The schedule of a butterfly: which pairs of coordinates each stage combines. See
/// [`crate::flow::schedule`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Schedule {
    /// ⌈log₂ d⌉ levels, with the coarsest first.
    Radix2,
    /// 2⌈log₂ d⌉ − 1 stages that reach every permutation.
    #[default]
    Benes,
}

/// The layer that mixes coordinates linearly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Linear {
    /// The butterfly layer of ButterflyFlow.
    Butterfly {
        /// Which pairs of coordinates each stage combines.
        schedule: Schedule,
        /// How each 2×2 matrix is parametrised.
        parametrisation: Parametrisation,
    },
    /// The dense matrix of Glow, in PLU form.
    PluDense,
    /// The fixed permutation of RealNVP.
    Permutation,
}

impl Default for Linear {
    fn default() -> Self {
        Self::Butterfly { schedule: Schedule::default(), parametrisation: Parametrisation::default() }
    }
}

/// The map that a coupling applies to each transformed coordinate.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Coupling {
    /// z = x eˢ + t, where |s| is at most `log_scale_bound` of the configuration.
    Affine,
    /// A rational-quadratic spline with identity tails.
    Spline {
        /// Number of bins.
        n_bins: usize,
        /// Half-width of the interval on which the spline differs from the identity.
        bound: f64,
    },
}

/// What the map of each coordinate is conditioned on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Conditioning {
    /// One half of the coordinates is conditioned on the other half. Both directions are fast.
    #[default]
    Coupling,
    /// Each coordinate is conditioned on all coordinates before it. This is more flexible, but sampling takes
    /// as many passes as there are coordinates.
    Autoregressive,
}

/// Which coordinates each block's coupling transforms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mask {
    /// The second half of the coordinates, in the next block the first half, and so on.
    Halves,
    /// Halves, then every other coordinate, then pairs, fours and so on. Within a few blocks, every
    /// coordinate is then conditioned directly on almost every other one, even without a linear layer.
    #[default]
    Cycling,
}

/// The matrices that the butterflies of the blocks start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Permutation {
    /// Every butterfly starts as the identity.
    #[default]
    Identity,
    /// Every butterfly starts as a random permutation, drawn with `permutation_seed`.
    Random,
    /// The butterflies start as permutations that place dependent coordinates of the training records on
    /// different sides of a coupling, as far as possible. See [`crate::flow::permutation::arrange`].
    Data,
}

/// Shape of the covariance of a mixture component.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Covariance {
    /// Diagonal covariance, with 2d + 1 parameters per component.
    #[default]
    Diagonal,
    /// Any positive definite covariance.
    Full,
}

/// Distribution of the latent vector z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum BaseKind {
    /// The standard normal distribution N(0, I).
    #[default]
    Normal,
    /// A Gaussian mixture that is trained with the flow.
    Mixture {
        /// Number of components.
        n_components: usize,
        /// Shape of the covariances of the components.
        covariance: Covariance,
    },
}

/// Settings of a flow. The defaults suit medical tables of 10–100 coordinates and 500–10,000 records.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct FlowConfig {
    /// Dimension d of the records, including the context.
    pub n_features: usize,
    /// Number of blocks, each of which is ActNorm → linear layer → coupling.
    pub n_blocks: usize,
    /// The linear layer of each block.
    pub linear: Linear,
    /// Standard deviation of a butterfly's angles at the start; with 0 it starts as the identity. With a
    /// positive value, a dense layer starts at a random permutation as well.
    pub random_start: f64,
    /// The permutations that the butterflies start as.
    pub permutation: Permutation,
    /// The map of the couplings.
    pub coupling: Coupling,
    /// What each coordinate is conditioned on.
    pub conditioning: Conditioning,
    /// Which coordinates each coupling transforms.
    pub mask: Mask,
    /// Bound of the log-scale of an affine coupling.
    pub log_scale_bound: f64,
    /// Width of the conditioner's hidden layers.
    pub hidden: usize,
    /// Number of hidden layers of the conditioner.
    pub n_hidden_layers: usize,
    /// Nonlinearity of the conditioner.
    pub activation: Activation,
    /// Dropout probability of hidden units in training.
    pub dropout: f64,
    /// Whether the first layer is a spline for each coordinate.
    pub elementwise_spline: bool,
    /// Distribution of the latent.
    pub base: BaseKind,
    /// Seed of the fixed permutations, which are part of the configuration and not of the parameters.
    pub permutation_seed: u64,
    /// Settings for windows of signals; absent if the records are not windows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<Windows>,
    /// Settings for pictures; absent if the records are not pictures, or are taken as vectors.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub picture: Option<Pictures>,
    /// Coordinates that the other coordinates are conditioned on, in ascending order. If there are any, the
    /// flow is the density p(others | these).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
}

impl Default for FlowConfig {
    fn default() -> Self {
        Self {
            n_features: 1,
            n_blocks: 4,
            linear: Linear::default(),
            random_start: 0.0,
            permutation: Permutation::default(),
            coupling: Coupling::Spline { n_bins: 8, bound: 5.0 },
            conditioning: Conditioning::default(),
            mask: Mask::default(),
            log_scale_bound: 2.0,
            hidden: 64,
            n_hidden_layers: 2,
            activation: Activation::default(),
            dropout: 0.1,
            elementwise_spline: false,
            base: BaseKind::default(),
            permutation_seed: 0,
            window: None,
            picture: None,
            context: Vec::new(),
        }
    }
}

impl FlowConfig {
    /// The default settings for `n_features` coordinates.
    pub fn new(n_features: usize) -> Self {
        Self { n_features, ..Self::default() }
    }

    /// Number of coordinates that the density is defined on: all except the context.
    pub fn n_free(&self) -> usize {
        self.n_features - self.context.len()
    }

    fn context_problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if !self.context.is_sorted_by(|a, b| a < b)
            || self.context.last().is_some_and(|&last| last >= self.n_features)
        {
            problems.push(format!(
                "`context` must list coordinates below {}, ascending, each once",
                self.n_features
            ));
        } else if self.context.len() == self.n_features {
            problems.push("`context` must leave a coordinate to condition".into());
        }
        if self.base != BaseKind::Normal && self.window.is_none() {
            problems.push("`base` other than `normal` does not combine with `context`".into());
        }
        if self.permutation == Permutation::Data {
            problems.push("`permutation` data does not combine with `context`".into());
        }
        if let Some(window) = &self.window
            && !(self.context.iter().copied().eq(0..self.context.len())
                && self.context.len().is_multiple_of(window.channels.max(1)))
        {
            problems.push("`context` of windows must be whole samples before all others".into());
        }
        problems
    }

    fn picture_problems(&self, picture: &Pictures) -> Vec<String> {
        let mut problems = picture.problems(self.n_features);
        if picture.scales > self.n_blocks {
            problems.push(format!(
                "`scales` must be at most the {} blocks, got {}",
                self.n_blocks, picture.scales
            ));
        }
        let others = [
            ("base", "normal", self.base != BaseKind::Normal),
            ("permutation", "identity", self.permutation != Permutation::Identity),
            ("conditioning", "coupling", self.conditioning != Conditioning::Coupling),
            ("elementwise_spline", "false", self.elementwise_spline),
        ];
        problems.extend(others.iter().filter(|(.., other)| *other).map(|(name, only, _)| {
            format!("`{name}` other than `{only}` does not apply to flows with convolutions")
        }));
        if self.window.is_some() {
            problems.push("records are either windows or pictures".into());
        }
        if !self.context.is_empty() {
            problems.push("`context` does not apply to flows with convolutions".into());
        }
        problems
    }

    /// Checks all settings.
    ///
    /// # Errors
    /// [`FlowError::Config`] with all problems, not only the first one.
    pub fn check(&self) -> Result<(), FlowError> {
        let mut problems = Vec::new();
        let mut whole = |name: &str, value: usize, min: usize, max: usize| {
            if value < min || value > max {
                problems.push(format!("`{name}` must lie between {min} and {max}, got {value}"));
            }
        };
        whole("n_features", self.n_features, 1, 100_000);
        whole("n_blocks", self.n_blocks, 1, 256);
        whole("hidden", self.hidden, 1, 65_536);
        whole("n_hidden_layers", self.n_hidden_layers, 1, 64);
        if let Coupling::Spline { n_bins, .. } = self.coupling {
            whole("n_bins", n_bins, 1, 256);
        }
        if let BaseKind::Mixture { n_components, .. } = self.base {
            whole("n_components", n_components, 1, 10_000);
        }
        let mut positive = |name: &str, value: f64| {
            if !(value.is_finite() && value > 0.0) {
                problems.push(format!("`{name}` must be finite and > 0, got {value}"));
            }
        };
        if let Coupling::Spline { bound, .. } = self.coupling {
            positive("bound", bound);
        }
        positive("log_scale_bound", self.log_scale_bound);
        if !(self.random_start.is_finite() && self.random_start >= 0.0) {
            problems.push(format!("`random_start` must be finite and ≥ 0, got {}", self.random_start));
        }
        let routes = matches!(self.linear, Linear::Butterfly { schedule: Schedule::Benes, .. });
        if self.permutation != Permutation::Identity && !routes {
            problems
                .push("`permutation` other than `identity` needs butterflies with `schedule` benes".into());
        }
        if !(0.0..1.0).contains(&self.dropout) {
            problems.push(format!("`dropout` must be at least 0 and below 1, got {}", self.dropout));
        }
        if let Some(window) = &self.window {
            problems.extend(window.problems(self.n_free(), self.context.len()));
            if window.splits >= self.n_blocks {
                problems.push(format!(
                    "`splits` must be less than the {} blocks, got {}",
                    self.n_blocks, window.splits
                ));
            }
            if self.permutation != Permutation::Identity {
                problems.push("`permutation` other than `identity` does not apply to windows".into());
            }
            if self.conditioning != Conditioning::Coupling {
                problems.push("`conditioning` other than `coupling` does not apply to windows".into());
            }
        }
        if let Some(picture) = &self.picture {
            problems.extend(self.picture_problems(picture));
        }
        if !self.context.is_empty() {
            problems.extend(self.context_problems());
        }
        if problems.is_empty() { Ok(()) } else { Err(FlowError::Config { problems }) }
    }

    /// Number of times that samples of a window have been factored out before block `block`. The blocks are
    /// distributed evenly between these splits.
    pub(crate) fn splits_before(&self, block: usize) -> usize {
        self.window.map_or(0, |w| block * (w.splits + 1) / self.n_blocks)
    }

    /// Whether records are taken as vectors, whose coordinates are no neighbours of each other.
    pub(crate) fn is_of_vectors(&self) -> bool {
        self.window.is_none() && self.picture.is_none()
    }

    /// The settings of the networks of all blocks.
    pub(super) fn network_shape(&self) -> NetworkShape {
        NetworkShape {
            hidden: self.hidden,
            n_hidden_layers: self.n_hidden_layers,
            activation: self.activation,
            dropout: self.dropout,
        }
    }

    /// The coordinates that the coupling of block `block` transforms. For windows, these are coordinates of a
    /// patch, and for pictures the channels of a pixel.
    pub(crate) fn transforms(&self, block: usize) -> Vec<bool> {
        let d = match (&self.window, &self.picture) {
            (Some(w), _) => w.patch_of(block) * w.channels,
            (None, Some(p)) => p.sizes()[p.scale_of(block, self.n_blocks)].channels,
            (None, None) => self.n_free(),
        };
        // A pattern with runs longer than a quarter of the coordinates would leave the two sides unequal.
        let n_patterns = match self.mask {
            Mask::Halves => 1,
            Mask::Cycling => d.max(4).ilog2() as usize,
        };
        let pattern = (block / 2) % n_patterns;
        let second = |i: usize| if pattern == 0 { i >= d / 2 } else { (i >> (pattern - 1)) & 1 == 1 };
        (0..d).map(|i| second(i) == block.is_multiple_of(2)).collect()
    }
}

#[cfg(test)]
mod tests;
