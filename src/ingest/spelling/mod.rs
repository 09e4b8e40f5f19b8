//! How the cells of a column are spelt, and what a cell says under that spelling.
//!
//! A [`Spelling`] is learnt on the training rows, stored with the column in the bundle and in every model,
//! and applied to all other rows and to new tables as it is, so that a row says the same wherever it stands.
//! A cell is a value, *absent* (nothing was recorded), or *rejected* (something was recorded that cannot be
//! used, with the reason).

mod number;
mod words;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

pub(in crate::ingest) use number::ALL_MARKS;
pub use number::Marks;
pub(in crate::ingest) use words::{
    beyond, has_leading_zero, is_code, is_date_or_time, number_and_unit, says_infinity, says_nothing,
    says_unknown, truth,
};

use crate::ingest::text::{normal_unit, shortest, unguarded};
use crate::schema::WideTable;

/// How levels are written in a categorical column.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Codes {
    /// A level is its text: `01` is not `1`, and `250.0` is not `250`.
    #[default]
    Text,
    /// A level that is a number is that number: `1`, `1.0` and `01` are one level.
    Number,
}

/// What was learnt about the spelling of a column.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spelling {
    /// Texts that are read as missing because the pipeline or a setting lists them. Numbers among them are
    /// compared by value.
    #[serde(default)]
    pub missing: Vec<String>,
    /// Decimal mark and marks between thousands.
    #[serde(default)]
    pub marks: Marks,
    /// The unit (or percent sign) that stands behind the numbers; a text without it is then rejected.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Whether words such as `yes` and `False` are read as 1 and 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truth: bool,
    /// How levels are compared.
    #[serde(default)]
    pub codes: Codes,
    /// Numbers that look like codes for missing values, and are taken as numbers because nobody listed them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub suspected: Vec<f64>,
}

/// Why a cell that holds something is not used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Reason {
    /// A word in a column of numbers.
    Text,
    /// A value of which only a limit is known: `<0.5`.
    Censored,
    /// A number with a unit, or without the unit that the column has.
    Unit,
    /// A date or time in a column of numbers.
    Date,
    /// An infinity, or a number beyond the largest double.
    Infinite,
    /// A number in other decimal or thousands marks than the column's.
    Marks,
}

impl Reason {
    /// Name in the audit and in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Censored => "below or above a limit",
            Self::Unit => "with another unit",
            Self::Date => "date or time",
            Self::Infinite => "infinite",
            Self::Marks => "in other decimal or thousands marks",
        }
    }
}

impl Reason {
    /// What a cell is that is rejected for this reason.
    pub(super) fn described(self) -> &'static str {
        match self {
            Self::Text => "a text",
            Self::Censored => "a limit that was not reached or exceeded",
            Self::Unit => "a number with another unit, or without one",
            Self::Date => "a date or time",
            Self::Infinite => "infinite",
            Self::Marks => "written with other decimal or thousands marks",
        }
    }
}

/// What a cell of a column of numbers says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Reading {
    Value(f64),
    Absent,
    Rejected(Reason),
}

/// A spelling made ready for many cells.
#[derive(Debug, Clone)]
pub(super) struct Reader<'s> {
    spelling: &'s Spelling,
    /// The missing codes that are numbers.
    missing_numbers: Vec<f64>,
    unit: Option<String>,
    /// Whether digits with a point are a number.
    is_plain: bool,
}

impl Spelling {
    /// The spelling of a column of which nothing was learnt: plain numbers, and the texts that mean missing
    /// unless a pipeline lists others.
    pub fn undeclared() -> Self {
        Self::with_missing(WideTable::undeclared().missing)
    }

    /// A spelling of which nothing is known but the texts read as missing.
    pub(super) fn with_missing(missing: Vec<String>) -> Self {
        Self { missing, ..Self::default() }
    }

    /// Whether numbers are written with a decimal point and nothing else.
    pub(super) fn writes_plainly(&self) -> bool {
        self.unit.is_none() && !self.marks.has_decimal_comma() && self.marks != Marks::Either
    }

