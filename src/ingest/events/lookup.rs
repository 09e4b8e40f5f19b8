//! A table's items and drop rules made ready for the rows.

use std::collections::BTreeMap;

use polars_core::prelude::{PlHashMap, PlHashSet};

use crate::schema::Item;

use crate::ingest::cohort::plan::{PlannedTable, Target};
use crate::ingest::typed::batch::{BatchColumn, Key};
use crate::ingest::typed::file::ItemSet;

/// A table's items and drop rules made ready for look-up.
#[derive(Debug)]
pub(in crate::ingest) struct Lookup<'p> {
    /// Place of the table among the event tables in use.
    pub(in crate::ingest) table: u16,
    numbers: PlHashMap<i64, usize>,
    names: PlHashMap<&'p str, usize>,
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
            targets: Vec::new(),
            drops: Vec::new(),
        };
        // In item order, so that places do not depend on a hash seed.
        for (item, targets) in planned.items.iter().collect::<BTreeMap<_, _>>() {
            match item {
                Item::Id(id) => drop(lookup.numbers.insert(*id, lookup.targets.len())),
                Item::Name(name) => drop(lookup.names.insert(name, lookup.targets.len())),
            }
            lookup.targets.push(targets);
        }
        for (rule, place) in planned.columns.drop.iter().zip(&planned.places.drop) {
            let texts: Vec<_> = rule.equals.iter().map(|t| t.trim()).collect();
            let numbers = texts.iter().filter_map(|t| t.parse().ok()).collect();
            lookup.drops.push(DropTest { place: *place, texts, numbers });
        }
        lookup
    }

    pub(in crate::ingest) fn item(&self, key: Option<Key<'_>>) -> Option<usize> {
        match key? {
            Key::Number(n) => self.numbers.get(&n).copied(),
            Key::Text(t) => self.names.get(t).copied(),
        }
    }

    pub(in crate::ingest) fn set(&self) -> ItemSet {
        if self.names.is_empty() {
            ItemSet::Numbers(self.numbers.keys().copied().collect())
        } else {
            ItemSet::Names(self.names.keys().map(ToString::to_string).collect::<PlHashSet<_>>())
        }
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
