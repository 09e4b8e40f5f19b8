//! Cells of a table as the numbers an encoder works on.

use std::borrow::Cow;
use std::collections::HashMap;

use ndarray::Array2;
use rayon::prelude::*;

use super::{Encoder, FeatureError, FittedColumn};
use crate::ingest::{Cells, Column, RecordTable, Texts};
use crate::num::packed::Numbers;

/// Rows that one thread handles together.
const BLOCK: usize = 1024;

/// The cells of a column as numbers.
pub(super) enum Coded<'c> {
    Numbers(Cow<'c, Numbers>),
    /// Places in a list of numbers.
    Levels(&'c Numbers, Vec<f64>),
}

/// A table as the numbers of an encoder, in its order.
pub struct CodedTable<'t> {
    columns: Vec<Coded<'t>>,
    n: usize,
}

impl Coded<'_> {
    /// Fills `out` with the numbers from a row on.
    pub(super) fn read(&self, from: usize, out: &mut [f64]) {
        match self {
            Self::Numbers(numbers) => numbers.read(from, out),
            Self::Levels(codes, of) => {
                codes.read(from, out);
                out.iter_mut().filter(|code| !code.is_nan()).for_each(|code| *code = of[*code as usize]);
            }
        }
    }
}

impl FittedColumn {
    /// Cells as numbers: level codes for a text column.
    pub(super) fn numbers<'a>(&self, cells: &'a Cells) -> Result<Coded<'a>, FeatureError> {
        let column = || self.meta.name.clone();
        if self.levels.is_empty() {
            let coded = match cells {
                Cells::Number(x) => Coded::Numbers(Cow::Borrowed(x)),
                Cells::Text(texts) => Coded::Levels(texts.codes(), self.parsed(texts)?),
            };
            let infinite = match &coded {
                Coded::Numbers(x) => x.infinite(),
                Coded::Levels(codes, of) => {
                    codes.iter().position(|code| !code.is_nan() && of[code as usize].is_infinite())
                }
            };
            return match infinite {
                Some(i) => Err(FeatureError::Infinite { column: column(), row: i + 1 }),
                None => Ok(coded),
            };
        }
        let codes: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(k, l)| (l.as_str(), k)).collect();
        let code = |text: &str| codes.get(text).copied().unwrap_or(self.levels.len()) as f64;
        Ok(match cells {
            Cells::Text(texts) => Coded::Levels(texts.codes(), texts.levels().map(code).collect()),
            // A new table whose levels happen to look like numbers.
            Cells::Number(x) => {
                let coded = x.iter().map(|x| if x.is_nan() { f64::NAN } else { code(&x.to_string()) });
                Coded::Numbers(Cow::Owned(coded.collect()))
            }
        })
    }

    /// The numbers that texts say, blank ones being missing.
    fn parsed(&self, texts: &Texts) -> Result<Vec<f64>, FeatureError> {
        let number =
            |text: &str| if text.trim().is_empty() { Some(f64::NAN) } else { text.trim().parse().ok() };
        let parsed: Vec<Option<f64>> = texts.levels().map(number).collect();
        let wrong = |code: f64| !code.is_nan() && parsed[code as usize].is_none();
        match parsed.iter().copied().collect() {
            Some(numbers) => Ok(numbers),
            None => Err(FeatureError::NotANumber {
                column: self.meta.name.clone(),
                row: texts.codes().iter().position(wrong).unwrap_or(0) + 1,
            }),
        }
    }
}

impl Encoder {
    /// The numbers of a table, which are given out some rows at a time: original units, level codes for text,
    /// NaN where missing. Columns are found by name; others of the table are ignored.
    ///
    /// # Errors
    /// [`FeatureError::MissingColumns`] with all that are missing; text where numbers are expected;
    /// infinities.
    pub fn coded<'t>(&self, table: &'t RecordTable) -> Result<CodedTable<'t>, FeatureError> {
        let found: HashMap<&str, &Column> = table.columns.iter().map(|c| (c.name.as_str(), c)).collect();
        let missing: Vec<String> = self
            .columns
            .iter()
            .map(|c| &c.meta.name)
            .filter(|name| !found.contains_key(name.as_str()))
            .cloned()
            .collect();
        if !missing.is_empty() {
            return Err(FeatureError::MissingColumns(missing));
        }
        let n = table.n_records();
        let of = |column: &FittedColumn| {
            let cells = &found[column.meta.name.as_str()].cells;
            if cells.len() != n {
                let name = column.meta.name.clone();
                return Err(FeatureError::ColumnLength { column: name, found: cells.len(), expected: n });
            }
            column.numbers(cells)
        };
        let columns: Vec<Result<Coded<'_>, FeatureError>> = self.columns.par_iter().map(of).collect();
        // The first error in the order of the columns.
        Ok(CodedTable { columns: columns.into_iter().collect::<Result<_, _>>()?, n })
    }

    /// All numbers of a table; see [`coded`](Self::coded).
    ///
    /// # Shapes
    /// → `(n, p)`
    ///
    /// # Errors
    /// As [`coded`](Self::coded).
    pub fn raw(&self, table: &RecordTable) -> Result<Array2<f64>, FeatureError> {
        Ok(self.coded(table)?.rows(0, table.n_records()))
    }
}

impl CodedTable<'_> {
    /// Records.
    pub fn len(&self) -> usize {
        self.n
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.n == 0
    }

    /// The records `from..to`.
    ///
    /// # Shapes
    /// → `(to − from, p)`
    ///
    /// # Panics
    /// Where there are not so many records.
    pub fn rows(&self, from: usize, to: usize) -> Array2<f64> {
        let p = self.columns.len();
        let mut raw = vec![0.0; (to - from) * p];
        // Some rows at a time: columns are read in stretches, rows written while they are in cache.
        raw.par_chunks_mut((BLOCK * p).max(1)).enumerate().for_each(|(block, rows)| {
            let mut column = vec![0.0; rows.len() / p.max(1)];
            for (j, coded) in self.columns.iter().enumerate() {
                coded.read(from + block * BLOCK, &mut column);
                rows.iter_mut().skip(j).step_by(p).zip(&column).for_each(|(out, x)| *out = *x);
            }
        });
        Array2::from_shape_vec((to - from, p), raw).expect("invariant: one column per feature")
    }
}
