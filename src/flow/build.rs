//! Builds the layers of a flow from its settings, and decides on their order, their names and their places in
//! the parameter buffer.

use std::ops::Range;

use super::actnorm::ActNorm;
use super::autoregressive::Autoregressive;
use super::base::Base;
use super::bijector::{Bijector, ParameterSpec};
use super::butterfly::{ButterflyLayer, Radix2};
use super::config::{Conditioning, Coupling as CouplingKind, FlowConfig, Linear, Schedule};
use super::coupling::Coupling;
use super::draw;
use super::elementwise::ElementwiseSpline;
use super::error::FlowError;
use super::leading::Leading;
use super::linear::{Permutation, PluLinear};
use super::mlp::NetworkShape;
use super::parameters::{ParameterView, views};
use super::schedule::radix2_levels;
use super::spline::Spline;
use super::univariate::Univariate;
use super::window::Windows;
use super::window::{Causal, Patched, between, channel_major, split_patches, time_major};
use crate::num::real::Real;
use crate::random::Seed;

/// A layer with its name and its range of the parameter buffer.
#[derive(Debug)]
pub(super) struct Entry<T: Real> {
    pub(super) name: String,
    pub(super) layer: Box<dyn Bijector<T>>,
    pub(super) range: Range<usize>,
}

/// The linear layer of a block.
#[derive(Debug)]
pub(super) struct LinearEntry {
    /// Index of the linear layer among all layers.
    pub(super) layer: usize,
    /// The layer itself, if it is a butterfly.
    pub(super) butterfly: Option<ButterflyLayer>,
}

/// Everything about a flow except the values of its parameters.
#[derive(Debug)]
pub(super) struct Structure<T: Real> {
    pub(super) config: FlowConfig,
    pub(super) layers: Vec<Entry<T>>,
    pub(super) linears: Vec<LinearEntry>,
    pub(super) base: Base,
    pub(super) base_range: Range<usize>,
    pub(super) views: Vec<ParameterView>,
    pub(super) n_parameters: usize,
    /// The causal layer of a flow of windows, with its index among all layers.
    pub(super) causal: Option<(usize, Causal)>,
}

impl<T: Real> Structure<T> {
    fn push(&mut self, name: String, layer: impl Bijector<T> + 'static) {
        let range = self.place(&name, layer.specs());
        self.layers.push(Entry { name, layer: Box::new(layer), range });
    }

    /// Appends a layer over the coordinates before the context.
    fn push_free(&mut self, name: String, layer: impl Bijector<T> + 'static) {
        self.push_before(self.config.context.len(), name, layer);
    }

    /// Appends a layer over all coordinates except the last `behind`.
    fn push_before(&mut self, behind: usize, name: String, layer: impl Bijector<T> + 'static) {
        match behind {
            0 => self.push(name, layer),
            behind => self.push(name, Leading::new(layer, behind)),
        }
    }

    /// Appends the arrays of one layer to the views and returns their range of the parameter buffer.
    fn place(&mut self, owner: &str, specs: Vec<ParameterSpec>) -> Range<usize> {
        let start = self.n_parameters;
        let named = |spec: ParameterSpec| ParameterSpec { name: format!("{owner}.{}", spec.name), ..spec };
        self.views.extend(views(start, specs.into_iter().map(named)));
        self.n_parameters = self.views.last().map_or(start, |view| view.range.end);
        start..self.n_parameters
    }
}

/// Checks `config` and builds the layers.
pub(super) fn build<T: Real>(config: &FlowConfig) -> Result<Structure<T>, FlowError> {
    config.check()?;
    let (d, n_context) = (config.n_free(), config.context.len());
    let mut structure = Structure {
        config: config.clone(),
        layers: Vec::new(),
        linears: Vec::new(),
        base: base(config),
        base_range: 0..0,
        views: Vec::new(),
        n_parameters: 0,
        causal: None,
    };
    let (univariate, spline) = match config.coupling {
        CouplingKind::Affine => {
            (Univariate::Affine { log_scale_bound: config.log_scale_bound }, Spline::new(8, 5.0))
        }
        CouplingKind::Spline { n_bins, bound } => {
            let spline = Spline::new(n_bins, bound);
            (Univariate::Spline(spline), spline)
        }
    };
    if let Some(window) = config.window {
        return build_window(structure, window, univariate);
    }
    if !config.context.iter().copied().eq(d..config.n_features) {
        // The context is moved behind the other coordinates. Both groups keep their order.
        let free = (0..config.n_features).filter(|i| !config.context.contains(i));
        let order = free.chain(config.context.iter().copied()).collect();
        structure.push("context.order".into(), Permutation::new(order)?);
    }
    if config.elementwise_spline {
        structure.push_free("elementwise".into(), ElementwiseSpline::new(d, spline));
    }
    for block in 0..config.n_blocks {
        structure.push_free(format!("block.{block}.actnorm"), ActNorm::new(d));
        push_linear(&mut structure, block)?;
        let shape = NetworkShape {
            hidden: config.hidden,
            n_hidden_layers: config.n_hidden_layers,
            activation: config.activation,
            dropout: config.dropout,
        };
        let name = format!("block.{block}.coupling");
        match config.conditioning {
            Conditioning::Coupling => {
                let coupling = Coupling::new(&config.transforms(block), univariate, shape);
                structure.push(name, coupling.with_context(n_context));
            }
            Conditioning::Autoregressive => {
                let reversed = !block.is_multiple_of(2);
                structure.push(name, Autoregressive::given(d, n_context, reversed, univariate, shape));
            }
        }
    }
    let specs = structure.base.specs();
    structure.base_range = structure.place("base", specs);
    Ok(structure)
}

