//! The bundle: what `ingest` writes and everything else reads.

use std::fs;
use std::path::Path;

use ndarray::{Array2, Axis};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::IoError;
use crate::ingest::{Audit, InputFile, RecordTable};
use crate::random::Seed;
use crate::schema::{Pipeline, Schema, Split};

use super::{Encoded, Encoder, FeatureError, Prepared, RecordKey, Shape, tensors};

/// Version of the folder's format, of the encoder's JSON and of the tensors. Version 2 keys the noise of a record by its
/// content, and keeps rare levels and rare absences apart from the coordinates.
pub const FORMAT_VERSION: u32 = 2;

pub(super) const MANIFEST: &str = "manifest.json";
pub(super) const TENSORS: &str = "tensor.safetensors";
pub(super) const AUDIT: &str = "audit.json";

/// `manifest.json`: what a bundle was made from, by what, and everything fitted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT_VERSION`] of the writer.
    pub format_version: u32,
    /// Version of the program that wrote it.
    pub program_version: String,
    /// Seed of the splits and of the stored draw.
    pub seed: u64,
    /// Records.
    pub n_records: usize,
    /// Records per split.
    pub splits: SplitCounts,
    /// SHA-256 of `tensor.safetensors`.
    pub tensor_sha256: String,
    /// [`fingerprint`] of the resolved schema.
    pub schema_sha256: Option<String>,
    /// Files read.
    pub inputs: Vec<InputFile>,
    /// The resolved pipeline.
    pub pipeline: Pipeline,
    /// The resolved schema; none for wide tables.
    pub schema: Option<Schema>,
    /// Columns, their kinds and everything fitted on the training split.
    pub encoder: Encoder,
}

impl Manifest {
    /// Seed of the draw whose values are stored.
    pub(super) fn seed_of_draw(&self) -> Seed {
        Seed(self.seed).child("stored draw", 0)
    }

    /// The shape of the records.
    pub fn shape(&self) -> Shape {
        Shape::of(&self.pipeline)
    }
}

/// Number of records in each split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SplitCounts {
    /// Records of `train`.
    pub train: usize,
    /// Records of `validation`.
    pub validation: usize,
    /// Records of `calibration`.
    pub calibration: usize,
    /// Records of `test`.
    pub test: usize,
}

impl SplitCounts {
    pub(super) fn of(splits: &[Split]) -> Self {
        let count = |split| splits.iter().filter(|s| **s == split).count();
        Self {
            train: count(Split::Train),
            validation: count(Split::Validation),
            calibration: count(Split::Calibration),
            test: count(Split::Test),
        }
    }

    /// Records of one split.
    pub fn get(&self, split: Split) -> usize {
        match split {
            Split::Train => self.train,
            Split::Validation => self.validation,
            Split::Calibration => self.calibration,
            Split::Test => self.test,
        }
    }
}

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
        let tensors = tensors::from_bytes(&path, &bytes, manifest.n_records, &manifest.encoder)?;
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

    /// The bundle for densities of the other features given those at `columns`; its fingerprint stays the same.
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

    /// SHA-256 of `manifest.json`, which holds that of the tensors: equal for equal data, schema, pipeline and program.
    pub fn fingerprint(&self) -> String {
        self.fingerprint.clone()
    }
}

/// The manifest of a bundle, its version checked, and its fingerprint.
pub(super) fn read_manifest(dir: &Path) -> Result<(Manifest, String), FeatureError> {
    #[derive(Deserialize)]
    struct Version {
        format_version: u64,
    }
    let bytes = read(dir, MANIFEST)?;
    // The version comes first: other versions need not have the same fields.
    let version: Version = parse(dir, MANIFEST, &bytes)?;
    if version.format_version != u64::from(FORMAT_VERSION) {
        return Err(FeatureError::FormatVersion {
            path: dir.to_path_buf(),
            found: version.format_version,
            supported: FORMAT_VERSION,
        });
    }
    Ok((parse(dir, MANIFEST, &bytes)?, sha256(&bytes)))
}

fn read(dir: &Path, file: &'static str) -> Result<Vec<u8>, FeatureError> {
    let path = dir.join(file);
    fs::read(&path).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound && dir.is_dir() {
            FeatureError::NotABundle { path: dir.to_path_buf(), file }
        } else {
            IoError::on("read", &path)(e).into()
        }
    })
}

fn parse<T: for<'de> Deserialize<'de>>(dir: &Path, file: &str, bytes: &[u8]) -> Result<T, FeatureError> {
    serde_json::from_slice(bytes).map_err(|source| FeatureError::Json { path: dir.join(file), source })
}

pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("invariant: plain structs with text keys");
    bytes.push(b'\n');
    bytes
}

fn sha256(bytes: &[u8]) -> String {
    sha256_hex(&Sha256::digest(bytes))
}

pub(super) fn sha256_hex(digest: &[u8]) -> String {
    use std::fmt::Write;
    digest.iter().fold(String::with_capacity(64), |mut hex, byte| {
        write!(hex, "{byte:02x}").expect("invariant: writing to a string cannot fail");
        hex
    })
}
