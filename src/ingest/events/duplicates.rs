//! Which row of an event table is a copy of another, and how often a key is repeated with another value.
//!
//! One rule holds for all event tables:
//!
//! - *Copy*: the same record, item, time (and end) with the same value in the same unit as a row that was
//!   read before. It counts once, however often it is there, since exporting a row twice does not measure
//!   twice.
//! - *Mirror*: the same value of a variable for the same record and time in another table (laboratory results
//!   charted again). It counts once as well.
//! - *Second measurement*: the same record, item and time with another value, or another item (a second
//!   device). All of them count: sums add them up, means and the first and last value average them. They are
//!   counted here.
//!
//! A copy is found by a 64-bit hash, so 9 to 18 bytes are held for each row that is used; among 10⁸ rows the
//! chance that two hashes meet is 3·10⁻⁴. Of a table with one column per signal only rows that share record
//! and time with another are held, see [`super::times`].

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};

use super::tally::KeyTally;

/// Rows that were used, by their hashes.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Copies {
    rows: HashSet<u64, BuildHasherDefault<Identity>>,
    /// Table of each value of the variables that several tables hold.
    values: HashMap<u64, u16, BuildHasherDefault<Identity>>,
}

/// When a measurement was: its second, and the second it lasts to.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Span {
    pub(in crate::ingest) from: i64,
    pub(in crate::ingest) to: i64,
}

impl Span {
    fn hash(self, hash: u64) -> u64 {
        mix(mix(hash ^ self.from as u64) ^ self.to as u64)
    }
}

impl Copies {
    /// Whether a row of a table was met before, and its value `cell` with it.
    pub(in crate::ingest) fn is_copy(
        &mut self,
        table: u16,
        record: u64,
        item: u64,
        span: Span,
        cell: u64,
    ) -> bool {
        let row = span.hash(mix(mix(record) ^ item) ^ (u64::from(table) << 48));
        !self.rows.insert(mix(row ^ cell))
    }

    /// Whether another table held this value of a variable at this time.
    pub(in crate::ingest) fn is_mirror(
        &mut self,
        table: u16,
        variable: u16,
        record: u64,
        span: Span,
        value: u64,
    ) -> bool {
        let key = mix(span.hash(mix(record) ^ (u64::from(variable) << 48)) ^ value);
        *self.values.entry(key).or_insert(table) != table
    }
}

/// Hash of what a row says: its number, or its text where it has none, with the place of its unit.
pub(in crate::ingest) fn cell_hash(number: Option<f64>, text: Option<&str>, unit: u32) -> Option<u64> {
    let value = match (number, text.map(str::trim).filter(|t| !t.is_empty())) {
        (Some(x), _) => mix((x + 0.0).to_bits()),
        (None, Some(text)) => id_hash(text),
        // A row without a value is no copy of another one without: both say that something was there.
        (None, None) => return None,
    };
    Some(mix(value ^ u64::from(unit)))
}

/// Distinct keys held: 7/8 of 2²², the largest load of a table of about 70 MB.
pub(in crate::ingest) const CAPACITY: usize = 3_670_016;

/// Counts keys met more than once in bounded memory.
///
/// A source of hundreds of millions of rows has more (record, item, time) keys than fit in memory. Keys are
/// hashed; once more than [`CAPACITY`] distinct ones were met, only those whose hash ends in `level` zero
/// bits are kept, and counts are scaled by 2^level (Wegman's adaptive sampling; Flajolet 1990, "On adaptive
/// sampling"). Which keys stay depends on the *set* of keys alone, so the estimate does not depend on the
/// order of rows. Below the capacity the count is exact.
#[derive(Debug)]
pub(in crate::ingest) struct KeyCounter {
    keys: HashMap<u64, (u16, bool), BuildHasherDefault<Identity>>,
    level: u32,
    capacity: usize,
}

impl Default for KeyCounter {
    fn default() -> Self {
        Self::with_capacity(CAPACITY)
    }
}

/// Keys are hashes already.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Identity(u64);

impl Hasher for Identity {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, _: &[u8]) {}
    fn write_u64(&mut self, x: u64) {
        // The low bits are zero at higher levels: the table must not see them last.
        self.0 = x.rotate_left(32);
    }
}

impl KeyCounter {
    /// Nothing yet, and room for so many keys.
    pub(in crate::ingest) fn with_capacity(capacity: usize) -> Self {
        Self { keys: HashMap::default(), level: 0, capacity }
    }

