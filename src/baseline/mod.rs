//! Gaussian mixtures, the strongest simple density for tables.
//!
//! The module `em` fits one by expectation maximisation, from starts by linfa's k-means. `fit` searches the
//! number of components and the regularisation. `gmm` is the fitted density, and `conditional` is the
//! distribution of some of its coordinates given the others. `var` is the classical density of windows of
//! signals: a vector autoregression whose innovations follow such a mixture. All of them see numbers only.
//! The normal-score coordinates that they are meant for come from a higher layer.

mod conditional;
mod em;
mod error;
mod fit;
mod gmm;
mod kernel;
mod var;

pub use conditional::{ConditionalGmm, FreeGmm};
pub use error::GmmError;
pub use fit::{GmmConfig, GmmTrial, WIDE, fit_gmm};
pub use gmm::Gmm;
pub use kernel::Kernel;
pub use var::{Var, VarConfig, VarTrial, fit_var};
