//! Bedside waveforms, in the WFDB format of PhysioNet or as plain tables and arrays → windows with one row
//! each.
//!
//! ```text
//! header   text beside the signal files             format   how samples lie in them
//! signal   samples of a segment, checked            record   many segments behind one header
//! plain    tables and arrays                         digitise  the steps their values lie on
//! account  counts for the audit                      unit     physical units and their conversions
//! cut      windows, and why others are left out      patient  whose a record is
//! gather   all records, made comparable              windows  splits, normalisation, one row per window
//! ```
//!
//! The reader is our own: the crates at hand (`wfdb` 0.1.6, `wfdb-rust` 0.3.0) read no compressed format,
//! check neither checksums nor lengths, and call themselves unstable. FLAC streams are decoded by `claxon`.

mod account;
mod clock;
mod cut;
mod cuts;
mod digitise;
mod divide;
mod error;
mod format;
mod gather;
mod header;
mod normalise;
mod numpy_header;
mod overlooked;
mod patient;
mod plain;
mod record;
mod signal;
mod unit;
mod windows;

pub use error::WaveformError;
pub use format::Format;
pub use header::{Header, SegmentSpec, SignalSpec};
pub use normalise::{ChannelScale, Normalisation, RecordScale};
pub use record::{Record, Segment, list_records};
pub use signal::{Signal, read_signals};
pub use windows::read_windows;
