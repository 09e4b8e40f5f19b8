//! Which rows of a file belong to a table.

use crate::ingest::text::{matches, normal_text};
use crate::schema::KeepRule;

/// A rule made ready for the rows.
#[derive(Debug)]
pub(in crate::ingest) struct KeepTest {
    place: usize,
    texts: Vec<String>,
    numbers: Vec<f64>,
}

impl KeepTest {
    /// The rule of a table, with the place of its column.
    pub(in crate::ingest) fn new((rule, place): (&KeepRule, &usize)) -> Self {
        Self::of(*place, &rule.equals)
    }

    /// A rule on the column at a place.
    pub(in crate::ingest) fn of(place: usize, values: &[String]) -> Self {
        let texts = values.iter().map(|value| normal_text(value)).collect();
        Self { place, texts, numbers: values.iter().filter_map(|value| value.trim().parse().ok()).collect() }
    }

    /// Whether a row, whose cells are given as texts, is kept. An empty cell never is.
    pub(in crate::ingest) fn keeps(&self, cell: impl Fn(usize) -> Option<String>) -> bool {
        let Some(text) = cell(self.place) else { return false };
        let is_number = || text.trim().parse::<f64>().is_ok_and(|x| self.numbers.contains(&x));
        let text_fits = |text: &str| self.texts.iter().any(|pattern| matches(pattern, text));
        text_fits(&normal_text(&text)) || is_number()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_kept_by_text_pattern_or_number() {
        let keep = KeepTest::of(0, &["ICU_ADMISSION*".to_owned(), "9201".to_owned()]);
        for (cell, kept) in [
            (Some("ICU_ADMISSION//MICU"), true),
            (Some("icu_admission"), true),
            (Some("9201.0"), true),
            (Some("ICU_DISCHARGE//MICU"), false),
            (None, false),
        ] {
            assert_eq!(keep.keeps(|_| cell.map(ToString::to_string)), kept, "{cell:?}");
        }
    }
}
