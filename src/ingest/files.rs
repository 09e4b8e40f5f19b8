//! Which files make a table: names and formats, headers, and the SHA-256 of what was read.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::IoError;

use super::{IngestError, InputFile};
use crate::ingest::source::{Note, Notes, TextFault};
use crate::message::{Message, Weight};
use crate::plain_file::{self, Listing, Refused, Watch, most_cells, most_rows};

/// How a file is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Delimited text, compressed or not, whatever separates its cells.
    Csv,
    Parquet,
    /// Arrow IPC, a file or a stream.
    Arrow,
}

/// Extensions of tables; `.gz` may follow those of texts.
const EXTENSIONS: [(&str, Format); 9] = [
    (".csv", Format::Csv),
    (".psv", Format::Csv),
    (".tsv", Format::Csv),
    (".txt", Format::Csv),
    (".parquet", Format::Parquet),
    (".arrow", Format::Arrow),
    (".feather", Format::Arrow),
    (".ipc", Format::Arrow),
    (".arrows", Format::Arrow),
];

/// Extensions of compressed tables and workbooks that are not read, and what to do with such files.
const UNREADABLE: [(&str, &str); 8] = [
    (".zst", "unpack it with zstd -d, or compress it with gzip"),
    (".bz2", "unpack it with bunzip2, or compress it with gzip"),
    (".xz", "unpack it with unxz, or compress it with gzip"),
    (".lz4", "unpack it with lz4 -d, or compress it with gzip"),
    (".zip", "unpack it first"),
    (".7z", "unpack it first"),
    (".xlsx", "save the sheet as CSV (UTF-8)"),
    (".xls", "save the sheet as CSV (UTF-8)"),
];

/// A table file: its path, the name it goes by in messages and audits, and how it is stored.
#[derive(Debug, Clone)]
pub(super) struct SourceFile {
    pub(super) path: PathBuf,
    /// Without the folder, so that equal inputs give equal audits wherever they lie.
    pub(super) name: String,
    /// Lower case, without extension.
    pub(super) stem: String,
    pub(super) format: Format,
    /// What separates the cells of a text, where a user has said so; otherwise it is told from the file.
    pub(super) separator: Option<u8>,
    /// What those who read the file have to say about it.
    pub(super) notes: Notes,
    /// The file as it was when it was found.
    pub(super) found: Watch,
    /// Set for what lies in the folder and is not read: a link that leads out of it, a pipe. It is kept among the
    /// others, so that a table that is needed is not taken for one that is not there.
    pub(super) refused: Option<Refused>,
}

impl Format {
    /// For messages.
    const fn described(self) -> &'static str {
        match self {
            Self::Csv => "text",
            Self::Parquet => "a Parquet table",
            Self::Arrow => "an Arrow table",
        }
    }
}

impl SourceFile {
    /// The file at `path`, if its extension is one of ours. Where the content is of another format, the
    /// content decides.
    pub(super) fn new(path: &Path) -> Option<Self> {
        let (stem, by_name) = by_name(path)?;
        let format = recognise(path, by_name);
        let file = Self::named(path, stem, format);
        if format != by_name {
            let text = format!("{} holds {}, whatever its name says", file.name, format.described());
            file.notes.say(Note::Format, Message::file(Weight::Choice, &file.name, text));
        }
        Some(file)
    }

    fn named(path: &Path, stem: String, format: Format) -> Self {
        Self {
            path: path.to_path_buf(),
            name: name_of(path),
            stem,
            format,
            separator: None,
            notes: Notes::default(),
            found: Watch::begin(path),
            refused: None,
        }
    }

    /// What a listing refuses, where it is a folder or has the name of a table.
    fn not_read(refused: &Refused) -> Option<Self> {
        let path = &refused.path;
        let stem = if refused.is_folder { name_of(path).to_lowercase() } else { by_name(path)?.0 };
        Some(Self { refused: Some(refused.clone()), ..Self::named(path, stem, Format::Csv) })
    }

    /// Refuses what is not read.
    ///
    /// # Errors
    /// The reason.
    pub(super) fn readable(&self) -> Result<(), IngestError> {
        self.refused.as_ref().map_or(Ok(()), |refused| Err(refused.error().into()))
    }

    /// The same with the separator of its cells declared.
    pub(super) fn with_separator(self, separator: Option<u8>) -> Self {
        Self { separator, ..self }
    }

    /// What a user should know about the file. Some of them are known only once the whole file has
    /// been read.
    pub(super) fn messages(&self) -> Vec<Message> {
        self.notes.messages()
    }

