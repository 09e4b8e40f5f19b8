//! `score` and `flag`: records → log-likelihoods, p-values and explanations.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use ndarray::ArrayView2;

use crate::artifact::ModelArtifact;
use crate::error::IoError;
use crate::evaluate::{ScoreKind, score_records};
use crate::features::QUANTILE_LEVELS;
use crate::ingest::{OutputCells, OutputColumn, write_table};
use crate::num::quantile::median;
use crate::outlier::{self, FlagColumn, FlagOptions, Flags, Grouping, Rule};
use crate::output::{OutputError, Staged};
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
    let json = request.json.map(JsonFile::of).transpose()?;
    if let Some(path) = request.json.filter(|p| !request.force && p.symlink_metadata().is_ok()) {
        return Err(OutputError::Exists(path.to_path_buf()).into());
    }
    let model = ModelArtifact::load(request.model)?;
    let mut records = Records::read(&model, request.records)?;
    let mut summary =
        flag_records(&model, &records, request.rule, request.score, request.explain, 0, request.seed)?;
    summary.warnings.extend(shifted_columns(&model, records.raw.view()));
    if let Some(top) = request.top {
        let order = most_unusual(&summary.flags, top);
        summary.flags.rows = order.iter().map(|&i| summary.flags.rows[i].clone()).collect();
        records.ids = order.iter().map(|&i| records.ids[i].clone()).collect();
        records.splits = records.splits.map(|s| order.iter().map(|&i| s[i]).collect());
    }
    if let Some(file) = json {
        write_json(file, &summary.flags, request.force)?;
    }
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
    score: ScoreKind,
    explain: usize,
    also_explain: usize,
    seed: Seed,
) -> Result<FlagSummary, Error> {
    // A p-value is valid only when new records are scored with as many noise draws as the calibration records were.
    let draws = model.header.score_draws;
    let (score, calibration) = model.calibrated(score).ok_or_else(|| Error::Usage {
        message: format!("the model holds no calibration of the score `{score}`"),
        hint: format!("it has {}; models of earlier versions have to be fitted again", offered(model)),
    })?;
    let options = FlagOptions {
        rule,
        score,
        groups: model.grouping().map(|(column, codes)| Grouping { column, codes: codes.to_vec() }),
        draws,
        explain_top: explain,
        also_explain,
        seed,
        ..FlagOptions::default()
    };
    let flags = outlier::flag(
        model.density(),
        &model.encoder,
        calibration,
        records.raw.view(),
        &records.ids,
        &options,
    )?;
    let mut warnings = records.warnings.clone();
    warnings.extend(flags.warnings.iter().map(ToString::to_string));
    let crossed = model.header.calibration_folds.is_some();
    let fitted = |s: &Split| match s {
        Split::Train | Split::Validation => true,
        Split::Calibration => crossed,
        Split::Test => false,
    };
    if records.splits.as_ref().is_some_and(|s| s.iter().any(fitted)) {
        warnings.push(format!(
            "rows of the {} splits were used in fitting: their p-values lean towards 1, so errors among them are harder \
             to find than in new records",
            if crossed { "train, validation and calibration" } else { "train and validation" }
        ));
    }
    Ok(FlagSummary { flags, warnings })
}

/// Names of the scores a model is calibrated for.
fn offered(model: &ModelArtifact) -> String {
    let known = ScoreKind::ALL.into_iter().filter(|&kind| model.calibrated(kind).is_some());
    known.map(ScoreKind::name).collect::<Vec<_>>().join(", ")
}

/// Positions of the `top` most unusual rows, the most unusual first, ties in the order of the table.
fn most_unusual(flags: &Flags, top: usize) -> Vec<usize> {
    let key = |i: usize| if flags.rows[i].score.is_nan() { f64::INFINITY } else { flags.rows[i].score };
    let mut order: Vec<usize> = (0..flags.rows.len()).collect();
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

/// Columns whose median lies where hardly any training value did: read in another unit, or another column under the
/// same name. Twenty values at least, so that a handful of odd records raises no alarm.
fn shifted_columns(model: &ModelArtifact, raw: ArrayView2<'_, f64>) -> Vec<String> {
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
    for (column, values) in model.encoder.columns.iter().zip(raw.columns()) {
        let observed: Vec<f64> = values.iter().copied().filter(|x| !x.is_nan()).collect();
        if column.quantiles.len() != QUANTILE_LEVELS.len() || observed.len() < FEWEST {
            continue;
        }
        let (new, training) = (median(&observed), column.quantiles[middle]);
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

pub(super) fn identifiers(records: &Records) -> Vec<OutputColumn> {
    let ids = records.ids.iter().cloned().map(Some).collect();
    let mut columns = vec![OutputColumn::new("record_id", OutputCells::Text(ids))];
    if let Some(splits) = &records.splits {
        let names = splits.iter().map(|s| Some(s.name().to_owned())).collect();
        columns.push(OutputColumn::new("split", OutputCells::Text(names)));
    }
    columns
}
