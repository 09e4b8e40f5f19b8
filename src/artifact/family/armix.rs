//! Autoregressive mixtures of t distributions: each coordinate is a mixture of regressions on those before
//! it, whose weights depend on them too. Like mixtures of t distributions they are fitted in the coordinates
//! of the encoder and in straight ones.

use std::sync::Arc;
use std::time::Instant;

use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};

use crate::artifact::effort::deadline;
use crate::artifact::error::ArtifactError;
use crate::artifact::estimator::{Definition, Estimator, FitError, Fitted, Role, Run};
use crate::artifact::model::Model;
use crate::artifact::straight::{Straight, Straightened};
use crate::artifact::tensors::{Reading, Tensor};
use crate::baseline::{
    ArmixConfig, ArmixOrder, ArmixTrial, AutoregressiveMixture, Experts, Kernel, Link, MixtureError,
    fit_armix,
};
use crate::features::{Bundle, GraphCoordinates, Shape};
use crate::onnx::{Graph, Inexpressible, Value};
use crate::train::{Key, Range, apply_settings, key};

use super::gmm::Coordinates;
use super::join::join;

/// The orders whose densities are joined; see [`ArmixOrder`].
const ORDERS: [ArmixOrder; 5] = ArmixOrder::ALL;

/// Records × coordinates² up to which an ensemble has members of every order, and beyond it of the first two.
///
/// Mean validation and test log-likelihoods of one order, of the first two and of all five, each in both
/// kinds of coordinates: WDBC (249 × 30) 1.62 and 1.65, 2.26 and 2.39, 2.65 and 2.89; vehicle (592 × 18)
/// −1.39 and −1.76, −1.25 and −1.65, −0.93 and −1.21; Pima (350 × 8) −6.05 and −6.94, −5.90 and −6.88, −5.81
/// and −6.89; phoneme (2,672 × 5) −3.06 and −3.09, −3.00 and −3.02, −2.89 and −2.88. An order of 3,079 × 36
/// (satimage) takes half a minute of one processor.
const EVERY_ORDER: usize = 1_500_000;

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
        let mut chosen = ArmixEstimator::default();
        apply_settings(&mut chosen, &keys(), &options.settings)?;
        Ok(Box::new(chosen))
    },
    read: read_density,
};

/// The keys of `--set`.
fn keys() -> Vec<Key<ArmixEstimator>> {
    let order = Key::choice(
        "order",
        "the one order in which columns are conditioned on each other, instead of several",
        &ArmixOrder::NAMES,
        |estimator: &mut ArmixEstimator, name| {
            let at = ArmixOrder::NAMES.iter().position(|known| *known == name);
            estimator.orders = vec![ArmixOrder::ALL[at.expect("invariant: names were checked")]];
        },
    );
    let of_search = search_keys().into_iter().map(|key| {
        key.within(|estimator: &ArmixEstimator| &estimator.config, |estimator| &mut estimator.config)
    });
    std::iter::once(order).chain(of_search).collect()
}

/// The settings of each density.
fn search_keys() -> Vec<Key<ArmixConfig>> {
    vec![
        Key::number(
            "most_experts",
            "largest number of experts of a column",
            Range::whole(1, 64),
            |c: &ArmixConfig| c.experts.last().map_or(f64::NAN, |&k| k as f64),
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

/// Autoregressive mixtures on the training records, joined to one density: of every order, in the coordinates
/// of the encoder and in straight ones. The validation records choose the settings of each and the weights.
#[derive(Debug, Clone)]
pub struct ArmixEstimator {
    /// What is tried. Its seed, its order and its context are those of the run, of `orders` and of the
    /// bundle.
    pub config: ArmixConfig,
    /// The orders; at least one.
    pub orders: Vec<ArmixOrder>,
}

impl Default for ArmixEstimator {
    fn default() -> Self {
        Self { config: ArmixConfig::default(), orders: ORDERS.to_vec() }
    }
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

impl Estimator for ArmixEstimator {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let started = Instant::now();
        let members = self.members(bundle, run)?;
        Ok(join(bundle, run.seed, members, started.elapsed().as_secs_f64()))
    }
}

impl ArmixEstimator {
    /// A shorter search, for members of an ensemble on `n_train` records of `d` coordinates.
    pub(super) fn quick(n_train: usize, d: usize) -> Self {
        let orders = if n_train * d * d <= EVERY_ORDER { &ORDERS[..] } else { &ORDERS[..2] };
        Self { config: ArmixConfig::quick(), orders: orders.to_vec() }
    }

    /// The densities one by one. A budget of time is that of all of them, and each gets an equal share of
    /// what the ones before have left.
    pub(super) fn members(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Vec<Fitted>, MixtureError> {
        let started = Instant::now();
        let straight = Straight::of(&bundle.manifest.encoder);
        let maps = [Some(None), straight.as_ref().map(Some)];
        let maps: Vec<Option<&Straight>> = maps.into_iter().flatten().collect();
        let all = self.orders.len() * maps.len();
        let mut members = Vec::with_capacity(all);
        for map in maps {
            let rows = Coordinates::of(map, bundle, run.seed);
            for &order in &self.orders {
                let left = run.time_budget.map(|budget| budget - started.elapsed().as_secs_f64());
                let share = left.map(|left| left / (all - members.len()) as f64);
                members.push(self.member(
                    &rows,
                    (map, order),
                    bundle,
                    &Run { time_budget: share, ..*run },
                )?);
            }
        }
        Ok(members)
    }

    fn member(
        &self,
        rows: &Coordinates,
        (map, order): (Option<&Straight>, ArmixOrder),
        bundle: &Bundle,
        run: &Run<'_>,
    ) -> Result<Fitted, MixtureError> {
        let started = Instant::now();
        let search = ArmixConfig {
            seed: run.seed,
            order,
            context: bundle.manifest.encoder.context_coordinates(),
            deadline: run.time_budget.and_then(deadline),
            ..self.config.clone()
        };
        let (density, links) = fit_armix(rows.train.view(), rows.validation.view(), rows.copies, &search)?;
        let model: Arc<dyn Model> = match map {
            Some(map) => Arc::new(Straightened::new(map.clone(), density)),
            None => Arc::new(density),
        };
        let details = ArmixDetails { search, links, straight: map.is_some() };
        Ok(Fitted::new(ARMIX.name, model, &details, run.seed, started.elapsed().as_secs_f64()))
    }
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

    fn log_prob_in(&self, graph: &mut Graph, at: &GraphCoordinates) -> Result<Value, Inexpressible> {
        self.log_prob_in(graph, &at.values, &at.order)
    }
}

fn read_density(reading: &Reading<'_>) -> Result<Arc<dyn Model>, ArtifactError> {
    let details: ArmixDetails = reading.details()?;
    let d = reading.n_coordinates();
    let impossible = |source| ArtifactError::Mixture { path: reading.folder().to_path_buf(), source };
    let vector =
        |name: &str, n: usize| Ok::<_, ArtifactError>(Array1::from_vec(reading.doubles(name, &[n])?));
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
    let density = AutoregressiveMixture::new(
        vector("centre", d)?,
        vector("scale", d)?,
        reading.context().to_vec(),
        links,
    )
    .map_err(impossible)?;
    if !details.straight {
        return Ok(Arc::new(density));
    }
    let map = Straight::of(reading.encoder()).ok_or_else(|| {
        reading.damaged("its mixture is said to have straight coordinates, and its encoder bends none".into())
    })?;
    Ok(Arc::new(Straightened::new(map, density)))
}
