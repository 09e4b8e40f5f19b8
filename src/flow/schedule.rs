//! Schedules: which coordinates are combined in which stage of a butterfly.
//!
//! A *stage* is a list of disjoint pairs (p, q) with p < q. A layer applies a 2×2 matrix to each pair, stage
//! after stage.
//!
//! - **Radix 2** is the paper's schedule. Level l splits the n coordinates into 2^l blocks and each block
//!   into halves, and pairs coordinate k of the first half with coordinate k of the second half. If the
//!   length of a block is odd, its second half is longer by one, and the last coordinate is in no pair.
//! - **Beneš** realises every permutation of any n coordinates if its switches are set to identity or swap. A
//!   network for n coordinates consists of ⌊n/2⌋ switches, a network for ⌊n/2⌋ coordinates beside one for
//!   ⌈n/2⌉ coordinates, and ⌊n/2⌋ switches again. If n is a power of two, it is a butterfly followed by its
//!   transpose.
//!
//! # References
//! Meng et al. (2022), ButterflyFlow, arXiv:2209.13774; Beneš (1965); Chang & Melhem (1997), Arbitrary size
//! Benes networks, Parallel Processing Letters 7(3); Opferman & Tsao-Wu (1971) for the looping algorithm.

use super::draw::is_permutation;
use super::error::FlowError;

/// Disjoint pairs (p, q) with p < q that are combined at the same time.
pub type Stage = Vec<(usize, usize)>;

/// Number of radix-2 levels that have an effect: ⌈log₂ n⌉. If n is a power of two, every output then depends
/// on every input.
pub fn radix2_levels(n: usize) -> usize {
    n.next_power_of_two().trailing_zeros() as usize
}

/// Start and length of each of the 2^level blocks of `n` coordinates. Empty blocks are left out.
fn blocks(n: usize, level: usize) -> Vec<(usize, usize)> {
    let mut blocks = vec![(0, n)];
    for _ in 0..level {
        blocks = blocks
            .into_iter()
            .flat_map(|(start, n)| [(start, n / 2), (start + n / 2, n - n / 2)])
            .filter(|&(_, n)| n > 0)
            .collect();
    }
    blocks
}

/// The pairs of one radix-2 level, grouped by block.
pub fn radix2_blocks(n: usize, level: usize) -> Vec<Stage> {
    blocks(n, level)
        .into_iter()
        .map(|(start, n)| (start..start + n / 2).map(|k| (k, k + n / 2)).collect())
        .filter(|stage: &Stage| !stage.is_empty())
        .collect()
}

/// The pairs of one radix-2 level.
pub fn radix2(n: usize, level: usize) -> Stage {
    radix2_blocks(n, level).concat()
}

/// The stages of the Beneš network for `n` coordinates. There are 2⌈log₂ n⌉ − 1 of them, and none for n < 2.
pub fn benes(n: usize) -> Vec<Stage> {
    let identity: Vec<usize> = (0..n).collect();
    wire(&identity).into_iter().map(|stage| stage.into_iter().map(|s| s.pair).collect()).collect()
}

/// The switch settings with which the stages of [`benes`] realise y\[i\] = x\[permutation\[i\]\]. A setting
/// of true means a swap.
///
/// # Errors
/// [`FlowError::NotAPermutation`] if `permutation` is not a permutation.
pub fn route(permutation: &[usize]) -> Result<Vec<Vec<bool>>, FlowError> {
    if !is_permutation(permutation, permutation.len()) {
        return Err(FlowError::NotAPermutation { n_features: permutation.len() });
    }
    Ok(wire(permutation).into_iter().map(|stage| stage.into_iter().map(|s| s.swap).collect()).collect())
}

struct Switch {
    pair: (usize, usize),
    swap: bool,
}

fn wire(permutation: &[usize]) -> Vec<Vec<Switch>> {
    let mut stages = Vec::new();
    stages.resize_with(depth(permutation.len()), Vec::new);
    wire_into(permutation, 0, 0, &mut stages);
    stages
}

fn depth(n: usize) -> usize {
    match n {
        0 | 1 => 0,
        2 => 1,
        _ => 2 + depth(n.div_ceil(2)),
    }
}

/// Adds the network for the coordinates `offset..offset + n`, beginning at stage `first`.
fn wire_into(permutation: &[usize], offset: usize, first: usize, stages: &mut [Vec<Switch>]) {
    let n = permutation.len();
    if n < 2 {
        return;
    }
    if n == 2 {
        stages[first].push(Switch { pair: (offset, offset + 1), swap: permutation[0] == 1 });
        return;
    }
    let half = n / 2;
    let sides = colour(permutation);
    // Both members of a pair have the same index within their subnetworks.
    let slot = |i: usize| if i < half { i } else { i - half };
    // Output k of the upper network becomes output k, or output k + half if its switch swaps. For the lower
    // network it is the other way round.
    let upper: Vec<usize> =
        (0..half).map(|k| slot(permutation[if sides.output_lower[k] { k + half } else { k }])).collect();
    let lower: Vec<usize> = (0..n - half)
        .map(|k| slot(permutation[if k < half && sides.output_lower[k] { k } else { k + half }]))
        .collect();
    let last = first + depth(n) - 1;
    for k in 0..half {
        let pair = (offset + k, offset + k + half);
        stages[first].push(Switch { pair, swap: sides.input_lower[k] });
        stages[last].push(Switch { pair, swap: sides.output_lower[k] });
    }
    wire_into(&upper, offset, first + 1, stages);
    wire_into(&lower, offset + half, first + 1, stages);
}

struct Sides {
    /// Whether input i goes through the lower network.
    input_lower: Vec<bool>,
    /// Whether output i comes from the lower network.
    output_lower: Vec<bool>,
}

