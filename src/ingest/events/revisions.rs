//! Results that were corrected: of the rows of one record, item and time, those with the largest revision
//! count.
//!
//! The aggregates of a window cannot give a row back, so a table with revisions is read twice: first for the
//! largest revision of each key, then for the rows. 16 to 32 bytes are held for each key.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::duplicates::{Identity, id_hash, mix};
use super::lookup::Lookup;
use crate::ingest::IngestError;
use crate::ingest::cohort::plan_events::PlannedTable;
use crate::ingest::typed::batch::{BatchColumn, Key, WrongCell};
use crate::ingest::typed::file::TypedFile;

/// The largest revision of each key.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Revisions {
    largest: HashMap<u64, f64, BuildHasherDefault<Identity>>,
}

impl Revisions {
    /// Reads the revisions of a table, if it has any.
    ///
    /// # Errors
    /// What is wrong with the files.
    pub(in crate::ingest) fn read(
        planned: &PlannedTable<'_>,
        lookup: &Lookup<'_>,
        files: &[TypedFile],
    ) -> Result<Option<Self>, IngestError> {
        let (Some(at), Some((item, set))) = (planned.places.revision, lookup.set()) else { return Ok(None) };
        let mut revisions = Self::default();
        for file in files {
            file.scan_items(item, &set, |columns, _| {
                for row in 0..columns.first().map_or(0, BatchColumn::len) {
                    let key = key(planned, lookup, columns, row);
                    let key = key.map_err(|(column, WrongCell)| file.wrong_cell(column))?;
                    if let Some(key) = key {
                        let largest = revisions.largest.entry(key).or_insert(f64::NEG_INFINITY);
                        *largest = largest.max(revision(columns, at, row));
                    }
                }
                Ok(())
            })?;
        }
        Ok(Some(revisions))
    }

    /// Whether another row of the same record, item and time corrects this one.
    ///
    /// # Errors
    /// A cell that is no id, with the place of its column.
    pub(in crate::ingest) fn corrects(
        &self,
        planned: &PlannedTable<'_>,
        lookup: &Lookup<'_>,
        columns: &[BatchColumn],
        row: usize,
    ) -> Result<bool, (usize, WrongCell)> {
        let Some(at) = planned.places.revision else { return Ok(false) };
        let largest = key(planned, lookup, columns, row)?.and_then(|key| self.largest.get(&key).copied());
        Ok(largest.is_some_and(|largest| revision(columns, at, row) < largest))
    }
}

/// The revision of a row; one that says none comes before all others.
fn revision(columns: &[BatchColumn], at: usize, row: usize) -> f64 {
    columns[at].number(row).filter(|x| !x.is_nan()).unwrap_or(f64::NEG_INFINITY)
}

/// Hash of the record or subject, the item and the time of a row; none where one of them is missing.
fn key(
    planned: &PlannedTable<'_>,
    lookup: &Lookup<'_>,
    columns: &[BatchColumn],
    row: usize,
) -> Result<Option<u64>, (usize, WrongCell)> {
    let Some((item, _)) = lookup.item(columns, row)? else { return Ok(None) };
    let places = &planned.places;
    let Some(place) = places.record.or(places.subject) else { return Ok(None) };
    let id = match columns[place].key(row).map_err(|wrong| (place, wrong))? {
        None => return Ok(None),
        Some(Key::Number(n)) => mix(n as u64),
        Some(Key::Text(text)) => id_hash(text),
    };
    let time = columns[places.time].number(row);
    Ok(time.map(|time| mix(mix(id ^ item as u64) ^ time.to_bits())))
}
