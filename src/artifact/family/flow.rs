//! Normalising flows: butterflies, dense layers or fixed permutations between couplings. The three families
//! differ in the layer that mixes the coordinates, and share everything else.

use super::EVERY_OPTION;
use super::ensemble::{EnsembleConfig, FlowEnsemble};
use super::multi_scale;
use super::patches::PatchFlow;
use super::trained_flow::{TrainedFlow, read};
use crate::artifact::estimator::{
    Definition, DensityEstimator, Estimator, FitError, Fitted, Options, Role, Run,
};
use crate::features::{Bundle, Shape};
use crate::train::{self, FlowKind, FlowSettings, apply_settings};

pub(super) static BUTTERFLY: Definition = definition(
    FlowKind::Butterfly,
    "ButterflyFlow: learned butterfly layers and spline couplings",
    |shape, options| estimator(FlowKind::Butterfly, shape, options),
);
pub(super) static GLOW_LU: Definition = definition(
    FlowKind::GlowLu,
    "The same flow with dense PLU layers in place of the butterflies",
    |shape, options| estimator(FlowKind::GlowLu, shape, options),
);
pub(super) static REALNVP: Definition = definition(
    FlowKind::RealNvp,
    "The same flow with fixed permutations in place of the butterflies",
    |shape, options| estimator(FlowKind::RealNvp, shape, options),
);

const fn definition(
    kind: FlowKind,
    help: &'static str,
    estimator: fn(&Shape, &Options) -> Result<DensityEstimator, FitError>,
) -> Definition {
    let options = EVERY_OPTION;
    Definition {
        name: kind.name(),
        help,
        role: Role::Flow,
        noun: "flow",
        trained: true,
        options,
        estimator,
        read,
    }
}

fn estimator(kind: FlowKind, shape: &Shape, options: &Options) -> Result<DensityEstimator, FitError> {
    match shape {
        Shape::Table => of_vectors(kind, options.clone()),
        Shape::Grid { .. } => match multi_scale::estimator(kind, shape, options)? {
            Some(flow) => Ok(flow),
            None => of_vectors(kind, multi_scale::without_own_settings(options)),
        },
        Shape::Windows { .. } => Ok(Box::new(PatchFlow::new(kind, shape, options)?)),
    }
}

/// A flow that takes a record as a vector of numbers without neighbours.
fn of_vectors(kind: FlowKind, options: Options) -> Result<DensityEstimator, FitError> {
    let chosen = ChosenFlow { kind, options };
    // A wrong setting is told before anything is fitted. Its range does not depend on the number of records.
    chosen.settings(1, 1)?;
    Ok(Box::new(chosen))
}

/// A flow, or an ensemble of flows, whose size is chosen from the number of records and coordinates.
#[derive(Debug, Clone)]
struct ChosenFlow {
    kind: FlowKind,
    options: Options,
}

impl ChosenFlow {
    fn settings(&self, n_train: usize, d: usize) -> Result<FlowSettings, FitError> {
        let (flow, mut train) = train::preset(self.kind, self.options.preset, n_train, d);
        train.max_epochs = self.options.epochs.unwrap_or(train.max_epochs);
        let mut settings = FlowSettings { flow, train };
        apply_settings(&mut settings, &FlowSettings::keys(), &self.options.settings)?;
        Ok(settings)
    }
}

impl Estimator for ChosenFlow {
    type Model = Fitted;

    fn fit(&self, bundle: &Bundle, run: &Run<'_>) -> Result<Fitted, FitError> {
        let (n_train, d) = (bundle.manifest.splits.train, bundle.manifest.encoder.n_coordinates());
        let FlowSettings { flow, train } = self.settings(n_train, d)?;
        let flow = TrainedFlow { kind: self.kind, flow, train };
        let by_preset = EnsembleConfig::of(self.options.preset, n_train, d);
        let config = self.options.ensemble.map_or(by_preset, EnsembleConfig::of_flows);
        // What every other flow conditions on is the ensemble's choice only where it is not the user's.
        let conditioned = self.options.settings.iter().any(|(key, _)| key == "conditioning");
        // A budget may be too small for the flow, and then the mixtures are what there is.
        let mixture = config.mixture || (run.time_budget.is_some() && self.options.ensemble.is_none());
        let alternating = config.alternating && !conditioned;
        let config = EnsembleConfig { mixture, alternating, ..config };
        if config == EnsembleConfig::SINGLE {
            flow.fit(bundle, run)
        } else {
            FlowEnsemble { flow, config }.fit(bundle, run)
        }
    }
}
