//! The files of a wide table: headers, and which column of one is which of the other.

use std::collections::HashSet;
use std::path::Path;

use super::declared::place;
use super::splits::names_a_split;
use crate::ingest::IngestError;
use crate::ingest::files::{self, SourceFile};
use crate::ingest::source::Source;
use crate::schema::Split;

/// A file of a wide table.
pub(super) struct WideFile {
    pub(super) source: Source,
    /// The split its rows belong to, in a folder of splits.
    pub(super) split: Option<Split>,
    pub(super) header: Vec<String>,
}

impl WideFile {
    /// Reads the header.
    ///
    /// # Errors
    /// An empty file; a name met twice.
    pub(super) fn open(file: SourceFile, split: Option<Split>) -> Result<Self, IngestError> {
        let source = Source::open(file)?;
        let header: Vec<String> = source.columns.iter().map(|c| c.name.clone()).collect();
        let mut met = HashSet::new();
        if let Some(twice) = header.iter().find(|name| !name.is_empty() && !met.insert(name.as_str())) {
            return Err(IngestError::DuplicateColumn { file: source.file.name, column: twice.clone() });
        }
        Ok(Self { source, split, header })
    }

    pub(super) fn name(&self) -> &str {
        &self.source.file.name
    }
}

/// The one table file at a path.
///
/// # Errors
/// Several files; what keeps the file from being opened.
pub(super) fn only(input: &Path) -> Result<WideFile, IngestError> {
    let listed = files::list(input)?;
    let [file] = listed.as_slice() else {
        let files = listed.iter().map(|f| f.name.clone()).collect();
        return Err(IngestError::AmbiguousFiles { table: input.display().to_string(), files });
    };
    WideFile::open(file.clone(), None)
}

/// The files of the input with the split each stands for.
///
/// # Errors
/// A folder without a training table, or with two files for a split.
pub(super) fn find(input: &Path) -> Result<Vec<WideFile>, IngestError> {
    let listed = files::list(input)?;
    if let [only] = listed.as_slice()
        && (input.is_file() || names_a_split(&only.stem).is_none())
    {
        return Ok(vec![WideFile::open(only.clone(), None)?]);
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
    found.into_iter().map(|(split, file)| WideFile::open(file, Some(split))).collect()
}

/// For each file, the places of the first file's columns.
///
/// # Errors
/// [`IngestError::MissingColumns`] with all columns that files do not have.
pub(super) fn align(files: &[WideFile], warnings: &mut Vec<String>) -> Result<Vec<Vec<usize>>, IngestError> {
    let header = &files[0].header;
    if let [only] = header.as_slice()
        && let Some(separator) = [";", "\t", "|"].into_iter().find(|s| only.contains(s))
    {
        warnings.push(format!(
            "{} has a single column whose name contains {separator:?}; columns are separated by commas",
            files[0].name()
        ));
    }
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
            warnings.push(format!(
                "{}: columns that {} does not have are left out: {}",
                file.name(),
                files[0].name(),
                extra.join(", ")
            ));
        }
        all.push(places);
    }
    if lacking.is_empty() { Ok(all) } else { Err(IngestError::MissingColumns(lacking)) }
}
