//! Density estimation on medical tables: ingestion of cohorts, ButterflyFlow, Gaussian mixtures, calibrated
//! outliers and a report.
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
//! L4  window                    causal flow for windows of signals
//!     train     baseline        AdamW, checkpoints · Gaussian mixtures
//! L3  evaluate  waveform        record log-likelihood of any density · WFDB records → windows
//! L2  features  flow            frame → vector · ButterflyFlow            ingest   synth
//! L1  schema                    what the data are, what is done with them
//! L0  num  random  density  output  error
//! ```

pub mod density;
pub mod error;
pub mod num;
pub mod output;
pub mod random;

pub mod schema;

pub mod features;
pub mod flow;
pub mod ingest;
pub mod synth;

pub mod evaluate;
pub mod waveform;

pub mod baseline;
pub mod train;

pub mod window;

pub mod artifact;

pub mod outlier;
pub mod partial;
pub mod report;

pub mod pipeline;

pub mod cli;

pub mod guide;
