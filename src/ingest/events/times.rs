//! Which rows of a table with one column per signal name a record and a time that another row names too.
//!
//! Only between such rows can a cell be a copy, or a second measurement. Rows that are alone need nothing of
//! their cells remembered: four bytes for each time stand in for a hash of every cell. A table that has
//! rows which are not alone is read a second time for those.

use std::collections::{BTreeSet, HashMap};

/// The times of the rows that were met, by record.
#[derive(Debug, Default)]
pub(in crate::ingest) struct Times {
    of_record: Vec<OfRecord>,
    /// Records and times named by several rows, and whether the first of those rows was met again.
    repeated: HashMap<(u32, i64), bool>,
}

/// Times of one record. Most files have them in order, so that a new time is behind all others.
#[derive(Debug, Default)]
struct OfRecord {
    ascending: Vec<i32>,
    late: BTreeSet<i32>,
}

/// Which of the two readings of a table a row is met in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Reading {
    First,
    Second,
}

/// What is to be done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::ingest) enum Role {
    /// No row before it has its record and time: its cells are taken in as they are.
    First,
    /// It was taken in by the first reading; its cells are what later rows may repeat.
    Repeated,
    /// A row before it has its record and time: its cells may be copies.
    Later,
    /// The other reading takes care of it.
    NotNow,
}

impl Times {
    /// What is to be done with a row of a record at a time, in seconds after the record's origin.
    pub(in crate::ingest) fn meet(&mut self, reading: Reading, record: u32, seconds: i64) -> Role {
        if reading == Reading::Second {
            return match self.repeated.get_mut(&(record, seconds)) {
                None => Role::NotNow,
                Some(true) => Role::Later,
                Some(met) => {
                    *met = true;
                    Role::Repeated
                }
            };
        }
        let at = record as usize;
        if self.of_record.len() <= at {
            self.of_record.resize_with(at + 1, OfRecord::default);
        }
        // Beyond 68 years from its record's origin a time is as likely a mistake, and is looked up by itself.
        let is_new = match i32::try_from(seconds) {
            Ok(short) => self.of_record[at].insert(short),
            Err(_) => !self.repeated.contains_key(&(record, seconds)),
        };
        if !is_new || i32::try_from(seconds).is_err() {
            self.repeated.insert((record, seconds), false);
        }
        if is_new { Role::First } else { Role::NotNow }
    }

    /// Whether a second reading has anything to do.
    pub(in crate::ingest) fn has_repeated(&self) -> bool {
        !self.repeated.is_empty()
    }
}

impl OfRecord {
    /// Takes note of a time; false if it was there already.
    fn insert(&mut self, seconds: i32) -> bool {
        match self.ascending.last() {
            Some(last) if seconds <= *last => {
                self.ascending.binary_search(&seconds).is_err() && self.late.insert(seconds)
            }
            _ => {
                self.ascending.push(seconds);
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_that_share_record_and_time_are_left_to_the_second_reading() {
        let far = 1 << 40;
        let rows = [(0, 60), (0, 300), (1, 60), (0, 120), (0, 60), (2, far), (0, 120), (0, 60), (2, far)];
        let mut times = Times::default();
        let first: Vec<Role> = rows.iter().map(|(r, t)| times.meet(Reading::First, *r, *t)).collect();
        let (new, later) = (Role::First, Role::NotNow);
        assert_eq!(first, [new, new, new, new, later, new, later, later, later]);
        assert!(times.has_repeated());
        let second: Vec<Role> = rows.iter().map(|(r, t)| times.meet(Reading::Second, *r, *t)).collect();
        let (alone, seed, again) = (Role::NotNow, Role::Repeated, Role::Later);
        assert_eq!(second, [seed, alone, alone, seed, again, seed, again, again, again]);
    }

    #[test]
    fn every_row_is_taken_in_once() {
        let mut times = Times::default();
        let rows: Vec<(u32, i64)> = (0..4000).map(|i| ((i % 7) as u32, (i * 7919 % 500) * 60)).collect();
        let mut taken = vec![0; rows.len()];
        for reading in [Reading::First, Reading::Second] {
            for (row, (record, seconds)) in rows.iter().enumerate() {
                let role = times.meet(reading, *record, *seconds);
                taken[row] += u32::from(matches!(role, Role::First | Role::Later));
            }
        }
        assert!(taken.iter().all(|n| *n == 1));
    }
}
