//! The state of a run between two epochs, in one file that is replaced by a rename. Whatever kills the
//! process, the last complete state remains.
//!
//! The parameters, averages, moments and best weights are tensors. The counters, the history and the settings
//! of the run are JSON in the metadata of the file, together with a SHA-256 of all of them.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::HistoryRow;
use super::adam::{AdamW, Average};
use super::schedule::EarlyStopping;
use crate::error::{Hint, IoError};
use crate::num::hex::hex;
use crate::output::{OutputError, clear_leftovers, write_atomic};
use crate::plain_file;

const FORMAT_VERSION: u32 = 1;
const FILE: &str = "state.safetensors";
const META: &str = "cohort_flow";
const TENSORS: [&str; 5] = ["parameters", "average", "first_moment", "second_moment", "best"];

/// Reasons why a checkpoint could not be written or continued.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Reading failed.
    #[error(transparent)]
    Io(#[from] IoError),
    /// Writing failed.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The file does not hold what the program wrote.
    #[error("checkpoint {} is damaged: {what}", path.display())]
    Damaged {
        /// Path of the file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
    /// The file was written by a newer program.
    #[error(
        "checkpoint {} has format version {version}, this program reads {FORMAT_VERSION}",
        path.display()
    )]
    Newer {
        /// Path of the file.
        path: PathBuf,
        /// Format version of the file.
        version: u32,
    },
    /// The checkpoint belongs to another run.
    #[error("checkpoint {} belongs to another run: {}", path.display(), differences.join(", "))]
    Mismatch {
        /// Path of the file.
        path: PathBuf,
        /// The settings that differ.
        differences: Vec<String>,
    },
}

impl Hint for CheckpointError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Io(e) => e.hint(),
            Self::Output(e) => e.hint(),
            Self::Damaged { .. } => Some("run without --resume to start again".into()),
            Self::Newer { .. } => {
                Some("continue with the newer program, or run without --resume to start again".into())
            }
            Self::Mismatch { .. } => Some(
                "repeat the options and the bundle of the first run, or run without --resume to start again"
                    .into(),
            ),
        }
    }
}

/// Everything a run carries from one epoch to the next.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct State {
    pub(crate) epoch: u32,
    pub(crate) parameters: Vec<f32>,
    pub(crate) average: Average,
    pub(crate) adam: AdamW,
    pub(crate) stopping: EarlyStopping,
    pub(crate) best: Vec<f32>,
    /// Product of the halvings of the learning rate by roll-backs.
    pub(crate) rate_factor: f64,
    pub(crate) rollbacks: u32,
    pub(crate) history: Vec<HistoryRow>,
    /// Wall-clock seconds and training records so far. Neither is written to a file that must be
    /// reproducible.
    pub(crate) seconds: f64,
    pub(crate) rows: u64,
}

#[derive(Serialize, Deserialize)]
struct Meta {
    format_version: u32,
    run: Value,
    /// SHA-256 of the tensors and of this object, computed with an empty string in this field.
    sha256: String,
    epoch: u32,
    average_updates: u64,
    steps: u64,
    best: Option<f64>,
    best_epoch: u32,
    rate_factor: f64,
    rollbacks: u32,
    history: Vec<HistoryRow>,
    seconds: f64,
    rows: u64,
}

/// The part of the metadata that is enough to recognise a file of a later format.
#[derive(Deserialize)]
struct Version {
    format_version: u32,
}

/// Writes `state` into the folder `dir`. `run` identifies the settings and the data.
pub(crate) fn write(dir: &Path, run: &Value, state: &State) -> Result<(), CheckpointError> {
    let buffers: Vec<Vec<u8>> =
        [&state.parameters, &state.average.values, &state.adam.first, &state.adam.second, &state.best]
            .into_iter()
            .map(|values| values.iter().flat_map(|v| v.to_le_bytes()).collect())
            .collect();
    let mut meta = Meta {
        format_version: FORMAT_VERSION,
        run: run.clone(),
        sha256: String::new(),
        epoch: state.epoch,
        average_updates: state.average.updates,
        steps: state.adam.steps,
        best: state.stopping.best,
        best_epoch: state.stopping.best_epoch,
        rate_factor: state.rate_factor,
        rollbacks: state.rollbacks,
        history: state.history.clone(),
        seconds: state.seconds,
        rows: state.rows,
    };
    meta.sha256 = digest(buffers.iter().map(Vec::as_slice), &meta);
    let n = state.parameters.len();
    let views = TENSORS.iter().zip(&buffers).map(|(name, bytes)| {
        let view = TensorView::new(Dtype::F32, vec![n], bytes).expect("invariant: every buffer has n values");
        (*name, view)
    });
    let bytes = safetensors::serialize(views, Some(HashMap::from([(META.to_string(), json(&meta))])))
        .expect("invariant: five tensors and a header fit the format");
    Ok(write_atomic(&dir.join(FILE), &bytes)?)
}

