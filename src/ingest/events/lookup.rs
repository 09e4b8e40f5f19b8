//! A table's items and drop rules made ready for the rows.

use std::collections::BTreeMap;

use polars_core::prelude::{PlHashMap, PlHashSet};

use crate::schema::Item;

use super::keep::KeepTest;
use crate::ingest::cohort::plan_events::{PlannedTable, Target};
use crate::ingest::text::matches;
use crate::ingest::typed::batch::{BatchColumn, Key, WrongCell};
use crate::ingest::typed::file::ItemSet;
use crate::ingest::typed::items::{Form, ItemTexts, PAIR};

/// The place of an item among the targets, and the unit that its text says.
pub(in crate::ingest) type Named<'c> = (usize, Option<&'c str>);

/// A table's items and drop rules made ready for look-up.
#[derive(Debug)]
pub(in crate::ingest) struct Lookup<'p> {
    /// Place of the table among the event tables in use.
    pub(in crate::ingest) table: u16,
    numbers: PlHashMap<i64, usize>,
    names: PlHashMap<&'p str, usize>,
    /// Names with `*`, in their order.
    patterns: Vec<(&'p str, usize)>,
    form: Option<Form>,
    place: Option<usize>,
    within: Option<usize>,
    /// Columns that are items, with the places of their targets.
    pub(in crate::ingest) cells: Vec<(usize, usize)>,
    keep: Vec<KeepTest>,
    pub(in crate::ingest) targets: Vec<&'p [Target]>,
    pub(in crate::ingest) drops: Vec<DropTest<'p>>,
}

/// A drop rule: texts, and the numbers they stand for.
#[derive(Debug)]
pub(in crate::ingest) struct DropTest<'p> {
    place: usize,
    texts: Vec<&'p str>,
    numbers: Vec<f64>,
}

impl DropTest<'_> {
    /// Null-safe: a null never equals. A flag may be written `1`, `1.0` or `true`.
    pub(in crate::ingest) fn drops(&self, columns: &[BatchColumn], row: usize) -> bool {
        let column = &columns[self.place];
        let text = column.text(row).map(str::trim);
        match text {
            Some(text) if self.texts.contains(&text) => true,
            _ if self.numbers.is_empty() => false,
            _ => column.number(row).or_else(|| truth(text?)).is_some_and(|x| self.numbers.contains(&x)),
        }
    }
}

/// The number that a truth value in words stands for.
fn truth(text: &str) -> Option<f64> {
    let is = |words: [&str; 3]| words.iter().any(|word| text.eq_ignore_ascii_case(word));
    match (is(["true", "t", "yes"]), is(["false", "f", "no"])) {
        (true, _) => Some(1.0),
        (_, true) => Some(0.0),
        _ => None,
    }
}

impl<'p> Lookup<'p> {
    pub(in crate::ingest) fn new(planned: &'p PlannedTable<'_>, table: u16) -> Self {
        let mut lookup = Self {
            table,
            numbers: PlHashMap::default(),
            names: PlHashMap::default(),
            patterns: Vec::new(),
            form: planned.columns.item_form.as_deref().map(Form::new),
            place: planned.places.item,
            within: planned.places.item_within,
            cells: Vec::new(),
            keep: planned.table.keep.iter().zip(&planned.places.keep).map(KeepTest::new).collect(),
            targets: Vec::new(),
            drops: Vec::new(),
        };
        // In item order, so that places do not depend on a hash seed.
        for (item, targets) in planned.items.iter().collect::<BTreeMap<_, _>>() {
            match item {
                Item::Id(id) => drop(lookup.numbers.insert(*id, lookup.targets.len())),
                Item::Name(name) if lookup.place.is_some() && name.contains('*') => {
                    lookup.patterns.push((name, lookup.targets.len()));
                }
                Item::Name(name) => drop(lookup.names.insert(name, lookup.targets.len())),
            }
            lookup.targets.push(targets);
        }
        for &cell in &planned.places.cells {
            let item = lookup.names.get(planned.wanted[cell].name.as_str());
            lookup.cells.extend(item.map(|item| (cell, *item)));
        }
        for (rule, place) in planned.columns.drop.iter().zip(&planned.places.drop) {
            let texts: Vec<_> = rule.equals.iter().map(|t| t.trim()).collect();
            let numbers = texts.iter().filter_map(|t| t.parse().ok()).collect();
            lookup.drops.push(DropTest { place: *place, texts, numbers });
        }
        lookup
    }

