//! Moments in the shifted calendar of the extract (2100–2200, births back to 1800), and how they are written.

/// Seconds since 1970-01-01 00:00:00 in the proleptic Gregorian calendar, without a time zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Moment(pub(super) i64);

/// Seconds per day.
pub(super) const DAY: i64 = 86_400;
/// Length of the mean Gregorian year in seconds.
pub(super) const YEAR: f64 = 365.2425 * DAY as f64;

impl Moment {
    /// Returns midnight of a civil date.
    ///
    /// # References
    /// Hinnant (2013), chrono-compatible low-level date algorithms, `days_from_civil`.
    pub(super) fn midnight(year: i64, month: i64, day: i64) -> Self {
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let year_of_era = y.rem_euclid(400);
        let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        Self((era * 146_097 + day_of_era - 719_468) * DAY)
    }

    /// Returns the year, month and day.
    pub(super) fn civil(self) -> (i64, i64, i64) {
        let z = self.0.div_euclid(DAY) + 719_468;
        let day_of_era = z.rem_euclid(146_097);
        let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let mp = (5 * day_of_year + 2) / 153;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = year_of_era + z.div_euclid(146_097) * 400 + i64::from(month <= 2);
        (year, month, day_of_year - (153 * mp + 2) / 5 + 1)
    }

    /// Returns the moment that is `hours` later.
    pub(super) fn plus_hours(self, hours: f64) -> Self {
        Self(self.0 + (hours * 3600.0).round() as i64)
    }

    /// Returns the hours from `start` to this moment.
    pub(super) fn hours_since(self, start: Self) -> f64 {
        (self.0 - start.0) as f64 / 3600.0
    }

    /// Returns the last full minute.
    pub(super) fn minute(self) -> Self {
        Self(self.0.div_euclid(60) * 60)
    }

    /// Returns midnight of the same day.
    pub(super) fn day(self) -> Self {
        Self(self.0.div_euclid(DAY) * DAY)
    }

    /// Returns the hour of the day, 0–24.
    pub(super) fn hour_of_day(self) -> f64 {
        self.0.rem_euclid(DAY) as f64 / 3600.0
    }

    /// Appends the day to `out` as `YYYY-MM-DD`.
    pub(super) fn write_day(self, out: &mut Vec<u8>) {
        let (year, month, day) = self.civil();
        let ([a, b], [c, d], [e, f], [g, h]) = (two(year / 100), two(year % 100), two(month), two(day));
        out.extend_from_slice(&[a, b, c, d, b'-', e, f, b'-', g, h]);
    }

    /// Appends the time of day to `out` as `HH:MM:SS`.
    pub(super) fn write_clock(self, out: &mut Vec<u8>) {
        let second = self.0.rem_euclid(DAY);
        let ([i, j], [k, l], [m, n]) = (two(second / 3600), two(second / 60 % 60), two(second % 60));
        out.extend_from_slice(&[i, j, b':', k, l, b':', m, n]);
    }

    /// Appends the moment to `out` as `YYYY-MM-DD HH:MM:SS`.
    pub(super) fn write(self, out: &mut Vec<u8>) {
        self.write_day(out);
        out.push(b' ');
        self.write_clock(out);
    }
}

/// Two decimal digits.
fn two(n: i64) -> [u8; 2] {
    [b'0' + (n / 10) as u8, b'0' + (n % 10) as u8]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(m: Moment) -> String {
        let mut out = Vec::new();
        m.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn civil_dates_round_trip_over_five_centuries() {
        assert_eq!(Moment::midnight(1970, 1, 1).0, 0);
        assert_eq!(Moment::midnight(2000, 3, 1).0, 951_868_800);
        let mut day = Moment::midnight(1790, 12, 31);
        let mut previous = day.civil();
        while day < Moment::midnight(2210, 1, 1) {
            day = Moment(day.0 + DAY);
            let (y, m, d) = day.civil();
            assert_eq!(Moment::midnight(y, m, d), day);
            assert!((y, m, d) > previous);
            previous = (y, m, d);
        }
    }

    #[test]
    fn moments_are_written_as_in_the_extract() {
        assert_eq!(text(Moment(Moment::midnight(2164, 2, 29).0 + 3661)), "2164-02-29 01:01:01");
        assert_eq!(text(Moment(Moment::midnight(1885, 3, 24).0)), "1885-03-24 00:00:00");
    }
}
