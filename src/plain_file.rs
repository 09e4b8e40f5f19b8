//! Files that are read. Only ordinary ones are opened: a pipe without a writer would be waited for without
//! end, and a device such as `/dev/zero` would fill the memory. Tables that come through a pipe have a way of
//! their own, standard input.
//!
//! ```text
//! folder  what lies in a folder, and which links in it are followed
//! packed  how much a packed file may unfold to
//! watch   whether a file is still what it was when its reading began
//! ```

mod folder;
mod packed;
mod watch;

use std::fs::{self, File};
use std::io;
use std::path::Path;

use crate::error::Refusal;
pub use folder::{Listing, Refused, allow_links_out, links_followed, walk, within};
pub use packed::{most_bytes, most_cells, most_rows};
pub use watch::{Stamp, Watch};

/// Opens a file for reading.
///
/// # Errors
/// I/O failures; what lies there is a pipe or a device.
pub fn open(path: &Path) -> io::Result<File> {
    check(path)?;
    File::open(path)
}

/// Reads a file to its end.
///
/// # Errors
/// The same as for [`open`].
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    check(path)?;
    fs::read(path)
}

/// Reads a text to its end.
///
/// # Errors
/// The same as for [`open`]; bytes that are no UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    check(path)?;
    fs::read_to_string(path)
}

/// Whether something lies at a path that is neither a file nor a folder.
pub fn is_pipe_or_device(path: &Path) -> bool {
    path.metadata().is_ok_and(|found| !found.is_file() && !found.is_dir())
}

fn check(path: &Path) -> io::Result<()> {
    // What is not there, or is a folder, is told by the opening itself.
    if is_pipe_or_device(path) { Err(Refusal::NotAFile.into()) } else { Ok(()) }
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn devices_are_refused_before_they_are_opened() {
        let zero = Path::new("/dev/zero");
        for refused in [open(zero).map(drop), read(zero).map(drop), read_to_string(zero).map(drop)] {
            assert!(refused.unwrap_err().to_string().contains("a pipe or a device"));
        }
        let folder = tempfile::tempdir().unwrap();
        assert!(!is_pipe_or_device(folder.path()) && !is_pipe_or_device(&folder.path().join("nothing")));
        let file = folder.path().join("a");
        fs::write(&file, "text").unwrap();
        assert_eq!(read_to_string(&file).unwrap(), "text");
    }
}
