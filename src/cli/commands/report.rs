//! `report`: writes the page that compares models on a bundle.

use std::path::Path;

use crate::pipeline::{self, RecordsSource, ReportRequest};
use crate::random::Seed;

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};

pub(super) fn run(args: &args::Report, console: &Console) -> Result {
    let models: Vec<&Path> = args.model.iter().map(AsRef::as_ref).collect();
    let request = ReportRequest {
        bundle: &args.bundle,
        models: &models,
        compare: args.compare.as_deref(),
        by: args.by.as_deref(),
        by_table: args.by_table.as_deref(),
        output: &args.output.output,
        format: match args.format {
            args::ReportFormat::Html => pipeline::ReportFormat::Html,
            args::ReportFormat::Json => pipeline::ReportFormat::Json,
        },
        force: args.output.force,
        identifiable: args.identifiable,
        fdr: args.fdr,
        records: args.input.as_deref().map(records),
        labels: args.labels.as_deref(),
        review: args.review.as_deref(),
        seed: Seed(args.seed),
    };
    let spinner = console.spinner("sampling, scoring and drawing");
    let written = pipeline::report(&request);
    spinner.finish_and_clear();
    written?;
    console.note(&format!("wrote {}", args.output.output.display()));
    Ok(Outcome::Done)
}

/// A bundle is told from a folder of tables by its manifest.
fn records(input: &Path) -> RecordsSource<'_> {
    if input.join("manifest.json").is_file() {
        RecordsSource::Bundle(input)
    } else {
        RecordsSource::Table(input)
    }
}
