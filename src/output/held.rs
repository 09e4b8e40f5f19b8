//! How other processes tell a temporary place that is in use from one whose maker was killed: its maker holds
//! a lock on it, which the operating system releases however the process ends.

use std::fs::File;
use std::path::Path;

/// A lock on a file or folder. It ends with the value, or with the process.
#[derive(Debug)]
pub(super) struct Held {
    _lock: Option<File>,
}

impl Held {
    /// Holds what lies at a path, or returns `None` when nothing lies there any longer.
    ///
    /// Where a file system or Windows has no such locks, nobody can hold the place later either, and it
    /// counts as in use for ever.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let lock = open(path).filter(|file| file.lock().is_ok());
        // Whoever cleared it away held it until it was gone.
        path.symlink_metadata().is_ok().then_some(Self { _lock: lock })
    }

    /// Holds what lies at a path if nobody else does.
    pub(super) fn of_abandoned(path: &Path) -> Option<Self> {
        let lock = open(path).filter(|file| file.try_lock().is_ok())?;
        path.symlink_metadata().is_ok().then_some(Self { _lock: Some(lock) })
    }
}

fn open(path: &Path) -> Option<File> {
    // On Windows such a lock keeps the owner itself from writing. A link or a pipe was not made here.
    let kind = path.symlink_metadata().ok()?.file_type();
    (cfg!(unix) && (kind.is_dir() || kind.is_file())).then(|| File::open(path).ok()).flatten()
}
