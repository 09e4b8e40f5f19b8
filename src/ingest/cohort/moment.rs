//! When an event was, and whether that is in reach of the windows of a record.

use crate::ingest::events::bins::Bins;
use crate::schema::Window;

/// When an event was, as its table says it.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) enum Moment {
    /// Reach since 1970.
    At(i64),
    /// Reach since the record's start.
    After(i64),
}

impl Moment {
    /// Seconds since whatever it counts from.
    pub(in crate::ingest) fn seconds(self) -> i64 {
        match self {
            Self::At(seconds) | Self::After(seconds) => seconds,
        }
    }

    /// The same moment where what it counts from is these seconds after the record's start.
    pub(in crate::ingest) fn counted_from(self, after: i64) -> Self {
        match self {
            Self::At(_) => self,
            Self::After(seconds) => Self::After(seconds.saturating_add(after)),
        }
    }

    /// A moment on the same scale that comes after all others; far from the largest number, so that
    /// differences fit.
    pub(in crate::ingest) fn forever(self) -> Self {
        match self {
            Self::At(_) => Self::At(i64::MAX / 4),
            Self::After(_) => Self::After(i64::MAX / 4),
        }
    }
}

/// Why an event belongs to no record's window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Misplaced {
    NoSuchRecord,
    OutsideStays,
    NotInCohort,
    NoStart,
    Before,
    After,
    AfterEnd,
}

/// From when to when events may count in any window, in whole seconds.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Reach {
    pub(super) start: i64,
    pub(super) end: i64,
    pub(super) until_end: bool,
}

impl Reach {
    /// The windows, the first of them beginning earlier by the longest lookback.
    pub(in crate::ingest) fn new(window: &Window, lookback: i64) -> Self {
        let bins = Bins::new(window);
        Self { start: bins.first().saturating_sub(lookback), end: bins.last(), until_end: window.until_end }
    }
}
