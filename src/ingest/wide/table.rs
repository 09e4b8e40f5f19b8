//! The files of a wide table: headers, and which column of one is which of the other.

use std::path::Path;

use super::declared::place;
use super::names::names_a_split;
use crate::ingest::files::{self, SourceFile};
use crate::ingest::source::{Batch, Source};
use crate::ingest::{IngestError, IngestProgress};
use crate::message::{Message, Weight};
use crate::schema::Split;

/// A table whose rows belong together: one file, or several parts.
pub(super) struct WideFile {
    pub(super) source: Source,
    /// The split its rows belong to, in a folder of splits.
    pub(super) split: Option<Split>,
    pub(super) header: Vec<String>,
}

impl WideFile {
    /// Reads the headers.
    ///
    /// # Errors
    /// An empty file; a name met twice; parts that differ.
    fn open(parts: Vec<SourceFile>, split: Option<Split>) -> Result<Self, IngestError> {
        let source = Source::open_parts(parts)?;
        let header = source.columns.iter().map(|c| c.name.clone()).collect();
        Ok(Self { source, split, header })
    }

    /// Calls `each` with the columns at the places `wanted`, some rows at a time, and tells how far it has
    /// come.
    ///
    /// # Errors
    /// Damage to the file; what `each` finds wrong.
    pub(super) fn read(
        &self,
        wanted: &[usize],
        progress: &dyn IngestProgress,
        mut each: impl FnMut(&Batch) -> Result<(), IngestError>,
    ) -> Result<(), IngestError> {
        let files = &self.source.files;
        progress.begin(self.name(), files.len(), files.iter().map(SourceFile::size).sum());
        let mut rows = 0;
        let read = self.source.read(wanted, |batch| {
            rows += batch.n_rows() as u64;
            progress.rows(self.name(), rows, batch.bytes);
            each(batch)
        });
        progress.end(self.name());
        read
    }

    /// The name of the first file.
    pub(super) fn name(&self) -> &str {
        &self.source.file.name
    }
}

/// The rows met so far in each part of a table.
#[derive(Debug, Clone)]
pub(super) struct Rows(pub(super) Vec<u64>);

impl Rows {
    pub(super) fn new(file: &WideFile) -> Self {
        Self(vec![0; file.source.files.len()])
    }

    /// Counts the rows of a batch. Returns the number of the first of them in its file, from 1.
    pub(super) fn count(&mut self, batch: &Batch) -> u64 {
        let rows = &mut self.0[batch.file];
        let first = *rows + 1;
        *rows += batch.n_rows() as u64;
        first
    }

    pub(super) fn sum(&self) -> u64 {
        self.0.iter().sum()
    }
}

/// The table at a path: one file, or a folder with its parts.
///
/// # Errors
/// What keeps the files from being opened.
pub(super) fn only(input: &Path) -> Result<WideFile, IngestError> {
    WideFile::open(files::parts(input)?, None)
}

/// The tables of the input with the split each stands for: one without a split, or one for each split. A
/// folder in which no file is called after a split holds the parts of one table.
///
/// # Errors
/// A folder without a training table, or with two files for a split.
pub(super) fn find(input: &Path, separator: Option<u8>) -> Result<Vec<WideFile>, IngestError> {
    let listed: Vec<SourceFile> =
        files::parts(input)?.into_iter().map(|file| file.with_separator(separator)).collect();
    if input.is_file() || listed.iter().all(|file| names_a_split(&file.stem).is_none()) {
        return Ok(vec![WideFile::open(listed, None)?]);
    }
    let mut found: Vec<(Split, SourceFile)> = Vec::new();
    for file in listed {
        let Some(split) = names_a_split(&file.stem) else { continue };
        if let Some((_, other)) = found.iter().find(|(s, _)| *s == split) {
            let files = vec![other.name.clone(), file.name];
            return Err(IngestError::AmbiguousFiles { table: split.name().into(), files });
        }
        found.push((split, file));
    }
    found.sort_by_key(|(split, _)| *split);
    if found.first().is_none_or(|(split, _)| *split != Split::Train) {
        return Err(IngestError::NoTrain { folder: input.display().to_string() });
    }
    found.into_iter().map(|(split, file)| WideFile::open(vec![file], Some(split))).collect()
}

/// Files of a folder of splits that stand for none, for a warning.
pub(super) fn beside(input: &Path, files: &[WideFile]) -> Result<Vec<String>, IngestError> {
    if files[0].split.is_none() {
        return Ok(Vec::new());
    }
    let listed = files::parts(input)?;
    Ok(listed.into_iter().filter(|f| names_a_split(&f.stem).is_none()).map(|f| f.name).collect())
}

/// For each file, the places of the first file's columns.
///
/// # Errors
/// [`IngestError::MissingColumns`] with all columns that files do not have.
pub(super) fn align(files: &[WideFile], messages: &mut Vec<Message>) -> Result<Vec<Vec<usize>>, IngestError> {
    let header = &files[0].header;
    let mut all = vec![(0..header.len()).collect::<Vec<_>>()];
    let mut lacking = Vec::new();
    for file in &files[1..] {
        let found: Vec<Option<usize>> = header.iter().map(|name| place(&file.header, name)).collect();
        let missing: Vec<String> =
            header.iter().zip(&found).filter(|(_, at)| at.is_none()).map(|(name, _)| name.clone()).collect();
        if !missing.is_empty() {
            lacking.push((file.name().to_string(), missing));
        }
        let places: Vec<usize> = found.into_iter().flatten().collect();
        let extra: Vec<String> = (0..file.header.len())
            .filter(|at| !places.contains(at))
            .map(|at| format!("`{}`", file.header[at]))
            .collect();
        if !extra.is_empty() {
            let text = format!(
                "{}: columns that {} does not have are left out: {}",
                file.name(),
                files[0].name(),
                extra.join(", ")
            );
            messages.push(Message::file(Weight::LeftOut, file.name(), text).counting(extra.len()));
        }
        all.push(places);
    }
    if lacking.is_empty() { Ok(all) } else { Err(IngestError::MissingColumns(lacking)) }
}
