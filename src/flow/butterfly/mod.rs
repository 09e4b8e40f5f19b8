//! The butterfly layer: a product of stages. Each stage is a set of 2×2 matrices on disjoint pairs of
//! coordinates.
//!
//! ```text
//! z_p = a x_p + b x_q        z_q = c x_p + d x_q        ladj = Σ_pairs log|ad − bc|
//! ```
//!
//! A matrix M = [[a, b], [c, d]] has one of two parametrisations:
//!
//! - **raw**: the parameters are a, b, c, d themselves, as in the paper. At an exact swap, log|ad − bc| is
//!   finite, whereas log|a| + log|d − cb/a|, which the reference implementation computes, is not.
//! - **rotation**: M = R(θ)·[[e^α, u], [0, e^β]] with R(θ) = [[cos θ, −sin θ], [sin θ, cos θ]]. It is always
//!   invertible, with log|det| = α + β, and a quarter turn is a swap up to one sign.
//!
//! In the feature-major layout a pair consists of two contiguous rows, which are combined with four scalars,
//! whichever rows they are. The module `plan` decides in which order the pairs are processed; `kernel`
//! processes them.
//!
//! # References
//! Meng et al. (2022), ButterflyFlow, arXiv:2209.13774; Dao et al. (2019), Learning fast algorithms for
//! linear transforms using butterfly factorizations, arXiv:1903.05895.

mod grid;
mod kernel;
mod matrix;
mod plan;

use std::f64::consts::FRAC_PI_2;

use self::kernel::Scratch;
pub use self::matrix::Parametrisation;

use self::matrix::Matrices;
use self::plan::{Pair, Plan};
use super::affine::write_affine;
use super::bijector::{Bijector, ParameterSpec, Tape};
use super::draw::standard_normal;
use super::error::FlowError;
use super::lanes::{LANES, sum};
use super::pen::Pen;
use super::schedule::{Stage, benes, radix2_blocks, route};
use crate::num::real::Real;
use crate::num::simd::vectorized;
use crate::onnx::Inexpressible;
use crate::random::StreamRng;

/// The radix-2 options of the public reference implementation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Radix2 {
    /// Number of levels. At most ⌈log₂ n⌉ of them have an effect.
    pub levels: usize,
    /// Whether level 0, which is the coarsest, comes last.
    pub coarsest_last: bool,
    /// Whether the levels go from coarsest to finest and back, with separate matrices on the way back. As in
    /// the reference implementation, `coarsest_last` is then ignored.
    pub both_directions: bool,
    /// Whether all pairs of a block share one matrix.
    pub share_weights: bool,
}

/// A product of stages of 2×2 matrices.
#[derive(Debug, Clone)]
pub struct ButterflyLayer {
    n_features: usize,
    n_stages: usize,
    /// Number of matrices of each stage.
    per_stage: Vec<usize>,
    plan: Plan,
    matrices: Matrices,
    is_benes: bool,
    /// Standard deviation of the angles at the start. With 0 the layer starts as the identity.
    spread: f64,
}

impl ButterflyLayer {
    /// A layer of arbitrary stages. Each stage is a list of groups of pairs, and each group has one matrix.
    fn from_groups(n_features: usize, stages: Vec<Vec<Stage>>, parametrisation: Parametrisation) -> Self {
        let mut uses = Vec::new();
        let per_stage = stages.iter().map(Vec::len).collect();
        let stages: Vec<Vec<Pair>> = stages
            .into_iter()
            .map(|groups| {
                let mut pairs = Vec::new();
                for group in groups {
                    let matrix = uses.len();
                    uses.push(group.len());
                    pairs.extend(group.into_iter().map(|(p, q)| Pair { p, q, matrix }));
                }
                pairs
            })
            .collect();
        Self {
            n_features,
            n_stages: stages.len(),
            per_stage,
            plan: Plan::new(n_features, &stages),
            matrices: Matrices::new(parametrisation, uses),
            is_benes: false,
            spread: 0.0,
        }
    }

    /// The paper's schedule. It is ragged if `n_features` is not a multiple of 2^(level+1).
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

