//! Whether a TIFF file has several pages, of which only the first would be decoded. The second word of each
//! page's directory says where the next is.

use std::io::{self, Read, Seek, SeekFrom};

use super::stream::read_all;

/// Whether a second page follows the first; false for files that are not understood, which decoding tells.
///
/// # Errors
/// I/O failures.
pub(super) fn has_several(file: &mut (impl Read + Seek)) -> io::Result<bool> {
    let mut head = [0; 8];
    if read_all(file, &mut head)?.is_none() {
        return Ok(false);
    }
    let little = match &head[..4] {
        b"II\x2a\x00" => true,
        b"MM\x00\x2a" => false,
        _ => return Ok(false),
    };
    let short = |b: [u8; 2]| if little { u16::from_le_bytes(b) } else { u16::from_be_bytes(b) };
    let word = |b: [u8; 4]| if little { u32::from_le_bytes(b) } else { u32::from_be_bytes(b) };
    let first = word([head[4], head[5], head[6], head[7]]);
    file.seek(SeekFrom::Start(u64::from(first)))?;
    let mut entries = [0; 2];
    if read_all(file, &mut entries)?.is_none() {
        return Ok(false);
    }
    file.seek(SeekFrom::Current(12 * i64::from(short(entries))))?;
    let mut next = [0; 4];
    Ok(read_all(file, &mut next)?.is_some() && word(next) != 0)
}
