//! Layers for windows of signals: a causal linear layer, and layers whose parameters are shared by all
//! patches of a window.
//!
//! A window holds T samples of C channels, time-major: coordinate t·C + c. A patch consists of P consecutive
//! samples of all channels, and a window has L patches. In the *patch layout*, row (r·C + c)·L + p holds
//! sample r of channel c of patch p. A feature-major batch of shape (P·C·L, n) then has the same memory
//! layout as one of shape (P·C, L·n). A layer over the coordinates of a patch thus serves all patches at
//! once, and a neighbouring patch is n columns away.
//!
//! # References
//! Meng et al. (2022), ButterflyFlow, arXiv:2209.13774, §5.3 (windows of 1,024 × 2); Kingma & Dhariwal
//! (2018), Glow, arXiv:1807.03039, §3.6 (squeezing).

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
