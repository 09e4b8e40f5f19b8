//! Autoregressive mixtures of t distributions: each coordinate is a mixture of regressions on those before it,
//! whose weights depend on them too. Like mixtures of t distributions they are fitted in the coordinates of
//! the encoder and in straight ones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::straight::{Straight, Straightened};
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{
    ArmixConfig, ArmixTrial, AutoregressiveMixture, Experts, Kernel, Link, MixtureError, fit_armix,
};
use crate::features::{Bundle, Shape};
use crate::train::{Key, Range, apply_settings, key};

use super::gmm::Coordinates;

pub(super) static ARMIX: Definition = Definition {
    name: "armix",
    help: "Autoregressive mixture: each column a mixture of t distributions given the columns before it",
    role: Role::Mixture,
    noun: "autoregressive mixture",
    trained: false,
    options: &["--time-budget", "--set"],
    estimator: |shape, options| {
        if let Shape::Windows { .. } = shape {
            return Err(FitError::usage(
                "`--model armix` is for tables, and the bundle holds windows of signals",
                "use --model var, which regresses each sample on those before it",
            ));
        }
        let mut config = ArmixConfig::default();
        apply_settings(&mut config, &keys(), &options.settings)?;
        Ok(Box::new(ArmixEstimator { config }))
    },
    read: read_density,
};

/// The keys of `--set`.
fn keys() -> Vec<Key<ArmixConfig>> {
    let most_experts = |c: &ArmixConfig| c.experts.last().map_or(f64::NAN, |&k| k as f64);
    vec![
        Key::number(
            "most_experts",
            "largest number of experts of a column",
            Range::whole(1, 64),
            most_experts,
            |c: &mut ArmixConfig, x| {
                let most = x as usize;
                c.experts.retain(|&k| k < most);
                c.experts.push(most);
            },
        ),
        Key::number(
            "ridge",
            "records that the pull towards a single regression is worth, instead of a search",
            Range::above(0.0, 1e6),
            |c: &ArmixConfig| c.ridge[0],
            |c: &mut ArmixConfig, x| c.ridge = vec![x],
        ),
        Key::number(
            "degrees",
            "degrees of freedom of the t distributions, instead of a search",
            Range::above(0.0, 1e6),
            |c: &ArmixConfig| c.degrees[0],
            |c: &mut ArmixConfig, x| c.degrees = vec![x],
        ),
        key!(ArmixConfig, most_given: usize, Range::whole(0, 1000), "most columns that one is regressed on"),
        key!(ArmixConfig, search_rows: usize, Range::whole(1, 1 << 30), "most rows of the search"),
        key!(ArmixConfig, rows: usize, Range::whole(1, 1 << 30), "most rows of the final fit"),
        key!(ArmixConfig, tolerance: f64, Range::above(0.0, 1.0),
            "gain in nats below which an iteration is the last"),
        key!(ArmixConfig, max_iterations: usize, Range::whole(1, 100_000), "largest number of iterations"),
    ]
}

/// An autoregressive mixture on the training records. The validation records choose its settings, and whether
/// its coordinates are the encoder's or straight.
#[derive(Debug, Clone, Default)]
pub struct ArmixEstimator {
    /// What is tried. Its seed and its context are those of the run and of the bundle.
    pub config: ArmixConfig,
}

/// What the header says about an autoregressive mixture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ArmixDetails {
    /// What was tried.
    pub search: ArmixConfig,
    /// What was chosen for each coordinate, in the order in which they can be drawn.
    pub links: Vec<ArmixTrial>,
    /// Whether its coordinates are straight instead of the encoder's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub straight: bool,
}

/// A density that was found, with the value by which it was chosen.
pub(super) struct Found {
    pub(super) fitted: Fitted,
    criterion: f64,
}

impl Estimator for ArmixEstimator {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let half = run.time_budget.map(|budget| 0.5 * budget);
        let mut found = self.encoded(bundle, &Run { time_budget: half, ..*run })?;
        let left = run.time_budget.map(|budget| budget - started.elapsed().as_secs_f64());
        match self.straight(bundle, &Run { time_budget: left, ..*run }) {
            Some(Ok(straight)) if straight.criterion > found.criterion => found = straight,
            Some(Err(e)) => {
                run.progress.note(&format!("no autoregressive mixture in straight coordinates: {e}"));
            }
            Some(Ok(_)) | None => {}
        }
        found.fitted.seconds = started.elapsed().as_secs_f64();
        Ok(found.fitted)
    }
}

