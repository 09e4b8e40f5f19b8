//! The `[wide]` section of a pipeline: how one table with a row per record is read.

use toml::Spanned;

use crate::schema::WideTable;
use crate::schema::pipeline::separator;
use crate::schema::problems::{Problems, Span};
use crate::schema::raw::{self, Entries, Field, Get, List};

pub(super) fn wide(problems: &Problems<'_>, raw: &raw::Wide) -> WideTable {
    check_roles(problems, raw);
    let separator = raw.separator.text().and_then(|text| {
        let found = separator(text.get_ref());
        if found.is_none() {
            let what = "`separator` is one character or comma, semicolon, tab, pipe or space";
            problems.add(text.span(), format!("{what}, found `{}`", text.get_ref()));
        }
        found
    });
    WideTable {
        id: raw.id.owned(),
        group: raw.group.owned(),
        split: raw.split.owned(),
        kinds: by_column(&raw.kinds),
        ignore: raw.ignore.get().map(List::cloned).unwrap_or_default(),
        labels: raw.labels.get().map(List::cloned).unwrap_or_default(),
        missing: raw.missing.get().map(List::cloned).unwrap_or_default(),
        missing_in: by_column(&raw.missing_in).into_iter().map(|(c, codes)| (c, codes.cloned())).collect(),
        separator,
        decimal: raw.decimal.copied(),
        decimal_in: by_column(&raw.decimal_in),
    }
}

/// What is said of single columns.
fn by_column<T: Clone>(field: &Option<Field<Entries<T>>>) -> Vec<(String, T)> {
    let entries = field.get().into_iter().flat_map(Entries::read);
    entries.map(|(column, _, value)| (column.to_owned(), value.clone())).collect()
}

/// A column has one role.
fn check_roles(problems: &Problems<'_>, raw: &raw::Wide) {
    let single = [&raw.id, &raw.group, &raw.split].into_iter().filter_map(|name| name.text());
    let single = single.map(|name| (*name.get_ref(), name.span()));
    let ignored = [&raw.ignore, &raw.labels].into_iter().filter_map(|list| list.get());
    let ignored = ignored.flat_map(|list| list.items());
    let ignored = ignored.map(|name: Spanned<&String>| (name.get_ref().as_str(), name.span()));
    let kinds = raw.kinds.get().into_iter().flat_map(Entries::read);
    let kinds = kinds.map(|(name, field, _)| (name, field.key.clone()));
    let mut seen: Vec<&str> = Vec::new();
    let roles: Vec<(&str, Span)> = single.chain(ignored).chain(kinds).collect();
    for (name, at) in &roles {
        if seen.contains(name) {
            problems.add(at.clone(), format!("column `{name}` has two roles"));
        }
        seen.push(name);
    }
}
