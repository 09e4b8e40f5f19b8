//! A folder for what is needed while a command runs: tables that came through a pipe, and answers before they
//! are sent. It is the user's alone, because it may hold data of patients, and it goes when the command ends.

use std::fs::{self, DirBuilder};
use std::io;
use std::path::{Path, PathBuf};

use super::held::Held;
use super::{OutputError, begun, forget, remove};
use crate::error::IoError;

/// First part of the names of these folders.
const PREFIX: &str = "cohort-flow-";

/// The folder while it is needed.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _held: Held,
}

impl Scratch {
    /// Makes a folder of a name of its own where the system keeps temporary files (`TMPDIR`), and removes
    /// those that killed processes of the same user left there.
    ///
    /// # Errors
    /// I/O failures.
    pub fn new() -> Result<Self, OutputError> {
        Self::within(&std::env::temp_dir())
    }

    fn within(place: &Path) -> Result<Self, OutputError> {
        clear(place);
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        for number in 0_u64.. {
            let path = place.join(format!("{PREFIX}{}-{number}", std::process::id()));
            match builder.create(&path) {
                // A folder that is there already may be somebody else's: it is not used.
                Err(e) if e.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made.map_err(IoError::on("create", &path))?,
            }
            let Some(held) = Held::of(&path) else { continue };
            begun(&path);
            return Ok(Self { path, _held: held });
        }
        Err(OutputError::NoName(place.to_path_buf()))
    }

    /// Where files may be written.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        remove(&self.path);
        forget(&self.path);
    }
}

/// Removes the folders whose makers were killed; they may hold data of patients. Those of other users cannot
/// be opened, and stay.
fn clear(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let numbers = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.split_once('-'));
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if numbers.is_some_and(|(process, number)| digits(process) && digits(number))
            && let Some(_held) = Held::of_abandoned(&entry.path())
        {
            remove(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_folder_is_private_and_goes_with_its_content() {
        let scratch = Scratch::new().unwrap();
        let path = scratch.path().to_path_buf();
        std::fs::write(path.join("table.csv"), "x\n1\n").unwrap();
        #[cfg(unix)]
        {
            let mode = std::os::unix::fs::PermissionsExt::mode(&path.metadata().unwrap().permissions());
            assert_eq!(mode & 0o777, 0o700);
        }
        assert_ne!(Scratch::new().unwrap().path(), path);
        drop(scratch);
        assert!(!path.exists());
    }

    #[test]
    fn folders_of_killed_processes_go_and_those_in_use_stay() {
        let place = tempfile::tempdir().unwrap();
        let stale = place.path().join("cohort-flow-1-0");
        fs::create_dir(&stale).unwrap();
        fs::write(stale.join("standard-input.csv"), "x\n1\n").unwrap();
        let other = place.path().join("cohort-flow-model");
        fs::create_dir(&other).unwrap();
        let first = Scratch::within(place.path()).unwrap();
        assert!(!stale.exists() || cfg!(not(unix)));
        let second = Scratch::within(place.path()).unwrap();
        assert!(first.path().exists() && second.path().exists() && other.exists());
    }
}
