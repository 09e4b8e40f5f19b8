//! `score`, `sample` and `flag`.

use std::path::Path;

use crate::outlier::{DEFAULT_ALPHA, Rule};
use crate::pipeline::{
    self, FlagMergeRequest, FlagRequest, FlagSummary, ImputeRequest, MarginalRequest, RecordsSource,
    SampleRequest, ScoreRequest,
};
use crate::random::Seed;

use crate::cli::args;
use crate::cli::console::Console;
use crate::cli::exit::{Outcome, Result};
use crate::cli::progress::{IngestBars, grouped};
use crate::cli::streams::{Input, Output};

/// Importance samples per record of `score --columns`.
const COLUMNS_SAMPLES: usize = 256;

/// The records that are named on the command line; those of standard input have been read.
enum Named<'a> {
    Bundle(&'a Path),
    Table(Input),
}

impl<'a> Named<'a> {
    fn by(records: &'a args::Records) -> std::result::Result<Self, pipeline::Error> {
        match (&records.bundle, &records.input) {
            (Some(bundle), _) => Ok(Self::Bundle(bundle)),
            (None, Some(table)) => Ok(Self::Table(Input::of(table)?)),
            (None, None) => unreachable!("invariant: clap requires one of the group"),
        }
    }

    fn source(&self) -> RecordsSource<'_> {
        match self {
            Self::Bundle(bundle) => RecordsSource::Bundle(bundle),
            Self::Table(table) => RecordsSource::Table(table.path()),
        }
    }
}

pub(super) fn score(args: &args::Score, console: &Console) -> Result {
    if !args.columns.is_empty() {
        return marginal(args, console);
    }
    let (records, output) = (Named::by(&args.records)?, Output::of(&args.output.output)?);
    let request = ScoreRequest {
        model: &args.model,
        records: records.source(),
        output: output.path(),
        force: args.output.force,
        draws: args.draws.draws.map(|n| n as usize),
        seed: args.draws.seed.map(Seed),
        importance_samples: args.importance_samples.map(|n| n as usize),
        draws_by: args.draws.draws_by,
    };
    for message in pipeline::score(&request, &IngestBars::new(console))? {
        console.warn(&message);
    }
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

fn marginal(args: &args::Score, console: &Console) -> Result {
    let (records, output) = (Named::by(&args.records)?, Output::of(&args.output.output)?);
    let request = MarginalRequest {
        model: &args.model,
        records: records.source(),
        columns: &args.columns,
        output: output.path(),
        force: args.output.force,
        samples: args.importance_samples.map_or(COLUMNS_SAMPLES, |n| n as usize),
        seed: Seed(args.draws.seed.unwrap_or(1)),
    };
    for message in pipeline::marginal(&request, &IngestBars::new(console))? {
        console.warn(&message);
    }
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

fn impute(args: &args::Sample, given: &Path, console: &Console) -> Result {
    let (given, output) = (Input::of(given)?, Output::of(&args.output.output)?);
    let request = ImputeRequest {
        model: &args.model,
        given: given.path(),
        mask: args.mask,
        n: usize::try_from(args.n).expect("invariant: bounded by the parser"),
        output: output.path(),
        force: args.output.force,
        samples: args.importance_samples as usize,
        seed: Seed(args.seed),
    };
    let spinner = console.spinner("completing");
    let messages = pipeline::impute(&request);
    spinner.finish_and_clear();
    messages?.iter().for_each(|message| console.warn(message));
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

pub(super) fn sample(args: &args::Sample, console: &Console) -> Result {
    if let Some(given) = &args.given {
        return impute(args, given, console);
    }
    let output = Output::of(&args.output.output)?;
    let request = SampleRequest {
        model: &args.model,
        n: usize::try_from(args.n).expect("invariant: bounded by the parser"),
        output: output.path(),
        force: args.output.force,
        seed: Seed(args.seed),
    };
    pipeline::sample(&request)?;
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

pub(super) fn flag(args: &args::Flag, console: &Console) -> Result {
    let rule = match (args.alpha, args.fdr) {
        (None, Some(fdr)) => Rule::Fdr(fdr),
        (alpha, _) => Rule::Alpha(alpha.unwrap_or(DEFAULT_ALPHA)),
    };
    if !args.merge.is_empty() {
        return merge_flags(args, rule, console);
    }
    let (records, output) = (Named::by(&args.records)?, Output::of(&args.output.output)?);
    let request = FlagRequest {
        model: args.model.as_deref().expect("invariant: clap requires a model but for --merge"),
        records: records.source(),
        output: output.path(),
        force: args.output.force,
        rule,
        score: args.score,
        explain: usize::from(args.explain),
        also_explain: usize::from(args.also_explain),
        top: args.top.map(|n| usize::try_from(n).unwrap_or(usize::MAX)),
        maps: args.maps.as_deref(),
        json: args.json.as_deref(),
        reference: args.reference.as_deref(),
        draws_by: args.draws_by,
        draws: args.draws.map(|n| n as usize),
        seed: Seed(args.seed),
    };
    let summary = pipeline::flag(&request, &IngestBars::new(console))?;
    describe(&summary, console);
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

/// Flags of parts put together.
fn merge_flags(args: &args::Flag, rule: Rule, console: &Console) -> Result {
    let output = Output::of(&args.output.output)?;
    let request = FlagMergeRequest {
        parts: &args.merge,
        output: output.path(),
        force: args.output.force,
        rule,
        explain: usize::from(args.explain),
    };
    let summary = pipeline::flag_merge(&request)?;
    console.note(&format!(
        "{} of {} records flagged",
        grouped(summary.n_flagged as u64),
        grouped(summary.n_records as u64)
    ));
    summary.messages.iter().for_each(|message| console.warn(message));
    console.note(&format!("wrote {}", output.finish()?));
    Ok(Outcome::Done)
}

/// Prints how many records were flagged, and the warnings that belong to the result.
pub(super) fn describe(summary: &FlagSummary, console: &Console) {
    console.note(&format!(
        "{} of {} records flagged, against {} calibration records",
        grouped(summary.n_flagged as u64),
        grouped(summary.n_records as u64),
        grouped(summary.n_calibration as u64)
    ));
    for message in &summary.messages {
        console.warn(message);
    }
}
