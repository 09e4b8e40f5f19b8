//! Decides in which order the pairs of a butterfly are processed, so that data stay in the first-level cache.
//!
//! If a layer were processed stage by stage, it would read and write the whole batch ⌈log₂ d⌉ times. But the
//! pairs of a few consecutive stages fall into *blocks* that share no coordinate. For example, six levels of
//! a radix-2 butterfly of any size fall into blocks of 64 rows. Such a run of consecutive stages is a *pass*.
//!
//! A block is carried through all stages of its pass at once, on a copy of its rows, one range of columns
//! after the other. The matrices of a block are then read from memory only once for all columns.

use std::ops::Range;

/// Largest number of rows in a block. Together with [`COLUMNS`] columns of f32 they take 32 KiB, which a
/// first-level cache holds.
const ROWS: usize = 64;
/// Largest number of columns of a block that are processed together.
pub(super) const COLUMNS: usize = 128;

/// One 2×2 matrix, applied to two coordinates.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) p: usize,
    pub(super) q: usize,
    /// Index of the matrix.
    pub(super) matrix: usize,
}

/// A set of rows, with all pairs of a pass that lie in these rows, in the order of their stages.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// The rows, in ascending order.
    pub(super) rows: Vec<usize>,
    /// The pairs, with p and q as indices into `rows`.
    pub(super) pairs: Vec<Pair>,
}

/// The order in which all stages of a layer are processed.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    /// The blocks, pass after pass.
    pub(super) blocks: Vec<Block>,
    /// Sum of the numbers of rows of all blocks.
    pub(super) total_rows: usize,
    /// Largest number of pairs and largest number of rows in a block.
    pub(super) most_pairs: usize,
    pub(super) most_rows: usize,
}

impl Plan {
    pub(super) fn new(n_features: usize, stages: &[Vec<Pair>]) -> Self {
        let fewest = runs(n_features, stages, ROWS);
        // If smaller blocks need no more passes, they leave more of the cache for what a backward pass keeps.
        let smaller = |rows| Some(runs(n_features, stages, rows)).filter(|r| r.len() == fewest.len());
        let chosen = [ROWS / 4, ROWS / 2].into_iter().find_map(smaller).unwrap_or(fewest);
        let blocks: Vec<Block> = chosen.into_iter().flat_map(|(sets, of)| pass(sets, &stages[of])).collect();
        Self {
            total_rows: blocks.iter().map(|b| b.rows.len()).sum(),
            most_pairs: blocks.iter().map(|b| b.pairs.len()).max().unwrap_or(0),
            most_rows: blocks.iter().map(|b| b.rows.len()).max().unwrap_or(0),
            blocks,
        }
    }
}

/// Divides the stages into runs that are as long as possible, while their pairs fall into blocks of at most
/// `rows` rows.
fn runs(n_features: usize, stages: &[Vec<Pair>], rows: usize) -> Vec<(Sets, Range<usize>)> {
    let mut runs = Vec::new();
    let mut first = 0;
    while first < stages.len() {
        let mut sets = Sets::new(n_features);
        sets.join_all(&stages[first]);
        let mut end = first + 1;
        while end < stages.len() {
            let mut larger = sets.clone();
            larger.join_all(&stages[end]);
            if larger.largest() > rows {
                break;
            }
            sets = larger;
            end += 1;
        }
        runs.push((sets, first..end));
        first = end;
    }
    runs
}

/// The blocks of a run of stages.
fn pass(mut sets: Sets, stages: &[Vec<Pair>]) -> Vec<Block> {
    let n = sets.parent.len();
    let roots: Vec<usize> = (0..n).map(|i| sets.root(i)).collect();
    let mut blocks: Vec<Block> = Vec::new();
    let mut block_of = vec![usize::MAX; n];
    let mut place = vec![0; n];
    // Rows that are in no pair need no block.
    let mut used = vec![false; n];
    for pair in stages.iter().flatten() {
        (used[pair.p], used[pair.q]) = (true, true);
    }
    for row in (0..n).filter(|&row| used[row]) {
        let block = &mut block_of[roots[row]];
        if *block == usize::MAX {
            *block = blocks.len();
            blocks.push(Block { rows: Vec::new(), pairs: Vec::new() });
        }
        place[row] = blocks[*block].rows.len();
        blocks[*block].rows.push(row);
    }
    for pair in stages.iter().flatten() {
        let (p, q) = (place[pair.p], place[pair.q]);
        blocks[block_of[roots[pair.p]]].pairs.push(Pair { p, q, matrix: pair.matrix });
    }
    blocks
}

/// Disjoint sets of coordinates (a union-find structure).
#[derive(Clone)]
struct Sets {
    parent: Vec<usize>,
    size: Vec<usize>,
}

impl Sets {
    fn new(n: usize) -> Self {
        Self { parent: (0..n).collect(), size: vec![1; n] }
    }

    fn root(&mut self, mut i: usize) -> usize {
        while self.parent[i] != i {
            self.parent[i] = self.parent[self.parent[i]];
            i = self.parent[i];
        }
        i
    }

    fn join_all(&mut self, stage: &[Pair]) {
        for pair in stage {
            let (a, b) = (self.root(pair.p), self.root(pair.q));
            if a != b {
                let (large, small) = if self.size[a] < self.size[b] { (b, a) } else { (a, b) };
                self.parent[small] = large;
                self.size[large] += self.size[small];
            }
        }
    }

    fn largest(&self) -> usize {
        self.size.iter().copied().max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::flow::schedule::benes;

    /// Swaps that are processed block by block must give the same result as stage by stage.
    #[test]
    fn passes_keep_the_order_of_every_coordinate() {
        for n in [1, 2, 3, 64, 65, 100, 300, 1024] {
            let mut next = 0;
            let stages: Vec<Vec<Pair>> = benes(n)
                .iter()
                .map(|stage| {
                    let pair = |&(p, q): &(usize, usize)| {
                        next += 1;
                        Pair { p, q, matrix: next - 1 }
                    };
                    stage.iter().map(pair).collect()
                })
                .collect();
            let plan = Plan::new(n, &stages);
            let swaps = |pair: &Pair| (pair.matrix * 7919) % 13 < 6;
            let mut want: Vec<usize> = (0..n).collect();
            for pair in stages.iter().flatten().filter(|p| swaps(p)) {
                want.swap(pair.p, pair.q);
            }
            let mut got: Vec<usize> = (0..n).collect();
            for block in &plan.blocks {
                assert!(block.rows.len() <= ROWS && block.rows.is_sorted());
                for pair in block.pairs.iter().filter(|p| swaps(p)) {
                    got.swap(block.rows[pair.p], block.rows[pair.q]);
                }
            }
            assert_eq!(got, want, "n = {n}");
            let n_pairs: usize = plan.blocks.iter().map(|b| b.pairs.len()).sum();
            assert_eq!(n_pairs, next);
            if n == 1024 {
                assert!(plan.total_rows < 5 * n, "{} passes for 19 stages", plan.total_rows / n);
            }
        }
    }
}
