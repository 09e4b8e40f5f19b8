//! Words that stand in a cell instead of a number: for "nothing was recorded", for true and false, for
//! infinity, for a unit, for a limit that was not reached, and for dates.

/// Texts that say in a column of numbers that nothing was recorded, whatever the pipeline lists. In a column
/// of levels they may be levels: "none" is a finding, and "-" a blood group.
const NOTHING: [&str; 25] = [
    "na", "n/a", "n.a.", "#n/a", "#na", "<na>", "nan", "-nan", "null", "#null!", "none", "nil", "nat", "?",
    "??", ".", "..", "-", "--", "---", "\u{2013}", "\u{2014}", "(null)", "\\n", "missing",
];

const TRUE: [&str; 11] = ["true", "t", "yes", "y", "ja", "j", "oui", "si", "sí", "wahr", "vrai"];
const FALSE: [&str; 9] = ["false", "f", "no", "n", "nein", "non", "falsch", "faux", "nee"];

/// Units by which a number in a cell may be followed, in the form of
/// [`normal_unit`](crate::ingest::text::normal_unit).
const UNITS: [&str; 62] = [
    "%",
    "mg",
    "g",
    "kg",
    "ug",
    "µg",
    "μg",
    "mcg",
    "ng",
    "lb",
    "lbs",
    "oz",
    "ml",
    "l",
    "dl",
    "cc",
    "cm",
    "mm",
    "m",
    "km",
    "in",
    "ft",
    "mmhg",
    "kpa",
    "cmh2o",
    "bpm",
    "/min",
    "c",
    "f",
    "k",
    "celsius",
    "fahrenheit",
    "mmol",
    "umol",
    "µmol",
    "mol",
    "meq",
    "iu",
    "u",
    "units",
    "unit",
    "years",
    "year",
    "yrs",
    "yr",
    "y",
    "yo",
    "months",
    "month",
    "mo",
    "weeks",
    "week",
    "wk",
    "days",
    "day",
    "d",
    "hours",
    "hour",
    "hrs",
    "h",
    "min",
    "s",
];

/// Whether a trimmed text says in a column of numbers that nothing was recorded.
pub(in crate::ingest) fn says_nothing(text: &str) -> bool {
    text.len() <= 13 && NOTHING.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// Whether a level sounds as if nothing were known, though it may be a finding.
pub(in crate::ingest) fn says_unknown(text: &str) -> bool {
    const UNKNOWN: [&str; 9] = [
        "unknown",
        "unk",
        "not known",
        "n/k",
        "not recorded",
        "not available",
        "not documented",
        "unbekannt",
        "unspecified",
    ];
    UNKNOWN.iter().any(|word| word.eq_ignore_ascii_case(text))
}

/// What a word says about something that is true or false: `true`, `yes`, `y`, `ja` and their opposites.
pub(in crate::ingest) fn truth(text: &str) -> Option<bool> {
    if text.len() > 6 {
        return None;
    }
    let lower = text.to_lowercase();
    if TRUE.contains(&lower.as_str()) {
        return Some(true);
    }
    FALSE.contains(&lower.as_str()).then_some(false)
}

/// Whether a text is an infinity.
pub(in crate::ingest) fn says_infinity(text: &str) -> bool {
    let word = text.trim_start_matches(['+', '-']);
    ["inf", "infinity", "#div/0!", "1.#inf"].iter().any(|w| w.eq_ignore_ascii_case(word))
}

/// The rest of a text that names a limit which the value did not reach or exceeded: `<0.5`, `> 200`, `≤ 3`,
/// `less than 5`.
pub(in crate::ingest) fn beyond(text: &str) -> Option<&str> {
    for sign in ["<=", ">=", "=<", "=>", "<", ">", "\u{2264}", "\u{2265}"] {
        if let Some(rest) = text.strip_prefix(sign) {
            return Some(rest.trim_start());
        }
    }
    for words in
        ["less than", "greater than", "more than", "at least", "at most", "below", "above", "over", "under"]
    {
        if let Some(head) = text.get(..words.len())
            && head.eq_ignore_ascii_case(words)
        {
            return Some(text[words.len()..].trim_start());
        }
    }
    // "90+" is an age above a limit.
    text.strip_suffix('+').map(str::trim_end)
}

/// A text as a number and the unit behind it: `37.2 °C`, `45%`.
pub(in crate::ingest) fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let at = text.rfind(|c: char| c.is_ascii_digit())? + 1;
    // The digit of `cmH2O` and of `1.73 m2` belongs to the unit, hence the first letter decides.
    let first =
        text.find(|c: char| c.is_alphabetic() && !matches!(c, 'e' | 'E') || matches!(c, '%' | '°' | '/'));
    let at = first.map_or(at, |first| at.min(first));
    let (number, unit) = (text[..at].trim_end(), text[at..].trim());
    let known = |unit: &str| {
        let normal = crate::ingest::text::normal_unit(unit);
        let has_slash = normal.contains('/') && normal.contains(char::is_alphabetic);
        UNITS.contains(&normal.as_str()) || has_slash || normal.contains(['°', '%'])
    };
    (!number.is_empty() && !unit.is_empty() && known(unit)).then_some((number, unit))
}

