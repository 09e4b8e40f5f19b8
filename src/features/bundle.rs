//! The bundle: what `ingest` writes and everything else reads.

use std::path::Path;

use ndarray::{Array2, Axis};

use crate::ingest::{Audit, RecordTable};
use crate::num::hex::sha256;
use crate::schema::{Pipeline, Schema, Split};

use super::manifest::{AUDIT, TENSORS, json, parse, read, read_manifest};
use super::{Encoded, FeatureError, Manifest, Prepared, RecordKey, SplitCounts, tensors};

/// Encoded records with the account of their making.
#[derive(Debug, Clone)]
pub struct Bundle {
    /// What it was made from and what was fitted.
    pub manifest: Manifest,
    /// `(n, p)`: original units, level codes, NaN where missing.
    pub raw: Array2<f64>,
    /// One per row.
    pub record_ids: Vec<String>,
    /// One per row.
    pub splits: Vec<Split>,
    /// What happened on the way.
    pub audit: Audit,
    fingerprint: String,
}

impl Bundle {
    /// The bundle that [`Prepared::write`] writes of a table, in memory.
    ///
    /// # Errors
    /// Those of [`Prepared::new`].
    pub fn build(
        table: &RecordTable,
        schema: Option<&Schema>,
        pipeline: &Pipeline,
    ) -> Result<Self, FeatureError> {
        let prepared = Prepared::new(table, schema, pipeline)?;
        let splits = prepared.splits().to_vec();
        let (manifest, audit) = prepared.write_tensors(&mut std::io::sink(), Path::new(TENSORS))?;
        Ok(Self {
            raw: manifest.encoder.raw(table)?,
            record_ids: table.record_ids.iter().map(str::to_owned).collect(),
            splits,
            audit,
            fingerprint: sha256(&json(&manifest)),
            manifest,
        })
    }

    /// Reads a bundle and checks it: format version, the tensors' SHA-256, shapes, types and missing values.
    ///
    /// # Errors
    /// [`FeatureError::NotABundle`], [`FeatureError::FormatVersion`], and the kinds of damage.
    pub fn open(dir: &Path) -> Result<Self, FeatureError> {
        let (manifest, fingerprint) = read_manifest(dir)?;
        let audit: Audit = parse(dir, AUDIT, &read(dir, AUDIT)?)?;
        let path = dir.join(TENSORS);
        let bytes = read(dir, TENSORS)?;
        let tensors = {
            let (n, shape) = (manifest.n_records, &manifest.shape);
            tensors::from_bytes(&path, &bytes, n, shape, &manifest.encoder)?
        };
        let damaged = |what: &str| FeatureError::Damaged { path: path.clone(), what: what.into() };
        if SplitCounts::of(&tensors.splits) != manifest.splits {
            return Err(damaged("its splits are not those the manifest counts"));
        }
        if sha256(&bytes) != manifest.tensor_sha256 {
            return Err(damaged("its SHA-256 is not the one in the manifest"));
        }
        Ok(Self {
            manifest,
            raw: tensors.raw,
            record_ids: tensors.record_ids,
            splits: tensors.splits,
            audit,
            fingerprint,
        })
    }

    /// Positions of the rows of a split, ascending.
    pub fn rows(&self, split: Split) -> Vec<usize> {
        (0..self.splits.len()).filter(|&i| self.splits[i] == split).collect()
    }

    /// The raw numbers of a split, `(n_split, p)`.
    pub fn raw_of(&self, split: Split) -> Array2<f64> {
        self.raw.select(Axis(0), &self.rows(split))
    }

    /// The bundle without some rows; its fingerprint stays that of the whole.
    #[must_use]
    pub fn without(&self, rows: &[usize]) -> Self {
        let gone: std::collections::BTreeSet<usize> = rows.iter().copied().collect();
        let kept: Vec<usize> = (0..self.splits.len()).filter(|i| !gone.contains(i)).collect();
        let mut bundle = Self {
            manifest: self.manifest.clone(),
            raw: self.raw.select(Axis(0), &kept),
            record_ids: kept.iter().map(|&i| self.record_ids[i].clone()).collect(),
            splits: kept.iter().map(|&i| self.splits[i]).collect(),
            audit: self.audit.clone(),
            fingerprint: self.fingerprint.clone(),
        };
        bundle.recount();
        bundle
    }

    /// The bundle for densities of the other features given those at `columns`; its fingerprint stays the
    /// same.
    #[must_use]
    pub fn conditioned_on(mut self, columns: &[usize]) -> Self {
        self.manifest.encoder = self.manifest.encoder.conditioned_on(columns);
        self
    }

    /// Counts records and splits anew.
    pub(super) fn recount(&mut self) {
        self.manifest.n_records = self.splits.len();
        self.manifest.splits = SplitCounts::of(&self.splits);
    }

    /// The draw whose values are stored, in double precision. Copies of a record have noise of their own.
    pub fn stored_draw(&self) -> Encoded {
        let keys = RecordKey::by_copy(self.raw.view());
        self.manifest.encoder.encode_keyed(self.raw.view(), &keys, self.manifest.seed_of_draw(), 0)
    }

    /// SHA-256 of `manifest.json`, which holds that of the tensors: equal for equal data, schema, pipeline
    /// and program.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}
