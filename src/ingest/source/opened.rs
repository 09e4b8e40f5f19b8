//! A text file opened for reading: unpacked, in UTF-8, with its dialect told. What is something else than a
//! table by its first bytes is refused.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::dialect::{Dialect, Separator, declared_by_first_line, is_rare, separator_of};
use super::encoding::Text;
use super::gzip::{MAGIC, Members, Window};
use super::notes::Note;
use crate::error::IoError;
use crate::ingest::IngestError;
use crate::ingest::files::SourceFile;
use crate::message::{Message, Weight};

/// A text file whose head has been read.
pub(in crate::ingest) struct Opened {
    text: Text<Box<dyn Read + Send>>,
    pub(in crate::ingest) dialect: Dialect,
    /// Stored bytes read so far.
    pub(in crate::ingest) stored: Arc<AtomicU64>,
}

impl Opened {
    /// Length of the first line, as far as the head of the file shows it.
    pub(super) fn length_of_first_line(&self) -> usize {
        let head = self.text.decoded();
        head.iter().position(|b| matches!(b, b'\n' | b'\r')).unwrap_or(head.len())
    }
}

impl Read for Opened {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.text.read(buffer)
    }
}

impl SourceFile {
    /// The text of a delimited file: unpacked, in UTF-8, with its separator told and a declaration of it left
    /// out.
    ///
    /// # Errors
    /// A file that cannot be opened, is something else than text, or could be read in two ways.
    pub(in crate::ingest) fn open_text(&self) -> Result<Opened, IngestError> {
        let bytes = self.open_bytes()?;
        let stored = Arc::new(AtomicU64::new(0));
        let mut window = Window::new(Counted { source: bytes, count: Arc::clone(&stored) });
        let head = window.peek(HEAD).map_err(|e| self.io_error(e))?;
        refuse_foreign(self, head)?;
        let packed = head.starts_with(&MAGIC);
        if !packed && self.name.to_lowercase().ends_with(".gz") && !head.is_empty() {
            let text = format!("{} is not compressed, whatever its name says", self.name);
            self.notes.say(Note::Format, Message::file(Weight::Choice, &self.name, text));
        }
        let bytes: Box<dyn Read + Send> =
            if packed { Box::new(Members::new(window, self.size())) } else { Box::new(window) };
        let mut text = Text::new(bytes, &self.name, self.notes.clone()).map_err(|e| self.io_error(e))?;
        refuse_foreign(self, text.decoded())?;
        let mut dialect = Dialect { separator: b',', lines_before: 0 };
        if let Some((separator, length)) = declared_by_first_line(text.decoded()) {
            text.skip(length);
            dialect = Dialect { separator, lines_before: 1 };
        } else if let Some(separator) = self.separator {
            dialect.separator = separator;
        } else {
            dialect.separator = separator_of(text.decoded(), text.is_whole()).map_err(|ambiguous| {
                IngestError::TwoSeparators {
                    file: self.name.clone(),
                    one: ambiguous.0.to_string(),
                    other: ambiguous.1.to_string(),
                }
            })?;
            if is_rare(dialect.separator) {
                let separator = Separator(dialect.separator);
                let text = format!("{}: its cells are taken to be separated by {separator}", self.name);
                self.notes.say(Note::Separator, Message::file(Weight::Choice, &self.name, text));
            }
        }
        Ok(Opened { text, dialect, stored })
    }

    /// A reader of records that keeps the header as its first record and takes rows of any length.
    pub(in crate::ingest) fn records(&self) -> Result<csv::Reader<Opened>, IngestError> {
        let text = self.open_text()?;
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(text.dialect.separator);
        Ok(reader.from_reader(text))
    }

