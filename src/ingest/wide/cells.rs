//! What cells are beyond their values: hashes, keys, names of records.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};

use crate::ingest::source::Cell;
use crate::ingest::spelling::{Marks, has_leading_zero};
use crate::ingest::text::{shortest, unguarded};

/// Passes hashes on as they are.
#[derive(Debug, Default)]
pub(super) struct Hashed(u64);

impl Hasher for Hashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        // Only `write_u64` is called by the keys of the tables below; this keeps the hasher right for any
        // other.
        for byte in bytes {
            self.0 = mix(self.0 ^ u64::from(*byte));
        }
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

/// Counts of keys that are hashes already.
pub(super) type HashCounts = HashMap<u64, u32, BuildHasherDefault<Hashed>>;
/// A set of hashes.
pub(super) type Hashes = HashSet<u64, BuildHasherDefault<Hashed>>;

/// The finaliser of SplitMix64, which spreads neighbouring numbers over all bits.
pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

pub(super) fn hash_number(x: f64) -> u64 {
    mix((x + 0.0).to_bits() ^ 0x6e75_6d62)
}

pub(super) fn hash_text(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(text.as_bytes());
    hasher.finish()
}

/// An identifier: 0 where there is none. A whole number is the same whether it is stored as a number or as
/// text, and a text with a leading zero is not the number behind it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Key {
    Absent,
    /// A whole number, with its hash.
    Whole(f64, u64),
    Text(u64),
    /// A number with a fraction, a truth value or a date, which no identifier is.
    Other,
}

impl Key {
    pub(super) fn of(cell: Cell<'_>) -> Self {
        match cell {
            Cell::Null => Self::Absent,
            Cell::Number(x) if x.is_nan() => Self::Absent,
            Cell::Number(x) if x.fract() == 0.0 => Self::Whole(x, hash_number(x)),
            Cell::Integer(x) => Self::whole(x),
            Cell::Text(text) => {
                let text = text.trim();
                if text.is_empty() {
                    return Self::Absent;
                }
                if has_leading_zero(text) {
                    return Self::Text(hash_text(text));
                }
                match text.parse::<i64>() {
                    Ok(x) => Self::whole(x),
                    // More digits than an integer holds: as doubles, many of them would be one and the same.
                    Err(_) if text.bytes().all(|b| b.is_ascii_digit()) => Self::Text(hash_text(text)),
                    Err(_) => match Marks::Point.parse(text) {
                        Some(x) if x.fract() == 0.0 => Self::Whole(x, hash_number(x)),
                        Some(_) => Self::Other,
                        None => Self::Text(hash_text(text)),
                    },
                }
            }
            Cell::Number(_) | Cell::Bool(_) | Cell::Temporal => Self::Other,
        }
    }

    /// Identifiers beyond 2⁵³ differ though their doubles do not.
    fn whole(x: i64) -> Self {
        let number = x as f64;
        let exact = x.unsigned_abs() <= 1 << 53;
        Self::Whole(number, if exact { hash_number(number) } else { mix(x as u64) })
    }
}

/// An identifier as text: `7` for 7 and 7.0.
pub(super) fn id_text(cell: Cell<'_>) -> Option<Cow<'_, str>> {
    match cell {
        Cell::Null | Cell::Temporal => None,
        Cell::Text(text) => {
            let text = unguarded(text.trim());
            // A float column in CSV writes the id 7 as `7.0`.
            let id = text.strip_suffix(".0").filter(|id| id.parse::<i64>().is_ok()).unwrap_or(text);
            (!id.is_empty()).then_some(Cow::Borrowed(id))
        }
        Cell::Number(x) if x.is_nan() => None,
        Cell::Number(x) => Some(shortest(x).into()),
        Cell::Integer(x) => Some(x.to_string().into()),
        Cell::Bool(b) => Some(b.to_string().into()),
    }
}

/// Whether [`id_text`] of a cell is the shortest text of its number, so that the number stands for it.
pub(super) fn is_plain_id(cell: Cell<'_>) -> bool {
    match cell {
        Cell::Text(text) => {
            let digits = text.as_bytes();
            digits.len() <= 15
                && digits.iter().all(u8::is_ascii_digit)
                && (digits[0] != b'0' || digits.len() == 1)
        }
        Cell::Integer(x) => x.unsigned_abs() <= 1 << 53,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_whatever_its_type() {
        let hash = |cell| match Key::of(cell) {
            Key::Whole(_, hash) | Key::Text(hash) => hash,
            Key::Absent | Key::Other => 0,
        };
        let seven = hash(Cell::Integer(7));
        assert_eq!(hash(Cell::Text(" 7.0")), seven);
        assert_eq!(hash(Cell::Number(7.0)), seven);
        assert_ne!(hash(Cell::Text("07")), seven);
        assert_eq!(Key::of(Cell::Text("7.5")), Key::Other);
        let near = |d: i64| hash(Cell::Integer((1 << 60) + d));
        assert_ne!(near(0), near(1));
        assert_eq!(id_text(Cell::Text("7.0")), id_text(Cell::Integer(7)));
    }
}
