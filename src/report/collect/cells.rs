//! Cells in which two cohorts are compared: the values themselves where they are few, else atoms and quantile
//! bins.
//!
//! Quantiles are those of both cohorts together, so that neither decides where the other is looked at, and an
//! edge lies between two values: equal values are in one cell.

use crate::report::homogeneity::homogeneity;
use crate::report::ranks::rank_sum;

/// Values that are a cell each, up to this many different ones.
const FEW: usize = 20;
/// Share of the records of both cohorts from which on a value of many is an atom with a cell of its own.
const ATOM: f64 = 0.02;
/// Quantile bins of what is no atom.
const TENTHS: usize = 10;
/// Records of both cohorts that a quantile bin holds at least.
const BIN: usize = 10;
/// Records of both cohorts below which a cell is rare.
const RARE: u64 = 8;

/// Counts of both cohorts over the same cells.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Cells {
    pub(super) old: Vec<u64>,
    pub(super) new: Vec<u64>,
}

impl Cells {
    fn push(&mut self, old: u64, new: u64) {
        self.old.push(old);
        self.new.push(new);
    }

    /// The counts of fewer records, the given share of each cohort.
    pub(super) fn thinned(&self, share: [f64; 2]) -> Self {
        let of = |counts: &[u64], share: f64| -> Vec<u64> {
            counts.iter().map(|n| (*n as f64 * share).round() as u64).collect()
        };
        Self { old: of(&self.old, share[0]), new: of(&self.new, share[1]) }
    }

    /// Joins rare cells into one, where they hold less than half of the records. A cell of one record says
    /// little, and its chance is the hardest to calculate; but thousands of rare levels are all there is to
    /// compare.
    pub(super) fn joined(&self) -> Self {
        let pooled = |i: usize| self.old[i] + self.new[i];
        let rare: Vec<usize> = (0..self.old.len()).filter(|&i| pooled(i) < RARE).collect();
        let total: u64 = (0..self.old.len()).map(pooled).sum();
        if rare.len() < 2 || 2 * rare.iter().map(|&i| pooled(i)).sum::<u64>() >= total {
            return self.clone();
        }
        let mut out = Self::default();
        for i in (0..self.old.len()).filter(|&i| pooled(i) >= RARE) {
            out.push(self.old[i], self.new[i]);
        }
        out.push(rare.iter().map(|&i| self.old[i]).sum(), rare.iter().map(|&i| self.new[i]).sum());
        out
    }
}

/// Cells of numbers in ascending order.
pub(super) fn of_numbers(old: &[f64], new: &[f64]) -> Cells {
    let values = distinct(old, new);
    let mut cells = Cells::default();
    if values.len() <= FEW {
        values.iter().for_each(|(_, a, b)| cells.push(*a, *b));
        return cells;
    }
    binned(values)
}

/// Atoms, and quantile bins of the other values.
fn binned(values: Vec<(f64, u64, u64)>) -> Cells {
    let mut cells = Cells::default();
    let total: u64 = values.iter().map(|(_, a, b)| a + b).sum();
    // Of few records, the share is a record or two, which are no atom.
    let atom = (ATOM * total as f64).max(BIN as f64);
    let (atoms, rest): (Vec<_>, Vec<_>) = values.into_iter().partition(|(_, a, b)| (a + b) as f64 >= atom);
    atoms.iter().for_each(|(_, a, b)| cells.push(*a, *b));
    let left: u64 = rest.iter().map(|(_, a, b)| a + b).sum();
    let bins = (left as usize / BIN).clamp(1, TENTHS) as u64;
    let (mut at, mut bin, mut sums) = (0, 1, (0, 0));
    for (_, a, b) in rest {
        sums = (sums.0 + a, sums.1 + b);
        at += a + b;
        // The bin ends behind the value at which its share of the records is reached.
        if at * bins >= bin * left {
            cells.push(sums.0, sums.1);
            sums = (0, 0);
            bin = at * bins / left + 1;
        }
    }
    if sums != (0, 0) {
        cells.push(sums.0, sums.1);
    }
    cells
}

