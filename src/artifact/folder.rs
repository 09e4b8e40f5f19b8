//! Writing and reading the model folder.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ensemble::Ensemble;
use super::error::{ArtifactError, FORMAT_VERSION};
use super::fitted::ModelArtifact;
use super::header::{FamilyPart, Header};
use super::metrics::Metrics;
use super::model::{Member, Model};
use super::tensors::{self, Reading, Source};
use crate::error::IoError;
use crate::evaluate::ScoreKind;
use crate::features::{DrawsBy, Encoder};
use crate::num::hex::sha256;
use crate::output::Staged;
use crate::plain_file::{self, Watch};
use crate::train::HistoryRow;

const MODEL: &str = "model.json";
const TENSORS: &str = "model.safetensors";
const HISTORY: &str = "history.csv";
const METRICS: &str = "metrics.json";

/// `model.json` as it is written.
#[derive(Serialize)]
struct DocumentRef<'a> {
    #[serde(flatten)]
    header: &'a Header,
    tensors_sha256: String,
    calibration: &'a [f64],
    #[serde(skip_serializing_if = "<[i64]>::is_empty")]
    calibration_groups: &'a [i64],
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    other_calibrations: &'a BTreeMap<ScoreKind, Vec<f64>>,
    encoder: &'a Encoder,
}

/// `model.json` as it is read.
#[derive(Deserialize)]
struct Document {
    #[serde(flatten)]
    header: Header,
    tensors_sha256: String,
    calibration: Vec<f64>,
    #[serde(default)]
    calibration_groups: Vec<i64>,
    #[serde(default)]
    other_calibrations: BTreeMap<ScoreKind, Vec<f64>>,
    encoder: Encoder,
}

/// Just enough to say that a folder is of a later format.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

impl ModelArtifact {
    /// Writes the folder `target` so that it appears whole or not at all; `force` allows replacing one.
    ///
    /// # Errors
    /// [`ArtifactError::Output`] when the target exists and `force` is not set; I/O failures.
    pub fn save(&self, target: &Path, force: bool) -> Result<(), ArtifactError> {
        let staged = Staged::dir(target, force)?;
        self.write(staged.path())?;
        Ok(staged.commit()?)
    }

    /// Writes the four files into the existing folder `dir`.
    ///
    /// # Errors
    /// I/O failures.
    pub fn write(&self, dir: &Path) -> Result<(), ArtifactError> {
        let bytes = tensors::serialize(&self.model.tensors());
        let document = DocumentRef {
            header: &self.header,
            tensors_sha256: sha256(&bytes),
            calibration: &self.calibration,
            calibration_groups: &self.calibration_groups,
            other_calibrations: &self.other_calibrations,
            encoder: &self.encoder,
        };
        put(dir, TENSORS, &bytes)?;
        put(dir, MODEL, &json(&document))?;
        put(dir, METRICS, &json(&self.metrics))?;
        put(dir, HISTORY, &history_csv(&self.history))
    }

    /// Reads the folder `dir`.
    ///
    /// # Errors
    /// [`ArtifactError`]: nothing there, a later format, damage of any kind.
    pub fn load(dir: &Path) -> Result<Self, ArtifactError> {
        Self::load_watched(dir, &Watch::begin(&dir.join(MODEL)))
    }

    /// Files of two versions fit each other well enough to be read: not all of them have a checksum. Every version
    /// of the folder has a `model.json` of its own.
    fn load_watched(dir: &Path, watch: &Watch) -> Result<Self, ArtifactError> {
        let read = Self::read(dir, watch.path());
        // That another program put a new model there is the cause of whatever else does not fit.
        if read.is_ok() || watch.path().exists() {
            watch.end()?;
        }
        read
    }

