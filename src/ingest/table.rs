//! What ingestion hands on: columns of records in original units, free of any data-frame library, in few
//! bytes each.

use indexmap::IndexSet;

use crate::num::packed::Numbers;
use crate::schema::{Kind, Split};

use super::{Audit, Spelling};

/// One row per record, original units, ids and declared splits beside. Rows are sorted by `record_ids` for
/// cohorts (numerically when all are numbers), and keep the file's order for wide tables.
#[derive(Debug, Clone)]
pub struct RecordTable {
    /// Unique.
    pub record_ids: Names,
    /// Whom the records are about; those of one subject stay in one split.
    pub subjects: Subjects,
    /// Splits the data declare (wide tables); otherwise the subjects are split by hash.
    pub splits: Option<Vec<Split>>,
    /// Features in pipeline order.
    pub columns: Vec<Column>,
    /// Columns that no model sees, such as outcomes, in pipeline order.
    pub labels: Vec<Column>,
    /// What was read, dropped, converted and why.
    pub audit: Audit,
}

/// Whom records are about.
#[derive(Debug, Clone)]
pub enum Subjects {
    /// The data name no subject: every record is one of its own.
    Records,
    /// As before, but that a record which copies another is about the same subject: rows of copies,
    /// ascending, each with the row it copies.
    Copies(Vec<(u32, u32)>),
    /// Each record has the name of its subject.
    Named(Texts),
}

impl RecordTable {
    /// Number of records.
    pub fn n_records(&self) -> usize {
        self.record_ids.len()
    }

    /// The name of a record's subject.
    pub fn subject(&self, record: usize) -> &str {
        match &self.subjects {
            Subjects::Records => &self.record_ids[record],
            Subjects::Copies(copies) => {
                let found = copies.binary_search_by_key(&record, |(copy, _)| *copy as usize);
                &self.record_ids[found.map_or(record, |at| copies[at].1 as usize)]
            }
            // A record without a name is a subject of its own.
            Subjects::Named(names) => names.get(record).unwrap_or(&self.record_ids[record]),
        }
    }

    /// The names of the subjects, one per record.
    pub fn subjects(&self) -> impl Iterator<Item = &str> + Clone {
        (0..self.n_records()).map(|record| self.subject(record))
    }
}

/// One feature in original units.
#[derive(Debug, Clone)]
pub struct Column {
    /// Feature name.
    pub name: String,
    /// For people.
    pub label: String,
    /// Heading.
    pub group: String,
    /// Unit, empty when unknown.
    pub unit: String,
    /// Statistical kind.
    pub kind: Kind,
    /// Declared resolution.
    pub resolution: Option<f64>,
    /// Plausible values.
    pub range: Option<(f64, f64)>,
    /// How the cells of new tables are read; learnt on the training rows of a wide table.
    pub spelling: Spelling,
    /// The values.
    pub cells: Cells,
}

/// Values of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Cells {
    /// NaN is missing; no infinities.
    Number(Numbers),
    /// Categorical levels as text.
    Text(Texts),
}

impl Cells {
    /// How many there are.
    pub fn len(&self) -> usize {
        match self {
            Self::Number(x) => x.len(),
            Self::Text(t) => t.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Texts of which many are equal: a table of the different ones, and the place of each in it.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// NaN where there is none.
    codes: Numbers,
    levels: IndexSet<String>,
}

impl Texts {
    /// Appends a text, or that there is none.
    pub fn push(&mut self, text: Option<&str>) {
        let code = text.map(|text| match self.levels.get_index_of(text) {
            Some(code) => code,
            None => self.levels.insert_full(text.to_owned()).0,
        });
        self.codes.push(code.map_or(f64::NAN, |code| code as f64));
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.codes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.codes.is_empty()
    }

    /// The text at a place.
    pub fn get(&self, i: usize) -> Option<&str> {
        self.text(self.codes.get(i))
    }

    /// All texts in their order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        self.codes.iter().map(|code| self.text(code))
    }

    /// The different texts, in the order in which they came first.
    pub fn levels(&self) -> impl ExactSizeIterator<Item = &str> {
        self.levels.iter().map(String::as_str)
    }

    /// The place of each text in [`levels`](Self::levels), NaN where there is none.
    pub fn codes(&self) -> &Numbers {
        &self.codes
    }

    /// The text of a code.
    pub fn text(&self, code: f64) -> Option<&str> {
        if code.is_nan() { None } else { self.levels.get_index(code as usize).map(String::as_str) }
    }
}

impl<S: AsRef<str>> FromIterator<Option<S>> for Texts {
    fn from_iter<I: IntoIterator<Item = Option<S>>>(texts: I) -> Self {
        let mut all = Self::default();
        texts.into_iter().for_each(|text| all.push(text.as_ref().map(AsRef::as_ref)));
        all
    }
}

impl<S: AsRef<str>> From<Vec<Option<S>>> for Texts {
    fn from(texts: Vec<Option<S>>) -> Self {
        texts.into_iter().collect()
    }
}

impl PartialEq for Texts {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

/// Texts of which hardly any are equal, one after the other.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    bytes: String,
    ends: Vec<usize>,
}

impl Names {
    /// The numbers of `n` rows, from 1.
    pub fn numbered(rows: std::ops::RangeInclusive<u64>) -> Self {
        use std::fmt::Write as _;
        let mut all = Self::default();
        for row in rows {
            write!(all.bytes, "{row}").expect("invariant: writing to a string cannot fail");
            all.ends.push(all.bytes.len());
        }
        all
    }

    /// Appends a name.
    pub fn push(&mut self, name: &str) {
        self.bytes.push_str(name);
        self.ends.push(self.bytes.len());
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// All of them in their order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &str> + Clone {
        (0..self.len()).map(|i| &self[i])
    }
}

impl std::ops::Index<usize> for Names {
    type Output = str;

    fn index(&self, i: usize) -> &str {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.bytes[from..self.ends[i]]
    }
}

impl<S: AsRef<str>> FromIterator<S> for Names {
    fn from_iter<I: IntoIterator<Item = S>>(names: I) -> Self {
        let mut all = Self::default();
        names.into_iter().for_each(|name| all.push(name.as_ref()));
        all
    }
}

impl<S: AsRef<str>> From<Vec<S>> for Names {
    fn from(names: Vec<S>) -> Self {
        names.into_iter().collect()
    }
}

impl<S: AsRef<str>> PartialEq<Vec<S>> for Names {
    fn eq(&self, other: &Vec<S>) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}

impl<S: AsRef<str>, const N: usize> PartialEq<[S; N]> for Names {
    fn eq(&self, other: &[S; N]) -> bool {
        self.iter().eq(other.iter().map(AsRef::as_ref))
    }
}
