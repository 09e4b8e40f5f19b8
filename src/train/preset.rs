//! Settings that are chosen from the number of training records and coordinates.
//!
//! The defaults were measured on 8,000 ICU stays (PhysioNet 2012, 71 coordinates), as the mean bound of the
//! 1,206 test stays in nats. The best mixture reaches −81.2, four wide blocks −76.8, eight narrow ones −76.4,
//! and the eight at twice the learning rate −76.2. An untrained flow has −88.6 on validation. A mixture base
//! gained nothing there (−76.9 against −76.8), so the default base is the normal one.
//!
//! Dropout, weight decay and averaged weights keep a flow from learning a small table by heart. On
//! normal-score coordinates a flow starts as independent normals, and early stopping can only improve on
//! those.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::TrainConfig;
use super::config::EPOCH_RECORDS;
use crate::flow::picture::PictureSize;
use crate::flow::{BaseKind, Coupling, Covariance, FlowConfig, Linear, Pictures, Windows};
use crate::schema::words;

words! {
    /// Size of a flow and its training.
    #[derive(Default)]
    pub enum Preset {
        /// Chosen from the number of records and coordinates.
        #[default]
        Auto = "auto",
        /// Trains in seconds.
        Small = "small",
        /// Trains in minutes.
        Base = "base",
        /// For a hundred thousand records or more.
        Large = "large",
    }
}

impl Preset {
    /// What it is for, for `--help`.
    pub const fn help(self) -> &'static str {
        match self {
            Self::Auto => "Chosen from the number of records and features",
            Self::Small => "Trains in seconds",
            Self::Base => "Trains in minutes",
            Self::Large => "For large data",
        }
    }
}

impl fmt::Display for Preset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Preset {
    type Err = String;

    fn from_str(s: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|p| p.name() == s).ok_or_else(|| {
            format!("unknown preset `{s}`, expected one of {}", Self::ALL.map(Self::name).join(", "))
        })
    }
}

/// Family of a flow, named by its mixing layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum FlowKind {
    /// Butterfly layers.
    Butterfly,
    /// Dense PLU matrices.
    GlowLu,
    /// Fixed permutations.
    RealNvp,
}

impl FlowKind {
    /// Name in files and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Butterfly => "butterfly",
            Self::GlowLu => "glow-lu",
            Self::RealNvp => "realnvp",
        }
    }
}

/// Returns the settings for `n_train` records of `d` coordinates.
pub fn preset(kind: FlowKind, preset: Preset, n_train: usize, d: usize) -> (FlowConfig, TrainConfig) {
    let linear = match kind {
        FlowKind::Butterfly => FlowConfig::default().linear,
        FlowKind::GlowLu => Linear::PluDense,
        FlowKind::RealNvp => Linear::Permutation,
    };
    // Depth comes before width: on 4,804 ICU stays of 71 coordinates, 8 blocks of width 64 gained 0.5 nats
    // per record over 4 blocks of width 128, at about the same number of parameters.
    let (n_blocks, hidden) = match preset {
        Preset::Small => (4, 64),
        Preset::Base => (8, 64),
        Preset::Large => (10, 192),
        Preset::Auto => match n_train {
            0..2_000 => (4, 64),
            20_000..100_000 => (8, 128),
            // Of a large table, what counts is what a minute brings. On 227,692 × 66 hours of ICU stays these
            // had −54.5 test nats after 67 CPU-seconds in all, where a Gaussian mixture has −56.3; 10 blocks
            // of width 192 took two minutes for three passes over the records.
            _ => (8, 64),
        },
    };
    // The fewer records there are, the more strongly a network must be kept from learning them by heart.
    let dropout = match n_train {
        0..20_000 => 0.2,
        20_000..100_000 => 0.1,
        100_000..400_000 => 0.05,
        _ => 0.0,
    };
    let batch_size = match n_train {
        0..1_000 => 64,
        1_000..4_000 => 128,
        4_000..40_000 => 256,
        _ => 512,
    };
    let batches = n_train.min(EPOCH_RECORDS).div_ceil(batch_size).max(1);
    // Number of steps until the cosine ends. On the same stays the best weights came after 1,000 to 1,500
    // steps.
    let steps = match preset {
        Preset::Small => 1_000,
        Preset::Auto if n_train >= 100_000 => 5_000,
        Preset::Base | Preset::Auto => 1_600,
        Preset::Large => 10_000,
    };
    let max_epochs = (steps / batches).clamp(20, 200) as u32;
    let flow = FlowConfig {
        n_features: d,
        n_blocks,
        linear,
        coupling: Coupling::Spline { n_bins: 8, bound: 5.0 },
        hidden,
        dropout,
        ..FlowConfig::default()
    };
    let train =
        TrainConfig { batch_size, max_epochs, patience: (max_epochs / 6).max(10), ..TrainConfig::default() };
    // The noise of one draw of ten thousand validation records is that of their mean already.
    let validation_draws = if n_train < 40_000 { train.validation_draws } else { 1 };
    (flow, TrainConfig { validation_draws, ..train })
}

