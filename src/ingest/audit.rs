//! The account of an ingestion, written as `audit.json`: every row read is kept or dropped by a named reason.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::IoError;
use crate::message::Messages;
use crate::num::hex::hex;
use crate::plain_file::{self, Watch};

/// Whether a count need not be written.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde calls it with a reference")]
fn is_none(n: &u64) -> bool {
    *n == 0
}

/// Everything that happened between the files and the records.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Audit {
    /// Files read, in order of use.
    pub inputs: Vec<InputFile>,
    /// Records before the first rule and after each.
    pub cohort: Vec<CohortStep>,
    /// Per table: rows read, kept, dropped by reason.
    pub tables: Vec<TableAudit>,
    /// Per variable: conversions, out-of-range values, missing records.
    pub variables: Vec<VariableAudit>,
    /// Per column of a wide table: what it was taken for and why, and what its cells hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<ColumnAudit>,
    /// Things a user should know.
    #[serde(flatten)]
    pub messages: Messages,
}

/// A column of a wide table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ColumnAudit {
    /// Name as in the file.
    pub column: String,
    /// `id`, `group`, `split`, `ignore`, or the kind of a feature.
    pub role: String,
    /// What the role follows from.
    pub why: String,
    /// Cells with a value that is used; none are counted in columns that are left out.
    pub values: u64,
    /// Cells in which nothing was recorded.
    pub absent: u64,
    /// Cells that hold something that cannot be used, by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rejected: BTreeMap<String, u64>,
}

/// A file the bundle depends on.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct InputFile {
    /// File name without folder, so that equal inputs give equal bytes wherever they lie.
    pub name: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 in hexadecimal.
    pub sha256: String,
}

impl InputFile {
    /// Size and hash of a file as stored.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub(crate) fn of(path: &Path) -> Result<Self, IoError> {
        let mut file = plain_file::open(path).map_err(IoError::on("open", path))?;
        let mut hasher = Sha256::new();
        let mut buffer = vec![0; 1 << 20];
        let mut bytes = 0;
        loop {
            let read = file.read(&mut buffer).map_err(IoError::on("read", path))?;
            if read == 0 {
                break;
            }
            hasher.update(&buffer[..read]);
            bytes += read as u64;
        }
        let name = path.file_name().map_or_else(String::new, |n| n.to_string_lossy().into_owned());
        Ok(Self { name, bytes, sha256: hex(&hasher.finalize()) })
    }

    /// The same for a file that has been read, of which a change since then is noticed.
    ///
    /// # Errors
    /// A file that cannot be read, or that is not what it was.
    pub(crate) fn of_watched(file: &Watch) -> Result<Self, IoError> {
        let input = Self::of(file.path())?;
        file.end()?;
        Ok(input)
    }
}

/// One step of the cohort flow.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct CohortStep {
    /// Rule name; the first step is "all records".
    pub rule: String,
    /// Records before it.
    pub before: usize,
    /// Records after it.
    pub after: usize,
    /// Of those that failed, how many for a null.
    pub failed_null: usize,
}

/// Rows of one table.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TableAudit {
    /// Table name.
    pub table: String,
    /// Rows in its files.
    pub rows_read: u64,
    /// Rows that gave a measurement within the window of a record of the cohort; of static tables, rows
    /// joined.
    pub rows_kept: u64,
    /// Rows dropped, by reason; kept + dropped = read.
    pub dropped: BTreeMap<String, u64>,
}

/// Values of one variable, counted over the rows of the cohort within the window, before the rules that need
/// measurements (`MinFeatures`).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct VariableAudit {
    /// Variable name.
    pub variable: String,
    /// Measurements used by the features; those of a lower precedence are not.
    pub values_kept: u64,
    /// Units seen (trimmed, lower case; "" for none) with their row counts.
    pub units: BTreeMap<String, u64>,
    /// Measurements converted by another than the identity.
    pub converted: u64,
    /// Measurements with a unit that is neither that of the source nor convertible; dropped.
    pub unknown_unit: u64,
    /// Below the plausible range; dropped.
    pub below_range: u64,
    /// Above the plausible range; dropped.
    pub above_range: u64,
    /// Plausible values beyond the clipping range, set to its bound; kept.
    #[serde(default)]
    pub clipped: u64,
    /// Without a number, text that maps to none, a result beyond a limit of measurement, a missing code;
    /// dropped.
    pub not_a_number: u64,
    /// Measurements that were recorded and cannot be used, by reason. A record that has none but such is
    /// missing, and never takes the default of one where nothing was recorded.
    #[serde(default)]
    pub rejected: BTreeMap<String, u64>,
    /// Entries that say by a code that nothing was recorded; they count as absent.
    #[serde(default)]
    pub missing_codes: u64,
    /// Units of the measurements with an unknown unit, with their counts.
    #[serde(default)]
    pub unknown_units: BTreeMap<String, u64>,
    /// Units of measurements whose source lists none and whose variable knows no conversion, with their
    /// counts; their numbers are used as they are.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unlisted_units: BTreeMap<String, u64>,
    /// Windows without an entry behind one with another value than the default, in a table that does not say
    /// when what is charted ends.
    #[serde(default, skip_serializing_if = "is_none")]
    pub left_open: u64,
    /// Ages that the schema's `cap` stands for.
    #[serde(default, skip_serializing_if = "is_none")]
    pub capped: u64,
    /// Values that another table holds for the same record and time as well; they count once.
    #[serde(default)]
    pub mirrored: u64,
    /// Censored results replaced by half their limit.
    pub censored: u64,
    /// (record, item, time) keys with more than one accepted measurement; estimated, with a warning, where
    /// there are more keys than fit in memory.
    pub duplicate_keys: u64,
    /// Records of the cohort with no value.
    pub records_missing: u64,
    /// Of those, how many have entries that cannot be used. Nothing was recorded for the others.
    #[serde(default)]
    pub records_rejected: u64,
    /// Records of the cohort with a value that have entries besides that cannot be used.
    #[serde(default)]
    pub records_partly_rejected: u64,
    /// Whether it cannot be told at all, because the extract has not the tables that hold it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub lost: bool,
}