/// Reads the state in `dir`; returns `None` when there is no state.
pub(crate) fn read(dir: &Path, run: &Value, n_parameters: usize) -> Result<Option<State>, CheckpointError> {
    let path = dir.join(FILE);
    let bytes = match plain_file::read(&path) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(IoError::on("read", &path)(e).into()),
    };
    let damaged = |what: String| CheckpointError::Damaged { path: path.clone(), what };
    let (_, header) = SafeTensors::read_metadata(&bytes).map_err(|e| damaged(e.to_string()))?;
    let json = header.metadata().as_ref().and_then(|m| m.get(META));
    let json = json.ok_or_else(|| damaged("it holds no run".into()))?;
    let version: Version = serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?;
    if version.format_version > FORMAT_VERSION {
        return Err(CheckpointError::Newer { path, version: version.format_version });
    }
    let mut meta: Meta = serde_json::from_str(json).map_err(|e| damaged(e.to_string()))?;
    let mut differences = Vec::new();
    compare("", &meta.run, run, &mut differences);
    if !differences.is_empty() {
        return Err(CheckpointError::Mismatch { path, differences });
    }
    let file = SafeTensors::deserialize(&bytes).map_err(|e| damaged(e.to_string()))?;
    let mut raw = Vec::with_capacity(TENSORS.len());
    for name in TENSORS {
        let tensor = file.tensor(name).map_err(|e| damaged(e.to_string()))?;
        if tensor.dtype() != Dtype::F32 || tensor.shape() != [n_parameters] {
            return Err(damaged(format!("tensor `{name}` is not {n_parameters} numbers")));
        }
        raw.push(tensor.data());
    }
    let sha256 = std::mem::take(&mut meta.sha256);
    if digest(raw.iter().copied(), &meta) != sha256 {
        return Err(damaged("its checksum does not fit".into()));
    }
    let mut values = raw.into_iter().map(|data| {
        let numbers = data.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
        numbers.collect::<Vec<f32>>()
    });
    let mut next = || values.next().expect("invariant: as many tensors as names");
    Ok(Some(State {
        epoch: meta.epoch,
        parameters: next(),
        average: Average { values: next(), updates: meta.average_updates },
        adam: AdamW { first: next(), second: next(), steps: meta.steps },
        best: next(),
        stopping: EarlyStopping { best: meta.best, best_epoch: meta.best_epoch },
        rate_factor: meta.rate_factor,
        rollbacks: meta.rollbacks,
        history: meta.history,
        seconds: meta.seconds,
        rows: meta.rows,
    }))
}

/// Removes the checkpoint in `dir`, and the folder if nothing else is in it. Nothing happens when there is no
/// checkpoint. The caller removes a checkpoint after the model is saved.
///
/// # Errors
/// [`CheckpointError::Io`] when the file system refuses.
pub fn remove_checkpoint(dir: &Path) -> Result<(), CheckpointError> {
    let gone = |r: std::io::Result<()>| match r {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(()),
        other => other,
    };
    let file = dir.join(FILE);
    gone(fs::remove_file(&file)).map_err(IoError::on("remove", &file))?;
    // A process that was killed while it wrote its last checkpoint left a part of it.
    clear_leftovers(&file);
    // The members of an ensemble and the folds of a calibration have folders of their own in this folder.
    for entry in fs::read_dir(dir).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let ours = |n: &str| n == WHOLE || [MEMBER, FOLD].iter().any(|prefix| n.starts_with(prefix));
        if name.to_str().is_some_and(ours) && entry.path().is_dir() {
            remove_checkpoint(&entry.path())?;
        }
    }
    // A folder that holds other files does not belong to the program, so it is kept.
    if fs::read_dir(dir).is_ok_and(|mut entries| entries.next().is_none()) {
        fs::remove_dir(dir).map_err(IoError::on("remove", dir))?;
    }
    Ok(())
}

/// Returns whether a run left a state in `dir`.
pub fn has_checkpoint(dir: &Path) -> bool {
    dir.join(FILE).exists()
}

const MEMBER: &str = "member-";
const FOLD: &str = "fold-";
const WHOLE: &str = "all-folds";

/// The folder of one ensemble member, within the checkpoint folder of the fit.
pub fn member_dir(dir: &Path, member: u32) -> PathBuf {
    dir.join(format!("{MEMBER}{member}"))
}

/// The folder of the fit without one fold, or of the fit on all folds, within the checkpoint folder of a
/// cross-conformal calibration.
pub fn fold_dir(dir: &Path, fold: Option<usize>) -> PathBuf {
    dir.join(fold.map_or_else(|| WHOLE.to_owned(), |fold| format!("{FOLD}{fold}")))
}

/// The checkpoint folder beside the model folder `model`: `MODEL.checkpoint`.
pub fn checkpoint_dir(model: &Path) -> PathBuf {
    let mut name = model.file_name().map(ToOwned::to_owned).unwrap_or_default();
    name.push(".checkpoint");
    model.with_file_name(name)
}

