//! Records in blocks, for what is done with each of them by itself: memory does not grow with their number.
//! Those of a bundle are read from its file of tensors, those of a table by the reader of tables, a block of
//! rows after the other.

use std::path::Path;

use ndarray::Array2;

use super::levels::{self, Gaps};
use super::records::{expected, lacking, unseen_warnings};
use super::{Error, RecordsSource};
use crate::artifact::ModelArtifact;
use crate::features::{Encoder, StoredRecords, add_counts};
use crate::ingest::{IngestProgress, NewTable, OutputCells, OutputColumn};
use crate::message::Message;
use crate::schema::Split;

/// Numbers of a block.
const NUMBERS: usize = 1 << 19;

/// Some records of a source.
pub(super) struct Block {
    /// Number of the first one.
    pub(super) from: usize,
    /// Identifiers.
    pub(super) ids: Vec<String>,
    /// Splits, when the source is the bundle the model was fitted to.
    pub(super) splits: Option<Vec<Split>>,
    /// `(n, p)`, in the model's terms.
    pub(super) raw: Array2<f64>,
}

/// Records that can be gone through more than once.
pub(super) struct Blocks<'m> {
    source: Source<'m>,
    /// What is known of them before they are read.
    opened: Vec<Message>,
    /// What the user should know about them, as far as they have been gone through.
    pub(super) messages: Vec<Message>,
    rows: usize,
    progress: &'m dyn IngestProgress,
}

enum Source<'m> {
    Stored(Box<StoredRecords>),
    /// A table for an encoder, and the levels of a model of pictures.
    Table(Box<NewTable<'m>>, &'m Encoder, Option<u32>),
}

impl<'m> Blocks<'m> {
    /// Opens the records `model` is to judge. Another bundle than the model's own is read by its table, so
    /// that the model's transforms and level codes apply, never the other bundle's.
    ///
    /// # Errors
    /// As [`Records::read`].
    pub(super) fn open(
        model: &'m ModelArtifact,
        source: RecordsSource<'_>,
        progress: &'m dyn IngestProgress,
    ) -> Result<Self, Error> {
        let rows = (NUMBERS / model.encoder.n_features().max(1)).max(64);
        let table = |path: &Path, opened: Vec<Message>| -> Result<Self, Error> {
            let table = NewTable::open(path, &expected(&model.encoder))?;
            Ok(Self {
                source: Source::Table(Box::new(table), &model.encoder, levels::of(model)),
                messages: opened.clone(),
                opened,
                rows,
                progress,
            })
        };
        match source {
            RecordsSource::Table(path) => table(path, Vec::new()),
            RecordsSource::Bundle(dir) => {
                let stored = StoredRecords::open(dir)?;
                if stored.fingerprint != model.header.bundle_sha256 {
                    let opened = model.check_terms(&stored.manifest)?;
                    let opened = table(&dir.join("features.parquet"), opened);
                    return opened.map_err(|error| lacking(error, dir));
                }
                model.check_encoder(&stored.manifest.encoder)?;
                let source = Source::Stored(Box::new(stored));
                Ok(Self { source, opened: Vec::new(), messages: Vec::new(), rows, progress })
            }
        }
    }

    /// Hands out at most `rows` records at a time, for what takes long with each of them.
    pub(super) fn by(mut self, rows: usize) -> Self {
        self.rows = rows.min(self.rows);
        self
    }

    /// Hands out all records, in their order. A source without records hands out one block without any.
    ///
    /// # Errors
    /// Those of reading, and of `f`.
    pub(super) fn each(&mut self, mut f: impl FnMut(&Block) -> Result<(), Error>) -> Result<(), Error> {
        let rows = self.rows;
        match &mut self.source {
            Source::Stored(stored) => {
                let progress = self.progress;
                let size = stored.size();
                progress.begin("records", 1, size);
                let mut from = 0;
                loop {
                    let to = (from + rows).min(stored.len());
                    let block = stored.block(from, to)?;
                    f(&Block { from, ids: block.record_ids, splits: Some(block.splits), raw: block.raw })?;
                    from = to;
                    let share = from as f64 / stored.len().max(1) as f64;
                    progress.rows("records", from as u64, (share * size as f64) as u64);
                    if from >= stored.len() {
                        progress.end("records");
                        return Ok(());
                    }
                }
            }
            Source::Table(table, encoder, of_model) => {
                let (mut before, mut unseen) = (0, Vec::new());
                let mut messages = table.each(rows, self.progress, |read| {
                    let coded = encoder.coded(&read)?;
                    // The reader may hand out more rows at once than can be scored at once.
                    for from in (0..coded.len()).step_by(rows) {
                        let to = (from + rows).min(coded.len());
                        let raw = coded.rows(from, to);
                        if let Some(of_model) = *of_model {
                            levels::check(encoder, of_model, raw.view(), before + from, Gaps::Refused)?;
                        }
                        add_counts(&mut unseen, encoder.unseen(raw.view()));
                        let ids = (from..to).map(|i| read.record_ids[i].to_owned()).collect();
                        f(&Block { from: before + from, ids, splits: None, raw })?;
                    }
                    before += coded.len();
                    Ok::<_, Error>(())
                })?;
                messages.extend(unseen_warnings(encoder, unseen));
                messages.splice(0..0, self.opened.iter().cloned());
                self.messages = messages;
                Ok(())
            }
        }
    }
}

/// Columns that say which records rows are of.
pub(super) fn identifiers(ids: &[String], splits: Option<&[Split]>) -> Vec<OutputColumn> {
    let ids = ids.iter().cloned().map(Some).collect();
    let mut columns = vec![OutputColumn::new("record_id", OutputCells::Text(ids))];
    if let Some(splits) = splits {
        let names = splits.iter().map(|s| Some(s.name().to_owned())).collect();
        columns.push(OutputColumn::new("split", OutputCells::Text(names)));
    }
    columns
}
