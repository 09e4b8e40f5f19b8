//! Items that a table of the extract relates to those that are named: the code of a vocabulary to its number,
//! an ancestor to its descendants.

use std::collections::{BTreeMap, BTreeSet};

use super::plan::Plan;
use super::plan_events::{PlannedTable, Target};
use crate::ingest::files::SourceFile;
use crate::ingest::typed::file::{Opening, TypedFile, Wanted};
use crate::ingest::typed::items::PAIR;
use crate::ingest::{IngestError, find};
use crate::message::{Message, Weight, plural};
use crate::schema::{DType, Item, Related};

/// The files of relations, by what they are called, and what to know about them.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Relations {
    pub(in crate::ingest) files: Vec<(String, Vec<TypedFile>)>,
    pub(in crate::ingest) messages: Vec<Message>,
}

/// Lets the rows of related items feed what the named ones feed, table by table and relation by relation.
///
/// # Errors
/// A file of a relation that cannot be read, or lacks one of its columns.
pub(in crate::ingest) fn relate(
    plan: &mut Plan<'_>,
    listed: &[SourceFile],
) -> Result<Relations, IngestError> {
    let mut all = Relations::default();
    for planned in &mut plan.events {
        let mut known = BTreeSet::new();
        for relation in &planned.columns.related {
            let files = open(planned, relation, listed)?;
            if files.is_empty() {
                all.messages.push(absent(planned, relation));
                continue;
            }
            let found = read(planned, relation, &files)?;
            known.extend(found.values().flatten().cloned());
            all.messages.extend(add(planned, relation, found));
            all.files.push((relation.name(), files));
        }
        all.messages.extend(forget_codes(planned, &known));
    }
    Ok(all)
}

fn open(
    planned: &PlannedTable<'_>,
    relation: &Related,
    listed: &[SourceFile],
) -> Result<Vec<TypedFile>, IngestError> {
    let text =
        |name: &String| Wanted { name: name.clone(), others: Vec::new(), dtype: DType::Text, is_code: true };
    let mut wanted: Vec<Wanted> = relation.from.iter().map(text).collect();
    wanted.push(Wanted { dtype: item_type(planned), ..text(&relation.to) });
    let (mut files, mut lacking) = (Vec::new(), Vec::new());
    for file in find::of_table(listed, &relation.name(), &relation.files)? {
        let shown = file.name.clone();
        match TypedFile::open(file, &wanted, Opening { skip_bad: false, id_in_name: None })? {
            Ok(file) => files.push(file),
            Err(columns) => lacking.push((shown, columns)),
        }
    }
    if lacking.is_empty() { Ok(files) } else { Err(IngestError::MissingTableColumns(lacking)) }
}

fn item_type(planned: &PlannedTable<'_>) -> DType {
    planned.places.item.map_or(DType::Text, |item| planned.wanted[item].dtype)
}

/// The related items, each with the named ones that it belongs to.
fn read(
    planned: &PlannedTable<'_>,
    relation: &Related,
    files: &[TypedFile],
) -> Result<BTreeMap<Item, BTreeSet<Item>>, IngestError> {
    let named: BTreeMap<String, &Item> = planned.items.keys().map(|item| (text_of(item), item)).collect();
    let is_number = item_type(planned) == DType::Integer;
    let to = relation.from.len();
    let mut found: BTreeMap<Item, BTreeSet<Item>> = BTreeMap::new();
    for file in files {
        file.scan(|columns, _| {
            for row in 0..columns[to].len() {
                let parts: Option<Vec<String>> = (0..to).map(|at| columns[at].to_text(row)).collect();
                let Some(item) = parts.and_then(|parts| named.get(&parts.join(PAIR))) else { continue };
                let Some(text) = columns[to].to_text(row) else { continue };
                let related = match text.parse() {
                    Ok(number) if is_number => Item::Id(number),
                    _ if is_number => return Err(file.wrong_cell(to)),
                    _ => Item::Name(text),
                };
                if related != **item {
                    found.entry(related).or_default().insert((*item).clone());
                }
            }
            Ok(())
        })?;
    }
    Ok(found)
}

/// An item that is named itself stays what it is. One that belongs to named items of different variables, or
/// to several that are read differently, is not known to be either, and is left out.
fn add(
    planned: &mut PlannedTable<'_>,
    relation: &Related,
    found: BTreeMap<Item, BTreeSet<Item>>,
) -> Vec<Message> {
    let (mut added, mut unclear) = (Vec::new(), Vec::new());
    for (related, of) in found {
        if planned.items.contains_key(&related) {
            continue;
        }
        let mut targets: Vec<&Vec<Target>> = of.iter().map(|item| &planned.items[item]).collect();
        targets.dedup();
        match targets.as_slice() {
            [only] => added.push((related, (*only).clone())),
            _ => unclear.push(text_of(&related)),
        }
    }
    let name = &planned.table.name;
    let mut messages = Vec::new();
    if !added.is_empty() {
        let n = added.len();
        let text = format!(
            "table {name}: {n} {} of {} {} as the items to which it relates them",
            plural(n, "item", "items"),
            relation.name(),
            plural(n, "counts", "count")
        );
        messages.push(Message::table(Weight::Choice, name, text).counting(n));
    }
    if !unclear.is_empty() {
        let n = unclear.len();
        let text = format!(
            "table {name}: {n} {} of {} {} to items of several variables, and {} left out: {}",
            plural(n, "item", "items"),
            relation.name(),
            plural(n, "relates", "relate"),
            plural(n, "is", "are"),
            some(&unclear)
        );
        messages.push(Message::table(Weight::LeftOut, name, text).counting(n));
    }
    planned.items.extend(added);
    messages
}

/// Codes are no items of a column of numbers: those that no relation knows are taken out and named.
fn forget_codes(planned: &mut PlannedTable<'_>, known: &BTreeSet<Item>) -> Option<Message> {
    if item_type(planned) != DType::Integer {
        return None;
    }
    let is_code = |item: &Item| matches!(item, Item::Name(_));
    let mut unknown: Vec<String> =
        planned.items.keys().filter(|item| is_code(item) && !known.contains(*item)).map(text_of).collect();
    unknown.sort();
    planned.items.retain(|item, _| !is_code(item));
    let (name, n) = (&planned.table.name, unknown.len());
    (n > 0).then(|| {
        let text = format!(
            "table {name}: {n} {} found in no relation: {}",
            plural(n, "code was", "codes were"),
            some(&unknown)
        );
        Message::table(Weight::LeftOut, name, text).counting(n)
    })
}

fn absent(planned: &PlannedTable<'_>, relation: &Related) -> Message {
    let name = &planned.table.name;
    let text = format!(
        "table {name}: there is no file {}, so that only rows of the items that are named count",
        relation.files.join(" or ")
    );
    Message::table(Weight::LeftOut, name, text)
}

fn text_of(item: &Item) -> String {
    match item {
        Item::Id(id) => id.to_string(),
        Item::Name(name) => name.clone(),
    }
}

/// The first of many names.
fn some(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN { format!("{shown} and {} more", names.len() - SHOWN) } else { shown }
}
