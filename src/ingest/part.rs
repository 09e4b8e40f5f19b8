//! Which patients are ingested: all of them, or one of several parts of them.
//!
//! A patient is of the part that the CRC-32 of its id as text says, modulo the number of parts. Every machine
//! and every engine computes the same: `crc32(CAST(id AS STRING)) % n` in Spark SQL, `zlib.crc32` in Python.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The most parts; more are a slip of the finger.
const MOST: u32 = 1_000_000;

/// One of several parts of the patients.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Its number, from 1.
    pub number: u32,
    /// How many parts there are.
    pub of: u32,
    /// Whether the event tables were divided before: they hold the rows of this part and no others. Otherwise
    /// every part reads all rows and leaves those of others.
    pub divided: bool,
}

impl Default for Part {
    fn default() -> Self {
        Self::WHOLE
    }
}

impl Part {
    /// The only part.
    pub const WHOLE: Self = Self { number: 1, of: 1, divided: false };

    /// Whether there are no others.
    pub fn is_whole(self) -> bool {
        self.of == 1
    }

    /// Whether a patient is of this part.
    pub fn holds(self, subject: &str) -> bool {
        self.of == 1 || crc32fast::hash(subject.as_bytes()) % self.of == self.number - 1
    }

    /// Whether rows that are nobody's are counted here: those without a record, or of items not in use. Where
    /// every part reads them all, the first one counts them.
    pub fn counts_strays(self) -> bool {
        self.divided || self.number == 1
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Part {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no part: it is written K/N, such as 3/8, with K from 1 to N and N up to {MOST}"
            )
        };
        let (number, of) = text.split_once('/').ok_or_else(wrong)?;
        let read = |text: &str| text.trim().parse::<u32>().map_err(|_| wrong());
        let (number, of) = (read(number)?, read(of)?);
        let is_part = (1..=of).contains(&number) && of <= MOST;
        if is_part { Ok(Self { number, of, divided: false }) } else { Err(wrong()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_read_as_it_is_written() {
        let part: Part = "3/8".parse().unwrap();
        assert_eq!((part.number, part.of, part.to_string().as_str()), (3, 8, "3/8"));
        for text in ["0/8", "9/8", "3", "3/", "-1/8", "a/b", "1/1000001"] {
            assert!(text.parse::<Part>().unwrap_err().contains("K/N"), "{text}");
        }
    }

    #[test]
    fn every_patient_is_of_one_part_which_is_a_fixed_function_of_the_id() {
        // python: [zlib.crc32(i.encode()) % 7 for i in ["10006", "10011", "a", ""]]
        let of = |id: &str| {
            let parts = (1..=7).map(|number| Part { number, of: 7, divided: false });
            let holding: Vec<u32> = parts.filter(|part| part.holds(id)).map(|part| part.number - 1).collect();
            assert_eq!(holding.len(), 1, "{id}");
            holding[0]
        };
        assert_eq!(["10006", "10011", "a", ""].map(of), [5, 0, 4, 0]);
    }

    #[test]
    fn parts_are_about_equal() {
        let n = 20_000;
        let part = Part { number: 5, of: 64, divided: false };
        let held = (0..n).filter(|i: &u32| part.holds(&i.to_string())).count() as f64;
        // Five standard deviations of a binomial share.
        assert!((held - 312.5).abs() < 5.0 * 312.5_f64.sqrt(), "{held}");
    }
}
