//! Texts of cells and what they mean: times, units, censored results. Days are counted in the proleptic
//! Gregorian calendar and times in whole seconds, so that a birth shifted by 300 years is no overflow.

/// Seconds since 1970-01-01 of `YYYY-MM-DD[ HH:MM[:SS[.fraction]]]`, with a space or a `T` between; `None` if
/// it is not one.
pub(super) fn parse_datetime(text: &str) -> Option<i64> {
    let b = text.trim().as_bytes();
    let day = date(b.get(..10)?)?;
    if b.len() == 10 {
        return Some(day * 86_400);
    }
    if !matches!(b[10], b' ' | b'T') {
        return None;
    }
    let clock = &b[11..];
    if clock.get(2) != Some(&b':') {
        return None;
    }
    let (hour, minute) = (digits(clock.get(..2)?)?, digits(clock.get(3..5)?)?);
    let second = match clock.get(5) {
        None => 0,
        Some(b':') => {
            let second = digits(clock.get(6..8)?)?;
            // Fractions of a second are below every resolution we use.
            match clock.get(8) {
                None => {}
                Some(b'.') if clock.len() > 9 => drop(digits(&clock[9..])?),
                Some(_) => return None,
            }
            second
        }
        Some(_) => return None,
    };
    (hour < 24 && minute < 60 && second < 60).then_some(day * 86_400 + hour * 3600 + minute * 60 + second)
}