/// Whether a text is a calendar date or a time of day in any of the usual forms, in whatever order.
pub(in crate::ingest) fn is_date_or_time(text: &str) -> bool {
    let mut parts = text.splitn(2, [' ', 'T']);
    let (Some(first), rest) = (parts.next(), parts.next()) else { return false };
    if is_clock(first) {
        return rest.is_none_or(|r| ["am", "pm"].iter().any(|m| m.eq_ignore_ascii_case(r.trim())));
    }
    if is_numeric_date(first) {
        return rest
            .is_none_or(|rest| rest.trim().is_empty() || is_clock(rest.split(' ').next().unwrap_or(rest)));
    }
    has_month_name(text) || is_month_and_year(text) || is_duration(text)
}

/// `01/2019`, `2019-01`, `2019-W07`, `01.2019`: a year of four digits with a month or a week.
fn is_month_and_year(text: &str) -> bool {
    let Some((a, b)) = text.split_once(['/', '-']) else { return false };
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    let year = |part: &str| part.len() == 4 && digits(part) && ("1800"..="2299").contains(&part);
    let within = |part: &str, most: u32| {
        (1..=2).contains(&part.len()) && digits(part) && part.parse().is_ok_and(|n| (1..=most).contains(&n))
    };
    (year(a) && b.strip_prefix(['W', 'w']).map_or_else(|| within(b, 12), |week| within(week, 53)))
        || (within(a, 12) && year(b))
}

/// Durations as pandas, DuckDB and ISO 8601 write them: `3 days 02:00:00`, `-1 days +23:00:00`, `P3DT2H`,
/// `PT45M`, `2h 30m`.
fn is_duration(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if let Some((days, clock)) = text.trim_start_matches('-').split_once(" day") {
        let clock = clock.trim_start_matches('s').trim_start_matches([',', ' ', '+']);
        return is_number(days) && is_clock(clock);
    }
    // Parts of a number and a unit, at least one of them, the units in falling order.
    let parts = |text: &str, units: &[char]| {
        let (mut rest, mut from) = (text.trim(), 0);
        let mut found = 0;
        while let Some(at) = rest.find(|c: char| c.is_ascii_alphabetic()) {
            let unit = rest.as_bytes()[at] as char;
            let place = units[from..].iter().position(|u| *u == unit)?;
            if !is_number(rest[..at].trim()) {
                return None;
            }
            (rest, from, found) = (rest[at + 1..].trim_start(), from + place + 1, found + 1);
        }
        rest.is_empty().then_some(found)
    };
    if let Some(iso) = text.strip_prefix('P') {
        let (days, time) = iso.split_once('T').unwrap_or((iso, ""));
        let found = parts(days, &['Y', 'M', 'W', 'D']).zip(parts(time, &['H', 'M', 'S']));
        return found.is_some_and(|(a, b)| a + b > 0);
    }
    // `45m` alone is a number with a unit.
    parts(text, &['d', 'h', 'm', 's']).is_some_and(|found| found > 1)
}

fn is_clock(text: &str) -> bool {
    let text = text.trim_end_matches(['Z', 'z']);
    let text = text.split(['+', '-']).next().unwrap_or(text);
    let parts: Vec<&str> = text.split(':').collect();
    let is_part = |part: &str, most: u32| {
        let whole = part.split(['.', ',']).next().unwrap_or(part);
        (1..=2).contains(&whole.len()) && whole.parse::<u32>().is_ok_and(|n| n < most)
    };
    (2..=3).contains(&parts.len()) && is_part(parts[0], 25) && parts[1..].iter().all(|p| is_part(p, 60))
}

/// Three numbers between `-`, `/` or `.`, of which one can be a day, one a month and one a year.
fn is_numeric_date(text: &str) -> bool {
    for mark in ['-', '/', '.'] {
        let parts: Vec<&str> = text.split(mark).collect();
        let [a, b, c] = parts.as_slice() else { continue };
        let number =
            |part: &str| part.parse::<u32>().ok().filter(|_| part.bytes().all(|b| b.is_ascii_digit()));
        let (Some(first), Some(second), Some(third)) = (number(a), number(b), number(c)) else { continue };
        let day_and_month =
            |x: u32, y: u32| (1..=31).contains(&x) && (1..=31).contains(&y) && (x <= 12 || y <= 12);
        let year_first = a.len() == 4 && b.len() <= 2 && c.len() <= 2 && day_and_month(second, third);
        let year_last = (c.len() == 4 || c.len() == 2)
            && a.len() <= 2
            && b.len() <= 2
            && day_and_month(first, second)
            && third < 3000;
        return year_first || year_last;
    }
    false
}

