//! How often keys were met more than once, in a form that adds up over parts of the records.
//!
//! [`super::duplicates::KeyCounter`] keeps the keys whose hashes end in `level` zero bits. Which level a
//! count over all parts would have reached, and what it would have counted there, follows from the numbers of
//! keys by the zero bits at their ends: keys of different records differ, so that these numbers add up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Keys of one number of zero bits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Class {
    /// Different keys.
    distinct: u64,
    /// Keys met more than once, by variable.
    repeated: BTreeMap<u16, u64>,
}

/// Numbers of keys by the zero bits that their hashes end in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(in crate::ingest) struct KeyTally {
    /// The smallest number of zero bits that was kept.
    level: u32,
    classes: BTreeMap<u32, Class>,
}

impl KeyTally {
    /// Nothing yet, of keys whose hashes end in `level` zero bits and more.
    pub(in crate::ingest) fn new(level: u32) -> Self {
        Self { level, ..Self::default() }
    }

    /// Counts a key of a variable.
    pub(in crate::ingest) fn count(&mut self, hash: u64, variable: u16, is_repeated: bool) {
        let class = self.classes.entry(hash.trailing_zeros()).or_default();
        class.distinct += 1;
        if is_repeated {
            *class.repeated.entry(variable).or_default() += 1;
        }
    }

    /// Adds the keys of other records.
    pub(in crate::ingest) fn add(&mut self, other: &Self) {
        self.level = self.level.max(other.level);
        for (zeros, more) in &other.classes {
            let class = self.classes.entry(*zeros).or_default();
            class.distinct += more.distinct;
            for (variable, n) in &more.repeated {
                *class.repeated.entry(*variable).or_default() += n;
            }
        }
    }

    /// One key in 2^level is counted where at most `capacity` keys are kept; 0: all.
    pub(in crate::ingest) fn level(&self, capacity: usize) -> u32 {
        let kept = |level: u32| self.classes.range(level..).map(|(_, class)| class.distinct).sum::<u64>();
        (self.level..64).find(|level| kept(*level) <= capacity as u64).unwrap_or(64)
    }

    /// Keys met more than once, per variable, of `variables`; estimated above level 0.
    pub(in crate::ingest) fn repeated(&self, capacity: usize, variables: usize) -> Vec<u64> {
        let level = self.level(capacity);
        let mut counts = vec![0; variables];
        for (_, class) in self.classes.range(level..) {
            for (variable, n) in &class.repeated {
                counts[usize::from(*variable)] += n << level;
            }
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::super::duplicates::KeyCounter;
    use super::*;

    #[test]
    fn tallies_of_parts_give_the_level_and_the_counts_of_the_whole() {
        // Ten times what a capacity of 1,000 holds; every third key twice.
        let meet = |keys: &mut KeyCounter, record: u64| {
            for seconds in 0..100 {
                let variable = (seconds % 2) as u16;
                keys.meet(variable, record, 5, seconds);
                if seconds % 3 == 0 {
                    keys.meet(variable, record, 5, seconds);
                }
            }
        };
        let mut whole = KeyCounter::with_capacity(1_000);
        let mut parts: Vec<KeyCounter> = (0..7).map(|_| KeyCounter::with_capacity(1_000)).collect();
        for record in 0..100 {
            meet(&mut whole, record);
            // The first part alone holds more than its capacity.
            meet(&mut parts[if record < 40 { 0 } else { record as usize % 7 }], record);
        }
        let mut merged = KeyTally::default();
        parts.iter().for_each(|part| merged.add(&part.tally()));
        let expected = whole.tally();
        assert!(expected.level(1_000) >= 3, "the capacity is exceeded");
        assert_eq!(merged.level(1_000), expected.level(1_000));
        assert_eq!(merged.repeated(1_000, 2), expected.repeated(1_000, 2));
    }
}
