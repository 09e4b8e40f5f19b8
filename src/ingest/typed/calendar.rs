//! Dates of days, and times with a zone.
//!
//! A time with a zone is a moment, and its seconds are those of UTC. A time without one is a clock on a wall,
//! and its seconds are those of that clock. Both are fine, as long as a time is only subtracted from others
//! of its kind: [`Zones`] keeps account of what was met, and refuses what cannot be compared.

use crate::ingest::IngestError;
use crate::ingest::text::parse_datetime;
use crate::message::{Message, Weight};

/// How times are written, as a set.
#[expect(clippy::struct_excessive_bools, reason = "a set of four members that do not exclude each other")]
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(in crate::ingest) struct Zoned {
    /// Without a zone.
    pub(in crate::ingest) none: bool,
    /// In UTC by name or with an offset of zero.
    pub(in crate::ingest) utc: bool,
    /// In another zone or with another offset.
    pub(in crate::ingest) other: bool,
    /// A date alone, which has no zone, and no time of day either.
    pub(in crate::ingest) date: bool,
}

impl Zoned {
    pub(in crate::ingest) const NONE: Self = Self { none: true, utc: false, other: false, date: false };
    pub(in crate::ingest) const UTC: Self = Self { none: false, utc: true, other: false, date: false };
    pub(in crate::ingest) const OTHER: Self = Self { none: false, utc: false, other: true, date: false };
    pub(in crate::ingest) const DATE: Self = Self { none: false, utc: false, other: false, date: true };

    pub(in crate::ingest) fn and(self, more: Self) -> Self {
        Self {
            none: self.none | more.none,
            utc: self.utc | more.utc,
            other: self.other | more.other,
            date: self.date | more.date,
        }
    }
}

/// How the times of all tables read so far are written.
#[derive(Debug, Clone, Default, serde::Serialize, serde::Deserialize)]
pub(in crate::ingest) struct Zones {
    /// A file with times of each kind: without a zone, in UTC, in another zone.
    none: Option<String>,
    utc: Option<String>,
    other: Option<String>,
}

impl Zones {
    /// Takes in the times of a file.
    ///
    /// # Errors
    /// [`IngestError::MixedZones`] when some times have a zone other than UTC and others have none: which
    /// hour of the clock a moment is depends on a zone that nothing tells.
    pub(in crate::ingest) fn add(&mut self, found: Zoned, file: &str) -> Result<(), IngestError> {
        let kinds =
            [(found.none, &mut self.none), (found.utc, &mut self.utc), (found.other, &mut self.other)];
        for (there, first) in kinds {
            if there && first.is_none() {
                *first = Some(file.to_string());
            }
        }
        self.check()
    }

    fn check(&self) -> Result<(), IngestError> {
        match (&self.none, &self.other) {
            (Some(plain), Some(zoned)) => {
                Err(IngestError::MixedZones { zoned: zoned.clone(), plain: plain.clone() })
            }
            _ => Ok(()),
        }
    }

    /// The same with what another reading has found.
    pub(in crate::ingest) fn merge(&mut self, more: &Self) -> Result<(), IngestError> {
        for (ours, theirs) in
            [(&mut self.none, &more.none), (&mut self.utc, &more.utc), (&mut self.other, &more.other)]
        {
            if ours.is_none() {
                ours.clone_from(theirs);
            }
        }
        self.check()
    }

    /// What a user should know about it.
    pub(in crate::ingest) fn message(&self) -> Option<Message> {
        let (file, text) = match (&self.none, &self.utc, &self.other) {
            (Some(plain), Some(utc), _) => (
                plain,
                format!(
                    "times in {utc} are given in UTC and times in {plain} without a zone; those without are \
                     taken to be in UTC as well"
                ),
            ),
            (_, _, Some(zoned)) => (
                zoned,
                format!(
                    "times in {zoned} have a time zone; they are taken as moments, with the hour that they \
                     have in UTC"
                ),
            ),
            _ => return None,
        };
        Some(Message::file(Weight::Wrong, file, text))
    }
}

