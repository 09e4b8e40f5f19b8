//! A schema drafted from a folder of tables: which columns are ids and times, which tables are events, and
//! which concepts they seem to hold, by names, synonyms and plausible ranges. It is a beginning to be edited,
//! and says so.
//!
//! ```text
//! look   columns and their first cells        names    texts → concepts, by synonyms
//! keys   ids of records and patients, times   sources  where concepts are found
//! render the text of the schema
//! ```

mod keys;
mod look;
mod names;
mod render;
mod sources;

use std::path::Path;

use super::IngestError;
use super::files::{self, SourceFile};
use crate::schema;

/// A drafted schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FolderDraft {
    /// The text of a schema file.
    pub text: String,
    /// Tables of the folder, and those that the schema reads.
    pub tables: (usize, usize),
    /// Names of the concepts found.
    pub concepts: Vec<String>,
}

/// Drafts a schema of the tables of a folder.
///
/// # Errors
/// A folder that cannot be read or holds no table; no column that tells records apart.
pub fn draft_folder(input: &Path, name: &str) -> Result<FolderDraft, IngestError> {
    let files = files::tree(input)?;
    files.iter().try_for_each(SourceFile::readable)?;
    let tables: Vec<look::Table> = files.into_iter().filter_map(|file| look::table(file).ok()).collect();
    let no_key = || {
        let what = "drafting a schema: no column is there in a table in which it tells all rows apart";
        IngestError::NoRecords(what.into())
    };
    let keys = keys::find(&tables).ok_or_else(no_key)?;
    let found = sources::find(&tables, &keys, schema::dictionary());
    let text = render::schema(name, &tables, &keys, &found);
    let mut concepts: Vec<String> = found.iter().map(|source| source.concept.clone()).collect();
    concepts.dedup();
    let mut read: Vec<usize> = found.iter().map(|source| source.table).collect();
    read.push(keys.records);
    read.sort_unstable();
    read.dedup();
    Ok(FolderDraft { text, tables: (tables.len(), read.len()), concepts })
}
