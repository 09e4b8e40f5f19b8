//! Ages by the calendar. Days divided by the mean length of a year put an eighteenth birthday on the wrong
//! day: twelve patients of a thousand who are admitted on it would count as seventeen.

use crate::ingest::text::days_from_civil;
use crate::ingest::typed::calendar::date_of_day;

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Ages from this on are hidden in data of the United States (HIPAA: "over 89" is a category of its own).
const HIDDEN: i64 = 90;

/// Years from a birth to a start, both in seconds since 1970: whole years by the calendar and the share of
/// the running year since the last birthday. Negative before the day of birth. Who was born on 29 February
/// has a birthday on 1 March in common years. `None` from 90 years on, where ages may be hidden, as by births
/// shifted by 300 years.
pub(in crate::ingest) fn years(born: i64, start: i64) -> Option<f64> {
    let (birth_day, start_day) = (born.div_euclid(DAY), start.div_euclid(DAY));
    let (birth_year, ..) = date_of_day(birth_day);
    let (start_year, ..) = date_of_day(start_day);
    let mut last = birthday(birth_day, start_year);
    let mut years = start_year - birth_year;
    if last > start_day {
        last = birthday(birth_day, start_year - 1);
        years -= 1;
    }
    if years >= HIDDEN {
        return None;
    }
    let next = birthday(birth_day, birth_year + years + 1);
    // The time of day of a birth is seldom recorded: who is born counts as born from midnight on.
    let since = (start - last * DAY) as f64;
    Some(years as f64 + since / ((next - last) * DAY) as f64)
}

/// Day of the birthday in a year.
fn birthday(birth_day: i64, year: i64) -> i64 {
    let (_, month, day) = date_of_day(birth_day);
    // In common years the day after 28 February is 1 March, which is what 29 February counts as.
    days_from_civil(year, month, 1) + day - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::text::parse_datetime;

    fn age(born: &str, start: &str) -> f64 {
        years(parse_datetime(born).unwrap(), parse_datetime(start).unwrap()).unwrap_or(91.4)
    }

    #[test]
    fn ages_are_years_and_shifted_births_are_capped() {
        // From 5 March to 23 October, 21:10:15, are 232.8822 days of 365.
        let found = age("2094-03-05", "2164-10-23 21:10:15");
        assert!((found - (70.0 + 232.882_118 / 365.0)).abs() < 1e-8, "{found}");
        // Shifted by 300 years: the difference in nanoseconds exceeds 2⁶³.
        assert_eq!(age("1864-10-23 21:10:15", "2164-10-23 21:10:15"), 91.4);
        assert_eq!(
            age("2074-10-24", "2164-10-23 21:10:15").floor(),
            89.0,
            "the day before the 90th birthday"
        );
        assert_eq!(age("2074-10-23", "2164-10-23"), 91.4);
    }

    #[test]
    fn a_birthday_begins_at_midnight_of_its_day() {
        for year in 2100..2140 {
            let start = year + 18;
            assert_eq!(age(&format!("{year}-03-01"), &format!("{start}-03-01")), 18.0, "{year}");
            assert!(age(&format!("{year}-03-01"), &format!("{start}-02-28 23:59:59")) < 18.0, "{year}");
            let late = age(&format!("{year}-12-31 23:00:00"), &format!("{start}-12-31 01:00:00"));
            assert!((18.0..18.01).contains(&late), "{year}: {late}");
        }
    }

    #[test]
    fn who_is_born_on_a_leap_day_has_a_birthday_every_year() {
        assert!(age("2132-02-29", "2150-02-28 23:59:59") < 18.0);
        assert_eq!(age("2132-02-29", "2150-03-01"), 18.0);
        assert_eq!(age("2132-02-29", "2152-02-29"), 20.0);
    }

    #[test]
    fn a_birth_after_the_start_gives_a_negative_age() {
        assert!(age("2150-03-02", "2150-03-01 23:00:00") < 0.0);
        let same_day = age("2150-03-01 14:00:00", "2150-03-01 12:00:00");
        assert!((0.0..0.01).contains(&same_day), "{same_day}");
        assert!(age("2160-03-01", "2150-03-01") < -9.9);
    }
}
