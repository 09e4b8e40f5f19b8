//! Outputs that appear whole or not at all. An output is built beside its target and renamed into place at
//! the end.
//!
//! The paths under construction are registered, so that an interrupt handler can remove unfinished outputs
//! ([`remove_unfinished`]) before the process ends. A [`Staged`] output that is dropped without `commit` is
//! removed as well.

mod scratch;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

use crate::error::{Hint, IoError};

pub use scratch::Scratch;

static UNFINISHED: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Reason why an output could not be started or finished.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutputError {
    /// The target exists, and replacing it was not requested.
    #[error("output {} exists", .0.display())]
    Exists(PathBuf),
    /// The target path has no final component, such as `..` or `/`.
    #[error("output {} does not name a file or folder", .0.display())]
    NoName(PathBuf),
    /// The target is an input, or holds one, which replacing it would destroy.
    #[error("output {} would replace the input {}", output.display(), input.display())]
    HoldsInput {
        /// The target.
        output: PathBuf,
        /// What is read.
        input: PathBuf,
    },
    /// The file system refused an operation.
    #[error(transparent)]
    Io(#[from] IoError),
}

impl Hint for OutputError {
    fn hint(&self) -> Option<String> {
        match self {
            Self::Exists(_) => Some("choose another --output, or pass --force to replace it".into()),
            Self::HoldsInput { .. } => Some(
                "choose another --output; --force replaces former outputs, and never what is read".into(),
            ),
            Self::NoName(_) => Some("give --output a name".into()),
            Self::Io(e) => e.hint(),
        }
    }
}

/// Refuses a target that is one of the inputs, or a folder that holds one.
///
/// # Errors
/// [`OutputError::HoldsInput`].
pub fn keep_inputs<'p>(target: &Path, inputs: impl IntoIterator<Item = &'p Path>) -> Result<(), OutputError> {
    // What is not there yet replaces nothing.
    let Ok(place) = target.canonicalize() else { return Ok(()) };
    for input in inputs {
        if input.canonicalize().is_ok_and(|input| input.starts_with(&place)) {
            return Err(OutputError::HoldsInput { output: target.to_path_buf(), input: input.to_path_buf() });
        }
    }
    Ok(())
}

/// A file or folder that is being built beside its target.
#[derive(Debug)]
pub struct Staged {
    stage: PathBuf,
    target: PathBuf,
    force: bool,
    done: bool,
}

impl Staged {
    /// Starts a folder. With `force`, [`commit`](Self::commit) may replace an existing target.
    ///
    /// # Errors
    /// [`OutputError::Exists`] when the target exists and `force` is not set; [`OutputError::NoName`] when
    /// the target has no name; I/O failures.
    pub fn dir(target: &Path, force: bool) -> Result<Self, OutputError> {
        let staged = Self::new(target, force)?;
        fs::create_dir_all(&staged.stage).map_err(IoError::on("create", &staged.stage))?;
        Ok(staged)
    }

    /// Starts a file. The caller writes it at [`path`](Self::path).
    ///
    /// # Errors
    /// The same as for [`dir`](Self::dir).
    pub fn file(target: &Path, force: bool) -> Result<Self, OutputError> {
        Self::new(target, force)
    }

    fn new(target: &Path, force: bool) -> Result<Self, OutputError> {
        let name = target.file_name().ok_or_else(|| OutputError::NoName(target.to_path_buf()))?;
        if !force && target.symlink_metadata().is_ok() {
            return Err(OutputError::Exists(target.to_path_buf()));
        }
        let parent = match target.parent() {
            Some(p) if !p.as_os_str().is_empty() => p.to_path_buf(),
            _ => PathBuf::from("."),
        };
        fs::create_dir_all(&parent).map_err(IoError::on("create", &parent))?;
        let stage = parent.join(format!(".{}.{}.partial", name.to_string_lossy(), std::process::id()));
        remove(&stage);
        begun(&stage);
        Ok(Self { stage, target: target.to_path_buf(), force, done: false })
    }

    /// Path that the caller writes to until it calls [`commit`](Self::commit).
    pub fn path(&self) -> &Path {
        &self.stage
    }

