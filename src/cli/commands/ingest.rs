//! `ingest`.

use crate::features::Bundle;
use crate::ingest::BadRows;
use crate::pipeline::{self, IngestRequest};
use crate::schema::Split;

use crate::cli::Result;
use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::Outcome;
use crate::cli::progress::{IngestBars, grouped};

pub(super) fn run(args: &args::Ingest, console: &Console) -> Result {
    let request = IngestRequest {
        pipeline: &args.pipeline,
        input: &args.input,
        output: &args.output.output,
        force: args.output.force,
        settings: &args.settings,
        bad_rows: match args.on_bad_row {
            args::OnBadRow::Fail => BadRows::Fail,
            args::OnBadRow::Skip => BadRows::Skip,
        },
        cache: args.cache.as_deref(),
    };
    let bundle = pipeline::ingest(&request, &IngestBars::new(console))?;
    describe(&bundle, console);
    console.note(&format!("wrote {}", args.output.output.display()));
    if args.json {
        super::print_json(&bundle.audit)?;
    }
    Ok(Outcome::Done)
}

/// Cohort flow, splits and warnings in a few lines.
pub(super) fn describe(bundle: &Bundle, console: &Console) {
    for step in &bundle.audit.cohort {
        let nulls =
            if step.failed_null > 0 { format!(" ({} for a null)", step.failed_null) } else { String::new() };
        console.note(&format!(
            "{:>9} → {:>9}  {}{nulls}",
            grouped(step.before as u64),
            grouped(step.after as u64),
            step.rule
        ));
    }
    let splits: Vec<String> = Split::ALL
        .iter()
        .map(|&s| format!("{} {}", grouped(bundle.manifest.splits.get(s) as u64), s.name()))
        .collect();
    console.note(&format!(
        "{} records of {} features ({} coordinates): {}",
        grouped(bundle.manifest.n_records as u64),
        bundle.manifest.encoder.n_features(),
        bundle.manifest.encoder.n_coordinates(),
        splits.join(", ")
    ));
    for warning in &bundle.audit.warnings {
        console.warn(warning);
    }
}
