//! What the headers of Parquet pages say of lengths, compared with the footer and the file before a page is
//! decoded: the decoder allocates what a header asks for, and an allocation that fails ends the process
//! instead of being an error.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::ops::Range;

use polars_core::prelude::*;
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

/// Bytes of a page's header at most. Statistics of long texts stand in it.
const LONGEST_HEADER: usize = 1 << 24;
/// Bytes that a compressed byte stands for at most: zstd writes 128 kB of one value in four bytes.
const MOST_PER_BYTE: u64 = 1 << 16;
/// A page of the most compressible values still has a few bytes.
const LEAST_BYTES: u64 = 64;

/// The bytes of one column in one group of rows, and how many values the footer says they hold.
pub(super) struct Chunk {
    pub(super) bytes: Range<u64>,
    pub(super) values: i64,
}

/// Compares the headers of the pages of each chunk with its number of values and with the file's size. The
/// pages themselves are passed over.
///
/// # Errors
/// A header that cannot be right; I/O failures.
pub(super) fn check_pages(file: File, chunks: impl Iterator<Item = Chunk>) -> PolarsResult<()> {
    let size = file.metadata()?.len();
    let mut bytes = BufReader::with_capacity(1 << 12, file);
    for chunk in chunks {
        if chunk.bytes.end > size || chunk.values < 0 {
            return Err(impossible());
        }
        check_chunk(&mut bytes, &chunk)?;
    }
    Ok(())
}

fn check_chunk<R: Read + Seek>(bytes: &mut BufReader<R>, chunk: &Chunk) -> PolarsResult<()> {
    let mut at = chunk.bytes.start;
    let mut values = 0;
    bytes.seek(SeekFrom::Start(at))?;
    while values < chunk.values && at < chunk.bytes.end {
        let header = {
            let mut protocol = TCompactInputProtocol::new(&mut *bytes, LONGEST_HEADER);
            PageHeader::read_from_in_protocol(&mut protocol).map_err(|_| impossible())?
        };
        at = bytes.stream_position()?;
        let packed = u64::try_from(header.compressed_page_size).map_err(|_| impossible())?;
        let unpacked = u64::try_from(header.uncompressed_page_size).map_err(|_| impossible())?;
        let fits = at <= chunk.bytes.end
            && packed <= chunk.bytes.end - at
            && unpacked <= packed.max(LEAST_BYTES).saturating_mul(MOST_PER_BYTE);
        if !fits {
            return Err(impossible());
        }
        values += values_of(&header, unpacked)?;
        if values > chunk.values {
            return Err(impossible());
        }
        at += packed;
        bytes.seek_relative(packed as i64)?;
    }
    if values < chunk.values {
        return Err(impossible());
    }
    Ok(())
}

/// Values that a page adds to its column.
fn values_of(header: &PageHeader, unpacked: u64) -> PolarsResult<i64> {
    if let Some(dictionary) = &header.dictionary_page_header {
        // Every value of a dictionary has at least a bit.
        let possible =
            dictionary.num_values >= 0 && dictionary.num_values as u64 <= unpacked.saturating_mul(8);
        return if possible { Ok(0) } else { Err(impossible()) };
    }
    let values = match (&header.data_page_header, &header.data_page_header_v2) {
        (Some(page), _) => page.num_values,
        (None, Some(page)) => {
            let levels = i64::from(page.definition_levels_byte_length)
                .checked_add(i64::from(page.repetition_levels_byte_length));
            let possible = page.definition_levels_byte_length >= 0
                && page.repetition_levels_byte_length >= 0
                && levels.is_some_and(|levels| levels as u64 <= unpacked)
                && (0..=page.num_values).contains(&page.num_nulls)
                && (0..=page.num_values).contains(&page.num_rows);
            if !possible {
                return Err(impossible());
            }
            page.num_values
        }
        (None, None) => 0,
    };
    if values < 0 { Err(impossible()) } else { Ok(i64::from(values)) }
}

fn impossible() -> PolarsError {
    PolarsError::ComputeError("a page says of itself what the file's footer contradicts".into())
}
