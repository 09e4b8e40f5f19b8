//! One function per command: what `cohort-flow ingest`, `fit`, `score`, `sample`, `flag`, `report`, `synth` and
//! `demo` do, without arguments, printing or exit codes. Every output appears whole or not at all.

mod error;
mod fit;
mod ingest;
mod labels;
mod records;
mod report;
mod sample;
mod score;

pub use error::Error;
pub use fit::{FitRequest, ModelChoice, fit};
pub use ingest::{IngestRequest, explain, ingest};
pub use labels::read_labels;
pub use records::{Records, RecordsSource};
pub use report::{ReportRequest, report};
pub use sample::{SampleRequest, sample};
pub use score::{FlagRequest, FlagSummary, ScoreRequest, flag, score};