/// A number of at most 15 digits with or without a point, as nearly all cells are; none of anything else,
/// which may be a number all the same.
///
/// Up to 15 digits and up to 10²² are exact in f64, so that their quotient is rounded once: it is the number
/// that the standard library reads (Clinger 1990, "How to read floating point numbers accurately").
pub(super) fn plain_decimal(field: &[u8]) -> Option<f64> {
    const POWERS: [f64; 16] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let unsigned = field.strip_prefix(b"-").unwrap_or(field);
    if unsigned.is_empty() || unsigned.len() > 16 {
        return None;
    }
    let (mut whole, mut digits, mut point) = (0_u64, 0, None);
    for byte in unsigned {
        match byte {
            b'0'..=b'9' => {
                whole = whole * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            b'.' if point.is_none() && digits > 0 => point = Some(digits),
            _ => return None,
        }
    }
    let decimals = digits - point.unwrap_or(digits);
    // `5.` has no digit behind its point, and the reader proper decides what it is.
    if digits > 15 || point.is_some() && decimals == 0 {
        return None;
    }
    let size = whole as f64 / POWERS[decimals];
    Some(if unsigned.len() < field.len() { -size } else { size })
}

/// Seconds of `HH:MM[:SS]` since the record's start; hours may exceed 24.
pub(super) fn parse_elapsed(text: &str) -> Option<i64> {
    let mut parts = text.trim().split(':').map(|p| digits(p.as_bytes()));
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().map_or(Some(0), |s| s)?;
    (parts.next().is_none() && minutes < 60 && seconds < 60 && hours < 10_000_000)
        .then_some(hours * 3600 + minutes * 60 + seconds)
}

/// Seconds since the record's start of a number of minutes, whole or not, negative before the start.
pub(super) fn parse_minutes(text: &str) -> Option<i64> {
    parse_number(text).and_then(seconds_of_minutes)
}

/// Seconds of minutes; a thousand years are more than any record lasts.
pub(super) fn seconds_of_minutes(minutes: f64) -> Option<i64> {
    (minutes.abs() < 6e8).then(|| (minutes * 60.0).round() as i64)
}

/// Seconds since the record's start of the beginning of an hour, counted from 1.
pub(super) fn parse_hour(text: &str) -> Option<i64> {
    parse_number(text).and_then(seconds_of_hour)
}

/// Seconds of the beginning of an hour that is counted from 1; a fraction is no number of an hour.
pub(super) fn seconds_of_hour(hour: f64) -> Option<i64> {
    (hour.fract() == 0.0 && hour.abs() < 1e7).then(|| (hour as i64 - 1) * 3600)
}

/// A number and the unit behind it, if there is one: `12 ml/hr`, `40%`, `7.5`.
pub(super) fn parse_quantity(text: &str) -> Option<(f64, Option<&str>)> {
    let text = text.trim();
    if let Some(number) = parse_number(text) {
        return Some((number, None));
    }
    let end = text.find(|c: char| !c.is_ascii_digit() && !matches!(c, '+' | '-' | '.'))?;
    let (number, unit) = text.split_at(end);
    let unit = unit.trim();
    // "5/8" and "3x daily" are no quantity of a unit.
    let is_unit = unit.starts_with(|c: char| c.is_alphabetic() || matches!(c, '%' | '°'));
    parse_number(number).filter(|_| is_unit).map(|number| (number, Some(unit)))
}

fn date(b: &[u8]) -> Option<i64> {
    if b[4] != b'-' || b[7] != b'-' {
        return None;
    }
    let (year, month, day) = (digits(&b[..4])?, digits(&b[5..7])?, digits(&b[8..])?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        4 | 6 | 9 | 11 => 30,
        2 => 28 + i64::from(leap),
        1..=12 => 31,
        _ => return None,
    };
    (1..=length).contains(&day).then(|| days_from_civil(year, month, day))
}

/// Days since 1970-01-01; Howard Hinnant, "chrono-compatible low-level date algorithms".
pub(super) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn digits(b: &[u8]) -> Option<i64> {
    if b.is_empty() || b.len() > 12 {
        return None;
    }
    b.iter().try_fold(0, |n, c| c.is_ascii_digit().then(|| n * 10 + i64::from(c - b'0')))
}

/// A unit as it is compared: lower case, without any space.
pub(super) fn normal_unit(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// A text as value maps and levels compare it: trimmed, lower case.
pub(super) fn normal_text(text: &str) -> String {
    text.trim().to_lowercase()
}

/// The limit L of a result reported as below it: `<0.01`, `< 0.01`, `<=0.01`, `<2.0*` (a laboratory's remark
/// mark) or `LESS THAN 0.01`.
pub(super) fn lower_limit(text: &str) -> Option<f64> {
    let text = text.trim();
    let rest = if let Some(rest) = text.strip_prefix('<') {
        rest.strip_prefix('=').unwrap_or(rest)
    } else {
        let head = text.get(..9)?;
        if !head.eq_ignore_ascii_case("less than") {
            return None;
        }
        &text[9..]
    };
    let limit: f64 = rest.trim().trim_end_matches('*').parse().ok()?;
    (limit.is_finite() && limit >= 0.0).then_some(limit)
}

/// A finite or non-finite number as people write it; `None` for other text.
pub(super) fn parse_number(text: &str) -> Option<f64> {
    text.trim().parse().ok()
}

/// A number as the shortest text that reads back to it: `1`, not `1.0`.
pub(super) fn shortest(x: f64) -> String {
    format!("{x}")
}

/// Whether a spreadsheet would run a text as a formula. A sign alone makes none: `+/-` and `-1 to 3` are
/// texts to a spreadsheet too.
pub(super) fn is_formula(text: &str) -> bool {
    match text.chars().next() {
        Some('=' | '@' | '\t' | '\r' | '\n') => true,
        Some('+' | '-') => text.contains(['(', '!', '|', '=']),
        _ => false,
    }
}

/// A text without the apostrophe by which a spreadsheet is told that a formula is a text.
pub(super) fn unguarded(text: &str) -> &str {
    text.strip_prefix('\'').filter(|rest| is_formula(rest)).unwrap_or(text)
}

/// Whether a text is what a pattern means; `*` stands for any text, also none.
pub(super) fn matches(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let Some(rest) = parts.next().and_then(|first| text.strip_prefix(first)) else { return false };
    let parts: Vec<_> = parts.collect();
    let Some((last, middle)) = parts.split_last() else { return rest.is_empty() };
    let mut rest = rest;
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_told_from_texts_with_a_sign() {
        for text in ["=1", "=HYPERLINK(\"x\")", "@SUM(A1)", "+cmd|' /C calc'!A0", "-SUM(1)", "\t=1"] {
            assert!(is_formula(text), "{text}");
            assert_eq!(unguarded(&format!("'{text}")), text);
        }
        for text in ["+", "-", "+/-", "+2A", "-1.71 to 1.43", "a=b", "", "'quoted'"] {
            assert!(!is_formula(text), "{text}");
            assert_eq!(unguarded(text), text);
        }
        assert_eq!(unguarded("'t Hooft"), "'t Hooft");
    }

    #[test]
    fn datetimes_are_counted_from_the_epoch() {
        assert_eq!(parse_datetime("1970-01-01"), Some(0));
        assert_eq!(parse_datetime("1970-01-02 00:00:01"), Some(86_401));
        // date -u -d '2164-10-23 21:09:00' +%s
        assert_eq!(parse_datetime("2164-10-23 21:09:00"), Some(6_147_695_340));
        assert_eq!(parse_datetime("2164-10-23T21:09"), Some(6_147_695_340));
        assert_eq!(parse_datetime("2164-10-23 21:09:00.000"), Some(6_147_695_340));
        // date -u -d '1843-02-28 12:00:00' +%s
        assert_eq!(parse_datetime("1843-02-28 12:00:00"), Some(-4_002_696_000));
        assert_eq!(parse_datetime("2000-02-29"), Some(951_782_400));
    }

    #[test]
    fn what_is_no_datetime_is_refused() {
        for text in [
            "",
            "2164",
            "2164-13-01",
            "2164-02-30",
            "1900-02-29",
            "2164-10-23 24:00:00",
            "23.10.2164",
            "2164-10-23 2",
            "2164-10-23 21:09:00Z",
            "2164-10-23 21:09:0x",
            "２164-10-23",
        ] {
            assert_eq!(parse_datetime(text), None, "{text}");
        }
    }

    #[test]
    fn elapsed_hours_exceed_a_day() {
        assert_eq!(parse_elapsed("00:07"), Some(420));
        assert_eq!(parse_elapsed("47:59"), Some(172_740));
        assert_eq!(parse_elapsed("100:00:30"), Some(360_030));
        for text in ["", "7", "00:60", "-1:00", "1:2:3:4", "aa:bb"] {
            assert_eq!(parse_elapsed(text), None, "{text}");
        }
    }

    #[test]
    fn minutes_and_hours_count_from_the_start_of_the_record() {
        assert_eq!((parse_minutes("-2258"), parse_minutes(" 1.5 ")), (Some(-135_480), Some(90)));
        assert_eq!(
            (parse_hour("1"), parse_hour("24.0"), parse_hour("0")),
            (Some(0), Some(82_800), Some(-3600))
        );
        for text in ["", "nan", "inf", "1 min"] {
            assert_eq!((parse_minutes(text), parse_hour(text)), (None, None), "{text}");
        }
        assert_eq!(parse_hour("1.5"), None);
    }

    #[test]
    fn a_quantity_is_a_number_with_or_without_its_unit() {
        for (text, found) in [
            ("12", Some((12.0, None))),
            (" 12 ml/hr", Some((12.0, Some("ml/hr")))),
            ("40%", Some((40.0, Some("%")))),
            ("-1.5mcg/min", Some((-1.5, Some("mcg/min")))),
            ("1e-3", Some((0.001, None))),
            ("OFF", None),
            ("5/8", None),
            ("<5 mg", None),
            ("", None),
        ] {
            assert_eq!(parse_quantity(text), found, "{text}");
        }
    }

    #[test]
    fn plain_decimals_are_the_numbers_that_the_standard_library_reads() {
        for text in
            ["0", "-0", "7", "36.6", "-12.50", "0.1", "999999999999999", "0.00000000000001", "98.60", "00.7"]
        {
            let expected: f64 = text.parse().unwrap();
            assert_eq!(plain_decimal(text.as_bytes()).map(f64::to_bits), Some(expected.to_bits()), "{text}");
        }
        for text in ["", "-", ".5", "5.", "+1", "1e3", " 1", "1,5", "1.2.3", "nan", "1234567890123456", "--1"]
        {
            assert_eq!(plain_decimal(text.as_bytes()), None, "{text}");
        }
        for i in 0..20_000_u64 {
            let text = format!("{}.{:03}", i * 7919, i * 31 % 1000);
            assert_eq!(plain_decimal(text.as_bytes()), text.parse().ok(), "{text}");
        }
    }

    #[test]
    fn censored_texts_give_their_limit() {
        for (text, limit) in
            [("<0.01", 0.01), ("< 1", 1.0), ("LESS THAN 10", 10.0), ("<2.0*", 2.0), ("<=1.005", 1.005)]
        {
            assert_eq!(lower_limit(text), Some(limit), "{text}");
        }
        for text in ["0.01", ">50", "< 1 Minute", "GREATER THAN 2", "<", "<-1", "<inf", "less", "lésß than 3"]
        {
            assert_eq!(lower_limit(text), None, "{text}");
        }
    }

    #[test]
    fn units_are_compared_without_case_and_spaces() {
        assert_eq!(normal_unit(" MM HG "), normal_unit("mmHg"));
    }
}
