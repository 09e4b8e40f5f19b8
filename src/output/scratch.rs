//! A folder for what is needed while a command runs: tables that came through a pipe, and answers before they
//! are sent. It is the user's alone, because it may hold data of patients, and it goes when the command ends.

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use super::{OutputError, begun, forget, remove};
use crate::error::IoError;

/// The folder while it is needed.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
}

impl Scratch {
    /// Makes a folder of a name of its own where the system keeps temporary files (`TMPDIR`).
    ///
    /// # Errors
    /// I/O failures.
    pub fn new() -> Result<Self, OutputError> {
        static MADE: AtomicU64 = AtomicU64::new(0);
        let number = MADE.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("cohort-flow-{}-{number}", std::process::id()));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        // A folder that is there already may be somebody else's: it is not used.
        builder.create(&path).map_err(IoError::on("create", &path))?;
        begun(&path);
        Ok(Self { path })
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
}