    /// Moves the finished output into its place. A former output is replaced only at this point.
    ///
    /// # Errors
    /// [`OutputError::Exists`] when the target appeared in the meantime and `force` is not set; I/O failures,
    /// after which the former output is still in its place.
    pub fn commit(mut self) -> Result<(), OutputError> {
        if self.target.symlink_metadata().is_ok() {
            if !self.force {
                return Err(OutputError::Exists(self.target.clone()));
            }
            if self.target.is_dir() || self.stage.is_dir() {
                // A folder cannot be renamed over another one. The old folder is moved aside first, and moved
                // back if the rename fails.
                let aside = self.stage.with_extension("former");
                remove(&aside);
                fs::rename(&self.target, &aside).map_err(IoError::on("move aside", &self.target))?;
                if let Err(e) = fs::rename(&self.stage, &self.target) {
                    fs::rename(&aside, &self.target).map_err(IoError::on("restore", &self.target))?;
                    return Err(IoError::on("rename to", &self.target)(e).into());
                }
                remove(&aside);
                self.finish();
                return Ok(());
            }
        }
        fs::rename(&self.stage, &self.target).map_err(IoError::on("rename to", &self.target))?;
        self.finish();
        Ok(())
    }

    fn finish(&mut self) {
        self.done = true;
        forget(&self.stage);
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        if !self.done {
            remove(&self.stage);
            forget(&self.stage);
        }
    }
}

/// Writes `bytes` to `target` in one step, and replaces a file that exists there.
///
/// # Errors
/// I/O failures, after which the former file is intact.
pub fn write_atomic(target: &Path, bytes: &[u8]) -> Result<(), OutputError> {
    let staged = Staged::file(target, true)?;
    fs::write(staged.path(), bytes).map_err(IoError::on("write", target))?;
    staged.commit()
}

/// Removes every output that was started and not committed. Interrupt handlers call this function.
pub fn remove_unfinished() {
    if let Ok(mut list) = UNFINISHED.lock() {
        for path in list.drain(..) {
            remove(&path);
        }
    }
}

fn begun(path: &Path) {
    if let Ok(mut list) = UNFINISHED.lock() {
        list.push(path.to_path_buf());
    }
}

fn forget(path: &Path) {
    if let Ok(mut list) = UNFINISHED.lock() {
        list.retain(|p| p != path);
    }
}

fn remove(path: &Path) {
    // A failure here can be ignored: the path may not exist, or the disk is gone.
    if path.is_dir() {
        let _ = fs::remove_dir_all(path);
    } else {
        let _ = fs::remove_file(path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uncommitted_stage_leaves_nothing_and_keeps_the_former_output() {
        let tmp = tempfile::tempdir().unwrap();
        let target = tmp.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("a"), "old").unwrap();
        assert!(matches!(Staged::dir(&target, false), Err(OutputError::Exists(_))));
        let staged = Staged::dir(&target, true).unwrap();
        fs::write(staged.path().join("a"), "new").unwrap();
        drop(staged);
        assert_eq!(fs::read_to_string(target.join("a")).unwrap(), "old");
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_output_that_is_or_holds_an_input_is_refused() {
        let tmp = tempfile::tempdir().unwrap();
        let (folder, table) = (tmp.path().join("in"), tmp.path().join("in/t.csv"));
        fs::create_dir(&folder).unwrap();
        fs::write(&table, "x").unwrap();
        let kept = |output: &Path, input: &Path| keep_inputs(output, [input]);
        assert!(matches!(kept(&table, &table), Err(OutputError::HoldsInput { .. })));
        assert!(matches!(kept(&folder, &table), Err(OutputError::HoldsInput { .. })));
        assert!(matches!(kept(&folder.join("../in"), &table), Err(OutputError::HoldsInput { .. })));
        assert!(kept(&folder.join("out"), &folder).is_ok() && kept(&tmp.path().join("out"), &table).is_ok());
    }

    #[test]
    fn commit_replaces_a_folder_whole() {
        let tmp = tempfile::tempdir().unwrap();
        let target = tmp.path().join("out");
        fs::create_dir(&target).unwrap();
        fs::write(target.join("old"), "old").unwrap();
        let staged = Staged::dir(&target, true).unwrap();
        fs::write(staged.path().join("new"), "new").unwrap();
        staged.commit().unwrap();
        assert!(target.join("new").exists() && !target.join("old").exists());
        assert_eq!(fs::read_dir(tmp.path()).unwrap().count(), 1);
    }
}
