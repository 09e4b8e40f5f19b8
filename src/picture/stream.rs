//! Streams that end too early, and how much is read of them.

use std::io::{self, Read};

use crate::plain_file::most_bytes;

/// Most numbers of an array: two thousand million, a table of 60,000 pictures of 180 × 180.
pub(super) const MOST_NUMBERS: u64 = 1 << 31;

/// Pictures of which nothing is held against a file. Of more than that, each takes a bit of the file at
/// least.
const UNSUSPECTED: u64 = 1 << 20;

/// What is wrong with arrays that a file of `stored` bytes says it holds: how many numbers in all, and how
/// many entries along the first dimension in the longest.
pub(super) fn unfolds_too_far(numbers: u64, longest: u64, stored: u64) -> Option<String> {
    let too_far = numbers > most_bytes(stored) || longest > UNSUSPECTED && longest > stored.saturating_mul(8);
    too_far.then(|| {
        format!(
            "it has {stored} bytes and unfolds to {numbers} numbers in {longest} entries, more than a file of \
             its size can tell apart"
        )
    })
}

/// What to do about it.
pub(super) const UNFOLDED: &str =
    "it may have been made to fill the memory; if you know what it holds, divide it or save it unpacked";

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
