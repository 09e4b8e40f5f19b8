//! Streams that end too early, and how much is read of them.

use std::io::{self, Read};

/// Most numbers of an array: two thousand million, a table of 60,000 pictures of 180 × 180.
pub(super) const MOST_NUMBERS: u64 = 1 << 31;

/// What is said of a file that ends before its header says.
pub(super) const ENDS_EARLY: &str = "it ends before its header says";

/// Fills a buffer; nothing where the stream ends before.
pub(super) fn read_all(from: &mut dyn Read, out: &mut [u8]) -> io::Result<Option<()>> {
    match from.read_exact(out) {
        Ok(()) => Ok(Some(())),
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(None),
        Err(e) => Err(e),
    }
}
