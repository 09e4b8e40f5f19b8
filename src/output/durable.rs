//! Bytes that have reached the disk. A rename may reach it before the content of what is renamed, so that
//! after a power failure an output could be in its place and empty.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use crate::error::IoError;

/// Waits until a file, or everything in a folder, has reached the disk.
///
/// # Errors
/// I/O failures; some file systems report here only that the disk is full.
pub(super) fn sync(path: &Path) -> Result<(), IoError> {
    let kind = path.symlink_metadata().map_err(IoError::on("read", path))?.file_type();
    if kind.is_dir() {
        for entry in fs::read_dir(path).map_err(IoError::on("read", path))? {
            sync(&entry.map_err(IoError::on("read", path))?.path())?;
        }
        return sync_folder(path);
    }
    if kind.is_file() {
        // Windows lets only those wait who may write.
        let file = OpenOptions::new().read(true).write(cfg!(windows)).open(path);
        file.and_then(|file| file.sync_all()).map_err(IoError::on("write", path))?;
    }
    Ok(())
}

/// Waits until the name of a file or folder has reached the disk.
///
/// # Errors
/// I/O failures.
pub(super) fn sync_folder_of(path: &Path) -> Result<(), IoError> {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => sync_folder(parent),
        _ => sync_folder(Path::new(".")),
    }
}

fn sync_folder(path: &Path) -> Result<(), IoError> {
    use io::ErrorKind::{InvalidInput, PermissionDenied, Unsupported};
    // Windows opens no folders, some file systems write names at once and refuse to be asked, and a folder
    // that one may write to need not be readable.
    if cfg!(not(unix)) {
        return Ok(());
    }
    match File::open(path).and_then(|folder| folder.sync_all()) {
        Err(e) if !matches!(e.kind(), InvalidInput | PermissionDenied | Unsupported) => {
            Err(IoError::on("write", path)(e))
        }
        _ => Ok(()),
    }
}
