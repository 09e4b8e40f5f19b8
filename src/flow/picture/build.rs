//! Builds the layers of a flow of pictures.

use super::layout::{channel_major, squeeze};
use super::settings::{Front, Pictures};
use crate::flow::actnorm::ActNorm;
use crate::flow::butterfly::{ButterflyLayer, Parametrisation};
use crate::flow::config::Linear;
use crate::flow::coupling::Coupling;
use crate::flow::draw;
use crate::flow::error::FlowError;
use crate::flow::linear::{Permutation, PluLinear};
use crate::flow::structure::{LinearEntry, Structure};
use crate::flow::univariate::Univariate;
use crate::flow::window::Patched;
use crate::num::real::Real;
use crate::random::Seed;

/// Builds the scales one after the other, and the distribution of the latent.
pub(in crate::flow) fn build_picture<T: Real>(
    mut structure: Structure<T>,
    picture: &Pictures,
    univariate: Univariate,
) -> Result<Structure<T>, FlowError> {
    let config = structure.config.clone();
    structure.push("order".into(), Permutation::new(channel_major(picture.size))?);
    // Many numbers of a picture hardly vary, others take two values. Every number has a scale of its own
    // before the layers that treat all places alike.
    structure.push("numbers.actnorm".into(), ActNorm::new(picture.size.n_numbers()));
    push_front(&mut structure, picture)?;
    let mut size = picture.size;
    for (scale, next) in picture.sizes().into_iter().enumerate() {
        if scale > 0 {
            // What is factored out are the last rows already.
            size.channels -= size.channels / 2;
        }
        let behind = config.n_features - size.n_numbers();
        if next != size {
            structure.push_before(behind, format!("scale.{scale}.squeeze"), Permutation::new(squeeze(size))?);
        }
        size = next;
        let (pixels, shape) = (size.n_pixels(), config.network_shape());
        let coupling = |transforms: &[bool]| {
            let coupling = Coupling::new(transforms, univariate, shape);
            Patched::new(coupling.with_convolutions(size.height, size.width), pixels)
        };
        for block in (0..config.n_blocks).filter(|&b| picture.scale_of(b, config.n_blocks) == scale) {
            structure.push_before(
                behind,
                format!("block.{block}.actnorm"),
                Patched::new(ActNorm::new(size.channels), pixels),
            );
            let name = format!("block.{block}.linear");
            let layer = structure.layers.len();
            let mut butterfly = None;
            match config.linear {
                Linear::Butterfly { parametrisation, .. } => {
                    let [height, width] =
                        if picture.across_space { [size.height, size.width] } else { [1, 1] };
                    let built = ButterflyLayer::of_grid([size.channels, height, width], parametrisation)
                        .with_random_start(config.random_start);
                    if picture.across_space {
                        butterfly = Some(built.clone());
                        structure.push_before(behind, name, built);
                    } else {
                        structure.push_before(behind, name, Patched::new(built, pixels));
                    }
                }
                Linear::PluDense => {
                    let dense = PluLinear::new((0..size.channels).collect())?;
                    structure.push_before(behind, name, Patched::new(dense, pixels));
                }
                Linear::Permutation => {
                    let mut rng = Seed(config.permutation_seed).stream("permutation", block as u64);
                    let fixed = Permutation::new(draw::permutation(size.channels, &mut rng))?;
                    structure.push_before(behind, name, Patched::new(fixed, pixels));
                }
            }
            structure.linears.push(LinearEntry { layer, butterfly });
            structure.push_before(
                behind,
                format!("block.{block}.coupling"),
                coupling(&config.transforms(block)),
            );
        }
        if scale + 1 < picture.scales {
            let kept = size.channels - size.channels / 2;
            let out: Vec<bool> = (0..size.channels).map(|c| c >= kept).collect();
            structure.push_before(behind, format!("scale.{scale}.prior"), coupling(&out));
        }
    }
    let specs = structure.base.specs();
    structure.base_range = structure.place("base", specs);
    Ok(structure)
}

/// Appends the layer that mixes all numbers, if there is one.
fn push_front<T: Real>(structure: &mut Structure<T>, picture: &Pictures) -> Result<(), FlowError> {
    let (name, d) = ("front.linear".to_owned(), picture.size.n_numbers());
    match picture.front {
        Front::None => {}
        Front::Butterfly => {
            let layer = ButterflyLayer::benes(d, Parametrisation::Rotation)
                .with_random_start(structure.config.random_start);
            structure.push(name, layer);
        }
        Front::Dense => structure.push(name, PluLinear::new((0..d).collect())?),
    }
    Ok(())
}
