//! One function per command: what `cohort-flow ingest`, `fit`, `score`, `sample`, `flag`, `report`, `synth` and
//! `demo` do, without arguments, printing or exit codes. Every output appears whole or not at all.

mod demo;
mod error;
mod fit;
mod ingest;
mod records;
mod report;
mod sample;
mod score;

pub use demo::{DemoRequest, DemoStage, DemoSummary, demo};
pub use error::Error;
pub use fit::{FitRequest, ModelChoice, fit};
pub use ingest::{IngestRequest, ingest};
pub use records::{Records, RecordsSource};
pub use report::{ReportRequest, read_labels, report};
pub use sample::{SampleRequest, sample};
pub use score::{FlagRequest, FlagSummary, ScoreRequest, flag, score};
