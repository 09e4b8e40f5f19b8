//! Named, independent random streams that all derive from one seed.
//!
//! A stream is a ChaCha8 generator whose key is the SHA-256 of `(seed, name, index)`. It is therefore
//! portable across platforms and library versions, and the stream of a block of rows does not depend on which
//! thread runs first.

use rand::SeedableRng;
use rand::rngs::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// The type of generator behind every stream.
pub type StreamRng = ChaCha8Rng;

/// The user's seed. All randomness of a run derives from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub u64);

impl Seed {
    /// The stream called `name` with the number `index`, for example of an epoch, a block of rows or a
    /// restart.
    pub fn stream(self, name: &str, index: u64) -> StreamRng {
        StreamRng::from_seed(self.digest(name, index))
    }

    /// A separate seed for a part of the run that derives further streams itself.
    pub fn child(self, name: &str, index: u64) -> Self {
        let d = self.digest(name, index);
        Self(u64::from_le_bytes([d[0], d[1], d[2], d[3], d[4], d[5], d[6], d[7]]))
    }

    /// Streams for things that have a key of their own rather than a number, as records have.
    pub fn keyed(self, name: &str, index: u64) -> KeyedStreams {
        let d = self.digest(name, index);
        let mut half = [0; 16];
        half.copy_from_slice(&d[..16]);
        KeyedStreams(half)
    }

    fn digest(self, name: &str, index: u64) -> [u8; 32] {
        let mut h = Sha256::new();
        h.update(self.0.to_le_bytes());
        h.update(index.to_le_bytes());
        h.update(name.as_bytes());
        h.finalize().into()
    }
}

/// The streams of one name, of which a key of 16 bytes chooses one: together they are the generator's key.
#[derive(Debug, Clone, Copy)]
pub struct KeyedStreams([u8; 16]);

impl KeyedStreams {
    /// The stream of `key`.
    pub fn stream(self, key: [u8; 16]) -> StreamRng {
        let mut whole = [0; 32];
        whole[..16].copy_from_slice(&self.0);
        whole[16..].copy_from_slice(&key);
        StreamRng::from_seed(whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    #[test]
    fn streams_are_reproducible_and_distinct() {
        let s = Seed(7);
        let draw = |mut r: StreamRng| r.next_u64();
        assert_eq!(draw(s.stream("a", 0)), draw(s.stream("a", 0)));
        assert_ne!(draw(s.stream("a", 0)), draw(s.stream("a", 1)));
        assert_ne!(draw(s.stream("a", 0)), draw(s.stream("b", 0)));
        assert_ne!(draw(s.stream("a", 0)), draw(Seed(8).stream("a", 0)));
        let keyed = |seed: Seed, name, index, key: u8| draw(seed.keyed(name, index).stream([key; 16]));
        assert_eq!(keyed(s, "a", 0, 1), keyed(s, "a", 0, 1));
        let others =
            [keyed(s, "a", 0, 2), keyed(s, "a", 1, 1), keyed(s, "b", 0, 1), keyed(Seed(8), "a", 0, 1)];
        assert!(others.iter().all(|other| *other != keyed(s, "a", 0, 1)));
    }
}
