//! One block of CSV text → typed columns of the rows asked for. Lines of other items are left behind before
//! they are split; records with quotes are split by `csv-core`, others at their commas.

use super::cell::{Wrong, empty, push};
use crate::ingest::typed::batch::{BatchColumn, parse_integer};
use crate::ingest::typed::file::{IN_NAME, ItemSet, Wanted};
use crate::ingest::typed::passed::Times;

/// What a block is parsed to.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct Layout<'a> {
    /// Number of fields of the header.
    pub(in crate::ingest) fields: usize,
    pub(in crate::ingest) wanted: &'a [Wanted],
    /// For each wanted column, its place in the header.
    pub(in crate::ingest) positions: &'a [usize],
    /// The wanted column that holds the item, and the items to keep.
    pub(in crate::ingest) filter: Option<(usize, &'a ItemSet)>,
    /// Leave malformed rows out and count them, instead of stopping at the first.
    pub(in crate::ingest) skip_bad: bool,
    /// Between two fields.
    pub(in crate::ingest) separator: u8,
    /// The cell of the column whose value stands in the name of the file; its position is [`IN_NAME`].
    pub(in crate::ingest) in_name: &'a [u8],
}

/// A parsed block.
#[derive(Debug)]
pub(in crate::ingest) struct Parsed {
    pub(in crate::ingest) columns: Vec<BatchColumn>,
    /// Rows of the block, those left behind too.
    pub(in crate::ingest) rows: u64,
    /// Malformed rows left out.
    pub(in crate::ingest) skipped: u64,
    /// Lines of the block.
    pub(in crate::ingest) lines: u64,
    /// How its times are written.
    pub(in crate::ingest) times: Times,
}

/// The first malformed row of a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) struct BadRow {
    /// Lines of the block before the one in which the row begins.
    pub(in crate::ingest) line: u64,
    pub(in crate::ingest) fault: Fault,
}

/// What is wrong with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Fault {
    /// Another number of fields than the header.
    Fields(usize),
    /// A cell that is not of its wanted column's type.
    Cell(usize),
    NotUtf8,
}

/// Reads a block; `header` says that its first record is no row.
pub(in crate::ingest) fn parse(block: &[u8], header: bool, layout: Layout<'_>) -> Result<Parsed, BadRow> {
    let mut columns: Vec<BatchColumn> = layout.wanted.iter().map(|w| empty(w.dtype)).collect();
    let (mut rows, mut skipped, mut lines, mut header) = (0, 0, 0, header);
    let mut times = Times::default();
    let mut splitter = Splitter::new(layout.separator);
    let mut at = 0;
    while at < block.len() {
        let end = memchr::memchr(b'\n', &block[at..]).map_or(block.len(), |n| at + n);
        let line = block[at..end].strip_suffix(b"\r").unwrap_or(&block[at..end]);
        let before = lines;
        lines += 1;
        if line.is_empty() {
            at = end + 1;
            continue;
        }
        let taken = if !header && unwanted(line, layout) {
            at = end + 1;
            Ok(())
        } else {
            let length = splitter.split(&block[at..], line, end + 1 - at);
            // Quotes alone carry a row over several lines. In a table of numbers, looking for line ends in
            // every row took a twentieth of the time.
            if splitter.quoted {
                let record = &block[at..block.len().min(at + length)];
                lines = before + (memchr::memchr_iter(b'\n', record).count() as u64).max(1);
            }
            at += length;
            if std::mem::take(&mut header) {
                continue;
            }
            take((&splitter, line), &mut columns, &mut times, layout)
        };
        rows += 1;
        if let Err(fault) = taken {
            if !layout.skip_bad {
                return Err(BadRow { line: before, fault });
            }
            skipped += 1;
            let complete = columns.iter().map(BatchColumn::len).min().unwrap_or(0);
            for column in &mut columns {
                column.truncate(complete);
            }
        }
    }
    Ok(Parsed { columns, rows, skipped, lines, times })
}

/// True for a line that is certainly one whole row of another item, told without splitting it: the item is a
/// plain number, quotes are paired, and there are as many commas outside them as the header has. Everything
/// else is looked at properly.
fn unwanted(line: &[u8], layout: Layout<'_>) -> bool {
    let Some((item, ItemSet::Numbers(set))) = layout.filter else { return false };
    let mut commas = memchr::memchr_iter(layout.separator, line);
    let place = layout.positions[item];
    if place == IN_NAME {
        return false;
    }
    let start = match place.checked_sub(1) {
        None => 0,
        Some(before) => match commas.nth(before) {
            Some(comma) => comma + 1,
            None => return false,
        },
    };
    let end = commas.next().unwrap_or(line.len());
    let field = &line[start..end];
    let plain = !field.is_empty() && field.len() <= 18 && field.iter().all(u8::is_ascii_digit);
    if !plain || memchr::memchr(b'"', &line[..start]).is_some() {
        return false;
    }
    let rest = &line[end..];
    let (mut behind, mut quoted) = (0, false);
    if memchr::memchr(b'"', rest).is_none() {
        behind = memchr::memchr_iter(layout.separator, rest).count();
    } else {
        for at in memchr::memchr2_iter(layout.separator, b'"', rest) {
            match rest[at] {
                b'"' => quoted = !quoted,
                _ => behind += usize::from(!quoted),
            }
        }
    }
    let id = field.iter().fold(0, |n, c| n * 10 + i64::from(c - b'0'));
    !quoted && place + behind + 1 == layout.fields && !set.contains(&id)
}