/// Probability of numbers, in ascending order, that differ as much or more if nothing changed; `share` of the
/// records of each cohort count as independent. The test on cells sees any change, and that on ranks sees a
/// shift that is spread over many cells: twice the smaller of the two probabilities keeps the level.
pub(super) fn p_of_numbers(old: &[f64], new: &[f64], share: [f64; 2]) -> Option<f64> {
    let values = distinct(old, new);
    // Values that few records hold are too rare for cells of their own, and of them the chance is the hardest
    // to calculate.
    let rare = values.len() > 2 && ((old.len() + new.len()) as u64) < RARE * values.len() as u64;
    let cells = if rare { binned(values) } else { of_numbers(old, new) };
    let cells = if cells.old.len() > FEW { cells.joined() } else { cells };
    let judged = cells.thinned(share).joined();
    let by_cells = homogeneity(&judged.old, &judged.new);
    let values: Vec<(u64, u64)> = distinct(old, new).into_iter().map(|(_, a, b)| (a, b)).collect();
    match (by_cells, rank_sum(&values, share)) {
        (Some(cells), Some(ranks)) => Some((2.0 * cells.min(ranks)).min(1.0)),
        (cells, ranks) => cells.or(ranks),
    }
}

/// Different values of both with their counts in each.
fn distinct(old: &[f64], new: &[f64]) -> Vec<(f64, u64, u64)> {
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < old.len() || j < new.len() {
        let x = match (old.get(i), new.get(j)) {
            (Some(a), Some(b)) => a.min(*b),
            (Some(x), None) | (None, Some(x)) => *x,
            (None, None) => break,
        };
        let run = |of: &[f64], from: usize| of[from..].iter().take_while(|v| **v <= x).count();
        let (a, b) = (run(old, i), run(new, j));
        out.push((x, a as u64, b as u64));
        (i, j) = (i + a, j + b);
    }
    out
}

#[cfg(test)]
mod tests {
    use rand::RngExt;

    use super::*;
    use crate::num::special::normal_quantile;
    use crate::random::Seed;
    use crate::report::homogeneity::holm;

    #[test]
    fn few_values_are_a_cell_each_and_many_fall_into_tenths_of_both() {
        let cells = of_numbers(&[0.0, 0.0, 1.0], &[1.0, 1.0, 2.0]);
        assert_eq!(cells, Cells { old: vec![2, 1, 0], new: vec![0, 2, 1] });
        let old: Vec<f64> = (0..1000).map(f64::from).collect();
        let new: Vec<f64> = (0..1000).map(|i| f64::from(i) + 500.0).collect();
        let cells = of_numbers(&old, &new);
        assert_eq!(cells.old.len(), 10);
        assert!((0..10).all(|i| cells.old[i] + cells.new[i] == 200), "{cells:?}");
        assert_eq!((cells.old[0], cells.new[0]), (200, 0));
    }

    #[test]
    fn atoms_of_a_continuous_column_are_cells_of_their_own_and_nobody_is_lost() {
        let column = |zeros: usize| -> Vec<f64> {
            let mut v = vec![0.0; zeros];
            v.extend((0..1000 - zeros).map(|i| (i as f64 + 0.5) / 10.0));
            v
        };
        let cells = of_numbers(&column(500), &column(900));
        assert_eq!((cells.old[0], cells.new[0]), (500, 900));
        assert_eq!(cells.old.iter().chain(&cells.new).sum::<u64>(), 2000);
        assert_eq!(of_numbers(&[], &[]), Cells::default());
        assert_eq!(of_numbers(&vec![3.0; 50], &vec![3.0; 50]).old, [50]);
    }

    #[test]
    fn rare_cells_are_joined_unless_they_are_most() {
        let cells = Cells { old: vec![50, 1, 0, 3], new: vec![40, 2, 1, 0] };
        assert_eq!(cells.joined(), Cells { old: vec![50, 4], new: vec![40, 3] });
        let rare = Cells { old: vec![1; 40], new: vec![2; 40] };
        assert_eq!(rare.joined(), rare);
    }

    /// Draws of one kind of column.
    fn column(kind: usize, n: usize, rng: &mut crate::random::StreamRng) -> Vec<f64> {
        let mut u = || rng.random::<f64>();
        let mut v: Vec<f64> = (0..n)
            .map(|_| match kind {
                0 => f64::from(u() < 0.05),
                1 => f64::from(u() < 0.5),
                // A count with a long tail.
                2 => (-(1.0 - u()).ln() * 2.0).floor(),
                // Half zeros, the rest continuous.
                3 => {
                    if u() < 0.5 {
                        0.0
                    } else {
                        -(1.0 - u()).ln()
                    }
                }
                4 => u(),
                // Levels of which most are rare.
                5 => (1.0 / (1.0 - u())).min(400.0).floor(),
                6 => 3.0,
                // Rounded to tenths: many values, each with ties.
                _ => (u() * 50.0).round() / 10.0,
            })
            .collect();
        v.sort_unstable_by(f64::total_cmp);
        v
    }