/// Seconds since 1970 of a time as text, with how it says its zone: `2164-10-23 21:09:00`, with `T` in place
/// of the space, with fractions of a second, and with `Z`, `UTC`, `+02:00`, `+0200` or `+02` behind a time of
/// day.
pub(in crate::ingest) fn parse_moment(text: &str) -> Option<(i64, Zoned)> {
    let text = text.trim();
    // The usual case first.
    if let Some(seconds) = parse_datetime(text) {
        return Some((seconds, if text.len() > 10 { Zoned::NONE } else { Zoned::DATE }));
    }
    // A zone stands behind a time of day: the date alone has ten characters, and hyphens of its own.
    let (head, clock) = (text.get(..10)?, text.get(10..)?);
    let at = clock.find(['Z', 'z', 'U', '+', '-']).filter(|at| *at > 0)?;
    let offset = offset(&clock[at..])?;
    let local = parse_datetime(&format!("{head}{}", clock[..at].trim_end()))?;
    Some((local - offset, if offset == 0 { Zoned::UTC } else { Zoned::OTHER }))
}

/// Seconds that a clock with this offset is ahead of UTC.
fn offset(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("z") || text.eq_ignore_ascii_case("utc") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let digits: String = text[1..].chars().filter(|c| *c != ':').collect();
    let colon = text[1..].find(':');
    if !digits.bytes().all(|b| b.is_ascii_digit()) || colon.is_some_and(|at| at != 2) {
        return None;
    }
    let (hours, minutes): (i64, i64) = match digits.len() {
        2 => (digits.parse().ok()?, 0),
        4 => (digits[..2].parse().ok()?, digits[2..].parse().ok()?),
        _ => return None,
    };
    (hours <= 18 && minutes < 60).then_some(sign * (hours * 3600 + minutes * 60))
}

/// Year, month and day of a number of days since 1970-01-01; Howard Hinnant, "chrono-compatible low-level
/// date algorithms".
pub(in crate::ingest) fn date_of_day(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    // Months count from March, so that the leap day is the last of the year.
    let from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A time in seconds since 1970 as `2164-10-23 21:09:00`.
pub(in crate::ingest) fn clock_text(seconds: i64) -> String {
    let (year, month, day) = date_of_day(seconds.div_euclid(86_400));
    let of_day = seconds.rem_euclid(86_400);
    let (hour, minute, second) = (of_day / 3600, of_day / 60 % 60, of_day % 60);
    format!("{year:04}-{month:02}-{day:02} {hour:02}:{minute:02}:{second:02}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ingest::text::days_from_civil;

    #[test]
    fn a_time_is_written_as_it_is_read() {
        for text in ["2150-07-01 12:03:59", "1969-12-31 23:59:58", "2000-02-29 00:00:00"] {
            assert_eq!(clock_text(parse_datetime(text).unwrap()), text);
        }
    }

    #[test]
    fn dates_and_days_are_inverse() {
        for days in (-800_000..800_000).step_by(37).chain([-1, 0, 59, 60, 11_016, 11_017]) {
            let (year, month, day) = date_of_day(days);
            assert_eq!(days_from_civil(year, month, day), days, "{year}-{month}-{day}");
        }
        assert_eq!(date_of_day(0), (1970, 1, 1));
        assert_eq!(date_of_day(-46_328), (1843, 2, 28));
    }

    #[test]
    fn a_time_with_a_zone_is_a_moment() {
        let noon = parse_datetime("2150-07-01 12:00:00").unwrap();
        for (text, zone) in [
            ("2150-07-01 12:00:00", Zoned::NONE),
            ("2150-07-01T12:00", Zoned::NONE),
            ("2150-07-01T12:00:00.000Z", Zoned::UTC),
            ("2150-07-01 12:00:00 UTC", Zoned::UTC),
            ("2150-07-01T12:00:00+00:00", Zoned::UTC),
            ("2150-07-01T14:00:00+02:00", Zoned::OTHER),
            ("2150-07-01 14:00:00.25+0200", Zoned::OTHER),
            ("2150-07-01 14:00+02", Zoned::OTHER),
            ("2150-07-01 07:30:00-04:30", Zoned::OTHER),
        ] {
            assert_eq!(parse_moment(text), Some((noon, zone)), "{text}");
        }
        assert_eq!(parse_moment("2150-07-01"), Some((noon - 43_200, Zoned::DATE)));
        for text in [
            "2150-07-01Z",
            "2150-07-01 12:00:00 CET",
            "2150-07-01 12:00:00+2",
            "2150-07-01 12:00:00+99:00",
            "x",
        ] {
            assert_eq!(parse_moment(text), None, "{text}");
        }
    }
}
