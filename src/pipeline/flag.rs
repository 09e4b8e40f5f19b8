//! `flag`: records → p-values, verdicts and explanations, block by block.

use std::collections::{BTreeMap, HashSet};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ndarray::Array2;

use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::evaluate::ScoreKind;
use crate::features::QUANTILE_LEVELS;
use crate::ingest::{IngestProgress, OutputCells, OutputColumn, TableWriter};
use crate::num::quantile::median;
use crate::outlier::{self, FlagColumn, FlagOptions, FlagRow, Flags, Grouping, Judge, Rule, Tally};
use crate::output::{OutputError, Staged};
use crate::random::Seed;
use crate::schema::Split;

use super::blocks::{Blocks, identifiers};
use super::{Error, Records, RecordsSource};

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
    /// What records are ranked by.
    pub score: ScoreKind,
    /// Features named per flagged record.
    pub explain: usize,
    /// Write only so many records, the most unusual first.
    pub top: Option<usize>,
    /// Where to write the flags with their full explanations.
    pub json: Option<&'a Path>,
    /// Seed of the noise.
    pub seed: Seed,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagSummary {
    /// Records judged.
    pub n_records: usize,
    /// Records flagged.
    pub n_flagged: usize,
    /// Calibration records behind the p-values.
    pub n_calibration: usize,
    /// What the user should know, as sentences.
    pub warnings: Vec<String>,
}

/// Flags records and writes one row each, in their order. The records are gone through twice: once for their
/// scores, of which two numbers each are kept, and once for the verdicts.
///
/// # Errors
/// Whatever reading, scoring or writing reports.
pub fn flag(request: &FlagRequest<'_>, progress: &dyn IngestProgress) -> Result<FlagSummary, Error> {
    let json = request.json.map(JsonFile::of).transpose()?;
    if let Some(path) = request.json.filter(|p| !request.force && p.symlink_metadata().is_ok()) {
        return Err(OutputError::Exists(path.to_path_buf()).into());
    }
    let model = ModelArtifact::load(request.model)?;
    let mut records = Blocks::open(&model, request.records, progress)?;
    let (calibration, options) =
        options(&model, request.rule, request.score, request.explain, 0, request.seed)?;
    let judge = Judge::new(model.density(), &model.encoder, calibration, &options)?;
    let mut writer = TableWriter::begin(request.output, request.force)?;

    let (mut tally, mut log_prob, mut scores) = (Tally::default(), Vec::new(), Vec::new());
    let (mut sample, mut fitted) = (ColumnSample::new(model.encoder.n_features()), false);
    records.each(|block| {
        let scored = judge.score(block.raw.view())?;
        judge.tally(&mut tally, block.raw.view(), &scored.records.log_prob, &scored.scores);
        sample.take(&block.raw);
        fitted |= was_fitted_on(&model, block.splits.as_deref());
        log_prob.extend(scored.records.log_prob);
        scores.extend(scored.scores);
        Ok(())
    })?;
    let decisions = judge.decide(&tally);

    let top = request.top.map(|top| most_unusual(&scores, top));
    let wanted: HashSet<usize> = top.iter().flatten().copied().collect();
    // Rows that are written in another order, or to a file of their own, are kept.
    let (mut kept, mut all) = (BTreeMap::new(), Vec::new());
    records.each(|block| {
        let at = block.from..block.from + block.ids.len();
        let (log_prob, scores) = (&log_prob[at.clone()], &scores[at.clone()]);
        let rows = judge.rows(&decisions, block.from, &block.ids, block.raw.view(), log_prob, scores)?;
        match &top {
            Some(_) => {
                let chosen = rows.into_iter().enumerate().filter(|(i, _)| wanted.contains(&(block.from + i)));
                let split = |i: usize| block.splits.as_ref().map(|s| s[i]);
                kept.extend(chosen.map(|(i, row)| (block.from + i, (row, split(i)))));
            }
            None => {
                let flags = Flags { rows, explain_top: options.explain_top, ..Flags::default() };
                writer.write(&flag_columns(&flags, block.splits.as_deref()))?;
                if json.is_some() {
                    all.extend(flags.rows);
                }
            }
        }
        Ok(())
    })?;
    if let Some(top) = &top {
        let chosen = top.iter().filter_map(|row| kept.remove(row));
        let (rows, splits): (Vec<FlagRow>, Vec<Option<Split>>) = chosen.unzip();
        let splits: Option<Vec<Split>> = splits.into_iter().collect();
        let flags = Flags { rows, explain_top: options.explain_top, ..Flags::default() };
        writer.write(&flag_columns(&flags, splits.as_deref().filter(|s| !s.is_empty())))?;
        all = flags.rows;
    }
    let flags = Flags {
        rows: all,
        warnings: decisions.warnings.clone(),
        n_calibration: judge.n_calibration(),
        explain_top: options.explain_top,
    };
    if let Some(file) = json {
        write_json(file, &flags, request.force)?;
    }
    writer.finish()?;
    let mut warnings = records.warnings;
    warnings.extend(decisions.warnings.iter().map(ToString::to_string));
    warnings.extend(fitted.then(|| fitted_warning(&model)));
    warnings.extend(shifted_columns(&model, &sample));
    Ok(FlagSummary {
        n_records: decisions.n_records,
        n_flagged: decisions.n_flagged,
        n_calibration: judge.n_calibration(),
        warnings,
    })
}