    /// In a folder, a text file is taken for a description of the tables; one that is a table has to be named
    /// itself.
    fn is_prose(&self) -> bool {
        let lower = self.name.to_lowercase();
        Path::new(lower.strip_suffix(".gz").unwrap_or(&lower)).extension().is_some_and(|e| e == "txt")
    }

    /// The bytes of a file with types.
    ///
    /// # Errors
    /// I/O failures; what is not read.
    pub(super) fn open_bytes(&self) -> Result<File, IngestError> {
        self.readable()?;
        Ok(plain_file::open(&self.path).map_err(IoError::on("open", &self.path))?)
    }

    /// A reader's error in our words; `row` is the row being read.
    pub(super) fn csv_error(&self, error: csv::Error, row: u64) -> IngestError {
        match error.into_kind() {
            csv::ErrorKind::Io(e) => self.io_error(e),
            csv::ErrorKind::UnequalLengths { expected_len: expected, len: found, .. } => {
                IngestError::Ragged { file: self.name.clone(), row, found, expected }
            }
            // The other kinds concern text that is not UTF-8 (or serde, which is not used here).
            _ => IngestError::NotUtf8 { file: self.name.clone(), row },
        }
    }

    /// Faults of the bytes and compressed data that end early or do not match their checksum get messages of
    /// their own.
    pub(super) fn io_error(&self, error: std::io::Error) -> IngestError {
        use std::io::ErrorKind::{InvalidData, InvalidInput, UnexpectedEof};
        let file = self.name.clone();
        match (TextFault::of(&error), error.kind()) {
            (Some(TextFault::BehindGzip), _) => IngestError::BehindGzip(file),
            (Some(TextFault::Bomb), _) => IngestError::Bomb(file),
            (Some(TextFault::Nul(line)), _) => IngestError::Nul { file, line },
            (Some(TextFault::NotText(line)), _) => IngestError::UnknownEncoding { file, line },
            (Some(TextFault::Mixed(line)), _) => IngestError::MixedEncodings { file, line },
            (Some(TextFault::Utf32), _) => IngestError::Foreign {
                file,
                what: "a text in UTF-32",
                remedy: "convert it to UTF-8, for example with iconv -f utf-32 -t utf-8",
            },
            (None, UnexpectedEof | InvalidData | InvalidInput) => IngestError::Truncated(file),
            _ => IoError::on("read", &self.path)(error).into(),
        }
    }

    /// Size and SHA-256 of the file as stored. Called once it has been read, so that a file which is not what
    /// it was when it was found is noticed.
    ///
    /// # Errors
    /// [`IngestError::Changed`], and I/O failures.
    pub(super) fn fingerprint(&self) -> Result<InputFile, IngestError> {
        let input = InputFile::of(&self.path)?;
        self.is_as_found()?;
        Ok(input)
    }

    /// To be called once the file has been read for the last time.
    ///
    /// # Errors
    /// [`IngestError::Changed`] for a file that is not what it was when it was found.
    pub(super) fn is_as_found(&self) -> Result<(), IngestError> {
        if self.found.is_unchanged() { Ok(()) } else { Err(IngestError::Changed(self.name.clone())) }
    }

    /// Holds the numbers of rows and columns that a file says it has against its size, before anything is read.
    ///
    /// # Errors
    /// [`IngestError::NothingInRows`] for a file that could fill the memory with next to nothing.
    pub(super) fn is_plausible(&self, rows: u64, columns: u64) -> Result<(), IngestError> {
        let bytes = self.size();
        if rows <= most_rows(bytes) && rows.saturating_mul(columns) <= most_cells(bytes) {
            return Ok(());
        }
        Err(IngestError::NothingInRows { file: self.name.clone(), rows, columns, bytes })
    }

    /// Size in bytes; 0 when it cannot be told, for progress only.
    pub(super) fn size(&self) -> u64 {
        fs::metadata(&self.path).map_or(0, |m| m.len())
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned())
}

/// Stem and format of a table file by its name; nothing for other files.
fn by_name(path: &Path) -> Option<(String, Format)> {
    let lower = name_of(path).to_lowercase();
    let unpacked = lower.strip_suffix(".gz");
    let (stem, format) = EXTENSIONS.into_iter().find_map(|(end, format)| match unpacked {
        Some(unpacked) if format == Format::Csv => Some((unpacked.strip_suffix(end)?, format)),
        Some(_) => None,
        None => Some((lower.strip_suffix(end)?, format)),
    })?;
    Some((stem.to_owned(), format))
}

/// The format of a file by its first bytes; that of its name where they do not tell.
fn recognise(path: &Path, by_name: Format) -> Format {
    let mut head = [0; 8];
    let read = plain_file::open(path).and_then(|file| file.take(8).read(&mut head)).unwrap_or(0);
    format_of(&head[..read], by_name)
}

