//! What a column of a wide table is, from its cells in the training rows.

use std::collections::HashSet;

use crate::schema::{Kind, WideTable};

use super::rows::Cell;
use crate::ingest::text::{is_date, parse_number};

/// More text levels than this are free text.
const MAX_LEVELS: usize = 64;

/// Up to this many levels a column is categorical even where most rows have a level of their own (small tables).
const FEW_LEVELS: usize = 12;

/// Names of columns that identify a patient, whose rows must stay together.
const SUBJECT_NAMES: [&str; 8] =
    ["subject_id", "subjectid", "patient_id", "patientid", "person_id", "patient_nbr", "mrn", "subject"];

/// What is done with a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Id,
    Group,
    Split,
    /// A feature of numbers; `declared` ones are held to their kind.
    Number {
        kind: Kind,
        declared: bool,
    },
    /// A feature of levels.
    Levels,
    Ignored,
}

/// What was met in a column.
#[derive(Debug, Default)]
pub(super) struct Profile {
    /// Cells with a value.
    seen: u64,
    numbers: u64,
    whole: u64,
    zero_or_one: u64,
    bools: u64,
    dates: u64,
    levels: HashSet<String>,
}

impl Profile {
    pub(super) fn add(&mut self, cell: Cell<'_>) {
        match cell {
            Cell::Missing => return,
            Cell::Date => self.dates += 1,
            Cell::Bool(_) => self.bools += 1,
            Cell::Number(x) => self.number(x),
            Cell::Integer(x) => self.number(x as f64),
            Cell::Text(text) => {
                if let Some(x) = parse_number(text) {
                    self.number(x);
                } else if boolean(text).is_some() {
                    self.bools += 1;
                } else if is_date(text) {
                    self.dates += 1;
                }
                if self.levels.len() <= MAX_LEVELS && !self.levels.contains(text) {
                    self.levels.insert(text.to_string());
                }
            }
        }
        self.seen += 1;
    }

    fn number(&mut self, x: f64) {
        self.numbers += 1;
        self.whole += u64::from(x.fract() == 0.0);
        self.zero_or_one += u64::from(x == 0.0 || x == 1.0);
    }

    /// The role of an undeclared column, with what the user should know about it.
    pub(super) fn role(&self, name: &str) -> (Role, Option<String>) {
        let number = |kind| (Role::Number { kind, declared: false }, None);
        let ignored = |why: &str| (Role::Ignored, Some(format!("column `{name}` is ignored: {why}")));
        if name.is_empty() {
            return (Role::Ignored, Some("a column without a name is ignored".into()));
        }
        if self.seen == 0 {
            return ignored("it has no value in the training rows");
        }
        if self.bools == self.seen {
            return number(Kind::Binary);
        }
        // Mostly numbers: a stray text among them is an error to be named by row, not a reason for 500 levels.
        if self.numbers * 2 >= self.seen {
            return number(if self.zero_or_one == self.seen {
                Kind::Binary
            } else if self.whole == self.numbers {
                Kind::Count
            } else {
                Kind::Continuous
            });
        }
        if self.dates == self.seen {
            return ignored("it holds dates; subtract them from each other to use them");
        }
        let few = self.levels.len() <= FEW_LEVELS || self.levels.len() as u64 * 2 <= self.seen;
        if !few || self.levels.len() > MAX_LEVELS {
            return ignored("it holds free text; declare it categorical to use it all the same");
        }
        (Role::Levels, None)
    }
}

/// `true` and `false` in any letter case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Whether a name alone suggests record ids: `id`, `row_id`, `RecordID`, `record`.
pub(super) fn names_an_id(name: &str) -> bool {
    let lower = name.to_lowercase();
    // `COVID` and `paid` end in id too: camel case needs a small letter before a capital I.
    let camel = name
        .strip_suffix("ID")
        .or_else(|| name.strip_suffix("Id"))
        .and_then(|head| head.chars().next_back())
        .is_some_and(char::is_lowercase);
    lower == "id" || lower.ends_with("_id") || lower.starts_with("record") || camel
}

/// Whether a name suggests patients.
pub(super) fn names_a_subject(name: &str) -> bool {
    SUBJECT_NAMES.contains(&name.to_lowercase().as_str())
}

/// Ids met so far; one repetition, gap or fraction and the column is none.
#[derive(Debug, Default)]
pub(super) struct Uniqueness {
    met: HashSet<String>,
    failed: bool,
}

impl Uniqueness {
    pub(super) fn add(&mut self, cell: Cell<'_>) {
        if self.failed {
            return;
        }
        let id = match cell {
            Cell::Text(text) if parse_number(text).is_none_or(|x| x.fract() == 0.0) => text.to_string(),
            Cell::Integer(x) => x.to_string(),
            _ => {
                self.failed = true;
                return;
            }
        };
        self.failed = !self.met.insert(id);
        if self.failed {
            self.met = HashSet::new();
        }
    }

    pub(super) fn holds(&self) -> bool {
        !self.failed && !self.met.is_empty()
    }
}

/// The declared role of a column, if any.
pub(super) fn declared(wide: &WideTable, name: &str) -> Option<Role> {
    let is = |other: &str| other.eq_ignore_ascii_case(name);
    if wide.id.as_deref().is_some_and(is) {
        return Some(Role::Id);
    }
    if wide.split.as_deref().is_some_and(is) {
        return Some(Role::Split);
    }
    if wide.group.as_deref().is_some_and(is) {
        return Some(Role::Group);
    }
    if wide.ignore.iter().any(|c| is(c)) {
        return Some(Role::Ignored);
    }
    // The last word counts: `--set` comes after the file.
    wide.kinds.iter().rev().find(|(c, _)| is(c)).map(|(_, kind)| match kind {
        Kind::Categorical => Role::Levels,
        kind => Role::Number { kind: *kind, declared: true },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(cells: &[&str]) -> Role {
        let mut profile = Profile::default();
        for text in cells {
            profile.add(if text.is_empty() { Cell::Missing } else { Cell::Text(text) });
        }
        profile.role("x").0
    }

    fn number(kind: Kind) -> Role {
        Role::Number { kind, declared: false }
    }

    #[test]
    fn roles_follow_the_values() {
        assert_eq!(role(&["0", "1", "", "1"]), number(Kind::Binary));
        assert_eq!(role(&["3", "1.0", "17"]), number(Kind::Count));
        assert_eq!(role(&["3", "1.5", "17"]), number(Kind::Continuous));
        assert_eq!(role(&["3", "1.5", "n/a"]), number(Kind::Continuous), "one text is an error later");
        assert_eq!(role(&["True", "false", "TRUE"]), number(Kind::Binary));
        assert_eq!(role(&["a", "b", "a"]), Role::Levels);
        assert_eq!(role(&["2164-10-23", "2164-10-23 21:09:00"]), Role::Ignored);
        assert_eq!(role(&["", ""]), Role::Ignored);
        let words: Vec<String> = (0..200).map(|i| format!("note {i}")).collect();
        assert_eq!(role(&words.iter().map(String::as_str).collect::<Vec<_>>()), Role::Ignored);
    }

    #[test]
    fn only_clear_names_are_ids() {
        for name in ["id", "ID", "row_id", "RecordID", "record", "stayId"] {
            assert!(names_an_id(name), "{name}");
        }
        for name in ["COVID", "paid", "acid", "width", "PAID", "identity"] {
            assert!(!names_an_id(name), "{name}");
        }
    }
}