impl ArmixEstimator {
    /// A shorter search, for members of an ensemble.
    pub(super) fn quick() -> Self {
        Self { config: ArmixConfig::quick() }
    }

    /// The density in the coordinates of the encoder.
    pub(super) fn encoded(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Found, MixtureError> {
        let (density, details, criterion) = self.search(None, bundle, run)?;
        Ok(found(Arc::new(density), &details, criterion))
    }

    /// The density in straight coordinates; nothing where those of the encoder are straight.
    pub(super) fn straight(&self, bundle: &Bundle, run: &Run<'_>) -> Option<Result<Found, MixtureError>> {
        let map = Straight::of(&bundle.manifest.encoder)?;
        let searched = self.search(Some(&map), bundle, run);
        Some(searched.map(|(density, details, criterion)| {
            found(Arc::new(Straightened::new(map, density)), &details, criterion)
        }))
    }

    fn search(
        &self,
        map: Option<&Straight>,
        bundle: &Bundle,
        run: &Run<'_>,
    ) -> Result<(AutoregressiveMixture, ArmixDetails, f64), MixtureError> {
        let deadline = run.time_budget.and_then(|s| {
            Instant::now().checked_add(Duration::try_from_secs_f64(s.max(0.0)).ok()?)
        });
        let context = bundle.manifest.encoder.context_coordinates();
        let search = ArmixConfig { seed: run.seed, context, ..self.config.clone() };
        let rows = Coordinates::of(map, bundle, run.seed);
        let (density, links) =
            fit_armix(rows.train.view(), rows.validation.view(), rows.copies, &search, deadline)?;
        let criterion = links.iter().map(|link| link.criterion).sum::<f64>() + rows.validation_log_det;
        Ok((density, ArmixDetails { search, links, straight: map.is_some() }, criterion))
    }
}

fn found(model: Arc<dyn Model>, details: &ArmixDetails, criterion: f64) -> Found {
    Found { fitted: Fitted::new(ARMIX.name, model, details, details.search.seed, 0.0), criterion }
}

impl Model for AutoregressiveMixture {
    fn tensors(&self) -> Vec<Tensor> {
        let mut tensors =
            vec![Tensor::doubles("centre", &self.centre()), Tensor::doubles("scale", &self.scale())];
        for (i, link) in self.links().iter().enumerate() {
            tensors.push(Tensor::doubles(&format!("{i}.gates"), &link.experts.gates()));
            tensors.push(Tensor::doubles(&format!("{i}.slopes"), &link.experts.slopes()));
            tensors.push(Tensor::doubles(&format!("{i}.scales"), &link.experts.scales()));
        }
        tensors
    }
}

fn read_density(reading: &Reading<'_>) -> Result<Arc<dyn Model>, ArtifactError> {
    let details: ArmixDetails = reading.details()?;
    let d = reading.n_coordinates();
    let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
    let vector = |name: &str, n: usize| Ok::<_, ArtifactError>(Array1::from_vec(reading.doubles(name, &[n])?));
    let mut links = Vec::with_capacity(details.links.len());
    for (i, link) in details.links.iter().enumerate() {
        let (q, k) = (link.given.len() + 1, link.experts);
        let matrix = |name: &str| {
            let numbers = reading.doubles(&format!("{i}.{name}"), &[q, k])?;
            Ok::<_, ArtifactError>(
                Array2::from_shape_vec((q, k), numbers).expect("invariant: shapes were checked"),
            )
        };
        let scales = vector(&format!("{i}.scales"), k)?;
        let experts = Experts::new(Kernel::T(link.degrees), matrix("gates")?, matrix("slopes")?, scales);
        let experts = experts.map_err(impossible)?;
        links.push(Link { coordinate: link.coordinate, given: link.given.clone(), experts });
    }
    let density =
        AutoregressiveMixture::new(vector("centre", d)?, vector("scale", d)?, reading.context().to_vec(), links)
            .map_err(impossible)?;
    if !details.straight {
        return Ok(Arc::new(density));
    }
    let map = Straight::of(reading.encoder()).ok_or_else(|| {
        reading.damaged("its mixture is said to have straight coordinates, and its encoder bends none".into())
    })?;
    Ok(Arc::new(Straightened::new(map, density)))
}