/// `12-Mar-2019`, `March 3, 2019`, `3 Mar 19`.
fn has_month_name(text: &str) -> bool {
    const MONTHS: [&str; 18] = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec", "mär", "mai",
        "okt", "dez", "fév", "déc",
    ];
    let parts: Vec<&str> = text.split([' ', '-', '/', ',', '.']).filter(|p| !p.is_empty()).collect();
    if !(2..=4).contains(&parts.len()) {
        return false;
    }
    let is_month = |part: &&&str| {
        let lower = part.to_lowercase();
        part.chars().all(char::is_alphabetic) && MONTHS.iter().any(|m| lower.starts_with(m))
    };
    let numbers = parts.iter().filter(|p| p.bytes().all(|b| b.is_ascii_digit())).count();
    parts.iter().filter(is_month).count() == 1
        && (1..=2).contains(&numbers)
        && (numbers + 1 == parts.len() || (numbers + 2 == parts.len() && is_clock(parts[parts.len() - 1])))
}

/// Whether a text looks like a code, such as `V45`, `E878.1` or `J18`: letters and digits without spaces.
pub(in crate::ingest) fn is_code(text: &str) -> bool {
    text.len() <= 12
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'/'))
        && text.bytes().any(|b| b.is_ascii_digit())
        && text.bytes().any(|b| b.is_ascii_alphabetic())
}

/// Whether a number is written with a zero that it does not need in front, as codes are: `0389`, `01`,
/// `038.9`.
pub(in crate::ingest) fn has_leading_zero(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() > 1 && b[0] == b'0' && b[1].is_ascii_digit()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for text in ["NA", "n/a", "NaN", "<NA>", "#N/A", "None", "NULL", "?", "-", "--", "."] {
            assert!(says_nothing(text), "{text}");
        }
        for text in ["0", "no", "normal", "-1", "unknown"] {
            assert!(!says_nothing(text), "{text}");
        }
        assert_eq!(
            (truth("Yes"), truth("NEIN"), truth("TRUE"), truth("f")),
            (Some(true), Some(false), Some(true), Some(false))
        );
        assert_eq!((truth("male"), truth("1"), truth("maybe")), (None, None, None));
        assert!(says_infinity("-inf") && says_infinity("Infinity") && !says_infinity("info"));
    }

    #[test]
    fn limits_and_units_leave_the_number() {
        for (text, rest) in [
            ("<0.5", "0.5"),
            ("> 89", "89"),
            ("≤3", "3"),
            (">=200", "200"),
            ("less than 5", "5"),
            ("90+", "90"),
        ] {
            assert_eq!(beyond(text), Some(rest), "{text}");
        }
        assert_eq!(beyond("5"), None);
        for (text, parts) in [
            ("37.2 °C", ("37.2", "°C")),
            ("45%", ("45", "%")),
            ("12 mg", ("12", "mg")),
            ("1,5 mmol/L", ("1,5", "mmol/L")),
            ("8 cmH2O", ("8", "cmH2O")),
        ] {
            assert_eq!(number_and_unit(text), Some(parts), "{text}");
        }
        for text in ["12", "V45", "5A", "12 monkeys", "mg", "1e5", "110/70"] {
            assert_eq!(number_and_unit(text), None, "{text}");
        }
    }

    #[test]
    fn dates_and_times_in_many_forms() {
        for text in [
            "2019-03-01",
            "01/03/2019",
            "3/1/19",
            "01.03.2019",
            "2019/3/1",
            "2164-10-23 21:09:00",
            "2019-03-01T10:00:00Z",
            "12-Mar-2019",
            "March 3, 2019",
            "14:35",
            "14:35:10",
            "2:35 PM",
            "01/03/2019 14:35",
            "2019-03-01T10:00:00+01:00",
            "03/2019",
            "2019-03",
            "2019-W07",
            "3 days 02:00:00",
            "-1 days +23:00:00",
            "1 day, 2:03:04",
            "PT45M",
            "P3DT2H",
            "2h 30m",
        ] {
            assert!(is_date_or_time(text), "{text}");
        }
        for text in [
            "120/80",
            "1.2.3",
            "40/40/2019",
            "3:1:2:4",
            "V45",
            "may",
            "12.5",
            "192.168.1.1",
            "Mar",
            "5-10",
            "3 days",
            "P45",
            "PT",
            "45m",
            "13/2019",
            "1234-56",
            "P",
            "20-29",
            "2019-13",
        ] {
            assert!(!is_date_or_time(text), "{text}");
        }
    }

    #[test]
    fn codes_are_letters_with_digits() {
        assert!(
            is_code("V45")
                && is_code("E878.1")
                && !is_code("secret")
                && !is_code("250.8")
                && !is_code("V 45")
        );
        assert!(
            has_leading_zero("0389")
                && has_leading_zero("01")
                && !has_leading_zero("0.5")
                && !has_leading_zero("0")
        );
    }
}