    /// The place of a row's item among the targets, and the unit that the text of the item says.
    ///
    /// # Errors
    /// A cell that is no item, with the place of its column.
    pub(in crate::ingest) fn item<'c>(
        &self,
        columns: &'c [BatchColumn],
        row: usize,
    ) -> Result<Option<Named<'c>>, (usize, WrongCell)> {
        let Some(place) = self.place else { return Ok(None) };
        let key = columns[place].key(row).map_err(|wrong| (place, wrong))?;
        let text = match key {
            None => return Ok(None),
            Some(Key::Number(n)) => return Ok(self.numbers.get(&n).map(|item| (*item, None))),
            Some(Key::Text(text)) => text,
        };
        let Some((item, unit)) = self.form.as_ref().map_or(Some((text, None)), |form| form.split(text))
        else {
            return Ok(None);
        };
        let found = match self.within {
            None => self.named(item),
            Some(within) => {
                let part = columns[within].text(row).map_or("", str::trim);
                self.named(&format!("{item}{PAIR}{part}"))
            }
        };
        Ok(found.map(|found| (found, unit)))
    }

    /// An exact name goes before a pattern, and a pattern before those that come later by their names.
    fn named(&self, text: &str) -> Option<usize> {
        let of_pattern =
            || self.patterns.iter().find(|(pattern, _)| matches(pattern, text)).map(|(_, at)| *at);
        self.names.get(text).copied().or_else(of_pattern)
    }

    /// Whether a row belongs to the table.
    pub(in crate::ingest) fn keeps(&self, columns: &[BatchColumn], row: usize) -> bool {
        self.keep.iter().all(|keep| keep.keeps(|place| columns[place].to_text(row)))
    }

    /// What a reader leaves rows of other items behind by; none where every row has items.
    pub(in crate::ingest) fn set(&self) -> Option<(usize, ItemSet)> {
        let place = self.place?;
        if self.names.is_empty() && self.patterns.is_empty() {
            return Some((place, ItemSet::Numbers(self.numbers.keys().copied().collect())));
        }
        // Of a pair, the first column tells enough to leave most rows behind.
        let first = |name: &str| match (self.within, name.split_once(PAIR)) {
            (Some(_), Some((first, _))) => first.to_owned(),
            _ => name.to_owned(),
        };
        let names = self.names.keys().map(|name| first(name)).collect::<PlHashSet<_>>();
        if self.form.is_none() && self.patterns.is_empty() {
            return Some((place, ItemSet::Names(names)));
        }
        let patterns = self.patterns.iter().map(|(pattern, _)| first(pattern)).collect();
        Some((place, ItemSet::Texts(ItemTexts { form: self.form.clone(), names, patterns })))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::typed::batch::Texts;

    #[test]
    fn a_flag_is_found_however_it_is_written() {
        let test = DropTest { place: 0, texts: vec!["1"], numbers: vec![1.0] };
        for (text, dropped) in [
            ("1", true),
            (" 1.0", true),
            ("True", true),
            ("t", true),
            ("0", false),
            ("f", false),
            ("x", false),
        ] {
            let mut texts = Texts::default();
            texts.push(Some(text));
            assert_eq!(test.drops(&[BatchColumn::Text(texts)], 0), dropped, "{text}");
        }
        assert!(test.drops(&[BatchColumn::Integer(vec![Some(1)])], 0));
        assert!(!test.drops(&[BatchColumn::Integer(vec![None])], 0), "a null never equals");
    }
}
