//! Records of which only a part is known: likelihood of some features, and draws of the missing ones.
//!
//! What is not known is integrated over by importance sampling. Draw s brings its own noise for discrete
//! values (as [`crate::evaluate`] does) and free coordinates z from a Gaussian mixture given the known ones:
//!
//! ```text
//! w_s = p(v_s, z_s) / q(z_s | v_s) · |∂v_s/∂x|        log p(x_known) ≈ log mean_s w_s        ESS = (Σ w_s)² / Σ w_s²
//! ```
//!
//! Resampled by weight, the z are draws from p(z | x_known) (Rubin 1988). Where the model is a Gaussian
//! mixture itself, p/q is its marginal density and nothing but the noise is left to chance. For other models
//! q is fitted: the mixture an ensemble holds, or one fitted to draws of the model, which needs no training
//! records.

mod impute;
mod known;
mod marginal;
mod pictures;
mod proposal;

pub use impute::{Imputations, draw_given, impute};
pub use marginal::{Marginals, marginals};
pub use pictures::complete_pictures;
pub use proposal::{PartialError, Proposal};

/// Fewest effective samples an estimate is trusted with.
pub const FEWEST_EFFECTIVE: f64 = 10.0;
