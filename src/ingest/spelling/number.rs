//! Numbers as people write them: with a decimal point or comma, and with or without marks between thousands.
//!
//! A text such as `4,620` has more than one reading. Therefore each text is tried in every [`Marks`], and a
//! column is read in the marks that fit most of its training cells; see [`Marks::fitting`].

use serde::{Deserialize, Serialize};

/// The marks in which the numbers of a column are written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Marks {
    /// `1234.5`.
    #[default]
    Point,
    /// `1,234.5`.
    PointAndCommas,
    /// `1 234.5`, with any space.
    PointAndSpaces,
    /// `1'234.5`.
    PointAndApostrophes,
    /// `1234,5`.
    Comma,
    /// `1.234,5`.
    CommaAndPoints,
    /// `1 234,5`, with any space.
    CommaAndSpaces,
    /// `1'234,5`.
    CommaAndApostrophes,
    /// Both `1234.5` and `1234,5`; a text that could be either, such as `1,234`, is read as neither.
    Either,
}

impl Marks {
    /// All marks. Where several fit a column equally well, the first of them is taken.
    pub(in crate::ingest) const ALL: [Self; 9] = [
        Self::Point,
        Self::PointAndCommas,
        Self::PointAndSpaces,
        Self::PointAndApostrophes,
        Self::Comma,
        Self::CommaAndPoints,
        Self::CommaAndSpaces,
        Self::CommaAndApostrophes,
        Self::Either,
    ];

    /// Whether the decimal mark is a comma.
    pub(in crate::ingest) fn has_decimal_comma(self) -> bool {
        matches!(self, Self::Comma | Self::CommaAndPoints | Self::CommaAndSpaces | Self::CommaAndApostrophes)
    }

    /// How the marks are described in messages.
    pub(in crate::ingest) fn described(self) -> &'static str {
        match self {
            Self::Point => "a decimal point",
            Self::PointAndCommas => "commas between thousands",
            Self::PointAndSpaces => "spaces between thousands",
            Self::PointAndApostrophes => "apostrophes between thousands",
            Self::Comma => "a decimal comma",
            Self::CommaAndPoints => "a decimal comma and points between thousands",
            Self::CommaAndSpaces => "a decimal comma and spaces between thousands",
            Self::CommaAndApostrophes => "a decimal comma and apostrophes between thousands",
            Self::Either => "a decimal point in some cells and a decimal comma in others",
        }
    }

    /// The number that a trimmed text says in these marks. Texts such as `inf` and `0x1F` are no numbers; a
    /// number beyond the largest double is infinite.
    pub(in crate::ingest) fn parse(self, text: &str) -> Option<f64> {
        let is_plain = |b: &u8| b.is_ascii_digit() || matches!(b, b'.' | b'-' | b'+' | b'e' | b'E');
        if self == Self::Point && text.as_bytes().iter().all(is_plain) {
            return text.parse().ok();
        }
        let (decimal, thousands) = match self {
            Self::Point => ('.', None),
            Self::PointAndCommas => ('.', Some(',')),
            Self::PointAndSpaces => ('.', Some(' ')),
            Self::PointAndApostrophes => ('.', Some('\'')),
            Self::Comma => (',', None),
            Self::CommaAndPoints => (',', Some('.')),
            Self::CommaAndSpaces => (',', Some(' ')),
            Self::CommaAndApostrophes => (',', Some('\'')),
            Self::Either => {
                if is_ambiguous(text) {
                    return None;
                }
                (if text.contains(',') { ',' } else { '.' }, None)
            }
        };
        marked(text, decimal, thousands)
    }

    /// The set of marks in which a text is a number, as bits in the order of [`ALL`](Self::ALL).
    pub(in crate::ingest) fn fitting(text: &str) -> u16 {
        if let Some(set) = plainly_fitting(text) {
            return set;
        }
        let bits = Self::ALL.iter().enumerate();
        bits.filter(|(_, marks)| marks.parse(text).is_some()).fold(0, |set, (i, _)| set | 1 << i)
    }

    /// The bit of these marks in a set of [`fitting`](Self::fitting).
    pub(in crate::ingest) fn bit(self) -> u16 {
        1 << Self::ALL.iter().position(|m| *m == self).unwrap_or(0)
    }
}

