//! `flag`: records → p-values, verdicts and explanations, block by block.

use std::collections::{BTreeMap, HashSet};

use crate::artifact::ModelArtifact;
use crate::evaluate::ScoreKind;
use crate::features::{Bundle, DrawsBy};
use crate::ingest::IngestProgress;
use crate::message::{Message, Weight};
use crate::outlier::{self, FlagOptions, FlagRow, Flags, Grouping, Judge, MostUnusual, Rule, Warning};
use crate::output::keep_inputs;
use crate::random::Seed;
use crate::schema::Split;

use super::blocks::Blocks;
use super::flag_output::{FlagRequest, FlagSummary, Outputs};
use super::heat_maps::HeatMaps;
use super::score_file::ScoreFile;
use super::shared::SharedFeatures;
use super::shifted::{ColumnSample, shifted_columns};
use super::{Error, Records, RecordsSource, flag_shared};

/// Flags records and writes one row each, in their order. The records are gone through twice, once for their
/// scores and once for the verdicts. The scores lie in a file beside the output between the two, so that
/// memory does not grow with the records; with `top`, only that many rows are held.
///
/// # Errors
/// Whatever reading, scoring or writing reports.
pub fn flag(request: &FlagRequest<'_>, progress: &dyn IngestProgress) -> Result<FlagSummary, Error> {
    for output in [Some(request.output), request.json, request.maps].into_iter().flatten() {
        keep_inputs(output, [request.model, request.records.path()].into_iter().chain(request.reference))?;
    }
    let model = ModelArtifact::load(request.model)?;
    if request.draws_by == DrawsBy::Fixed {
        let reference = request.reference.map(Bundle::open).transpose()?;
        let draws = request.draws.unwrap_or(model.header.score_draws);
        let model = model.drawn_by(DrawsBy::Fixed, draws, reference.as_ref())?;
        return flag_by(&model, request, progress);
    }
    if request.draws.is_some() {
        return Err(Error::Usage {
            message: "--draws applies to fixed draws alone: others are as many as the calibration has".into(),
            hint: "add `--draws-by fixed --reference BUNDLE`, or leave it out".into(),
        });
    }
    if let (RecordsSource::Bundle(dir), Some(reference)) = (request.records, request.reference)
        && let Some(shared) = SharedFeatures::of(&model, dir)?
    {
        return flag_shared::by_shared(&model, request, dir, reference, &shared);
    }
    let mut summary = flag_by(&model, request, progress)?;
    if request.reference.is_some() {
        let text = "--reference is not used: the records have all features of the model, and its own \
                    calibration holds";
        summary.messages.push(Message::records(Weight::Choice, text));
    }
    Ok(summary)
}

/// The same by a model that has been loaded.
pub(super) fn flag_by(
    model: &ModelArtifact,
    request: &FlagRequest<'_>,
    progress: &dyn IngestProgress,
) -> Result<FlagSummary, Error> {
    let mut records = Blocks::open(model, request.records, progress)?;
    let FlagRequest { rule, score, explain, also_explain, seed, .. } = *request;
    let (calibration, options) = options(model, rule, score, explain, also_explain, seed)?;
    let judge = Judge::new(model.density(), &model.encoder, calibration, &options)?;
    let mut maps = request.maps.map(|folder| HeatMaps::begin(model, folder, request.force)).transpose()?;
    let mut outputs = Outputs::begin(request)?;
    let mut scores = ScoreFile::begin(request.output)?;

    let mut tally = judge.begin();
    let mut sample = ColumnSample::new(model.encoder.n_features());
    let mut fitted = false;
    let mut top = request.top.map(MostUnusual::new);
    let mut foremost = MostUnusual::new(also_explain);
    records.each(|block| {
        let scored = judge.score(block.raw.view())?;
        judge.tally(&mut tally, block.raw.view(), &scored.records.log_prob, &scored.scores);
        sample.take(&block.raw);
        fitted |= was_fitted_on(model, block.splits.as_deref());
        scored.scores.iter().enumerate().for_each(|(i, &score)| foremost.offer(block.from + i, score));
        if let Some(top) = &mut top {
            scored.scores.iter().enumerate().for_each(|(i, &score)| top.offer(block.from + i, score));
        }
        scores.append(&scored.records.log_prob, &scored.scores)
    })?;
    let decisions = judge.decide(&tally);

    let mut scores = scores.read()?;
    let wanted: Option<HashSet<usize>> = top.as_ref().map(|top| top.rows().collect());
    let mut kept = BTreeMap::new();
    let mut most_unusual = BTreeMap::new();
    let foremost: Vec<usize> = foremost.rows().collect();
    records.each(|block| {
        let (log_prob, scores) = scores.next(block.ids.len())?;
        let rows = judge.rows(&decisions, block.from, &block.ids, block.raw.view(), &log_prob, &scores)?;
        let within = foremost.iter().filter(|row| (block.from..block.from + rows.len()).contains(row));
        most_unusual.extend(within.map(|&row| (row, rows[row - block.from].clone())));
        if let Some(maps) = &mut maps {
            for (i, row) in rows.iter().enumerate() {
                if row.flagged || foremost.contains(&(block.from + i)) {
                    maps.draw(block.from + i, &row.record_id, block.raw.row(i))?;
                }
            }
        }
        let Some(wanted) = &wanted else {
            return outputs.write(rows, block.splits.as_deref());
        };
        let chosen = rows.into_iter().enumerate().filter(|(i, _)| wanted.contains(&(block.from + i)));
        let split = |i: usize| block.splits.as_ref().map(|s| s[i]);
        kept.extend(chosen.map(|(i, row)| (block.from + i, (row, split(i)))));
        Ok(())
    })?;
    if let Some(top) = &top {
        let chosen = top.rows().filter_map(|row| kept.remove(&row));
        let (rows, splits): (Vec<FlagRow>, Vec<Option<Split>>) = chosen.unzip();
        let splits: Option<Vec<Split>> = splits.into_iter().collect();
        outputs.write(rows, splits.as_deref().filter(|s| !s.is_empty()))?;
    }
    outputs.finish(&decisions.warnings, judge.n_calibration())?;
    let of_maps = maps.map(HeatMaps::finish).transpose()?.flatten();
    let mut messages = records.messages;
    messages.extend(of_maps);
    messages.extend(decisions.warnings.iter().map(Warning::message));
    messages.extend(fitted.then(|| fitted_warning(model)));
    messages.extend(shifted_columns(model, &sample));
    Ok(FlagSummary {
        n_records: decisions.n_records,
        n_flagged: decisions.n_flagged,
        n_calibration: judge.n_calibration(),
        most_unusual: foremost.iter().filter_map(|row| most_unusual.remove(row)).collect(),
        messages,
    })
}

