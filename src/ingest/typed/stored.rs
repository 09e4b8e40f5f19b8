//! A Parquet column, whatever type its writer chose, in the type that the schema declares for it.
//!
//! | declared | stored as | becomes |
//! | --- | --- | --- |
//! | integer | any integer, a decimal or float without fraction, a boolean, a text of digits | the number,
//! exactly |
//! | float | any number, a boolean, a text with a number | the number |
//! | text | a text, a category, bytes of UTF-8; a number | the text; the shortest text of the number |
//! | datetime | a date, a time stamp of any unit, a text | seconds since 1970, of a zoned one in UTC |
//! | elapsed | a duration, a text | seconds |
//!
//! Anything else is refused when the file is opened, with the name of the column.

use polars_core::prelude::*;

use crate::schema;

use super::batch::{BatchColumn, Texts, parse_float, parse_integer};
use super::calendar::{Zoned, parse_moment};
use crate::ingest::text::{parse_elapsed, shortest};

/// Why a column could not be converted.
pub(in crate::ingest) enum Unfit {
    /// The cell of a row is not of the declared type.
    Row(usize),
    Engine(PolarsError),
}

impl From<PolarsError> for Unfit {
    fn from(error: PolarsError) -> Self {
        Self::Engine(error)
    }
}

/// Whether a stored type can hold a declared one.
pub(in crate::ingest) fn readable(declared: schema::DType, stored: &DataType) -> bool {
    let text = is_text(stored);
    let number = is_number(stored) || stored.is_bool();
    match declared {
        _ if stored.is_null() => true,
        schema::DType::Integer | schema::DType::Float => number || text,
        schema::DType::Text => number || text || matches!(stored, DataType::Binary),
        schema::DType::Datetime => text || matches!(stored, DataType::Date | DataType::Datetime(..)),
        schema::DType::Elapsed => text || matches!(stored, DataType::Duration(_)),
    }
}

/// Whether a column that is declared text holds numbers, which have no leading zeros.
pub(in crate::ingest) fn loses_zeros(declared: schema::DType, stored: &DataType) -> bool {
    declared == schema::DType::Text && is_number(stored)
}

/// Whether a zone of a time stamp is UTC under any of its names.
pub(in crate::ingest) fn is_utc(zone: &str) -> bool {
    let names = ["utc", "etc/utc", "z", "gmt", "etc/gmt", "zulu", "uct", "+00:00", "+00", "+0000", "-00:00"];
    names.iter().any(|name| zone.eq_ignore_ascii_case(name))
}

fn is_text(stored: &DataType) -> bool {
    matches!(stored, DataType::String | DataType::Categorical(..) | DataType::Enum(..))
}

fn is_number(stored: &DataType) -> bool {
    stored.is_primitive_numeric() || matches!(stored, DataType::Decimal(..))
}

/// The cells of a column, and how its times are written.
///
/// # Errors
/// The first row whose cell is not of the declared type.
pub(in crate::ingest) fn convert(
    column: &Column,
    declared: schema::DType,
) -> Result<(BatchColumn, Zoned), Unfit> {
    let series = column.as_materialized_series();
    let cells = match declared {
        schema::DType::Integer => integers(series)?,
        schema::DType::Float => floats(series)?,
        schema::DType::Text => texts(series)?,
        schema::DType::Datetime => return moments(series),
        schema::DType::Elapsed => BatchColumn::Seconds(match series.dtype() {
            DataType::Duration(unit) => seconds(series, *unit)?,
            _ => parsed(series, parse_elapsed)?,
        }),
    };
    Ok((cells, Zoned::default()))
}

fn integers(series: &Series) -> Result<BatchColumn, Unfit> {
    Ok(match series.dtype() {
        DataType::UInt64 => {
            let whole = |(row, n): (usize, Option<u64>)| {
                n.map(|n| i64::try_from(n).map_err(|_| Unfit::Row(row))).transpose()
            };
            BatchColumn::Integer(series.u64()?.iter().enumerate().map(whole).collect::<Result<_, _>>()?)
        }
        // Fractions are found where a cell is used as an id or a whole number.
        t if t.is_float() => BatchColumn::Float(as_f64(series)?),
        DataType::Decimal(_, scale) if *scale > 0 => BatchColumn::Float(as_f64(series)?),
        t if is_text(t) => {
            BatchColumn::Integer(parsed(series, |t| parse_integer(t.as_bytes()).ok().flatten())?)
        }
        _ => BatchColumn::Integer(series.strict_cast(&DataType::Int64)?.i64()?.iter().collect()),
    })
}

