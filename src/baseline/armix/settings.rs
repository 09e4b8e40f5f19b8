//! What is tried when an autoregressive mixture is fitted.

use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::baseline::error::MixtureError;
use crate::baseline::kernel::Kernel;
use crate::random::Seed;

/// In which order coordinates are conditioned on each other. No order is the best for all tables, and one may
/// be better than another by more than a nat per record: a mixture of several orders is better still.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ArmixOrder {
    /// Along the strongest correlations, beginning with the coordinate that is tied most to all others.
    #[default]
    Dependence,
    /// The same backwards.
    DependenceReversed,
    /// As the coordinates stand.
    Columns,
    /// The same backwards.
    ColumnsReversed,
    /// At random, by the seed.
    Random,
}

impl ArmixOrder {
    /// All orders.
    pub const ALL: [Self; 5] =
        [Self::Dependence, Self::DependenceReversed, Self::Columns, Self::ColumnsReversed, Self::Random];
    /// Their names, in the same order.
    pub const NAMES: [&str; 5] =
        ["dependence", "dependence-reversed", "columns", "columns-reversed", "random"];
}

/// The settings that are tried when an autoregressive mixture is fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmixConfig {
    /// Numbers of experts of a coordinate, ascending from 1. The search of a coordinate stops at the first
    /// number that brings no improvement.
    pub experts: Vec<usize>,
    /// How many records the pull of the coefficients towards a single regression is worth; of the single
    /// regression itself, the pull towards 0. Ascending.
    pub ridge: Vec<f64>,
    /// Degrees of freedom of the t distributions, ascending.
    pub degrees: Vec<f64>,
    /// What comes before what.
    pub order: ArmixOrder,
    /// Most coordinates that one is regressed on.
    pub most_given: usize,
    /// Most rows that the settings are chosen on.
    pub search_rows: usize,
    /// Most rows that the chosen settings are fitted to.
    pub rows: usize,
    /// EM stops when the mean log-likelihood of a coordinate changes by less than this.
    pub tolerance: f64,
    /// Largest number of EM iterations.
    pub max_iterations: usize,
    /// Seed of the clusters that EM starts from.
    pub seed: Seed,
    /// Coordinates that the density is conditioned on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub context: Vec<usize>,
    /// When no further number of experts is tried; never, if there is none.
    #[serde(skip)]
    pub deadline: Option<Instant>,
}

impl Default for ArmixConfig {
    fn default() -> Self {
        Self {
            experts: vec![1, 2, 3, 4, 6, 8],
            ridge: vec![0.03, 0.3, 3.0, 30.0, 300.0],
            degrees: vec![3.0, 6.0, 12.0, 40.0],
            order: ArmixOrder::Dependence,
            most_given: 40,
            search_rows: 20_000,
            rows: 100_000,
            tolerance: 3e-5,
            max_iterations: 100,
            seed: Seed(0),
            context: Vec::new(),
            deadline: None,
        }
    }
}

impl ArmixConfig {
    /// A shorter search, for a member of an ensemble.
    pub fn quick() -> Self {
        Self {
            experts: vec![1, 2, 4, 8],
            ridge: vec![0.03, 0.3, 3.0, 30.0],
            degrees: vec![3.0, 8.0, 30.0],
            search_rows: 4_000,
            rows: 20_000,
            tolerance: 1e-4,
            max_iterations: 60,
            ..Self::default()
        }
    }

    /// Shapes of the experts' distributions.
    pub(super) fn kernels(&self) -> Vec<Kernel> {
        self.degrees.iter().map(|&degrees| Kernel::T(degrees)).collect()
    }

    /// Checks every value.
    ///
    /// # Errors
    /// [`MixtureError::Setting`] for the first value outside its range.
    pub fn check(&self) -> Result<(), MixtureError> {
        let bad = |name, allowed, value: String| Err(MixtureError::Setting { name, allowed, value });
        let positive =
            |values: &[f64]| !values.is_empty() && values.iter().all(|x| x.is_finite() && *x > 0.0);
        if self.experts.first() != Some(&1) || !self.experts.is_sorted_by(|a, b| a < b) {
            return bad("experts", "an ascending list that begins with 1", format!("{:?}", self.experts));
        }
        if !positive(&self.ridge) {
            return bad("ridge", "a list of finite numbers > 0", format!("{:?}", self.ridge));
        }
        if !positive(&self.degrees) {
            return bad("degrees", "a list of finite numbers > 0", format!("{:?}", self.degrees));
        }
        if self.search_rows == 0 || self.rows == 0 {
            return bad("rows", "≥ 1", self.search_rows.min(self.rows).to_string());
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
