//! What the values of a column in the training rows make of it: its spelling, and its kind.

use std::fmt::Write as _;

use crate::ingest::source::StoredType;
use crate::ingest::spelling::{Codes, Marks, Spelling, truth};
use crate::message::{Message, Weight, counted};
use crate::schema::{DecimalMark, Kind};

use super::doubts::{doubtful_levels, sentinels};
use super::marks::best_marks;
use super::profile::Profile;

/// Up to this many levels a column is categorical even where most rows have a level of their own (small
/// tables).
const FEW_LEVELS: u64 = 12;
/// Up to this many levels a column is categorical if a level has two rows on average.
const SOME_LEVELS: u64 = 64;
/// Up to this many levels a column of short texts is categorical if a level has [`ROWS_PER_LEVEL`] rows on
/// average.
const MOST_LEVELS: u64 = 2048;
const ROWS_PER_LEVEL: u64 = 10;
/// Longest text that can be one of so many levels, in characters.
const LONGEST_LEVEL: usize = 60;

/// Share of words up to which they are strays in a column of numbers.
const STRAY: f64 = 0.01;
/// Different words up to which they are remarks in a column of numbers, however often they stand there.
const DIFFERENT_REMARKS: usize = 5;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Numbers(Kind),
    Levels,
    Nothing,
}

/// What was found out about a column's values.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub(super) holds: Holds,
    /// Why it is taken for that, or left out.
    pub(super) why: String,
    /// What the user should check, with the setting to give.
    pub(super) doubts: Vec<Message>,
}

impl Values {
    fn of(holds: Holds, why: impl Into<String>) -> Self {
        Self { holds, why: why.into(), doubts: Vec::new() }
    }
}

/// Marks and unit of a column of numbers, as far as its training cells tell, with a doubt about the marks.
pub(super) fn learn_marks(
    name: &str,
    profile: &Profile,
    decimal: Option<DecimalMark>,
    comma_elsewhere: bool,
    spelling: &mut Spelling,
) -> Option<Message> {
    if profile.number_like() * 2 < profile.seen {
        return None;
    }
    let with_unit: u64 = profile.units.iter().map(|(_, n)| n).sum();
    if let Some((unit, n)) = profile.units.iter().max_by_key(|(_, n)| *n)
        && *n as f64 >= 0.9 * (with_unit + profile.numbers) as f64
    {
        spelling.unit = Some(unit.clone());
    }
    let (marks, sure) = match decimal {
        None => best_marks(&profile.marks, comma_elsewhere),
        Some(mark) => (profile.marks_with(mark), true),
    };
    spelling.marks = marks;
    if marks == Marks::Either {
        let text = format!(
            "column `{name}` is written with {}; a cell that could be read in both ways is rejected",
            marks.described()
        );
        return Some(Message::column(Weight::Wrong, name, text));
    }
    let is_comma = marks.has_decimal_comma();
    let (other, reads) = if is_comma { ("point", "the other way") } else { ("comma", "as decimal marks") };
    // A point read as a point is what everybody expects.
    (!sure && marks != Marks::Point).then(|| {
        let text = format!(
            "column `{name}`: its numbers can be read in two ways and are read with {}{}; --set \
             decimal.{name}={other} reads them {reads}",
            marks.described(),
            if is_comma { ", as other columns of the table are" } else { "" },
        );
        Message::column(Weight::Wrong, name, text)
    })
}

