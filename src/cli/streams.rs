//! Tables on standard input and output: `--input -` and `--output -`.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::error::IoError;
use crate::ingest;
use crate::output::Scratch;
use crate::pipeline::Error;

/// Whether a path stands for standard input or output.
fn is_stream(path: &Path) -> bool {
    path == Path::new("-")
}

/// An input of a command: a file, or what came through standard input.
pub(super) struct Input {
    path: PathBuf,
    _scratch: Option<Scratch>,
}

impl Input {
    /// Reads standard input to its end where `path` is `-`.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        if !is_stream(path) {
            return Ok(Self { path: path.to_path_buf(), _scratch: None });
        }
        let scratch = Scratch::new()?;
        let path = ingest::spool(&mut io::stdin().lock(), scratch.path(), "standard-input")?;
        Ok(Self { path, _scratch: Some(scratch) })
    }

    /// Where the table lies.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

/// An output of a command: a file, or CSV on standard output.
pub(super) struct Output {
    path: PathBuf,
    scratch: Option<Scratch>,
}

impl Output {
    /// A place for the output.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn of(path: &Path) -> Result<Self, Error> {
        if !is_stream(path) {
            return Ok(Self { path: path.to_path_buf(), scratch: None });
        }
        let scratch = Scratch::new()?;
        Ok(Self { path: scratch.path().join("standard-output.csv"), scratch: Some(scratch) })
    }

    /// Where to write.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Hands the finished file on, and says where it is. It is not an error when the reader has closed the
    /// pipe.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn finish(self) -> Result<String, Error> {
        if self.scratch.is_some() {
            let mut file = File::open(&self.path).map_err(IoError::on("read", &self.path))?;
            match io::copy(&mut file, &mut io::stdout().lock()) {
                Err(e) if e.kind() == io::ErrorKind::BrokenPipe => {}
                other => {
                    other.map_err(IoError::on("write", Path::new("standard output")))?;
                }
            }
            return Ok("standard output".into());
        }
        Ok(self.path.display().to_string())
    }
}
