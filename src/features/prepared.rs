//! A table made ready to be a bundle: its records are split and its encoder is fitted. What is written is
//! made of the table a block of rows at a time, so that no second copy of it is in memory.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;

use crate::error::IoError;
use crate::ingest::{Audit, RecordTable, Subjects};
use crate::message::{Message, Weight, plural};
use crate::schema::{Pipeline, PipelineKind, Schema, Split, Waveform, fingerprint};

use super::label_meta::LabelMeta;
use super::labels;
use super::manifest::{AUDIT, MANIFEST, TENSORS, json};
use super::tensors::Contents;
use super::{
    CodedTable, Encoder, FORMAT_VERSION, FeatureError, FeatureWarning, Manifest, Shape, SplitCounts, split,
};

/// Training records per coordinate below which a user is warned.
const FEW_ROWS: usize = 5;

/// A table with everything fitted.
pub struct Prepared<'t> {
    table: &'t RecordTable,
    coded: CodedTable<'t>,
    splits: Vec<Split>,
    manifest: Manifest,
    audit: Audit,
}

impl<'t> Prepared<'t> {
    /// Splits the records by subject and fits the encoder on the training split. What a user should know
    /// about columns and splits is added to the messages of the audit.
    ///
    /// # Errors
    /// [`FeatureError::NoRecords`], [`FeatureError::EmptySplit`], and those of [`Encoder::fit`].
    pub fn new(
        table: &'t RecordTable,
        schema: Option<&Schema>,
        pipeline: &Pipeline,
    ) -> Result<Self, FeatureError> {
        let (splits, of_splits) = split::assign_splits(table, pipeline)?;
        let shape = Shape::of(pipeline);
        let (encoder, warnings) = match pipeline.kind() {
            PipelineKind::Windows(waveform) => {
                let (encoder, warnings) = Encoder::fit(table, &splits, pipeline)?;
                let given = past_columns(&encoder, table, waveform);
                (encoder.conditioned_on(&given), warnings)
            }
            PipelineKind::Grid(grid) => (Encoder::of_pixels(table, &splits, grid.levels)?, Vec::new()),
            PipelineKind::Cohort | PipelineKind::Table(_) => Encoder::fit(table, &splits, pipeline)?,
        };
        let coded = encoder.coded(table)?;
        let mut audit = table.audit.clone();
        audit.messages.extend(of_splits);
        audit.messages.extend(warnings.iter().map(FeatureWarning::message));
        let counts = SplitCounts::of(&splits);
        if counts.train < FEW_ROWS * encoder.n_coordinates() && !shape.shares_what_is_learnt() {
            let text = format!(
                "{} training records for {} coordinates are few: likelihoods and what follows from them are \
                 uncertain",
                counts.train,
                encoder.n_coordinates()
            );
            audit.messages.push(Message::records(Weight::Wrong, text).counting(counts.train));
        }
        audit.messages.extend(uneven(table, pipeline, counts));
        let manifest = Manifest {
            format_version: FORMAT_VERSION,
            program_version: env!("CARGO_PKG_VERSION").into(),
            seed: pipeline.seed,
            n_records: table.n_records(),
            splits: counts,
            shape,
            tensor_sha256: String::new(),
            schema_sha256: schema.map(fingerprint),
            labels: table.labels.iter().map(LabelMeta::of).collect(),
            labels_sha256: None,
            inputs: audit.inputs.clone(),
            pipeline: pipeline.clone(),
            schema: schema.cloned(),
            encoder,
        };
        Ok(Self { table, coded, splits, manifest, audit })
    }

    /// The split of each record.
    pub fn splits(&self) -> &[Split] {
        &self.splits
    }

    /// Writes `tensor.safetensors`, `manifest.json`, `audit.json` and, where there are labels,
    /// `labels.parquet` into an existing, staged folder ([`crate::output::Staged::dir`]); the same table
    /// gives the same bytes. Returns the manifest and the audit.
    ///
    /// # Errors
    /// I/O failures.
    pub fn write(mut self, dir: &Path) -> Result<(Manifest, Audit), FeatureError> {
        self.manifest.labels_sha256 = labels::write(dir, self.table, &self.splits)?;
        let path = dir.join(TENSORS);
        let mut file = File::create(&path).map_err(IoError::on("create", &path))?;
        let (manifest, audit) = self.write_tensors(&mut file, &path)?;
        let write = |name: &str, bytes: &[u8]| {
            let path = dir.join(name);
            fs::write(&path, bytes).map_err(IoError::on("write", &path))
        };
        write(MANIFEST, &json(&manifest))?;
        write(AUDIT, &json(&audit))?;
        Ok((manifest, audit))
    }