    /// A number as a table of this spelling has it.
    pub(super) fn written(&self, x: f64) -> String {
        let mut text = format!("{x:?}");
        if self.marks.has_decimal_comma() {
            text = text.replace('.', ",");
        } else if self.marks == Marks::Either && self.marks.parse(&text).is_none() {
            // `1.234` could be a number of thousands there.
            text.push('0');
        }
        match self.unit.as_deref() {
            Some("%") => text + "%",
            Some(unit) => format!("{text} {unit}"),
            None => text,
        }
    }

    /// The listed codes for "missing" that are numbers.
    pub fn missing_numbers(&self) -> Vec<f64> {
        self.missing.iter().filter_map(|code| Marks::Point.parse(code.trim())).collect()
    }

    pub(super) fn reader(&self) -> Reader<'_> {
        let missing_numbers = self.missing_numbers();
        let is_plain = self.unit.is_none() && self.marks == Marks::Point;
        Reader { spelling: self, missing_numbers, unit: self.unit.as_deref().map(normal_unit), is_plain }
    }
}

impl Reader<'_> {
    /// What a text says in a column of numbers.
    pub(super) fn number(&self, text: &str) -> Reading {
        if self.is_plain
            && let Some(x) = number::plain(text.as_bytes())
        {
            return self.stored(x);
        }
        let text = text.trim();
        if text.is_empty() {
            return Reading::Absent;
        }
        if self.unit.is_none()
            && let Some(x) = self.spelling.marks.parse(text)
        {
            return self.stored(x);
        }
        self.odd(text)
    }

    /// What a number says that is stored as such.
    pub(super) fn stored(&self, x: f64) -> Reading {
        if x.is_nan() || self.missing_numbers.contains(&x) {
            Reading::Absent
        } else if x.is_infinite() {
            Reading::Rejected(Reason::Infinite)
        } else {
            // −0 and 0 are one number to everything downstream.
            Reading::Value(x + 0.0)
        }
    }

    /// A text that is not simply a number.
    fn odd(&self, text: &str) -> Reading {
        let is_code = || Marks::Point.parse(text).is_some_and(|x| self.missing_numbers.contains(&x));
        if self.is_listed(text) || says_nothing(text) || is_code() {
            return Reading::Absent;
        }
        if let Some(unit) = &self.unit
            && let Some((number, found)) = number_and_unit(text)
            && normal_unit(found) == *unit
            && let Some(x) = self.spelling.marks.parse(number)
        {
            return self.stored(x);
        }
        if self.spelling.truth
            && let Some(truth) = truth(text)
        {
            return Reading::Value(f64::from(u8::from(truth)));
        }
        Reading::Rejected(why(text, self.unit.is_some()))
    }

    /// The level a text stands for; none where it says that nothing was recorded.
    pub(super) fn level<'t>(&self, text: &'t str) -> Option<Cow<'t, str>> {
        let text = unguarded(text.trim());
        if text.is_empty() || self.is_listed(text) {
            return None;
        }
        let number = || Marks::Point.parse(text).filter(|x| x.is_finite());
        if !self.missing_numbers.is_empty() && number().is_some_and(|x| self.missing_numbers.contains(&x)) {
            return None;
        }
        match self.spelling.codes {
            Codes::Number => Some(number().map_or(Cow::Borrowed(text), |x| Cow::Owned(shortest(x + 0.0)))),
            Codes::Text => Some(Cow::Borrowed(text)),
        }
    }

    /// The level a stored number stands for.
    pub(super) fn level_of(&self, x: f64) -> Option<String> {
        match self.stored(x) {
            Reading::Value(x) => Some(shortest(x)),
            Reading::Absent => None,
            Reading::Rejected(_) => Some(shortest(x)),
        }
    }

    fn is_listed(&self, text: &str) -> bool {
        self.spelling.missing.iter().any(|code| code.trim() == text)
    }
}

/// Why a text that is neither a number nor a word for "missing" cannot be used as a number.
fn why(text: &str, has_unit: bool) -> Reason {
    if says_infinity(text) {
        Reason::Infinite
    } else if beyond(text).is_some_and(is_number_like) {
        Reason::Censored
    } else if Marks::fitting(text) != 0 {
        // In a column of `45 %` a bare number is told apart by its missing unit.
        if has_unit && Marks::Point.parse(text).is_some() { Reason::Unit } else { Reason::Marks }
    } else if is_date_or_time(text) {
        // Before units, because the slash of `01/03/2019` looks like one.
        Reason::Date
    } else if number_and_unit(text).is_some_and(|(number, _)| Marks::fitting(number) != 0) {
        Reason::Unit
    } else {
        Reason::Text
    }
}

