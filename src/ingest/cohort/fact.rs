//! A cell of the records table or of a static table.

use crate::schema::DType;

use crate::ingest::text::shortest;
use crate::ingest::typed::batch::{BatchColumn, Key, WrongCell, whole};

/// A cell as declared; times are seconds since 1970.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::ingest) enum Fact {
    Null,
    Number(f64),
    /// A whole number, and above all an id, of which a floating-point number loses the last digits beyond
    /// 2⁵³.
    Integer(i64),
    Text(String),
}

impl Fact {
    pub(in crate::ingest) fn read(column: &BatchColumn, dtype: DType, row: usize) -> Result<Self, WrongCell> {
        Ok(match dtype {
            DType::Integer => match column.key(row)? {
                Some(Key::Number(n)) => Self::Integer(n),
                Some(Key::Text(_)) => return Err(WrongCell),
                None => Self::Null,
            },
            // "NaN" is how some writers spell an empty cell. An infinity is a value, though not a usable one.
            DType::Float => column.number(row).filter(|x| !x.is_nan()).map_or(Self::Null, Self::Number),
            DType::Text | DType::Quantity => column.to_text(row).map_or(Self::Null, Self::Text),
            DType::Datetime => column.datetime(row)?.map_or(Self::Null, Self::Integer),
            DType::Elapsed | DType::Minutes | DType::Hour => {
                column.elapsed(row)?.map_or(Self::Null, Self::Integer)
            }
        })
    }

    /// The number, also of a numeric text.
    pub(in crate::ingest) fn number(&self) -> Option<f64> {
        match self {
            Self::Null => None,
            Self::Number(x) => Some(*x),
            Self::Integer(n) => Some(*n as f64),
            Self::Text(t) => t.parse().ok().filter(|x: &f64| x.is_finite()),
        }
    }

    /// The text, also of a number.
    pub(in crate::ingest) fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(x) => Some(shortest(*x)),
            Self::Integer(n) => Some(n.to_string()),
            Self::Text(t) => Some(t.clone()),
        }
    }

    pub(in crate::ingest) fn key(&self) -> Option<Key<'_>> {
        match self {
            Self::Null => None,
            Self::Number(x) => whole(*x).map(Key::Number),
            Self::Integer(n) => Some(Key::Number(*n)),
            Self::Text(t) => Some(Key::Text(t)),
        }
    }

    pub(in crate::ingest) fn seconds(&self) -> Option<i64> {
        match self {
            Self::Integer(n) => Some(*n),
            Self::Null | Self::Number(_) | Self::Text(_) => None,
        }
    }
}
