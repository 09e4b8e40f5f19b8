//! `ingest`.

use std::fmt::Write as _;
use std::path::Path;

use crate::ingest::{BadRows, Part};
use crate::message::{counted, plural};
use crate::pipeline::{self, IngestRequest, Ingested};
use crate::schema::Split;

use super::ingest_screen;
use crate::cli::args;
use crate::cli::console::{Console, print, print_json};
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::{IngestBars, grouped};
use crate::cli::streams::Input;

pub(super) fn run(args: &args::Ingest, console: &Console) -> Result {
    if !args.merge.is_empty() {
        return merge(args, console);
    }
    if let (Some(variable), Some(stay)) = (&args.explain, &args.stay) {
        return explain(args, variable, stay, console);
    }
    if args.check {
        return check(args);
    }
    let input = Input::of(input_of(args))?;
    let output = output_of(args);
    let request = IngestRequest {
        pipeline: pipeline_of(args),
        schema: args.schema.as_deref(),
        input: input.path(),
        output,
        force: args.force,
        settings: &args.settings,
        bad_rows: bad_rows(args),
        cache: args.cache.as_deref(),
    };
    if let Some(part) = args.part {
        let part = Part { divided: args.divided, ..part };
        let summary = pipeline::ingest_part(&request, part, &IngestBars::new(console))?;
        for (table, rows) in &summary.accounted {
            console.note(&format!("{table}: {} rows are accounted for in part {part}", grouped(*rows)));
        }
        let rows = counted(summary.rows, "row", "rows");
        console.note(&format!("wrote {}, part {part} with {rows}", output.display()));
        if args.json {
            print_json(&summary)?;
        }
        return Ok(Outcome::Done);
    }
    let bundle = pipeline::ingest(&request, &IngestBars::new(console))?;
    describe(&bundle, console);
    console.note(&format!("wrote {}", output.display()));
    if args.json {
        print_json(&bundle.audit)?;
    }
    Ok(Outcome::Done)
}

/// All parts of a bundle put together.
fn merge(args: &args::Ingest, console: &Console) -> Result {
    let output = output_of(args);
    let bundle = pipeline::merge_parts(&args.merge, &args.left_behind, output, args.force)?;
    describe(&bundle, console);
    console.note(&format!("wrote {}", output.display()));
    if args.json {
        print_json(&bundle.audit)?;
    }
    Ok(Outcome::Done)
}

fn pipeline_of(args: &args::Ingest) -> &str {
    args.pipeline.as_deref().expect("invariant: clap requires a pipeline but for --merge")
}

fn input_of(args: &args::Ingest) -> &Path {
    args.input.as_deref().expect("invariant: clap requires --input but for --merge")
}

fn output_of(args: &args::Ingest) -> &Path {
    args.output.as_deref().expect("invariant: clap requires --output but for two options")
}

fn bad_rows(args: &args::Ingest) -> BadRows {
    match args.on_bad_row {
        args::OnBadRow::Fail => BadRows::Fail,
        args::OnBadRow::Skip => BadRows::Skip,
    }
}

/// All problems on stdout; nothing is written.
fn check(args: &args::Ingest) -> Result {
    let report =
        pipeline::check((pipeline_of(args), args.schema.as_deref()), input_of(args), &args.settings)?;
    let checked = &report.checked;
    let outcome = if checked.stops() { Outcome::WouldFail } else { Outcome::Done };
    if args.json {
        print_json(checked)?;
        return Ok(outcome);
    }
    let mut out = String::new();
    if report.guessed {
        let _ = writeln!(
            out,
            "the files are called as those of {}, but its records were not recognised; --schema names another",
            checked.schema
        );
    }
    for finding in &checked.findings {
        let kind = if finding.stops { "error" } else { "note" };
        // The texts of errors begin with the file.
        let place = match &finding.file {
            Some(file) if !finding.text.contains(file.as_str()) => format!("{file}: "),
            Some(_) => String::new(),
            None => format!("table {}: ", finding.table),
        };
        let place =
            if finding.text.contains(&format!("table {}", finding.table)) { String::new() } else { place };
        let _ = writeln!(out, "{kind}: {place}{}", finding.text);
        if let Some(hint) = &finding.hint {
            let _ = writeln!(out, "  hint: {hint}");
        }
    }
    let stopping = checked.findings.iter().filter(|finding| finding.stops).count();
    let _ = writeln!(
        out,
        "schema {}: {} in {}, {} rows read; {} would stop `ingest`, {}",
        checked.schema,
        counted(checked.tables, "table", "tables"),
        counted(checked.files, "file", "files"),
        grouped(checked.rows),
        counted(stopping, "problem", "problems"),
        counted(checked.findings.len() - stopping, "note", "notes")
    );
    print(&out)?;
    Ok(outcome)
}

/// One cell with all its rows on stdout; nothing is written.
fn explain(args: &args::Ingest, variable: &str, stay: &str, console: &Console) -> Result {
    let bars = IngestBars::new(console);
    let found = pipeline::explain(
        (pipeline_of(args), args.schema.as_deref()),
        input_of(args),
        &args.settings,
        variable,
        stay,
        bad_rows(args),
        &bars,
    )?;
    if args.json {
        print_json(&found)?;
        return Ok(Outcome::Done);
    }
    let mut out = format!("{variable} of {stay}\n");
    for note in &found.notes {
        let _ = writeln!(out, "  {note}");
    }
    if let Some(rule) = &found.excluded_by {
        let _ = writeln!(out, "  left out of the cohort by the rule \"{rule}\"");
    }
    let mut file = "";
    for row in &found.rows {
        if row.file != file {
            file = &row.file;
            let _ = writeln!(out, "\n{file}");
        }
        let outcome = match &row.dropped {
            Some(reason) => format!("dropped: {reason}"),
            None => row.accepted.join(", "),
        };
        let _ = writeln!(
            out,
            "  {}  item {:<7} {:>12} {:<10}  {outcome}",
            row.time, row.item, row.value, row.unit
        );
    }
    let kept = found.rows.iter().filter(|r| r.dropped.is_none()).count();
    let rows = if found.rows.len() == 1 { "row" } else { "rows" };
    let _ = writeln!(out, "\n{} {rows}, {kept} kept", found.rows.len());
    for (record, feature, value) in &found.cells {
        let value = if value.is_empty() { "missing" } else { value };
        let _ = writeln!(out, "{record}  {feature} = {value}");
    }
    print(&out)?;
    Ok(Outcome::Done)
}

/// Cohort flow, splits and warnings in a few lines.
pub(super) fn describe(bundle: &Ingested, console: &Console) {
    ingest_screen::columns(&bundle.audit, console);
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
        "{} {} of {} ({}): {}",
        grouped(bundle.manifest.n_records as u64),
        plural(bundle.manifest.n_records, "record", "records"),
        counted(bundle.manifest.encoder.n_features(), "feature", "features"),
        counted(bundle.manifest.encoder.n_coordinates(), "coordinate", "coordinates"),
        splits.join(", ")
    ));
    ingest_screen::messages(&bundle.audit, console);
}
