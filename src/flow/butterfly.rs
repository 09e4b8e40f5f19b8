//! The butterfly layer: a product of stages, each a set of 2×2 matrices on disjoint pairs of coordinates.
//!
//! ```text
//! z_p = a x_p + b x_q        z_q = c x_p + d x_q        ladj = Σ_pairs log|ad − bc|
//! ```
//!
//! Parametrisations of one matrix M = [[a, b], [c, d]]:
//!
//! - **raw**: a, b, c, d themselves, as in the paper. log|ad − bc| is finite at an exact swap, where the reference's
//!   log|a| + log|d − cb/a| is not.
//! - **rotation**: M = R(θ)·[[e^α, u], [0, e^β]] with R(θ) = [[cos θ, −sin θ], [sin θ, cos θ]]. Always invertible,
//!   log|det| = α + β, and a quarter turn is a swap up to one sign.
//!
//! In feature-major layout a pair is two contiguous rows combined with four scalars, whatever the pairs are.
//!
//! # References
//! Meng et al. (2022), ButterflyFlow, arXiv:2209.13774; Dao et al. (2019), Learning fast algorithms for linear
//! transforms using butterfly factorizations, arXiv:1903.05895.

use std::f64::consts::FRAC_PI_2;

use serde::{Deserialize, Serialize};

use super::bijector::{Bijector, ParameterSpec, Tape};
use super::draw::standard_normal;
use super::error::FlowError;
use super::lanes::{cross, sum, two_rows};
use super::schedule::{Stage, benes, radix2_blocks, route};
use crate::num::real::Real;
use crate::random::StreamRng;

/// How a 2×2 matrix is written in parameters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Parametrisation {
    /// Its four entries.
    Raw,
    /// Rotation × upper triangular with positive diagonal.
    #[default]
    Rotation,
}

/// Radix-2 options of the public reference implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radix2 {
    /// Number of levels, at most ⌈log₂ n⌉ of which do anything.
    pub levels: usize,
    /// Whether level 0, the coarsest, comes last.
    pub coarsest_last: bool,
    /// Whether the levels go from coarsest to finest and back, with matrices of their own on the way back; as in the
    /// reference, whatever `coarsest_last` says.
    pub both_directions: bool,
    /// Whether all pairs of a block share one matrix.
    pub share_weights: bool,
}

#[derive(Debug, Clone)]
struct Pair {
    p: usize,
    q: usize,
    /// Index of its matrix.
    matrix: usize,
}

/// A product of stages of 2×2 matrices.
#[derive(Debug, Clone)]
pub struct ButterflyLayer {
    n_features: usize,
    stages: Vec<Vec<Pair>>,
    n_matrices: usize,
    parametrisation: Parametrisation,
    is_benes: bool,
    /// Standard deviation of the angles at the start; 0 starts as the identity.
    spread: f64,
}

impl ButterflyLayer {
    /// Any stages: each a list of groups of pairs, one matrix per group.
    fn from_groups(n_features: usize, stages: Vec<Vec<Stage>>, parametrisation: Parametrisation) -> Self {
        let mut n_matrices = 0;
        let stages = stages
            .into_iter()
            .map(|groups| {
                let mut pairs = Vec::new();
                for group in groups {
                    pairs.extend(group.into_iter().map(|(p, q)| Pair { p, q, matrix: n_matrices }));
                    n_matrices += 1;
                }
                pairs
            })
            .collect();
        Self { n_features, stages, n_matrices, parametrisation, is_benes: false, spread: 0.0 }
    }

    /// The paper's schedule, ragged where 2^(level+1) does not divide `n_features`.
    pub fn radix2(n_features: usize, options: Radix2, parametrisation: Parametrisation) -> Self {
        let mut levels: Vec<usize> = (0..options.levels).collect();
        if options.both_directions {
            levels.extend((0..options.levels).rev());
        } else if options.coarsest_last {
            levels.reverse();
        }
        let stages = levels
            .into_iter()
            .map(|level| {
                let blocks = radix2_blocks(n_features, level);
                if options.share_weights { blocks } else { singles(&blocks.concat()) }
            })
            .collect();
        Self::from_groups(n_features, stages, parametrisation)
    }

