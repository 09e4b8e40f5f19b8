//! What a table says of its files and rows besides its columns: separators, ids in names, rows to keep,
//! records between two events.

use toml::Spanned;

use super::columns::{find_column, value_of};
use crate::schema::pipeline;
use crate::schema::problems::Problems;
use crate::schema::raw::{self, Entries, Field, Get, List};
use crate::schema::{Between, DType, IdInName, KeepRule, Table};

pub(super) fn separator(problems: &Problems<'_>, raw: &raw::Table) -> Option<char> {
    let text = raw.separator.text()?;
    let found = pipeline::separator(text.get_ref());
    if found.is_none() {
        let what = "`separator` is one character or comma, semicolon, tab, pipe or space";
        problems.add(text.span(), format!("{what}, found `{}`", text.get_ref()));
    }
    found
}

pub(super) fn id_in_name(problems: &Problems<'_>, raw: &raw::Table, table: &Table) -> Option<IdInName> {
    let raw = raw.id_in_name.get()?;
    let (column, dtype) = find_column(problems, table, &raw.column.text()?)?;
    if !matches!(dtype, DType::Integer | DType::Text) {
        let message = format!("column `{column}` is `{}`, an id is `integer` or `text`", dtype.name());
        problems.add(raw.column.span.clone(), message);
    }
    let pattern = raw.pattern.text()?;
    let text = *pattern.get_ref();
    if text.matches('*').count() != 1 || text.contains(['/', '\\']) {
        let message =
            format!("`pattern` is the stem of a file with one `*` in the place of the id, found `{text}`");
        problems.add_with_hint(pattern.span(), message, "`p*` finds 100001 in `p100001.psv`");
    }
    Some(IdInName { column, pattern: text.to_owned() })
}

/// Names of columns in other files; none is that of a declared column.
pub(super) fn other_names(
    problems: &Problems<'_>,
    raw: &raw::Table,
    table: &Table,
) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for (name, field, names) in raw.other_names.get().into_iter().flat_map(Entries::read) {
        let found = find_column(problems, table, &Spanned::new(field.key.clone(), name));
        for other in names.items() {
            if table.columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(other.get_ref())) {
                let message = format!("`{}` is a column of its own", other.get_ref());
                problems.add(other.span(), message);
            }
        }
        all.extend(found.map(|(column, _)| (column, names.cloned())));
    }
    all
}

pub(super) fn keep(problems: &Problems<'_>, raw: &raw::Table, table: &Table) -> Vec<KeepRule> {
    let mut rules = Vec::new();
    for rule in raw.keep.get().into_iter().flat_map(|list| list.items()) {
        let rule = rule.into_inner();
        let column = rule.column.text().and_then(|c| find_column(problems, table, &c));
        let (Some((column, dtype)), Some(list)) = (column, rule.equals.spanned()) else { continue };
        if list.get_ref().0.is_empty() {
            problems.add(list.span(), "`equals` is empty");
        }
        let values = list.get_ref().items();
        let equals = values.filter_map(|value| value_of(problems, &column, dtype, &value)).collect();
        rules.push(KeepRule { column, equals });
    }
    rules
}

/// Resolves `between`, and adds the columns that it makes to those of the table.
pub(super) fn between(
    problems: &Problems<'_>,
    raw: &raw::Table,
    table: &mut Table,
    is_record: bool,
) -> Option<Between> {
    let field = raw.between.as_ref()?;
    let raw = field.get()?;
    if !is_record {
        let hint = "only the table that `[record] table` names holds records";
        problems.add_with_hint(field.key.clone(), "`between` applies to the table of records", hint);
    }
    let (code, dtype) = find_column(problems, table, &raw.code.text()?)?;
    if dtype != DType::Text {
        problems
            .add(raw.code.span.clone(), format!("column `{code}` is `{}`, codes are `text`", dtype.name()));
    }
    for made in [Between::ID, Between::END] {
        if table.columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(made)) {
            let message = format!("column `{made}` is made by `between`; it is no column of the file");
            problems.add(field.key.clone(), message);
        }
    }
    let codes = |list: &Field<List<String, 1>>| {
        if list.get().is_some_and(|list| list.0.is_empty()) {
            problems.add(list.span.clone(), "the list of codes is empty");
        }
        list.get().map(List::cloned)
    };
    let (begins, ends) = (codes(&raw.begins)?, codes(&raw.ends)?);
    table.columns.push((Between::ID.to_owned(), DType::Text));
    table.columns.push((Between::END.to_owned(), DType::Datetime));
    Some(Between { code, begins, ends })
}