/// The fields of one record.
#[derive(Debug)]
struct Splitter {
    reader: csv_core::Reader,
    /// The fields without their quotes, of a record that has any.
    bytes: Vec<u8>,
    /// End of each field in `bytes`, or in the line.
    ends: Vec<usize>,
    quoted: bool,
    separator: u8,
}

impl Splitter {
    fn new(separator: u8) -> Self {
        // Not `Default`: the default reader of csv-core has no transitions yet.
        let reader = csv_core::ReaderBuilder::new().delimiter(separator).build();
        Self { reader, bytes: Vec::new(), ends: Vec::new(), quoted: false, separator }
    }

    /// Splits the record at the head of `text`, whose first line is `line` and `length` bytes long with its
    /// end; returns the length of the record, which quotes can carry over several lines.
    fn split(&mut self, text: &[u8], line: &[u8], length: usize) -> usize {
        self.ends.clear();
        if memchr::memchr(b'"', line).is_none() {
            self.quoted = false;
            places_of(self.separator, line, &mut self.ends);
            self.ends.push(line.len());
            return length;
        }
        self.quoted = true;
        self.reader.reset();
        self.bytes.resize(self.bytes.len().max(line.len() + 16), 0);
        self.ends.resize(64, 0);
        let (mut read, mut written, mut fields) = (0, 0, 0);
        loop {
            // No more text means the end of the record, as in a file without a last line end.
            let (result, consumed, wrote, ended) =
                self.reader.read_record(&text[read..], &mut self.bytes[written..], &mut self.ends[fields..]);
            read += consumed;
            written += wrote;
            fields += ended;
            match result {
                csv_core::ReadRecordResult::OutputFull => self.bytes.resize(2 * self.bytes.len(), 0),
                csv_core::ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                csv_core::ReadRecordResult::InputEmpty => {}
                csv_core::ReadRecordResult::Record | csv_core::ReadRecordResult::End => break,
            }
        }
        self.ends.truncate(fields);
        let record = &text[..read];
        if record.strip_suffix(b"\n").unwrap_or(record).ends_with(b"\r")
            && let Some(end) = self.ends.last_mut()
        {
            // Of a line end of two characters, the first is in the last cell now.
            *end -= usize::from(*end > 0 && self.bytes[*end - 1] == b'\r');
        }
        read
    }

    fn len(&self) -> usize {
        self.ends.len()
    }

    /// A field of the record that was split, which began with `line`.
    fn field<'f>(&'f self, line: &'f [u8], i: usize) -> &'f [u8] {
        let (text, gap) = if self.quoted { (self.bytes.as_slice(), 0) } else { (line, 1) };
        let start = i.checked_sub(1).map_or(0, |before| self.ends[before] + gap);
        &text[start..self.ends[i]]
    }
}

/// Appends the places of a byte in a line, eight bytes at a time: between the short fields of a table of
/// numbers, a search from one separator to the next spends most of its time on starting.
fn places_of(byte: u8, line: &[u8], places: &mut Vec<usize>) {
    const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;
    let wanted = u64::from_le_bytes([byte; 8]);
    let (chunks, rest) = line.as_chunks::<8>();
    let mut at = 0;
    for chunk in chunks {
        let different = u64::from_le_bytes(*chunk) ^ wanted;
        // The highest bit of each byte that is zero, and no other.
        let mut found = !(((different & LOW) + LOW) | different | LOW);
        while found != 0 {
            places.push(at + found.trailing_zeros() as usize / 8);
            found &= found - 1;
        }
        at += 8;
    }
    places.extend(rest.iter().enumerate().filter(|(_, b)| **b == byte).map(|(i, _)| at + i));
}

fn take(
    (record, line): (&Splitter, &[u8]),
    columns: &mut [BatchColumn],
    times: &mut Times,
    layout: Layout<'_>,
) -> Result<(), Fault> {
    if record.len() != layout.fields {
        return Err(Fault::Fields(record.len()));
    }
    let field = |i: usize| match layout.positions[i] {
        IN_NAME => layout.in_name,
        position => record.field(line, position),
    };
    if let Some((item, items)) = layout.filter {
        let wanted = match items {
            ItemSet::Numbers(set) => {
                // Not a number and not empty: no item, and a wrong cell.
                parse_integer(field(item)).map_err(|_| Fault::Cell(item))?.is_some_and(|n| set.contains(&n))
            }
            ItemSet::Names(set) => {
                std::str::from_utf8(field(item)).is_ok_and(|name| set.contains(name.trim()))
            }
            ItemSet::Texts(texts) => {
                std::str::from_utf8(field(item)).is_ok_and(|name| texts.may_be(name.trim()))
            }
        };
        if !wanted {
            return Ok(());
        }
    }
    for (i, column) in columns.iter_mut().enumerate() {
        let zone = push(column, field(i), layout.wanted[i].dtype).map_err(|wrong| match wrong {
            Wrong::Type => Fault::Cell(i),
            Wrong::NotUtf8 => Fault::NotUtf8,
        })?;
        times.see(i, zone);
    }
    Ok(())
}

#[cfg(test)]
mod tests;
