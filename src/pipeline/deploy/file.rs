//! One file of an export.

use std::path::Path;

use crate::error::IoError;
use crate::pipeline::Error;

/// Writes a file into a folder that is being made.
pub(super) fn put(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    std::fs::write(path, bytes).map_err(|e| IoError::on("write", path)(e).into())
}
