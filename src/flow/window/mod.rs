//! Layers for windows of signals: a causal linear layer, and layers whose parameters all patches of a window share.
//!
//! A window holds T samples of C channels, time-major: coordinate t·C + c. A patch is P consecutive samples of all channels.
//! In the *patch layout* row (r·C + c)·L + p holds sample r of channel c of patch p, so that a feature-major batch of
//! (P·C·L, n) is, as it lies in memory, one of (P·C, L·n): a layer over the coordinates of a patch serves all patches at once,
//! and a neighbouring patch is a shift by n columns.
//!
//! # References
//! Meng et al. (2022), ButterflyFlow, arXiv:2209.13774, §5.3 (windows of 1,024 × 2); Kingma & Dhariwal (2018), Glow,
//! arXiv:1807.03039, §3.6 (squeezing).

mod causal;
mod layout;
mod levels;
mod patched;
mod settings;

pub use causal::Causal;
pub(super) use layout::{between, channel_major, split_patches, time_major};
pub use levels::{LevelMixing, Span};
pub use patched::Patched;
pub use settings::Windows;
