//! Outputs that appear whole or not at all. An output is built beside its target and renamed into place at
//! the end.
//!
//! The paths under construction are registered, so that an interrupt handler can remove unfinished outputs
//! ([`abandon_unfinished`]) before the process ends. A [`Staged`] output that is dropped without `commit` is
//! removed as well. What a killed process or a power failure left behind is removed when the same output is
//! made again: a lock tells it from what another process is building at the moment.

mod durable;
mod held;
mod leftovers;
mod remove;
mod scratch;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Hint, IoError};

use held::Held;
use remove::remove;
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
    _held: Held,
}

impl Staged {
    /// Starts a folder. With `force`, [`commit`](Self::commit) may replace an existing target.
    ///
    /// # Errors
    /// [`OutputError::Exists`] when the target exists and `force` is not set; [`OutputError::NoName`] when
    /// the target has no name; I/O failures.
    pub fn dir(target: &Path, force: bool) -> Result<Self, OutputError> {
        Self::new(target, force, |stage| fs::create_dir(stage))
    }

    /// Starts a file. The caller writes it at [`path`](Self::path), where an empty file lies until then.
    ///
    /// # Errors
    /// The same as for [`dir`](Self::dir).
    pub fn file(target: &Path, force: bool) -> Result<Self, OutputError> {
        Self::new(target, force, |stage| fs::File::create_new(stage).map(drop))
    }

    fn new(
        target: &Path,
        force: bool,
        create: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<Self, OutputError> {
        let name = target.file_name().ok_or_else(|| OutputError::NoName(target.to_path_buf()))?;
        let (name, parent) = (name.to_string_lossy(), folder_of(target));
        // Before the question whether the target exists: a former output may have to be put back first.
        clear_leftovers(target);
        if !force && target.symlink_metadata().is_ok() {
            return Err(OutputError::Exists(target.to_path_buf()));
        }
        fs::create_dir_all(&parent).map_err(IoError::on("create", &parent))?;
        // Process numbers repeat in containers, so that a name can be taken by a process that is alive.
        for attempt in 0_u64.. {
            let stage = parent.join(leftovers::stage_name(&name, attempt));
            match create(&stage) {
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(IoError::on("create", &stage))?,
            }
            // Somebody who clears up may have found the new place before it was held.
            let Some(held) = Held::of(&stage) else { continue };
            begun(&stage);
            return Ok(Self { stage, target: target.to_path_buf(), force, done: false, _held: held });
        }
        Err(OutputError::Exists(target.to_path_buf()))
    }

    /// Path that the caller writes to until it calls [`commit`](Self::commit).
    pub fn path(&self) -> &Path {
        &self.stage
    }

    /// Moves the finished output into its place, after all of it has reached the disk. A former output is
    /// replaced only at this point.
    ///
    /// # Errors
    /// [`OutputError::Exists`] when the target appeared in the meantime and `force` is not set; I/O failures,
    /// after which the former output is still in its place.
    pub fn commit(mut self) -> Result<(), OutputError> {
        durable::sync(&self.stage)?;
        {
            // An interrupt handler removes what is registered, file by file. Without the lock, it could empty
            // the folder that is renamed at the same moment.
            let mut list = unfinished();
            if !list.contains(&self.stage) {
                return Err(IoError::on("finish", &self.target)(io::ErrorKind::Interrupted.into()).into());
            }
            self.place()?;
            list.retain(|path| *path != self.stage);
            self.done = true;
        }
        Ok(durable::sync_folder_of(&self.target)?)
    }

    fn place(&self) -> Result<(), OutputError> {
        if self.target.symlink_metadata().is_ok() {
            if !self.force {
                return Err(OutputError::Exists(self.target.clone()));
            }
            if self.target.is_dir() || self.stage.is_dir() {
                return self.place_over_folder();
            }
        }
        fs::rename(&self.stage, &self.target).map_err(IoError::on("rename to", &self.target))?;
        Ok(())
    }

    /// A folder cannot be renamed over another one. The old folder is moved aside first, and moved back if
    /// the rename fails. It is held meanwhile, so that others know that its owner will move it back.
    fn place_over_folder(&self) -> Result<(), OutputError> {
        let aside = self.stage.with_extension(leftovers::FORMER);
        remove(&aside);
        let _held = Held::of(&self.target);
        fs::rename(&self.target, &aside).map_err(IoError::on("move aside", &self.target))?;
        if let Err(e) = fs::rename(&self.stage, &self.target) {
            // Where another process has put its own output there in the meantime, that one stays.
            if self.target.symlink_metadata().is_err() {
                fs::rename(&aside, &self.target).map_err(IoError::on("restore", &self.target))?;
            }
            remove(&aside);
            return Err(IoError::on("rename to", &self.target)(e).into());
        }
        remove(&aside);
        Ok(())
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

/// Removes what killed processes left on the way to an output.
pub fn clear_leftovers(target: &Path) {
    if let Some(name) = target.file_name() {
        leftovers::clear(&folder_of(target), &name.to_string_lossy(), target);
    }
}

fn folder_of(target: &Path) -> PathBuf {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_path_buf(),
        _ => PathBuf::from("."),
    }
}

/// Removes every output that was started and not committed.
pub fn remove_unfinished() {
    unfinished().drain(..).for_each(|path| remove(&path));
}

/// Does the same and keeps all other threads from starting or finishing an output. Interrupt handlers call
/// this function and end the process right afterwards.
pub fn abandon_unfinished() {
    let mut list = unfinished();
    // Another thread may create files in a folder while it is being emptied.
    for _ in 0..20 {
        list.iter().for_each(|path| remove(path));
        list.retain(|path| path.symlink_metadata().is_ok());
        if list.is_empty() {
            break;
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The lock is never given back: a thread that waits for it reports no failure that the user caused.
    std::mem::forget(list);
}

fn unfinished() -> MutexGuard<'static, Vec<PathBuf>> {
    // The list is whole between any two operations on it, so that a panic elsewhere leaves it usable.
    UNFINISHED.lock().unwrap_or_else(PoisonError::into_inner)
}

fn begun(path: &Path) {
    unfinished().push(path.to_path_buf());
}

fn forget(path: &Path) {
    unfinished().retain(|p| p != path);
}

#[cfg(test)]
mod tests;
