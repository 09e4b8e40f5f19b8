//! Gaussian mixtures, the strongest simple density on tables: fitted by linfa, evaluated by our own stable code.
//!
//! `fit` searches components and regularisation, `gmm` is the fitted density, `conditional` some of its coordinates given the
//! others. `var` is the classical density of windows of
//! signals: a vector autoregression with innovations of such a mixture. Both see numbers only; the normal-score
//! coordinates they are meant for come from above.

mod conditional;
mod error;
mod fit;
mod gmm;
mod var;

pub use conditional::{ConditionalGmm, FreeGmm};
pub use error::GmmError;
pub use fit::{GmmConfig, GmmTrial, WIDE, fit_gmm};
pub use gmm::Gmm;
pub use var::{Var, VarConfig, VarTrial, fit_var};
