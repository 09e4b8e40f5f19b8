//! Cells of known roles → columns of records.

use std::collections::HashSet;

use crate::schema::{Kind, Split};

use super::roles::{Role, boolean};
use super::rows::{Cell, WideFile};
use super::split_named;
use crate::ingest::text::{parse_number, shortest};
use crate::ingest::{Audit, Cells, CohortStep, Column, IngestError, RecordTable, VariableAudit};

/// Columns under construction, row by row.
#[derive(Debug)]
pub(super) struct Builder<'h> {
    header: &'h [String],
    roles: &'h [Role],
    cells: Vec<Option<Cells>>,
    /// Fractions met in columns inferred to be whole.
    fractions: Vec<u64>,
    ids: Vec<String>,
    groups: Vec<Option<String>>,
    splits: Vec<Split>,
    n_rows: usize,
    met: HashSet<String>,
    repeated: HashSet<String>,
    /// File and row of the first repeated id.
    again: Option<(String, u64)>,
}

impl<'h> Builder<'h> {
    pub(super) fn new(header: &'h [String], roles: &'h [Role]) -> Self {
        let cells = |role: &Role| match role {
            Role::Number { .. } => Some(Cells::Number(Vec::new())),
            Role::Levels => Some(Cells::Text(Vec::new())),
            Role::Id | Role::Group | Role::Split | Role::Ignored => None,
        };
        Self {
            header,
            roles,
            cells: roles.iter().map(cells).collect(),
            fractions: vec![0; roles.len()],
            ids: Vec::new(),
            groups: Vec::new(),
            splits: Vec::new(),
            n_rows: 0,
            met: HashSet::new(),
            repeated: HashSet::new(),
            again: None,
        }
    }

    /// Takes a row; `cell` gives its cell of a column.
    pub(super) fn row<'c>(
        &mut self,
        file: &WideFile,
        row: u64,
        cell: impl Fn(usize) -> Cell<'c>,
    ) -> Result<(), IngestError> {
        for column in 0..self.roles.len() {
            let place = Place { file: &file.file.name, row, column: &self.header[column] };
            let cell = cell(column);
            match (self.roles[column], &mut self.cells[column]) {
                (Role::Number { kind, declared }, Some(Cells::Number(out))) => {
                    let x = number(cell, kind, &place)?;
                    if x.fract() != 0.0 && !x.is_nan() && kind != Kind::Continuous {
                        if declared {
                            return Err(place.wrong("a whole number", &declare(place.column, "continuous")));
                        }
                        self.fractions[column] += 1;
                    }
                    out.push(x);
                }
                (_, Some(Cells::Text(out))) => out.push(text(cell)),
                (Role::Id, _) => {
                    let id = text(cell).ok_or_else(|| {
                        place.wrong("an id: it is empty", "give every row an id, or declare another column")
                    })?;
                    if !self.met.insert(id.clone()) {
                        self.repeated.insert(id.clone());
                        self.again.get_or_insert_with(|| (file.file.name.clone(), row));
                    }
                    self.ids.push(id);
                }
                (Role::Group, _) => self.groups.push(text(cell)),
                (Role::Split, _) => {
                    let split = text(cell).as_deref().and_then(split_named).ok_or_else(|| {
                        place.wrong("one of train, validation, calibration, test", "correct the cell")
                    })?;
                    self.splits.push(split);
                }
                (Role::Ignored | Role::Levels | Role::Number { .. }, _) => {}
            }
        }
        if let Some(split) = file.split {
            self.splits.push(split);
        }
        self.n_rows += 1;
        Ok(())
    }

    /// The table; `splits_by_file` when every file stands for a split.
    pub(super) fn finish(self, mut audit: Audit, splits_by_file: bool) -> Result<RecordTable, IngestError> {
        if let Some((file, row)) = self.again {
            let id = self.roles.iter().position(|r| *r == Role::Id).map_or("", |at| self.header[at].as_str());
            return Err(IngestError::DuplicateIds {
                file,
                column: id.into(),
                count: self.repeated.len(),
                row,
            });
        }
        let n = self.n_rows;
        let has_ids = self.roles.contains(&Role::Id);
        let record_ids = if has_ids { self.ids } else { (1..=n).map(|row| row.to_string()).collect() };
        let subject_ids = if self.roles.contains(&Role::Group) {
            // A row without a group is a group of its own; the separator keeps it from meeting a named one.
            let own = |(group, id): (Option<String>, &String)| group.unwrap_or_else(|| format!("row {id}"));
            self.groups.into_iter().zip(&record_ids).map(own).collect()
        } else {
            record_ids.clone()
        };
        let has_splits = splits_by_file || self.roles.contains(&Role::Split);
        let mut columns = Vec::new();
        for (column, cells) in self.cells.into_iter().enumerate() {
            let Some(cells) = cells else { continue };
            let name = self.header[column].clone();
            if self.fractions[column] > 0 {
                audit.warnings.push(format!(
                    "column `{name}` holds whole numbers in the training rows and fractions in {} others; declare it \
                     continuous if it is",
                    self.fractions[column]
                ));
            }
            let missing = match &cells {
                Cells::Number(x) => x.iter().filter(|x| x.is_nan()).count(),
                Cells::Text(t) => t.iter().filter(|t| t.is_none()).count(),
            } as u64;
            audit.variables.push(VariableAudit {
                variable: name.clone(),
                values_kept: n as u64 - missing,
                records_missing: missing,
                ..VariableAudit::default()
            });
            let kind = match self.roles[column] {
                Role::Number { kind, .. } => kind,
                _ => Kind::Categorical,
            };
            columns.push(Column {
                label: name.clone(),
                name,
                group: String::new(),
                unit: String::new(),
                kind,
                resolution: None,
                range: None,
                cells,
            });
        }
        audit.cohort.push(CohortStep { rule: "all rows".into(), before: n, after: n, failed_null: 0 });
        Ok(RecordTable { record_ids, subject_ids, splits: has_splits.then_some(self.splits), columns, audit })
    }
}

