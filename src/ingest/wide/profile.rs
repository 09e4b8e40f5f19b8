//! What the cells of a column are in the training rows, as counts from which its spelling and its role
//! follow.

use std::collections::{BTreeMap, HashMap};

use super::cells::{Hashes, hash_number, hash_text};
use super::extremes::Extremes;
use super::marks::FittingMarks;
use crate::ingest::source::Cell;
use crate::ingest::spelling::{
    Marks, Reader, Reading, beyond, has_leading_zero, is_code, is_date_or_time, is_number_like,
    number_and_unit, says_infinity, says_nothing, truth,
};
use crate::ingest::text::normal_unit;
use crate::schema::DecimalMark;

/// Distinct values that are counted.
const MOST_DISTINCT: usize = 1 << 12;
/// Distinct words that are kept with their counts.
const MOST_WORDS: usize = 256;

/// Numbers that stand for "missing" in one table or another, without their sign. 1 stands for it with a minus
/// only.
const SENTINELS: [f64; 21] = [
    1.0,
    6.0,
    7.0,
    8.0,
    9.0,
    66.0,
    77.0,
    88.0,
    99.0,
    777.0,
    888.0,
    999.0,
    7777.0,
    8888.0,
    9999.0,
    77777.0,
    88888.0,
    99999.0,
    999_999.0,
    9_999_999.0,
    2_147_483_648.0,
];

/// What was met in a column.
#[derive(Debug, Clone, Default)]
pub(super) struct Profile {
    /// Cells that hold something.
    pub(super) seen: u64,
    /// Cells that are numbers under the spelling of the column.
    pub(super) numbers: u64,
    pub(super) whole: u64,
    pub(super) zero_or_one: u64,
    /// Cells stored as truth values.
    pub(super) bools: u64,
    /// Words for true, and for false.
    pub(super) truths: [u64; 2],
    pub(super) dates: u64,
    /// Whole numbers such as 20190301.
    pub(super) digit_dates: u64,
    pub(super) censored: u64,
    pub(super) infinite: u64,
    /// Cells that are neither numbers, limits, dates nor infinities.
    pub(super) text: u64,
    /// Of these, codes such as `V45`.
    pub(super) code_like: u64,
    /// Numbers with a zero in front that they do not need.
    pub(super) leading_zeros: u64,
    /// Whole numbers written with an exponent, as the code `3E3` is.
    pub(super) exponents: u64,
    /// Whole numbers whose last digits a double does not hold.
    pub(super) inexact: u64,
    /// Numbers written with a fraction of zeros (`1.0`), and written without any.
    pub(super) zero_fractions: u64,
    /// How many texts are numbers in which set of marks; see [`Marks::fitting`].
    pub(super) marks: Vec<FittingMarks>,
    /// Units behind numbers.
    pub(super) units: Vec<(String, u64)>,
    /// Words for "missing" that nobody listed.
    pub(super) nothing: BTreeMap<String, u64>,
    /// Texts that are no plain numbers, with their counts, as many as are kept.
    pub(super) words: HashMap<String, u64>,
    pub(super) too_many_words: bool,
    /// Different words among them that are neither numbers, limits, dates nor infinities.
    pub(super) different_texts: usize,
    /// Longest such text in characters.
    pub(super) longest: usize,
    distinct: Hashes,
    pub(super) too_many_distinct: bool,
    sentinels: [[u64; 2]; SENTINELS.len()],
    /// Smallest and largest number that is no sentinel.
    range: Option<(f64, f64)>,
    extremes: Extremes,
    /// Texts that are listed as missing, with their counts.
    pub(super) listed: BTreeMap<String, u64>,
    /// Whether only training rows are counted, since the table says which they are.
    pub(super) of_training: bool,
}

impl Profile {
    /// Takes a cell, and what it says in a column of numbers.
    pub(super) fn cell(&mut self, reader: &Reader<'_>, cell: Cell<'_>, reading: Reading) {
        match cell {
            Cell::Null => {}
            Cell::Temporal => {
                self.seen += 1;
                self.dates += 1;
            }
            Cell::Bool(truth) => {
                self.seen += 1;
                self.bools += 1;
                self.note_distinct(hash_number(f64::from(u8::from(truth))));
            }
            Cell::Number(_) | Cell::Integer(_) => match reading {
                Reading::Value(x) => {
                    self.inexact += u64::from(matches!(cell, Cell::Integer(i) if i.unsigned_abs() > 1 << 53));
                    self.number(x);
                }
                Reading::Rejected(_) => {
                    self.seen += 1;
                    self.infinite += 1;
                }
                Reading::Absent => {}
            },
            Cell::Text(text) => self.written(reader, text.trim(), reading),
        }
    }

