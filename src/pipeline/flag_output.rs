//! What `flag` is asked for, and where its verdicts go.

use std::path::Path;

use crate::evaluate::ScoreKind;
use crate::features::DrawsBy;
use crate::ingest::{OutputCells, OutputColumn, TableWriter};
use crate::message::Message;
use crate::outlier::{FlagColumn, FlagRow, Flags, Rule, Warning};
use crate::random::Seed;
use crate::schema::Split;

use super::blocks::identifiers;
use super::flags_file::FlagsFile;
use super::{Error, RecordsSource};

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
    /// Features named per explained record.
    pub explain: usize,
    /// Records that are explained although they are not flagged: so many of the most unusual.
    pub also_explain: usize,
    /// Write only so many records, the most unusual first.
    pub top: Option<usize>,
    /// Folder of the maps of flagged pictures.
    pub maps: Option<&'a Path>,
    /// Where to write the flags with their full explanations.
    pub json: Option<&'a Path>,
    /// The bundle that the model was fitted on, which calibrates the flags of a bundle that lacks features.
    pub reference: Option<&'a Path>,
    /// What the draws behind the scores hang on. Fixed ones are calibrated anew on the bundle `reference`.
    pub draws_by: DrawsBy,
    /// Fixed draws per record; by default as many as the model has.
    pub draws: Option<usize>,
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
    /// The most unusual records with their explanations, as many as were to be explained in any case.
    pub most_unusual: Vec<FlagRow>,
    /// What the user should know.
    pub messages: Vec<Message>,
}

/// The table of verdicts, and the file of explanations where one is asked for.
pub(super) struct Outputs {
    table: TableWriter,
    json: Option<FlagsFile>,
    explain_top: usize,
}

impl Outputs {
    pub(super) fn begin(request: &FlagRequest<'_>) -> Result<Self, Error> {
        Ok(Self {
            json: request.json.map(|path| FlagsFile::begin(path, request.force)).transpose()?,
            table: TableWriter::begin(request.output, request.force)?,
            explain_top: request.explain,
        })
    }

    pub(super) fn finish(self, warnings: &[Warning], n_calibration: usize) -> Result<(), Error> {
        if let Some(json) = self.json {
            json.finish(warnings, n_calibration, self.explain_top)?;
        }
        Ok(self.table.finish()?)
    }

    pub(super) fn write(&mut self, rows: Vec<FlagRow>, splits: Option<&[Split]>) -> Result<(), Error> {
        if let Some(json) = &mut self.json {
            json.write(&rows)?;
        }
        let flags = Flags { rows, explain_top: self.explain_top, ..Flags::default() };
        Ok(self.table.write(&flag_columns(&flags, splits))?)
    }
}

/// The table of verdicts. The identifier comes first, with the split beside it.
pub(super) fn flag_columns(flags: &Flags, splits: Option<&[Split]>) -> Vec<OutputColumn> {
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
