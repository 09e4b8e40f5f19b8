//! Which hashes occur more than once among many, in eight bytes for each of them.

/// Hashes under collection.
#[derive(Debug, Clone)]
pub struct Repeated(Vec<Vec<u64>>);

/// The hashes that occur more than once, ascending.
#[derive(Debug, Clone, Default)]
pub struct Found(Vec<u64>);

impl Default for Repeated {
    fn default() -> Self {
        // By their first byte: a vector that grows is in memory twice, and a small one is soon sorted.
        Self(vec![Vec::new(); 256])
    }
}

impl Repeated {
    /// Takes a hash, whose bits have to be those of a good hash function.
    pub fn insert(&mut self, hash: u64) {
        self.0[(hash >> 56) as usize].push(hash);
    }

    /// How many of them equal another one.
    pub fn count(self) -> u64 {
        let mut count = 0;
        for mut hashes in self.0 {
            hashes.sort_unstable();
            let runs = hashes.chunk_by(|a, b| a == b);
            count += runs.map(<[u64]>::len).filter(|n| *n > 1).sum::<usize>() as u64;
        }
        count
    }

    /// Those that occur more than once.
    pub fn found(self) -> Found {
        let mut found = Vec::new();
        for mut hashes in self.0 {
            hashes.sort_unstable();
            found.extend(hashes.windows(2).filter(|pair| pair[0] == pair[1]).map(|pair| pair[0]));
        }
        found.dedup();
        Found(found)
    }
}

impl Found {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a hash is among them.
    pub fn contains(&self, hash: u64) -> bool {
        !self.0.is_empty() && self.0.binary_search(&hash).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_occur_twice_or_more_are_found() {
        let mut all = Repeated::default();
        let hash = |i: u64| (i + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (0..1000).chain(990..995).chain(992..994).for_each(|i| all.insert(hash(i)));
        assert_eq!(all.clone().count(), 12);
        let found = all.found();
        assert!((0..1000).all(|i| found.contains(hash(i)) == (990..995).contains(&i)));
        assert!(!found.is_empty() && Repeated::default().found().is_empty());
    }
}