/// The table of verdicts. The identifier comes first, with the split beside it.
fn flag_columns(flags: &Flags, splits: Option<&[Split]>) -> Vec<OutputColumn> {
    let ids: Vec<String> = flags.rows.iter().map(|r| r.record_id.clone()).collect();
    let mut columns = identifiers(&ids, splits);
    for (name, cells) in flags.columns().into_iter().filter(|(name, _)| name != "record_id") {
        let cells = match cells {
            FlagColumn::Number(values) => OutputCells::Number(values),
            FlagColumn::Boolean(values) => OutputCells::Boolean(values),
            FlagColumn::Text(values) => {
                OutputCells::Text(values.into_iter().map(|t| (!t.is_empty()).then_some(t)).collect())
            }
        };
        columns.push(OutputColumn::new(&name, cells));
    }
    columns
}

/// The flags of records in memory, with what the user should know about them.
#[derive(Debug, Clone)]
pub(super) struct FlaggedRecords {
    /// One row per record.
    pub(super) flags: Flags,
    /// As sentences.
    pub(super) warnings: Vec<String>,
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
    let mut warnings = records.warnings.clone();
    warnings.extend(flags.warnings.iter().map(ToString::to_string));
    warnings.extend(was_fitted_on(model, records.splits.as_deref()).then(|| fitted_warning(model)));
    Ok(FlaggedRecords { flags, warnings })
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
        groups: model.grouping().map(|(column, codes)| Grouping { column, codes: codes.to_vec() }),
        // A p-value is valid only when new records are scored as the calibration records were.
        draws: model.header.score_draws,
        score_seed: model.score_seed(),
        explain_top: explain,
        also_explain,
        seed,
        ..FlagOptions::default()
    };
    Ok((calibration, options))
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

fn fitted_warning(model: &ModelArtifact) -> String {
    let crossed = model.header.calibration_folds.is_some();
    format!(
        "rows of the {} splits were used in fitting: their p-values lean towards 1, so errors among them are harder \
         to find than in new records",
        if crossed { "train, validation and calibration" } else { "train and validation" }
    )
}

/// Names of the scores a model is calibrated for.
fn offered(model: &ModelArtifact) -> String {
    let known = ScoreKind::ALL.into_iter().filter(|&kind| model.calibrated(kind).is_some());
    known.map(ScoreKind::name).collect::<Vec<_>>().join(", ")
}

/// Positions of the `top` most unusual rows, the most unusual first, ties in the order of the table.
fn most_unusual(scores: &[f64], top: usize) -> Vec<usize> {
    let key = |i: usize| if scores[i].is_nan() { f64::INFINITY } else { scores[i] };
    let mut order: Vec<usize> = (0..scores.len()).collect();
    order.sort_by(|&a, &b| key(b).total_cmp(&key(a)));
    order.truncate(top);
    order
}

