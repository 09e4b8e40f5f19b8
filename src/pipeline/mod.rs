//! One function per command: what `cohort-flow ingest`, `fit`, `score`, `sample`, `flag`, `report`, `synth`
//! and `demo` do, without arguments, printing or exit codes. Every output appears whole or not at all.

mod blocks;
mod compare;
mod error;
mod evaluate;
mod export;
mod fit;
mod flag;
mod flags_file;
mod given;
mod groups;
mod heat_maps;
mod impute;
mod ingest;
mod inspect;
mod labels;
mod marginal;
mod names;
mod outcome;
mod records;
mod report;
mod sample;
mod score;
mod score_file;
mod serve;
mod shared;
mod shifted;

pub use compare::{CompareRequest, Compared, SharedLikelihood, compare};
pub use error::{Error, ErrorAccount};
pub use evaluate::evaluate;
pub use export::{ExportRequest, export};
pub use fit::{FitRequest, default_model, fit};
pub use flag::{FlagRequest, FlagSummary, flag};
pub use given::{Given, recognise};
pub use impute::{ImputeRequest, impute};
pub use ingest::{CheckReport, IngestRequest, Ingested, check, explain, ingest};
pub use inspect::{Inspection, inspect};
pub use labels::{Labels, read_labels};
pub use marginal::{MarginalRequest, marginal};
pub use outcome::{OutcomeRequest, evaluate_outcome};
pub use records::{Records, RecordsSource};
pub use report::{ReportFormat, ReportRequest, report};
pub use sample::{SampleRequest, sample};
pub use score::{ScoreRequest, score};
pub use serve::serve;