    fn read(dir: &Path, path: &Path) -> Result<Self, ArtifactError> {
        use std::io::ErrorKind::{NotADirectory, NotFound};
        let path = path.to_path_buf();
        let text = match plain_file::read(&path) {
            Ok(text) => text,
            Err(e) if matches!(e.kind(), NotFound | NotADirectory) && dir.exists() => {
                return Err(ArtifactError::NotAModel(dir.to_path_buf()));
            }
            Err(e) => return Err(IoError::on("read", &path)(e).into()),
        };
        let version: Version = parse(&path, &text)?;
        if version.format_version != FORMAT_VERSION {
            return Err(ArtifactError::OtherVersion {
                path: dir.to_path_buf(),
                version: version.format_version,
            });
        }
        let document: Document = parse(&path, &text)?;
        let damaged = |what: &str| ArtifactError::Damaged { path: path.clone(), what: what.into() };
        if document.header.coordinates != document.encoder.coordinate_names() {
            return Err(damaged("its coordinates are not those of its encoder"));
        }
        if document.header.condition_on != Header::context_of(&document.encoder) {
            return Err(damaged("the features it is conditioned on are not those of its encoder"));
        }
        if document.calibration.iter().any(|s| !s.is_finite()) {
            return Err(damaged("a calibration score is not a finite number"));
        }
        let n = document.calibration.len();
        if document.other_calibrations.values().any(|s| s.len() != n || s.iter().any(|v| !v.is_finite())) {
            return Err(damaged("one of its scores is not calibrated on all calibration records"));
        }
        let grouped = if document.header.calibrate_by.is_some() { document.calibration.len() } else { 0 };
        if document.calibration_groups.len() != grouped {
            return Err(damaged("its calibration groups are not those of its calibration scores"));
        }
        let bytes = get(dir, TENSORS)?;
        if sha256(&bytes) != document.tensors_sha256 {
            return Err(ArtifactError::Damaged {
                path: dir.join(TENSORS),
                what: "its checksum is not the one in model.json".into(),
            });
        }
        let file = dir.join(TENSORS);
        let source = Source::new(dir, &file, &bytes, &document.encoder)?;
        let model = read_model(&source, &document.header)?;
        let metrics: Metrics = parse(&dir.join(METRICS), &get(dir, METRICS)?)?;
        let history = read_history(&dir.join(HISTORY), &get(dir, HISTORY)?)?;
        let Document { header, calibration, calibration_groups, other_calibrations, encoder, .. } = document;
        Ok(Self {
            header,
            encoder,
            model,
            calibration,
            calibration_groups,
            other_calibrations,
            draws_by: DrawsBy::default(),
            metrics,
            history,
        })
    }
}

/// Puts the model of a header together.
fn read_model(source: &Source<'_>, header: &Header) -> Result<Arc<dyn Model>, ArtifactError> {
    let read = |part: &FamilyPart, member| {
        (part.kind.definition().read)(&Reading::new(source, &part.details, member))
    };
    let model = if header.members.is_empty() {
        read(&header.family, None)?
    } else {
        let members =
            header.members.iter().enumerate().map(|(i, member)| {
                Ok(Member { weight: member.weight, model: read(&member.family, Some(i))? })
            });
        let ensemble = Ensemble::new(members.collect::<Result<_, ArtifactError>>()?);
        let what = || "the weights of its members are no distribution".to_owned();
        let path = || source.file.to_path_buf();
        Arc::new(ensemble.ok_or_else(|| ArtifactError::Damaged { path: path(), what: what() })?)
    };
    source.finish()?;
    Ok(model)
}

fn put(dir: &Path, name: &str, bytes: &[u8]) -> Result<(), ArtifactError> {
    let path = dir.join(name);
    Ok(fs::write(&path, bytes).map_err(IoError::on("write", &path))?)
}

fn get(dir: &Path, name: &str) -> Result<Vec<u8>, ArtifactError> {
    let path = dir.join(name);
    Ok(plain_file::read(&path).map_err(IoError::on("read", &path))?)
}

fn json(value: &impl Serialize) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(value).expect("invariant: headers hold plain values");
    bytes.push(b'\n');
    bytes
}

fn parse<T: for<'de> Deserialize<'de>>(path: &Path, bytes: &[u8]) -> Result<T, ArtifactError> {
    serde_json::from_slice(bytes)
        .map_err(|e| ArtifactError::Damaged { path: path.to_path_buf(), what: e.to_string() })
}

fn history_csv(history: &[HistoryRow]) -> Vec<u8> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in history {
        writer.serialize(row).expect("invariant: rows of numbers go into memory");
    }
    writer.into_inner().expect("invariant: memory takes every byte")
}

fn read_history(path: &Path, bytes: &[u8]) -> Result<Vec<HistoryRow>, ArtifactError> {
    csv::Reader::from_reader(bytes)
        .deserialize()
        .collect::<Result<_, _>>()
        .map_err(|e| ArtifactError::Damaged { path: path.to_path_buf(), what: e.to_string() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_model_that_is_replaced_while_it_is_read_is_noticed() {
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/compatibility/bundle-2-model-6/flow");
        let dir = tempfile::tempdir().unwrap();
        let copy = || {
            for name in [TENSORS, MODEL, METRICS, HISTORY] {
                let to = dir.path().join(name);
                // A new version is a new file.
                let _ = fs::remove_file(&to);
                fs::copy(kept.join(name), to).unwrap();
            }
        };
        copy();
        let watch = Watch::begin(&dir.path().join(MODEL));
        ModelArtifact::load_watched(dir.path(), &watch).unwrap();
        fs::write(dir.path().join("more"), "a file beside it").unwrap();
        ModelArtifact::load_watched(dir.path(), &watch).unwrap();
        copy();
        let error = ModelArtifact::load_watched(dir.path(), &watch).err().unwrap().to_string();
        assert!(error.contains("changed or replaced while it was read"), "{error}");
        // The cause and not what follows from it.
        fs::write(dir.path().join(MODEL), "{").unwrap();
        let error = ModelArtifact::load_watched(dir.path(), &watch).err().unwrap().to_string();
        assert!(error.contains("changed or replaced while it was read"), "{error}");
    }
}
