//! Builds the layers of a flow from its settings.

use super::actnorm::ActNorm;
use super::autoregressive::Autoregressive;
use super::base::Base;
use super::butterfly::{ButterflyLayer, Radix2};
use super::config::{Conditioning, Coupling as CouplingKind, FlowConfig, Linear, Schedule};
use super::coupling::Coupling;
use super::draw;
use super::elementwise::ElementwiseSpline;
use super::error::FlowError;
use super::linear::{Permutation, PluLinear};
use super::picture::build_picture;
use super::schedule::radix2_levels;
use super::spline::Spline;
use super::structure::{LinearEntry, Structure};
use super::univariate::Univariate;
use super::window::Windows;
use super::window::{Causal, Patched, between, channel_major, split_patches, time_major};
use crate::num::real::Real;
use crate::random::Seed;

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
    if let Some(picture) = &config.picture {
        return build_picture(structure, picture, univariate);
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
        let shape = config.network_shape();
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
    let shape = config.network_shape();
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
