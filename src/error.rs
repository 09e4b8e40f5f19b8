//! What all errors of this crate share: a hint that is printed below the message, and I/O errors that name
//! their path.

use std::path::{Path, PathBuf};

/// An error that can say what the user can do about it. The command line prints the hint below the message as
/// `hint: …`.
pub trait Hint: std::error::Error {
    /// Returns one sentence without a full stop, or `None` when the message needs no addition.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// A file operation that failed, together with the path it was attempted on.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} {}: {}", path.display(), reason(source))]
pub struct IoError {
    /// What was attempted, as a verb: "read", "write" or "rename".
    pub action: &'static str,
    /// The file or folder on which the operation was attempted.
    pub path: PathBuf,
    /// The error that the operating system returned.
    pub source: std::io::Error,
}

/// Why something is not read although it is there. It travels inside an [`std::io::Error`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// A pipe, a socket or a device.
    #[error("it is a pipe or a device and no file")]
    NotAFile,
    /// A link in a folder that leads out of the folder.
    #[error("it is a link that leads out of the folder, and such links are not followed")]
    LeadsOut,
    /// A link whose target is not there.
    #[error("it is a link that leads nowhere")]
    LeadsNowhere,
    /// A file that another program wrote to, or replaced.
    #[error("it was changed or replaced while it was read")]
    Changed,
}

impl Refusal {
    /// What to do about it, without a full stop.
    pub const fn remedy(self) -> &'static str {
        match self {
            Self::NotAFile => {
                "put an ordinary file in its place; a table that comes through a pipe is read by `--input -`"
            }
            Self::LeadsOut => {
                "put the file itself in its place, name the file it leads to, or leave out --no-follow-links if you \
                 trust whoever made the folder"
            }
            Self::LeadsNowhere => "put the file itself in its place, or remove the link",
            Self::Changed => {
                "run again once nothing writes to the file any more, or on a copy of it: what was read of it may \
                 be of two versions"
            }
        }
    }

    fn of(error: &std::io::Error) -> Option<Self> {
        error.get_ref()?.downcast_ref().copied()
    }
}

impl From<Refusal> for std::io::Error {
    fn from(refusal: Refusal) -> Self {
        Self::other(refusal)
    }
}

/// What the operating system says, in words without its numbers.
fn reason(error: &std::io::Error) -> String {
    use std::io::ErrorKind::{IsADirectory, NotADirectory, NotFound, PermissionDenied};
    match error.kind() {
        NotFound => "there is no such file or folder".into(),
        NotADirectory => "a part of the path is a file and no folder".into(),
        IsADirectory => "it is a folder and no file".into(),
        PermissionDenied => "permission is denied".into(),
        _ => {
            let text = error.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_lowercase()
        }
    }
}

impl IoError {
    /// Returns a function that adds the action and the path to an I/O error; it is made for `map_err`.
    pub fn on(action: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self { action, path, source }
    }
}

impl Hint for IoError {
    fn hint(&self) -> Option<String> {
        use std::io::ErrorKind::{
            FileTooLarge, NotADirectory, NotFound, PermissionDenied, QuotaExceeded, ReadOnlyFilesystem,
            StorageFull,
        };
        if let Some(refusal) = Refusal::of(&self.source) {
            return Some(refusal.remedy().into());
        }
        match self.source.kind() {
            NotFound | NotADirectory => {
                Some("check the path; relative paths start at the current folder".into())
            }
            PermissionDenied => Some("choose a folder you may write to, or change its permissions".into()),
            StorageFull => {
                Some("free some space or choose another disk; nothing half-written was left behind".into())
            }
            QuotaExceeded | FileTooLarge => Some(
                "ask for a larger limit (`ulimit -f`, quota) or choose another disk; nothing half-written \
                 was left behind"
                    .into(),
            ),
            ReadOnlyFilesystem => Some("choose a folder on a disk that can be written".into()),
            _ => None,
        }
    }
}