fn json(meta: &Meta) -> String {
    serde_json::to_string(meta).expect("invariant: the state is plain numbers")
}

fn digest<'a>(buffers: impl Iterator<Item = &'a [u8]>, meta: &Meta) -> String {
    let mut hash = Sha256::new();
    for b in buffers {
        hash.update(b);
    }
    hash.update(json(meta));
    hex(&hash.finalize())
}

/// Lists the settings in which two runs differ, with both values if they are short.
fn compare(name: &str, was: &Value, now: &Value, out: &mut Vec<String>) {
    if was == now {
        return;
    }
    if let (Value::Object(a), Value::Object(b)) = (was, now) {
        for key in a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))) {
            let inner = if name.is_empty() { key.clone() } else { format!("{name}.{key}") };
            let null = Value::Null;
            compare(&inner, a.get(key).unwrap_or(&null), b.get(key).unwrap_or(&null), out);
        }
        return;
    }
    let (a, b) = (was.to_string(), now.to_string());
    out.push(if a.len() + b.len() <= 60 {
        format!("`{name}` was {a}, is {b}")
    } else {
        format!("`{name}` differs")
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn state() -> State {
        State {
            epoch: 3,
            parameters: vec![0.1, -2.0],
            average: Average { values: vec![0.2, 1.0 / 3.0], updates: 7 },
            adam: AdamW { first: vec![1e-30, 2.0], second: vec![3.0, 4.0], steps: 7 },
            stopping: EarlyStopping { best: Some(-1.0 / 3.0), best_epoch: 2 },
            best: vec![5.0, 6.0],
            rate_factor: 0.5,
            rollbacks: 1,
            history: vec![HistoryRow {
                member: 1,
                epoch: 0,
                step: 0,
                learning_rate: 0.1 + 0.2,
                train_log_prob: None,
                validation_log_prob: -1e-7 / 3.0,
                gradient_norm: None,
                clipped: None,
                rollbacks: 0,
                best: true,
            }],
            seconds: 1.5,
            rows: 10,
        }
    }

    #[test]
    fn state_survives_to_the_bit_and_can_be_removed() {
        let tmp = tempfile::tempdir().unwrap();
        let dir = checkpoint_dir(&tmp.path().join("m"));
        assert_eq!(dir, tmp.path().join("m.checkpoint"));
        let run = json!({"a": 1});
        assert_eq!(read(&dir, &run, 2).unwrap(), None);
        write(&dir, &run, &state()).unwrap();
        assert_eq!(read(&dir, &run, 2).unwrap(), Some(state()));
        remove_checkpoint(&dir).unwrap();
        assert!(!dir.exists());
        remove_checkpoint(&dir).unwrap();
    }

    #[test]
    fn every_flipped_byte_and_every_truncation_is_noticed() {
        let tmp = tempfile::tempdir().unwrap();
        let run = json!({"a": 1});
        write(tmp.path(), &run, &state()).unwrap();
        let file = tmp.path().join(FILE);
        let bytes = fs::read(&file).unwrap();
        for at in 0..bytes.len() {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1;
            fs::write(&file, &damaged).unwrap();
            // White space between JSON tokens carries no meaning, so a change there may be read as the same
            // state.
            let read = read(tmp.path(), &run, 2);
            assert!(read.is_err() || read.unwrap() == Some(state()), "byte {at}");
        }
        for length in [0, 4, 20, bytes.len() / 2, bytes.len() - 1] {
            fs::write(&file, &bytes[..length]).unwrap();
            assert!(
                matches!(read(tmp.path(), &run, 2), Err(CheckpointError::Damaged { .. })),
                "{length} bytes"
            );
        }
    }

    #[test]
    fn another_run_is_refused_by_the_settings_that_differ() {
        let tmp = tempfile::tempdir().unwrap();
        write(tmp.path(), &json!({"train": {"seed": 1, "x": 2}}), &state()).unwrap();
        let e = read(tmp.path(), &json!({"train": {"seed": 2, "x": 2}}), 2).unwrap_err();
        assert!(e.to_string().ends_with("belongs to another run: `train.seed` was 1, is 2"), "{e}");
        assert!(e.hint().unwrap().contains("--resume"));
    }

    #[test]
    fn later_format_is_named() {
        let tmp = tempfile::tempdir().unwrap();
        let meta = HashMap::from([(META.to_string(), r#"{"format_version":9}"#.to_string())]);
        let none: Vec<(&str, TensorView)> = Vec::new();
        fs::write(tmp.path().join(FILE), safetensors::serialize(none, Some(meta)).unwrap()).unwrap();
        let e = read(tmp.path(), &json!({}), 2).unwrap_err();
        assert!(matches!(e, CheckpointError::Newer { version: 9, .. }), "{e}");
    }
}