/// The flags of records in memory, with what the user should know about them.
#[derive(Debug, Clone)]
pub(super) struct FlaggedRecords {
    /// One row per record.
    pub(super) flags: Flags,
    /// What the user should know about them.
    pub(super) messages: Vec<Message>,
}

pub(super) fn flag_records(
    model: &ModelArtifact,
    records: &Records,
    rule: Rule,
    score: ScoreKind,
    explain: usize,
    also_explain: usize,
    seed: Seed,
) -> Result<FlaggedRecords, Error> {
    let (calibration, options) = options(model, rule, score, explain, also_explain, seed)?;
    let raw = records.raw.view();
    let flags = outlier::flag(model.density(), &model.encoder, calibration, raw, &records.ids, &options)?;
    let mut messages = records.messages.clone();
    messages.extend(flags.warnings.iter().map(Warning::message));
    messages.extend(was_fitted_on(model, records.splits.as_deref()).then(|| fitted_warning(model)));
    Ok(FlaggedRecords { flags, messages })
}

/// The calibration scores to rank by, and how.
fn options(
    model: &ModelArtifact,
    rule: Rule,
    score: ScoreKind,
    explain: usize,
    also_explain: usize,
    seed: Seed,
) -> Result<(&[f64], FlagOptions), Error> {
    let (score, calibration) = model.calibrated(score).ok_or_else(|| Error::Usage {
        message: format!("the model holds no calibration of the score `{score}`"),
        hint: format!("it has {}; models of earlier versions have to be fitted again", offered(model)),
    })?;
    let options = FlagOptions {
        rule,
        score,
        groups: grouping(model),
        // A p-value is valid only when new records are scored as the calibration records were.
        draws_by: model.draws_by,
        draws: model.header.score_draws,
        score_seed: model.score_seed(),
        explain_top: if is_of_pictures(model) { 0 } else { explain },
        also_explain,
        seed,
        ..FlagOptions::default()
    };
    Ok((calibration, options))
}

/// The groups that a model is calibrated by.
pub(super) fn grouping(model: &ModelArtifact) -> Option<Grouping> {
    model.grouping().map(|(column, codes)| Grouping { column, codes: codes.to_vec() })
}

/// Whether records are pictures, whose single numbers explain nothing: maps do.
pub(super) fn is_of_pictures(model: &ModelArtifact) -> bool {
    model.header.terms.as_ref().is_some_and(|terms| terms.shape.is_pictures())
}

/// Whether some of the records were used in fitting the model.
fn was_fitted_on(model: &ModelArtifact, splits: Option<&[Split]>) -> bool {
    let crossed = model.header.calibration_folds.is_some();
    let fitted = |s: &Split| match s {
        Split::Train | Split::Validation => true,
        Split::Calibration => crossed,
        Split::Test => false,
    };
    splits.is_some_and(|s| s.iter().any(fitted))
}

fn fitted_warning(model: &ModelArtifact) -> Message {
    let crossed = model.header.calibration_folds.is_some();
    let text = format!(
        "rows of the {} splits were used in fitting: their p-values lean towards 1, so errors among them are \
         harder to find than in new records",
        if crossed { "train, validation and calibration" } else { "train and validation" }
    );
    Message::records(Weight::Choice, text)
}

/// Names of the scores a model is calibrated for.
fn offered(model: &ModelArtifact) -> String {
    let known = ScoreKind::ALL.into_iter().filter(|&kind| model.calibrated(kind).is_some());
    known.map(ScoreKind::name).collect::<Vec<_>>().join(", ")
}