    /// Meets a key of a variable.
    pub(in crate::ingest) fn meet(&mut self, variable: u16, record: u64, item: u64, seconds: i64) {
        let hash = mix(mix(mix(record) ^ item) ^ (seconds as u64) ^ (u64::from(variable) << 48));
        if hash.trailing_zeros() < self.level {
            return;
        }
        self.keys.entry(hash).and_modify(|e| e.1 = true).or_insert((variable, false));
        while self.keys.len() > self.capacity {
            self.level += 1;
            let level = self.level;
            self.keys.retain(|hash, _| hash.trailing_zeros() >= level);
        }
    }

    /// What was counted, in a form that adds up over parts of the records.
    pub(in crate::ingest) fn tally(&self) -> KeyTally {
        let mut tally = KeyTally::new(self.level);
        self.keys.iter().for_each(|(hash, (variable, again))| tally.count(*hash, *variable, *again));
        tally
    }
}

/// SplitMix64's finaliser (Steele, Lea & Flood 2014): every input bit moves every output bit.
pub(in crate::ingest) fn mix(x: u64) -> u64 {
    let x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// A stable hash of a record's id, so that samples do not depend on the order records were met in.
pub(in crate::ingest) fn id_hash(id: &str) -> u64 {
    id.bytes().fold(0, |h, b| mix(h ^ u64::from(b)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_agrees_in_record_item_time_value_and_unit() {
        let mut copies = Copies::default();
        let (span, other) = (Span { from: 60, to: 61 }, Span { from: 60, to: 3600 });
        let cell = |x: f64, unit| cell_hash(Some(x), Some("as text"), unit).unwrap();
        assert!(!copies.is_copy(0, 7, 1, span, cell(50.0, 1)));
        assert!(copies.is_copy(0, 7, 1, span, cell(50.0, 1)));
        assert!(copies.is_copy(0, 7, 1, span, cell(50.0, 1)), "however often it is there");
        let others = [
            copies.is_copy(1, 7, 1, span, cell(50.0, 1)),
            copies.is_copy(0, 8, 1, span, cell(50.0, 1)),
            copies.is_copy(0, 7, 2, span, cell(50.0, 1)),
            copies.is_copy(0, 7, 1, other, cell(50.0, 1)),
            copies.is_copy(0, 7, 1, span, cell(55.0, 1)),
            copies.is_copy(0, 7, 1, span, cell(50.0, 2)),
        ];
        assert_eq!(others, [false; 6]);
        assert_eq!(cell_hash(Some(0.0), None, 0), cell_hash(Some(-0.0), None, 0));
        assert_eq!(cell_hash(None, Some(" SR "), 0), cell_hash(None, Some("SR"), 0));
        assert_eq!(cell_hash(None, Some(" "), 0), None);
    }

    #[test]
    fn a_mirror_is_of_another_table() {
        let mut copies = Copies::default();
        let span = Span { from: 60, to: 61 };
        let mut meet = |table| copies.is_mirror(table, 3, 7, span, 1);
        assert_eq!([meet(0), meet(0), meet(1), meet(1), meet(0)], [false, false, true, true, false]);
    }

    #[test]
    fn repetitions_are_counted_once_each() {
        let mut keys = KeyCounter::default();
        for seconds in [0, 60, 0, 0, 120] {
            keys.meet(1, id_hash("7"), 3, seconds);
        }
        keys.meet(0, id_hash("7"), 3, 0);
        let tally = keys.tally();
        assert_eq!(tally.repeated(CAPACITY, 2), [0, 1]);
        assert_eq!(tally.level(CAPACITY), 0);
    }

    #[test]
    fn beyond_the_capacity_the_count_is_estimated_without_regard_to_order() {
        let n = CAPACITY as i64 * 2;
        let run = |reverse: bool| {
            let mut keys = KeyCounter::default();
            let mut meet = |i: i64| {
                keys.meet(0, 1, 2, i);
                if i % 10 == 0 {
                    keys.meet(0, 1, 2, i);
                }
            };
            if reverse {
                (0..n).rev().for_each(&mut meet);
            } else {
                (0..n).for_each(&mut meet);
            }
            let tally = keys.tally();
            (tally.level(CAPACITY), tally.repeated(CAPACITY, 1)[0])
        };
        let (level, estimate) = run(false);
        assert!(level >= 1);
        assert_eq!(run(true), (level, estimate));
        // 7.3·10⁵ repeated keys, sampled 1 in 2 or 4: standard error below 0.3 %.
        assert!((estimate as f64 / (n as f64 / 10.0) - 1.0).abs() < 0.01, "{estimate}");
    }
}
