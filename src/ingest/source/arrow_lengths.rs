//! What the messages of an Arrow file say of lengths, compared with the file before anything is read by it:
//! the decoder allocates what a message asks for, and an allocation that fails ends the process instead of
//! being an error.

use std::io::{Read, Seek, SeekFrom};

use polars_arrow::io::ipc::format::ipc::planus::ReadAsRoot as _;
use polars_arrow::io::ipc::format::ipc::{Block, MessageHeaderRef, MessageRef, RecordBatchRef};
use polars_core::prelude::*;

/// Stands before the length of a message, except in very old files.
const CONTINUATION: [u8; 4] = [0xff; 4];
/// Bytes that a compressed byte stands for at most: zstd writes 128 kB of one value in four bytes.
const MOST_PER_BYTE: i64 = 1 << 16;

/// What the messages of a file say they hold.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Told {
    /// Rows, also of dictionaries.
    pub(super) rows: u64,
    /// Bytes of compressed buffers once they are unpacked.
    pub(super) unpacked: u64,
}

impl Told {
    pub(super) fn add(&mut self, more: Self) {
        self.rows = self.rows.saturating_add(more.rows);
        self.unpacked = self.unpacked.saturating_add(more.unpacked);
    }
}

/// Compares the messages at the blocks of a file with its size, and sums up what they say.
///
/// # Errors
/// A length that reaches beyond the file; I/O failures.
pub(super) fn check_blocks<R: Read + Seek>(bytes: &mut R, blocks: &[Block]) -> PolarsResult<Told> {
    let mut told = Told::default();
    let size = bytes.seek(SeekFrom::End(0))?;
    for block in blocks {
        let at = u64::try_from(block.offset).map_err(|_| impossible())?;
        let metadata = u64::try_from(block.meta_data_length).map_err(|_| impossible())?;
        let Some((_, message)) = read_message(bytes, at, size)? else { return Err(impossible()) };
        told.add(check_message(bytes, &message, at.checked_add(metadata), size)?.1);
    }
    Ok(told)
}

/// Compares the messages of a stream with its size, from its beginning, and sums up what they say.
///
/// # Errors
/// As [`check_blocks`]. A last message that is cut is left to the decoder, which tells whether anything is
/// lost.
pub(super) fn check_stream<R: Read + Seek>(bytes: &mut R) -> PolarsResult<Told> {
    let mut told = Told::default();
    let size = bytes.seek(SeekFrom::End(0))?;
    let mut at = 0;
    while at + 8 <= size
        && let Some((body, message)) = read_message(bytes, at, size)?
    {
        let (end, more) = check_message(bytes, &message, Some(body), size)?;
        at = end;
        told.add(more);
    }
    Ok(told)
}

/// The message at a place and where its metadata end; nothing at the end of a stream.
fn read_message<R: Read + Seek>(bytes: &mut R, at: u64, size: u64) -> PolarsResult<Option<(u64, Vec<u8>)>> {
    bytes.seek(SeekFrom::Start(at))?;
    let mut word = [0; 4];
    bytes.read_exact(&mut word)?;
    let mut begin = at + 4;
    if word == CONTINUATION {
        bytes.read_exact(&mut word)?;
        begin += 4;
    }
    let length = u64::from(u32::from_le_bytes(word));
    if length == 0 {
        return Ok(None);
    }
    if length > size.saturating_sub(begin) {
        return Err(impossible());
    }
    let mut message = vec![0; length as usize];
    bytes.read_exact(&mut message)?;
    Ok(Some((begin + length, message)))
}

/// Compares the lengths of a message whose body begins at `body` with the size of the file. Returns where the
/// body ends, and what the message says it holds.
fn check_message<R: Read + Seek>(
    bytes: &mut R,
    message: &[u8],
    body: Option<u64>,
    size: u64,
) -> PolarsResult<(u64, Told)> {
    let damaged = |_| impossible();
    let message = MessageRef::read_as_root(message).map_err(damaged)?;
    let length = message.body_length().map_err(damaged)?;
    let body = body.filter(|body| *body <= size).ok_or_else(impossible)?;
    let end = u64::try_from(length).ok().filter(|length| *length <= size - body).ok_or_else(impossible)?;
    let told = match message.header().map_err(damaged)? {
        Some(MessageHeaderRef::RecordBatch(batch)) => check_buffers(bytes, batch, body, length)?,
        Some(MessageHeaderRef::DictionaryBatch(dictionary)) => match dictionary.data().map_err(damaged)? {
            Some(batch) => check_buffers(bytes, batch, body, length)?,
            None => Told::default(),
        },
        _ => Told::default(),
    };
    Ok((body + end, told))
}

fn check_buffers<R: Read + Seek>(
    bytes: &mut R,
    batch: RecordBatchRef<'_>,
    body: u64,
    length: i64,
) -> PolarsResult<Told> {
    let damaged = |_| impossible();
    let rows = u64::try_from(batch.length().map_err(damaged)?).map_err(|_| impossible())?;
    let mut told = Told { rows, unpacked: 0 };
    let compressed = batch.compression().map_err(damaged)?.is_some();
    for buffer in batch.buffers().map_err(damaged)?.into_iter().flatten() {
        let (from, bytes_of) = (buffer.offset(), buffer.length());
        let within =
            from >= 0 && bytes_of >= 0 && from.checked_add(bytes_of).is_some_and(|end| end <= length);
        if !within {
            return Err(impossible());
        }
        if compressed && bytes_of >= 8 {
            let mut unpacked = [0; 8];
            bytes.seek(SeekFrom::Start(body + from as u64))?;
            bytes.read_exact(&mut unpacked)?;
            // −1 says that this buffer is not compressed.
            let unpacked = i64::from_le_bytes(unpacked);
            if unpacked > bytes_of.saturating_mul(MOST_PER_BYTE) || unpacked < -1 {
                return Err(impossible());
            }
            told.unpacked = told.unpacked.saturating_add(unpacked.max(0) as u64);
            // Whether there is so much memory is found out where that is no more than an error.
            Vec::<u8>::new().try_reserve_exact(unpacked.max(0) as usize).map_err(|_| impossible())?;
        }
    }
    Ok(told)
}

fn impossible() -> PolarsError {
    PolarsError::ComputeError("the file is shorter than its own description of it".into())
}
