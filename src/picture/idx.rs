//! IDX files, the format of MNIST and its relatives: two zero bytes, the type of the numbers, the number of
//! dimensions, their lengths as big-endian words of four bytes, and the numbers. Plain or compressed by gzip.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::PictureError;
use super::stream::{ENDS_EARLY, MOST_NUMBERS, UNFOLDED, read_all, unfolds_too_far};
use crate::error::IoError;
use crate::plain_file;

/// The code of whole numbers of one byte.
const BYTES: u8 = 8;
/// The first bytes of a gzip stream.
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An IDX file of whole numbers of one byte, open behind its header.
pub(super) struct Idx {
    /// Lengths of the dimensions.
    pub(super) shape: Vec<usize>,
    numbers: Box<dyn Read>,
}

/// Whether a file begins as an IDX file does, of any type.
pub(super) fn is_idx(path: &Path) -> bool {
    let head = open(path).and_then(|(mut file, _)| {
        let mut head = [0; 4];
        file.read_exact(&mut head).map(|()| head)
    });
    let known = |kind: u8| [8, 9, 11, 12, 13, 14].contains(&kind);
    head.is_ok_and(|head| head[..2] == [0, 0] && known(head[2]) && (1..=8).contains(&head[3]))
}

impl Idx {
    /// Opens a file and reads its header, which is held against the size of the file.
    ///
    /// # Errors
    /// [`PictureError::File`] for another kind of file, another type of numbers, and sizes beyond what is
    /// allowed or what the file holds.
    pub(super) fn open(path: &Path) -> Result<Self, PictureError> {
        let wrong = |message: String, hint: &str| PictureError::File {
            file: path.to_path_buf(),
            message,
            hint: hint.into(),
        };
        let io = |e| PictureError::from(IoError::on("read", path)(e));
        let (mut numbers, compressed) = open(path).map_err(io)?;
        let mut head = [0; 4];
        let complete = "the copy is incomplete or damaged: fetch the file again";
        read_all(&mut *numbers, &mut head).map_err(io)?.ok_or_else(|| wrong(ENDS_EARLY.into(), complete))?;
        if head[..2] != [0, 0] || !(1..=8).contains(&head[3]) {
            let hint = "an IDX file begins with two zero bytes, a type and a number of dimensions";
            return Err(wrong(format!("no IDX file: it begins with the bytes {head:02x?}"), hint));
        }
        if head[2] != BYTES {
            let hint = "pictures in IDX files are whole numbers of one byte (type 08); save others as .npy";
            return Err(wrong(format!("its numbers are of the type {:02x}", head[2]), hint));
        }
        let mut shape = Vec::new();
        for _ in 0..head[3] {
            let mut length = [0; 4];
            let read = read_all(&mut *numbers, &mut length).map_err(io)?;
            read.ok_or_else(|| wrong(ENDS_EARLY.into(), complete))?;
            shape.push(u32::from_be_bytes(length) as usize);
        }
        let n = shape.iter().fold(1_u64, |n, length| n.saturating_mul(*length as u64));
        if n > MOST_NUMBERS {
            let hint = "divide the file, or make the pictures smaller";
            return Err(wrong(format!("its header promises {n} numbers, more than {MOST_NUMBERS}"), hint));
        }
        let stored = path.metadata().map_err(io)?.len();
        let header = 4 + 4 * shape.len() as u64;
        if !compressed && n.saturating_add(header) > stored {
            return Err(wrong(ENDS_EARLY.into(), complete));
        }
        let longest = shape.first().map_or(0, |length| *length as u64);
        if compressed && let Some(what) = unfolds_too_far(n, longest, stored) {
            return Err(wrong(what, UNFOLDED));
        }
        Ok(Self { shape, numbers })
    }

    /// Fills `out` with the next numbers; false where the file ends before.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn next(&mut self, out: &mut [u8]) -> io::Result<bool> {
        Ok(read_all(&mut *self.numbers, out)?.is_some())
    }

    /// Whether nothing follows.
    ///
    /// # Errors
    /// I/O failures.
    pub(super) fn is_at_end(&mut self) -> io::Result<bool> {
        Ok(self.numbers.read(&mut [0])? == 0)
    }
}

/// The bytes of a file, decompressed where it is compressed, and whether it is.
fn open(path: &Path) -> io::Result<(Box<dyn Read>, bool)> {
    let mut file: File = plain_file::open(path)?;
    let mut head = [0; 2];
    let compressed = read_all(&mut file, &mut head)?.is_some() && head == GZIP;
    file.seek(SeekFrom::Start(0))?;
    let file = BufReader::new(file);
    let bytes: Box<dyn Read> = if compressed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    Ok((bytes, compressed))
}
