//! Ages by the calendar. Days divided by the mean length of a year put an eighteenth birthday on the wrong
//! day: twelve patients of a thousand who are admitted on it would count as seventeen.

use super::fact::Fact;
use crate::ingest::events::value::Rejected;
use crate::ingest::text::days_from_civil;
use crate::ingest::typed::calendar::date_of_day;
use crate::schema::Years;

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

/// An age that the data state in another way than by a date of birth, from the cells of the columns of
/// `from`; none where a cell is empty. From 90 years on the result is `cap`.
///
/// # Errors
/// Why what is recorded cannot be used.
pub(in crate::ingest) fn stated(
    from: &Years,
    cells: &[Fact],
    start: Option<i64>,
    cap: f64,
) -> Result<Option<f64>, Rejected> {
    let capped = |years: f64| if years >= HIDDEN as f64 { cap } else { years };
    let number = |i: usize| cells.get(i).and_then(Fact::number);
    let year_of = |seconds: i64| date_of_day(seconds.div_euclid(DAY)).0 as f64;
    match from {
        Years::Age { .. } => {
            let Some(text) = cells.first().and_then(Fact::text) else { return Ok(None) };
            let text = text.trim();
            if let Some(limit) = text.strip_prefix('>') {
                // "> 89" hides ages as HIPAA asks for; another limit says only a side.
                let hidden = limit.trim().parse() == Ok(HIDDEN - 1);
                return if hidden { Ok(Some(cap)) } else { Err(Rejected::Censored) };
            }
            text.parse().map(|years| Some(capped(years))).map_err(|_| Rejected::NoNumber)
        }
        Years::Anchor { .. } => {
            let (Some(age), Some(year), Some(start)) = (number(0), number(1), start) else { return Ok(None) };
            Ok(Some(capped(age + year_of(start) - year)))
        }
        Years::BirthYear { .. } => {
            let (Some(year), Some(start)) = (number(0), start) else { return Ok(None) };
            match (number(1), number(2)) {
                (Some(month), Some(day)) => {
                    let born = days_from_civil(year as i64, month as i64, day as i64) * DAY;
                    Ok(Some(years(born, start).unwrap_or(cap)))
                }
                _ => Ok(Some(capped(year_of(start) - year))),
            }
        }
    }
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
    fn ages_are_read_as_databases_state_them() {
        let start = parse_datetime("2150-03-02 10:00:00");
        let text = |text: &str| vec![Fact::Text(text.into())];
        let age = Years::Age { column: "age".into() };
        let found = |cells: Vec<Fact>| stated(&age, &cells, None, 91.4);
        assert_eq!(found(text("67")), Ok(Some(67.0)));
        assert_eq!(found(text("> 89")), Ok(Some(91.4)));
        assert_eq!(found(text("> 60")), Err(Rejected::Censored));
        assert_eq!(found(text("unknown")), Err(Rejected::NoNumber));
        assert_eq!(found(vec![Fact::Null]), Ok(None));
        let anchor = Years::Anchor { age: "a".into(), year: "y".into() };
        let found = |age, year| stated(&anchor, &[Fact::Integer(age), Fact::Integer(year)], start, 91.4);
        assert_eq!((found(60, 2145), found(91, 2148)), (Ok(Some(65.0)), Ok(Some(91.4))));
        let birth = Years::BirthYear { year: "y".into(), month: Some("m".into()), day: Some("d".into()) };
        let found =
            |month: Fact| stated(&birth, &[Fact::Integer(2100), month, Fact::Integer(3)], start, 91.4);
        assert_eq!(found(Fact::Null), Ok(Some(50.0)), "by the years alone");
        assert!(found(Fact::Integer(3)).unwrap().unwrap() < 50.0, "the day before the birthday");
    }

    #[test]
    fn a_birth_after_the_start_gives_a_negative_age() {
        assert!(age("2150-03-02", "2150-03-01 23:00:00") < 0.0);
        let same_day = age("2150-03-01 14:00:00", "2150-03-01 12:00:00");
        assert!((0.0..0.01).contains(&same_day), "{same_day}");
        assert!(age("2160-03-01", "2150-03-01") < -9.9);
    }
}
