//! The butterfly layer as a bijector, and permutations that are routed through it.

use super::*;
use crate::flow::draw::permutation;
use crate::flow::gradcheck::check_bijector;
use crate::flow::schedule::radix2_levels;
use crate::random::Seed;

#[test]
fn every_schedule_and_parametrisation_is_a_bijector() {
    for d in [1, 2, 5, 8, 11] {
        for parametrisation in [Parametrisation::Raw, Parametrisation::Rotation] {
            check_bijector(&ButterflyLayer::benes(d, parametrisation), 21);
            for share_weights in [false, true] {
                let options = Radix2 {
                    levels: radix2_levels(d),
                    coarsest_last: share_weights,
                    both_directions: d == 5,
                    share_weights,
                };
                check_bijector(&ButterflyLayer::radix2(d, options, parametrisation), 22);
            }
        }
    }
}

#[test]
fn a_permutation_is_routed_through_the_matrices() {
    let mut rng = Seed(9).stream("test", 0);
    for d in [1, 2, 3, 7, 16, 37] {
        let order = permutation(d, &mut rng);
        for parametrisation in [Parametrisation::Raw, Parametrisation::Rotation] {
            let layer = ButterflyLayer::benes(d, parametrisation);
            let mut parameters = vec![0.3f64; Bijector::<f64>::n_parameters(&layer)];
            layer.set_permutation(&mut parameters, &order).unwrap();
            let mut z: Vec<f64> = (1..=d).map(|i| i as f64).collect();
            let mut ladj = [0.0];
            layer.forward(&parameters, &mut z, &mut ladj, &mut Tape::default(), None);
            for (z, &from) in z.iter().zip(&order) {
                let z = if parametrisation == Parametrisation::Raw { *z } else { z.abs() };
                // Each quarter turn leaves a rounding error of cos(π/2) = 6e-17.
                assert!((z - (from + 1) as f64).abs() < 1e-13, "d = {d}");
            }
            assert_eq!(ladj[0], 0.0);
        }
    }
}

#[test]
fn only_benes_layers_route_and_only_permutations_are_routed() {
    let options = Radix2 { levels: 2, coarsest_last: false, both_directions: false, share_weights: false };
    let layer = ButterflyLayer::radix2(4, options, Parametrisation::Raw);
    assert!(layer.set_permutation(&mut [0.0f64; 16], &[0, 1, 2, 3]).is_err());
    let layer = ButterflyLayer::benes(3, Parametrisation::Raw);
    assert!(layer.set_permutation(&mut [0.0f64; 12], &[0, 1, 1]).is_err());
    assert!(layer.set_permutation(&mut [0.0f64; 12], &[0, 1]).is_err());
}

#[test]
fn a_singular_raw_matrix_is_an_error_not_a_nan() {
    let layer = ButterflyLayer::benes(2, Parametrisation::Raw);
    let error = layer.inverse(&[1.0f32, 2.0, 2.0, 4.0], &mut [1.0, 1.0], &mut Tape::default());
    assert_eq!(error, Err(FlowError::Singular { layer: "butterfly".into() }));
}
