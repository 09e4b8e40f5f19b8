//! Items of the schema that the dictionary of a release does not list.

use std::collections::HashSet;

use super::finding::Checked;
use crate::ingest::cohort::plan::Plan;
use crate::ingest::cohort::plan_events::PlannedTable;
use crate::ingest::files::SourceFile;
use crate::ingest::typed::batch::Key;
use crate::ingest::typed::file::{Opening, TypedFile, Wanted};
use crate::schema::{DType, Item};

/// Larger files are no dictionaries.
const LARGEST: u64 = 16 << 20;

/// Item numbers by the name of their column, of all dictionaries of a folder together.
pub(super) type Dictionaries = Vec<(String, HashSet<i64>)>;

/// Reads the tables whose name begins with `d_`, as the dictionaries of MIMIC are called (`d_items`).
pub(super) fn read(listed: &[SourceFile]) -> Dictionaries {
    let mut all = Dictionaries::new();
    let is_dictionary = |file: &&SourceFile| {
        file.stem.rsplit('/').next().is_some_and(|name| name.starts_with("d_")) && file.size() <= LARGEST
    };
    for file in listed.iter().filter(is_dictionary) {
        let name = "itemid".to_owned();
        let wanted =
            [Wanted { name: name.clone(), others: Vec::new(), dtype: DType::Integer, is_code: true }];
        // A table of another kind, and one that cannot be read: it is not needed to read the extract.
        let Ok(Ok(typed)) =
            TypedFile::open(file.clone(), &wanted, Opening { skip_bad: true, id_in_name: None })
        else {
            continue;
        };
        let mut items = HashSet::new();
        let read = typed.scan(|columns, _| {
            let column = &columns[0];
            items.extend((0..column.len()).filter_map(|row| match column.key(row) {
                Ok(Some(Key::Number(item))) => Some(item),
                _ => None,
            }));
            Ok(())
        });
        if read.is_err() {
            continue;
        }
        match all.iter_mut().find(|(column, _)| *column == name) {
            Some((_, known)) => known.extend(items),
            None => all.push((name, items)),
        }
    }
    all
}

/// Says which items of a table are in no dictionary, where most of them are in one.
pub(super) fn look_up(
    plan: &Plan<'_>,
    planned: &PlannedTable<'_>,
    all: &Dictionaries,
    checked: &mut Checked,
) {
    let Some(column) = planned.places.item.map(|at| planned.wanted[at].name.as_str()) else { return };
    let Some((_, known)) = all.iter().find(|(name, _)| name.eq_ignore_ascii_case(column)) else { return };
    let (mut absent, mut present): (Vec<(i64, &str)>, usize) = (Vec::new(), 0);
    for (item, targets) in &planned.items {
        let Item::Id(item) = item else { continue };
        match targets.first() {
            _ if known.contains(item) => present += 1,
            Some(target) => absent.push((*item, plan.variables[target.variable].variable.name.as_str())),
            None => {}
        }
    }
    // The dictionary of another table lists none of them.
    if absent.is_empty() || absent.len() > present {
        return;
    }
    absent.sort_unstable();
    let named: Vec<String> = absent.iter().map(|(item, variable)| format!("{item} ({variable})")).collect();
    let text = format!(
        "{} of the {} items in use are in no dictionary of this release: {}",
        absent.len(),
        absent.len() + present,
        named.join(", ")
    );
    checked.note(&planned.table.name, None, text);
}
