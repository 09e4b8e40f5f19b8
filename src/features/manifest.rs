//! `manifest.json` of a bundle, and how its files are read.

use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::error::IoError;
use crate::ingest::InputFile;
use crate::num::hex::sha256;
use crate::plain_file;
use crate::random::Seed;
use crate::schema::{Pipeline, Schema, Split};

use super::label_meta::LabelMeta;
use super::{Encoder, FeatureError, Shape};

/// Version of the folder's format, of the encoder's JSON and of the tensors. Version 2 keys the noise of a
/// record by its content, and keeps rare levels and rare absences apart from the coordinates.
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
    /// What the features of a record are to each other.
    pub shape: Shape,
    /// SHA-256 of `tensor.safetensors`.
    pub tensor_sha256: String,
    /// [`fingerprint`] of the resolved schema.
    pub schema_sha256: Option<String>,
    /// Columns of `labels.parquet`, which no model sees.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<LabelMeta>,
    /// SHA-256 of `labels.parquet`, where there are labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels_sha256: Option<String>,
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

pub(super) fn read(dir: &Path, file: &'static str) -> Result<Vec<u8>, FeatureError> {
    let path = dir.join(file);
    plain_file::read(&path).map_err(|e| {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        if matches!(e.kind(), NotFound | NotADirectory) && dir.exists() {
            FeatureError::NotABundle { path: dir.to_path_buf(), file }
        } else {
            IoError::on("read", &path)(e).into()
        }
    })
}

pub(super) fn parse<T: for<'de> Deserialize<'de>>(
    dir: &Path,
    file: &str,
    bytes: &[u8],
) -> Result<T, FeatureError> {
    serde_json::from_slice(bytes).map_err(|source| FeatureError::Json { path: dir.join(file), source })
}

pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("invariant: plain structs with text keys");
    bytes.push(b'\n');
    bytes
}
