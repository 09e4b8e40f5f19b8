//! `score`: records → log-likelihoods, block by block.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::features::DrawsBy;
use crate::ingest::{IngestProgress, OutputCells, OutputColumn, TableWriter};
use crate::message::{Message, Weight};
use crate::output::keep_inputs;
use crate::partial::{Proposal, marginals};
use crate::random::Seed;

use super::blocks::{Blocks, identifiers};
use super::flag::is_of_pictures;
use super::marginal::{few_samples, few_samples_warning};
use super::shared::{SAMPLES, SharedFeatures, integrated_out, read_shared};
use super::{Error, RecordsSource};

/// What to score.
#[derive(Debug, Clone, Copy)]
pub struct ScoreRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// Records.
    pub records: RecordsSource<'a>,
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// Noise draws per record; by default those of the model, with which its calibration records were scored.
    pub draws: Option<usize>,
    /// Seed of the noise; by default that of the model.
    pub seed: Option<Seed>,
    /// Importance samples per record, for a bundle that lacks features of the model.
    pub importance_samples: Option<usize>,
    /// What the draws hang on.
    pub draws_by: DrawsBy,
}

/// Scores records and writes one row each, in their order. Returns what the user should know.
///
/// # Errors
/// Whatever reading, scoring or writing reports.
pub fn score(request: &ScoreRequest<'_>, progress: &dyn IngestProgress) -> Result<Vec<Message>, Error> {
    keep_inputs(request.output, [request.model, request.records.path()])?;
    let model = ModelArtifact::load(request.model)?;
    if let RecordsSource::Bundle(dir) = request.records
        && let Some(shared) = SharedFeatures::of(&model, dir)?
    {
        return by_shared(request, &model, dir, &shared);
    }
    let mut messages = score_by(&model.scoring_by(request.draws_by), request, progress)?;
    if request.importance_samples.is_some() {
        let text = "--importance-samples is not used: the records have all features of the model, and no \
                    feature is integrated out";
        messages.push(Message::records(Weight::Choice, text));
    }
    Ok(messages)
}

/// The same under a model that has been loaded.
pub(super) fn score_by(
    model: &ModelArtifact,
    request: &ScoreRequest<'_>,
    progress: &dyn IngestProgress,
) -> Result<Vec<Message>, Error> {
    let mut records = Blocks::open(model, request.records, progress)?;
    let mut writer = TableWriter::begin(request.output, request.force)?;
    let draws = request.draws.unwrap_or(model.header.score_draws);
    let seed = request.seed.unwrap_or_else(|| model.score_seed());
    records.each(|block| {
        let scores = model.score_with(block.raw.view(), draws, seed);
        let mut columns = identifiers(&block.ids, block.splits.as_deref());
        let number = |name: &str, x: Vec<f64>| OutputColumn::new(name, OutputCells::Number(x));
        let bits = is_of_pictures(model).then(|| {
            let numbers = block.raw.ncols() as f64 * std::f64::consts::LN_2;
            scores.log_prob.iter().map(|nats| -nats / numbers).collect()
        });
        columns.push(number("log_prob", scores.log_prob));
        columns.extend(bits.map(|bits| number("bits_per_dimension", bits)));
        columns.push(number("log_prob_tensor", scores.log_prob_tensor));
        columns.push(number("log_prob_importance_weighted", scores.log_prob_iw));
        Ok(writer.write(&columns)?)
    })?;
    writer.finish()?;
    Ok(records.messages)
}

/// Scores the records of a bundle by the features that it has, and writes the columns of `score --columns`.
fn by_shared(
    request: &ScoreRequest<'_>,
    model: &ModelArtifact,
    dir: &Path,
    shared: &SharedFeatures,
) -> Result<Vec<Message>, Error> {
    let mut writer = TableWriter::begin(request.output, request.force)?;
    let records = read_shared(model, dir, shared)?;
    let seed = request.seed.unwrap_or_else(|| model.score_seed());
    let samples = request.importance_samples.unwrap_or(SAMPLES);
    let judged = marginals(&Proposal::of(model)?, records.raw.view(), &shared.wanted, samples, seed)?;
    let mut messages = records.messages;
    messages.insert(0, integrated_out(&shared.lacking, shared.wanted.len()));
    let few = few_samples(&judged.effective_samples);
    messages.extend(few_samples_warning(few, judged.log_prob.len(), "their log_prob is likely too low"));
    let mut columns = identifiers(&records.ids, None);
    let number = |name: &str, x: Vec<f64>| OutputColumn::new(name, OutputCells::Number(x));
    columns.push(number("log_prob", judged.log_prob));
    columns.push(number("standard_error", judged.standard_error));
    columns.push(number("effective_samples", judged.effective_samples));
    writer.write(&columns)?;
    writer.finish()?;
    Ok(messages)
}
