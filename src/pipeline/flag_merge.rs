//! `flag --merge`: the flags of parts of a table, as `flag --json PART.jsonl` wrote them → the flags of the
//! whole.

use std::collections::HashSet;
use std::fs::File;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use crate::error::IoError;
use crate::ingest::TableWriter;
use crate::message::{Message, Weight, counted};
use crate::outlier::{FlagRow, Flags, MergedTally, Rule, Warning};
use crate::output::keep_inputs;
use crate::plain_file;

use super::Error;
use super::flag_output::flag_columns;

/// Rows that are written together.
const BLOCK: usize = 4096;

/// Flags of parts that belong together.
#[derive(Debug, Clone, Copy)]
pub struct FlagMergeRequest<'a> {
    /// Files of one JSON object per record, in the order of the records.
    pub parts: &'a [PathBuf],
    /// Table to write.
    pub output: &'a Path,
    /// Whether to replace an existing one.
    pub force: bool,
    /// What decides.
    pub rule: Rule,
    /// Features named per explained record.
    pub explain: usize,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct FlagMergeSummary {
    /// Records of all parts.
    pub n_records: usize,
    /// Records flagged.
    pub n_flagged: usize,
    /// What the user should know.
    pub messages: Vec<Message>,
}

/// Calls `each` with every row of a part.
fn read(path: &Path, mut each: impl FnMut(FlagRow) -> Result<(), Error>) -> Result<(), Error> {
    let file: File = plain_file::open(path).map_err(IoError::on("read", path))?;
    for (i, line) in BufReader::new(file).lines().enumerate() {
        let line = line.map_err(IoError::on("read", path))?;
        let row = serde_json::from_str(&line).map_err(|_| Error::Usage {
            message: format!("{}: line {} is no record of flags", path.display(), i + 1),
            hint: "a part is a whole file that `flag --json PART.jsonl` wrote, one record a line".into(),
        })?;
        each(row)?;
    }
    Ok(())
}

/// Decides anew over the records of all parts, and writes one row each. The parts are read twice, so that
/// memory holds eight bytes a record.
///
/// # Errors
/// A part that is named twice, cannot be read, or is no file of flags.
pub fn flag_merge(request: &FlagMergeRequest<'_>) -> Result<FlagMergeSummary, Error> {
    keep_inputs(request.output, request.parts.iter().map(PathBuf::as_path))?;
    let mut places = HashSet::new();
    for path in request.parts {
        let place = path.canonicalize().map_err(IoError::on("read", path))?;
        if !places.insert(place) {
            return Err(Error::Usage {
                message: format!("{} is named twice, and its records would count twice", path.display()),
                hint: "name every part once".into(),
            });
        }
    }
    let mut table = TableWriter::begin(request.output, request.force)?;
    let mut tally = MergedTally::new(request.rule)?;
    let (mut ids, mut repeated) = (HashSet::new(), 0_usize);
    for path in request.parts {
        read(path, |row| {
            let mut hasher = DefaultHasher::new();
            row.record_id.hash(&mut hasher);
            repeated += usize::from(!ids.insert(hasher.finish()));
            tally.add(&row);
            Ok(())
        })?;
    }
    drop(ids);
    let decisions = tally.decide();
    let (mut at, mut lacking) = (0, 0_usize);
    let mut rows = Vec::with_capacity(BLOCK);
    let mut write = |rows: Vec<FlagRow>| {
        let flags = Flags { rows, explain_top: request.explain, ..Flags::default() };
        table.write(&flag_columns(&flags, None))
    };
    for path in request.parts {
        read(path, |row| {
            let (row, lacks) = decisions.verdict(at, row);
            (at, lacking) = (at + 1, lacking + usize::from(lacks));
            rows.push(row);
            if rows.len() == BLOCK {
                write(std::mem::take(&mut rows))?;
            }
            Ok(())
        })?;
    }
    write(rows)?;
    table.finish()?;
    let mut messages: Vec<Message> = decisions.warning().iter().map(Warning::message).collect();
    if repeated > 0 {
        let text = format!(
            "{} in more than one row: if these are the same records, they count twice",
            counted(repeated, "record id is", "record ids are")
        );
        messages.push(Message::records(Weight::Wrong, text).counting(repeated));
    }
    if lacking > 0 && request.explain > 0 {
        let text = format!(
            "{} no explanation, since the parts were flagged at a smaller level: flag them with --alpha at \
             the level of this run",
            counted(lacking, "flagged record has", "flagged records have")
        );
        messages.push(Message::records(Weight::LeftOut, text).counting(lacking));
    }
    Ok(FlagMergeSummary { n_records: decisions.n_records, n_flagged: decisions.n_flagged, messages })
}