    fn p_value(old: &[f64], new: &[f64]) -> Option<f64> {
        p_of_numbers(old, new, [1.0, 1.0])
    }

    #[test]
    fn equal_samples_of_every_kind_of_column_keep_the_level() {
        let mut rng = Seed(11).stream("drift", 0);
        let mut families = 0;
        let mut alarms = [0; 8];
        for _ in 0..200 {
            let mut p = Vec::new();
            for (kind, alarms) in alarms.iter_mut().enumerate() {
                let of = p_value(&column(kind, 400, &mut rng), &column(kind, 700, &mut rng));
                *alarms += usize::from(of.is_some_and(|p| p <= 0.05));
                p.extend(of);
            }
            families += usize::from(holm(&p).iter().any(|p| *p <= 0.05));
        }
        // 5 % of 200 are 10, with a standard error of 3.1: 20 is three of them above.
        assert!(alarms.iter().all(|n| *n <= 20) && families <= 20, "{alarms:?} {families}");
        assert_eq!(alarms[6], 0, "a constant cannot drift");
    }

    #[test]
    fn small_and_unequal_cohorts_keep_the_level_too() {
        let mut rng = Seed(13).stream("drift", 0);
        for (n, m) in [(6, 6), (12, 12), (25, 25), (15, 60), (60, 600), (600, 60)] {
            let (mut five, mut small) = ([0; 8], [0; 8]);
            for _ in 0..2000 {
                for kind in 0..8 {
                    let p = p_value(&column(kind, n, &mut rng), &column(kind, m, &mut rng)).unwrap_or(1.0);
                    five[kind] += usize::from(p <= 0.05);
                    small[kind] += usize::from(p <= 0.005);
                }
            }
            // 100 and 10 are expected at most, with standard errors of 9.7 and 3.2, and the gamma of the
            // cells is known to be off by a little.
            assert!(five.iter().all(|k| *k <= 140), "{n} and {m}: {five:?}");
            assert!(small.iter().all(|k| *k <= 25), "{n} and {m}: {small:?}");
        }
    }

    /// Draws of a normal distribution, rounded to `digits`.
    fn normal(n: usize, mean: f64, sd: f64, digits: i32, rng: &mut crate::random::StreamRng) -> Vec<f64> {
        let unit = 10f64.powi(digits);
        let mut v: Vec<f64> = (0..n)
            .map(|_| {
                let z = normal_quantile(rng.random_range(1e-12..1.0 - 1e-12));
                ((mean + sd * z) * unit).round() / unit
            })
            .collect();
        v.sort_unstable_by(f64::total_cmp);
        v
    }

    #[test]
    fn a_shift_is_seen_however_it_is_spread_over_values() {
        let mut rng = Seed(14).stream("drift", 0);
        let mut seen = |n: usize, shift: f64, sd: f64, digits: i32| {
            let mut found = 0;
            for _ in 0..100 {
                let (old, new) =
                    (normal(n, 60.0, sd, digits, &mut rng), normal(n, 60.0 + shift, sd, digits, &mut rng));
                found += usize::from(p_value(&old, &new).is_some_and(|p| p <= 0.05));
            }
            found
        };
        // Whole years of age of 800 and 800, a fifth of a standard deviation older: the t-test sees 98 of
        // 100.
        let years = seen(800, 3.0, 15.0, 0);
        assert!(years >= 90, "{years}");
        // Two cohorts of 25 that hardly overlap, in whole numbers and with decimals.
        assert_eq!((seen(25, 45.0, 15.0, 0), seen(25, 45.0, 15.0, 3)), (100, 100));
        let hundred = seen(100, 15.0, 15.0, 0);
        assert!(hundred >= 98, "{hundred}");
    }

    #[test]
    fn a_binary_that_doubles_is_seen_among_ten_columns() {
        let mut rng = Seed(12).stream("drift", 0);
        let mut seen = 0;
        for _ in 0..100 {
            let mut share = |p: f64| -> Vec<f64> {
                let mut v: Vec<f64> = (0..1000).map(|_| f64::from(rng.random::<f64>() < p)).collect();
                v.sort_unstable_by(f64::total_cmp);
                v
            };
            seen += usize::from(p_value(&share(0.05), &share(0.1)).is_some_and(|p| 10.0 * p <= 0.05));
        }
        assert!(seen >= 85, "{seen}");
    }
}
