//! The columns of a table, and what they are compared with.

use toml::Spanned;

use crate::schema::problems::Problems;
use crate::schema::raw::Cell;
use crate::schema::{DType, Table, suggest};

/// The declared column a name refers to, in its declared spelling.
pub(super) fn find_column(
    problems: &Problems<'_>,
    table: &Table,
    name: &Spanned<&str>,
) -> Option<(String, DType)> {
    let found = table.columns.iter().find(|(c, _)| c.eq_ignore_ascii_case(name.get_ref()));
    if found.is_none() {
        let hint = suggest::hint(name.get_ref(), table.columns.iter().map(|(c, _)| c.as_str()));
        let message = format!("table `{}` has no column `{}`", table.name, name.get_ref());
        problems.push(name.span(), message, hint);
    }
    found.cloned()
}

/// The text of a value that a column is compared with.
pub(super) fn value_of(
    problems: &Problems<'_>,
    column: &str,
    dtype: DType,
    value: &Spanned<&Cell>,
) -> Option<String> {
    let numeric = matches!(dtype, DType::Integer | DType::Float);
    match value.get_ref() {
        Cell::Text(text) if !numeric || text.trim().parse::<f64>().is_ok() => Some(text.trim().to_owned()),
        Cell::Text(text) => {
            let message = format!("column `{column}` is `{}`, it never equals `{text}`", dtype.name());
            problems.add(value.span(), message);
            None
        }
        Cell::Integer(i) => Some(i.to_string()),
        Cell::Number(x) => Some(x.to_string()),
    }
}