    /// The Beneš schedule, which can realise every permutation.
    pub fn benes(n_features: usize, parametrisation: Parametrisation) -> Self {
        let stages = benes(n_features).iter().map(|stage| singles(stage)).collect();
        Self { is_benes: true, ..Self::from_groups(n_features, stages, parametrisation) }
    }

    /// Starts from rotations by random angles with the distribution N(0, `spread`²), instead of from the
    /// identity.
    #[must_use]
    pub fn with_random_start(self, spread: f64) -> Self {
        Self { spread, ..self }
    }

    /// Number of stages.
    pub fn n_stages(&self) -> usize {
        self.n_stages
    }

    /// Number of 2×2 matrices. It is smaller than the number of pairs if pairs share matrices.
    pub fn n_matrices(&self) -> usize {
        self.matrices.len()
    }

    /// For each stage, the share of the squared entries of its matrices that is off their diagonals. A share
    /// of 0 means that no coordinate is mixed, ½ that the members of pairs are mixed evenly, 1 that they are
    /// swapped. `None` for a stage without pairs.
    pub(crate) fn mixing_by_stage<T: Real>(&self, parameters: &[T]) -> Vec<Option<f64>> {
        let mut entries = vec![T::zero(); 4 * self.n_matrices()];
        self.matrices.entries(parameters, &mut entries);
        let mut rest = entries.as_slice();
        self.per_stage
            .iter()
            .map(|&n| {
                let (stage, later) = rest.split_at(4 * n);
                rest = later;
                let square =
                    |i: usize| stage.iter().skip(i).step_by(4).map(|m| m.into_f64().powi(2)).sum::<f64>();
                let (off, on) = (square(1) + square(2), square(0) + square(3));
                (n > 0).then(|| off / (off + on))
            })
            .collect()
    }

    /// Sets the matrices of a Beneš layer so that z\[i\] = ±x\[permutation\[i\]\]. With raw matrices every
    /// sign is positive.
    ///
    /// # Errors
    /// If `permutation` is not a permutation of the layer's size, or if the layer is not a Beneš network.
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
        // Each switch has one matrix, and the matrices are in the order of the switches.
        for (k, swap) in swaps.concat().into_iter().enumerate() {
            self.matrices.set(parameters, k, if swap { FRAC_PI_2 } else { 0.0 }, swap);
        }
        Ok(())
    }

    /// Lengths of the scratch buffers of a block for a batch of `n` columns: its rows, and the inputs of its
    /// pairs.
    fn scratch_lengths(&self, n: usize) -> [usize; 2] {
        let width = kernel::pieces(n) * LANES;
        [self.plan.most_rows, 2 * self.plan.most_pairs].map(|rows| rows * width + ALIGNMENT)
    }

    /// Number of elements that the forward pass keeps for a batch of `n` columns.
    fn kept_length(&self, n: usize) -> usize {
        self.plan.total_rows * n.next_multiple_of(kernel::pieces(n) * LANES)
    }
}

/// Number of elements at the start of a buffer that may have to be skipped, so that pieces do not straddle
/// cache lines.
const ALIGNMENT: usize = 16;

fn singles(stage: &[(usize, usize)]) -> Vec<Stage> {
    stage.iter().map(|&pair| vec![pair]).collect()
}

/// Views a buffer as pieces of `LANES` elements, starting at its first cache line.
fn pieces<T: Real>(buffer: &mut [T]) -> &mut [[T; LANES]] {
    let skipped = buffer.as_ptr().align_offset(64).min(ALIGNMENT).min(buffer.len());
    buffer[skipped..].as_chunks_mut().0
}

impl<T: Real> Bijector<T> for ButterflyLayer {
    fn n_features(&self) -> usize {
        self.n_features
    }

    fn specs(&self) -> Vec<ParameterSpec> {
        self.matrices.specs()
    }

