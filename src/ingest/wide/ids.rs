//! The column of a new table that holds the ids of its records.

use crate::ingest::IngestError;
use crate::ingest::source::StoredType;
use crate::message::{Message, Weight, counted, plural};
use crate::num::repeated::Repeated;

use super::cells::{Key, hash_text, id_text};
use super::names::{Named, named};
use super::table::WideFile;

/// A column of record ids, and how many rows it does not tell apart.
#[derive(Debug, Clone, Copy)]
pub(super) struct RecordIds {
    /// Place in the header.
    pub(super) at: usize,
    /// Rows without an id.
    absent: u64,
    /// Rows whose id another row has as well.
    repeated: u64,
}

/// What was met in a column that may hold ids.
#[derive(Default)]
struct Met {
    hashes: Repeated,
    rows: u64,
    absent: u64,
    /// Cells that are no ids, such as fractions.
    other: u64,
}

impl RecordIds {
    /// A column outside `taken` that holds record ids: one in which all rows differ, or the one that is
    /// called the id of a record, even where it is empty or repeats in some rows. To number the rows instead
    /// would give a record the name of another.
    ///
    /// # Errors
    /// What reading reports.
    pub(super) fn find(file: &WideFile, taken: &[usize]) -> Result<Option<Self>, IngestError> {
        let rank = |what: Named| match what {
            Named::Record => 0,
            Named::Stay => 1,
            Named::Patient | Named::Place => 2,
        };
        let mut candidates: Vec<(Named, usize)> = (0..file.header.len())
            .filter(|at| !taken.contains(at))
            .filter(|at| !matches!(file.source.columns[*at].stored, StoredType::Unreadable(_)))
            .filter_map(|at| Some((named(&file.header[at]).filter(|what| *what != Named::Place)?, at)))
            .collect();
        candidates.sort_by_key(|(what, at)| (rank(*what), *at));
        if candidates.is_empty() {
            return Ok(None);
        }
        let wanted: Vec<usize> = candidates.iter().map(|(_, at)| *at).collect();
        let mut met: Vec<Met> = wanted.iter().map(|_| Met::default()).collect();
        file.source.read(&wanted, |batch| {
            for (at, met) in met.iter_mut().enumerate() {
                batch.each_cell(at, |_, cell| {
                    met.rows += 1;
                    match (Key::of(cell), id_text(cell)) {
                        (Key::Absent, _) | (_, None) => met.absent += 1,
                        (Key::Other, _) => met.other += 1,
                        (_, Some(id)) => met.hashes.insert(hash_text(&id)),
                    }
                });
            }
            Ok(())
        })?;
        let rows = met.first().map_or(0, |met| met.rows);
        let found: Vec<(Named, Self)> = candidates
            .into_iter()
            .zip(met)
            .filter(|(_, met)| met.other == 0)
            .map(|((what, at), met)| (what, Self { at, absent: met.absent, repeated: met.hashes.count() }))
            .collect();
        let tells_all = |ids: &Self| ids.absent == 0 && ids.repeated == 0;
        let tells_most =
            |(what, ids): &(Named, Self)| *what == Named::Record && 2 * (ids.absent + ids.repeated) <= rows;
        let all = found.iter().map(|(_, ids)| *ids).find(tells_all);
        Ok(all.or_else(|| found.iter().find(|found| tells_most(found)).map(|(_, ids)| *ids)))
    }

    /// What to say of rows that the ids do not tell apart.
    pub(super) fn message(&self, name: &str) -> Option<Message> {
        let n = self.absent + self.repeated;
        let mut parts = Vec::new();
        if self.repeated > 0 {
            let share = plural(self.repeated, "shares its id with another", "share their id with another");
            parts.push(format!("{} {share}", counted(self.repeated, "row", "rows")));
        }
        if self.absent > 0 {
            let lack = plural(self.absent, "has no id and is called", "have no id and are called");
            parts.push(format!("{} {lack} `row` with its number", counted(self.absent, "row", "rows")));
        }
        (n > 0).then(|| {
            let text = format!("column `{name}` does not tell all records apart: {}", parts.join(", "));
            Message::column(Weight::Wrong, name, text).counting(n)
        })
    }
}
