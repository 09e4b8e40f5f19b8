//! Records in blocks, for what is done with each of them by itself: memory does not grow with their number.
//!
//! A bundle's own records are read from its file of tensors as they are needed. A table is read as a whole for now, by the
//! reader of tables; what goes on behind [`Blocks::each`] is its matter.

use std::path::Path;

use ndarray::{Array2, Axis, Slice};

use super::{Error, Records, RecordsSource};
use crate::artifact::ModelArtifact;
use crate::features::StoredRecords;
use crate::ingest::{OutputCells, OutputColumn};
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
pub(super) struct Blocks {
    source: Source,
    /// What the user should know about them.
    pub(super) warnings: Vec<String>,
    rows: usize,
}

enum Source {
    Stored(Box<StoredRecords>),
    Read(Records),
}

impl Blocks {
    /// Opens the records `model` is to judge. Another bundle than the model's own is read by its table, so that the model's
    /// transforms and level codes apply, never the other bundle's.
    ///
    /// # Errors
    /// As [`Records::read`].
    pub(super) fn open(model: &ModelArtifact, source: RecordsSource<'_>) -> Result<Self, Error> {
        let rows = (NUMBERS / model.encoder.n_features().max(1)).max(64);
        let table = |path: &Path| -> Result<Self, Error> {
            let mut records = Records::from_table(model, path)?;
            let warnings = std::mem::take(&mut records.warnings);
            Ok(Self { source: Source::Read(records), warnings, rows })
        };
        match source {
            RecordsSource::Table(path) => table(path),
            RecordsSource::Bundle(dir) => {
                let stored = StoredRecords::open(dir)?;
                if stored.fingerprint != model.header.bundle_sha256 {
                    return table(&dir.join("features.parquet"));
                }
                model.check_encoder(&stored.manifest.encoder)?;
                Ok(Self { source: Source::Stored(Box::new(stored)), warnings: Vec::new(), rows })
            }
        }
    }

    /// Hands out all records, in their order. A source without records hands out one block without any.
    ///
    /// # Errors
    /// Those of reading, and of `f`.
    pub(super) fn each(&mut self, mut f: impl FnMut(&Block) -> Result<(), Error>) -> Result<(), Error> {
        let n = match &self.source {
            Source::Stored(stored) => stored.len(),
            Source::Read(records) => records.ids.len(),
        };
        let mut from = 0;
        loop {
            let to = (from + self.rows).min(n);
            let block = match &mut self.source {
                Source::Stored(stored) => {
                    let block = stored.block(from, to)?;
                    Block { from, ids: block.record_ids, splits: Some(block.splits), raw: block.raw }
                }
                Source::Read(records) => Block {
                    from,
                    ids: records.ids[from..to].to_vec(),
                    splits: records.splits.as_ref().map(|s| s[from..to].to_vec()),
                    raw: records.raw.slice_axis(Axis(0), Slice::from(from..to)).to_owned(),
                },
            };
            f(&block)?;
            from = to;
            if from >= n {
                return Ok(());
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
