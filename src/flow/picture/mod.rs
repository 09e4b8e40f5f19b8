//! Multi-scale flows of pictures, with networks of convolutions.
//!
//! ```text
//! scale = squeeze → K × (ActNorm → linear layer → coupling) → factor half of the channels out
//! ```
//!
//! A picture is a grid of pixels with some channels each. *Squeezing* makes the four pixels of every 2 × 2
//! square one pixel with four times as many channels. At the end of every scale but the last, the second half
//! of the channels goes to the base, after a coupling that shifts and scales it given the first half: this is
//! a normal distribution whose means and standard deviations a network reads off what remains.
//!
//! The rows of a batch are channel-major: channel c of pixel p is row c·H·W + p. A batch of shape
//! (C·H·W, n) then has the memory layout of one of shape (C, H·W·n), so that a layer over the channels of a
//! pixel, wrapped in [`Patched`](super::window::Patched), serves all pixels at once. Channels that have been
//! factored out lie behind all others.
//!
//! # References
//! Dinh et al. (2017), RealNVP, arXiv:1605.08803, §3.6 (multi-scale architecture); Kingma & Dhariwal (2018),
//! Glow, arXiv:1807.03039; Meng et al. (2022), ButterflyFlow, arXiv:2209.13774, §5.

mod build;
mod layout;
mod settings;

pub(super) use build::build_picture;
pub use settings::{Front, PictureSize, Pictures};
