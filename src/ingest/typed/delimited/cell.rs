//! One cell of a text → the type that is declared for its column.

use crate::ingest::text::{parse_elapsed, parse_hour, parse_minutes, plain_decimal, seconds_of_minutes};
use crate::ingest::typed::batch::{BatchColumn, Texts, parse_float, parse_integer};
use crate::ingest::typed::calendar::{Zoned, parse_moment};
use crate::schema::DType;

/// What is wrong with a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// It is not of the declared type.
    Type,
    NotUtf8,
}

/// A column without cells.
pub(super) fn empty(dtype: DType) -> BatchColumn {
    match dtype {
        DType::Integer => BatchColumn::Integer(Vec::new()),
        DType::Float => BatchColumn::Float(Vec::new()),
        DType::Text | DType::Quantity => BatchColumn::Text(Texts::default()),
        DType::Datetime | DType::Elapsed | DType::Minutes | DType::Hour => BatchColumn::Seconds(Vec::new()),
    }
}

/// Appends a cell; empty is null. Returns how it says its zone, if it is a time.
pub(super) fn push(column: &mut BatchColumn, field: &[u8], dtype: DType) -> Result<Zoned, Wrong> {
    const WRONG: Wrong = Wrong::Type;
    let mut zoned = Zoned::default();
    let text = || std::str::from_utf8(field).map_err(|_| Wrong::NotUtf8);
    match column {
        BatchColumn::Integer(cells) => cells.push(parse_integer(field).map_err(|_| WRONG)?),
        BatchColumn::Float(cells) if let Some(x) = plain_decimal(field) => cells.push(Some(x)),
        BatchColumn::Float(cells) if field.is_empty() => cells.push(None),
        BatchColumn::Float(cells) => {
            let text = text()?.trim();
            cells.push(if text.is_empty() { None } else { Some(parse_float(text).ok_or(WRONG)?) });
        }
        BatchColumn::Text(cells) => cells.push(if field.is_empty() { None } else { Some(text()?) }),
        BatchColumn::Seconds(cells)
            if dtype == DType::Minutes
                && let Some(minutes) = plain_decimal(field) =>
        {
            cells.push(Some(seconds_of_minutes(minutes).ok_or(WRONG)?));
        }
        BatchColumn::Seconds(cells) => {
            let text = text()?.trim();
            cells.push(match (text, dtype) {
                ("", _) => None,
                (text, DType::Elapsed) => Some(parse_elapsed(text).ok_or(WRONG)?),
                (text, DType::Minutes) => Some(parse_minutes(text).ok_or(WRONG)?),
                (text, DType::Hour) => Some(parse_hour(text).ok_or(WRONG)?),
                (text, _) => {
                    let (seconds, zone) = parse_moment(text).ok_or(WRONG)?;
                    zoned = zone;
                    Some(seconds)
                }
            });
        }
    }
    Ok(zoned)
}
