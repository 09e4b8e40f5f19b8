//! The numbers behind one figure of the page, for those who want no other.

use rand::RngExt;

use super::calibration::p_value_histogram;
use super::context::Context;
use super::{features, samples};
use crate::artifact::ModelArtifact;
use crate::features::Bundle;
use crate::random::Seed;
use crate::report::Privacy;
use crate::report::data::{Marginal, Missing, PValueHistogram};

/// Missing values by feature, most first.
pub fn missing_values(bundle: &Bundle, privacy: Privacy) -> Vec<Missing> {
    features::missing(&Context::new(bundle, &[], privacy, Seed(0)))
}

/// Held-out records against samples of a model, feature by feature; nothing without a test split that may be
/// looked at.
pub fn marginals(
    bundle: &Bundle,
    model: (String, ModelArtifact),
    privacy: Privacy,
    seed: Seed,
) -> Vec<Marginal> {
    let models = [model];
    let (marginals, _) = samples::collect(&Context::new(bundle, &models, privacy, seed));
    marginals.map_or_else(Vec::new, |marginals| marginals.features)
}

/// The shares of p-values of a table of flags by bin; nothing for too few. `steps` are those between the
/// p-values that each record can have, 1/(calibration records + 1): each is spread over the step below it,
/// without which bins would hold unequal numbers of steps.
pub fn p_value_shares(
    p_values: &[f64],
    steps: &[f64],
    privacy: Privacy,
    seed: Seed,
) -> Option<PValueHistogram> {
    let mut rng = seed.stream("figure ties", 0);
    let spread = p_values.iter().zip(steps).map(|(p, step)| (p - rng.random::<f64>() * step).max(0.0));
    let spread: Vec<f64> = spread.collect();
    let n_calibration = 1.0 / (steps.iter().sum::<f64>() / steps.len().max(1) as f64) - 1.0;
    p_value_histogram(privacy, n_calibration, &spread)
}
