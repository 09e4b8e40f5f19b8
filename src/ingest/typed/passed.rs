//! How much of a file has passed when it is read, and when its event store was made.

use serde::{Deserialize, Serialize};

use super::calendar::Zoned;
use crate::ingest::InputFile;
use crate::message::Message;

/// How much of a file has passed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Passed {
    /// Rows below the header.
    pub(in crate::ingest) rows: u64,
    /// Malformed rows left out.
    pub(in crate::ingest) skipped: u64,
    /// Bytes as stored.
    pub(in crate::ingest) bytes: u64,
    /// How the times that were read are written.
    pub(in crate::ingest) zones: Zoned,
}

/// What a store was made from, and what it leaves out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::ingest) struct Note {
    /// The source: name, size, SHA-256.
    pub(in crate::ingest) source: InputFile,
    /// Nanoseconds since 1970 of the source's last change.
    pub(in crate::ingest) changed: u128,
    /// Rows of the source.
    pub(in crate::ingest) rows: u64,
    /// Malformed rows left out.
    pub(in crate::ingest) skipped: u64,
    /// How the times of the source are written.
    pub(in crate::ingest) zones: Zoned,
    /// What a user should know about the source: its encoding, bytes behind its end.
    pub(in crate::ingest) said: Vec<Message>,
    /// The store itself.
    pub(in crate::ingest) store: InputFile,
}

impl Note {
    /// The source file, for the manifest.
    pub(in crate::ingest) fn source(&self) -> &InputFile {
        &self.source
    }

    /// What passed when the source was read.
    pub(in crate::ingest) fn passed(&self) -> Passed {
        Passed { rows: self.rows, skipped: self.skipped, bytes: 0, zones: self.zones }
    }
}
