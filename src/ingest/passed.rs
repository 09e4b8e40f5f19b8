//! How much of a file has passed when it is read, and when its event store was made.

use serde::{Deserialize, Serialize};

use super::InputFile;
use super::calendar::Zoned;

/// How much of a file has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Passed {
    /// Rows below the header.
    pub(super) rows: u64,
    /// Malformed rows left out.
    pub(super) skipped: u64,
    /// Bytes as stored.
    pub(super) bytes: u64,
    /// How the times that were read are written.
    pub(super) zones: Zoned,
}

/// What a store was made from, and what it leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Note {
    /// The source: name, size, SHA-256.
    pub(super) source: InputFile,
    /// Nanoseconds since 1970 of the source's last change.
    pub(super) changed: u128,
    /// Rows of the source.
    pub(super) rows: u64,
    /// Malformed rows left out.
    pub(super) skipped: u64,
    /// How the times of the source are written.
    pub(super) zones: Zoned,
    /// The store itself.
    pub(super) store: InputFile,
}

impl Note {
    /// The source file, for the manifest.
    pub(super) fn source(&self) -> &InputFile {
        &self.source
    }

    /// What passed when the source was read.
    pub(super) fn passed(&self) -> Passed {
        Passed { rows: self.rows, skipped: self.skipped, bytes: 0, zones: self.zones }
    }
}
