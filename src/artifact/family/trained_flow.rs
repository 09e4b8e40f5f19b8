//! The training of one flow, and its numbers in a model folder.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use super::gmm::{MixtureDetails, MixtureEstimator};
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Estimator, FitError, Fitted, Run};
use crate::artifact::model::Model;
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{Mixture, MixtureTrial};
use crate::features::{Bundle, GraphCoordinates};
use crate::flow::{BaseKind, Flow, FlowConfig};
use crate::onnx::{Graph, Inexpressible, Value};
use crate::random::Seed;
use crate::train::{
    self, BundleSource, FlowKind, TrainConfig, TrainError, Trained, remove_checkpoint, start_flow,
    train_source,
};

/// One flow of a given architecture.
#[derive(Debug, Clone, PartialEq)]
pub struct TrainedFlow {
    /// Its mixing layer, which gives it its name.
    pub kind: FlowKind,
    /// Its architecture. The coordinates that are given are those of the bundle.
    pub flow: FlowConfig,
    /// Trainer settings. The seed and the budget are those of the run.
    pub train: TrainConfig,
}

/// What the header says about a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FlowDetails {
    /// Architecture.
    pub flow: FlowConfig,
    /// Trainer settings.
    pub train: TrainConfig,
    /// The search for the mixture that its base started from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trials: Vec<MixtureTrial>,
}

impl Estimator for TrainedFlow {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        forget(run)?;
        let start = match self.flow.base {
            BaseKind::Normal => None,
            BaseKind::Mixture { .. } => Some(search(bundle, run)?),
        };
        let before = started.elapsed().as_secs_f64();
        let left = run.time_budget.map(|budget| (budget - before).max(0.05));
        let run = Run { time_budget: left, ..*run };
        let mut fitted = self.fit_from(start.as_ref().map(|(gmm, _)| gmm), bundle, &run)?;
        if let Some((_, found)) = start {
            fitted.account.details.insert("trials".into(), serde_json::json!(found.trials));
        }
        fitted.seconds += before;
        fitted.training_seconds += before;
        Ok(fitted)
    }
}

impl TrainedFlow {
    /// The flow, trained from a base that starts as `mixture`. Nothing else is found at the checkpoint than
    /// the state of this flow.
    pub(super) fn fit_from(
        &self,
        mixture: Option<&Mixture>,
        bundle: &Bundle,
        run: &Run<'_>,
    ) -> Result<Fitted, FitError> {
        let context = bundle.manifest.encoder.context_coordinates();
        let flow = FlowConfig { context, ..self.flow.clone() };
        let start = match flow.base {
            BaseKind::Normal => None,
            BaseKind::Mixture { .. } => mixture.map(as_start),
        };
        let flow = start_flow(&flow, run.seed, start)?;
        train_from(self.kind, flow, &self.train, bundle, run)
    }
}

/// Removes what an earlier run left, which must not be taken for this one's.
pub(super) fn forget(run: &Run<'_>) -> Result<(), TrainError> {
    match run.checkpoint.filter(|_| !run.resume) {
        Some(dir) => Ok(remove_checkpoint(dir)?),
        None => Ok(()),
    }
}

/// The mixture that flows start from, or that stands beside them.
pub(super) fn search(bundle: &Bundle, run: &Run<'_>) -> Result<(Mixture, MixtureDetails), FitError> {
    run.progress.note("fitting a Gaussian mixture to start from");
    Ok(MixtureEstimator::quick().search(bundle, run.seed)?)
}

/// A mixture as the base of a flow takes it.
pub(super) fn as_start(gmm: &Mixture) -> train::Mixture<'_> {
    train::Mixture { weights: gmm.weights(), means: gmm.means(), covariances: gmm.covariances() }
}

/// Trains a flow that starts at `flow`.
pub(super) fn train_from(
    kind: FlowKind,
    flow: Flow<f32>,
    config: &TrainConfig,
    bundle: &Bundle,
    run: &Run<'_>,
) -> Result<Fitted, FitError> {
    let config = TrainConfig { seed: run.seed, time_budget_seconds: run.time_budget, ..config.clone() };
    let source = BundleSource::new(bundle, config.validation_records);
    let trained = train_source(&source, flow, &config, run.checkpoint, run.resume, run.progress)?;
    Ok(Fitted::of_flow(kind, &config, trained))
}

impl Fitted {
    /// A flow that the trainer trained with these settings.
    pub fn of_flow(kind: FlowKind, config: &TrainConfig, trained: Trained<Flow<f32>>) -> Self {
        let (flow, train) = (trained.model.config().clone(), config.clone());
        let details = FlowDetails { flow, train, trials: Vec::new() };
        Self::trained(kind.name(), &details, config.seed, trained, 0.0)
    }
}

impl Model for Flow<f32> {
    fn tensors(&self) -> Vec<Tensor> {
        let parameters = self.parameters();
        let views = self.parameter_views().iter();
        views.map(|v| Tensor::singles(&v.name, &v.shape, &parameters[v.range.clone()])).collect()
    }

    fn flow(&self) -> Option<&Flow<f32>> {
        Some(self)
    }

    fn in_double(&self) -> Option<Arc<dyn Model>> {
        Some(Arc::new(self.cast::<f64>()))
    }

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        self.log_prob_in(graph, &at.values, &at.order)
    }
}

/// A flow that was trained in single precision and is evaluated in double.
impl Model for Flow<f64> {
    fn tensors(&self) -> Vec<Tensor> {
        self.cast::<f32>().tensors()
    }

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        self.log_prob_in(graph, &at.values, &at.order)
    }
}

/// A flow, as its tensors and its architecture give it.
pub(super) fn read(reading: &Reading<'_>) -> Result<Arc<dyn Model>, ArtifactError> {
    let config = reading.details::<FlowDetails>()?.flow;
    let d = reading.n_coordinates();
    if config.n_features != d {
        let what = format!("its flow has {} coordinates, its encoder {d}", config.n_features);
        return Err(reading.damaged(what));
    }
    if config.context != reading.context() {
        return Err(reading.damaged("its flow is conditioned on other coordinates than its encoder".into()));
    }
    let impossible = |source| ArtifactError::Flow { path: reading.folder().to_path_buf(), source };
    // Any seed will do: only the names and shapes of its parameters are asked.
    let blank = Flow::<f32>::new(&config, Seed(0)).map_err(impossible)?;
    let mut parameters = Vec::with_capacity(blank.parameters().len());
    for view in blank.parameter_views() {
        parameters.extend(reading.singles(&view.name, &view.shape)?);
    }
    Ok(Arc::new(Flow::from_parameters(&config, parameters).map_err(impossible)?))
}
