//! Whether a file is still what it was when its reading began.
//!
//! Most files are read more than once: to learn what they hold, to read that, and to hash it. A file that another
//! program writes to meanwhile would be surveyed as one, read as another, and accounted for by the hash of a
//! third.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::error::{IoError, Refusal};

/// Size, time of change and identity of a file. The time at which its links or rights changed is no part of it,
/// because programs that make backups change that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    bytes: u64,
    changed: Option<SystemTime>,
    identity: u64,
}

impl Stamp {
    /// The stamp of a file of this description.
    pub fn of(meta: &Metadata) -> Self {
        Self { bytes: meta.len(), changed: meta.modified().ok(), identity: identity(meta) }
    }

    fn at(path: &Path) -> Option<Self> {
        Some(Self::of(&fs::metadata(path).ok()?))
    }
}

/// A file with its stamp from before it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Watch {
    path: PathBuf,
    /// None where the system did not tell.
    before: Option<Stamp>,
}

impl Watch {
    /// Notes what the file is before it is read for the first time.
    pub fn begin(path: &Path) -> Self {
        Self { path: path.to_path_buf(), before: Stamp::at(path) }
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether the file is still what it was.
    pub fn is_unchanged(&self) -> bool {
        Stamp::at(&self.path) == self.before
    }

    /// To be called once the file has been read for the last time.
    ///
    /// # Errors
    /// [`Refusal::Changed`] for a file that is not what it was.
    pub fn end(&self) -> Result<(), IoError> {
        if self.is_unchanged() {
            return Ok(());
        }
        Err(IoError::on("read", &self.path)(Refusal::Changed.into()))
    }
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::ino(meta)
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> u64 {
    0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Hint;

    #[test]
    fn a_file_that_grows_or_is_replaced_or_removed_is_noticed() {
        let folder = tempfile::tempdir().unwrap();
        let (file, other) = (folder.path().join("a"), folder.path().join("b"));
        let changed = |watch: &Watch| {
            let error = watch.end().unwrap_err();
            assert!(error.to_string().contains("changed or replaced while it was read"), "{error}");
            assert!(error.hint().unwrap().contains("on a copy of it"));
        };
        fs::write(&file, "one").unwrap();
        let watch = Watch::begin(&file);
        watch.end().unwrap();
        fs::write(&file, "three").unwrap();
        changed(&watch);
        // Another file of the same size and time is moved into its place.
        let watch = Watch::begin(&file);
        fs::write(&other, "seven").unwrap();
        let time = file.metadata().unwrap().modified().unwrap();
        fs::File::options().write(true).open(&other).unwrap().set_modified(time).unwrap();
        fs::rename(&other, &file).unwrap();
        if cfg!(unix) {
            changed(&watch);
        }
        let watch = Watch::begin(&file);
        fs::remove_file(&file).unwrap();
        changed(&watch);
    }
}
