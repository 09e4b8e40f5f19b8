//! `part.json`: what a part is of, what its columns are, and the account of what was read for it.

use std::io::ErrorKind::{NotADirectory, NotFound};
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::error::PartError;
use crate::error::IoError;
use crate::ingest::cohort::share::Account;
use crate::ingest::{Audit, Cells, Column, Part, Spelling, Subjects};
use crate::plain_file;
use crate::schema::{Kind, Pipeline, Schema};

/// Version of the folder's format.
pub(super) const FORMAT_VERSION: u32 = 1;
pub(super) const MANIFEST: &str = "part.json";

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct PartManifest {
    pub(super) part_format_version: u32,
    pub(super) program_version: String,
    pub(super) part: Part,
    pub(super) pipeline: Pipeline,
    pub(super) schema: Option<Schema>,
    pub(super) n_rows: usize,
    pub(super) rows_sha256: String,
    pub(super) columns: Vec<Head>,
    pub(super) labels: Vec<Head>,
    pub(super) content: Content,
}

/// What rows are of, and the account of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Content {
    /// Windows of records of a database.
    Cohort(Box<Account>),
    /// Rows of a wide table, of which every part has read all.
    Table(Box<TableAccount>),
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct TableAccount {
    /// Rows of the whole table.
    pub(super) n_rows: usize,
    pub(super) subjects: Whose,
    pub(super) declares_splits: bool,
    /// The account of the whole table.
    pub(super) audit: Audit,
}

/// Whom the rows of a wide table are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Whose {
    Records,
    Copies,
    Named,
}

impl Whose {
    pub(super) fn of(subjects: &Subjects) -> Self {
        match subjects {
            Subjects::Records => Self::Records,
            Subjects::Copies(_) => Self::Copies,
            Subjects::Named(_) => Self::Named,
        }
    }
}

/// A column without its cells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    name: String,
    label: String,
    group: String,
    unit: String,
    kind: Kind,
    resolution: Option<f64>,
    range: Option<(f64, f64)>,
    spelling: Spelling,
    pub(super) is_text: bool,
}

impl Head {
    pub(super) fn of(column: &Column) -> Self {
        Self {
            name: column.name.clone(),
            label: column.label.clone(),
            group: column.group.clone(),
            unit: column.unit.clone(),
            kind: column.kind,
            resolution: column.resolution,
            range: column.range,
            spelling: column.spelling.clone(),
            is_text: matches!(column.cells, Cells::Text(_)),
        }
    }

    pub(super) fn with(&self, cells: Cells) -> Column {
        Column {
            name: self.name.clone(),
            label: self.label.clone(),
            group: self.group.clone(),
            unit: self.unit.clone(),
            kind: self.kind,
            resolution: self.resolution,
            range: self.range,
            spelling: self.spelling.clone(),
            cells,
        }
    }
}

impl PartManifest {
    pub(super) fn read(dir: &Path) -> Result<Self, PartError> {
        #[derive(Deserialize)]
        struct Version {
            part_format_version: u32,
            program_version: String,
        }
        let path = dir.join(MANIFEST);
        plain_file::within(dir, &path)?;
        let bytes = plain_file::read(&path).map_err(|e| {
            if matches!(e.kind(), NotFound | NotADirectory) && dir.exists() {
                PartError::NotAPart { path: dir.to_path_buf(), file: MANIFEST }
            } else {
                IoError::on("read", &path)(e).into()
            }
        })?;
        let damaged = |source| PartError::Json { path: path.clone(), source };
        let version: Version = serde_json::from_slice(&bytes).map_err(damaged)?;
        let this = env!("CARGO_PKG_VERSION");
        if version.part_format_version != FORMAT_VERSION || version.program_version != this {
            let found = version.program_version;
            return Err(PartError::OtherVersion { path: dir.to_path_buf(), found, this });
        }
        serde_json::from_slice(&bytes).map_err(damaged)
    }
}
