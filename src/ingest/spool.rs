//! Tables that come as a stream of bytes, from a pipe or another program.
//!
//! The reader of tables goes through a file more than once: to tell its dialect, to learn how its cells are
//! spelt, and to read them. A stream can be gone through once. So its bytes are put into a file first, and
//! from there on nothing differs from a table that was a file all along.

use std::fs::File;
use std::io::{self, BufWriter, Read, Write as _};
use std::path::{Path, PathBuf};

use super::IngestError;
use super::files::{Format, format_of};
use crate::error::IoError;

/// Writes all bytes of `stream` to a file in `folder`, which is named after `stem` and the format that its
/// first bytes tell: Parquet, Arrow, or else text.
///
/// # Errors
/// I/O failures.
pub fn spool(stream: &mut dyn Read, folder: &Path, stem: &str) -> Result<PathBuf, IngestError> {
    let failed = |e| IngestError::from(IoError::on("read", Path::new(stem))(e));
    let mut head = Vec::with_capacity(8);
    stream.take(8).read_to_end(&mut head).map_err(failed)?;
    let extension = match format_of(&head, Format::Csv) {
        Format::Csv if head.starts_with(&[0x1f, 0x8b]) => "csv.gz",
        Format::Csv => "csv",
        Format::Parquet => "parquet",
        Format::Arrow => "arrow",
    };
    let path = folder.join(format!("{stem}.{extension}"));
    let mut file = BufWriter::new(File::create(&path).map_err(IoError::on("create", &path))?);
    file.write_all(&head).map_err(IoError::on("write", &path))?;
    io::copy(stream, &mut file).map_err(failed)?;
    file.flush().map_err(IoError::on("write", &path))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_name_the_format_and_nothing_is_lost() {
        let dir = tempfile::tempdir().unwrap();
        let of = |bytes: &[u8]| {
            let path = spool(&mut &*bytes, dir.path(), "stream").unwrap();
            assert_eq!(std::fs::read(&path).unwrap(), bytes);
            path.file_name().unwrap().to_string_lossy().into_owned()
        };
        assert_eq!(of(b"x,y\n1,2\n"), "stream.csv");
        assert_eq!(of(b""), "stream.csv");
        assert_eq!(of(b"PAR1.........."), "stream.parquet");
        assert_eq!(of(b"ARROW1........"), "stream.arrow");
        assert_eq!(of(&[0xff, 0xff, 0xff, 0xff, 0x10, 1, 0, 0, 7]), "stream.arrow");
        assert_eq!(of(&[0x1f, 0x8b, 8, 0]), "stream.csv.gz");
    }
}