fn floats(series: &Series) -> Result<BatchColumn, Unfit> {
    Ok(BatchColumn::Float(match series.dtype() {
        t if is_text(t) => parsed(series, parse_float)?,
        _ => as_f64(series)?,
    }))
}

fn texts(series: &Series) -> Result<BatchColumn, Unfit> {
    let mut texts = Texts::default();
    match series.dtype() {
        // A truth value is a number in all that compares it: a flag declared as text is still 1.
        DataType::Boolean => {
            return Ok(BatchColumn::Integer(series.strict_cast(&DataType::Int64)?.i64()?.iter().collect()));
        }
        DataType::Binary => {
            for (row, bytes) in series.binary()?.iter().enumerate() {
                let text = bytes.map(std::str::from_utf8).transpose().map_err(|_| Unfit::Row(row))?;
                texts.push(text);
            }
        }
        DataType::UInt64 => {
            series.u64()?.iter().for_each(|n| texts.push(n.map(|n| n.to_string()).as_deref()));
        }
        t if t.is_integer() => {
            let whole = series.strict_cast(&DataType::Int64)?;
            whole.i64()?.iter().for_each(|n| texts.push(n.map(|n| n.to_string()).as_deref()));
        }
        t if is_number(t) => {
            as_f64(series)?.into_iter().for_each(|x| texts.push(x.map(shortest).as_deref()));
        }
        _ => series.strict_cast(&DataType::String)?.str()?.iter().for_each(|text| texts.push(text)),
    }
    Ok(BatchColumn::Text(texts))
}

fn moments(series: &Series) -> Result<(BatchColumn, Zoned), Unfit> {
    let mut zones = Zoned::default();
    let cells = match series.dtype() {
        DataType::Date => {
            let days = series.strict_cast(&DataType::Int32)?;
            zones = Zoned::DATE;
            days.i32()?.iter().map(|d| d.map(|d| i64::from(d) * 86_400)).collect()
        }
        DataType::Datetime(unit, zone) => {
            zones = match zone {
                None => Zoned::NONE,
                Some(zone) if is_utc(zone.as_str()) => Zoned::UTC,
                Some(_) => Zoned::OTHER,
            };
            seconds(series, *unit)?
        }
        _ => parsed(series, |text| {
            let (seconds, zone) = parse_moment(text)?;
            zones = zones.and(zone);
            Some(seconds)
        })?,
    };
    // A column without a single time says nothing about zones.
    let zones = if cells.iter().all(Option::is_none) { Zoned::default() } else { zones };
    Ok((BatchColumn::Seconds(cells), zones))
}

/// Whole seconds; fractions are below every resolution that is used.
fn seconds(series: &Series, unit: TimeUnit) -> Result<Vec<Option<i64>>, Unfit> {
    let per_second = match unit {
        TimeUnit::Nanoseconds => 1_000_000_000,
        TimeUnit::Microseconds => 1_000_000,
        TimeUnit::Milliseconds => 1000,
    };
    let physical = series.to_physical_repr().into_owned();
    Ok(physical.i64()?.iter().map(|t| t.map(|t| t.div_euclid(per_second))).collect())
}

fn as_f64(series: &Series) -> Result<Vec<Option<f64>>, Unfit> {
    Ok(series.strict_cast(&DataType::Float64)?.f64()?.iter().collect())
}

/// Texts read by a function; blank is null.
fn parsed<T>(series: &Series, mut parse: impl FnMut(&str) -> Option<T>) -> Result<Vec<Option<T>>, Unfit> {
    let texts = series.strict_cast(&DataType::String)?;
    let cell = |(row, text): (usize, Option<&str>)| match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(Unfit::Row(row)),
    };
    texts.str()?.iter().enumerate().map(cell).collect()
}
