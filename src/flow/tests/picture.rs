//! Tests of couplings with convolutions, and of what a flow of pictures factors out.

use super::*;
use crate::flow::bijector::{Bijector, Tape};
use crate::flow::coupling::Coupling as CouplingLayer;
use crate::flow::gradcheck::check_bijector;
use crate::flow::mlp::NetworkShape;
use crate::flow::picture::{Front, PictureSize, Pictures};
use crate::flow::spline::Spline;
use crate::flow::univariate::Univariate;
use crate::flow::window::Patched;

const AFFINE: Univariate = Univariate::Affine { log_scale_bound: 2.0 };
const NETWORK: NetworkShape =
    NetworkShape { hidden: 6, n_hidden_layers: 2, activation: Activation::Silu, dropout: 0.5 };

/// Flows of pictures of even and of odd sizes, of one channel and of several, with all linear layers.
pub(super) fn configs(small: &FlowConfig) -> Vec<FlowConfig> {
    let of = |[height, width, channels]: [usize; 3]| FlowConfig {
        n_features: height * width * channels,
        n_blocks: 3,
        hidden: 3,
        coupling: Coupling::Affine,
        picture: Some(Pictures::new(PictureSize { height, width, channels })),
        ..small.clone()
    };
    let dense = |config| FlowConfig { linear: Linear::PluDense, ..config };
    let fixed = |config| FlowConfig { linear: Linear::Permutation, ..config };
    let channels_only = |config: FlowConfig| FlowConfig {
        picture: config.picture.map(|p| Pictures { across_space: false, ..p }),
        ..config
    };
    let splines = |config| FlowConfig { coupling: Coupling::Spline { n_bins: 3, bound: 4.0 }, ..config };
    let after = |front, config: FlowConfig| FlowConfig {
        picture: config.picture.map(|p| Pictures { front, ..p }),
        n_blocks: 1,
        ..config
    };
    vec![
        of([4, 4, 1]),
        after(Front::Butterfly, of([1, 2, 3])),
        after(Front::Dense, of([2, 3, 1])),
        dense(of([4, 2, 2])),
        fixed(of([3, 4, 1])),
        channels_only(of([2, 2, 3])),
        of([1, 1, 1]),
        splines(of([1, 1, 3])),
        of([3, 3, 2]),
    ]
}

#[test]
fn convolutional_couplings_are_bijectors_of_pictures() {
    let spline = Univariate::Spline(Spline::new(3, 3.0));
    for (mask, [height, width], univariate) in [
        (&[false, true, true][..], [2, 3], AFFINE),
        (&[true, false], [3, 1], spline),
        (&[true, false], [1, 1], AFFINE),
        (&[true], [2, 2], AFFINE),
    ] {
        let coupling = CouplingLayer::new(mask, univariate, NETWORK).with_convolutions(height, width);
        check_bijector(&Patched::new(coupling, height * width), 36);
    }
}

#[test]
fn a_convolutional_coupling_sees_two_pixels_far_and_is_the_same_everywhere() {
    let side = 9;
    let coupling = CouplingLayer::new(&[false, true], AFFINE, NETWORK).with_convolutions(side, side);
    let layer = Patched::new(coupling, side * side);
    let mut parameters = vec![0.0f64; Bijector::<f64>::n_parameters(&layer)];
    layer.reset(&mut parameters, &mut Seed(6).stream("init", 0));
    parameters.iter_mut().enumerate().for_each(|(i, p)| *p += (i as f64).sin() / 4.0);
    // What becomes of the second channel, which is zero, where the first has one pixel that is not.
    let transformed = |lit: Option<usize>| {
        let mut x = vec![0.0; 2 * side * side];
        lit.into_iter().for_each(|pixel| x[pixel] = 1.0);
        layer.forward(&parameters, &mut x, &mut [0.0], &mut Tape::default(), None);
        x.split_off(side * side)
    };
    let dark = transformed(None);
    let answer =
        |lit: usize| -> Vec<f64> { transformed(Some(lit)).iter().zip(&dark).map(|(a, b)| a - b).collect() };
    let (first, second) = (answer(3 * side + 3), answer(4 * side + 5));
    for (i, a) in first.iter().enumerate() {
        let (row, column) = (i / side, i % side);
        let near = row.abs_diff(3) <= 2 && column.abs_diff(3) <= 2;
        assert_eq!(a.abs() > 1e-12, near, "pixel {row}, {column}: {a}");
        if near {
            assert!((a - second[i + side + 2]).abs() < 1e-12, "pixel {row}, {column}");
        }
    }
}

#[test]
fn half_of_the_channels_is_factored_out_and_left_alone_from_then_on() {
    let small = FlowConfig { hidden: 5, dropout: 0.0, ..FlowConfig::new(1) };
    let config = configs(&small).swap_remove(0);
    let mut flow = Flow::<f64>::new(&config, Seed(1)).unwrap();
    // Only the blocks of the second scale are moved away from the identity.
    let second = |name: &str| name.starts_with("block.2.") || name.starts_with("scale.1.");
    let moved: Vec<_> =
        flow.parameter_views().iter().filter(|v| second(&v.name)).map(|v| v.range.clone()).collect();
    moved.into_iter().flatten().for_each(|i| flow.parameters_mut()[i] += 0.3);
    let x = random_batch(16, 3);
    let (z, _) = flow.forward(x.view());
    // The 2 × 2 pixels of the first scale have four channels; the last two are the lower rows of squares.
    for channel in 0..4 {
        for pixel in 0..4 {
            let (row, column) = (2 * (pixel / 2) + channel / 2, 2 * (pixel % 2) + channel % 2);
            let to = if channel < 2 { None } else { Some(4 * channel + pixel) };
            let from = x.row(4 * row + column);
            match to {
                Some(to) => assert!(z.row(to).iter().zip(from).all(|(a, b)| (a - b).abs() < 1e-12)),
                None => assert!(z.rows().into_iter().all(|z| z.iter().zip(from).any(|(a, b)| a != b))),
            }
        }
    }
}

#[test]
fn settings_that_do_not_apply_to_pictures_are_named() {
    let size = PictureSize { height: 4, width: 4, channels: 1 };
    let config = FlowConfig {
        picture: Some(Pictures { scales: 9, ..Pictures::new(size) }),
        base: BaseKind::Mixture { n_components: 2, covariance: Covariance::Full },
        elementwise_spline: true,
        context: vec![0],
        ..FlowConfig::new(16)
    };
    let Err(FlowError::Config { problems }) = config.check() else { panic!("accepted") };
    for name in ["scales", "base", "elementwise_spline", "context"] {
        assert!(problems.iter().any(|p| p.contains(&format!("`{name}`"))), "{name}: {problems:?}");
    }
}
