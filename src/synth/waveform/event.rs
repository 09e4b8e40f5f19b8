//! The events of a record, located by their samples.

/// Samples per second.
pub(super) const FREQUENCY: f64 = 125.0;

/// An event that occupies the samples from `start` to `end` of a record.
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) channels: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}
