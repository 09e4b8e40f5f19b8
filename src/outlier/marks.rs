//! What people said of flags that they looked at one by one: how many of the most unusual are errors, and how
//! many of each pattern.
//!
//! Precision is the share of errors among the flags that were decided, which are those marked as an error or
//! as true but unusual. A flag that nobody is sure of, or that nobody looked at, is left out and counted.

use std::collections::BTreeMap;

use serde::Serialize;

use super::outcome::Estimate;
use crate::schema::words;

words! {
    /// What somebody said of a flag.
    pub enum Mark {
        /// A value is wrong.
        Error = "error",
        /// The record is right, and rare.
        Unusual = "true but unusual",
        /// Neither can be said.
        Unsure = "not sure",
    }
}

impl Mark {
    /// The mark that a word of a file means, also with hyphens or underscores between its parts.
    pub fn of_word(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase().replace(['-', '_'], " ");
        Self::ALL.into_iter().find(|mark| mark.name() == word)
    }
}

/// A flagged record of a table that `flag` wrote.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ListedFlag {
    /// Its row in the table, from 1.
    pub row: usize,
    /// Whose row it is.
    pub record_id: String,
    /// Larger is more unusual; infinite where no score could be given.
    pub score: f64,
    /// Conformal p-value.
    pub p_value: f64,
    /// The group it was calibrated in, if the table has one.
    pub group: Option<String>,
    /// Name of the feature that explains most; empty where none does.
    pub feature: String,
    /// Its recorded value, as text.
    pub observed: String,
    /// The value that would be ordinary.
    pub suggested: String,
    /// The slip that fits, as `flag` writes it; empty without one.
    pub pattern: String,
    /// The sentence.
    pub explanation: String,
}

/// Counts of marks, with the share of errors among those that were decided.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Precision {
    /// Flags that are looked at here.
    pub n_flags: usize,
    /// Of them, errors.
    pub n_errors: usize,
    /// Of them, true but unusual.
    pub n_unusual: usize,
    /// Of them, those that nobody is sure of.
    pub n_unsure: usize,
    /// Share of errors among errors and unusual ones, with Wilson's 95 % interval.
    pub precision: Estimate,
}

impl Precision {
    fn of(marks: &[Option<Mark>]) -> Self {
        let count = |wanted: Mark| marks.iter().filter(|mark| **mark == Some(wanted)).count();
        let decided = marks.iter().filter_map(|mark| match mark {
            Some(Mark::Error) => Some(true),
            Some(Mark::Unusual) => Some(false),
            Some(Mark::Unsure) | None => None,
        });
        Self {
            n_flags: marks.len(),
            n_errors: count(Mark::Error),
            n_unusual: count(Mark::Unusual),
            n_unsure: count(Mark::Unsure),
            precision: Estimate::share(decided),
        }
    }

    /// Flags without a mark.
    pub fn n_unmarked(&self) -> usize {
        self.n_flags - self.n_errors - self.n_unusual - self.n_unsure
    }
}

/// Marks held against the flags they are of.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MarkAgreement {
    /// All flags.
    pub all: Precision,
    /// The k most unusual flags, for growing k.
    pub at: Vec<Precision>,
    /// Flags by what kind of slip fits, those with most flags first.
    pub by_pattern: Vec<(String, Precision)>,
}

/// Numbers of the most unusual flags at which precision is told.
const AT: [usize; 8] = [5, 10, 20, 50, 100, 200, 500, 1000];

/// Holds marks against flags, which come with the most unusual first and with what kind of slip fits.
pub fn marked(flags: &[(&'static str, Option<Mark>)]) -> MarkAgreement {
    let marks: Vec<Option<Mark>> = flags.iter().map(|(_, mark)| *mark).collect();
    let mut of_pattern: BTreeMap<&'static str, Vec<Option<Mark>>> = BTreeMap::new();
    for (pattern, mark) in flags {
        of_pattern.entry(pattern).or_default().push(*mark);
    }
    let mut by_pattern: Vec<(String, Precision)> =
        of_pattern.into_iter().map(|(pattern, marks)| (pattern.to_owned(), Precision::of(&marks))).collect();
    by_pattern.sort_by_key(|(_, precision)| std::cmp::Reverse(precision.n_flags));
    MarkAgreement {
        all: Precision::of(&marks),
        at: AT.into_iter().filter(|k| *k < marks.len()).map(|k| Precision::of(&marks[..k])).collect(),
        by_pattern,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const E: Option<Mark> = Some(Mark::Error);
    const U: Option<Mark> = Some(Mark::Unusual);
    const N: Option<Mark> = Some(Mark::Unsure);

    #[test]
    fn undecided_flags_are_counted_and_left_out_of_the_share() {
        let flags = [("sign", E), ("none", U), ("sign", N), ("none", None), ("none", E), ("unit", U)];
        let got = marked(&flags);
        let of = |p: &Precision| (p.n_flags, p.n_errors, p.n_unusual, p.n_unsure, p.n_unmarked());
        assert_eq!(of(&got.all), (6, 2, 2, 1, 1));
        assert_eq!((got.all.precision.n, got.all.precision.value), (4, 0.5));
        // Wilson's interval of 2 in 4, in Python's decimal arithmetic with 40 digits.
        assert!((got.all.precision.low - 0.150_038_989_152_149).abs() < 1e-13, "{:?}", got.all.precision);
        assert_eq!(got.at.iter().map(of).collect::<Vec<_>>(), [(5, 2, 1, 1, 1)]);
        let by: Vec<_> = got.by_pattern.iter().map(|(name, p)| (name.as_str(), of(p))).collect();
        assert_eq!(by, [("none", (3, 1, 1, 0, 1)), ("sign", (2, 1, 0, 1, 0)), ("unit", (1, 0, 1, 0, 0))]);
    }

    #[test]
    fn marks_are_read_however_their_words_are_joined() {
        assert_eq!(Mark::of_word(" Error "), E);
        assert_eq!(Mark::of_word("true-but-unusual"), U);
        assert_eq!(Mark::of_word("not_sure"), N);
        assert_eq!(Mark::of_word("maybe"), None);
    }
}