    fn reset(&self, parameters: &mut [T], rng: &mut StreamRng) {
        for k in 0..self.n_matrices() {
            let angle = if self.spread > 0.0 { self.spread * standard_normal(rng) } else { 0.0 };
            self.matrices.set(parameters, k, angle, false);
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
        let [block, _] = self.scratch_lengths(n);
        let kept_length = if tape.keeps() { self.kept_length(n) } else { 0 };
        let [entries, kept, block] = tape.slots([4 * self.n_matrices(), kept_length + ALIGNMENT, block]);
        self.matrices.entries(parameters, entries);
        let mut scratch = Scratch { block: pieces(block), inputs: &mut [] };
        let kept = &mut pieces(kept)[..kept_length / LANES];
        run(&self.plan, entries, false, x, n, &mut scratch, kept);
        let total = self.matrices.log_determinant(parameters, entries);
        for l in ladj.iter_mut() {
            *l += total;
        }
    }

    fn write(&self, parameters: &[T], pen: &mut Pen<'_>) -> Result<(), Inexpressible> {
        write_affine(self, parameters, pen);
        Ok(())
    }

    fn inverse(&self, parameters: &[T], z: &mut [T], tape: &mut Tape<T>) -> Result<(), FlowError> {
        let n = z.len() / self.n_features;
        let [block, _] = self.scratch_lengths(n);
        // The second slot is left alone: it belongs to the forward pass, and its backward pass may still
        // come.
        let [entries, _, block] = tape.slots([4 * self.n_matrices(), 0, block]);
        self.matrices.inverse_entries(parameters, entries)?;
        run(&self.plan, entries, true, z, n, &mut Scratch { block: pieces(block), inputs: &mut [] }, &mut []);
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
        let four_m = 4 * self.n_matrices();
        let ([block, inputs], kept_length) = (self.scratch_lengths(n), self.kept_length(n));
        let [entries, kept, block, inputs, d_entries] =
            tape.slots([four_m, kept_length + ALIGNMENT, block, inputs, four_m]);
        self.matrices.entries(parameters, entries);
        d_entries.fill(T::zero());
        let mut scratch = Scratch { block: pieces(block), inputs: pieces(inputs) };
        let kept = &pieces(kept)[..kept_length / LANES];
        run_backward(&self.plan, entries, kept, gradient, d_entries, n, &mut scratch);
        self.matrices.chain(parameters, d_entries, sum(ladj_gradient), parameter_gradient);
    }
}

/// Calls [`kernel::forward`] for the width of the batch and the CPU.
fn run<T: Real>(
    plan: &Plan,
    entries: &[T],
    reversed: bool,
    x: &mut [T],
    n: usize,
    scratch: &mut Scratch<'_, T>,
    inputs: &mut [[T; LANES]],
) {
    match kernel::pieces(n) {
        1 => {
            vectorized!(F => kernel::forward::<T, F, 1>(plan, entries, reversed, x, n, scratch, inputs));
        }
        2 => {
            vectorized!(F => kernel::forward::<T, F, 2>(plan, entries, reversed, x, n, scratch, inputs));
        }
        4 => {
            vectorized!(F => kernel::forward::<T, F, 4>(plan, entries, reversed, x, n, scratch, inputs));
        }
        _ => {
            vectorized!(F => kernel::forward::<T, F, 8>(plan, entries, reversed, x, n, scratch, inputs));
        }
    }
}

/// Calls [`kernel::backward`] for the width of the batch and the CPU.
fn run_backward<T: Real>(
    plan: &Plan,
    entries: &[T],
    inputs: &[[T; LANES]],
    gradient: &mut [T],
    d_entries: &mut [T],
    n: usize,
    scratch: &mut Scratch<'_, T>,
) {
    match kernel::pieces(n) {
        1 => vectorized!(F => kernel::backward::<T, F, 1>(
            plan, entries, inputs, gradient, d_entries, n, scratch
        )),
        2 => vectorized!(F => kernel::backward::<T, F, 2>(
            plan, entries, inputs, gradient, d_entries, n, scratch
        )),
        4 => vectorized!(F => kernel::backward::<T, F, 4>(
            plan, entries, inputs, gradient, d_entries, n, scratch
        )),
        _ => vectorized!(F => kernel::backward::<T, F, 8>(
            plan, entries, inputs, gradient, d_entries, n, scratch
        )),
    }
}

#[cfg(test)]
mod tests;