/// All marks as a set.
pub(in crate::ingest) const ALL_MARKS: u16 = (1 << Marks::ALL.len()) - 1;

/// Powers of ten that a double holds exactly, as many as [`plain`] needs.
const POWERS: [f64; 16] =
    [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];

/// The number that up to 15 digits say, with at most one point among them and a minus before them, which
/// nearly all numbers are. It is the quotient of two whole numbers that doubles hold exactly, rounded once,
/// as the number that the digits say is.
pub(super) fn plain(text: &[u8]) -> Option<f64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    let (mut whole, mut point) = (0_u64, None);
    for (i, b) in digits.iter().take(17).enumerate() {
        match b.wrapping_sub(b'0') {
            digit @ 0..=9 => whole = 10 * whole + u64::from(digit),
            _ if *b == b'.' && point.is_none() => point = Some(i),
            _ => return None,
        }
    }
    let n = digits.len() - usize::from(point.is_some());
    if n == 0 || n > 15 {
        return None;
    }
    let x = whole as f64 / POWERS[point.map_or(0, |at| digits.len() - 1 - at)];
    Some(if negative { -x } else { x })
}

/// The set of fitting marks of a text of digits with at most one point, which nearly all numbers are.
fn plainly_fitting(text: &str) -> Option<u16> {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    let mut point = None;
    for (i, b) in digits.iter().enumerate() {
        match b {
            b'0'..=b'9' => {}
            b'.' if point.is_none() => point = Some(i),
            _ => return None,
        }
    }
    let Some(point) = point else { return (!digits.is_empty()).then_some(ALL_MARKS) };
    if digits.len() == 1 {
        return None;
    }
    let with_point = [Marks::Point, Marks::PointAndCommas, Marks::PointAndSpaces, Marks::PointAndApostrophes];
    let set = with_point.into_iter().fold(0, |set, marks| set | marks.bit());
    let of_thousands = digits.len() - point == 4 && (1..=3).contains(&point) && digits[0] != b'0';
    Some(set | if of_thousands { Marks::CommaAndPoints.bit() } else { Marks::Either.bit() })
}

/// Whether a text is one to three digits, a mark, and three digits, so that the mark may be of either kind.
fn is_ambiguous(text: &str) -> bool {
    let digits = text.trim_start_matches(['+', '-']);
    let Some((whole, rest)) = digits.split_once([',', '.']) else { return false };
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    (1..=3).contains(&whole.len())
        && rest.len() == 3
        && !whole.starts_with('0')
        && all_digits(whole)
        && all_digits(rest)
}