/// Where a cell is, for messages.
struct Place<'p> {
    file: &'p str,
    row: u64,
    column: &'p str,
}

impl Place<'_> {
    fn wrong(&self, expected: &str, remedy: &str) -> IngestError {
        IngestError::WrongType {
            file: self.file.to_string(),
            row: self.row,
            column: self.column.to_string(),
            expected: expected.to_string(),
            remedy: remedy.to_string(),
        }
    }
}

fn declare(column: &str, kind: &str) -> String {
    format!("correct the cell, or pass --set role.{column}={kind}")
}

fn number(cell: Cell<'_>, kind: Kind, place: &Place<'_>) -> Result<f64, IngestError> {
    let x = match cell {
        Cell::Missing => return Ok(f64::NAN),
        Cell::Number(x) => Some(x),
        Cell::Integer(x) => Some(x as f64),
        Cell::Bool(b) => Some(f64::from(u8::from(b))),
        Cell::Text(text) => match parse_number(text) {
            None if kind == Kind::Binary => boolean(text).map(|b| f64::from(u8::from(b))),
            found => found,
        },
        Cell::Date => None,
    };
    match x {
        // −0 and 0 are one number to everything downstream.
        Some(x) if x.is_finite() => Ok(x + 0.0),
        Some(_) => Err(IngestError::NonFinite {
            file: place.file.to_string(),
            row: place.row,
            column: place.column.to_string(),
        }),
        None => Err(place.wrong(
            "a number",
            &format!(
                "{}, or list the text under `missing` of the pipeline",
                declare(place.column, "categorical")
            ),
        )),
    }
}

fn text(cell: Cell<'_>) -> Option<String> {
    match cell {
        Cell::Missing | Cell::Date => None,
        Cell::Text(text) => Some(text.to_string()),
        Cell::Number(x) => Some(shortest(x)),
        Cell::Integer(x) => Some(x.to_string()),
        Cell::Bool(b) => Some(b.to_string()),
    }
}
