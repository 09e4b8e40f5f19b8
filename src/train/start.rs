//! The untrained flow from which a run starts.

use std::path::Path;

use ndarray::{ArrayView1, ArrayView2, ArrayView3};

use super::progress::Progress;
use super::recipe::Trained;
use super::records::train_source;
use super::{BundleSource, TrainConfig, TrainError};
use crate::features::Bundle;
use crate::flow::{BaseKind, Flow, FlowConfig};
use crate::random::Seed;

/// A Gaussian mixture from which the base of a flow starts.
///
/// # Shapes
/// `weights: (k,)`, `means: (k, d)`, `covariances: (k, d, d)`
#[derive(Debug, Clone, Copy)]
pub struct Mixture<'a> {
    /// Mixing weights.
    pub weights: ArrayView1<'a, f64>,
    /// Means.
    pub means: ArrayView2<'a, f64>,
    /// Covariances.
    pub covariances: ArrayView3<'a, f64>,
}

/// Builds an untrained flow of this configuration. If its base is a mixture and a `mixture` is given, the
/// flow takes that mixture's number of components and starts at its likelihood.
///
/// # Errors
/// [`TrainError::Flow`] when the flow cannot be built or the mixture is unusable.
pub fn start_flow(
    config: &FlowConfig,
    seed: Seed,
    mixture: Option<Mixture<'_>>,
) -> Result<Flow<f32>, TrainError> {
    let mut config = config.clone();
    if let (BaseKind::Mixture { n_components, .. }, Some(mixture)) = (&mut config.base, mixture) {
        *n_components = mixture.weights.len();
    }
    let mut flow = Flow::new(&config, seed.child("flow", 0))?;
    if let (BaseKind::Mixture { .. }, Some(mixture)) = (config.base, mixture) {
        flow.set_mixture(mixture.weights, mixture.means, mixture.covariances)?;
    }
    Ok(flow)
}

/// Trains a new flow on the training records of a bundle. See [`train_source`] for the run, and
/// [`start_flow`] for a mixture base.
///
/// # Errors
/// The errors of [`train_source`], and [`TrainError::Flow`] when the flow cannot be built.
pub fn train_flow(
    bundle: &Bundle,
    flow: &FlowConfig,
    config: &TrainConfig,
    checkpoint: Option<&Path>,
    resume: bool,
    progress: &dyn Progress,
) -> Result<Trained<Flow<f32>>, TrainError> {
    let flow = start_flow(flow, config.seed, None)?;
    train_source(
        &BundleSource::new(bundle, config.validation_records),
        flow,
        config,
        checkpoint,
        resume,
        progress,
    )
}
