//! The records of a bundle read block by block from its file of tensors, so that memory does not grow with
//! their number.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use ndarray::Array2;
use safetensors::tensor::{Dtype, Metadata};
use sha2::{Digest, Sha256};

use super::manifest::read_manifest;
use super::tensors::{PIXELS, first_unsound};
use super::{FeatureError, Manifest, Shape};
use crate::error::{IoError, Refusal};
use crate::num::hex::hex;
use crate::plain_file::{self, Stamp};
use crate::schema::Split;

/// Bytes that are hashed at a time.
const PIECE: usize = 1 << 20;

/// A bundle whose records stay on disk.
#[derive(Debug)]
pub struct StoredRecords {
    /// What the bundle says of itself.
    pub manifest: Manifest,
    /// SHA-256 of the manifest, as [`Bundle::fingerprint`](super::Bundle::fingerprint).
    pub fingerprint: String,
    path: PathBuf,
    file: File,
    /// The open file as it was before it was hashed. One that is moved into its place is another file, which this
    /// one does not see.
    before: Stamp,
    /// Where the tensors begin.
    data: u64,
    metadata: Metadata,
}

/// Some of its records.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredBlock {
    /// Their ids.
    pub record_ids: Vec<String>,
    /// Their splits.
    pub splits: Vec<Split>,
    /// `(n, p)`: original units, level codes, NaN where missing.
    pub raw: Array2<f64>,
}

impl StoredRecords {
    /// Opens a bundle and checks the manifest's version and the file's SHA-256, which takes one pass over it.
    ///
    /// # Errors
    /// As [`Bundle::open`](super::Bundle::open).
    pub fn open(dir: &Path) -> Result<Self, FeatureError> {
        let (manifest, fingerprint) = read_manifest(dir)?;
        let path = dir.join(super::manifest::TENSORS);
        let io = |e| FeatureError::from(IoError::on("read", &path)(e));
        let mut file = plain_file::open(&path).map_err(io)?;
        let before = Stamp::of(&file.metadata().map_err(io)?);
        let mut hash = Sha256::new();
        let mut piece = vec![0; PIECE];
        loop {
            let n = file.read(&mut piece).map_err(io)?;
            if n == 0 {
                break;
            }
            hash.update(&piece[..n]);
        }
        let damaged = |what: &str| FeatureError::Damaged { path: path.clone(), what: what.into() };
        if hex(&hash.finalize()) != manifest.tensor_sha256 {
            return Err(damaged("its SHA-256 is not the one in the manifest"));
        }
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(io)?;
        let length = u64::from_le_bytes(length);
        // What has the right checksum was written by this program; the bound is for a manifest made to fit.
        if length > 1 << 24 {
            return Err(damaged("its header is too long"));
        }
        let mut header = vec![0; length as usize];
        file.read_exact(&mut header).map_err(io)?;
        // The library's own reader wants the tensors behind the header.
        let metadata: Metadata = serde_json::from_slice(&header)
            .map_err(safetensors::SafeTensorError::InvalidHeaderDeserialization)
            .map_err(|source| FeatureError::Tensors { path: path.clone(), source })?;
        Ok(Self { manifest, fingerprint, file, before, data: 8 + length, metadata, path })
    }

    /// Records.
    pub fn len(&self) -> usize {
        self.manifest.n_records
    }

    /// Bytes of the tensors.
    pub fn size(&self) -> u64 {
        self.metadata.data_len() as u64
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The records `from..to`.
    ///
    /// # Errors
    /// I/O failures; tensors that are not what the manifest says.
    pub fn block(&mut self, from: usize, to: usize) -> Result<StoredBlock, FeatureError> {
        let (n, p) = (to - from, self.manifest.encoder.n_features());
        let raw: Vec<f64> = match self.manifest.shape {
            Shape::Table | Shape::Windows { .. } => {
                let raw = self.read("raw", Dtype::F64, 8 * p, from, n)?;
                raw.as_chunks::<8>().0.iter().map(|b| f64::from_le_bytes(*b)).collect()
            }
            Shape::Grid { .. } => {
                self.read(PIXELS, Dtype::U8, p, from, n)?.iter().map(|level| f64::from(*level)).collect()
            }
        };
        let raw = Array2::from_shape_vec((n, p), raw).expect("invariant: n·p numbers were read");
        if let Some((column, row)) = first_unsound(&self.manifest.encoder, &raw) {
            let what = format!("tensor `raw` has no value of `{column}` in record {}", from + row + 1);
            return Err(FeatureError::Damaged { path: self.path.clone(), what });
        }
        let codes = self.read("split", Dtype::U8, 1, from, n)?;
        let splits: Option<Vec<Split>> =
            codes.iter().map(|&c| Split::ALL.get(usize::from(c)).copied()).collect();
        let damaged = |what: &str| FeatureError::Damaged { path: self.path.clone(), what: what.into() };
        let splits = splits.ok_or_else(|| damaged("tensor `split` holds an unknown code"))?;
        let ends = self.read("record_id_offsets", Dtype::I64, 8, from, n + 1)?;
        let ends: Vec<u64> = ends.as_chunks::<8>().0.iter().map(|b| u64::from_le_bytes(*b)).collect();
        let (first, last) = (ends[0], ends[n]);
        if !ends.is_sorted() || last > i64::MAX as u64 {
            return Err(FeatureError::Damaged {
                path: self.path.clone(),
                what: "the record ids cannot be read".into(),
            });
        }
        let bytes = self.read("record_id_bytes", Dtype::U8, 1, first as usize, (last - first) as usize)?;
        let ids = ends.windows(2).map(|w| {
            let id = &bytes[(w[0] - first) as usize..(w[1] - first) as usize];
            std::str::from_utf8(id).ok().map(str::to_owned)
        });
        let ids: Option<Vec<String>> = ids.collect();
        let record_ids = ids.ok_or_else(|| FeatureError::Damaged {
            path: self.path.clone(),
            what: "the record ids cannot be read".into(),
        })?;
        Ok(StoredBlock { record_ids, splits, raw })
    }

    /// `count` items of `size` bytes from item `from` of a tensor.
    fn read(
        &mut self,
        name: &str,
        dtype: Dtype,
        size: usize,
        from: usize,
        count: usize,
    ) -> Result<Vec<u8>, FeatureError> {
        let damaged = |what: String| FeatureError::Damaged { path: self.path.clone(), what };
        let info = self.metadata.info(name).filter(|info| info.dtype == dtype);
        let info = info.ok_or_else(|| damaged(format!("tensor `{name}` is not there")))?;
        let (begin, end) = info.data_offsets;
        if end.saturating_sub(begin) < (from + count).saturating_mul(size) {
            return Err(damaged(format!("tensor `{name}` is shorter than the manifest says")));
        }
        let mut bytes = vec![0; count * size];
        let at = self.data + (begin + from * size) as u64;
        let io = |e| FeatureError::from(IoError::on("read", &self.path)(e));
        self.file.seek(SeekFrom::Start(at)).map_err(io)?;
        self.file.read_exact(&mut bytes).map_err(io)?;
        if Stamp::of(&self.file.metadata().map_err(io)?) != self.before {
            return Err(io(Refusal::Changed.into()));
        }
        Ok(bytes)
    }
}
