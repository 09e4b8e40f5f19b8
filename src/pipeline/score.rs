//! `score` and `flag`: records → log-likelihoods, p-values and explanations.

use std::path::Path;

use crate::artifact::ModelArtifact;
use crate::evaluate::score_records;
use crate::ingest::{OutputCells, OutputColumn, write_table};
use crate::outlier::{self, FlagColumn, FlagOptions, Flags, Rule};
use crate::random::Seed;
use crate::schema::Split;

use super::{Error, Records, RecordsSource};

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
    /// Noise draws per record.
    pub draws: usize,
    /// Seed of the noise.
    pub seed: Seed,
}

/// Scores records and writes one row each, in their order. Returns what the user should know.
///
/// # Errors
/// Whatever reading, scoring or writing reports.
pub fn score(request: &ScoreRequest<'_>) -> Result<Vec<String>, Error> {
    let model = ModelArtifact::load(request.model)?;
    let records = Records::read(&model, request.records)?;
    let scores =
        score_records(model.density(), &model.encoder, records.raw.view(), request.draws, request.seed);
    let mut columns = identifiers(&records);
    columns.push(OutputColumn::new("log_prob", OutputCells::Number(scores.log_prob)));
    columns.push(OutputColumn::new("log_prob_tensor", OutputCells::Number(scores.log_prob_tensor)));
    columns.push(OutputColumn::new("log_prob_importance_weighted", OutputCells::Number(scores.log_prob_iw)));
    write_table(request.output, &columns, request.force)?;
    Ok(records.warnings)
}

/// What to flag.
#[derive(Debug, Clone, Copy)]
pub struct FlagRequest<'a> {
    /// Model folder.
    pub model: &'a Path,
    /// Records.
    pub records: RecordsSource<'a>,
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// What decides.
    pub rule: Rule,
    /// Features named per flagged record.
    pub explain: usize,
    /// Seed of the noise.
    pub seed: Seed,
}

/// The flags with what the user should know about them.
#[derive(Debug, Clone)]
pub struct FlagSummary {
    /// One row per record.
    pub flags: Flags,
    /// As sentences.
    pub warnings: Vec<String>,
}

/// Flags records and writes one row each, in their order.
///
/// # Errors
/// Whatever reading, scoring or writing reports.
pub fn flag(request: &FlagRequest<'_>) -> Result<FlagSummary, Error> {
    let model = ModelArtifact::load(request.model)?;
    let records = Records::read(&model, request.records)?;
    let summary = flag_records(&model, &records, request.rule, request.explain, 0, request.seed)?;
    let mut columns = identifiers(&records);
    // The identifier is written above, with the split beside it.
    for (name, cells) in summary.flags.columns().into_iter().filter(|(name, _)| name != "record_id") {
        let cells = match cells {
            FlagColumn::Number(values) => OutputCells::Number(values),
            FlagColumn::Boolean(values) => OutputCells::Boolean(values),
            FlagColumn::Text(values) => {
                OutputCells::Text(values.into_iter().map(|t| (!t.is_empty()).then_some(t)).collect())
            }
        };
        columns.push(OutputColumn::new(&name, cells));
    }
    write_table(request.output, &columns, request.force)?;
    Ok(summary)
}

pub(super) fn flag_records(
    model: &ModelArtifact,
    records: &Records,
    rule: Rule,
    explain: usize,
    also_explain: usize,
    seed: Seed,
) -> Result<FlagSummary, Error> {
    // A p-value is valid only when new records are scored with as many noise draws as the calibration records were.
    let draws = model.header.score_draws;
    let score = model.header.score;
    let options = FlagOptions {
        rule,
        score,
        draws,
        explain_top: explain,
        also_explain,
        seed,
        ..FlagOptions::default()
    };
    let flags = outlier::flag(
        model.density(),
        &model.encoder,
        &model.calibration,
        records.raw.view(),
        &records.ids,
        &options,
    )?;
    let mut warnings = records.warnings.clone();
    warnings.extend(flags.warnings.iter().map(ToString::to_string));
    if records
        .splits
        .as_ref()
        .is_some_and(|s| s.iter().any(|s| matches!(s, Split::Train | Split::Validation)))
    {
        warnings.push(
            "rows of the train and validation splits were used in fitting: their p-values lean towards 1, so \
             errors among them are harder to find than in new records"
                .into(),
        );
    }
    Ok(FlagSummary { flags, warnings })
}

fn identifiers(records: &Records) -> Vec<OutputColumn> {
    let ids = records.ids.iter().cloned().map(Some).collect();
    let mut columns = vec![OutputColumn::new("record_id", OutputCells::Text(ids))];
    if let Some(splits) = &records.splits {
        let names = splits.iter().map(|s| Some(s.name().to_owned())).collect();
        columns.push(OutputColumn::new("split", OutputCells::Text(names)));
    }
    columns
}