/// A file for explanations.
#[derive(Clone, Copy)]
enum JsonFile<'a> {
    Document(&'a Path),
    Lines(&'a Path),
}

impl<'a> JsonFile<'a> {
    fn of(path: &'a Path) -> Result<Self, Error> {
        match path.extension().map(|e| e.to_string_lossy().to_lowercase()).as_deref() {
            Some("json") => Ok(Self::Document(path)),
            Some("jsonl") => Ok(Self::Lines(path)),
            _ => Err(Error::JsonFormat(path.to_path_buf())),
        }
    }
}

fn write_json(file: JsonFile<'_>, flags: &Flags, force: bool) -> Result<(), Error> {
    let (JsonFile::Document(path) | JsonFile::Lines(path)) = file;
    let staged = Staged::file(path, force)?;
    let io = |e: std::io::Error| IoError::on("write", path)(e);
    let mut out = BufWriter::new(File::create(staged.path()).map_err(io)?);
    match file {
        JsonFile::Document(_) => serde_json::to_writer_pretty(&mut out, flags).map_err(|e| io(e.into()))?,
        JsonFile::Lines(_) => {
            for row in &flags.rows {
                serde_json::to_writer(&mut out, row).map_err(|e| io(e.into()))?;
                out.write_all(b"\n").map_err(io)?;
            }
        }
    }
    out.flush().map_err(io)?;
    drop(out);
    Ok(staged.commit()?)
}

/// Columns whose median lies where hardly any training value did: read in another unit, or another column
/// under the same name. Twenty values at least, so that a handful of odd records raises no alarm.
fn shifted_columns(model: &ModelArtifact, sample: &ColumnSample) -> Vec<String> {
    const FEWEST: usize = 20;
    const CONVERSIONS: [(f64, &str); 8] = [
        (10.0, "10 times"),
        (100.0, "100 times"),
        (1000.0, "1000 times"),
        (0.1, "a tenth of"),
        (0.01, "a hundredth of"),
        (0.001, "a thousandth of"),
        (2.204_622_6, "2.2 times (pounds for kilograms)"),
        (1.0 / 2.54, "0.39 times (inches for centimetres)"),
    ];
    let level = |wanted: f64| QUANTILE_LEVELS.iter().position(|l| *l == wanted);
    let (Some(low), Some(middle), Some(high)) = (level(0.01), level(0.5), level(0.99)) else {
        return Vec::new();
    };
    let mut warnings = Vec::new();
    for (column, observed) in model.encoder.columns.iter().zip(&sample.columns) {
        if column.quantiles.len() != QUANTILE_LEVELS.len() || observed.len() < FEWEST {
            continue;
        }
        let (new, training) = (median(observed), column.quantiles[middle]);
        if new >= column.quantiles[low] && new <= column.quantiles[high] {
            continue;
        }
        let ratio = new / training;
        let near = CONVERSIONS.iter().find(|(factor, _)| (ratio / factor - 1.0).abs() < 0.15);
        let how = near.map_or_else(String::new, |(_, text)| format!(", about {text} that in training"));
        warnings.push(format!(
            "column `{}`: its median lies outside the central 98 % of the training values{how}; check its unit",
            column.meta.name
        ));
    }
    warnings
}

/// Some values of each column of a table of any length: every record at first, then every second, every
/// fourth and so on.
struct ColumnSample {
    columns: Vec<Vec<f64>>,
    /// Records met, and of how many one is taken.
    met: usize,
    every: usize,
    taken: usize,
}

impl ColumnSample {
    /// Records kept, at most.
    const MOST: usize = 4096;

    fn new(columns: usize) -> Self {
        Self { columns: vec![Vec::new(); columns], met: 0, every: 1, taken: 0 }
    }

    fn take(&mut self, raw: &Array2<f64>) {
        for row in raw.rows() {
            if self.met.is_multiple_of(self.every) {
                for (values, x) in self.columns.iter_mut().zip(row).filter(|(_, x)| !x.is_nan()) {
                    values.push(*x);
                }
                self.taken += 1;
                if self.taken == Self::MOST {
                    // Every second from now on, and of those there are.
                    self.every *= 2;
                    self.taken /= 2;
                    for values in &mut self.columns {
                        *values = values.iter().copied().step_by(2).collect();
                    }
                }
            }
            self.met += 1;
        }
    }
}
