//! The one error of the commands: whatever a stage reports, with its hint.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::artifact::{ArtifactError, Family, FitError};
use crate::error::{Hint, IoError};
use crate::features::FeatureError;
use crate::flow::FlowError;
use crate::ingest::IngestError;
use crate::outlier::OutlierError;
use crate::output::OutputError;
use crate::partial::PartialError;
use crate::picture::PictureError;
use crate::report::ReportError;
use crate::schema::SchemaError;
use crate::synth::SynthError;
use crate::train::TrainError;
use crate::waveform::WaveformError;

/// Why a command could not be carried out.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Schema, pipeline or setting.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// Source files.
    #[error(transparent)]
    Ingest(#[from] IngestError),
    /// Waveform records.
    #[error(transparent)]
    Waveform(#[from] WaveformError),
    /// Pictures.
    #[error(transparent)]
    Picture(#[from] PictureError),
    /// Transforms, splits, bundle.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// A layer of a flow.
    #[error(transparent)]
    Flow(#[from] FlowError),
    /// A question only a flow can answer.
    #[error("a {kind} model has no linear layers to look at")]
    NoLayers {
        /// Family of the model.
        kind: Family,
    },
    /// The fit of a model.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// Model folder.
    #[error(transparent)]
    Artifact(#[from] ArtifactError),
    /// Calibration and flags.
    #[error(transparent)]
    Outlier(#[from] OutlierError),
    /// Likelihood of some features, completions.
    #[error(transparent)]
    Partial(#[from] PartialError),
    /// Report.
    #[error(transparent)]
    Report(#[from] ReportError),
    /// Synthetic extract.
    #[error(transparent)]
    Synth(#[from] SynthError),
    /// Output files.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// Input files.
    #[error(transparent)]
    Io(#[from] IoError),
    /// An output whose ending names no format.
    #[error("cannot tell the format of {}: it ends in none of .csv, .parquet and .arrow", .0.display())]
    Format(PathBuf),
    /// An explanations file whose ending names no format.
    #[error("cannot tell the format of {}: it ends in neither .json nor .jsonl", .0.display())]
    JsonFormat(PathBuf),
    /// An option that does not go with another.
    #[error("{message}")]
    Usage {
        /// What does not fit.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A request of a program that asks through `serve`, which cannot be understood.
    #[error("{message}")]
    Protocol {
        /// What is wrong with it.
        message: String,
    },
    /// A file of marks that cannot be used.
    #[error("{}: {message}", path.display())]
    Marks {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line where one is at fault.
        message: String,
    },
    /// A labels file that cannot be used.
    #[error("{}: {message}", path.display())]
    Labels {
        /// The file.
        path: PathBuf,
        /// What is wrong, with the line where one is at fault.
        message: String,
    },
}

/// A file of marks that cannot be used.
pub(super) fn marks(path: &Path, message: String) -> Error {
    Error::Marks { path: path.to_path_buf(), message }
}

/// A labels or flags file that cannot be used.
pub(super) fn labels(path: &Path, message: String) -> Error {
    Error::Labels { path: path.to_path_buf(), message }
}

impl Hint for Error {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Schema(e) => e.hint(),
            Self::Ingest(e) => e.hint(),
            Self::Waveform(e) => e.hint(),
            Self::Picture(e) => e.hint(),
            Self::Feature(e) => e.hint(),
            Self::Flow(e) => e.hint(),
            Self::NoLayers { .. } => Some("fit one with --model butterfly, glow-lu or realnvp".into()),
            Self::Fit(e) => e.hint(),
            Self::Artifact(e) => e.hint(),
            Self::Outlier(e) => e.hint(),
            Self::Partial(e) => e.hint(),
            Self::Report(e) => e.hint(),
            Self::Synth(e) => e.hint(),
            Self::Output(e) => e.hint(),
            Self::Io(e) => e.hint(),
            Self::Format(_) => Some("end the name of --output in .csv, .parquet or .arrow".into()),
            Self::JsonFormat(_) => {
                Some("end the name of --json in .json (one document) or .jsonl (one record per line)".into())
            }
            Self::Usage { hint, .. } => Some(hint.clone()),
            Self::Protocol { .. } => {
                Some("the guide has a page `serve` that describes requests and answers".into())
            }
            Self::Marks { .. } => Some(
                "marks are downloaded from the page of `report --review`, or written as a table with the \
                 columns record_id and mark, one row per flag"
                    .into(),
            ),
            Self::Labels { .. } => Some(
                "a labels file is a table with the columns record_id and kind, one row per known anomaly, or \
                 record_id and label, 1 for anomalies and 0 for ordinary records; record ids are those of \
                 the flags table, and cells may be separated by commas, semicolons, tabs or bars"
                    .into(),
            ),
        }
    }
}

/// An error as other programs are told of it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct ErrorAccount {
    /// The stage that reports it.
    pub kind: &'static str,
    /// What is wrong, with its causes.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl Error {
    /// The error as other programs are told of it.
    pub fn account(&self) -> ErrorAccount {
        let mut message = self.to_string();
        if let Self::Schema(SchemaError::Invalid { problems, .. }) = self {
            for problem in problems {
                let _ = write!(message, "\nline {}: {}", problem.line, problem.message);
            }
        }
        let mut source = std::error::Error::source(self);
        while let Some(cause) = source {
            let text = cause.to_string();
            // A transparent wrapper repeats the text of its cause, and some messages already contain it.
            if !message.contains(&text) {
                let _ = write!(message, ": {text}");
            }
            source = cause.source();
        }
        ErrorAccount { kind: self.kind(), message, hint: self.hint() }
    }

    /// The stage that reports it, in one word, for programs that tell errors apart.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Schema(_) => "schema",
            Self::Ingest(_) | Self::Waveform(_) | Self::Picture(_) => "input",
            Self::Feature(_) => "bundle",
            Self::Flow(_) | Self::NoLayers { .. } | Self::Artifact(_) => "model",
            Self::Fit(_) if self.is_interrupt() => "interrupted",
            Self::Fit(_) => "fit",
            Self::Outlier(_) => "flag",
            Self::Partial(_) => "completion",
            Self::Report(_) => "report",
            Self::Synth(_) => "synth",
            Self::Output(_) | Self::Format(_) | Self::JsonFormat(_) => "output",
            Self::Io(_) => "io",
            Self::Usage { .. } => "usage",
            Self::Protocol { .. } => "protocol",
            Self::Labels { .. } | Self::Marks { .. } => "labels",
        }
    }

    /// Whether the run ended because the user asked it to.
    pub fn is_interrupt(&self) -> bool {
        matches!(self, Self::Fit(FitError::Train(TrainError::Interrupted { .. })))
    }
}
