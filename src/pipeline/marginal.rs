//! `score --columns`: records → log-likelihood of some of their features.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::ingest::{IngestProgress, OutputCells, OutputColumn, TableWriter};
use crate::message::{Message, Weight};
use crate::output::keep_inputs;
use crate::partial::{FEWEST_EFFECTIVE, Proposal, marginals};
use crate::random::Seed;

use super::blocks::{Blocks, identifiers};
use super::names::positions;
use super::{Error, RecordsSource};

/// Records between two steps of the progress bar.
const ROWS: usize = 256;

/// Which features to judge.
#[derive(Debug, Clone, Copy)]
pub struct MarginalRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// Records.
    pub records: RecordsSource<'a>,
    /// Names of the features.
    pub columns: &'a [String],
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Importance samples per record.
    pub samples: usize,
    /// Seed of the samples.
    pub seed: Seed,
}

/// Judges the features and writes one row per record, in their order. Returns what the user should know.
///
/// # Errors
/// Features the model has not; whatever reading, judging or writing reports.
pub fn marginal(request: &MarginalRequest<'_>, progress: &dyn IngestProgress) -> Result<Vec<Message>, Error> {
    keep_inputs(request.output, [request.model, request.records.path()])?;
    let model = ModelArtifact::load(request.model)?;
    let wanted = wanted(&model, request.columns)?;
    let mut records = Blocks::open(&model, request.records, progress)?.by(ROWS);
    let mut writer = TableWriter::begin(request.output, request.force)?;
    let proposal = Proposal::of(&model)?;
    let (mut few, mut n) = (0, 0);
    records.each(|block| {
        let judged = marginals(&proposal, block.raw.view(), &wanted, request.samples, request.seed)?;
        few += few_samples(&judged.effective_samples);
        n += judged.effective_samples.len();
        let mut columns = identifiers(&block.ids, block.splits.as_deref());
        let number = |name: &str, x: Vec<f64>| OutputColumn::new(name, OutputCells::Number(x));
        columns.push(number("log_prob", judged.log_prob));
        columns.push(number("standard_error", judged.standard_error));
        columns.push(number("effective_samples", judged.effective_samples));
        Ok(writer.write(&columns)?)
    })?;
    writer.finish()?;
    let mut messages = records.messages;
    messages.extend(few_samples_warning(few, n, "their log_prob is likely too low"));
    Ok(messages)
}

/// Records that rest on few effective samples.
pub(super) fn few_samples(effective: &[f64]) -> usize {
    effective.iter().filter(|e| **e < FEWEST_EFFECTIVE).count()
}

/// What to say where `few` of `n` records rest on few effective samples.
pub(super) fn few_samples_warning(few: usize, n: usize, consequence: &str) -> Option<Message> {
    (few > 0).then(|| {
        let text = format!(
            "{few} of {n} records have fewer than {FEWEST_EFFECTIVE} effective samples: {consequence}; raise \
             --importance-samples"
        );
        Message::records(Weight::Wrong, text).counting(few)
    })
}

fn wanted(model: &ModelArtifact, names: &[String]) -> Result<Vec<bool>, Error> {
    let columns = &model.encoder.columns;
    let mut wanted = vec![false; columns.len()];
    for at in positions("--columns", "model", columns, names)? {
        if columns[at].context {
            return Err(Error::Usage {
                message: format!(
                    "--columns: `{}` is given, the model is conditioned on it",
                    columns[at].meta.name
                ),
                hint: "name features it is a density of; those it is conditioned on are always given".into(),
            });
        }
        wanted[at] = true;
    }
    Ok(wanted)
}
