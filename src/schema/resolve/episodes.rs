//! Which stays make one episode.

use toml::Spanned;

use super::columns::find_column;
use crate::schema::problems::Problems;
use crate::schema::raw::{self, Get, key};
use crate::schema::{DType, Episodes, Table};

/// Resolves `episodes` of a record with a row of its own in `table`.
pub(super) fn episodes(
    problems: &Problems<'_>,
    record: &raw::Record,
    raw: &raw::Episodes,
    table: &Table,
) -> Option<Episodes> {
    let find = |name: &Spanned<&str>| find_column(problems, table, name);
    let span = key(&record.episodes)?;
    if record.end.is_none() {
        let hint = "name the column with the end of a stay as `end`";
        problems.add_with_hint(
            span.clone(),
            "without an `end`, nothing tells the gap between two stays",
            hint,
        );
    }
    let gap_hours = raw.gap.copied();
    if let Some(gap) = gap_hours.filter(|gap| !gap.is_finite() || *gap < 0.0) {
        problems.add(raw.gap.span.clone(), format!("a gap is a number of hours, 0 or more, not {gap}"));
    }
    let moment = raw.moment.text().and_then(|name| {
        let (column, dtype) = find(&name)?;
        if !dtype.is_since_start() {
            let message = format!(
                "column `{column}` is {}; a moment in the time of each stay is `minutes`, `hour` or `elapsed`",
                dtype.name()
            );
            problems.add(name.span(), message);
        }
        Some(column)
    });
    match (key(&raw.moment), record.start.is_some()) {
        (Some(at), true) => {
            problems.add(at, "`moment` has no meaning beside `start`, which puts all stays on one clock");
        }
        (None, false) => {
            let hint = "name a column such as that of the admission to hospital as `moment`";
            let message = "records have no `start`, so that nothing tells how far two stays are apart";
            problems.add_with_hint(span, message, hint);
        }
        _ => {}
    }
    let columns = |names: &Option<raw::Field<raw::List<raw::Text>>>| -> Vec<(String, DType)> {
        names
            .get()
            .into_iter()
            .flat_map(|list| list.items())
            .filter_map(|name| find(&Spanned::new(name.span(), name.get_ref().as_ref())))
            .collect()
    };
    let total = columns(&raw.total);
    for (column, dtype) in total.iter().filter(|(_, d)| !matches!(d, DType::Integer | DType::Float)) {
        let at = key(&raw.total).unwrap_or_default();
        problems.add(at, format!("column `{column}` is {}, and only numbers add up", dtype.name()));
    }
    Some(Episodes {
        within: find(&raw.within.text()?)?.0,
        gap_hours: gap_hours?,
        moment,
        last: columns(&raw.last).into_iter().map(|(column, _)| column).collect(),
        total: total.into_iter().map(|(column, _)| column).collect(),
    })
}
