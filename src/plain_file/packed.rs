//! How much a packed file may unfold to.
//!
//! What a reader keeps grows with the cells of a table and with its rows. A packed file that repeats itself
//! may hold more of both than memory does: deflate packs up to 1,032 bytes into one, and run lengths of
//! Parquet a thousand million rows into a few bytes. Honest files repeat themselves too, such as sparse
//! tables of zeros, so that no ratio alone tells the two apart. Two things do: rows of measured values differ
//! from each other, so that each takes room of its own; and a file of less than a megabyte should not need
//! more than a gigabyte of memory.

/// A file of so many bytes is small: it may unfold to [`LEAST`].
const SMALL: u64 = 1 << 20;
/// Bytes of text that any file may unfold to. They are 64 million cells at most; a wide table of 84 million
/// zeros took 1,157 MB to ingest, 14 bytes for each.
const LEAST: u64 = 128 << 20;
/// Bytes that one byte unfolds to at most in deflate, so that beyond a megabyte no honest file is refused for
/// its cells.
const MOST_PER_BYTE: u64 = 1032;
/// Up to so many rows nothing is held against a file.
const UNSUSPECTED_ROWS: u64 = 8_000_000;

/// Bytes of text that a file of `stored` bytes may unfold to.
pub const fn most_bytes(stored: u64) -> u64 {
    LEAST.saturating_add(MOST_PER_BYTE.saturating_mul(stored.saturating_sub(SMALL)))
}

/// Cells that a file of `stored` bytes may unfold to: in a text, each takes two bytes at least.
pub const fn most_cells(stored: u64) -> u64 {
    most_bytes(stored) / 2
}

/// Rows that `stored` bytes may unfold to: of many rows, each takes a bit at least.
pub const fn most_rows(stored: u64) -> u64 {
    let of_a_bit = stored.saturating_mul(8);
    if of_a_bit > UNSUSPECTED_ROWS { of_a_bit } else { UNSUSPECTED_ROWS }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_files_are_held_to_a_gigabyte_and_large_ones_to_what_deflate_can_do() {
        assert_eq!(most_bytes(0), most_bytes(1 << 20));
        assert!(14 * most_cells(1 << 20) < 1 << 30);
        // The limit grows without a jump, and is soon out of reach.
        assert_eq!(most_bytes((1 << 20) + 1) - most_bytes(1 << 20), 1032);
        assert!(most_bytes(100 << 20) > 1000 * (100 << 20));
        assert_eq!((most_rows(10), most_rows(10_000_000)), (8_000_000, 80_000_000));
        assert_eq!(most_bytes(u64::MAX), u64::MAX);
    }
}
