//! The members of an .npz: a zip file whose members are stored or deflated. Larger zip files (Zip64) and
//! encrypted ones are refused.
//!
//! The list of members at the end of the file says where each begins and how long it is; a member is read as
//! a stream that ends where the list says, so that a small file cannot unfold into an endless one.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use flate2::read::DeflateDecoder;

use crate::plain_file;

/// Bytes of the record that ends a zip file, and of the longest comment behind it.
const END: usize = 22;
const LONGEST_COMMENT: usize = 0xffff;
/// Most members that are looked at.
const MOST_MEMBERS: usize = 10_000;

/// A member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Its name, without the ending `.npy`.
    pub(super) name: String,
    method: u16,
    encrypted: bool,
    /// Compressed and plain bytes.
    packed: u64,
    plain: u64,
    /// Where it begins.
    at: u64,
}

/// The members of a file.
///
/// # Errors
/// I/O failures; within, files that are no zip files.
pub(super) fn members(path: &Path) -> io::Result<Result<Vec<Member>, String>> {
    let mut file = plain_file::open(path)?;
    let length = file.metadata()?.len();
    let from = length.saturating_sub((END + LONGEST_COMMENT) as u64);
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.read_to_end(&mut tail)?;
    let end = (0..tail.len().saturating_sub(END - 1)).rev().find(|&i| tail[i..].starts_with(b"PK\x05\x06"));
    let Some(end) = end else { return Ok(Err("no zip file: the list of its members is missing".into())) };
    let end = &tail[end..];
    let (n, size, at) = (short(end, 10), word(end, 12), word(end, 16));
    if at == u64::from(u32::MAX) || n == usize::from(u16::MAX) {
        return Ok(Err("it is larger than 4 GB (Zip64)".into()));
    }
    if n > MOST_MEMBERS || at.saturating_add(size) > length {
        return Ok(Err("the list of its members is damaged".into()));
    }
    file.seek(SeekFrom::Start(at))?;
    let mut list = vec![0; size as usize];
    file.read_exact(&mut list)?;
    let mut rest = list.as_slice();
    let mut all = Vec::new();
    for _ in 0..n {
        if rest.len() < 46 || !rest.starts_with(b"PK\x01\x02") {
            return Ok(Err("the list of its members is damaged".into()));
        }
        let (name, extra, comment) = (short(rest, 28), short(rest, 30), short(rest, 32));
        let Some(text) = rest.get(46..46 + name) else {
            return Ok(Err("the list of its members is damaged".into()));
        };
        let text = String::from_utf8_lossy(text);
        all.push(Member {
            name: text.strip_suffix(".npy").unwrap_or(&text).to_owned(),
            method: short(rest, 10) as u16,
            encrypted: short(rest, 8) & 1 == 1,
            packed: word(rest, 20),
            plain: word(rest, 24),
            at: word(rest, 42),
        });
        rest = rest.get(46 + name + extra + comment..).unwrap_or(&[]);
    }
    Ok(Ok(all))
}

impl Member {
    /// How many bytes it has once it is unpacked, as the list says.
    pub(super) fn n_bytes(&self) -> u64 {
        self.plain
    }

    /// The bytes of the member.
    ///
    /// # Errors
    /// I/O failures; within, a member that is encrypted or compressed in another way.
    pub(super) fn open(&self, path: &Path) -> io::Result<Result<Box<dyn Read>, String>> {
        let mut file: File = plain_file::open(path)?;
        file.seek(SeekFrom::Start(self.at))?;
        let mut head = [0; 30];
        file.read_exact(&mut head)?;
        if !head.starts_with(b"PK\x03\x04") {
            return Ok(Err(format!("the member `{}` is damaged", self.name)));
        }
        if self.encrypted {
            return Ok(Err(format!("the member `{}` is encrypted", self.name)));
        }
        file.seek(SeekFrom::Current((short(&head, 26) + short(&head, 28)) as i64))?;
        let packed = BufReader::new(file).take(self.packed);
        Ok(match self.method {
            0 => Ok(Box::new(packed.take(self.plain))),
            8 => Ok(Box::new(DeflateDecoder::new(packed).take(self.plain))),
            other => Err(format!("the member `{}` is compressed by the method {other}", self.name)),
        })
    }
}

fn short(bytes: &[u8], at: usize) -> usize {
    usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]))
}

fn word(bytes: &[u8], at: usize) -> u64 {
    u64::from(u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]))
}