    fn written(&mut self, reader: &Reader<'_>, text: &str, reading: Reading) {
        if text.is_empty() {
            return;
        }
        match reading {
            // Words for true and false are counted as words even where they are read as numbers.
            Reading::Value(x) if text.bytes().any(|b| b.is_ascii_digit()) => {
                // Of digits that a double does not hold, and of codes with leading zeros, the text alone
                // tells which value it is.
                let by_text = is_inexact(text, x) || has_leading_zero(text);
                self.note_distinct(if by_text { hash_text(text) } else { hash_number(x) });
                self.count(x);
                self.leading_zeros += u64::from(has_leading_zero(text));
                self.zero_fractions += u64::from(x.fract() == 0.0 && text.contains('.'));
                self.exponents +=
                    u64::from(text.contains(['e', 'E']) && !text.contains(['.', ',', '-', '+']));
                self.inexact += u64::from(is_inexact(text, x));
                self.note_marks(text);
            }
            Reading::Absent => {
                // A listed code is missing everywhere; another word for it may be a level.
                let may_be_level = reader.level(text).is_some();
                let words = if may_be_level { &mut self.nothing } else { &mut self.listed };
                if (says_nothing(text) || !may_be_level)
                    && (words.len() < MOST_WORDS || words.contains_key(text))
                {
                    *words.entry(text.to_string()).or_default() += 1;
                }
            }
            _ => self.word(text),
        }
    }

    fn number(&mut self, x: f64) {
        self.note_distinct(hash_number(x));
        self.count(x);
    }

    fn count(&mut self, x: f64) {
        self.seen += 1;
        self.numbers += 1;
        self.extremes.add(x);
        let whole = x.fract() == 0.0;
        self.whole += u64::from(whole);
        self.zero_or_one += u64::from(x == 0.0 || x == 1.0);
        self.digit_dates +=
            u64::from(whole && (18_000_101.0..=22_001_231.0).contains(&x) && is_digit_date(x as u64));
        if whole
            && let Some(at) = SENTINELS.iter().position(|s| *s == x.abs())
            && x != 1.0
        {
            self.sentinels[at][usize::from(x < 0.0)] += 1;
        } else {
            let (low, high) = self.range.unwrap_or((x, x));
            self.range = Some((low.min(x), high.max(x)));
        }
    }

    /// A text that is no plain number.
    fn word(&mut self, text: &str) {
        self.seen += 1;
        self.note_distinct(hash_text(text));
        self.longest = self.longest.max(text.chars().count());
        let texts = self.text;
        if let Some(truth) = truth(text) {
            self.truths[usize::from(truth)] += 1;
            self.text += 1;
        } else if says_infinity(text) {
            self.infinite += 1;
        } else if beyond(text).is_some_and(is_number_like) {
            self.censored += 1;
        } else if is_date_or_time(text) {
            self.dates += 1;
        } else if !self.note_marks(text) && !self.note_unit(text) {
            self.text += 1;
            self.code_like += u64::from(is_code(text));
        }
        if let Some(count) = self.words.get_mut(text) {
            *count += 1;
        } else if self.words.len() < MOST_WORDS {
            self.words.insert(text.to_string(), 1);
            self.different_texts += usize::from(self.text > texts);
        } else {
            self.too_many_words = true;
        }
    }

    fn note_unit(&mut self, text: &str) -> bool {
        let Some((number, unit)) = number_and_unit(text) else { return false };
        if !self.note_marks(number) {
            return false;
        }
        let unit = normal_unit(unit);
        match self.units.iter().position(|(u, _)| *u == unit) {
            Some(at) => self.units[at].1 += 1,
            None if self.units.len() < MOST_WORDS => self.units.push((unit, 1)),
            None => {}
        }
        true
    }

    fn note_marks(&mut self, text: &str) -> bool {
        let fitting = Marks::fitting(text);
        match self.marks.iter_mut().find(|m| m.set == fitting) {
            _ if fitting == 0 => {}
            Some(marks) => marks.count += 1,
            None => self.marks.push(FittingMarks { set: fitting, count: 1, example: text.to_string() }),
        }
        fitting != 0
    }

    fn note_distinct(&mut self, hash: u64) {
        if !self.too_many_distinct {
            self.distinct.insert(hash);
            self.too_many_distinct = self.distinct.len() > MOST_DISTINCT;
        }
    }

    /// Distinct values; a lower bound where there are too many.
    pub(super) fn n_distinct(&self) -> u64 {
        self.distinct.len() as u64
    }