    /// Column names of a delimited file as written, trimmed.
    pub(in crate::ingest) fn csv_header(&self) -> Result<Vec<String>, IngestError> {
        let text = self.open_text()?;
        let mut reader = csv::ReaderBuilder::new();
        reader.has_headers(false).flexible(true).delimiter(text.dialect.separator);
        let mut record = csv::ByteRecord::new();
        // A small file that is packed well could hold a header that fills the memory.
        let found = reader
            .from_reader(text.take(LONGEST_HEADER))
            .read_byte_record(&mut record)
            .map_err(|e| self.csv_error(e, 0))?;
        if !found {
            return Err(IngestError::Empty(self.name.clone()));
        }
        if record.len() > MOST_COLUMNS {
            return Err(IngestError::TooManyColumns { file: self.name.clone(), most: MOST_COLUMNS });
        }
        Ok(record.iter().map(|field| String::from_utf8_lossy(field).trim().to_string()).collect())
    }
}

/// Columns that a delimited file may have. A column takes about 3 KB of memory while a table is read, and no
/// density is estimated over more.
const MOST_COLUMNS: usize = 100_000;

/// Bytes of a header that are read: enough for so many columns with names of 160 bytes.
const LONGEST_HEADER: u64 = 16 << 20;

/// Counts what is read from a source.
struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer)?;
        self.count.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }
}

/// Bytes that are enough to tell any of the kinds below.
const HEAD: usize = 24;

/// Files that are often met under the name of a table, by their first bytes: what they are, and what to do.
const FOREIGN: &[(&[u8], &str, &str)] = &[
    (b"PK\x03\x04", "a ZIP archive or an Excel workbook", "unpack it, or save the sheet as CSV (UTF-8)"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel workbook", "save the sheet as CSV (UTF-8)"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd", "unpack it with zstd -d, or compress it with gzip"),
    (b"BZh?1AY&SY", "compressed with bzip2", "unpack it with bunzip2, or compress it with gzip"),
    (b"\xfd7zXZ\x00", "compressed with xz", "unpack it with unxz, or compress it with gzip"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"\x04\x22\x4d\x18", "compressed with lz4", "unpack it with lz4 -d, or compress it with gzip"),
    (b"<stata_dta>", "a Stata file", "export it as CSV or Parquet"),
    (b"$FL2", "an SPSS file", "export it as CSV or Parquet"),
    (b"HEADER RECORD***", "a SAS transport file", "export it as CSV or Parquet"),
    (b"\x89HDF\r\n\x1a\n", "an HDF5 file", "export the table as CSV or Parquet"),
    (b"SQLite format 3\x00", "an SQLite database", "export the table as CSV or Parquet"),
    (b"%PDF-", "a PDF document", "export the table as CSV"),
    (
        b"FEA1",
        "a Feather file of the old version 1",
        "write it again with pyarrow, as version 2 or as Parquet",
    ),
    (b"Obj\x01", "an Avro file", "convert it to Parquet"),
    (b"RDX?\nX\n", "an R data file", "write the table with write.csv or arrow::write_parquet"),
    (b"<!DOCTYPE", "an HTML page", "download the file itself; the page may be a login or an error"),
    (b"<!doctype", "an HTML page", "download the file itself; the page may be a login or an error"),
    (b"<html", "an HTML page", "download the file itself; the page may be a login or an error"),
    (b"<?xml", "an XML document", "export the table as CSV"),
    (b"{\"", "a JSON document", "convert it to CSV or Parquet"),
    (b"[{", "a JSON document", "convert it to CSV or Parquet"),
    (b"version https://git-lfs", "a pointer of Git LFS", "fetch the file itself with git lfs pull"),
];

/// Refuses a file that is something else than a table by its first bytes.
pub(super) fn refuse_foreign(file: &SourceFile, head: &[u8]) -> Result<(), IngestError> {
    // A question mark stands for any byte.
    let is =
        |magic: &[u8]| head.len() >= magic.len() && magic.iter().zip(head).all(|(m, b)| m == b || *m == b'?');
    match FOREIGN.iter().find(|(magic, ..)| is(magic)) {
        None => Ok(()),
        Some((_, what, remedy)) => Err(IngestError::Foreign { file: file.name.clone(), what, remedy }),
    }
}

/// The first bytes of a file.
pub(super) fn head(file: &SourceFile) -> Result<Vec<u8>, IngestError> {
    let mut head = Vec::with_capacity(HEAD);
    let read = file.open_bytes()?.take(HEAD as u64).read_to_end(&mut head);
    read.map_err(IoError::on("read", &file.path))?;
    Ok(head)
}
