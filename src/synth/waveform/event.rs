//! What happens in a record, in samples.

/// Samples per second.
pub(super) const FREQUENCY: f64 = 125.0;

/// Something that happened between two samples of a record.
pub(super) struct Event {
    pub(super) kind: &'static str,
    pub(super) channels: &'static str,
    pub(super) start: usize,
    pub(super) end: usize,
}