    /// What the rows that were counted are called.
    pub(super) fn rows(&self, n: u64) -> &'static str {
        match (self.of_training, n) {
            (true, 1) => "training row",
            (true, _) => "training rows",
            (false, 1) => "row",
            (false, _) => "rows",
        }
    }

    /// Cells that are numbers in some spelling, also those of which only a limit is known.
    pub(super) fn number_like(&self) -> u64 {
        self.seen - self.text - self.dates - self.bools
    }

    /// Numbers that look like missing codes: repeated, and apart from all other values by more than these
    /// spread.
    pub(super) fn suspects(&self) -> Vec<(f64, u64)> {
        // A code of one digit in a tenth of the rows is a level of a scale.
        let is_rare = |x: f64, count: u64| x.abs() > 9.0 || x < 0.0 || count * 10 <= self.numbers;
        let mut found = self.extremes.apart(self.n_distinct());
        found.retain(|(x, count)| is_rare(*x, *count));
        let Some((low, high)) = self.range else { return found };
        for (size, counts) in SENTINELS.iter().zip(&self.sentinels) {
            for (x, count) in [(*size, counts[0]), (-size, counts[1])] {
                let apart = if x < 0.0 {
                    // Negative codes stand out among numbers that are never negative; −1 among 0 and 1 is a
                    // score.
                    low >= 0.0 && high > 1.0 || low - x > (high - low).max(1.0)
                } else {
                    // A code of one digit needs a scale of few steps below it.
                    x - high > (high - low).max(1.0) && (x > 9.0 || self.n_distinct() <= 12)
                };
                if apart && count >= 2 && is_rare(x, count) && !found.iter().any(|(known, _)| *known == x) {
                    found.push((x, count));
                }
            }
        }
        found
    }

    /// The marks with a given decimal mark that fit most texts.
    pub(super) fn marks_with(&self, decimal: DecimalMark) -> Marks {
        let fit = |marks: Marks| {
            self.marks.iter().filter(|m| m.set & marks.bit() != 0).map(|m| m.count).sum::<u64>()
        };
        let is_comma = decimal == DecimalMark::Comma;
        let fitting =
            Marks::ALL.into_iter().filter(|m| *m != Marks::Either && m.has_decimal_comma() == is_comma);
        // The first of the best: `max_by_key` would give the last.
        fitting.rev().max_by_key(|m| fit(*m)).unwrap_or_default()
    }
}

/// Whether a new table's numbers hold a code for "missing" that the training rows never had; for warnings.
pub(super) fn is_sentinel(x: f64, low: f64, high: f64) -> bool {
    let size = x.abs();
    SENTINELS.contains(&size)
        && size > 1.0
        && if x < 0.0 {
            low >= 0.0 || low - x > (high - low).max(1.0)
        } else {
            x - high > (high - low).max(1.0) && x > 9.0
        }
}

/// Whether a text is a whole number of more digits than a double holds.
fn is_inexact(text: &str, x: f64) -> bool {
    x.abs() > 9_007_199_254_740_992.0 && text.trim_start_matches('-').bytes().all(|b| b.is_ascii_digit())
}

fn is_digit_date(x: u64) -> bool {
    let (month, day) = (x / 100 % 100, x % 100);
    (1..=12).contains(&month) && (1..=31).contains(&day)
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ingest::spelling::Spelling;

    pub(in crate::ingest::wide) fn profile(cells: &[&str]) -> Profile {
        let spelling = Spelling::default();
        let mut profile = Profile::default();
        for text in cells {
            let reader = spelling.reader();
            profile.cell(&reader, Cell::Text(text), reader.number(text));
        }
        profile
    }

    #[test]
    fn missing_codes_stand_apart_and_repeat() {
        let suspects = |cells: &[&str]| profile(cells).suspects();
        assert_eq!(suspects(&["50", "63", "-999", "-999.0", "71"]), [(-999.0, 2)]);
        let scale = |nines: usize| {
            let mut cells = ["1", "2"].repeat(10);
            cells.extend(vec!["9"; nines]);
            suspects(&cells)
        };
        assert_eq!((scale(2), scale(12)), (vec![(9.0, 2)], vec![]), "many nines are a level");
        assert_eq!(suspects(&["3", "5", "-1", "-1", "7"]), [(-1.0, 2)]);
        assert!(suspects(&["-1", "0", "1", "-1"]).is_empty(), "a score");
        assert!(suspects(&["97", "98", "99", "99", "100"]).is_empty(), "a percentage");
        assert!(suspects(&["50", "63", "-999"]).is_empty(), "once only");
        assert!(suspects(&["-5.5", "3", "-9", "-9"]).is_empty());
    }

    #[test]
    fn cells_are_counted_by_what_they_are() {
        let p =
            profile(&["12", "<0.5", "12 mg", "01/02/2019", "V45", "word", "inf", "None", "", "Yes", "007"]);
        assert_eq!((p.seen, p.numbers, p.text, p.code_like), (9, 2, 3, 1));
        assert_eq!((p.censored, p.dates, p.infinite, p.leading_zeros), (1, 1, 1, 1));
        assert_eq!((p.truths, p.units.len(), p.nothing.len()), ([0, 1], 1, 1));
    }
}
