//! ButterflyFlow (Meng et al. 2022, arXiv:2209.13774) with hand-written gradients.
//!
//! ```text
//! log p(x) = log p_base(z) + Σ_layers log|det|        block = ActNorm → butterfly → coupling
//! ```
//!
//! [`Flow`] is the model and [`FlowConfig`] holds its settings. The direction of a flow is from data x to
//! latent z. Inside this module, batches are *feature-major*, `(d, n)`: each coordinate is one contiguous row
//! over the batch. A stage of a butterfly or a spline is then a loop that the compiler vectorises. Rows of
//! records enter and leave only through [`crate::density::Density`].
//!
//! Everything is generic over the number type: f32 is used for training, f64 for checking gradients and
//! reference values.

pub mod actnorm;
pub mod autoregressive;
pub mod base;
pub mod bijector;
pub mod butterfly;
pub mod config;
pub mod coupling;
pub mod elementwise;
pub mod inspect;
pub mod linear;
pub mod mlp;
pub mod permutation;
pub mod picture;
pub mod schedule;
pub mod spline;
pub mod univariate;
pub mod window;

mod affine;
mod build;
mod density;
mod draw;
mod error;
mod lanes;
mod leading;
mod model;
mod neighbours;
mod onnx;
mod parameters;
mod pen;
mod start;
mod structure;

#[cfg(test)]
mod gradcheck;
#[cfg(test)]
mod tests;

pub use crate::num::real::Real;
pub use bijector::{Bijector, ParameterSpec, Tape};
pub use butterfly::{ButterflyLayer, Parametrisation};
pub use config::{
    BaseKind, Conditioning, Coupling, Covariance, FlowConfig, Linear, Mask, Permutation, Schedule,
};
pub use error::FlowError;
pub use inspect::{LayerInspection, Mixed};
pub use mlp::Activation;
pub(crate) use mlp::{Mlp, MlpTape, NetworkShape, Residual};
pub use model::{Flow, TILE, Workspace};
pub use parameters::ParameterView;
pub(crate) use parameters::views;
pub use picture::Pictures;
pub use window::Windows;
