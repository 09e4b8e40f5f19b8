//! `score --columns`: records → log-likelihood of some of their features.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::ingest::{OutputCells, OutputColumn, write_table};
use crate::output::OutputError;
use crate::partial::{FEWEST_EFFECTIVE, Proposal, marginals};
use crate::random::Seed;

use super::blocks::identifiers;
use super::names::positions;
use super::{Error, Records, RecordsSource};

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
pub fn marginal(request: &MarginalRequest<'_>) -> Result<Vec<String>, Error> {
    if !request.force && request.output.symlink_metadata().is_ok() {
        return Err(OutputError::Exists(request.output.to_path_buf()).into());
    }
    let model = ModelArtifact::load(request.model)?;
    let wanted = wanted(&model, request.columns)?;
    let records = Records::read(&model, request.records)?;
    let proposal = Proposal::of(&model)?;
    let judged = marginals(&proposal, records.raw.view(), &wanted, request.samples, request.seed)?;
    let mut warnings = records.warnings.clone();
    warnings.extend(few_samples(&judged.effective_samples, "their log_prob is likely too low"));
    let mut columns = identifiers(&records.ids, records.splits.as_deref());
    columns.push(OutputColumn::new("log_prob", OutputCells::Number(judged.log_prob)));
    columns.push(OutputColumn::new("standard_error", OutputCells::Number(judged.standard_error)));
    columns.push(OutputColumn::new("effective_samples", OutputCells::Number(judged.effective_samples)));
    write_table(request.output, &columns, request.force)?;
    Ok(warnings)
}

/// A warning where records rest on few effective samples.
pub(super) fn few_samples(effective: &[f64], consequence: &str) -> Option<String> {
    let few = effective.iter().filter(|e| **e < FEWEST_EFFECTIVE).count();
    (few > 0).then(|| {
        format!(
            "{few} of {} records have fewer than {FEWEST_EFFECTIVE} effective samples: {consequence}; raise \
             --importance-samples",
            effective.len()
        )
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