/// The kind of an undeclared column. The profile is of the column read in `spelling`.
pub(super) fn judge(name: &str, stored: &StoredType, profile: &Profile, spelling: &mut Spelling) -> Values {
    let p = profile;
    let share = |n: u64| n as f64 / p.seen.max(1) as f64;
    if let StoredType::Unreadable(what) = stored {
        return Values::of(Holds::Nothing, format!("cells of the type {what} are not read"));
    }
    if p.seen == 0 {
        let rows = p.rows(0);
        return Values::of(Holds::Nothing, format!("it has no value in the {rows}"));
    }
    if share(p.dates) >= 0.9 {
        return Values::of(
            Holds::Nothing,
            "it holds dates or times; subtract them from each other to use them",
        );
    }
    if p.digit_dates == p.seen && p.n_distinct() > 2 {
        return Values::of(
            Holds::Nothing,
            format!("it holds dates written as numbers; --set role.{name}=count uses them as numbers"),
        );
    }
    if p.bools == p.seen {
        // Another writer of the same table has words for true and false.
        spelling.truth = true;
        return Values::of(Holds::Numbers(Kind::Binary), "true and false");
    }
    let [no, yes] = p.truths;
    let is_truth = no + yes + p.zero_or_one + p.bools == p.seen && no + yes > 0;
    let says_true = p.words.keys().all(|w| w.eq_ignore_ascii_case("true") || w.eq_ignore_ascii_case("false"));
    if is_truth && ((no > 0 && yes > 0) || says_true) {
        spelling.truth = true;
        let said = |wanted: bool| {
            let mut words: Vec<&str> =
                p.words.keys().map(String::as_str).filter(|word| truth(word) == Some(wanted)).collect();
            words.sort_unstable();
            (!words.is_empty()).then(|| format!("{} as {}", words.join(", "), u8::from(wanted)))
        };
        let why: Vec<String> = [said(false), said(true)].into_iter().flatten().collect();
        return Values::of(Holds::Numbers(Kind::Binary), why.join("; "));
    }
    // A limit says of a measurement that it was one: troponin is below its limit in most people.
    let are_measurements =
        (p.numbers + p.censored) * 2 >= p.seen && p.numbers > 0 && p.n_distinct() > FEW_LEVELS;
    if p.numbers * 2 >= p.seen || are_measurements {
        numbers(name, p, spelling)
    } else {
        levels(name, p, spelling)
    }
}

/// A column of which most cells are numbers.
fn numbers(name: &str, p: &Profile, spelling: &mut Spelling) -> Values {
    let share = |n: u64| n as f64 / p.seen as f64;
    if p.leading_zeros >= 2 || share(p.leading_zeros) > STRAY {
        let mut values = levels(name, p, spelling);
        if values.holds == Holds::Levels {
            values.why = format!("codes with leading zeros, {}", counted(p.n_distinct(), "level", "levels"));
            let text = format!(
                "column `{name}` holds codes with leading zeros and is categorical; --set role.{name}=count \
                 reads them as numbers"
            );
            values.doubts.push(Message::column(Weight::Choice, name, text).counting(p.leading_zeros));
        }
        return values;
    }
    if p.inexact > 0 {
        let mut values = levels(name, p, spelling);
        spelling.codes = Codes::Text;
        if values.holds == Holds::Levels {
            values.why = format!("codes of more digits than a number holds, {} levels", p.n_distinct());
            let text = format!(
                "column `{name}` holds whole numbers of more than 15 digits, which a number cannot hold, and \
                 is categorical; --set role.{name}=continuous reads them as numbers all the same"
            );
            values.doubts.push(Message::column(Weight::Choice, name, text).counting(p.inexact));
        }
        return values;
    }
    let strays = p.text + p.dates + p.bools;
    let different = p.different_texts;
    let are_codes = p.code_like >= 2 && different >= 2 && p.code_like * 2 >= p.text;
    // A few words among many different numbers are remarks; among few numbers they are levels like these.
    let are_remarks =
        different <= DIFFERENT_REMARKS && !p.too_many_words && p.n_distinct() > FEW_LEVELS + different as u64;
    if strays > 0 && (are_codes || !(share(strays) <= STRAY || are_remarks)) {
        let mut values = levels(name, p, spelling);
        if values.holds == Holds::Levels {
            values.why = format!("numbers and codes mixed, {} levels", p.n_distinct());
            let text = format!(
                "column `{name}` mixes numbers with codes or words ({strays} of {} cells) and is \
                 categorical with {} levels; --set role.{name}=continuous reads the numbers and rejects the \
                 rest",
                p.seen,
                p.n_distinct()
            );
            values.doubts.push(Message::column(Weight::Choice, name, text).counting(strays));
        }
        return values;
    }
    let kind = if p.zero_or_one == p.numbers {
        // Words for true and false say the same, should other rows hold them.
        spelling.truth = true;
        Kind::Binary
    } else if p.whole == p.numbers {
        Kind::Count
    } else {
        Kind::Continuous
    };
    let mut why = match kind {
        Kind::Binary => "only 0 and 1".to_string(),
        Kind::Count => "whole numbers".into(),
        _ => "numbers".into(),
    };
    if spelling.marks != Marks::Point {
        why.push_str(" with ");
        why.push_str(spelling.marks.described());
    }
    if let Some(unit) = &spelling.unit {
        why.push_str(" in ");
        why.push_str(unit);
    }
    if !p.nothing.is_empty() {
        let words: Vec<String> = p.nothing.keys().take(4).map(|w| format!("`{w}`")).collect();
        let rows: u64 = p.nothing.values().sum();
        let _ = write!(why, "; {} read as missing ({rows} {})", words.join(", "), p.rows(rows));
    }
    let mut values = Values::of(Holds::Numbers(kind), why);
    if p.exponents * 2 > p.numbers {
        let text = format!(
            "column `{name}`: cells such as `3E3` are read as numbers with an exponent (3000); if they are \
             codes, pass --set role.{name}=categorical"
        );
        values.doubts.push(Message::column(Weight::Wrong, name, text).counting(p.exponents));
    }
    values.doubts.extend(sentinels(name, p, spelling));
    values
}

