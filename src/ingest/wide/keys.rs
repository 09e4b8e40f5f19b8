//! Whether the cells of a column identify rows or persons, judged by how they repeat over all rows of a
//! table.

use crate::ingest::source::Batch;

use super::cells::{HashCounts, Key};

/// Rows after which a column must have shown that it has many values.
const TRIAL: u64 = 1 << 12;
/// Rows per value beyond which a column, not named like an identifier, is given up.
const MOST_ROWS_PER_VALUE: u64 = 256;

/// The identifiers met in a column. Columns that show that they hold none cost nothing further.
#[expect(clippy::struct_excessive_bools, reason = "findings about a column that do not exclude each other")]
#[derive(Debug, Clone)]
pub(super) struct Keys {
    counts: HashCounts,
    /// Whether the column is followed to the end however often its values repeat.
    named: bool,
    failed: bool,
    pub(super) n: u64,
    pub(super) absent: u64,
    whole: u64,
    /// Stretches of rows with one and the same value.
    runs: u64,
    last: Option<u64>,
    /// Whether each number is the one before plus one, and whether they never fall, or never rise.
    consecutive: bool,
    rising: bool,
    falling: bool,
    last_number: f64,
    low: f64,
    high: f64,
}

impl Keys {
    pub(super) fn new(named: bool) -> Self {
        Self {
            counts: HashCounts::default(),
            named,
            failed: false,
            n: 0,
            absent: 0,
            whole: 0,
            runs: 0,
            last: None,
            consecutive: true,
            rising: true,
            falling: true,
            last_number: f64::NAN,
            low: f64::INFINITY,
            high: f64::NEG_INFINITY,
        }
    }

    pub(super) fn add(&mut self, batch: &Batch, column: usize) {
        if !self.failed {
            batch.each_cell(column, |_, cell| self.key(Key::of(cell)));
        }
    }

    fn key(&mut self, key: Key) {
        if self.failed {
            return;
        }
        let hash = match key {
            Key::Absent => {
                self.absent += 1;
                return;
            }
            Key::Other => {
                self.fail();
                return;
            }
            Key::Whole(x, hash) => {
                self.whole += 1;
                self.consecutive &= self.n == 0 || x == self.last_number + 1.0;
                self.rising &= self.n == 0 || x >= self.last_number;
                self.falling &= self.n == 0 || x <= self.last_number;
                self.last_number = x;
                self.low = self.low.min(x);
                self.high = self.high.max(x);
                hash
            }
            Key::Text(hash) => hash,
        };
        self.n += 1;
        self.runs += u64::from(self.last != Some(hash));
        self.last = Some(hash);
        *self.counts.entry(hash).or_default() += 1;
        let few = self.counts.len() as u64 * MOST_ROWS_PER_VALUE < self.n;
        if !self.named && self.n >= TRIAL && few {
            self.fail();
        }
    }

    fn fail(&mut self) {
        self.failed = true;
        self.counts = HashCounts::default();
    }

    /// Whether the cells could be identifiers: whole numbers or texts.
    pub(super) fn holds(&self) -> bool {
        !self.failed && self.n > 0
    }

    pub(super) fn n_distinct(&self) -> u64 {
        self.counts.len() as u64
    }

    /// Values that stand in more than one row.
    pub(super) fn n_repeated(&self) -> u64 {
        self.counts.values().filter(|count| **count > 1).count() as u64
    }

    /// Whether every row has an identifier of its own.
    pub(super) fn is_unique(&self) -> bool {
        self.holds() && self.absent == 0 && self.n_distinct() == self.n
    }

    pub(super) fn is_whole(&self) -> bool {
        self.holds() && self.whole == self.n
    }

    /// Whether the cells number the rows: each is one more than the one before, or they are such numbers in
    /// another order.
    pub(super) fn numbers_rows(&self) -> bool {
        let range = self.high - self.low + 1.0;
        self.n > 2 && self.is_unique() && self.is_whole() && (self.consecutive || range == self.n as f64)
    }

    /// Whether whole numbers are all different though measurements from the same range would repeat by
    /// chance.
    pub(super) fn is_uniquer_than_chance(&self) -> bool {
        let range = self.high - self.low + 1.0;
        let n = self.n as f64;
        self.n >= 20 && self.is_unique() && self.is_whole() && n * n / (2.0 * range) >= 8.0
    }

    /// Whether the cells are nearly all different whole numbers of many digits, or nearly all different
    /// texts.
    pub(super) fn is_nearly_unique(&self) -> bool {
        let long = !self.is_whole() || (self.low >= 10_000.0);
        self.holds() && self.n >= 20 && long && self.n_distinct() as f64 >= 0.9 * self.n as f64
    }

    /// Whether the rows of a value are as many for each value as no measurement would have it, or stand
    /// together in the file though the values are in no order.
    pub(super) fn repeats_like_persons(&self) -> bool {
        let d = self.n_distinct() as f64;
        if !self.holds() || d < 20.0 {
            return false;
        }
        let mean = self.n as f64 / d;
        let variance = self.counts.values().map(|c| (f64::from(*c) - mean).powi(2)).sum::<f64>() / d;
        // Values that come up by chance repeat with a variance equal to the mean.
        // Hours that every patient has are even too, and have many more rows each than a patient has.
        let even = (2.0..=20.0).contains(&mean) && d >= 3.0 * mean && variance <= 0.3 * mean;
        let together = mean >= 1.5 && self.runs == self.n_distinct() && !(self.rising || self.falling);
        even || together
    }

    /// Whether values repeat often enough to be those of persons with several rows, and are many.
    pub(super) fn may_be_persons(&self) -> bool {
        let d = self.n_distinct();
        self.holds() && d >= 20 && self.n as f64 / d as f64 >= 1.5
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::Cell;

    fn keys(cells: impl IntoIterator<Item = i64>) -> Keys {
        let mut keys = Keys::new(false);
        cells.into_iter().for_each(|x| keys.key(Key::of(Cell::Integer(x))));
        keys
    }

    #[test]
    fn row_numbers_and_codes_are_unique() {
        assert!(keys(0..100).numbers_rows());
        assert!(keys((0..100).map(|i| (i * 37) % 100)).numbers_rows(), "in another order");
        assert!(!keys([5, 9, 200]).numbers_rows());
        assert!(keys((0..100).map(|i| (i * 37) % 100 + i % 2 * 100)).is_uniquer_than_chance());
        assert!(!keys((0..20).map(|i| i * 7919)).is_uniquer_than_chance(), "twenty of 150,000 differ anyhow");
        assert!(keys((0..100).map(|i| 10_000 + i * 7919)).is_nearly_unique());
    }

    #[test]
    fn persons_repeat_evenly_or_together() {
        assert!(keys((0..300).map(|i| (i * 7) % 100)).repeats_like_persons(), "three rows each");
        let blocks = (0..60).flat_map(|i| std::iter::repeat_n((i * 37) % 61, 1 + (i % 5) as usize));
        assert!(keys(blocks).repeats_like_persons());
        // Heart rates: about normal, in no order.
        let rates = (0..600_i64).map(|i| 80 + (i * 7919 % 13) + (i * 104_729 % 17) + (i * 31 % 11));
        assert!(!keys(rates).repeats_like_persons());
    }
}