fn marked(text: &str, decimal: char, thousands: Option<char>) -> Option<f64> {
    let (negative, text) = match text.chars().next()? {
        // The minus sign of typesetting is a minus too.
        first @ ('-' | '+' | '\u{2212}') => (first != '+', &text[first.len_utf8()..]),
        _ => (false, text),
    };
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (text, None),
    };
    let (whole, fraction) = match mantissa.split_once(decimal) {
        Some((whole, fraction)) => (whole, fraction),
        None => (mantissa, ""),
    };
    let all_digits = |t: &str| t.bytes().all(|b| b.is_ascii_digit());
    let mut plain = String::with_capacity(text.len() + 1);
    if negative {
        plain.push('-');
    }
    match thousands {
        Some(mark) if !all_digits(whole) => {
            let is_mark = |c: char| match mark {
                ' ' => c.is_whitespace() && !c.is_control(),
                '\'' => matches!(c, '\'' | '\u{2019}'),
                _ => c == mark,
            };
            for (i, group) in whole.split(is_mark).enumerate() {
                let fits = if i == 0 { (1..=3).contains(&group.len()) } else { group.len() == 3 };
                // A number does not begin with a zero before the first of its thousands.
                if !fits || !all_digits(group) || (i == 0 && group.starts_with('0')) {
                    return None;
                }
                plain.push_str(group);
            }
        }
        _ => plain.push_str(whole),
    }
    if !all_digits(&plain[usize::from(negative)..]) || !all_digits(fraction) {
        return None;
    }
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    if !fraction.is_empty() {
        plain.push('.');
        plain.push_str(fraction);
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !all_digits(digits) {
            return None;
        }
        plain.push('e');
        plain.push_str(exponent);
    }
    plain.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_numbers_are_to_the_bit_what_their_digits_say() {
        let mut seed = 1_u64;
        for i in 0..100_000_u64 {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (whole, places) = (seed >> (10 + i % 54), (i % 15) as usize);
            let digits = format!("{whole:0width$}", width = places + 1);
            let (before, behind) = digits.split_at(digits.len() - places);
            let text = format!(
                "{}{before}{}{behind}",
                ["", "-"][(i % 2) as usize],
                ["", "."][usize::from(places > 0)]
            );
            let found = plain(text.as_bytes());
            assert_eq!(found.is_some(), digits.len() <= 15, "{text}");
            assert!(found.is_none_or(|x| x.to_bits() == text.parse::<f64>().unwrap().to_bits()), "{text}");
        }
        for (text, x) in [("5.", Some(5.0)), (".5", Some(0.5)), ("007", Some(7.0)), ("-", None), (".", None)]
        {
            assert_eq!(plain(text.as_bytes()), x, "{text}");
        }
        for text in ["", "-.", "1.2.3", "1e3", "+1", "1_0", "--1", "1-", " 1", "١"] {
            assert_eq!(plain(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn marks_decide_what_a_text_says() {
        for (marks, text, number) in [
            (Marks::Point, "12", Some(12.0)),
            (Marks::Point, "12.00", Some(12.0)),
            (Marks::Point, "1.2e1", Some(12.0)),
            (Marks::Point, "+5", Some(5.0)),
            (Marks::Point, "\u{2212}5", Some(-5.0)),
            (Marks::Point, ".5", Some(0.5)),
            (Marks::Point, "4,620", None),
            (Marks::Point, "inf", None),
            (Marks::Point, "nan", None),
            (Marks::Point, "0x1F", None),
            (Marks::Point, "e5", None),
            (Marks::Point, "-", None),
            (Marks::Point, "", None),
            (Marks::PointAndCommas, "4,620", Some(4620.0)),
            (Marks::PointAndCommas, "1,234,567.5", Some(1_234_567.5)),
            (Marks::PointAndCommas, "38,1", None),
            (Marks::PointAndCommas, "1,23,456", None),
            (Marks::Comma, "38,1", Some(38.1)),
            (Marks::Comma, "4,620", Some(4.62)),
            (Marks::Comma, "1,5e3", Some(1500.0)),
            (Marks::Comma, "36.8", None),
            (Marks::CommaAndPoints, "-1.234,5", Some(-1234.5)),
            (Marks::CommaAndPoints, "1.234", Some(1234.0)),
            (Marks::CommaAndPoints, "0.234", None),
            (Marks::PointAndSpaces, "1 234", Some(1234.0)),
            (Marks::CommaAndSpaces, "1\u{202f}234,5", Some(1234.5)),
            (Marks::PointAndApostrophes, "1'234.5", Some(1234.5)),
            (Marks::Either, "36,8", Some(36.8)),
            (Marks::Either, "36.8", Some(36.8)),
            (Marks::Either, "0,625", Some(0.625)),
            (Marks::Either, "4,620", None),
            (Marks::Either, "4.620", None),
        ] {
            assert_eq!(marks.parse(text), number, "{text} with {}", marks.described());
        }
        assert_eq!(Marks::Point.parse("1e999"), Some(f64::INFINITY));
    }

    #[test]
    fn a_whole_number_fits_all_marks() {
        assert_eq!(Marks::fitting("120"), ALL_MARKS);
        let slowly = |text: &str| {
            Marks::ALL.iter().filter(|m| m.parse(text).is_some()).fold(0, |set, m| set | m.bit())
        };
        for text in
            ["12", "-12", "12.5", "1.234", "0.234", "1234.567", ".5", "5.", "-.5", "12.", ".", "-", ""]
        {
            assert_eq!(Marks::fitting(text), slowly(text), "{text}");
        }
        assert_eq!(Marks::fitting("V45"), 0);
        assert!(Marks::fitting("38,1") & Marks::PointAndCommas.bit() == 0);
    }
}
