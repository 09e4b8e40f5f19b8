//! Mixtures of Gaussians and of t distributions, the strongest simple densities for tables.
//!
//! The module `em` fits one by expectation maximisation, from starts by linfa's k-means. `fit` searches the
//! settings that `search` describes. `mixture` is the fitted density, whose components have the shape of a
//! `kernel`, and `conditional` is the distribution of some of its coordinates given the others. `armix` is
//! the autoregressive mixture, which takes one coordinate after the other. `var` is the classical density of
//! windows of signals: a vector autoregression whose innovations follow such a mixture. All of them see
//! numbers only. The normal-score coordinates that they are meant for come from a higher layer.

mod armix;
mod conditional;
mod em;
mod error;
mod fit;
mod kernel;
mod mixture;
mod search;
mod var;

pub use armix::{
    ArmixConfig, ArmixOrder, ArmixTrial, AutoregressiveMixture, Experts, LEAST_SCALE, Link, fit_armix,
};
pub use conditional::{ConditionalMixture, FreeMixture};
pub use error::MixtureError;
pub use fit::{WIDE, fit_mixture};
pub use kernel::Kernel;
pub use mixture::Mixture;
pub use search::{MixtureConfig, MixtureTrial};
pub use var::{Var, VarConfig, VarTrial, fit_var};