/// The looping algorithm. It assigns a network to each input and output, so that the two members of a pair
/// use different networks, on either side.
///
/// The connections from input to output form paths and cycles through the pairs, along which the networks
/// alternate. If n is odd, the last input and the last output have no partner and are wired to the lower
/// network. They are the two ends of one path, which has an odd number of connections, so the alternation is
/// consistent.
fn colour(permutation: &[usize]) -> Sides {
    let n = permutation.len();
    let half = n / 2;
    let mut output_of = vec![0; n];
    for (output, &input) in permutation.iter().enumerate() {
        output_of[input] = output;
    }
    let partner = |i: usize| match i {
        _ if i < half => Some(i + half),
        _ if i < 2 * half => Some(i - half),
        _ => None,
    };
    let mut input_lower = vec![None; n];
    let mut output_lower = vec![false; n];
    let mut follow = |start: usize, lower: bool| {
        let mut input = start;
        while input_lower[input].is_none() {
            input_lower[input] = Some(lower);
            let output = output_of[input];
            output_lower[output] = lower;
            let Some(other_output) = partner(output) else { return };
            output_lower[other_output] = !lower;
            let other_input = permutation[other_output];
            input_lower[other_input] = Some(!lower);
            let Some(next) = partner(other_input) else { return };
            input = next;
        }
    };
    if n % 2 == 1 {
        follow(n - 1, true);
    }
    // The network at the start of a loop can be chosen freely. The choice is the upper one, so that the
    // identity needs no swap.
    for k in 0..half {
        follow(k, false);
    }
    Sides { input_lower: input_lower.into_iter().map(|side| side == Some(true)).collect(), output_lower }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::draw;
    use crate::random::Seed;

    fn apply(stages: &[Stage], swaps: &[Vec<bool>], n: usize) -> Vec<usize> {
        let mut x: Vec<usize> = (0..n).collect();
        for (stage, swaps) in stages.iter().zip(swaps) {
            assert_eq!(stage.len(), swaps.len());
            for (&(p, q), _) in stage.iter().zip(swaps).filter(|(_, swap)| **swap) {
                x.swap(p, q);
            }
        }
        x
    }

    fn assert_disjoint(stage: &Stage, n: usize) {
        let mut seen = vec![false; n];
        for &(p, q) in stage {
            assert!(p < q && q < n);
            assert!(!std::mem::replace(&mut seen[p], true) && !std::mem::replace(&mut seen[q], true));
        }
    }

    fn permutations(n: usize) -> Vec<Vec<usize>> {
        if n == 0 {
            return vec![vec![]];
        }
        let mut all = Vec::new();
        for shorter in permutations(n - 1) {
            for at in 0..n {
                let mut p = shorter.clone();
                p.insert(at, n - 1);
                all.push(p);
            }
        }
        all
    }

    #[test]
    fn benes_routes_every_permutation_of_up_to_six() {
        for n in 0..=6 {
            let stages = benes(n);
            for permutation in permutations(n) {
                assert_eq!(apply(&stages, &route(&permutation).unwrap(), n), permutation);
            }
        }
    }

    #[test]
    fn benes_routes_random_permutations() {
        let mut rng = Seed(5).stream("routing", 0);
        for n in (7..=40).chain([63, 64, 100]) {
            let stages = benes(n);
            assert_eq!(stages.len(), 2 * radix2_levels(n) - 1);
            for stage in &stages {
                assert_disjoint(stage, n);
            }
            for _ in 0..20 {
                let permutation = draw::permutation(n, &mut rng);
                assert_eq!(apply(&stages, &route(&permutation).unwrap(), n), permutation, "n = {n}");
            }
        }
    }

    #[test]
    fn identity_needs_no_swap() {
        for n in 0..20 {
            let identity: Vec<usize> = (0..n).collect();
            assert!(route(&identity).unwrap().concat().iter().all(|swap| !swap));
        }
    }

    #[test]
    fn what_is_no_permutation_is_refused() {
        assert_eq!(route(&[0, 0, 1]), Err(FlowError::NotAPermutation { n_features: 3 }));
        assert_eq!(route(&[1, 2]), Err(FlowError::NotAPermutation { n_features: 2 }));
    }

    #[test]
    fn benes_of_a_power_of_two_is_a_butterfly_and_its_transpose() {
        let stages = benes(16);
        let sorted = |s: &Stage| {
            let mut s = s.clone();
            s.sort_unstable();
            s
        };
        for (i, stage) in stages.iter().enumerate() {
            let level = i.min(stages.len() - 1 - i);
            let mut level_pairs = radix2(16, level);
            level_pairs.sort_unstable();
            assert_eq!(sorted(stage), level_pairs, "stage {i}");
        }
    }

    #[test]
    fn radix2_levels_connect_everything_at_any_size() {
        for n in 1..70 {
            // reach[i] is the set of inputs that output i depends on.
            let mut reach: Vec<u128> = (0..n).map(|i| 1 << i).collect();
            for level in 0..radix2_levels(n) {
                let stage = radix2(n, level);
                assert_disjoint(&stage, n);
                for (p, q) in stage {
                    let both = reach[p] | reach[q];
                    (reach[p], reach[q]) = (both, both);
                }
            }
            if n.is_power_of_two() {
                assert!(reach.iter().all(|r| r.count_ones() as usize == n), "n = {n}");
            }
        }
    }

    #[test]
    fn every_output_of_benes_depends_on_every_input() {
        for n in 1..70 {
            let mut reach: Vec<u128> = (0..n).map(|i| 1 << i).collect();
            for (p, q) in benes(n).concat() {
                let both = reach[p] | reach[q];
                (reach[p], reach[q]) = (both, both);
            }
            assert!(reach.iter().all(|r| r.count_ones() as usize == n), "n = {n}");
        }
    }
}