    /// Writes the tensors to a file that is called `path` in messages, and completes the manifest and the
    /// audit.
    pub(super) fn write_tensors(
        self,
        file: &mut (impl Write + Send),
        path: &Path,
    ) -> Result<(Manifest, Audit), FeatureError> {
        let Self { table, coded, splits, mut manifest, mut audit } = self;
        let mut unseen: Vec<(String, usize)> = Vec::new();
        let encoder = &manifest.encoder;
        let contents = Contents {
            encoder,
            shape: &manifest.shape,
            seed: manifest.seed_of_draw(),
            splits: &splits,
            id: &|i| &table.record_ids[i],
            raw: &|from, to| coded.rows(from, to),
        };
        let look_at = |raw: ndarray::ArrayView2<'_, f64>| super::add_counts(&mut unseen, encoder.unseen(raw));
        let sha256 = contents.write(file, look_at).map_err(IoError::on("write", path))?;
        manifest.tensor_sha256 = sha256;
        // In the order of the columns, whatever blocks they were met in.
        let place = |name: &str| manifest.encoder.columns.iter().position(|c| c.meta.name == name);
        unseen.sort_by_key(|(column, _)| place(column));
        let all_named =
            |name: &str| place(name).is_some_and(|at| manifest.encoder.columns[at].rare_levels == 0);
        // Where training records have levels without a name, the account of the fit has told of them.
        for (column, count) in unseen.into_iter().filter(|(column, _)| all_named(column)) {
            let text = format!(
                "`{column}`: {} a level not met in training",
                plural(count, "1 held-out record has", &format!("{count} held-out records have"))
            );
            audit.messages.push(Message::column(Weight::Choice, &column, text).counting(count));
        }
        Ok((manifest, audit))
    }
}

/// Shares of records by which a split may differ from the share of subjects that was asked for.
const UNEVEN: f64 = 0.15;
/// Fewest records for a word on that.
const UNEVEN_RECORDS: usize = 100;

/// What to say where the splits hold other shares of the records than were asked for, because some subjects
/// have many more records than others.
fn uneven(table: &RecordTable, pipeline: &Pipeline, counts: SplitCounts) -> Option<Message> {
    let n = table.n_records();
    let Subjects::Named(subjects) = &table.subjects else { return None };
    if table.splits.is_some() || n < UNEVEN_RECORDS {
        return None;
    }
    let asked = &pipeline.split;
    let shares = [asked.train, asked.validation, asked.calibration, asked.test];
    let total: f64 = shares.iter().sum();
    let is_uneven = Split::ALL
        .iter()
        .zip(shares)
        .any(|(split, share)| (counts.get(*split) as f64 / n as f64 - share / total).abs() > UNEVEN);
    let mut rows = vec![0_usize; subjects.levels().len()];
    subjects.codes().iter().filter(|code| !code.is_nan()).for_each(|code| rows[code as usize] += 1);
    let most = rows.into_iter().max().unwrap_or(0);
    (is_uneven && most * 20 > n).then(|| {
        let text = format!(
            "the splits hold {}, {}, {} and {} of {n} records: one subject has {most} of them, and all \
             records of a subject are in one split; figures of the split that holds it are about that \
             subject",
            counts.train, counts.validation, counts.calibration, counts.test
        );
        Message::records(Weight::Wrong, text).counting(most)
    })
}

/// Features that come before a window: they are given, and no part of its density.
fn past_columns(encoder: &Encoder, table: &RecordTable, waveform: &Waveform) -> Vec<usize> {
    let given = waveform.past * waveform.channels.len();
    let names: HashSet<&str> = table.columns.iter().take(given).map(|c| c.name.as_str()).collect();
    (0..encoder.n_features()).filter(|&j| names.contains(encoder.columns[j].meta.name.as_str())).collect()
}