    /// The Beneš schedule, which reaches every permutation.
    pub fn benes(n_features: usize, parametrisation: Parametrisation) -> Self {
        let stages = benes(n_features).iter().map(|stage| singles(stage)).collect();
        Self { is_benes: true, ..Self::from_groups(n_features, stages, parametrisation) }
    }

    /// Starts from random matrices near a rotation by N(0, `spread`²) instead of the identity.
    #[must_use]
    pub fn with_random_start(self, spread: f64) -> Self {
        Self { spread, ..self }
    }

    /// Number of stages.
    pub fn n_stages(&self) -> usize {
        self.stages.len()
    }

    /// Number of 2×2 matrices, fewer than pairs where they are shared.
    pub fn n_matrices(&self) -> usize {
        self.n_matrices
    }

    /// Sets the matrices of a Beneš layer so that z\[i\] = ±x\[permutation\[i\]\]; raw matrices make every sign +.
    ///
    /// # Errors
    /// Where `permutation` is none of the layer's size, or the layer is not a Beneš network.
    pub fn set_permutation<T: Real>(
        &self,
        parameters: &mut [T],
        permutation: &[usize],
    ) -> Result<(), FlowError> {
        if !self.is_benes {
            return Err(FlowError::Missing { what: "Beneš switches to route a permutation through".into() });
        }
        if permutation.len() != self.n_features {
            return Err(FlowError::NotAPermutation { n_features: self.n_features });
        }
        let swaps = route(permutation)?;
        for (pair, swap) in self.stages.iter().flatten().zip(swaps.concat()) {
            self.set_matrix(parameters, pair.matrix, if swap { FRAC_PI_2 } else { 0.0 }, swap);
        }
        Ok(())
    }

    /// Writes a rotation by `angle` or, where the parametrisation allows it and `swap` asks for it, an exact swap.
    fn set_matrix<T: Real>(&self, parameters: &mut [T], matrix: usize, angle: f64, swap: bool) {
        let (sin, cos) = angle.sin_cos();
        match self.parametrisation {
            Parametrisation::Raw => {
                let entries = if swap { [0.0, 1.0, 1.0, 0.0] } else { [cos, -sin, sin, cos] };
                for (to, from) in parameters[4 * matrix..4 * matrix + 4].iter_mut().zip(entries) {
                    *to = T::from_f64(from);
                }
            }
            Parametrisation::Rotation => {
                let m = self.n_matrices;
                parameters[matrix] = T::from_f64(angle);
                parameters[m + 2 * matrix..m + 2 * matrix + 2].fill(T::zero());
                parameters[3 * m + matrix] = T::zero();
            }
        }
    }

    /// Entries a, b, c, d of every matrix.
    fn entries<T: Real>(&self, parameters: &[T], entries: &mut [T]) {
        match self.parametrisation {
            Parametrisation::Raw => entries.copy_from_slice(parameters),
            Parametrisation::Rotation => {
                for (k, m) in entries.chunks_exact_mut(4).enumerate() {
                    let Rotation { sin, cos, scale_0, scale_1, shear } = self.rotation(parameters, k);
                    m[0] = cos * scale_0;
                    m[1] = cos * shear - sin * scale_1;
                    m[2] = sin * scale_0;
                    m[3] = sin * shear + cos * scale_1;
                }
            }
        }
    }

    fn rotation<T: Real>(&self, parameters: &[T], k: usize) -> Rotation<T> {
        let m = self.n_matrices;
        let (sin, cos) = parameters[k].sin_cos();
        let (scale_0, scale_1) = (parameters[m + 2 * k].exp(), parameters[m + 2 * k + 1].exp());
        Rotation { sin, cos, scale_0, scale_1, shear: parameters[3 * m + k] }
    }

