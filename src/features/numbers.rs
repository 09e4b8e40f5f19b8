//! Cells of a table as the numbers an encoder works on.

use std::borrow::Cow;
use std::collections::HashMap;

use super::{FeatureError, FittedColumn};
use crate::ingest::Cells;

impl FittedColumn {
    /// Cells as numbers: level codes for a text column.
    pub(super) fn numbers<'a>(&self, cells: &'a Cells) -> Result<Cow<'a, [f64]>, FeatureError> {
        let column = || self.meta.name.clone();
        if self.levels.is_empty() {
            let numbers: Cow<'_, [f64]> = match cells {
                Cells::Number(x) => Cow::Borrowed(x),
                Cells::Text(text) => text
                    .iter()
                    .enumerate()
                    .map(|(i, cell)| match cell.as_deref().map(str::trim) {
                        None | Some("") => Ok(f64::NAN),
                        Some(t) => {
                            t.parse().map_err(|_| FeatureError::NotANumber { column: column(), row: i + 1 })
                        }
                    })
                    .collect::<Result<Vec<_>, _>>()?
                    .into(),
            };
            return match numbers.iter().position(|x: &f64| x.is_infinite()) {
                Some(i) => Err(FeatureError::Infinite { column: column(), row: i + 1 }),
                None => Ok(numbers),
            };
        }
        let codes: HashMap<&str, usize> =
            self.levels.iter().enumerate().map(|(k, l)| (l.as_str(), k)).collect();
        let code = |text: &str| codes.get(text).copied().unwrap_or(self.levels.len()) as f64;
        Ok(match cells {
            Cells::Text(text) => {
                text.iter().map(|cell| cell.as_deref().map_or(f64::NAN, code)).collect::<Vec<_>>().into()
            }
            // A new table whose levels happen to look like numbers.
            Cells::Number(x) => x
                .iter()
                .map(|x| if x.is_nan() { f64::NAN } else { code(&x.to_string()) })
                .collect::<Vec<_>>()
                .into(),
        })
    }
}