/// The format of a table that begins with these bytes; `by_name` where they do not tell.
pub(super) fn format_of(head: &[u8], by_name: Format) -> Format {
    match head {
        // What cannot be opened or is empty says so when it is read.
        [] => by_name,
        [b'P', b'A', b'R', b'1', ..] => Format::Parquet,
        // A stream begins with a marker and the length of a message of less than 16 MB.
        [b'A', b'R', b'R', b'O', b'W', b'1', ..] | [0xff, 0xff, 0xff, 0xff, _, _, _, 0] => Format::Arrow,
        _ if by_name == Format::Csv => Format::Csv,
        head if head.iter().all(|b| matches!(b, b'\t' | b'\r' | b'\n' | b' '..)) => Format::Csv,
        _ => by_name,
    }
}

/// Refuses addresses: the reader underneath could open them, and this program stays off the network.
pub(super) fn refuse_remote(input: &Path) -> Result<(), IngestError> {
    let text = input.to_string_lossy();
    if text.contains("://") { Err(IngestError::Remote(text.into_owned())) } else { Ok(()) }
}

/// All table files of a folder in name order, or the one file given. What is not read is among them.
pub(super) fn list(input: &Path) -> Result<Vec<SourceFile>, IngestError> {
    refuse_remote(input)?;
    let shown = input.display().to_string();
    if input.is_file() {
        return SourceFile::new(input).map(|f| vec![f]).ok_or_else(|| unknown_format(input));
    }
    if plain_file::is_pipe_or_device(input) {
        return Err(IngestError::NoFile(shown));
    }
    if !input.is_dir() {
        return Err(IngestError::NoInput(shown));
    }
    let listing = plain_file::walk(input, 0, is_no_mark)?;
    if let Some(path) = listing.folders.iter().find(|path| is_partition(path)) {
        return Err(IngestError::Partitioned { folder: shown, partition: name_of(path) });
    }
    tables(&listing, input)
}

/// The files of a folder that holds one table, or the one file given: each of them is needed.
///
/// # Errors
/// As for [`list`], and for what is not read.
pub(super) fn parts(input: &Path) -> Result<Vec<SourceFile>, IngestError> {
    let files = list(input)?;
    files.iter().try_for_each(SourceFile::readable)?;
    Ok(files)
}

/// Writers leave marks and checksums beside tables, whose names begin with a dot or an underscore.
fn is_no_mark(name: &str) -> bool {
    !name.starts_with(['.', '_'])
}

/// The table files of a listing, named from the folder on, with what is not read.
fn tables(listing: &Listing, input: &Path) -> Result<Vec<SourceFile>, IngestError> {
    let read = listing.files.iter().filter_map(|path| SourceFile::new(path));
    let refused = listing.refused.iter().filter_map(SourceFile::not_read);
    let mut files: Vec<SourceFile> = read
        .chain(refused)
        .filter(|file| !file.is_prose())
        .map(|file| {
            let folder = file.path.parent().and_then(|folder| folder.strip_prefix(input).ok());
            let mut before = String::new();
            for part in folder.into_iter().flat_map(Path::components) {
                before.push_str(&part.as_os_str().to_string_lossy());
                before.push('/');
            }
            SourceFile {
                name: format!("{before}{}", file.name),
                stem: format!("{}{}", before.to_lowercase(), file.stem),
                ..file
            }
        })
        .collect();
    if files.is_empty() {
        return Err(IngestError::NoFiles(input.display().to_string()));
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

/// Whether a folder holds some of the rows of a table, those with one value of a column: `year=2019`.
fn is_partition(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.split_once('=').is_some_and(|(column, _)| !column.is_empty() && !name.starts_with(['.', '_']))
}

/// Why a single file is not taken for a table.
fn unknown_format(path: &Path) -> IngestError {
    let lower = path.to_string_lossy().to_lowercase();
    match UNREADABLE.into_iter().find(|(end, _)| lower.ends_with(end)) {
        Some((extension, remedy)) => {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            IngestError::UnreadableFormat { file, extension, remedy }
        }
        None => IngestError::UnknownFormat(path.display().to_string()),
    }
}

/// Folders within the folder of an extract that are looked into, one within the other.
const DEPTH: usize = 3;

/// All table files of a folder and of the folders within it, in the order of their names, which begin with
/// those of their folders. What is not read is among them.
pub(super) fn tree(input: &Path) -> Result<Vec<SourceFile>, IngestError> {
    refuse_remote(input)?;
    if !input.is_dir() {
        return list(input);
    }
    tables(&plain_file::walk(input, DEPTH, is_no_mark)?, input)
}

#[cfg(test)]
mod tests;
