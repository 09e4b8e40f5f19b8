//! Density estimation on medical tables: ingestion of cohorts, ButterflyFlow, Gaussian mixtures, calibrated
//! outliers and a report.
//!
//! The program `cohort-flow` is the usual way to use it; the [guide] has a page for every question. As a
//! library it opens a bundle that `cohort-flow ingest` made, fits, scores and flags:
//!
//! ```
//! use cohort_flow::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let bundle = Bundle::open("tests/sample/cohort".as_ref())?;
//! let run = Run::new(Seed(1), &Silent);
//!
//! let mixture = Calibration(MixtureEstimator::default()).fit(&bundle, &run)?.model;
//! let options = Options { preset: Preset::Small, epochs: Some(2), ..Options::default() };
//! let flow = Family::Butterfly.estimator(&bundle.manifest.shape, &options, &run)?;
//! let flow = Calibration(flow).fit(&bundle, &run)?.model;
//! for model in [&mixture, &flow] {
//!     let test = &model.metrics.splits[&Split::Test];
//!     println!("{:?}: {:.2} nats per record", model.header.family.kind, test.mean_log_prob_original_units);
//! }
//!
//! let raw = bundle.raw_of(Split::Test);
//! let log_prob = flow.score(raw.view()).log_prob;
//! assert_eq!(log_prob.len(), raw.nrows());
//!
//! let options = FlagOptions {
//!     rule: Rule::Alpha(0.05),
//!     score: flow.header.score.clone(),
//!     draws: flow.header.score_draws,
//!     score_seed: flow.score_seed(),
//!     ..FlagOptions::default()
//! };
//! let ids: Vec<String> = (0..raw.nrows()).map(|row| format!("record {row}")).collect();
//! let flags = flag(flow.density(), &flow.encoder, &flow.calibration, raw.view(), &ids, &options)?;
//! for row in flags.rows.iter().filter(|row| row.flagged) {
//!     println!("{} {:.3} {}", row.record_id, row.p_value, row.sentence);
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Layers
//!
//! A module may use only modules of lower layers. The integration tests in `tests/it/layers` check this rule.
//!
//! ```text
//! L8  cli                       arguments, progress, diagnostics; the only place that prints or exits
//! L7  pipeline                  one function per command: ingest, fit, score, sample, flag, report, demo
//! L6  report    outlier         one HTML file · conformal p-values, explanations
//!     partial                   likelihood of some features, completions of records
//! L5  artifact                  families of models, estimators around them, the model folder
//! L4  window    grid            causal flows for windows of signals and for pictures
//!     train     baseline        AdamW, checkpoints · mixtures
//! L3  evaluate  waveform        record log-likelihood of any density · WFDB records → windows
//!     picture                   pictures → rows of whole numbers
//! L2  features  flow            frame → vector · ButterflyFlow            ingest   synth
//! L1  schema                    what the data are, what is done with them
//! L0  num  random  error  message · density  output  plain_file  onnx
//! ```

pub mod density;
pub mod error;
pub mod message;
pub mod num;
pub mod onnx;
pub mod output;
pub mod plain_file;
pub mod random;

pub mod schema;

pub mod features;
pub mod flow;
pub mod ingest;
pub mod synth;

pub mod evaluate;
pub mod picture;
pub mod waveform;

pub mod baseline;
pub mod train;

pub mod grid;
pub mod window;

pub mod artifact;

pub mod outlier;
pub mod partial;
pub mod report;

pub mod pipeline;

pub mod cli;

pub mod guide;
pub mod prelude;