    /// Σ over pairs of log|det|.
    fn log_determinant<T: Real>(&self, parameters: &[T], entries: &[T]) -> T {
        self.stages
            .iter()
            .flatten()
            .map(|pair| match self.parametrisation {
                Parametrisation::Raw => determinant(&entries[4 * pair.matrix..]).abs().ln(),
                Parametrisation::Rotation => {
                    let at = self.n_matrices + 2 * pair.matrix;
                    parameters[at] + parameters[at + 1]
                }
            })
            .sum()
    }

    /// From ∂L/∂(a, b, c, d), which includes no log-determinant, to ∂L/∂θ including it.
    fn chain<T: Real>(&self, parameters: &[T], d_entries: &[T], d_ladj: T, parameter_gradient: &mut [T]) {
        let m = self.n_matrices;
        match self.parametrisation {
            Parametrisation::Raw => {
                for (to, &from) in parameter_gradient.iter_mut().zip(d_entries) {
                    *to += from;
                }
                // ∂ log|ad − bc| / ∂(a, b, c, d) = (d, −c, −b, a) / (ad − bc)
                for pair in self.stages.iter().flatten() {
                    let at = 4 * pair.matrix;
                    let factor = d_ladj / determinant(&parameters[at..]);
                    parameter_gradient[at] += factor * parameters[at + 3];
                    parameter_gradient[at + 1] -= factor * parameters[at + 2];
                    parameter_gradient[at + 2] -= factor * parameters[at + 1];
                    parameter_gradient[at + 3] += factor * parameters[at];
                }
            }
            Parametrisation::Rotation => {
                for (k, g) in d_entries.chunks_exact(4).enumerate() {
                    let Rotation { sin, cos, scale_0, scale_1, shear } = self.rotation(parameters, k);
                    // ∂M/∂θ = R(θ + 90°)·T = [[−c, −d], [a, b]]
                    let (a, b) = (cos * scale_0, cos * shear - sin * scale_1);
                    let (c, d) = (sin * scale_0, sin * shear + cos * scale_1);
                    parameter_gradient[k] += g[2] * a + g[3] * b - g[0] * c - g[1] * d;
                    parameter_gradient[m + 2 * k] += (g[0] * cos + g[2] * sin) * scale_0;
                    parameter_gradient[m + 2 * k + 1] += (g[3] * cos - g[1] * sin) * scale_1;
                    parameter_gradient[3 * m + k] += g[1] * cos + g[3] * sin;
                }
                for pair in self.stages.iter().flatten() {
                    parameter_gradient[m + 2 * pair.matrix] += d_ladj;
                    parameter_gradient[m + 2 * pair.matrix + 1] += d_ladj;
                }
            }
        }
    }
}

struct Rotation<T> {
    sin: T,
    cos: T,
    scale_0: T,
    scale_1: T,
    shear: T,
}

fn singles(stage: &[(usize, usize)]) -> Vec<Stage> {
    stage.iter().map(|&pair| vec![pair]).collect()
}

fn determinant<T: Real>(m: &[T]) -> T {
    m[0] * m[3] - m[1] * m[2]
}

/// x ← [[a, b], [c, d]] x on the rows of every pair; `matrix` gives a, b, c, d.
fn apply<T: Real>(stage: &[Pair], x: &mut [T], n: usize, matrix: impl Fn(usize) -> [T; 4]) {
    for pair in stage {
        let [a, b, c, d] = matrix(pair.matrix);
        let (upper, lower) = two_rows(x, n, pair.p, pair.q);
        for (u, l) in upper.iter_mut().zip(lower) {
            (*u, *l) = (a * *u + b * *l, c * *u + d * *l);
        }
    }
}

