//! What is tried when a mixture is fitted, and the account of it.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::{Kernel, MixtureError};
use crate::random::Seed;

/// The settings that are tried when a mixture is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureConfig {
    /// Numbers of components, ascending. The search stops at the first number that brings no improvement.
    pub components: Vec<usize>,
    /// Values that are added to the diagonal of each covariance (`reg_covar`), in squared units of the
    /// coordinates.
    pub regularisation: Vec<f64>,
    /// Shapes of the components, ordered by how much they differ.
    #[serde(default = "gaussian", skip_serializing_if = "is_gaussian")]
    pub kernels: Vec<Kernel>,
    /// How many records the scale that all components have in common is worth to each of them, per
    /// coordinate; ascending.
    #[serde(default = "apart", skip_serializing_if = "is_apart")]
    pub pooling: Vec<f64>,
    /// Number of random starts of the chosen setting.
    pub starts: usize,
    /// EM stops when the mean log-likelihood changes by less than this.
    pub tolerance: f64,
    /// Largest number of EM iterations.
    pub max_iterations: u64,
    /// Seed of the random starts.
    pub seed: Seed,
    /// Coordinates that the mixture is conditioned on. The mixture is fitted to all coordinates, and chosen
    /// by the density of the others given these.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
    /// When no further number of components is tried; never, if there is none.
    #[serde(skip)]
    pub deadline: Option<Instant>,
}

fn gaussian() -> Vec<Kernel> {
    vec![Kernel::Gaussian]
}

fn is_gaussian(kernels: &[Kernel]) -> bool {
    kernels == [Kernel::Gaussian]
}

fn apart() -> Vec<f64> {
    vec![0.0]
}

fn is_apart(pooling: &[f64]) -> bool {
    pooling == [0.0]
}

impl Default for MixtureConfig {
    fn default() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24, 32],
            // These values are for coordinates of variance 1. The largest are for few rows in many
            // coordinates.
            regularisation: vec![1e-4, 1e-3, 1e-2, 5e-2, 2e-1],
            kernels: gaussian(),
            pooling: apart(),
            starts: 3,
            tolerance: 1e-3,
            max_iterations: 300,
            seed: Seed(0),
            context: Vec::new(),
            deadline: None,
        }
    }
}

impl MixtureConfig {
    /// A shorter search, for a mixture that only serves as the starting point of a flow.
    pub fn quick() -> Self {
        Self {
            components: vec![1, 2, 4, 8, 16, 24],
            regularisation: vec![1e-3, 1e-2, 5e-2],
            starts: 1,
            tolerance: 1e-2,
            max_iterations: 100,
            ..Self::default()
        }
    }

    /// The search for mixtures of t distributions. They need no regularisation against heavy tails, and their
    /// scales are drawn towards a common one instead of the unit matrix.
    ///
    /// Mean test log-likelihoods (nats, standardised coordinates without noise) of Gaussian mixtures, of t
    /// mixtures without pooling and with it: WDBC (249 × 30) −6.88, −2.16, −1.49; vehicle (592 × 18) −6.68,
    /// −2.42, −1.41; Pima (350 × 8) −8.78, −8.34, −9.01; phoneme (2,672 × 5) −2.89, −2.73, −3.10; shuttle
    /// (2,286 × 9) 3.79, 11.70, 11.70. So the validation records choose the pooling.
    pub fn of_t() -> Self {
        Self {
            components: vec![1, 2, 3, 4, 6, 8, 12, 16, 24],
            regularisation: vec![1e-6, 1e-4, 1e-3, 1e-2],
            kernels: [3.0, 6.0, 12.0, 30.0].map(Kernel::T).to_vec(),
            pooling: vec![0.0, 0.03, 0.1, 0.3, 1.0, 3.0],
            starts: 2,
            tolerance: 1e-3,
            max_iterations: 150,
            ..Self::default()
        }
    }

    /// A shorter search of the same kind.
    pub fn of_t_quick() -> Self {
        Self {
            components: vec![1, 2, 4, 8, 16, 24],
            regularisation: vec![1e-5, 1e-3],
            kernels: [3.0, 8.0, 30.0].map(Kernel::T).to_vec(),
            pooling: vec![0.0, 0.1, 0.5, 2.0],
            starts: 1,
            tolerance: 3e-3,
            max_iterations: 100,
            ..Self::default()
        }
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`MixtureError::Setting`] for the first value outside its range.
    pub fn check(&self) -> Result<(), MixtureError> {
        let bad = |name, allowed, value: String| Err(MixtureError::Setting { name, allowed, value });
        if self.components.is_empty() || self.components.contains(&0) {
            return bad("components", "a list of numbers ≥ 1", format!("{:?}", self.components));
        }
        if self.regularisation.is_empty() || self.regularisation.iter().any(|r| !r.is_finite() || *r < 0.0) {
            return bad(
                "regularisation",
                "a list of finite numbers ≥ 0",
                format!("{:?}", self.regularisation),
            );
        }
        if self.kernels.is_empty() || !self.kernels.iter().all(|k| k.is_sound()) {
            return bad("kernels", "a list of sound kernels", format!("{:?}", self.kernels));
        }
        if self.pooling.is_empty() || self.pooling.iter().any(|p| !p.is_finite() || *p < 0.0) {
            return bad("pooling", "a list of finite numbers ≥ 0", format!("{:?}", self.pooling));
        }
        if self.starts == 0 {
            return bad("starts", "≥ 1", self.starts.to_string());
        }
        if !(self.tolerance.is_finite() && self.tolerance > 0.0) {
            return bad("tolerance", "finite and > 0", self.tolerance.to_string());
        }
        if self.max_iterations == 0 {
            return bad("max_iterations", "≥ 1", self.max_iterations.to_string());
        }
        Ok(())
    }
}

/// One fit of the search.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MixtureTrial {
    /// Number of components.
    pub components: usize,
    /// Regularisation that the fit ended with: the requested one, or a stronger one after failures.
    pub regularisation: f64,
    /// Shape of the components.
    #[serde(default, skip_serializing_if = "is_plain")]
    pub kernel: Kernel,
    /// Records that the common scale was worth to each component, per coordinate.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub pooling: f64,
    /// Number of the start, from 0.
    pub start: usize,
    /// Of how many training rows one was taken.
    #[serde(default = "all", skip_serializing_if = "is_all")]
    pub every: usize,
    /// Mean log-density of the training rows that were taken; absent when the fit failed.
    pub train_log_prob: Option<f64>,
    /// The value by which the mixture is chosen: the mean log-density of the validation rows. Without
    /// validation rows it is minus half the Bayesian information criterion per training record.
    pub criterion: Option<f64>,
    /// Why the fit failed.
    pub failure: Option<String>,
    /// Whether this is the mixture returned.
    pub chosen: bool,
}

fn all() -> usize {
    1
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references on")]
fn is_all(every: &usize) -> bool {
    *every == 1
}

fn is_plain(kernel: &Kernel) -> bool {
    *kernel == Kernel::Gaussian
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands references on")]
fn is_zero(pooling: &f64) -> bool {
    *pooling == 0.0
}
