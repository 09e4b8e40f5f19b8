//! Keys of records: what the noise of a record hangs on, so that its numbers are the same wherever it stands.
//!
//! ```text
//! bytes(row) = the numbers of the row, in the encoder's order, each as a little-endian IEEE 754 double,
//!              −0 written as 0 and a missing value as 0x7ff8000000000000
//! key(row)   = XXH3-128(bytes(row)), little-endian                          of a record by its content alone
//! key(row,k) = XXH3-128(bytes(row) ‖ k as a little-endian u64)              of its (k + 1)-th copy, k ≥ 1
//! ```
//!
//! A score hangs on the content alone: copies of a record have equal scores, and a record has the same one in
//! a bundle, in a file of its own and in any order. The stored tensor and the draws a model is trained on
//! tell copies apart, because copies with equal noise would be a point mass that a density can grow on
//! without bound. Which of the copies gets which noise is a matter of their order; the set of vectors is not.
//! All of this is part of the format of bundles and models.
//!
//! # References
//! Collet (2019), XXH3, <https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md>.

use std::collections::HashMap;

use ndarray::{ArrayView1, ArrayView2};
use rayon::prelude::*;
use xxhash_rust::xxh3::xxh3_128;

use crate::num::repeated::{Found, Repeated};

/// What chooses the random stream of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct RecordKey([u8; 16]);

impl RecordKey {
    /// The key of a record by its content.
    pub fn of(row: ArrayView1<'_, f64>) -> Self {
        Self::of_bytes(&bytes_of(row))
    }

    /// The keys of records by their content alone: copies have equal keys.
    ///
    /// # Shapes
    /// `raw: (n, p)` → n keys
    pub fn by_content(raw: ArrayView2<'_, f64>) -> Vec<Self> {
        (0..raw.nrows()).into_par_iter().map(|i| Self::of(raw.row(i))).collect()
    }

    /// The keys of records by their content and the number of the copy among equal records: all differ.
    ///
    /// # Shapes
    /// `raw: (n, p)` → n keys
    pub fn by_copy(raw: ArrayView2<'_, f64>) -> Vec<Self> {
        let keys = Self::by_content(raw);
        let mut short = Repeated::default();
        keys.iter().for_each(|key| short.insert(key.short()));
        Copies::among(short.found()).tell_apart(raw, keys)
    }

    /// Eight of its bytes: enough to tell which records can have no copy.
    pub(super) fn short(self) -> u64 {
        u128::from_le_bytes(self.0) as u64
    }

    /// The bytes that choose a stream.
    pub fn bytes(self) -> [u8; 16] {
        self.0
    }

    fn of_bytes(bytes: &[u8]) -> Self {
        Self(xxh3_128(bytes).to_le_bytes())
    }
}

/// Tells copies of records apart that come one after the other.
pub(super) struct Copies {
    /// What [`RecordKey::short`] says of records that may have copies.
    repeated: Found,
    met: HashMap<RecordKey, u64>,
}

impl Copies {
    /// None met yet.
    pub(super) fn among(repeated: Found) -> Self {
        Self { repeated, met: HashMap::new() }
    }

    /// The keys of the next records by content and copy, from those by content.
    pub(super) fn tell_apart(
        &mut self,
        raw: ArrayView2<'_, f64>,
        mut keys: Vec<RecordKey>,
    ) -> Vec<RecordKey> {
        let may_be = |key: &RecordKey| self.repeated.contains(key.short());
        for (key, row) in keys.iter_mut().zip(raw.rows()).filter(|(key, _)| may_be(key)) {
            let copies = self.met.entry(*key).or_default();
            if *copies > 0 {
                let mut bytes = bytes_of(row);
                bytes.extend(copies.to_le_bytes());
                *key = RecordKey::of_bytes(&bytes);
            }
            *copies += 1;
        }
        keys
    }
}

fn bytes_of(row: ArrayView1<'_, f64>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(8 * row.len() + 8);
    bytes.extend(row.iter().flat_map(|&x| canonical(x).to_le_bytes()));
    bytes
}

/// One bit pattern for "missing" and one for zero.
fn canonical(x: f64) -> u64 {
    match x {
        x if x.is_nan() => 0x7ff8_0000_0000_0000,
        // −0 + 0 is 0.
        x => (x + 0.0).to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn the_key_is_that_of_the_written_rule() {
        // Part of the file format. XXH3-128 of the 24 bytes by Python's xxhash 3.5:
        // xxhash.xxh3_128(struct.pack("<ddQ", 1.5, 0.0, 0x7ff8 << 48)).intdigest()
        let row = array![1.5, -0.0, f64::NAN];
        let bytes: Vec<u8> =
            [1.5_f64.to_bits(), 0, 0x7ff8 << 48].iter().flat_map(|b: &u64| b.to_le_bytes()).collect();
        assert_eq!(RecordKey::of(row.view()).bytes(), xxh3_128(&bytes).to_le_bytes());
        // XXH3-128 of nothing, from the specification's test vectors.
        assert_eq!(
            RecordKey::of(array![].view()).bytes(),
            0x99aa_06d3_0147_98d8_6001_c324_468d_497f_u128.to_le_bytes()
        );
    }

    #[test]
    fn signs_of_zero_and_kinds_of_nan_do_not_matter_and_everything_else_does() {
        let key = |row: [f64; 2]| RecordKey::of(array![row[0], row[1]].view());
        assert_eq!(key([0.0, 1.0]), key([-0.0, 1.0]));
        assert_eq!(key([f64::NAN, 1.0]), key([-f64::NAN, 1.0]));
        let others = [[1.0, 0.0], [0.0, 1.0 + f64::EPSILON], [f64::NAN, 1.0], [5e-324, 1.0]];
        assert!(others.iter().all(|row| key(*row) != key([0.0, 1.0])));
    }

    #[test]
    fn copies_differ_by_their_number_and_the_set_of_keys_not_by_the_order() {
        let raw = array![[1.0], [2.0], [1.0], [1.0], [-0.0], [0.0]];
        let keys = RecordKey::by_copy(raw.view());
        let set =
            |keys: &[RecordKey]| keys.iter().map(|k| k.bytes()).collect::<std::collections::BTreeSet<_>>();
        assert_eq!(set(&keys).len(), 6);
        let turned = RecordKey::by_copy(raw.select(ndarray::Axis(0), &[5, 2, 1, 3, 0, 4]).view());
        assert_eq!(set(&keys), set(&turned));
        assert_eq!(keys[0], RecordKey::by_content(raw.view())[2]);
    }
}