/// Whether a text is a number in some marks, with or without a unit.
pub(super) fn is_number_like(text: &str) -> bool {
    Marks::fitting(text) != 0 || number_and_unit(text).is_some_and(|(number, _)| Marks::fitting(number) != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_of_numbers_are_values_absent_or_rejected() {
        let spelling = Spelling::with_missing(vec!["-999".into(), "unknown".into()]);
        let reader = spelling.reader();
        for (text, reading) in [
            ("12", Reading::Value(12.0)),
            (" 12.00 ", Reading::Value(12.0)),
            ("1.2e1", Reading::Value(12.0)),
            ("-0", Reading::Value(0.0)),
            ("-999.0", Reading::Absent),
            ("unknown", Reading::Absent),
            ("<NA>", Reading::Absent),
            ("NaN", Reading::Absent),
            ("", Reading::Absent),
            ("inf", Reading::Rejected(Reason::Infinite)),
            ("1e999", Reading::Rejected(Reason::Infinite)),
            ("<0.5", Reading::Rejected(Reason::Censored)),
            ("> 89 years", Reading::Rejected(Reason::Censored)),
            ("36,8", Reading::Rejected(Reason::Marks)),
            ("37.2 °C", Reading::Rejected(Reason::Unit)),
            ("01/03/2019", Reading::Rejected(Reason::Date)),
            ("haemolysed", Reading::Rejected(Reason::Text)),
            ("yes", Reading::Rejected(Reason::Text)),
            ("0x1F", Reading::Rejected(Reason::Text)),
        ] {
            assert_eq!(reader.number(text), reading, "{text}");
        }
        assert_eq!(reader.stored(-999.0), Reading::Absent);
        assert_eq!(reader.stored(f64::NEG_INFINITY), Reading::Rejected(Reason::Infinite));
    }

    #[test]
    fn a_unit_is_asked_for_where_the_column_has_one() {
        let spelling = Spelling { unit: Some("%".into()), marks: Marks::Comma, ..Spelling::default() };
        let reader = spelling.reader();
        assert_eq!(reader.number("45,5 %"), Reading::Value(45.5));
        assert_eq!(reader.number("45%"), Reading::Value(45.0));
        assert_eq!(reader.number("0"), Reading::Rejected(Reason::Unit));
        assert_eq!(reader.stored(45.0), Reading::Value(45.0));
    }

    #[test]
    fn a_number_is_read_as_it_was_written() {
        for marks in Marks::ALL {
            for unit in [None, Some("kg".to_string()), Some("%".into()), Some("mmol/l".into())] {
                let spelling = Spelling { marks, unit, ..Spelling::default() };
                for x in [0.0, -1.5, 36.8, 1.234, -12.345, 1234.0, 1_234_567.25, 1e-7, 1e20, 0.1 + 0.2] {
                    let text = spelling.written(x);
                    assert_eq!(spelling.reader().number(&text), Reading::Value(x), "{text} with {marks:?}");
                }
            }
        }
    }

    #[test]
    fn levels_are_trimmed_and_their_letter_case_is_kept() {
        let codes =
            Spelling { codes: Codes::Number, missing: vec!["NA".into(), "9".into()], ..Spelling::default() };
        let reader = codes.reader();
        let level = |text| reader.level(text).map(Cow::into_owned);
        assert_eq!(level(" 1.0"), Some("1".into()));
        assert_eq!(level("01"), Some("1".into()));
        assert_eq!((level("9.0"), level("NA"), level(" ")), (None, None, None));
        assert_eq!(level("None"), Some("None".into()));
        assert_eq!(reader.level_of(1.0), Some("1".into()));
        let text = Spelling::default();
        assert_eq!(text.reader().level("0389 ").as_deref(), Some("0389"));
    }

    #[test]
    fn truth_is_read_where_the_column_has_it() {
        let spelling = Spelling { truth: true, ..Spelling::default() };
        let reader = spelling.reader();
        assert_eq!((reader.number("Ja"), reader.number("false")), (Reading::Value(1.0), Reading::Value(0.0)));
        assert_eq!((reader.number("1.0"), reader.number("2")), (Reading::Value(1.0), Reading::Value(2.0)));
    }
}