/// A column of texts.
fn levels(name: &str, p: &Profile, spelling: &mut Spelling) -> Values {
    learn_codes(p, spelling);
    // Words such as `none` are levels here.
    let nothing: u64 = p.nothing.values().sum();
    let (n, seen) = (p.n_distinct() + p.nothing.len() as u64, p.seen + nothing);
    let are_levels = n <= FEW_LEVELS
        || (n <= SOME_LEVELS && n * 2 <= seen)
        || (n <= MOST_LEVELS && n * ROWS_PER_LEVEL <= seen && p.longest <= LONGEST_LEVEL);
    if !are_levels || p.too_many_distinct {
        let more = if p.too_many_distinct { "more than " } else { "" };
        let what =
            if p.numbers > 0 || p.code_like * 2 >= seen { "codes or identifiers" } else { "free text" };
        return Values::of(
            Holds::Nothing,
            format!(
                "it holds {what}, {more}{n} different in {seen} {}; --set role.{name}=categorical \
                 uses them as levels, group keeps rows of one value in one split",
                p.rows(seen)
            ),
        );
    }
    let mut why = counted(n, "level", "levels");
    if !p.listed.is_empty() {
        let words: Vec<String> = p.listed.keys().take(4).map(|w| format!("`{w}`")).collect();
        let rows: u64 = p.listed.values().sum();
        let _ = write!(why, "; {} read as missing ({rows} {})", words.join(", "), p.rows(rows));
    }
    let mut values = Values::of(Holds::Levels, why);
    values.doubts.extend(doubtful_levels(name, p));
    values
}

