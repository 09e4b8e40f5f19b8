//! Why a waveform record could not be read, or no window be cut from it.

use std::path::PathBuf;

use crate::error::{Hint, IoError};
use crate::ingest::IngestError;

/// Failure of a waveform record or of the cutting of windows.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WaveformError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// A header line that cannot be understood.
    #[error("{}:{line}: {message}", file.display())]
    Header {
        /// Header file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// A signal format this program does not read.
    #[error("{}:{line}: signal format {code} is unknown", file.display())]
    Format {
        /// Header file.
        file: PathBuf,
        /// Line, from 1.
        line: usize,
        /// The code found.
        code: String,
    },
    /// The signal file ends before the header says.
    #[error(
        "{}: {needed} bytes are needed for the {frames} samples per signal of the header, found {found}",
        file.display()
    )]
    Truncated {
        /// Signal file.
        file: PathBuf,
        /// Frames the header announces.
        frames: usize,
        /// Bytes they take.
        needed: u64,
        /// Bytes there are.
        found: u64,
    },
    /// Header and signal file contradict each other.
    #[error(
        "{}: signal `{signal}`: the header says {what} {expected}, the signal file {found}",
        file.display()
    )]
    Disagrees {
        /// Signal file.
        file: PathBuf,
        /// Signal name.
        signal: String,
        /// What is compared.
        what: &'static str,
        /// Value of the header.
        expected: String,
        /// Value of the file.
        found: String,
    },
    /// A compressed signal file that cannot be decoded.
    #[error("{}: not a readable FLAC stream: {message}", file.display())]
    Flac {
        /// Signal file.
        file: PathBuf,
        /// What the decoder says.
        message: String,
    },
    /// A header names a signal file that is not there.
    #[error("{}: its signal file `{file}` is missing", record.display())]
    MissingSignals {
        /// Header of the record or segment.
        record: PathBuf,
        /// Name of the file.
        file: String,
    },
    /// A segment of a multi-segment record has no header.
    #[error("{}: segment `{segment}` is missing", record.display())]
    MissingSegment {
        /// Header of the record.
        record: PathBuf,
        /// Segment name.
        segment: String,
    },
    /// A segment whose header contradicts that of its record.
    #[error(
        "{}: segment `{segment}`: the record says {what} {expected}, the segment {found}",
        record.display()
    )]
    Segment {
        /// Header of the record.
        record: PathBuf,
        /// Segment name.
        segment: String,
        /// What is compared.
        what: &'static str,
        /// Value of the record.
        expected: String,
        /// Value of the segment.
        found: String,
    },
    /// A table of signals that cannot be read.
    #[error(transparent)]
    Table(#[from] IngestError),
    /// An array of signals that cannot be read.
    #[error("{}: {message}", file.display())]
    Array {
        /// Array file.
        file: PathBuf,
        /// What is wrong.
        message: String,
    },
    /// A table or array does not say how fast it was sampled.
    #[error("{}: the file does not say its sampling rate", .0.display())]
    NoFrequency(PathBuf),
    /// The times of a table are at another rate than the one asked for.
    #[error(
        "{}: column `time`: samples come {found:.4} times a second, the pipeline says {frequency}",
        file.display()
    )]
    Clock {
        /// Table.
        file: PathBuf,
        /// Rate of the pipeline.
        frequency: f64,
        /// Rate of the times.
        found: f64,
    },
    /// Channels of one window must share one sampling rate.
    #[error("{}: channels are sampled at different rates: {rates}", record.display())]
    UnequalRates {
        /// Header of the record or segment.
        record: PathBuf,
        /// Channel and rate, as text.
        rates: String,
    },
    /// Neither a record nor a folder of records.
    #[error("no waveform record at {}", .0.display())]
    NoRecord(PathBuf),
    /// No window is left.
    #[error("no window of {window} samples of {channels} can be cut: {why}")]
    NoWindows {
        /// Samples per channel.
        window: usize,
        /// Channels, as text.
        channels: String,
        /// Counts by reason, as text.
        why: String,
    },
    /// Settings that contradict each other.
    #[error("{message}")]
    Setting {
        /// What does not fit.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl WaveformError {
    /// Reason of the audit for a record that cannot be used.
    pub(super) fn reason(&self) -> &'static str {
        match self {
            Self::Truncated { .. } => "signal file truncated",
            Self::Disagrees { .. } | Self::Segment { .. } => "header disagrees with the signals",
            Self::Flac { .. } => "compressed file damaged",
            Self::Format { .. } => "unknown signal format",
            Self::Header { .. } => "header not understood",
            Self::MissingSegment { .. } => "segment missing",
            Self::MissingSignals { .. } => "signal file missing",
            Self::Clock { .. } => "times at another rate",
            Self::UnequalRates { .. } => "channels at unequal rates",
            Self::Table(_) | Self::Array { .. } => "table or array not understood",
            _ => "not readable",
        }
    }
}

impl Hint for WaveformError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(e) => e.hint(),
            Self::Table(IngestError::WrongCell { .. } | IngestError::WrongType { .. }) => Some(
                "a table of signals has one row a sample right below its header, and numbers with a decimal \
                 point: remove lines of units and titles, and leave missing samples empty"
                    .into(),
            ),
            Self::Table(e) => e.hint(),
            Self::Header { .. } => Some("see header(5) of the WFDB Applications Guide for the syntax".into()),
            Self::Format { .. } => Some(
                "known formats are 8, 16, 24, 32, 61, 80, 160, 212, 310, 311 and the compressed 508, 516, \
                 524"
                    .into(),
            ),
            Self::Truncated { .. } | Self::Flac { .. } => {
                Some("the copy is incomplete or damaged: fetch the file again".into())
            }
            Self::Disagrees { .. } | Self::Segment { .. } => {
                Some("header and signal files belong to different versions of the record: fetch both \
                 again"
                .into())
            }
            Self::MissingSegment { segment, .. } => {
                Some(format!("put {segment}.hea and its signal file beside the record's header"))
            }
            Self::MissingSignals { file, .. } => Some(format!("put {file} beside its header")),
            Self::Array { .. } => Some(
                "save it with numpy.save as (samples, channels) or (windows, samples, channels), one channel \
                 per name of --set channels=A,B"
                    .into(),
            ),
            Self::NoFrequency(_) => Some("say it in samples per second: --set frequency=125".into()),
            Self::Clock { .. } => Some(
                "set the rate of the file with --set frequency=; `time` is taken to be in seconds: give a \
                 column of anything else another name"
                    .into(),
            ),
            Self::UnequalRates { .. } => Some("choose channels of one rate with --set channels=A,B".into()),
            Self::NoRecord(_) => Some(
                "give a .hea file, a record name without ending, a table or .npy file of signals, or a \
                 folder of them"
                    .into(),
            ),
            Self::NoWindows { .. } => {
                Some("see the channels in the .hea files or the columns of the table; set others, a shorter \
                      window or another gap policy with --set channels=, window=, max_missing="
                    .into())
            }
            Self::Setting { hint, .. } => Some(hint.clone()),
        }
    }
}
