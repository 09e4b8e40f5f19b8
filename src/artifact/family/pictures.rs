//! Causal flows of pictures.

use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{DensityEstimator, Estimator, FitError, Fitted, Options, Run};
use crate::artifact::model::Model;
use crate::artifact::tensors::{Reading, Tensor};
use crate::features::{Bundle, Shape};
use crate::grid::{Canvas, GridConfig, GridFlow, GridShape, Sight, fit_grid};
use crate::schema::Split;
use crate::train::{Keep, Key, Range, apply_settings, key};

/// Name of the family, which is that of causal flows of windows as well.
pub(super) const FAMILY: &str = "causal";
/// Name of the tensor with all parameters of the networks.
const NETWORKS: &str = "networks";

/// The keys of `--set`.
fn keys() -> Vec<Key<GridConfig>> {
    vec![
        key!(GridConfig, reach: usize, Range::whole(0, 64),
            "rows above and pixels on either side that are seen one by one; 0 chooses"),
        key!(GridConfig, hidden: usize, Range::whole(1, 4096), "width of the hidden layers"),
        key!(GridConfig, layers: usize, Range::whole(1, 16), "hidden layers"),
        key!(GridConfig, components: usize, Range::whole(1, 256), "logistic components of a number"),
        key!(GridConfig, batch_numbers: usize, Range::whole(1, 1 << 30),
            "numbers per step, rounded up to pictures"),
        key!(GridConfig, flat_share: f64, Range::above(0.0, 1.0), "share of flat pixels seen in an epoch"),
        key!(GridConfig, patience: u32, Range::whole(1, 1_000_000),
            "epochs without improvement that end the run"),
        key!(GridConfig, learning_rate: f64, Range::above(0.0, 1.0), "largest step"),
        key!(GridConfig, weight_decay: f32, Range::real(0.0, 10.0), "decay of weight matrices"),
    ]
}

/// A causal flow on the training pictures.
#[derive(Debug, Clone)]
struct PictureFlow {
    /// Networks and training. The seed and the budget are those of the run.
    config: GridConfig,
}

/// What the header says about a causal flow of pictures.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Details {
    /// Trainer settings.
    train: GridConfig,
    /// The size of its pictures.
    canvas: Canvas,
    /// What its networks see.
    sight: Sight,
    /// Sizes of the network of a channel.
    shape: GridShape,
}

/// The estimator, where records are pictures.
pub(super) fn estimator(shape: &Shape, options: &Options) -> Result<Option<DensityEstimator>, FitError> {
    match shape {
        Shape::Table | Shape::Windows { .. } => Ok(None),
        Shape::Grid { .. } => {
            let mut config = GridConfig::default();
            if let Some(epochs) = options.epochs {
                config.max_epochs = epochs;
            }
            apply_settings(&mut config, &keys(), &options.settings)?;
            Ok(Some(Box::new(PictureFlow { config })))
        }
    }
}

/// Reads a flow back, where its header is that of one of pictures.
pub(super) fn read(reading: &Reading<'_>) -> Result<Option<Arc<dyn Model>>, ArtifactError> {
    let Ok(details) = reading.details::<Details>() else { return Ok(None) };
    let n = details.canvas.channels.saturating_mul(details.shape.n_parameters());
    let networks = reading.singles(NETWORKS, &[n])?;
    if details.canvas.n_numbers() != reading.n_coordinates() {
        return Err(reading.damaged("its pictures have another size than its encoder says".into()));
    }
    let flow = GridFlow::new(details.canvas, details.sight, details.shape, networks);
    let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
    Ok(Some(Arc::new(flow.map_err(impossible)?)))
}

impl Estimator for PictureFlow {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let Shape::Grid { height, width, channels, levels } = bundle.manifest.shape else {
            return Err(FitError::usage(
                "the bundle holds no pictures",
                "ingest them by the pipeline images",
            ));
        };
        let canvas = Canvas { height, width, channels, levels };
        let of = |split| -> Vec<u8> {
            let rows = bundle.rows(split);
            rows.iter().flat_map(|row| bundle.raw.row(*row).to_vec()).map(|level| level as u8).collect()
        };
        let (train, validation) = (of(Split::Train), of(Split::Validation));
        let config =
            GridConfig { seed: run.seed, time_budget_seconds: run.time_budget, ..self.config.clone() };
        let identity = json!({
            "bundle_sha256": bundle.fingerprint(),
            "config": GridConfig { time_budget_seconds: None, ..config.clone() },
        });
        let keep = run.checkpoint.map(|dir| Keep { dir, run: &identity, resume: run.resume });
        // The budget is for all of the fit.
        let before = started.elapsed().as_secs_f64();
        let left = GridConfig {
            time_budget_seconds: run.time_budget.map(|budget| (budget - before).max(0.0)),
            ..config.clone()
        };
        let trained = fit_grid(canvas, &train, &validation, &left, keep, run.progress)?;
        let flow = &trained.model;
        let details = Details { train: config, canvas, sight: flow.sight(), shape: flow.shape() };
        Ok(Fitted::trained(FAMILY, &details, run.seed, trained, before))
    }
}

impl Model for GridFlow {
    fn tensors(&self) -> Vec<Tensor> {
        let networks = self.parameters();
        vec![Tensor::singles(NETWORKS, &[networks.len()], networks)]
    }

    fn pictures(&self) -> Option<&GridFlow> {
        Some(self)
    }

    fn judges_parts(&self) -> bool {
        false
    }
}