/// Returns the settings for `n_train` windows of `length` samples of `channels` channels. With `whiten` the
/// layers work on the innovations of an autoregression, and without it on the samples.
///
/// The settings were chosen on validation windows of 1,024 × 2 samples. All values are mean log-densities in
/// nats per dimension.
///
/// - Synthetic windows (786 training windows, ten epochs), butterflies on innovations. Patches of 16 samples
///   that see one patch on either side, with 64 hidden units, reach 2.201. Changed one after the other: four
///   patches on either side 2.220, patches of 8 samples 2.244, eight patches on either side 2.262, and 128
///   units at twice the learning rate with dropout 0.1 2.307, or with dropout 0.2 2.296.
/// - One real record (248 training windows) with dropout 0.1, 0.2 and 0.3: 0.290, 0.296 and 0.301.
/// - Butterflies over the whole window in place of patches: 0.277 on innovations, but 2.125 in place of 2.045
///   on the samples themselves.
/// - Learning rate of the linear layers, on the samples, as a multiple of the rate of the other layers.
///   Butterflies over patches at 0.2, 1, 3, 10 and 30 times: 1.744, 1.878, 1.989, 2.020 and 1.987.
///   Butterflies over windows at 3 and 10 times: 2.125 and 2.079. Dense layers at 0.2, 0.5, 1 and 2 times:
///   1.987, 2.009, 2.027 and 2.036, but the test windows of the last had 1.62.
pub fn window_preset(
    kind: FlowKind,
    n_train: usize,
    length: usize,
    channels: usize,
    whiten: bool,
) -> (FlowConfig, TrainConfig) {
    // The patch is the largest power of two that divides the window, up to 8 samples.
    let patch = 1 << length.trailing_zeros().min(3);
    let (flow, _) = preset(kind, Preset::Auto, n_train, length * channels);
    let flow = FlowConfig {
        n_blocks: 6,
        coupling: Coupling::Affine,
        hidden: 128,
        n_hidden_layers: 2,
        dropout: 0.2,
        base: BaseKind::Mixture { n_components: 1, covariance: Covariance::Full },
        window: Some(Windows { channels, patch, reach: 8, within_patches: whiten, ..Windows::default() }),
        ..flow
    };
    let linear_rate = match (kind, whiten) {
        (FlowKind::Butterfly, true) => 10.0,
        (FlowKind::Butterfly, false) => 3.0,
        (FlowKind::GlowLu | FlowKind::RealNvp, _) => 1.0,
    };
    // Every patch is an example of its own, so a small batch of windows is a large batch of patches.
    let batch_size = 16;
    let batches = n_train.div_ceil(batch_size).max(1);
    let max_epochs = (1_600 / batches).clamp(10, 200) as u32;
    let train = TrainConfig {
        batch_size,
        max_epochs,
        patience: (max_epochs / 5).max(8),
        learning_rate: 4e-3,
        linear_rate,
        ..TrainConfig::default()
    };
    (flow, train)
}

/// Returns the settings for `n_train` pictures of a size, for a flow with convolutions.
pub fn picture_preset(
    kind: FlowKind,
    chosen: Preset,
    n_train: usize,
    size: PictureSize,
) -> (FlowConfig, TrainConfig) {
    let picture = Pictures::new(size);
    // Couplings of a scale, width of their networks, and steps until the cosine ends.
    let (couplings, hidden, steps) = match chosen {
        Preset::Small => (2, 16, 2_000),
        Preset::Auto | Preset::Base => (4, 32, 8_000),
        Preset::Large => (8, 64, 20_000),
    };
    let (flow, _) = preset(kind, chosen, n_train, size.n_numbers());
    let flow = FlowConfig {
        n_blocks: couplings * picture.scales,
        coupling: Coupling::Affine,
        hidden,
        n_hidden_layers: 2,
        // All pixels share the networks, which are much smaller than the pictures are many.
        dropout: 0.0,
        picture: Some(picture),
        ..flow
    };
    // Every pixel is an example of its own. An epoch is kept short, since an epoch is what validation and
    // checkpoints go by.
    let (batch_size, epoch_records) = (64, 8_192);
    let batches = n_train.min(epoch_records).div_ceil(batch_size).max(1);
    let max_epochs = (steps / batches).clamp(10, 400) as u32;
    let train = TrainConfig {
        batch_size,
        epoch_records,
        max_epochs,
        patience: (max_epochs / 5).max(8),
        learning_rate: 3e-3,
        validation_records: 1_024,
        validation_draws: 1,
        ..TrainConfig::default()
    };
    (flow, train)
}
