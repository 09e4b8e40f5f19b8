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
    /// The columns with dates that have no time of day.
    pub(in crate::ingest) dates: Places,
}

/// A set of places of wanted columns; those from the 64th on are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Places(u64);

impl Places {
    /// Adds a place.
    pub(in crate::ingest) fn add(&mut self, place: usize) {
        self.0 |= 1 << place.min(63);
    }

    /// Whether it is there.
    pub(in crate::ingest) fn has(self, place: usize) -> bool {
        self.0 & (1 << place.min(63)) != 0
    }

    /// The places of both.
    pub(in crate::ingest) fn and(self, more: Self) -> Self {
        Self(self.0 | more.0)
    }
}

/// How the times of some rows are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(in crate::ingest) struct Times {
    /// All of them.
    pub(in crate::ingest) zones: Zoned,
    /// The columns with dates that have no time of day.
    pub(in crate::ingest) dates: Places,
}

impl Times {
    /// Takes in a cell of the column at a place.
    pub(in crate::ingest) fn see(&mut self, place: usize, zone: Zoned) {
        self.zones = self.zones.and(zone);
        if zone.date {
            self.dates.add(place);
        }
    }
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
        Passed {
            rows: self.rows,
            skipped: self.skipped,
            bytes: 0,
            zones: self.zones,
            dates: Places::default(),
        }
    }
}
