//! Cells of a batch by row, checked against their declared type.

use polars_core::prelude::*;

use super::calendar::parse_moment;
use crate::ingest::text::{parse_elapsed, parse_number, shortest};

/// A column of one batch.
#[derive(Debug)]
pub(in crate::ingest) enum BatchColumn {
    Integer(Vec<Option<i64>>),
    Float(Vec<Option<f64>>),
    Text(Texts),
    /// Seconds since 1970, or since the record's start.
    Seconds(Vec<Option<i64>>),
}

/// Texts of one batch, end to end in one buffer.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Texts {
    bytes: String,
    /// End of each text, and whether there is one.
    ends: Vec<(u32, bool)>,
}

impl Texts {
    pub(in crate::ingest) fn push(&mut self, text: Option<&str>) {
        self.bytes.push_str(text.unwrap_or_default());
        let end = u32::try_from(self.bytes.len()).expect("invariant: a batch holds less than 4 GiB of text");
        self.ends.push((end, text.is_some()));
    }

    fn get(&self, row: usize) -> Option<&str> {
        let (end, valid) = self.ends[row];
        let start = row.checked_sub(1).map_or(0, |before| self.ends[before].0);
        valid.then(|| &self.bytes[start as usize..end as usize])
    }

    fn truncate(&mut self, n: usize) {
        self.ends.truncate(n);
        self.bytes.truncate(self.ends.last().map_or(0, |(end, _)| *end as usize));
    }
}

/// A cell that is not of its declared type; where it is, is found by reading the file again.
#[derive(Debug, Clone, Copy)]
pub(in crate::ingest) struct WrongCell;

/// An identifier as stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Key<'a> {
    Number(i64),
    Text(&'a str),
}

impl BatchColumn {
    /// The same as a column for Polars; seconds become times.
    pub(in crate::ingest) fn to_polars(&self, name: &str) -> Column {
        let name = PlSmallStr::from(name);
        match self {
            Self::Integer(c) => Column::new(name, c.as_slice()),
            Self::Float(c) => Column::new(name, c.as_slice()),
            Self::Text(c) => {
                let texts: StringChunked = (0..c.ends.len()).map(|row| c.get(row)).collect();
                texts.with_name(name).into_column()
            }
            Self::Seconds(c) => {
                // Years 1 to 9999 fit: |seconds| < 2⁴⁸.
                let micros: Int64Chunked = c.iter().map(|s| s.map(|s| s * 1_000_000)).collect();
                micros.with_name(name).into_datetime(TimeUnit::Microseconds, None).into_column()
            }
        }
    }

    pub(in crate::ingest) fn len(&self) -> usize {
        match self {
            Self::Integer(c) | Self::Seconds(c) => c.len(),
            Self::Float(c) => c.len(),
            Self::Text(c) => c.ends.len(),
        }
    }

    /// Forgets all cells behind the first `n`.
    pub(in crate::ingest) fn truncate(&mut self, n: usize) {
        match self {
            Self::Integer(c) | Self::Seconds(c) => c.truncate(n),
            Self::Float(c) => c.truncate(n),
            Self::Text(c) => c.truncate(n),
        }
    }

    /// An id or item; blank text is null.
    pub(in crate::ingest) fn key(&self, row: usize) -> Result<Option<Key<'_>>, WrongCell> {
        match self {
            Self::Integer(c) | Self::Seconds(c) => Ok(c[row].map(Key::Number)),
            Self::Float(c) => c[row].map(|x| whole(x).map(Key::Number).ok_or(WrongCell)).transpose(),
            Self::Text(c) => Ok(c.get(row).map(str::trim).filter(|t| !t.is_empty()).map(Key::Text)),
        }
    }

    /// A number, also one stored as text; null where there is none.
    pub(in crate::ingest) fn number(&self, row: usize) -> Option<f64> {
        match self {
            Self::Integer(c) | Self::Seconds(c) => c[row].map(|x| x as f64),
            Self::Float(c) => c[row],
            Self::Text(c) => c.get(row).and_then(parse_number),
        }
    }

    /// Text as stored, untrimmed; `None` for other columns, see [`Self::to_text`].
    pub(in crate::ingest) fn text(&self, row: usize) -> Option<&str> {
        match self {
            Self::Text(c) => c.get(row),
            Self::Integer(_) | Self::Float(_) | Self::Seconds(_) => None,
        }
    }

    /// Text, or the shortest text of a number; blank is null.
    pub(in crate::ingest) fn to_text(&self, row: usize) -> Option<String> {
        match self {
            Self::Text(c) => c.get(row).map(str::trim).filter(|t| !t.is_empty()).map(ToString::to_string),
            Self::Integer(c) | Self::Seconds(c) => c[row].map(|x| x.to_string()),
            Self::Float(c) => c[row].map(shortest),
        }
    }

    /// Seconds since 1970 of a declared datetime.
    pub(in crate::ingest) fn datetime(&self, row: usize) -> Result<Option<i64>, WrongCell> {
        match self {
            Self::Seconds(c) => Ok(c[row]),
            Self::Text(c) => parsed(c.get(row), |text| parse_moment(text).map(|(seconds, _)| seconds)),
            Self::Integer(_) | Self::Float(_) => Err(WrongCell),
        }
    }

    /// Seconds since the record's start of a declared elapsed time.
    pub(in crate::ingest) fn elapsed(&self, row: usize) -> Result<Option<i64>, WrongCell> {
        match self {
            Self::Seconds(c) => Ok(c[row]),
            Self::Text(c) => parsed(c.get(row), parse_elapsed),
            Self::Integer(_) | Self::Float(_) => Err(WrongCell),
        }
    }
}

fn parsed(text: Option<&str>, parse: fn(&str) -> Option<i64>) -> Result<Option<i64>, WrongCell> {
    match text.map(str::trim) {
        None | Some("") => Ok(None),
        Some(text) => parse(text).map(Some).ok_or(WrongCell),
    }
}

/// A whole number that f64 holds exactly. At 2⁵³ neighbours begin to share a number, so that an id may be
/// another one.
pub(in crate::ingest) fn whole(x: f64) -> Option<i64> {
    (x.fract() == 0.0 && x.abs() < 9_007_199_254_740_992.0).then_some(x as i64)
}

/// A whole number as text, none of an empty one; tables that pandas exported again write nullable ids as
/// `234989.0`.
pub(in crate::ingest) fn parse_integer(field: &[u8]) -> Result<Option<i64>, WrongCell> {
    if field.is_empty() {
        return Ok(None);
    }
    // The common case without a detour over UTF-8.
    if field.len() <= 18 && field.iter().all(u8::is_ascii_digit) {
        return Ok(Some(field.iter().fold(0, |n, c| n * 10 + i64::from(c - b'0'))));
    }
    let text = std::str::from_utf8(field).map_err(|_| WrongCell)?.trim();
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().ok().or_else(|| text.parse().ok().and_then(whole)).map(Some).ok_or(WrongCell)
}

/// A number as text.
pub(in crate::ingest) fn parse_float(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}