/// The distribution of the latent. For windows it is a distribution over the C channels, applied to every
/// sample.
fn base(config: &FlowConfig) -> Base {
    match config.window {
        Some(w) => Base::new(w.channels, config.base).repeated(config.n_free() / w.channels),
        None => Base::new(config.n_free(), config.base),
    }
}

/// Builds a flow of windows: a causal layer, followed by blocks over patches. Permutation layers between the
/// blocks put the rows into the order that the next block needs.
fn build_window<T: Real>(
    mut structure: Structure<T>,
    window: Windows,
    univariate: Univariate,
) -> Result<Structure<T>, FlowError> {
    let config = structure.config.clone();
    let Windows { channels, order, .. } = window;
    let (length, past) = (config.n_free() / channels, config.context.len() / channels);
    // Samples that are given come first in time, but last in every layout of the window.
    let given = |own: Vec<usize>| -> Vec<usize> {
        own.into_iter().map(|i| i + past * channels).chain(0..past * channels).collect()
    };
    let mut layout = time_major(past + length, channels);
    let mut arrange = |structure: &mut Structure<T>, name: String, to: Vec<usize>| {
        if layout != to {
            structure.push(name, Permutation::new(between(&layout, &to))?);
            layout = to;
        }
        Ok::<(), FlowError>(())
    };
    if order > 0 {
        arrange(&mut structure, "causal.order".into(), channel_major(past + length, channels))?;
        let causal = Causal::new(past + length, channels, order).given(past);
        structure.causal = Some((structure.layers.len(), causal.clone()));
        structure.push("causal".into(), causal);
    }
    let shape = NetworkShape {
        hidden: config.hidden,
        n_hidden_layers: config.n_hidden_layers,
        activation: config.activation,
        dropout: config.dropout,
    };
    for block in 0..config.n_blocks {
        let (patch, splits) = (window.patch_of(block), config.splits_before(block));
        let (size, count) = (patch * channels, (length >> splits) / patch);
        let (kept, behind) = (size * count, config.n_features - size * count);
        let order = given(split_patches(length, channels, patch, splits));
        arrange(&mut structure, format!("block.{block}.order"), order)?;
        structure.push_before(
            behind,
            format!("block.{block}.actnorm"),
            Patched::new(ActNorm::new(size), count),
        );
        let name = format!("block.{block}.linear");
        let mut rng = Seed(config.permutation_seed).stream("permutation", block as u64);
        let layer = structure.layers.len();
        let mut butterfly = None;
        match config.linear {
            Linear::Butterfly { parametrisation, .. } if window.within_patches => {
                let options = Radix2 {
                    levels: radix2_levels(size),
                    coarsest_last: false,
                    both_directions: true,
                    share_weights: false,
                };
                let built = ButterflyLayer::radix2(size, options, parametrisation)
                    .with_random_start(config.random_start);
                butterfly = Some(built.clone());
                structure.push_before(behind, name, Patched::new(built, count));
            }
            Linear::Butterfly { parametrisation, .. } => {
                let options = Radix2 {
                    levels: radix2_levels(kept),
                    coarsest_last: false,
                    both_directions: false,
                    share_weights: window.share_weights,
                };
                let built = ButterflyLayer::radix2(kept, options, parametrisation)
                    .with_random_start(config.random_start);
                butterfly = Some(built.clone());
                structure.push_before(behind, name, built);
            }
            Linear::PluDense => {
                let dense = PluLinear::new((0..size).collect())?;
                structure.push_before(behind, name, Patched::new(dense, count));
            }
            Linear::Permutation => {
                let fixed = Permutation::new(draw::permutation(size, &mut rng))?;
                structure.push_before(behind, name, Patched::new(fixed, count));
            }
        }
        structure.linears.push(LinearEntry { layer, butterfly });
        let coupling =
            Coupling::new(&config.transforms(block), univariate, shape).with_neighbours(count, window.reach);
        structure.push_before(behind, format!("block.{block}.coupling"), Patched::new(coupling, count));
    }
    arrange(&mut structure, "base.order".into(), given(channel_major(length, channels)))?;
    let specs = structure.base.specs();
    structure.base_range = structure.place("base", specs);
    Ok(structure)
}

fn push_linear<T: Real>(structure: &mut Structure<T>, block: usize) -> Result<(), FlowError> {
    let config = structure.config.clone();
    let d = config.n_free();
    let name = format!("block.{block}.linear");
    let random_order =
        || draw::permutation(d, &mut Seed(config.permutation_seed).stream("permutation", block as u64));
    let mut butterfly = None;
    let layer = structure.layers.len();
    match config.linear {
        Linear::Butterfly { schedule, parametrisation } => {
            let built = match schedule {
                Schedule::Benes => ButterflyLayer::benes(d, parametrisation),
                Schedule::Radix2 => {
                    let levels = radix2_levels(d);
                    let options =
                        Radix2 { levels, coarsest_last: false, both_directions: false, share_weights: false };
                    ButterflyLayer::radix2(d, options, parametrisation)
                }
            };
            let built = built.with_random_start(config.random_start);
            butterfly = Some(built.clone());
            structure.push_free(name, built);
        }
        Linear::PluDense => {
            let order = if config.random_start > 0.0 { random_order() } else { (0..d).collect() };
            structure.push_free(name, PluLinear::new(order)?);
        }
        Linear::Permutation => structure.push_free(name, Permutation::new(random_order())?),
    }
    structure.linears.push(LinearEntry { layer, butterfly });
    Ok(())
}
