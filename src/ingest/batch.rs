//! Cells of a batch by row, checked against their declared type.

use polars::prelude::*;

use super::scan::Physical;
use super::text::{parse_datetime, parse_elapsed, parse_number, shortest};

/// A column of one batch.
#[derive(Debug)]
pub(super) enum BatchColumn {
    Integer(Int64Chunked),
    Float(Float64Chunked),
    Text(StringChunked),
    Micros(Int64Chunked),
}

/// A cell that is not of its declared type; where it is, is found by reading the file again.
#[derive(Debug, Clone, Copy)]
pub(super) struct WrongCell;

/// An identifier as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Key<'a> {
    Number(i64),
    Text(&'a str),
}

impl BatchColumn {
    pub(super) fn new(column: &Column, physical: Physical) -> PolarsResult<Self> {
        // One chunk each, so that reading by row does not search for its chunk.
        let series = column.as_materialized_series().rechunk();
        Ok(match physical {
            Physical::Integer => Self::Integer(series.i64()?.clone()),
            Physical::Micros => Self::Micros(series.i64()?.clone()),
            Physical::Float => Self::Float(series.f64()?.clone()),
            Physical::Text => Self::Text(series.str()?.clone()),
        })
    }

    pub(super) fn len(&self) -> usize {
        match self {
            Self::Integer(c) | Self::Micros(c) => c.len(),
            Self::Float(c) => c.len(),
            Self::Text(c) => c.len(),
        }
    }

    /// An id or item; blank text is null.
    pub(super) fn key(&self, row: usize) -> Result<Option<Key<'_>>, WrongCell> {
        match self {
            Self::Integer(c) | Self::Micros(c) => Ok(c.get(row).map(Key::Number)),
            Self::Float(c) => c.get(row).map(|x| whole(x).map(Key::Number).ok_or(WrongCell)).transpose(),
            Self::Text(c) => Ok(c.get(row).map(str::trim).filter(|t| !t.is_empty()).map(Key::Text)),
        }
    }

    /// A number, also one stored as text; null where there is none.
    pub(super) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Integer(c) | Self::Micros(c) => c.get(row).map(|x| x as f64),
            Self::Float(c) => c.get(row),
            Self::Text(c) => c.get(row).and_then(parse_number),
        }
    }

    /// Text as stored, untrimmed; `None` for numeric columns, see [`Self::to_text`].
    pub(super) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(c) => c.get(row),
            Self::Integer(_) | Self::Float(_) | Self::Micros(_) => None,
        }
    }

    /// Text, or the shortest text of a number; blank is null.
    pub(super) fn to_text(&self, row: usize) -> Option<String> {
        match self {
            Self::Text(c) => c.get(row).map(str::trim).filter(|t| !t.is_empty()).map(ToString::to_string),
            Self::Integer(c) | Self::Micros(c) => c.get(row).map(|x| x.to_string()),
            Self::Float(c) => c.get(row).map(shortest),
        }
    }

    /// Seconds since 1970 of a declared datetime.
    pub(super) fn datetime(&self, row: usize) -> Result<Option<i64>, WrongCell> {
        match self {
            Self::Micros(c) => Ok(c.get(row).map(|us| us.div_euclid(1_000_000))),
            Self::Text(c) => parsed(c.get(row), parse_datetime),
            Self::Integer(_) | Self::Float(_) => Err(WrongCell),
        }
    }

    /// Seconds since the record's start of a declared elapsed time.
    pub(super) fn elapsed(&self, row: usize) -> Result<Option<i64>, WrongCell> {
        match self {
            Self::Text(c) => parsed(c.get(row), parse_elapsed),
            Self::Integer(_) | Self::Float(_) | Self::Micros(_) => Err(WrongCell),
        }
    }
}

fn parsed(text: Option<&str>, parse: fn(&str) -> Option<i64>) -> Result<Option<i64>, WrongCell> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(WrongCell),
    }
}

/// A whole number that f64 holds exactly.
pub(super) fn whole(x: f64) -> Option<i64> {
    (x.fract() == 0.0 && x.abs() <= 9_007_199_254_740_992.0).then_some(x as i64)
}
