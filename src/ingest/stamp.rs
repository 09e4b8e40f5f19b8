//! By what a file is known again between two readings of it.
//!
//! A table is read more than once: to learn what its columns are, to read them, and to hash it. A file that
//! another program writes to meanwhile would be surveyed as one table, read as another, and accounted for by
//! the hash of a third.

use std::fs::{self, Metadata};
use std::path::Path;
use std::time::SystemTime;

/// Size, time of change and identity of a file. The time at which its links or rights changed is no part of
/// it, because programs that make backups change that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
    identity: u64,
}

impl Stamp {
    /// The stamp of the file as it is now; nothing where the system does not tell.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let meta = fs::metadata(path).ok()?;
        Some(Self { bytes: meta.len(), changed: meta.modified().ok(), identity: identity(&meta) })
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> u64 {
    0
}
