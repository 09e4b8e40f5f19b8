//! The group of each record, by a feature of the bundle or by a column of a table beside it.

use std::collections::HashMap;
use std::path::Path;

use crate::features::Bundle;
use crate::ingest::{self, Cells};
use crate::report::GroupColumn;
use crate::schema::Kind;

use super::Error;

/// Different numbers of a feature beyond which it names no groups.
const MOST: usize = 200;

/// Names of the column by which a table tells its records apart, after that of the schema.
const IDS: [&str; 2] = ["record_id", "id"];

/// The groups of the records of a bundle by a column. Without a table the column is a feature of the bundle.
///
/// # Errors
/// A column or an id column that is not there, one of too many different numbers, a table that names no
/// record of the bundle, or one record twice with different groups.
pub(super) fn group_column(
    bundle: &Bundle,
    column: &str,
    table: Option<&Path>,
) -> Result<GroupColumn, Error> {
    let of_record = match table {
        None => by_feature(bundle, column)?,
        Some(table) => by_table(bundle, column, table)?,
    };
    Ok(GroupColumn { name: column.to_owned(), of_record })
}

fn by_feature(bundle: &Bundle, column: &str) -> Result<Vec<Option<String>>, Error> {
    let encoder = &bundle.manifest.encoder;
    let Some(at) = encoder.columns.iter().position(|c| c.meta.name == column) else {
        return Err(Error::Usage {
            message: format!("--by: the bundle has no feature `{column}`"),
            hint: "name the table that has this column by --by-table, for example the table of stays".into(),
        });
    };
    let values = bundle.raw.column(at);
    let mut different: Vec<u64> = values.iter().filter(|x| !x.is_nan()).map(|x| x.to_bits()).collect();
    different.sort_unstable();
    different.dedup();
    if different.len() > MOST {
        return Err(Error::Usage {
            message: format!(
                "--by: `{column}` has {} different values, which are no groups",
                different.len()
            ),
            hint: "name a column of categories".into(),
        });
    }
    let name = |x: &f64| match encoder.level_name(at, *x) {
        _ if x.is_nan() => None,
        Some(level) => Some(level.to_owned()),
        None if encoder.columns[at].levels.is_empty() => Some(x.to_string()),
        None => Some("a level not met in training".to_owned()),
    };
    Ok(values.iter().map(name).collect())
}

fn by_table(bundle: &Bundle, column: &str, table: &Path) -> Result<Vec<Option<String>>, Error> {
    let names = ingest::column_names(table)?;
    let own = bundle.manifest.schema.as_ref().map(|schema| schema.record.id.as_str());
    let id = own
        .into_iter()
        .chain(IDS)
        .find_map(|wanted| names.iter().find(|name| name.eq_ignore_ascii_case(wanted)));
    let Some(id) = id else {
        return Err(Error::Usage {
            message: format!("--by-table: {} has no column of record ids", table.display()),
            hint: format!("call it {}", own.into_iter().chain(IDS).collect::<Vec<_>>().join(" or ")),
        });
    };
    let read = ingest::read_columns(table, &[(id, Kind::Categorical), (column, Kind::Categorical)])?;
    let texts = |at: usize| match &read.columns[at].cells {
        Cells::Text(texts) => Some(texts),
        Cells::Number(_) => None,
    };
    let (ids, groups) =
        texts(0).zip(texts(1)).expect("invariant: columns that are asked for as levels are texts");
    let mut of_id: HashMap<&str, Option<&str>> = HashMap::new();
    for (id, group) in ids.iter().zip(groups.iter()) {
        let Some(id) = id else { continue };
        if of_id.insert(id, group).is_some_and(|before| before != group) {
            return Err(Error::Usage {
                message: format!(
                    "--by-table: {} has a record with two values of `{column}`",
                    table.display()
                ),
                hint: "one row per record is needed, or rows that agree".into(),
            });
        }
    }
    // Of windows of a stay the id is that of the stay with the hour behind it.
    let stay = |id: &str| id.rsplit_once('@').map_or(id, |(stay, _)| stay).to_owned();
    let found = |id: &String| of_id.get(id.as_str()).or_else(|| of_id.get(stay(id).as_str())).copied();
    if !bundle.record_ids.iter().any(|id| found(id).is_some()) {
        return Err(Error::Usage {
            message: format!("--by-table: no record of the bundle is in {}", table.display()),
            hint: format!("its column `{id}` has to hold the record ids of the bundle"),
        });
    }
    Ok(bundle.record_ids.iter().map(|id| found(id).flatten().map(str::to_owned)).collect())
}
