//! The most unusual of any number of rows, in memory for only as many as are asked for.

use std::cmp::Ordering;
use std::collections::BTreeSet;

/// The rows with the highest scores, ties in the order of the rows.
#[derive(Debug, Clone)]
pub struct MostUnusual {
    most: usize,
    ranked: BTreeSet<Ranked>,
}

/// A row with its score and p-value, ordered by falling score, then by row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Ranked {
    score: f64,
    /// Number of the row.
    pub(super) row: usize,
    /// Its p-value.
    pub(super) p: f64,
}

impl Eq for Ranked {}

impl Ord for Ranked {
    fn cmp(&self, other: &Self) -> Ordering {
        other.score.total_cmp(&self.score).then(self.row.cmp(&other.row))
    }
}

impl PartialOrd for Ranked {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl MostUnusual {
    /// Begins a list of at most `most` rows.
    pub fn new(most: usize) -> Self {
        Self { most, ranked: BTreeSet::new() }
    }

    /// Takes the row in if it is among the most unusual ones so far. A score that is not a number is the most
    /// unusual of all, as the calibration has it.
    pub fn offer(&mut self, row: usize, score: f64) {
        self.offer_with(row, score, f64::NAN);
    }

    pub(super) fn offer_with(&mut self, row: usize, score: f64, p: f64) {
        let ranked = Ranked { score: if score.is_nan() { f64::INFINITY } else { score }, row, p };
        let full = self.ranked.len() >= self.most;
        if full && self.ranked.last().is_none_or(|last| *last < ranked) {
            return;
        }
        self.ranked.insert(ranked);
        if full {
            self.ranked.pop_last();
        }
    }

    /// Numbers of the rows, the most unusual first.
    pub fn rows(&self) -> impl Iterator<Item = usize> + '_ {
        self.ranked.iter().map(|ranked| ranked.row)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Ranked> {
        self.ranked.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_scores_are_kept_in_order_and_ties_by_row() {
        let scores = [1.0, 5.0, f64::NAN, 5.0, -2.0, 5.0, 3.0];
        let kept = |most: usize| {
            let mut list = MostUnusual::new(most);
            scores.iter().enumerate().for_each(|(row, &score)| list.offer(row, score));
            list.rows().collect::<Vec<_>>()
        };
        assert_eq!(kept(0), [0; 0]);
        assert_eq!(kept(1), [2]);
        assert_eq!(kept(3), [2, 1, 3]);
        assert_eq!(kept(100), [2, 1, 3, 5, 6, 0, 4]);
    }
}
