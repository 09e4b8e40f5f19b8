//! The flagged rows of a table that `flag` wrote, read back for those who look at them one by one.

use std::path::Path;

use crate::ingest::{InputFile, TextTable};
use crate::outlier::ListedFlag;

use super::labels::truth;
use super::{Error, error};

/// A table of flags.
pub(super) struct FlagTable {
    /// Name without folder, size and hash.
    pub(super) file: InputFile,
    /// Rows of the table.
    pub(super) n_rows: usize,
    /// The flagged ones, the most unusual first.
    pub(super) flags: Vec<ListedFlag>,
}

/// Columns that have to be there.
const NEEDED: [&str; 4] = ["record_id", "score", "p_value", "flagged"];
/// Columns that flags without explanations or groups lack.
const OPTIONAL: [&str; 6] = ["group", "explanation", "feature_1", "observed_1", "suggested_1", "pattern_1"];

impl FlagTable {
    /// Reads a table of flags, CSV or Parquet.
    ///
    /// # Errors
    /// A file that is no table of flags, or holds a cell that `flag` does not write.
    pub(super) fn read(path: &Path) -> Result<Self, Error> {
        let table = TextTable::open(path)?;
        let place = |name: &str| table.header().iter().position(|h| h.trim().eq_ignore_ascii_case(name));
        let missing: Vec<String> =
            NEEDED.iter().filter(|name| place(name).is_none()).map(|name| format!("`{name}`")).collect();
        if !missing.is_empty() {
            return Err(Error::Usage {
                message: format!("{} has no column {}", path.display(), missing.join(", ")),
                hint: "give a table that `flag` wrote".into(),
            });
        }
        let optional = OPTIONAL.map(place);
        // A column that is not there reads as that of the ids, whose cells are then not looked at.
        let columns: Vec<usize> =
            NEEDED.into_iter().map(place).chain(optional).map(Option::unwrap_or_default).collect();
        let mut read = Self { file: InputFile::of(path)?, n_rows: 0, flags: Vec::new() };
        table.each(&columns, |place, cells| {
            read.n_rows += 1;
            let wrong = |what: &str| error::labels(path, format!("{place}: {what}"));
            let flagged = truth(&cells[3]).ok_or_else(|| wrong("`flagged` is neither true nor false"))?;
            if !flagged {
                return Ok(());
            }
            let score = match cells[1].as_str() {
                // What no score can be given is as unusual as can be.
                "" => f64::INFINITY,
                text => text.parse().map_err(|_| wrong("`score` is no number"))?,
            };
            let p_value = cells[2].parse().ok().filter(|p| (0.0..=1.0).contains(p));
            let p_value = p_value.ok_or_else(|| wrong("`p_value` is no probability"))?;
            let optional = |at: usize| optional[at].map(|_| cells[NEEDED.len() + at].clone());
            let text = |at: usize| optional(at).unwrap_or_default();
            read.flags.push(ListedFlag {
                row: read.n_rows,
                record_id: cells[0].clone(),
                score,
                p_value,
                group: optional(0).filter(|group| !group.is_empty()),
                explanation: text(1),
                feature: text(2),
                observed: text(3),
                suggested: text(4),
                pattern: text(5),
            });
            Ok::<(), Error>(())
        })?;
        // Of equally unusual ones the first of the table.
        read.flags.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.row.cmp(&b.row)));
        Ok(read)
    }

    /// What tells the table from every other: the beginning of its hash.
    pub(super) fn fingerprint(&self) -> &str {
        &self.file.sha256[..12]
    }
}