/// Whether numbers among the levels are compared as numbers.
pub(super) fn learn_codes(p: &Profile, spelling: &mut Spelling) {
    let only_numbers = p.numbers == p.seen;
    // `250` and `250.0` beside `V45` are two codes of a classification.
    let of_a_classification = p.whole != p.numbers || (p.zero_fractions > 0 && p.zero_fractions != p.numbers);
    let as_numbers =
        p.leading_zeros == 0 && p.exponents == 0 && p.inexact == 0 && (only_numbers || !of_a_classification);
    spelling.codes = if as_numbers { Codes::Number } else { Codes::Text };
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::source::Cell;

    fn judged(cells: &[&str]) -> (Values, Spelling) {
        let mut spelling = Spelling::with_missing(vec!["NA".into()]);
        let read = |spelling: &Spelling| {
            let mut profile = Profile::default();
            let reader = spelling.reader();
            cells.iter().for_each(|text| profile.cell(&reader, Cell::Text(text), reader.number(text)));
            profile
        };
        let first = read(&spelling);
        learn_marks("x", &first, None, false, &mut spelling);
        let profile = read(&spelling);
        (judge("x", &StoredType::Text, &profile, &mut spelling), spelling)
    }

    fn holds(cells: &[&str]) -> Holds {
        judged(cells).0.holds
    }

    /// `cells` and then so many numbers with a fraction.
    fn among(n: usize, cells: &[&'static str]) -> Holds {
        let numbers: Vec<String> = (0..n).map(|i| format!("{}.5", i % 90)).collect();
        let mut all: Vec<&str> = numbers.iter().map(String::as_str).collect();
        all.extend(cells);
        holds(&all)
    }

    #[test]
    fn kinds_follow_from_values() {
        let number = Holds::Numbers;
        assert_eq!(holds(&["0", "1", "", "1"]), number(Kind::Binary));
        assert_eq!(holds(&["3", "1.0", "17"]), number(Kind::Count));
        assert_eq!(holds(&["3", "1.5", "17"]), number(Kind::Continuous));
        assert_eq!(holds(&["3", "1.5", "n/a", "None", "-"]), number(Kind::Continuous));
        assert_eq!(holds(&["True", "false", "TRUE"]), number(Kind::Binary));
        assert_eq!(holds(&["yes", "No", "Y", "1", "0"]), number(Kind::Binary));
        assert_eq!(holds(&["No", "No", "No"]), Holds::Levels, "one answer is no truth value");
        assert_eq!(holds(&["36,8", "37,1", "38"]), number(Kind::Continuous));
        assert_eq!(holds(&["45 %", "12,5 %", "7 %"]), number(Kind::Continuous));
        assert_eq!(holds(&["4,620", "12,000"]), number(Kind::Count));
        assert_eq!(holds(&["a", "b", "a"]), Holds::Levels);
        assert_eq!(holds(&["None", "Norm", ">200", ">300", "Norm"]), Holds::Levels);
        assert_eq!(holds(&["0389", "1882", "4019"]), Holds::Levels);
        assert_eq!(holds(&["2164-10-23", "2164-10-23 21:09:00"]), Holds::Nothing);
        assert_eq!(holds(&["01/03/2019", "20/03/2019"]), Holds::Nothing);
        assert_eq!(holds(&["", "NA"]), Holds::Nothing);
        let words: Vec<String> = (0..200).map(|i| format!("note no {i}")).collect();
        assert_eq!(holds(&words.iter().map(String::as_str).collect::<Vec<_>>()), Holds::Nothing);
    }

    #[test]
    fn words_among_numbers_are_strays_remarks_or_codes() {
        assert_eq!(among(300, &["secret"]), Holds::Numbers(Kind::Continuous));
        assert_eq!(among(90, &["haemolysed", "haemolysed", "see note"]), Holds::Numbers(Kind::Continuous));
        assert_eq!(among(3000, &["V45", "E878"]), Holds::Levels, "codes");
        assert_eq!(among(60, &["<0.5", ">200", "12 mg", "inf"]), Holds::Numbers(Kind::Continuous));
        let (values, spelling) = judged(&["250.8", "V45", "250", "401", "V58", "427", "414"]);
        assert_eq!((values.holds, spelling.codes), (Holds::Levels, Codes::Text));
        assert!(values.doubts[0].text.contains("role.x=continuous"), "{:?}", values.doubts);
    }

    #[test]
    fn whole_codes_are_compared_as_numbers_unless_zeros_lead() {
        assert_eq!(judged(&["a", "1.0", "2.0", "b", "b"]).1.codes, Codes::Number);
        assert_eq!(judged(&["a", "01", "2", "b", "c"]).1.codes, Codes::Text);
        assert_eq!(judged(&["a", "250", "250.0", "b", "c"]).1.codes, Codes::Text);
    }

    #[test]
    fn doubts_name_the_setting() {
        let (values, spelling) = judged(&["50", "60", "-999", "-999", "70"]);
        assert!(values.doubts[0].text.contains("--set missing.x=-999"), "{:?}", values.doubts);
        assert_eq!(spelling.suspected, [-999.0]);
        let (values, _) = judged(&["none", "None", "e.coli", "none"]);
        assert!(values.doubts.iter().any(|d| d.text.contains("letter case")), "{:?}", values.doubts);
        assert!(values.doubts.iter().any(|d| d.text.contains("missing.x=")), "{:?}", values.doubts);
    }
}
