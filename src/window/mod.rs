//! A causal flow for windows of signals: a vector autoregression whose innovations follow a mixture that a
//! network, shared over time, reads off the past.
//!
//! ```text
//! e_t = L_tt⁻¹ (v_t − E[v_t | past])                    linear, unit-triangular up to scale: baseline::Var
//! p(e_t | past) = Σ_k w_k Π_c N(e_tc; m_kc, s_kc)       w, m, s = network(lags of v and e, means of the distant past)
//! log p(v) = Σ_t [ log p(e_t | past) − log det L_tt ]
//! ```
//!
//! Of a digitised signal ([`Lattice`]) the past is read as it was recorded, without the noise that made it
//! continuous, and p(e_t | past) is the probability of the step the sample lies on over the width of that
//! step.
//!
//! All samples of a window are evaluated at once; sampling goes sample by sample. The network's last layer
//! starts at zero with the mixture of the autoregression as its bias, so training starts at that model and
//! early stopping on validation can only improve on it.

mod conditional;
mod context;
mod fit;
mod lattice;
mod model;

pub use conditional::Shape;
pub use context::Context;
pub use fit::{WindowConfig, WindowError, WindowSource, fit_window};
pub use lattice::Lattice;
pub use model::WindowFlow;
