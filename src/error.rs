//! What all errors of this crate share: a remedy to print below the message, and I/O errors that name their path.

use std::path::{Path, PathBuf};

/// An error that can say what to do about it. The command line prints it after the message as `hint: …`.
pub trait Hint: std::error::Error {
    /// One sentence without a full stop, or nothing when the message says it all.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A file operation that failed, with the file it failed on.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {source}", path.display())]
pub struct IoError {
    /// What was attempted, as a verb: "read", "write", "rename".
    pub action: &'static str,
    /// The file or folder it was attempted on.
    pub path: PathBuf,
    /// The operating system's answer.
    pub source: std::io::Error,
}

impl IoError {
    /// Names the action and path of an I/O failure; made for `map_err`.
    pub fn on(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self { action, path, source }
    }
}

impl Hint for IoError {
    fn hint(&self) -> Option<String> {
        use std::io::ErrorKind::{NotFound, PermissionDenied, StorageFull};
        match self.source.kind() {
            NotFound => Some("check the path; relative paths start at the current folder".into()),
            PermissionDenied => Some("choose a folder you may write to, or change its permissions".into()),
            StorageFull => {
                Some("free some space or choose another disk; nothing half-written was left behind".into())
            }
            _ => None,
        }
    }
}
