//! Removal of a file or a folder.

use std::fs;
use std::path::Path;

/// Removes what lies at a path; of a symbolic link, the link alone.
pub(super) fn remove(path: &Path) {
    // A failure here can be ignored: the path may not exist, or the disk is gone.
    if path.symlink_metadata().is_ok_and(|found| found.is_dir()) {
        let _ = fs::remove_dir_all(path);
    } else {
        let _ = fs::remove_file(path);
    }
}
