//! The files of the tables that a plan reads, found in the folder of an extract.

use std::path::Path;

use super::cache;
use super::file::{Opening, TypedFile, Wanted};
use crate::ingest::cohort::lost::without;
use crate::ingest::cohort::plan::Plan;
use crate::ingest::cohort::related;
use crate::ingest::files::{self, SourceFile};
use crate::ingest::find;
use crate::ingest::{BadRows, IngestError, IngestOptions, IngestProgress, InputFile};
use crate::message::{Message, Weight};

/// The files of each table in use, headers matched.
pub(in crate::ingest) struct Tables {
    files: Vec<(String, Vec<TypedFile>)>,
    /// About files that may be missing.
    pub(in crate::ingest) messages: Vec<Message>,
}

/// The files of an extract, with those in folders where the schema names folders.
pub(in crate::ingest) fn listed(plan: &Plan<'_>, input: &Path) -> Result<Vec<SourceFile>, IngestError> {
    let in_folders = plan.schema.tables.iter().flat_map(|t| &t.files).any(|stem| stem.contains('/'));
    if in_folders { files::tree(input) } else { files::list(input) }
}

impl Tables {
    /// Finds the files, lets related items feed what the named ones feed, and puts stores in the place of
    /// those that are to have one.
    pub(in crate::ingest) fn open(
        plan: &mut Plan<'_>,
        input: &Path,
        options: &IngestOptions,
        progress: &dyn IngestProgress,
    ) -> Result<Self, IngestError> {
        let listed = listed(plan, input)?;
        let related = related::relate(plan, &listed)?;
        let mut tables = Self::find(plan, input, &listed, options.bad_rows == BadRows::Skip)?;
        tables.files.extend(related.files);
        tables.messages.extend(related.messages);
        if let Some(dir) = &options.cache {
            tables.store(plan, dir, progress)?;
        }
        Ok(tables)
    }

    fn find(
        plan: &Plan<'_>,
        input: &Path,
        listed: &[SourceFile],
        skip_bad: bool,
    ) -> Result<Self, IngestError> {
        let events = plan.events.iter().map(|e| (e.table.name.as_str(), &e.wanted));
        let needed: Vec<(&str, &Vec<Wanted>)> =
            plan.facts.iter().map(|(name, wanted)| (name.as_str(), wanted)).chain(events).collect();
        let (mut found, mut absent, mut lacking, mut messages) =
            (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for (name, wanted) in &needed {
            let table = plan.schema.table(name).expect("invariant: the plan names tables of the schema");
            // A single file is the only table there is, whatever its name.
            let of_table: Vec<SourceFile> = match needed.len() {
                1 if input.is_file() => listed.to_vec(),
                _ => find::of_table(listed, name, &table.files)?,
            };
            if of_table.is_empty() && table.optional {
                messages.push(Message::table(Weight::LeftOut, name, without(plan, table)));
            } else if of_table.is_empty() {
                absent.push(((*name).to_string(), table.files.clone()));
            }
            // One of two halves is easily left behind. A pattern may well match nothing.
            let several = !of_table.is_empty() || !table.optional;
            for stem in table.files.iter().filter(|s| !s.contains(['*', '/']) && several && !input.is_file())
            {
                let here = of_table.iter().any(|f| find::is_of(&f.stem, &stem.to_lowercase()));
                if !here && !table.files.iter().any(|p| p.contains('*')) {
                    let text = format!("table {name}: there is no file {stem}");
                    messages.push(Message::table(Weight::LeftOut, name, text));
                }
            }
            let mut typed = Vec::new();
            let opening = Opening { skip_bad, id_in_name: table.id_in_name.as_ref() };
            for file in of_table {
                let shown = file.name.clone();
                let separator = table.separator.and_then(|c| u8::try_from(c).ok());
                match TypedFile::open(file.with_separator(separator), wanted, opening)? {
                    Ok(file) => {
                        messages.extend(file.messages.iter().cloned());
                        typed.push(file);
                    }
                    Err(columns) => lacking.push((shown, columns)),
                }
            }
            found.push(((*name).to_string(), typed));
        }
        if !absent.is_empty() {
            return Err(IngestError::MissingTables { tables: absent, folder: input.display().to_string() });
        }
        if !lacking.is_empty() {
            return Err(IngestError::MissingTableColumns(lacking));
        }
        Ok(Self { files: found, messages })
    }

    /// Whether a table that may be missing is.
    pub(in crate::ingest) fn are_without(&self, name: &str) -> bool {
        self.files.iter().any(|(n, files)| n == name && files.is_empty())
    }

    pub(in crate::ingest) fn of(&self, name: &str) -> &[TypedFile] {
        self.files.iter().find(|(n, _)| n == name).map_or(&[], |(_, files)| files)
    }

    /// Puts stores in the place of event files.
    fn store(
        &mut self,
        plan: &Plan<'_>,
        dir: &Path,
        progress: &dyn IngestProgress,
    ) -> Result<(), IngestError> {
        // Ids of a long table come from all of its rows.
        for planned in plan.events.iter().filter(|_| !plan.is_long()) {
            let name = &planned.table.name;
            for (_, files) in self.files.iter_mut().filter(|(n, _)| n == name) {
                progress.begin(name, files.len(), files.iter().map(|f| f.file.size()).sum());
                let stores = std::mem::take(files);
                for file in stores {
                    files.push(cache::stored(file, plan.schema, name, planned.places.item, dir)?);
                }
                progress.end(name);
            }
        }
        Ok(())
    }

    /// What there is to say about the files, now that they have been read.
    pub(in crate::ingest) fn said(&self) -> impl Iterator<Item = Message> {
        let files = self.files.iter().flat_map(|(_, files)| files);
        files.flat_map(|file| {
            file.cached.as_ref().map_or_else(|| file.file.messages(), |note| note.said.clone())
        })
    }

    pub(in crate::ingest) fn fingerprints(
        &self,
        other: Option<&Self>,
    ) -> Result<Vec<InputFile>, IngestError> {
        let all = self.files.iter().chain(other.iter().flat_map(|t| &t.files));
        let mut files: Vec<&TypedFile> = all.flat_map(|(_, files)| files).collect();
        files.sort_by(|a, b| a.file.name.cmp(&b.file.name));
        files.dedup_by(|a, b| a.file.name == b.file.name);
        let fingerprint = |file: &TypedFile| match &file.cached {
            Some(note) => {
                // What was read is the store; its source was compared when the store was chosen.
                file.file.is_as_found()?;
                Ok(note.source().clone())
            }
            None => file.file.fingerprint(),
        };
        files.into_iter().map(fingerprint).collect()
    }
}
