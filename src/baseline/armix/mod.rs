//! The autoregressive mixture: a density as a product over the coordinates, each a mixture of t distributions
//! given those before it.
//!
//! ```text
//! z_j = (v_j − m_j) / σ_j
//! log p(v) = Σ_j [ log Σ_k g_jk(x_j) t_ν((z_j − b_jkᵀx_j) / s_jk) / s_jk − log σ_j ]      x_j = (1, z of some before j)
//! ```
//!
//! `experts` holds the distribution of one coordinate and `em` fits it to `rows`, with the steps of `gates`;
//! `order` decides what comes before what, `search` chooses the settings, and `density` puts the coordinates
//! together. The family is that of Zen et al. and of the neural autoregressive density estimators (Larochelle
//! and Murray 2011, The neural autoregressive distribution estimator; Uria et al. 2013, RNADE, equation 5),
//! with regressions in the place of networks.

mod density;
mod em;
mod experts;
mod gates;
mod order;
mod rows;
mod search;
mod settings;

pub use density::{AutoregressiveMixture, Link};
pub use em::LEAST_SCALE;
pub use experts::Experts;
pub use search::{ArmixTrial, fit_armix};
pub use settings::{ArmixConfig, ArmixOrder};
