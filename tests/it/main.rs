//! The one integration-test binary: add a module here and a file beside it. Tests of real data look in
//! `../shared/data` and skip with a line on stderr where it is absent.

#![expect(
    clippy::unwrap_used,
    reason = "a helper of a test that panics fails the test, which is what it is for"
)]

mod any_order;
mod bad_input;
mod bad_rows;
mod browser;
mod built_in;
mod cases;
mod check;
mod compare;
mod compatibility;
mod conditional;
mod databases;
mod deploy;
mod draft;
mod ensemble;
mod episodes;
mod export;
mod flag;
mod fuzz;
mod golden_flow;
mod golden_roles;
mod grid_chain;
mod groups;
mod guide;
mod hostile;
mod hostile_files;
mod ingest_check;
mod ingestion;
mod inspect;
mod keep_inputs;
mod labels;
mod layers;
mod links;
mod mimic_demo;
mod multi_scale;
mod numbers;
mod one_table;
mod onnx;
mod other_terms;
mod outlier;
mod own_scores;
mod partial;
mod parts;
mod pictures;
mod python;
mod r;
mod rare_levels;
mod report;
mod report_cli;
mod report_collect;
mod report_fixture;
mod report_waveform;
mod review;
mod sample;
mod scores;
mod serve;
mod spark;
mod support;
mod synth;
mod train;
mod waveform;