impl<T: Real> Bijector<T> for ButterflyLayer {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        let m = self.n_matrices;
        match self.parametrisation {
            Parametrisation::Raw => vec![ParameterSpec::new("matrix", &[m, 2, 2])],
            Parametrisation::Rotation => vec![
                ParameterSpec::new("angle", &[m]),
                ParameterSpec::new("log_diagonal", &[m, 2]),
                ParameterSpec::new("shear", &[m]),
            ],
        }
    }

    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng) {
        for k in 0..self.n_matrices {
            let angle = if self.spread > 0.0 { self.spread * standard_normal(rng) } else { 0.0 };
            self.set_matrix(parameters, k, angle, false);
        }
    }

    fn forward(
        &self,
        parameters: &[T],
        x: &mut [T],
        ladj: &mut [T],
        tape: &mut Tape<T>,
        _dropout: Option<&mut StreamRng>,
    ) {
        let n = ladj.len();
        let [entries, inputs] = tape.slots([4 * self.n_matrices, self.stages.len() * x.len()]);
        self.entries(parameters, entries);
        let size = x.len();
        for (i, stage) in self.stages.iter().enumerate() {
            inputs[i * size..(i + 1) * size].copy_from_slice(x);
            apply(stage, x, n, |k| {
                [entries[4 * k], entries[4 * k + 1], entries[4 * k + 2], entries[4 * k + 3]]
            });
        }
        let total = self.log_determinant(parameters, entries);
        for l in ladj.iter_mut() {
            *l += total;
        }
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / self.n_features;
        let [entries] = tape.slots([4 * self.n_matrices]);
        self.entries(parameters, entries);
        for m in entries.chunks_exact_mut(4) {
            let reciprocal = T::one() / determinant(m);
            if !reciprocal.is_finite() {
                return Err(FlowError::Singular { layer: "butterfly".into() });
            }
            let [a, b, c, d] = [m[0], m[1], m[2], m[3]];
            m.copy_from_slice(&[d * reciprocal, -b * reciprocal, -c * reciprocal, a * reciprocal]);
        }
        for stage in self.stages.iter().rev() {
            apply(stage, z, n, |k| {
                [entries[4 * k], entries[4 * k + 1], entries[4 * k + 2], entries[4 * k + 3]]
            });
        }
        Ok(())
    }

    fn backward(
        &self,
        parameters: &[T],
        tape: &mut Tape<T>,
        gradient: &mut [T],
        ladj_gradient: &[T],
        parameter_gradient: &mut [T],
    ) {
        let n = ladj_gradient.len();
        let size = gradient.len();
        let four_m = 4 * self.n_matrices;
        let [entries, inputs, d_entries] = tape.slots([four_m, self.stages.len() * size, four_m]);
        d_entries.fill(T::zero());
        for (i, stage) in self.stages.iter().enumerate().rev() {
            let x = &inputs[i * size..(i + 1) * size];
            for &Pair { p, q, matrix } in stage {
                let (upper, lower) = two_rows(gradient, n, p, q);
                let products = cross(upper, lower, &x[p * n..(p + 1) * n], &x[q * n..(q + 1) * n]);
                for (d, g) in d_entries[4 * matrix..].iter_mut().zip(products) {
                    *d += g;
                }
            }
            // ∂L/∂x = Mᵀ ∂L/∂z
            apply(stage, gradient, n, |k| {
                [entries[4 * k], entries[4 * k + 2], entries[4 * k + 1], entries[4 * k + 3]]
            });
        }
        self.chain(parameters, d_entries, sum(ladj_gradient), parameter_gradient);
    }
}

#[cfg(test)]
mod tests {
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
                    // Each quarter turn leaves cos(π/2) = 6e-17 behind.
                    assert!((z - (from + 1) as f64).abs() < 1e-13, "d = {d}");
                }
                assert_eq!(ladj[0], 0.0);
            }
        }
    }

    #[test]
    fn only_benes_layers_route_and_only_permutations_are_routed() {
        let options =
            Radix2 { levels: 2, coarsest_last: false, both_directions: false, share_weights: false };
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
}
